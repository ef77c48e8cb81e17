"""
Time to reach an error: palettes by weighted k-means, beside k-means on all pixels and Pillow's.

Each way starts from the picture in memory and ends with a palette and a place in it for every
pixel. Errors are mean squared errors of sRGB after rounding to whole levels. All is held to one
thread; seconds are of processor time.

Both k-means end where their starts lead them, so a single run of each says little. k-means on all
pixels is scikit-learn's, on floats, from one start with many seeds: of one start, error and time
are means over these. Of ten starts the error is the mean over all choices of ten of the runs of the
best of the ten, and the time is that of ten. Ours is run with 1, 2, 4, ... starts, with several
seeds each: `cohortlab` lists mean error and mean time, which is the frontier, and `default` says
which number of starts the product takes. "At equal or lower error" is read so: of our numbers of
starts, the smallest whose mean error is no larger than the mean error of theirs counts
(`reached_by`), and the mean time of theirs over ours there is the figure (`times_as_long`). Where
no number of starts gets there, the one with the lowest error counts, and its ratio is above 1. What
the default gives stands beside it (`at_default`).

Pillow's best is the lowest error of all its methods, each alone and with its own k-means to the
end; it is held against the largest error of any seed of ours at the default. Palettes of Pillow
are put in order as ours are, and their seconds are medians. `others` are what the study compares
besides, one run each and not on the large picture: mini-batch k-means, ours in OKLab, and dithered.

The large picture has 24 megapixels: a photograph made larger, with noise, so that it has millions
of colours. There k-means on all pixels is one run of one start, ours has fewer seeds, and Pillow's
k-means, which would take minutes, is left out. Prints JSON; `aims` says what is reached, and in
which cases it is not. A full run, the large picture alone, and a quick run:

    python bench/palette.py
    python bench/palette.py --pictures large
    python bench/palette.py --pictures flower --sizes 8 --seeds 2 --runs 10
"""

import argparse
import json
import time
from collections.abc import Callable, Collection
from importlib.metadata import version
from math import comb

import numpy as np
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.datasets import load_sample_image
from threadpoolctl import threadpool_limits

from cohortlab import palette
from cohortlab.palette.kmeans import N_STARTS

SEED = 20261130
FRONTIER = 1, 2, 4, 8, 16, 32
THEIR_STARTS = 10
LARGE = 6000, 4000
LARGE_NOISE = 3.0
# Of the large picture: our seeds, and runs of theirs.
LARGE_SEEDS, LARGE_RUNS = 3, 1
# Pillow's `kmeans`: 0 leaves it out, 1 goes on until nothing changes.
REFINED = 0, 1
PILLOW_ROUNDS = 3
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


def ours(picture: np.ndarray, size: int, n_starts: int, seed: int) -> np.ndarray:
    """Reduce a picture by weighted k-means on its distinct colours."""
    rng = np.random.default_rng([SEED, seed])
    return palette.quantise(picture, size, rng=rng, n_starts=n_starts).pixels[..., :3]


