"""Checks of the exercise on sequences of visits."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def begins(visits: pd.DataFrame, begins: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a true or false for every visit."""
    yield len(begins) == len(visits), "expected an answer for every visit"
    first = ~visits["user"].duplicated()
    yield begins[first].all(), "the first visit of a user has no pause before it, and begins too"
    pauses = visits["minute"] - visits["minute"].shift()
    long = ~first & (pauses > 30)
    yield begins[long].all(), "a visit after a long pause does not begin"
    yield not begins[~first & ~long].any(), "a visit soon after another one begins"


@question
def piece(sitting: pd.Series, piece: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a whole number from 0 for every visit."""
    sizes = piece.groupby([sitting, piece]).size()
    yield sizes.max() <= 3, "a sequence has more than three visits"
    yield (
        piece.groupby(sitting).is_monotonic_increasing.all(),
        ("in a sitting the numbers should only rise: they say which piece, not which place"),
    )
    n_visits = sitting.map(sitting.value_counts())
    n_pieces = piece.groupby(sitting).transform("nunique")
    yield (n_pieces == -(-n_visits // 3)).all(), "there are more pieces than needed"
    yield piece.groupby(sitting).min().eq(0).all(), "the first piece of a sitting is number 0"


@question
def sentence(domains: list[str], sentence: str) -> Iterator[tuple[bool, str]]:
    """Expect words with blanks between."""
    words = sentence.split()
    yield set(words) == set(domains), "a domain is missing, or was never visited"
    doubled = any(a == b for a, b in pairwise(words))
    yield not doubled, "a word stands twice in a row"
    changes = sum(a != b for a, b in pairwise(domains))
    yield len(words) == changes + 1, "the user came back to a domain, and the sentence does not"
    yield words[-1] == domains[-1], "the words are not in the order of the visits"


@question
def mean_hour(hours: np.ndarray, mean_hour: float) -> Iterator[tuple[bool, str]]:
    """Expect an hour from 0 to 24."""
    yield 0 <= mean_hour <= 24, "an hour lies between 0 and 24"
    away = np.abs((hours - mean_hour + 12) % 24 - 12)
    yield away.max() < 6, "nobody was there at that hour: on a circle, 23 and 1 are neighbours"
    turned = np.exp(2j * np.pi * (hours - mean_hour) / 24).mean()
    yield np.isclose(turned.imag, 0), "near, but the directions do not balance there"


@question
def attention(visits: pd.DataFrame, attention: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a share for each domain of user a."""
    own = visits[visits["user"] == "a"]
    yield set(attention.index) == set(own["domain"]), "expected the domains of user a alone"
    yield np.isclose(attention.sum(), 1), "shares add up to one: divide by all seconds of user a"
    seconds = sum(own["active_seconds"][own["domain"] == "news"])
    yield (
        np.isclose(attention["news"] * own["active_seconds"].sum(), seconds),
        ("these are shares of something else than time"),
    )
