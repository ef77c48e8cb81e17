"""
Time and error of palettes by weighted k-means, beside k-means on all pixels and Pillow's methods.

Each way starts from the picture in memory and ends with a palette and a place in it for every
pixel. k-means on all pixels is scikit-learn's, on floats, with ten starts (`ten_starts`) and with
its default of one (`one_start`); our starts are sixteen, on summaries. Errors are mean squared
errors of sRGB after rounding to whole levels. Pillow's best is the lowest error of all its methods,
each alone and with its own k-means to the end; their palettes are put in order as ours are. All is
held to one thread; seconds are of processor time, the median of rounds, of k-means on all pixels
one round, and so of Pillow on the large picture. That has 24 megapixels: a photograph made larger,
with noise, so that it has millions of colours; there k-means on all pixels has one start, and
Pillow's k-means, which would take minutes, is left out. Prints JSON; `aims` says what is reached,
and in which cases it is not. A full run, the large picture alone, and a quick run:

    python bench/palette.py
    python bench/palette.py --pictures large --sizes 8 --rounds 1
    python bench/palette.py --pictures flower --sizes 8 --rounds 1
"""

import argparse
import json
import time
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.datasets import load_sample_image
from threadpoolctl import threadpool_limits

from cohortlab import palette

SEED = 20261130
N_STARTS, THEIR_STARTS = 16, 10
LARGE = 6000, 4000
LARGE_NOISE = 3.0
# Pillow's `kmeans`: 0 leaves it out, 1 goes on until nothing changes.
REFINED = 0, 1
# What is aimed at: so many times the speed of k-means on all pixels, at no larger error.
TIMES = 10


def make_picture(name: str) -> np.ndarray:
    """Return a photograph of scikit-learn, or the large picture."""
    if name != "large":
        return load_sample_image(f"{name}.jpg")
    small = Image.fromarray(load_sample_image("china.jpg"))
    pixels = np.asarray(small.resize(LARGE, Image.Resampling.BICUBIC), dtype=np.float32)
    noise = np.random.default_rng(SEED).standard_normal(pixels.shape, dtype=np.float32)
    return np.rint(np.clip(pixels + LARGE_NOISE * noise, 0, 255)).astype(np.uint8)


def timed(work: Callable, *arguments, **options) -> tuple[object, float]:
    """Run something: what it gives, and seconds of processor time."""
    begin = time.process_time()
    found = work(*arguments, **options)
    return found, time.process_time() - begin


def ours(picture: np.ndarray, size: int, n_starts: int) -> np.ndarray:
    """Reduce a picture by weighted k-means on its distinct colours."""
    rng = np.random.default_rng(SEED)
    return palette.quantise(picture, size, rng=rng, n_starts=n_starts).pixels[..., :3]


def on_all_pixels(picture: np.ndarray, size: int, n_starts: int) -> np.ndarray:
    """Reduce a picture by scikit-learn's k-means on all of its pixels."""
    pixels = picture.reshape(-1, 3).astype(np.float32)
    model = KMeans(size, n_init=n_starts, random_state=SEED % 2**31).fit(pixels)
    colours = np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8)
    return colours[model.labels_].reshape(picture.shape)


