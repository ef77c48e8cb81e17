"""Checks of the exercise on rules."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def n_both(baskets: list[set], n_both: int) -> Iterator[tuple[bool, str]]:
    """Expect a number of baskets."""
    yield n_both <= sum("tea" in b for b in baskets), "that is more than there are with tea"
    without = sum(not b.issuperset(("tea", "milk")) for b in baskets)
    yield n_both + without == len(baskets), "with those that lack one of the two it is not all"


@question
def confidence(n_both: int, n_tea: int, confidence: Fraction) -> Iterator[tuple[bool, str]]:
    """Expect an exact ratio."""
    yield isinstance(confidence, Fraction), "expected an exact ratio, `Fraction(count, count)`"
    yield confidence * n_tea <= n_tea, "a share of the baskets with tea is at most one"
    yield confidence * n_tea == n_both, "of which baskets is it a share? Not of all of them"


@question
def lift(
    n_both: int, n_tea: int, n_milk: int, n_baskets: int, lift: Fraction
) -> Iterator[tuple[bool, str]]:
    """Expect an exact ratio."""
    yield isinstance(lift, Fraction), "expected an exact ratio"
    expected = Fraction(n_tea * n_milk, n_baskets)
    yield (
        (lift > 1) == (n_both > expected),
        (
            "above 1 it means more baskets with both than chance would have: how usual is milk "
            "among all?"
        ),
    )
    yield lift * expected == n_both, "times what chance would have, it is not what was counted"


@question
def reaches(counts: pd.DataFrame, reaches: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a true or false for every rule."""
    yield len(reaches) == len(counts), "expected an answer for every rule"
    exact = [Fraction(int(b), int(a)) for b, a in counts[["both", "antecedent"]].to_numpy()]
    at = np.array([share == Fraction(4, 5) for share in exact])
    above = np.array([share > Fraction(4, 5) for share in exact])
    found = np.asarray(reaches)
    yield found[at].all(), "a rule that is at the threshold exactly has been lost on the way"
    yield (found[~at] == above[~at]).all(), "a rule is on the wrong side of the threshold"


@question
def judging(log: pd.DataFrame, finders: set, judging: pd.DataFrame) -> Iterator[tuple[bool, str]]:
    """Expect rows of the log."""
    yield (
        not judging["person"].isin(finders).any(),
        ("people whose baskets found the rules are to judge them too"),
    )
    n_others = sum(person not in finders for person in log["person"])
    yield len(judging) == n_others, "some baskets of the other people are missing"
