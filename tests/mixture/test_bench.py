"""The benchmark's cells of scikit-learn, and its comparison with mclust.

A stand-in for R knows the answer.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PATH = Path(__file__).resolve().parents[2] / "bench" / "mixture.py"
SIZES = range(1, 10)

# What the R script does, without R: checks its input, prints seconds, writes a table as R writes it
# (row names first, NA for no fit), columns in another order, and warns on the side.
STAND_IN = """#!{python}
import sys
import numpy as np, pandas as pd
script, data, out = sys.argv[1:]
assert "mclustBIC(X, G = 1:9" in open(script).read()
X = pd.read_csv(data).to_numpy()
assert np.array_equal(X, np.load({rows!r})), "other rows"
print("Warning message: NAs introduced", file=sys.stderr)
print(1.25)
pd.read_pickle({answer!r}).to_csv(out, na_rep="NA")
"""


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("bench_mixture", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def cells(bench):
    """Give a table of a search whose BIC is told apart in each cell."""
    table = pd.DataFrame(
        [
            (model, size, 1000.0 + 10 * size + place)
            for size in SIZES
            for place, model in enumerate(bench.MODEL_NAMES)
        ],
        columns=["model", "n_components", "bic"],
    )
    return table.set_index(["model", "n_components"])["bic"]


def answer_of(cells):
    """Lay BIC out as mclust does: larger is better, sizes by models, in an order of its own."""
    return -cells.unstack("model").iloc[:, ::-1]


def run_with(bench, cells, theirs, tmp_path, monkeypatch):
    rows, answer = tmp_path / "rows.npy", tmp_path / "answer.pkl"
    X = np.random.default_rng(0).normal(size=(30, 12)) * 1e-3 + 1 / 3
    np.save(rows, X)
    answer_of(theirs).to_pickle(answer)
    script = tmp_path / "Rscript"
    settings = {"python": sys.executable, "rows": str(rows), "answer": str(answer)}
    script.write_text(STAND_IN.format(**settings))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return bench.run_mclust(X, cells.reset_index())


def test_equal_figures_are_neither_better_nor_worse(bench, cells, tmp_path, monkeypatch):
    found = run_with(bench, cells, cells, tmp_path, monkeypatch)
    assert found["seconds"] == 1.25
    assert (found["cells_worse"], found["cells_better"], found["cells_without_fit"]) == (0, 0, 0)
    assert len(found["bic_ours_and_theirs"]) == 14 * 9
    assert found["bic_ours_and_theirs"]["VEV,4"] == [cells["VEV", 4]] * 2


def test_cells_are_matched_by_name_and_the_sign_is_turned(bench, cells, tmp_path, monkeypatch):
    theirs = cells.copy()
    theirs["EEE", 3] -= 5.0  # a lower BIC in our sign: mclust did better there
    theirs["VVV", 9] += 5.0
    theirs[[("EVE", 1), ("EVE", 2)]] = np.nan
    ours = cells.copy()
    ours[[("EVE", 2), ("VVI", 5)]] = np.nan
    found = run_with(bench, ours, theirs, tmp_path, monkeypatch)
    assert (found["cells_worse"], found["cells_better"]) == (1, 1)
    assert (found["cells_without_fit"], found["cells_that_only_mclust_fits"]) == (2, 1)
    pairs = found["bic_ours_and_theirs"]
    assert pairs["EEE,3"] == [cells["EEE", 3], cells["EEE", 3] - 5.0]
    assert pairs["EVE,1"] == [cells["EVE", 1], None]
    assert pairs["EVE,2"] == [None, None]


def test_where_r_is_missing_or_fails_the_benchmark_says_so(bench, cells, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    X, table = np.zeros((3, 2)), cells.reset_index()
    assert bench.run_mclust(X, table) == "not run: no Rscript on this machine"
    script = tmp_path / "Rscript"
    script.write_text("#!/bin/sh\necho 'there is no package called mclust' >&2\nexit 1\n")
    script.chmod(0o755)
    assert bench.run_mclust(X, table) == "not run: there is no package called mclust"


@pytest.mark.parametrize(
    ("change", "reused"),
    [
        (lambda bench, patch: None, True),
        (lambda bench, patch: patch.setattr(bench.sklearn, "__version__", "0.0"), False),
        (lambda bench, patch: patch.setattr(bench, "available_threads", lambda: 99), False),
    ],
    ids=["same", "another version", "other cores"],
)
def test_only_cells_of_this_version_and_these_cores_are_reused(
    bench, tmp_path, monkeypatch, change, reused
):
    X, kept = np.random.default_rng(0).normal(size=(50, 2)), tmp_path / "cells.jsonl"
    first = bench.peer_cell(X, "diag", 2, 1, kept)
    assert not first["reused"]
    change(bench, monkeypatch)
    again = bench.peer_cell(X, "diag", 2, 1, kept)
    assert again["reused"] == reused
    assert again["bic"] == first["bic"]
    assert (again["seconds"] == first["seconds"]) == reused
    assert len(kept.read_text().splitlines()) == (1 if reused else 2)
