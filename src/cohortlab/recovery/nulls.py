"""What relations and rules are found where there is nothing to find."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.bipartite import relations


def null_relations(
    incidence: sparse.sparray,
    person_labels: np.ndarray,
    item_labels: np.ndarray,
    *,
    n_shuffles: int = 50,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Relations found when labels are shuffled among people: there is nothing to find.

    Parameters
    ----------
    incidence, person_labels, item_labels
        As for `cohortlab.bipartite.relations`.
    n_shuffles : int
        Number of shuffles, each among all people.
    alpha : float
        Level of the tests.
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    dict
        `n_shuffles`, `n_tested` (cells over all shuffles), `share_below_alpha` (of uncorrected p;
        about alpha where the test is right), `share_with_any_significant` (of shuffles with a
        corrected cell at alpha; about alpha or less). None where no cell was tested.
    """
    labels = np.unique(np.asarray(person_labels), return_inverse=True)[1]
    n_tested = n_below = n_any = 0
    for _ in range(n_shuffles):
        table = relations(incidence, rng.permutation(labels), item_labels)
        n_tested += int(table["p"].notna().sum())
        n_below += int((table["p"] < alpha).sum())
        n_any += bool((table["q"] <= alpha).any())
    return {
        "n_shuffles": n_shuffles,
        "n_tested": n_tested,
        "share_below_alpha": n_below / n_tested if n_tested else None,
        "share_with_any_significant": n_any / n_shuffles if n_tested else None,
    }


def null_rules(
    baskets: pd.DataFrame,
    mine: Callable[[pd.DataFrame], pd.DataFrame],
    *,
    n_shuffles: int = 5,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Rules found in baskets without associations, beside those found in the baskets themselves.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`.
    mine : callable
        From baskets to rules, with the same thresholds as in use.
    n_shuffles : int
        Number of shuffled copies.
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    dict
        `n_rules` in the data, `n_rules_null` (one number a shuffle), `n_rules_null_mean`.
    """
    counts = [len(mine(shuffle_baskets(baskets, rng=rng))) for _ in range(n_shuffles)]
    mean = float(np.mean(counts)) if counts else None
    return {"n_rules": len(mine(baskets)), "n_rules_null": counts, "n_rules_null_mean": mean}


def shuffle_baskets(
    baskets: pd.DataFrame, *, rng: np.random.Generator, trades_per_basket: float = 5.0
) -> pd.DataFrame:
    """Shuffle items between baskets, keeping every basket's size and every item's frequency.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`; a repeated row counts once.
    rng : numpy.random.Generator
        Source of the trades.
    trades_per_basket : float
        Trades made, per basket.

    Returns
    -------
    DataFrame
        Columns `basket_id, item`, one row per basket and item, baskets in order of appearance.

    Notes
    -----
    A trade takes two baskets and deals the items that only one of them has anew, each basket
    keeping its size. Such trades reach all tables with the same margins and none more often than
    another.

    References
    ----------
    Strona et al. (2014), A fast and unbiased procedure to randomize ecological binary matrices
    with fixed row and column totals. Gionis et al. (2007), Assessing data mining results via
    swap randomization.
    """
    pairs = baskets[["basket_id", "item"]].drop_duplicates()
    rows, basket_ids = pd.factorize(pairs["basket_id"])
    columns, items = pd.factorize(pairs["item"], sort=True)
    order = np.argsort(rows, kind="stable")
    ends = np.cumsum(np.bincount(rows))[:-1] if len(rows) else []
    held = [set(part.tolist()) for part in np.split(columns[order], ends)]
    for first, second in _partners(len(basket_ids), trades_per_basket, rng):
        _trade(held, first, second, rng)
    sizes = [len(part) for part in held] if len(basket_ids) else []
    dealt = np.array([code for part in held for code in sorted(part)], dtype=int)
    return pd.DataFrame({"basket_id": np.repeat(basket_ids, sizes), "item": items[dealt]})


def _partners(n_baskets: int, trades: float, rng: np.random.Generator) -> list[list[int]]:
    if n_baskets < 2:
        return []
    first = rng.integers(n_baskets, size=int(n_baskets * trades))
    # An offset of 1 .. n_baskets - 1 makes the second basket another one.
    second = (first + rng.integers(1, n_baskets, size=len(first))) % n_baskets
    return np.column_stack([first, second]).tolist()


def _trade(held: list[set[int]], first: int, second: int, rng: np.random.Generator) -> None:
    only_first, only_second = held[first] - held[second], held[second] - held[first]
    if not only_first or not only_second:
        return
    shared = held[first] & held[second]
    pool = rng.permutation(sorted(only_first | only_second)).tolist()
    held[first] = shared | set(pool[: len(only_first)])
    held[second] = shared | set(pool[len(only_first) :])
