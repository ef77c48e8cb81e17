"""Checks of the exercise on planted and found."""

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np

from cohortlab.exercises.feedback import question


def _agreeing(planted: np.ndarray, found: np.ndarray, matching: Mapping) -> int:
    return sum(matching[f] == p for p, f in zip(planted, found.tolist(), strict=True))


def _most_agreeing(planted: np.ndarray, found: np.ndarray) -> int:
    """Try all matchings."""
    clusters, types = sorted(set(found.tolist())), sorted(set(planted))
    return max(
        _agreeing(planted, found, dict(zip(clusters, order, strict=True)))
        for order in permutations(types)
    )


@question
def matching(
    planted: np.ndarray, found: np.ndarray, matching: Mapping
) -> Iterator[tuple[bool, str]]:
    """Expect a dictionary from every cluster to a type."""
    yield set(matching) == set(found.tolist()), "expected every cluster as a key"
    yield sorted(matching.values()) == sorted(set(planted)), "every type should stand there once"
    best = _most_agreeing(planted, found)
    yield (
        _agreeing(planted, found, matching) == best,
        ("another matching lets more people agree: the order of names and numbers means nothing"),
    )


@question
def agreement(
    planted: np.ndarray, found: np.ndarray, agreement: float
) -> Iterator[tuple[bool, str]]:
    """Expect a share."""
    yield 0 <= agreement <= 1, "a share lies between 0 and 1"
    best = _most_agreeing(planted, found) / len(planted)
    yield agreement >= best, "too low: are types compared with types, under the matching?"
    yield np.isclose(agreement, best), "more than any matching allows"


@question
def by_chance(by_chance: float) -> Iterator[tuple[bool, str]]:
    """Expect a mean of as many numbers as there are guesses."""
    yield np.ndim(by_chance) == 0, "expected one number, their mean"
    yield abs(by_chance) < 0.1, "a guess should come out near zero: is this the adjusted index?"
    yield by_chance != 0, "near zero, but not zero itself: was it computed from the guesses?"


@question
def recall(true_pairs: set, found_pairs: set, recall: float) -> Iterator[tuple[bool, str]]:
    """Expect a share of the planted pairs."""
    n_missed = sum(pair not in found_pairs for pair in true_pairs)
    yield 0 <= recall <= 1, "a share lies between 0 and 1"
    yield (
        np.isclose((1 - recall) * len(true_pairs), n_missed),
        ("the rest should be the planted pairs that were missed: a share of which pairs is it?"),
    )


@question
def false_share(
    true_pairs: set, found_pairs: set, false_share: float
) -> Iterator[tuple[bool, str]]:
    """Expect a share of the found pairs."""
    n_right = sum(pair in true_pairs for pair in found_pairs)
    yield 0 <= false_share <= 1, "a share lies between 0 and 1"
    yield (
        np.isclose((1 - false_share) * len(found_pairs), n_right),
        ("the rest should be the found pairs that are planted: a share of which pairs is it?"),
    )
