"""Frequent itemsets by intersecting sets of baskets: our own miner."""

import numpy as np
from scipy import sparse

from cohortlab.rules.found import Found, from_tree
from cohortlab.rules.kernels import ALL, CLOSED, MAXIMAL, mine_tree
from cohortlab.rules.reading import Baskets

#: Target -> its number in the compiled loops.
AIMS = {"all": ALL, "closed": CLOSED, "maximal": MAXIMAL}


def mine_eclat(
    baskets: Baskets,
    min_count: int,
    *,
    max_len: int,
    cap: int,
    target: str = "all",
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
        Mining stops soon after more itemsets than this are met.
    target : {'all', 'closed', 'maximal'}
        As for `frequent_itemsets`.
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

    An itemset is closed where no other item is in all of its baskets; for this the rarer items have
    rows of bits too. Where such an item was passed over on the way to the itemset, nothing that
    begins with the itemset is closed, and none of it is looked at. So no more itemsets are met than
    there are items in all closed itemsets together. Maximal ones are the closed ones that no other
    item is in enough baskets of.

    References
    ----------
    Zaki (2000), Scalable algorithms for association mining. Uno, Kiyomi and Arimura (2004), LCM
    ver. 2, for counting partners on the entries and for telling what is closed without looking at
    other itemsets.
    """
    degree = np.bincount(baskets.columns, minlength=len(baskets.items))
    order = np.argsort(degree, kind="stable")
    order = order[degree[order] >= min_count]
    rank = np.full(len(degree), -1, dtype=np.int32)
    rank[order] = np.arange(len(order))
    forbidden = _forbidden(apart, rank, len(order))
    view = _views(baskets, rank, len(order))
    tree = mine_tree(view, degree[order], forbidden, AIMS[target], min_count, max_len, cap)
    return from_tree(tree.reshape(-1, 4), order)


def _views(baskets: Baskets, rank: np.ndarray, n_ranks: int) -> tuple:
    """Entries of distinct baskets by basket and by item, and how many baskets each stands for."""
    ranks = rank[baskets.columns]
    kept = ranks >= 0
    width = n_ranks.bit_length()
    entries = np.sort((baskets.rows[kept] << width) | ranks[kept])
    rows, ranks = entries >> width, (entries & ((1 << width) - 1)).astype(np.int32)
    begins = np.flatnonzero(np.diff(rows, prepend=-1)).astype(np.int32)
    sizes = np.diff(begins, append=len(ranks))
    weights = np.bincount(first_of_equals(ranks, begins, n_ranks), minlength=len(begins))
    stays = weights > 0
    row_items = ranks[np.repeat(stays, sizes)]
    row_starts = np.concatenate([[0], np.cumsum(sizes[stays])]).astype(np.int32)
    # The same by item: scipy turns it over, and the values tell where each entry was.
    places = np.arange(len(row_items), dtype=np.int32)
    shape = (len(row_starts) - 1, n_ranks)
    by_item = sparse.csr_array((places, row_items, row_starts), shape=shape).tocsc()
    columns = by_item.indptr, by_item.indices, by_item.data
    return row_starts, row_items, *columns, weights[stays].astype(np.int32)


def first_of_equals(codes: np.ndarray, begins: np.ndarray, n_codes: int) -> np.ndarray:
    """Find the first of the baskets that hold the same items, for every basket.

    Parameters
    ----------
    codes : ndarray of int, shape (n_entries,)
        Ascending items of one basket after another.
    begins : ndarray of int, shape (n_baskets,)
        Where each basket begins; none is empty.
    n_codes : int
        Number of items.

    Returns
    -------
    ndarray of int, shape (n_baskets,)
        The first basket with the same items.

    Notes
    -----
    Baskets are the same where the sums of random numbers of their items are, and their items, one
    by one.
    """
    first = np.arange(len(begins))
    if len(begins) == 0:
        return first
    numbers = np.random.default_rng(0).integers(2**64, size=n_codes, dtype=np.uint64)
    sums = np.add.reduceat(numbers[codes], begins)
    _, earliest, group = np.unique(sums, return_index=True, return_inverse=True)
    sizes, other = np.diff(begins, append=len(codes)), earliest[group]
    again = np.flatnonzero((other != first) & (sizes[other] == sizes))
    owner = np.repeat(np.arange(len(again)), sizes[again])
    within = np.arange(len(owner)) - (np.cumsum(sizes[again]) - sizes[again])[owner]
    differs = codes[begins[again][owner] + within] != codes[begins[other[again]][owner] + within]
    again = again[np.bincount(owner[differs], minlength=len(again)) == 0]
    first[again] = other[again]
    return first


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
