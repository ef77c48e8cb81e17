"""Checks of the exercise on representations of users."""

import math
from collections.abc import Iterator

import numpy as np

from cohortlab.exercises.feedback import question


@question
def weights(counts: np.ndarray, weights: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect a number for every word."""
    found = np.asarray(weights)
    yield found.shape == (counts.shape[1],), "expected a weight for every word"
    yield (
        found[0] == 0,
        ("a word that is in every sequence should weigh nothing: count sequences, not uses"),
    )
    for word in range(1, counts.shape[1]):
        having = sum(row[word] > 0 for row in counts)
        expected = math.log(len(counts)) - math.log(having)
        yield (
            np.isclose(found[word], expected),
            "a weight is not that of the sequences that have it",
        )


@question
def rows(weighted: np.ndarray, rows: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect an array like `weighted`."""
    found = np.asarray(rows)
    yield found.shape == weighted.shape, f"expected the shape {weighted.shape}, got {found.shape}"
    lengths = [math.hypot(*row) for row in found]
    yield np.allclose(lengths, 1), "each row by itself should have length one"
    largest = np.argmax(found, axis=1)
    yield (largest == np.argmax(weighted, axis=1)).all(), "a row has changed its direction"


@question
def similarity(weighted: np.ndarray, similarity: float) -> Iterator[tuple[bool, str]]:
    """Expect a number from 0 to 1."""
    yield np.ndim(similarity) == 0, "expected one number"
    yield 0 <= similarity <= 1 + 1e-12, "for weights that are not negative it lies in 0 to 1"
    one, other = weighted[:2]
    distance = math.hypot(*(one / math.hypot(*one) - other / math.hypot(*other)))
    yield not np.isclose(similarity, distance), "that is a distance: 0 where both are the same"
    yield np.isclose(2 - 2 * similarity, distance**2), "it is not the cosine of the angle"


@question
def null(true: float, null: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect as many numbers as shuffles."""
    found = np.asarray(null)
    yield found.shape == (50,), f"expected the silhouettes of 50 shuffles, got {found.shape}"
    yield np.ptp(found) > 1e-9, "all are the same: every shuffle should be another one"
    yield (
        np.median(found) < true / 2,
        "users made by chance look like true ones: what was shuffled?",
    )
