"""Checks of the exercise on clusters."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def scaled(old: pd.DataFrame, new: pd.DataFrame, scaled: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect a row for each new customer, a column for each feature."""
    found = np.asarray(scaled)
    yield found.shape == new.shape, f"expected the shape {new.shape}, got {found.shape}"
    yield (
        not np.allclose(found.mean(axis=0), 0),
        ("the mean is zero: somebody has looked at the new customers to find their scale"),
    )
    back = found * old.std(ddof=0).to_numpy() + old.mean().to_numpy()
    yield np.allclose(back, new), "that is not the scale that was stored"


@question
def ordered(
    old: pd.DataFrame, labels: np.ndarray, ordered: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect a 0 or 1 for every old customer."""
    yield len(ordered) == len(labels), "expected a label for every old customer"
    yield set(np.unique(ordered)) == {0, 1}, "the numbers should be 0 and 1"
    yield len(set(zip(labels, ordered, strict=True))) == 2, "somebody has changed the cluster"
    spending = old["spending"].groupby(np.asarray(ordered)).mean()
    yield spending[0] < spending[1], "cluster 0 is not the one that spends least"


@question
def profile(
    old: pd.DataFrame, ordered: np.ndarray, profile: pd.DataFrame
) -> Iterator[tuple[bool, str]]:
    """Expect a row a cluster, a column a feature."""
    yield profile.shape == (2, old.shape[1]), "expected a row a cluster and a column a feature"
    weighted = np.bincount(ordered) @ profile.to_numpy()
    yield np.allclose(weighted, 0), "weighted by their sizes, the rows should cancel out"
    yield np.abs(profile.to_numpy()).max() < 3, "that is still in units of money: divide by what?"
    gap = profile.iloc[1] - profile.iloc[0]
    means = old.groupby(np.asarray(ordered)).mean()
    deviation = (means.iloc[1] - means.iloc[0]) / gap
    yield (
        np.allclose(deviation, old.to_numpy().std(axis=0)),
        ("the deviation should be that of all customers together"),
    )


@question
def silhouette(own: float, other: float, silhouette: float) -> Iterator[tuple[bool, str]]:
    """Expect a number from -1 to 1."""
    yield -1 <= silhouette <= 1, "a silhouette lies between -1 and 1: divide by the larger distance"
    yield silhouette > 0, "this person is well placed, so the sign should be positive"
    yield np.isclose(1 - silhouette, own / other), "it should be 1 where `own` is zero"
