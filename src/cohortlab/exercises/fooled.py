"""Checks of the exercise on mistakes that no command complains of."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question
from cohortlab.recovery import label_recovery


@question
def chosen(fits: pd.DataFrame, min_size: int, chosen: int) -> Iterator[tuple[bool, str]]:
    """Expect a number of components."""
    yield chosen in fits.index, "expected one of the numbers of components in the table"
    n_people = fits.loc[chosen, "smallest"]
    yield n_people >= min_size, f"one of its components rests on {n_people} people"
    better = fits[fits["bic"] < fits.loc[chosen, "bic"]]
    yield (better["smallest"] < min_size).all(), "a lower BIC is there that rests on people enough"


@question
def joined(
    baskets: pd.DataFrame, clusters: pd.DataFrame, joined: pd.DataFrame
) -> Iterator[tuple[bool, str]]:
    """Expect the baskets with a column `cluster`."""
    yield "cluster" in joined, "a column `cluster` is missing"
    yield (
        len(joined) == len(baskets),
        (f"there are {len(baskets)} baskets, and after the join {len(joined)}"),
    )
    cluster_of = dict(clusters[["person_id", "cluster"]].to_numpy().tolist())
    pairs = joined[["person_id", "cluster"]].to_numpy().tolist()
    yield (
        all(cluster_of[person] == cluster for person, cluster in pairs),
        ("some baskets have the cluster of somebody else than who bought them"),
    )


@question
def scaled(
    month: pd.DataFrame, stored: pd.DataFrame, scaled: pd.DataFrame
) -> Iterator[tuple[bool, str]]:
    """Expect a table like `month`."""
    yield scaled.shape == month.shape, f"expected the shape {month.shape}, got {scaled.shape}"
    yield (
        not np.allclose(scaled.mean(), 0),
        ("their mean is zero: whoever they are, they would look like everybody"),
    )
    back = scaled * stored.loc["std"] + stored.loc["mean"]
    yield np.allclose(back, month), "turned back with what is stored, they are other people"


@question
def same(monday: np.ndarray, tuesday: np.ndarray, same: float) -> Iterator[tuple[bool, str]]:
    """Expect a share."""
    yield 0 <= same <= 1, "expected a share"
    yield (
        not np.isclose(same, np.mean(monday == tuesday)),
        ("ids are compared, which mean nothing: the same people may have another number"),
    )
    most = label_recovery(monday, tuesday)["accuracy"]
    yield same < most + 0.5 / len(monday), "two clusters were given the same name"
    yield np.isclose(same, most), "another naming of Tuesday's clusters agrees better"


@question
def unknown(
    asked: Mapping[str, Any], declared: Iterable[str], unknown: set
) -> Iterator[tuple[bool, str]]:
    """Expect a set of names."""
    yield isinstance(unknown, set), "expected a set"
    yield unknown <= asked.keys(), "a name among these was not asked for"
    yield not unknown & set(declared), "a name among these is a parameter of the notebook"
    read = asked.keys() & set(declared)
    yield unknown | read == asked.keys(), "a name was asked for that no cell reads, and passes"


@question
def p(own: float, null: np.ndarray, p: float) -> Iterator[tuple[bool, str]]:
    """Expect a probability."""
    yield 0 <= p <= 1, "expected a probability"
    yield p > 0, "so few shuffles cannot show a probability of zero: is the table itself counted?"
    beaten = sum(value < own for value in null.tolist())
    yield (
        np.isclose(p * (len(null) + 1) + beaten, len(null) + 1),
        ("it is not the share of all tables that reach as much as this one"),
    )
