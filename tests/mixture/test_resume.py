"""A search that is watched, stopped and taken up again."""

import json
import sys
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cohortlab.mixture import search
from cohortlab.mixture.cells import NOT_RUN

MODULE = sys.modules["cohortlab.mixture.search"]
rng = np.random.default_rng(4)
X = np.concatenate([rng.normal(0, 1, (70, 2)), rng.normal(6, (2, 0.5), (70, 2))])
PLAN = {"n_components": range(1, 4), "models": ["EII", "VVI", "VVV"], "n_init": 2}


def run(**arguments):
    return search(X, **PLAN, **{"n_bootstrap": 5, **arguments})


@pytest.fixture(scope="module")
def whole():
    return run()


def assert_same(found, whole):
    pd.testing.assert_frame_equal(found.table, whole.table, check_exact=True)
    assert json.dumps(found.certificate) == json.dumps(whole.certificate)
    assert found.best.covariances_.tobytes() == whole.best.covariances_.tobytes()


@pytest.mark.parametrize("n_finished", [0, 1, 4, 8])
def test_a_search_that_was_interrupted_ends_as_if_it_had_not_been(
    n_finished, whole, tmp_path, monkeypatch
):
    path, fitted = tmp_path / "search.jsonl", count()

    def fit_cell(*arguments, **options):
        if next(fitted) == n_finished:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    original = MODULE.fit_cell
    monkeypatch.setattr(MODULE, "fit_cell", fit_cell)
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=path)
    assert len(path.read_text().splitlines()) == 1 + n_finished
    assert_same(run(checkpoint=path), whole)
    # The cell that was interrupted counts as a call; those already there are not fitted again.
    assert next(fitted) == 9 + 1


def test_a_search_out_of_time_goes_on_with_the_next_budget(whole, tmp_path, monkeypatch):
    path = tmp_path / "search.jsonl"
    hours = count(0, 3600)
    monkeypatch.setattr(MODULE, "time", SimpleNamespace(monotonic=lambda: next(hours)))
    # The clock strikes once at the start and once before each cell: three cells are begun.
    first = run(checkpoint=path, time_budget_sec=4 * 3600)
    ran = first.table["verdict"] != NOT_RUN
    assert ran.tolist() == [True] * 3 + [False] * 6
    assert first.certificate["cells"]["not_run"] == 6
    pd.testing.assert_frame_equal(first.table[ran], whole.table[ran], check_dtype=False)
    second = run(checkpoint=path, time_budget_sec=4 * 3600)
    assert (second.table["verdict"] != NOT_RUN).sum() == 6
    assert_same(run(checkpoint=path, time_budget_sec=4 * 3600), whole)


def test_a_budget_that_allows_no_cell_says_so():
    with pytest.raises(ValueError, match=r"time budget was spent.*a larger .* time budget"):
        run(time_budget_sec=0)


@pytest.mark.parametrize("budget", [-1, float("nan"), "60", True])
def test_a_budget_that_is_no_time_is_refused(budget):
    with pytest.raises(ValueError, match=r"time_budget_sec=.*finite number of 0 or more"):
        run(time_budget_sec=budget)


def test_a_progress_bar_counts_cells_where_it_is_asked_for(capsys, tmp_path):
    run(n_bootstrap=0)
    assert capsys.readouterr().err == ""
    for _ in range(2):  # the second time all cells are read from the checkpoint
        run(n_bootstrap=0, progress=True, checkpoint=tmp_path / "search.jsonl")
        written = capsys.readouterr().err
        assert written.startswith("\rmixtures:   0%")
        assert "| 9/9 [" in written


def test_a_file_that_is_no_checkpoint_is_refused_and_kept(tmp_path):
    path = tmp_path / "notes.txt"
    for content in (b"my notes\n", b"\xff\xfe\x00", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="give another checkpoint file"):
            run(checkpoint=path)
        assert path.read_bytes() == content
