"""Checks of the exercise on anomalies."""

from collections.abc import Iterator

import numpy as np

from cohortlab.exercises.feedback import question


@question
def share(quiet: np.ndarray, new: np.ndarray, share: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect a share for each new flow."""
    found = np.asarray(share)
    yield found.shape == new.shape, "expected a share for each new flow"
    yield (np.diff(found) <= 0).all(), "the stranger a flow, the fewer are at least as strange"
    for value, own in zip(new, found, strict=True):
        stranger = len([score for score in quiet.tolist() if score >= value])
        yield np.isclose(own * len(quiet), stranger), "it is not a share of the quiet day's flows"


@question
def threshold(quiet: np.ndarray, threshold: float) -> Iterator[tuple[bool, str]]:
    """Expect a score."""
    yield np.ndim(threshold) == 0, "expected one score"
    above = int((quiet > threshold).sum())
    allowed = len(quiet) // 100
    yield above <= allowed, "more flows than one in a hundred lie above it"
    yield (
        above == allowed,
        ("fewer flows than one in a hundred lie above it: the largest score is one flow"),
    )


@question
def precision(
    is_attack: np.ndarray, flagged: np.ndarray, precision: float
) -> Iterator[tuple[bool, str]]:
    """Expect a share of the flagged flows."""
    yield 0 <= precision <= 1, "a share lies between 0 and 1"
    n_right = sum(a and f for a, f in zip(is_attack, flagged, strict=True))
    silent = 1 - is_attack.mean()
    yield (
        abs(precision - silent) > 0.02,
        ("to flag nothing would be as good by that figure: are usual flows counted as successes?"),
    )
    yield np.isclose(precision * flagged.sum(), n_right), "it is a share of other flows than these"


@question
def recall(is_attack: np.ndarray, flagged: np.ndarray, recall: float) -> Iterator[tuple[bool, str]]:
    """Expect a share of the attacks."""
    yield 0 <= recall <= 1, "a share lies between 0 and 1"
    n_missed = sum(a and not f for a, f in zip(is_attack, flagged, strict=True))
    yield (
        np.isclose((1 - recall) * is_attack.sum(), n_missed),
        ("the rest should be the attacks that were missed"),
    )


@question
def is_core(
    places: np.ndarray, weights: np.ndarray, is_core: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect a true or false for every place."""
    found = np.asarray(is_core)
    yield found.dtype == bool, "expected true or false"
    yield found.shape == places.shape, "expected an answer for every place"
    flows = np.repeat(places, weights)
    for place, own in zip(places, found, strict=True):
        n_near = len([flow for flow in flows if abs(flow - place) <= 1])
        yield (
            own or n_near < 4,
            "places are counted, and at a place may be several flows",
        )
        yield not own or n_near >= 4, "a place is called a core, and has too few flows around it"
