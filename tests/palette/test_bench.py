import importlib.util
import itertools
import json
import sys

import numpy as np
import pytest
from conftest import REPOSITORY


@pytest.fixture
def bench():
    spec = importlib.util.spec_from_file_location("bench_palette", REPOSITORY / "bench/palette.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_way_is_told(bench, monkeypatch, capsys):
    asked = ["--pictures", "flower", "--sizes", "8", "--seeds", "2", "--runs", "10"]
    monkeypatch.setattr(sys, "argv", ["palette", *asked])
    monkeypatch.setattr(bench, "make_picture", lambda _: bench.load_sample_image("flower.jpg")[:40])
    bench.main()
    told = json.loads(capsys.readouterr().out)["pictures"]["flower"]
    assert told["pixels"] == 40 * 640
    size = told["8"]
    assert size["pillow"]["best"]
    assert list(size["others"]) == ["minibatch", "oklab", "dithered"]
    least = min(row["error"] for row in size["cohortlab"].values())
    assert all(row["error"] > least for row in size["others"].values())
    own = size["cohortlab"]
    assert str(size["default"]) in own
    one, ten = size["all_pixels_one_start"], size["all_pixels_ten_starts"]
    assert ten["error"] <= one["error"]
    assert ten["cpu_sec"] == pytest.approx(10 * one["cpu_sec"], abs=1e-3)
    for way in (one, ten):
        ratio = own[str(size["default"])]["error"] / way["error"]
        assert way["at_default"]["error_ours_over_theirs"] == pytest.approx(ratio, abs=1e-5)


def test_the_fewest_starts_that_reach_an_error_count(bench):
    errors = {1: 12.0, 2: 9.5, 8: 10.0, 32: 9.0}
    own = {n: {"error": error, "cpu_sec": n / 10} for n, error in errors.items()}
    found = bench.held_against(own, 10.0, 6.0)
    assert (found["reached_by"], found["times_as_long"]) == (2, 30.0)
    assert found["error_ours_over_theirs"] == 0.95
    assert found["at_default"] == {"times_as_long": 7.5, "error_ours_over_theirs": 1.0}
    missed = bench.held_against(own, 6.0, 6.0)
    assert missed["reached_by"] is None
    assert (missed["times_as_long"], missed["error_ours_over_theirs"]) == (1.88, 1.5)


def test_the_best_of_some_runs_is_the_mean_over_all_choices(bench):
    errors = [5.0, 3.0, 8.0, 4.0, 4.5]
    for n_starts in range(1, 6):
        every = [min(chosen) for chosen in itertools.combinations(errors, n_starts)]
        assert bench.best_of(errors, n_starts) == pytest.approx(np.mean(every))


def test_the_error_is_the_mean_over_all_channels(bench):
    picture = np.zeros((30, 4, 3), dtype=np.uint8)
    assert bench.error(picture, picture + np.uint8(2)) == 4.0


def test_aims_name_the_cases_that_miss_them(bench):
    def case(ratio, times):
        ratios = {"error_ours_over_theirs": ratio, "times_as_long": times}
        return ratios | {"at_default": {"error_ours_over_theirs": 1.1, "times_as_long": times / 2}}

    fast = {"all_pixels_one_start": case(1.0, 12.0), "pillow": {"error_ours_over_theirs": 0.9}}
    slow = {"all_pixels_one_start": case(0.9, 8.0), "pillow": {"error_ours_over_theirs": 1.01}}
    told = bench.aims({"flower": {"pixels": 9, "8": fast | {"cohortlab": {}}, "16": slow}})
    assert told["all_pixels_one_start"]["too_slow"] == ["flower 16"]
    assert told["all_pixels_one_start"]["error_larger"] == []
    at_default = told["all_pixels_one_start"]["at_default"]
    assert at_default == {"largest_error_ours_over_theirs": 1.1, "least_times_as_long": 4.0}
    assert told["pillow"]["error_larger"] == ["flower 16"]
    assert not told["all_pixels_one_start"]["reached"]
    assert not told["pillow"]["reached"]
    assert bench.aims({"flower": {"8": fast}})["pillow"]["reached"]
