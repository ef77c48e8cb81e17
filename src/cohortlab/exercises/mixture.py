"""Checks of the exercise on mixtures."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def responsibilities(
    weights: np.ndarray, heights: np.ndarray, responsibilities: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect an array with a row a person and a column a group."""
    found = np.asarray(responsibilities)
    yield found.shape == heights.shape, f"expected the shape {heights.shape}, got {found.shape}"
    yield np.allclose(found.sum(axis=1), 1), "the probabilities of a row sum to one"
    odds = found[:, 0] / found[:, 1]
    yield (
        not np.allclose(odds, heights[:, 0] / heights[:, 1]),
        ("a bell's height says how usual this is in the group; how many are in the group at all?"),
    )
    expected = heights[:, 0] / heights[:, 1] * weights[0] / weights[1]
    yield np.allclose(odds, expected), "the odds are not those of the weighted bells"


@question
def n_parameters(n_parameters: int) -> Iterator[tuple[bool, str]]:
    """Expect a whole number."""
    means, weights = 12, 2
    yield n_parameters > means, "means alone would be more than that"
    covariances = n_parameters - means - weights
    yield covariances < 3 * 16, "are all entries of a symmetric matrix free, or all weights?"
    yield (
        covariances == sum(3 * j for j in range(1, 5)),
        ("count the entries of one covariance matrix on and above its diagonal"),
    )


@question
def bic(loglik: float, n_rows: int, n_parameters: int, bic: float) -> Iterator[tuple[bool, str]]:
    """Expect a number, smaller being better."""
    yield bic > 0, "the sign is that of a BIC of which the largest is best"
    cost = bic + 2 * loglik
    yield cost > 0, "parameters should make it larger, so worse"
    yield not math.isclose(cost, 2 * n_parameters), "that is the AIC: its price knows no rows"
    yield (
        math.isclose(cost / math.log(n_rows), n_parameters),
        ("the price of a parameter should grow with the logarithm of the number of rows"),
    )


@question
def chosen(table: pd.DataFrame, chosen: int) -> Iterator[tuple[bool, str]]:
    """Expect a number of components."""
    yield chosen in set(table["n_components"]), "that number was not tried"
    own = table.set_index("n_components").loc[chosen]
    yield (
        own["bic"] >= own["sound_bic"] - 1e-6,
        ("the best fit of that size is vetoed: see how many rows its smallest component holds"),
    )
    others = table["sound_bic"].dropna()
    yield own["sound_bic"] <= others.min(), "another sound fit has a lower figure"
