"""Checks of the exercise on groups of people and groups of items."""

from collections.abc import Iterator

import numpy as np

from cohortlab.exercises.feedback import question


@question
def observed(
    incidence: np.ndarray, person_group: np.ndarray, item_group: np.ndarray, observed: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect a 2 by 2 array of counts: groups of people down, groups of items across."""
    found = np.asarray(observed)
    yield found.shape == (2, 2), f"expected a 2 by 2 array, got the shape {found.shape}"
    yield (
        found.sum() == incidence.sum(),
        ("uses are lost, or counted twice: who used an item three times, counts three times"),
    )
    first = incidence[person_group == 0][:, item_group == 1].sum()
    yield found[0, 1] == first, "people should go down, and items across"
    yield found[0, 0] == incidence[person_group == 0][:, item_group == 0].sum(), "a cell is wrong"


@question
def expected(observed: np.ndarray, expected: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect a 2 by 2 array."""
    found = np.asarray(expected)
    yield found.shape == (2, 2), f"expected a 2 by 2 array, got the shape {found.shape}"
    rows = np.allclose(found.sum(axis=1), observed.sum(axis=1))
    columns = np.allclose(found.sum(axis=0), observed.sum(axis=0))
    yield rows and columns, "each row and each column should add up to what was observed there"
    yield np.isclose(np.linalg.det(found), 0), "both groups of people should spread alike"


@question
def lift(
    observed: np.ndarray, expected: np.ndarray, lift: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect a 2 by 2 array of ratios."""
    found = np.asarray(lift)
    yield (found > 0).all(), "it should say how many times as many, not how many more"
    yield np.allclose(found * expected, observed), "times what is expected, it is not the count"


@question
def p(shuffled: np.ndarray, observed: np.ndarray, p: float) -> Iterator[tuple[bool, str]]:
    """Expect a number in (0, 1]."""
    yield 0 < p <= 1, "a p-value lies above 0 and up to 1"
    n_larger = sum(value > observed[0, 0] for value in shuffled)
    n_equal = sum(value == observed[0, 0] for value in shuffled)
    n = len(shuffled)
    yield (
        not np.isclose(p, (n_larger + n_equal) / n),
        ("with luck this would be zero: what was observed is one of the possible shuffles"),
    )
    yield not np.isclose(p, (1 + n_larger) / (1 + n)), "a shuffle that does as well counts too"
    yield np.isclose(p * (1 + n), 1 + n_larger + n_equal), "count those that do at least as well"