def error(picture: np.ndarray, reduced: np.ndarray) -> float:
    """Return the mean squared error, a block of lines at a time."""
    parts = np.array_split(np.arange(len(picture)), max(picture.size // 10**7, 1))
    total = sum(((picture[p].astype(float) - reduced[p]) ** 2).sum() for p in parts)
    return float(total / picture.size)


def median_time(rounds: int, work: Callable, *arguments, **options) -> tuple[object, float]:
    """Run something several times: what it gives first, and the median of its seconds."""
    found = [timed(work, *arguments, **options) for _ in range(rounds)]
    return found[0][0], float(np.median([seconds for _, seconds in found]))


def by_pillow(picture: np.ndarray, size: int, refined: tuple[int, ...], *, rounds: int) -> dict:
    """Try all of Pillow's methods: time and error of each, and which has the lowest error."""
    methods = [name for name in palette.available_peers(picture) if name != "minibatch"]
    tried = {}
    for method in methods:
        for refine in refined:
            options = {"method": method, "refine": refine}
            found, seconds = median_time(rounds, palette.quantise_by_peer, picture, size, **options)
            mse = error(picture, found.pixels[..., :3])
            name = method + " and k-means" * bool(refine)
            tried[name] = {"cpu_sec": round(seconds, 4), "error": round(mse, 6)}
    best = min(tried, key=lambda name: tried[name]["error"])
    return {"best": best, "error": tried[best]["error"], "methods": tried}


def compare(picture: np.ndarray, size: int, *, rounds: int, large: bool) -> dict:
    """Measure all ways on one picture and size."""
    reduced, seconds = median_time(rounds, ours, picture, size, N_STARTS)
    own = error(picture, reduced)
    told = {"cohortlab": {"cpu_sec": round(seconds, 4), "error": round(own, 6)}}
    starts = {"one_start": 1} if large else {"one_start": 1, "ten_starts": THEIR_STARTS}
    for name, n_starts in starts.items():
        reduced, theirs = timed(on_all_pixels, picture, size, n_starts)
        mse = error(picture, reduced)
        told[f"all_pixels_{name}"] = {
            "cpu_sec": round(theirs, 3),
            "error": round(mse, 6),
            "times_as_long": round(theirs / seconds, 2),
            "error_ours_over_theirs": round(own / mse, 6),
        }
    refined, rounds = (REFINED[:1], 1) if large else (REFINED, rounds)
    told["pillow"] = by_pillow(picture, size, refined, rounds=rounds)
    told["pillow"]["error_ours_over_theirs"] = round(own / told["pillow"]["error"], 6)
    for theirs in told["pillow"]["methods"].values():
        theirs["times_as_long"] = round(theirs["cpu_sec"] / seconds, 3)
    return told


def aims(pictures: dict) -> dict:
    """Say which aims are reached, for every way of k-means on all pixels and for Pillow."""
    found = {}
    for picture, told in pictures.items():
        for size, ways in told.items():
            for way in ways if size.isdigit() else ():
                if way != "cohortlab":
                    found.setdefault(way, {})[f"{picture} {size}"] = ways[way]
    return {way: _aim(cases, timed=way != "pillow") for way, cases in found.items()}


def _aim(cases: dict[str, dict], *, timed: bool) -> dict:
    """Hold the cases of one way against the aims: the error, and the time where it counts."""
    larger = [name for name, case in cases.items() if case["error_ours_over_theirs"] > 1]
    slower = [name for name, case in cases.items() if timed and case["times_as_long"] < TIMES]
    worst = max(case["error_ours_over_theirs"] for case in cases.values())
    told = {"aim": "error no larger" + f", {TIMES} times as fast" * timed}
    told |= {"reached": not larger and not slower, "cases": list(cases)}
    told |= {"error_larger": larger, "largest_error_ours_over_theirs": worst}
    if timed:
        least = min(case["times_as_long"] for case in cases.values())
        told |= {"too_slow": slower, "least_times_as_long": least}
    return told


def main() -> None:
    """Read the command line, measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    names = ("china", "flower", "large")
    parser.add_argument("--pictures", nargs="+", default=list(names), choices=names)
    parser.add_argument("--sizes", nargs="+", type=int, default=[8, 16, 32, 64])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    packages = ("numpy", "scikit-learn", "pillow")
    told = {"versions": {name: version(name) for name in packages}, "pictures": {}}
    ours(load_sample_image("flower.jpg")[:50], 8, N_STARTS)  # compiles
    with threadpool_limits(1):
        for name in given.pictures:
            picture = make_picture(name)
            told["pictures"][name] = {
                "pixels": picture.shape[0] * picture.shape[1],
                "distinct_colours": len(palette.distinct_colours(picture).colours),
                **{
                    str(size): compare(picture, size, rounds=given.rounds, large=name == "large")
                    for size in given.sizes
                },
            }
    told["aims"] = aims(told["pictures"])
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
