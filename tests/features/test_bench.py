"""The benchmark runs as its head says, and notices when two ways do not give the same numbers."""

import importlib.util
import json
import subprocess
import sys

import pandas as pd
import pytest
from conftest import REPOSITORY

PATH = REPOSITORY / "bench" / "features.py"


@pytest.fixture
def bench(monkeypatch):
    """Load the benchmark, with few items, and with every way run in this process."""
    spec = importlib.util.spec_from_file_location("bench_features", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "N_ITEMS", 60)
    monkeypatch.setattr(module, "measure", measure_in(module))
    return module


def measure_in(module):
    return lambda way, folder: module.measure_here(way, folder, folder / f"{way}.parquet")


def run(bench, monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["features.py", *map(str, arguments)])
    bench.main()
    return json.loads(capsys.readouterr().out)


def test_a_tiny_run_compares_every_way_and_measures_growth(bench, monkeypatch, capsys, tmp_path):
    sizes = ["--events", 2000, "--plain-events", 300, "--growth", 100, 200]
    options = ["--repeats", 2, "--growth-ways", "ours", "--folder", tmp_path]
    found = run(bench, monkeypatch, capsys, *sizes, *options)
    both = found["comparison"], found["functions_in_agg"]
    assert [part["events"] for part in both] == [2000, 300]
    for part, others in zip(both, (3, 4), strict=True):
        assert len(part["same_numbers"]) == others
        assert 100 < part["sessions"] < part["events"]
        assert part["median"].keys() - {"read_and_sort", "ours"} == set(part["same_numbers"])
        for figures in part["median"].values():
            assert min(figures.values()) > 0
        assert min(part["median_ratio_of_seconds"].values()) > 0
    assert [(row["events"], row["ours"]["seconds"] > 0) for row in found["growth"]] == [
        (100, True),
        (200, True),
    ]


def test_other_numbers_of_one_way_stop_the_comparison(bench, monkeypatch, tmp_path):
    def other(folder, target, scratch):
        bench.ours(folder, target, scratch)
        table = pd.read_parquet(target)
        table.assign(view_count=table["view_count"] + 1).to_parquet(target)

    monkeypatch.setitem(bench.WAYS, "vectorised_pandas", other)
    with pytest.raises(AssertionError, match="view_count"):
        bench.compare(tmp_path, 200, ["ours", "read_and_sort", "vectorised_pandas"], 1, 0)


def test_a_way_that_fails_is_named(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench, "measure", lambda way, folder: {"failed": "no memory"})
    with pytest.raises(RuntimeError, match="'careful_pandas': 'no memory'"):
        bench.compare(tmp_path, 200, ["ours", "careful_pandas"], 1, 0)


def test_one_way_runs_in_a_process_of_its_own(bench, tmp_path):
    bench.write_log(tmp_path, 200, seed=0)
    target = tmp_path / "out.parquet"
    command = [sys.executable, str(PATH), "--one", "careful_pandas", str(tmp_path), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert min(json.loads(done.stdout).values()) > 0
    assert len(pd.read_parquet(target)) > 100
