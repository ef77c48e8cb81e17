"""Checks of the exercise on clusters in words."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def ratio(
    uses: pd.DataFrame, n_sequences: pd.Series, ratio: pd.DataFrame
) -> Iterator[tuple[bool, str]]:
    """Expect a number for every cluster and word."""
    yield ratio.shape == uses.shape, f"expected the shape {uses.shape}, got {ratio.shape}"
    yield (ratio.to_numpy() >= 0).all(), "asked is how many times as large, not how much larger"
    usual = uses.to_numpy() / ratio.to_numpy() / n_sequences.to_numpy()[:, None]
    yield np.allclose(usual, usual[0]), "what it is compared with should not hang on the cluster"
    everybody = uses.to_numpy().sum(axis=0) / n_sequences.sum()
    yield np.allclose(usual[0], everybody), "all clusters together are what to compare with"


@question
def word(uses: pd.DataFrame, word: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a word for each cluster."""
    yield list(word.index) == list(uses.index), "expected a word for each cluster"
    yield word.isin(uses.columns).all(), "that is none of the words"
    yield len(set(word)) > 1, "one word for all clusters tells nobody who they are"
    for name in uses.index:
        others = uses.drop(index=name).sum()
        odds = uses.loc[name] / others
        yield word[name] == odds.idxmax(), f"another word sets cluster {name} apart more"


@question
def held_out(sequences: pd.DataFrame, held_out: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a true or false for every sequence."""
    yield len(held_out) == len(sequences), "expected an answer for every sequence"
    sides = pd.Series(np.asarray(held_out)).groupby(sequences["user"]).nunique()
    yield (sides == 1).all(), "a user stands on both sides, and would recognise themselves"
    n_users = sequences["user"][np.asarray(held_out)].nunique()
    yield n_users == 2, f"two users should be held out, and it is {n_users}"


@question
def by_order(
    cluster: np.ndarray, assigned: np.ndarray, orders: Sequence[tuple], by_order: np.ndarray
) -> Iterator[tuple[bool, str]]:
    """Expect as many shares as orders."""
    found = np.asarray(by_order)
    yield found.shape == (len(orders),), f"expected {len(orders)} shares, got {found.shape}"
    yield ((found >= 0) & (found <= 1)).all(), "a share lies between 0 and 1"
    yield (
        np.isclose(found[0], np.mean(assigned == cluster)),
        ("the first order leaves everything as it is"),
    )
    yield len(np.unique(found)) > 1, "the order makes no difference: is it used?"
    # Every pair of an assigned and a true number is right under two of the six orders.
    yield np.isclose(found.mean(), 1 / 3), "over all orders, a third should be right by chance"
    counts = np.array(
        [[np.sum((assigned == a) & (cluster == c)) for c in range(3)] for a in range(3)]
    )
    for share, order in zip(found, orders, strict=True):
        right = sum(counts[a, order[a]] for a in range(3))
        yield np.isclose(share * len(cluster), right), "a share is not that of its order"
