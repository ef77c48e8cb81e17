"""Checks of the exercise on types that are found and lost."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def together(table: pd.DataFrame, together: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a share for each type."""
    yield list(together.index) == list(table.index), "expected a share for each type"
    yield together.between(0, 1).all(), "a share lies between 0 and 1"
    for name, row in zip(table.index, table.to_numpy().tolist(), strict=True):
        yield (
            np.isclose(together[name] * sum(row), max(row)),
            (f"of all {name}, how many are in one cluster? The share is one of the type's users"),
        )


@question
def found(table: pd.DataFrame, found: list) -> Iterator[tuple[bool, str]]:
    """Expect a list of names of types."""
    yield set(found) <= set(table.index), "there is no such type"
    rows, sizes = table.to_numpy(), table.to_numpy().sum(axis=0)
    for name, row in zip(table.index, rows, strict=True):
        own, most = row.max(), int(row.argmax())
        if name in found:
            yield 2 * own > row.sum(), f"{name} are scattered"
            yield 2 * own > sizes[most], f"{name} share their cluster with too many others"
        else:
            lost = 2 * own <= row.sum() or 2 * own <= sizes[most]
            yield lost, f"{name} are together, and among themselves"


@question
def curve(trials: pd.DataFrame, curve: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a number for each share."""
    yield list(curve.index) == sorted(set(trials["exchanged"])), "expected a number for each share"
    for share, value in curve.items():
        own = trials.loc[trials["exchanged"] == share, "ari"]
        yield (own <= value).sum() >= 2, "a number lies below the middle of its three trials"
        yield (own >= value).sum() >= 2, "a number lies above the middle of its three trials"


@question
def holds(trials: pd.DataFrame, holds: float) -> Iterator[tuple[bool, str]]:
    """Expect one of the shares."""
    yield holds in set(trials["exchanged"]), "that share was not tried"
    good = trials.assign(good=trials["ari"] >= 0.5).groupby("exchanged")["good"].sum() >= 2
    yield good[good.index <= holds].all(), "at that share, or before it, the types are lost"
    beyond = good[good.index > holds]
    yield not beyond.any(), "beyond that share the types are still found"
