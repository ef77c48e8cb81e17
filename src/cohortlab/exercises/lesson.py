"""Checks of the exercise on scale, overlap and strength."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import norm

from cohortlab.exercises.feedback import question


@question
def share(people: pd.DataFrame, share: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a share for every feature."""
    yield list(share.index) == list(people.columns), "expected a row for every feature"
    yield np.isclose(share.sum(), 1), "shares add up to one"
    differences = people.to_numpy()[:, None] - people.to_numpy()
    squared = (differences**2).sum(axis=(0, 1))
    yield (
        np.allclose(share, squared / squared.sum()),
        ("distances are added up after they are squared: is this a share of squares?"),
    )


@question
def scaled(people: pd.DataFrame, scaled: pd.DataFrame) -> Iterator[tuple[bool, str]]:
    """Expect a table like `people`."""
    yield scaled.shape == people.shape, f"expected the shape {people.shape}, got {scaled.shape}"
    spread = scaled.var()
    yield np.allclose(spread / spread.sum(), 1 / len(spread)), "a feature has more say than others"
    ties = np.abs(np.corrcoef(scaled.T.to_numpy()) - np.corrcoef(people.T.to_numpy())).max()
    yield ties < 1e-9, "the people have changed, not only their scale"


@question
def confused(d: float, confused: float) -> Iterator[tuple[bool, str]]:
    """Expect a share, below one half."""
    yield 0 < confused < 0.5, "a guess is wrong for half of the people"
    yield not np.isclose(confused, norm.sf(d)), "how far is it from a mean to the border?"
    border = norm.isf(confused)
    yield np.isclose(border, d - border), "the border does not lie half way between the means"


@question
def bought(
    popularity: np.ndarray, preferred: np.ndarray, strength: float, bought: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect three shares."""
    found = np.asarray(bought)
    yield found.shape == popularity.shape, "expected a share for each group of items"
    yield np.isclose(found.sum(), 1), "shares add up to one: what is preferred is bought instead"
    on_the_way = (found - popularity) / (preferred - popularity)
    yield np.allclose(on_the_way, on_the_way[0]), "it should lie between the two, on a line"
    yield np.allclose(on_the_way, strength), "it is not as far from popularity as strength says"
