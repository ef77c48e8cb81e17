"""Checks of the exercise on colours."""

import math
from collections import Counter
from collections.abc import Iterator

import numpy as np

from cohortlab.exercises.feedback import question


@question
def counts(
    pixels: np.ndarray, colours: np.ndarray, counts: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect a number of pixels for each colour."""
    found = np.asarray(counts)
    yield found.shape == (len(colours),), "expected a number for each colour"
    yield found.sum() == len(pixels), "the numbers do not add up to all pixels"
    of = Counter(map(tuple, pixels.tolist()))
    own = [of[tuple(colour)] for colour in colours.tolist()]
    yield found.tolist() == own, "a colour has another one's pixels"


@question
def centre(
    colours: np.ndarray, weights: np.ndarray, centre: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect three channels."""
    found = np.asarray(centre, dtype=float)
    yield found.shape == (3,), f"expected three channels, got the shape {found.shape}"
    pull = sum(w * (c - found) for w, c in zip(weights, colours, strict=True))
    yield (
        not np.allclose(found, colours.mean(axis=0)),
        ("that is best for three pixels; how many are there of each?"),
    )
    yield np.allclose(pull, 0), "the pixels still pull it to a side: it is not in their balance"


@question
def rounded(exact: np.ndarray, rounded: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect three whole numbers."""
    found = np.asarray(rounded)
    yield np.issubdtype(found.dtype, np.integer), "a file holds whole numbers"
    off = np.abs(found.astype(float) - exact)
    yield off.max() < 1, "a channel is far off"
    yield off.max() <= 0.5, "another whole number is nearer: cutting off is not rounding"


@question
def nearest(
    pixels: np.ndarray, palette: np.ndarray, nearest: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect a number of a palette colour for every pixel."""
    found = np.asarray(nearest)
    yield found.shape == (len(pixels),), "expected a number for every pixel"
    yield set(found.tolist()) <= {0, 1}, "there are two colours, 0 and 1"
    for pixel, own in zip(pixels.tolist(), found.tolist(), strict=True):
        away = [math.dist(pixel, colour) for colour in palette.tolist()]
        yield (
            away[own] == min(away),
            ("a pixel has not its nearest colour: what is 20 less 25 in bytes?"),
        )


@question
def psnr(error: np.ndarray, psnr: float) -> Iterator[tuple[bool, str]]:
    """Expect a number of decibels."""
    yield np.ndim(psnr) == 0, "expected one number for all channels together"
    mean = 255**2 / 10 ** (psnr / 10)
    yield not np.isclose(mean, 255 * error.mean()), "squared errors stand beside what is squared"
    yield (
        np.isclose(mean, error.mean()),
        "turned back into an error, it is not the mean of the three",
    )
