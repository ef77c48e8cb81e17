"""Baskets without associations: items dealt anew between baskets."""

import numpy as np
import pandas as pd

from cohortlab.compiled import compiled
from cohortlab.rules.reading import read_baskets


def shuffle_baskets(
    baskets: pd.DataFrame, *, rng: np.random.Generator, trades_per_basket: float = 5.0
) -> pd.DataFrame:
    """Shuffle items between baskets, keeping every basket's size and every item's frequency.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`; a repeated row counts once. A `person_id` stays with its basket.
    rng : numpy.random.Generator
        Source of the trades.
    trades_per_basket : float
        Trades made, per basket.

    Returns
    -------
    DataFrame
        The same columns, one row per basket and item, baskets in order of appearance.

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
    read = read_baskets(baskets)
    starts = np.concatenate([[0], np.cumsum(np.bincount(read.rows, minlength=read.n_baskets))])
    dealt = read.columns.copy()
    if read.n_baskets > 1:
        first = rng.integers(read.n_baskets, size=int(read.n_baskets * trades_per_basket))
        # An offset of 1 .. n - 1 makes the second basket another one.
        second = (first + rng.integers(1, read.n_baskets, size=len(first))) % read.n_baskets
        seed = rng.integers(2**64, dtype=np.uint64)
        _trade(starts, dealt, first, second, len(read.items), seed)
    order = np.lexsort((dealt, read.rows))
    items = pd.Series(read.items, dtype=baskets["item"].dtype).take(dealt[order])
    table = pd.DataFrame({"basket_id": read.ids[read.rows], "item": items.to_numpy()})
    if "person_id" in baskets.columns:
        owner = baskets.drop_duplicates("basket_id").set_index("basket_id")["person_id"]
        table.insert(1, "person_id", table["basket_id"].map(owner))
    return table


@compiled()
def _next(state):
    # SplitMix64: Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators.
    state = state + np.uint64(0x9E3779B97F4A7C15)
    mixed = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state, mixed ^ (mixed >> np.uint64(31))


@compiled()
def _trade(starts, items, first, second, n_items, seed):
    marks, pool = np.zeros(n_items, np.int8), np.empty(n_items, np.int64)
    state = seed
    for trade in range(len(first)):
        one, other = first[trade], second[trade]
        for i in range(starts[one], starts[one + 1]):
            marks[items[i]] = 1
        # Shared items get the mark 3 and stay; the others of both baskets go into the pool.
        for i in range(starts[other], starts[other + 1]):
            marks[items[i]] += 2
        n_pool = 0
        for row in (one, other):
            for i in range(starts[row], starts[row + 1]):
                if marks[items[i]] < 3:
                    pool[n_pool] = items[i]
                    n_pool += 1
        for i in range(n_pool - 1, 0, -1):
            state, drawn = _next(state)
            j = np.int64(drawn % np.uint64(i + 1))
            pool[i], pool[j] = pool[j], pool[i]
        taken = 0
        for row in (one, other):
            for i in range(starts[row], starts[row + 1]):
                if marks[items[i]] < 3:
                    marks[items[i]] = 0
                    items[i] = -1 - pool[taken]
                    taken += 1
        for row in (one, other):
            for i in range(starts[row], starts[row + 1]):
                if items[i] < 0:
                    items[i] = -1 - items[i]
                marks[items[i]] = 0
