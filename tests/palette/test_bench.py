import importlib.util
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
    monkeypatch.setattr(
        sys, "argv", ["palette", "--pictures", "flower", "--sizes", "8", "--rounds", "1"]
    )
    monkeypatch.setattr(bench, "make_picture", lambda _: bench.load_sample_image("flower.jpg")[:40])
    bench.main()
    told = json.loads(capsys.readouterr().out)["pictures"]["flower"]
    assert told["pixels"] == 40 * 640
    sizes = told["8"]
    assert sizes["pillow"]["best"]
    for way in ("all_pixels_one_start", "all_pixels_ten_starts"):
        ratio = sizes["cohortlab"]["error"] / sizes[way]["error"]
        assert sizes[way]["error_ours_over_theirs"] == pytest.approx(ratio, abs=1e-3)


def test_the_error_is_the_mean_over_all_channels(bench):
    picture = np.zeros((30, 4, 3), dtype=np.uint8)
    assert bench.error(picture, picture + np.uint8(2)) == 4.0


def test_aims_name_the_cases_that_miss_them(bench):
    def case(ratio, times):
        return {"error_ours_over_theirs": ratio, "times_as_long": times}

    fast = {"all_pixels_one_start": case(1.0, 12.0), "pillow": {"error_ours_over_theirs": 0.9}}
    slow = {"all_pixels_one_start": case(0.9, 8.0), "pillow": {"error_ours_over_theirs": 1.01}}
    told = bench.aims({"flower": {"pixels": 9, "8": fast | {"cohortlab": {}}, "16": slow}})
    assert told["all_pixels_one_start"]["too_slow"] == ["flower 16"]
    assert told["all_pixels_one_start"]["error_larger"] == []
    assert told["pillow"]["error_larger"] == ["flower 16"]
    assert not told["all_pixels_one_start"]["reached"]
    assert not told["pillow"]["reached"]
    assert bench.aims({"flower": {"8": fast}})["pillow"]["reached"]