def on_all_pixels(picture: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Reduce a picture by one start of scikit-learn's k-means on all of its pixels."""
    pixels = picture.reshape(-1, 3).astype(np.float32)
    model = KMeans(size, n_init=1, random_state=seed).fit(pixels)
    colours = np.rint(model.cluster_centers_).clip(0, 255).astype(np.uint8)
    return colours[model.labels_].reshape(picture.shape)


def error(picture: np.ndarray, reduced: np.ndarray) -> float:
    """Return the mean squared error, a block of lines at a time."""
    parts = np.array_split(np.arange(len(picture)), max(picture.size // 10**7, 1))
    total = sum(((picture[p].astype(float) - reduced[p]) ** 2).sum() for p in parts)
    return float(total / picture.size)


def runs_of(picture: np.ndarray, work: Callable, *arguments, n_seeds: int) -> list[tuple]:
    """Run one way with several seeds: the error and the seconds of each."""
    found = (timed(work, picture, *arguments, seed) for seed in range(n_seeds))
    return [(error(picture, reduced), seconds) for reduced, seconds in found]


def best_of(errors: list[float], n_starts: int) -> float:
    """Return the mean over all choices of so many errors of the lowest of them."""
    choices = comb(len(errors), n_starts)
    above = range(len(errors) - 1, n_starts - 2, -1)
    chances = [comb(n, n_starts - 1) / choices for n in above]
    return float(np.dot(chances, sorted(errors)[: len(chances)]))


def frontier(picture: np.ndarray, size: int, n_seeds: int) -> dict[int, dict]:
    """Measure ours: of each number of starts the mean error and time, and the largest error."""
    found = {}
    for n_starts in FRONTIER:
        errors, seconds = zip(*runs_of(picture, ours, size, n_starts, n_seeds=n_seeds), strict=True)
        found[n_starts] = {
            "cpu_sec": float(np.mean(seconds)),
            "error": float(np.mean(errors)),
            "error_largest": max(errors),
        }
    return found


def held_against(own: dict[int, dict], theirs: float, seconds: float) -> dict:
    """Find the fewest starts of ours that reach an error, and how much longer theirs take."""

    def ratios(n_starts: int) -> dict:
        return {
            "times_as_long": round(seconds / own[n_starts]["cpu_sec"], 2),
            "error_ours_over_theirs": round(own[n_starts]["error"] / theirs, 6),
        }

    reached = [n_starts for n_starts in own if own[n_starts]["error"] <= theirs]
    lowest = min(own, key=lambda n_starts: own[n_starts]["error"])
    return {
        "cpu_sec": round(seconds, 4),
        "error": round(theirs, 6),
        "reached_by": reached[0] if reached else None,
        **ratios(reached[0] if reached else lowest),
        "at_default": ratios(N_STARTS),
    }


def by_pillow(picture: np.ndarray, size: int, refined: tuple[int, ...], *, rounds: int) -> dict:
    """Try all of Pillow's methods: time and error of each, and which has the lowest error."""
    methods = [name for name in palette.available_peers(picture) if name != "minibatch"]
    tried = {}
    for method in methods:
        for refine in refined:
            options = {"method": method, "refine": refine}
            found = [
                timed(palette.quantise_by_peer, picture, size, **options) for _ in range(rounds)
            ]
            mse = error(picture, found[0][0].pixels[..., :3])
            seconds = float(np.median([seconds for _, seconds in found]))
            name = method + " and k-means" * bool(refine)
            tried[name] = {"cpu_sec": round(seconds, 4), "error": round(mse, 6)}
    best = min(tried, key=lambda name: tried[name]["error"])
    return {"best": best, "error": tried[best]["error"], "methods": tried}


def others(picture: np.ndarray, size: int) -> dict[str, dict]:
    """Time what is compared in the study besides: mini-batches, OKLab and dithering."""
    own = {"n_starts": N_STARTS}
    ways = {
        "minibatch": (palette.quantise_by_peer, {"method": "minibatch", "random_state": SEED}),
        "oklab": (palette.quantise, own | {"rng": np.random.default_rng(SEED), "space": "oklab"}),
        "dithered": (palette.quantise, own | {"rng": np.random.default_rng(SEED), "dither": True}),
    }
    told = {}
    for name, (work, options) in ways.items():
        found, seconds = timed(work, picture, size, **options)
        mse = error(picture, found.pixels[..., :3])
        told[name] = {"cpu_sec": round(seconds, 4), "error": round(mse, 6)}
    return told


def compare(picture: np.ndarray, size: int, *, n_seeds: int, n_runs: int, large: bool) -> dict:
    """Measure all ways on one picture and size."""
    own = frontier(picture, size, n_seeds)
    told = {"default": N_STARTS, "seeds": n_seeds, "runs_of_all_pixels": n_runs}
    told["cohortlab"] = {
        str(n_starts): {name: round(value, 6) for name, value in row.items()}
        for n_starts, row in own.items()
    }
    errors, seconds = zip(*runs_of(picture, on_all_pixels, size, n_seeds=n_runs), strict=True)
    for name, starts in {"one_start": 1, "ten_starts": THEIR_STARTS}.items():
        if n_runs >= starts:
            theirs = best_of(errors, starts)
            told[f"all_pixels_{name}"] = held_against(own, theirs, starts * np.mean(seconds))
    refined, rounds = (REFINED[:1], 1) if large else (REFINED, PILLOW_ROUNDS)
    told["pillow"] = by_pillow(picture, size, refined, rounds=rounds)
    worst = own[N_STARTS]["error_largest"] / told["pillow"]["error"]
    told["pillow"]["error_ours_over_theirs"] = round(worst, 6)
    told["others"] = {} if large else others(picture, size)
    for theirs in (*told["pillow"]["methods"].values(), *told["others"].values()):
        theirs["times_as_long"] = round(theirs["cpu_sec"] / own[N_STARTS]["cpu_sec"], 3)
    return told


def aims(pictures: dict) -> dict:
    """Say which aims are reached, for every way of k-means on all pixels and for Pillow."""
    found = {}
    for picture, told in pictures.items():
        for size, ways in told.items():
            for way in ways if size.isdigit() else ():
                if way == "pillow" or way.startswith("all_pixels_"):
                    found.setdefault(way, {})[f"{picture} {size}"] = ways[way]
    return {way: _aim(cases, timed=way != "pillow") for way, cases in found.items()}


def _aim(cases: dict[str, dict], *, timed: bool) -> dict:
    """Hold the cases of one way against the aims: the error, and the time where it counts."""
    larger = [name for name, case in cases.items() if case["error_ours_over_theirs"] > 1]
    slower = [name for name, case in cases.items() if timed and case["times_as_long"] < TIMES]
    told = {"aim": "error no larger" + f", {TIMES} times as fast" * timed}
    told |= {"reached": not larger and not slower, "cases": list(cases)}
    told |= {"error_larger": larger, **_worst(cases.values(), timed=timed)}
    if timed:
        told["too_slow"] = slower
        told["at_default"] = _worst([case["at_default"] for case in cases.values()], timed=True)
    return told


def _worst(cases: Collection[dict], *, timed: bool) -> dict:
    """Return the largest ratio of errors, and the least of times."""
    worst = {"largest_error_ours_over_theirs": max(c["error_ours_over_theirs"] for c in cases)}
    if timed:
        worst["least_times_as_long"] = min(case["times_as_long"] for case in cases)
    return worst


def main() -> None:
    """Read the command line, measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    names = ("china", "flower", "large")
    parser.add_argument("--pictures", nargs="+", default=list(names), choices=names)
    parser.add_argument("--sizes", nargs="+", type=int, default=[8, 16, 32, 64])
    parser.add_argument("--seeds", type=int, default=10, help="of ours")
    parser.add_argument("--runs", type=int, default=30, help="of k-means on all pixels")
    given = parser.parse_args()
    packages = ("numpy", "scikit-learn", "pillow")
    told = {"versions": {name: version(name) for name in packages}, "pictures": {}}
    ours(load_sample_image("flower.jpg"), 8, 1, 0)  # compiles
    with threadpool_limits(1):
        for name in given.pictures:
            picture, large = make_picture(name), name == "large"
            n_seeds = min(given.seeds, LARGE_SEEDS) if large else given.seeds
            n_runs = min(given.runs, LARGE_RUNS) if large else given.runs
            counts = {"n_seeds": n_seeds, "n_runs": n_runs, "large": large}
            told["pictures"][name] = {
                "pixels": picture.shape[0] * picture.shape[1],
                "distinct_colours": len(palette.distinct_colours(picture).colours),
                **{str(size): compare(picture, size, **counts) for size in given.sizes},
            }
    told["aims"] = aims(told["pictures"])
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
