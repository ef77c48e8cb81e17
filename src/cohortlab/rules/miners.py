"""Algorithms that find frequent itemsets."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from mlxtend.frequent_patterns import fpgrowth


def mine_eclat(
    rows: np.ndarray, columns: np.ndarray, n_baskets: int, min_count: int, max_len: int
) -> Iterable[tuple[tuple[int, ...], int]]:
    """Yield frequent itemsets, depth first, by intersecting sets of baskets kept as bits.

    Parameters
    ----------
    rows, columns : ndarray of int, shape (n_entries,)
        Basket and item code of each entry; no entry twice.
    n_baskets : int
        Number of baskets.
    min_count : int
        Smallest number of baskets of an itemset.
    max_len : int
        Largest number of items.

    Yields
    ------
    tuple
        Ascending item codes, and the number of baskets that hold them all.
    """
    degree = np.bincount(columns)
    frequent = [int(c) for c in np.argsort(degree, kind="stable") if degree[c] >= min_count]
    order = np.argsort(columns, kind="stable")
    starts = np.concatenate([[0], np.cumsum(degree)])
    singles = []
    for column in frequent:
        flags = np.zeros(n_baskets, dtype=bool)
        flags[rows[order[starts[column] : starts[column + 1]]]] = True
        packed = np.packbits(flags, bitorder="little").tobytes()
        singles.append((column, int.from_bytes(packed, "little")))
    yield from _extensions((), singles, min_count, max_len)


def _extensions(
    prefix: tuple[int, ...], candidates: list[tuple[int, int]], min_count: int, max_len: int
) -> Iterable[tuple[tuple[int, ...], int]]:
    for place, (item, baskets) in enumerate(candidates):
        itemset = (*prefix, item)
        yield tuple(sorted(itemset)), baskets.bit_count()
        if len(itemset) == max_len:
            continue
        narrowed = ((other, baskets & bits) for other, bits in candidates[place + 1 :])
        deeper = [pair for pair in narrowed if pair[1].bit_count() >= min_count]
        if deeper:
            yield from _extensions(itemset, deeper, min_count, max_len)


def mine_fpgrowth(
    rows: np.ndarray, columns: np.ndarray, n_baskets: int, min_count: int, max_len: int
) -> Iterable[tuple[tuple[int, ...], int]]:
    """Yield frequent itemsets by mlxtend's FP-growth; arguments and results as `mine_eclat`."""
    onehot = np.zeros((n_baskets, int(columns.max()) + 1), dtype=bool)
    onehot[rows, columns] = True
    # Half a basket below the threshold: no float can then fall on its wrong side.
    support = (min_count - 0.5) / n_baskets
    frame = fpgrowth(pd.DataFrame(onehot), min_support=support, max_len=max_len)
    for share, itemset in zip(frame["support"], frame["itemsets"], strict=True):
        yield tuple(sorted(int(i) for i in itemset)), round(share * n_baskets)


#: Algorithm name -> miner.
MINERS = {"eclat": mine_eclat, "fpgrowth": mine_fpgrowth}
