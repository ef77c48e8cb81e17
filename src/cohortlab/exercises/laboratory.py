"""Checks of the exercise on comparing algorithms."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from cohortlab.exercises.feedback import question


@question
def differences(trials: pd.DataFrame, differences: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect an array of numbers."""
    found = np.asarray(differences)
    yield len(found) == len(trials), "expected one difference a seed: who saw the same people?"
    mean = trials["kmeans"].mean() - trials["ward"].mean()
    yield not np.isclose(found.mean(), -mean), "the difference is the other way round"
    yield np.isclose(found.mean(), mean), "their mean is not the difference of the means"
    yield (
        found.std() < trials["kmeans"].std() / 2,
        ("they spread as widely as the seeds: scores of different seeds are compared"),
    )


@question
def half_width(differences: np.ndarray, half_width: float) -> Iterator[tuple[bool, str]]:
    """Expect a positive number."""
    yield half_width > 0, "a width is positive"
    interval = ttest_1samp(differences, 0).confidence_interval(0.95)
    ratio = half_width / ((interval.high - interval.low) / 2)
    n = len(differences)
    yield (
        not np.isclose(ratio, np.sqrt((n - 1) / n)),
        ("nearly: the deviation of a sample divides by one less than its size"),
    )
    yield ratio > 0.5, "too narrow: a standard error falls with the root of the number of seeds"
    yield np.isclose(ratio, 1), "too wide: that is the spread of the differences, not of their mean"


@question
def wins(scores: pd.DataFrame, wins: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a share for each algorithm."""
    yield set(wins.index) == set(scores.columns), "expected a row for each algorithm"
    yield np.isclose(wins.sum(), 1), "more was won than there is: how many share a win?"
    own = [row.count(max(row)) for row in scores.to_numpy().tolist()]
    ward = np.mean(
        [
            1 / k if row[1] == max(row) else 0
            for k, row in zip(own, scores.to_numpy().tolist(), strict=True)
        ]
    )
    yield np.isclose(wins["ward"], ward), "a tie is not shared evenly"


@question
def best(cases: pd.DataFrame, best: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a name for each overlap."""
    yield set(best.index) == set(cases["overlap"]), "expected a row for each overlap"
    for case, rows in cases.groupby("overlap"):
        own = rows.loc[rows["algorithm"] == best[case], "score"]
        yield len(own) == 1, f"no such algorithm was tried at {case} overlap"
        yield (
            own.item() == rows["score"].max(),
            (f"at {case} overlap another one is better: was a mean taken over both cases?"),
        )
