import importlib.util
import json
import sys

import numpy as np
import pytest
from conftest import REPOSITORY


@pytest.fixture
def bench():
    spec = importlib.util.spec_from_file_location("bench_traffic", REPOSITORY / "bench/traffic.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def connections(tmp_path):
    """A file of 400 connections in the form of the KDD Cup's, without a header."""
    rng = np.random.default_rng(4)
    lines = []
    for sent, received in rng.integers(1, 900, (400, 2)) * 10:
        fields = [0] * 42
        fields[0], fields[1:4] = rng.integers(0, 3), ["tcp", "http", "SF"]
        fields[4], fields[5], fields[22], fields[41] = sent, received, 2, "normal."
        lines.append(",".join(map(str, fields)))
    path = tmp_path / "kdd.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_both_ways_are_told_and_aims_follow(bench, connections, monkeypatch, capsys):
    command = ["traffic", "--file", str(connections), "--rows", "300", "--limit-gb", "8"]
    monkeypatch.setattr(sys, "argv", command)
    bench.main()
    told = json.loads(capsys.readouterr().out)
    assert told["whole_file"]["n_rows"] == 400
    (sample,) = told["samples"]
    assert (sample["n_rows"], sample["same_labels"]) == (300, True)
    assert told["aims"] == {
        "same_labels_at_20000_rows": None,
        "whole_file_within_120_seconds": True,
        "whole_file_within_3_gb": True,
    }


@pytest.mark.parametrize("same", [True, False])
def test_aims_are_what_was_measured(bench, same):
    samples = [{"n_rows": 5000, "same_labels": not same}, {"n_rows": 20_000, "same_labels": same}]
    found = {"whole_file": {"seconds": 121.0, "peak_gb": 2.9}, "samples": samples}
    assert list(bench.aims(found).values()) == [same, False, True]


def test_a_run_that_was_stopped_reaches_nothing(bench):
    found = {"whole_file": {"stopped": "at 3 GB"}, "samples": [{"n_rows": 20_000}]}
    assert list(bench.aims(found).values()) == [None, False, False]
