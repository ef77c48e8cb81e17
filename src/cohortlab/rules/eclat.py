"""Frequent itemsets by intersecting sets of baskets: our own miner."""

import numpy as np

from cohortlab.rules.found import Found, from_stream
from cohortlab.rules.kernels import first_of_equals, mine_all, starts_of, views
from cohortlab.rules.reading import Baskets


def mine_eclat(
    baskets: Baskets,
    min_count: int,
    *,
    max_len: int,
    cap: int,
    apart: np.ndarray | None = None,
) -> Found:
    """Find frequent itemsets, depth first, by intersecting sets of baskets kept as bits.

    Parameters
    ----------
    baskets : Baskets
        From `read_baskets`.
    min_count : int
        Smallest number of baskets of an itemset, at least 1.
    max_len : int
        Largest number of items.
    cap : int
        Mining stops soon after more itemsets than this are found.
    apart : ndarray of int, shape (n_pairs, 2), optional
        Pairs of item codes that no itemset may hold together.

    Returns
    -------
    Found
        The itemsets.

    Notes
    -----
    Items are taken from the rarest on. The baskets with an item, and only those, become bits: one
    row for each more frequent item, intersected depth first. Pairs are counted on the entries
    themselves, as tid-lists, so bits are made only where there are two or more frequent partners.
    The rows of one item have together no more bits than the baskets have entries, because none of
    their items is rarer than it; so memory is bounded by the entries and the longest basket.
    Baskets with the same frequent items are one basket with a weight, whose binary digits tell in
    which words it has a bit: bits of the words of weight 8 count eight times.

    References
    ----------
    Zaki (2000), Scalable algorithms for association mining. Uno, Kiyomi and Arimura (2004), LCM
    ver. 2, for counting partners on the entries.
    """
    degree = np.bincount(baskets.columns, minlength=len(baskets.items))
    order = np.argsort(degree, kind="stable")
    order = order[degree[order] >= min_count]
    if len(order) == 0:
        return from_stream(np.empty(0, np.int32), np.empty(0, np.int64))
    rank = np.full(len(degree), -1, dtype=np.int32)
    rank[order] = np.arange(len(order))
    given = (
        _merged(baskets, rank, len(order)),
        order.astype(np.int32),
        degree[order].astype(np.int32),
    )
    given += (_forbidden(apart, rank, len(order)), min_count, max_len, cap)
    stream, n_found = mine_all(*given)
    return from_stream(stream, starts_of(stream, n_found))


def _merged(baskets: Baskets, rank: np.ndarray, n_ranks: int) -> tuple:
    """Entries of distinct baskets by basket and by item, and how many baskets each stands for."""
    ranks = rank[baskets.columns]
    keys = np.random.default_rng(0).integers(2**64, size=n_ranks, dtype=np.uint64)
    first = first_of_equals(baskets.rows, ranks, keys, baskets.n_baskets)
    weights = np.bincount(first, minlength=baskets.n_baskets).astype(np.int32)
    # Only the first of equal baskets keeps its entries.
    ranks[weights[baskets.rows] == 0] = -1
    return (*views(baskets.rows, ranks, baskets.n_baskets, n_ranks), weights)


def _forbidden(apart: np.ndarray | None, rank: np.ndarray, n_ranks: int) -> np.ndarray:
    if apart is None or len(apart) == 0:
        return np.zeros((0, 0), dtype=np.uint8)
    left, right = rank[np.asarray(apart)].T
    known = (left >= 0) & (right >= 0)
    left, right = left[known], right[known]
    bits = np.zeros((n_ranks, (n_ranks + 7) // 8), dtype=np.uint8)
    for one, other in [(left, right), (right, left)]:
        np.bitwise_or.at(bits, (one, other >> 3), (1 << (other & 7)).astype(np.uint8))
    return bits
