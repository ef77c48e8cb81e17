"""Itemsets looked up by their parts."""

from collections.abc import Iterable
from itertools import chain

import numpy as np
import pandas as pd

from cohortlab.rules.found import Found, in_order
from cohortlab.rules.reading import item_codes


class SubsetIndex:
    """Finds the counts of itemsets given as rows of codes.

    Parameters
    ----------
    found : Found
        The itemsets to look up.
    n_items : int
        Number of items that codes may name.

    Notes
    -----
    An itemset is known by the sum of random 64-bit numbers of its items, so the sum of any part
    is had without sorting; what is found under a sum is compared with what was asked for.
    """

    def __init__(self, found: Found, n_items: int):
        self.found = found
        numbers = np.random.default_rng(0x1_7E_A5E7).integers(2**64, size=n_items, dtype=np.uint64)
        self.numbers = numbers
        self._sums, self._orders = [], []
        for codes in found.codes:
            sums = numbers[codes].sum(axis=1, dtype=np.uint64)
            order = np.argsort(sums)
            self._sums.append(sums[order])
            self._orders.append(order)

    def places(self, codes: np.ndarray) -> np.ndarray:
        """Place of each row of ascending codes among the itemsets of its size; -1: not there."""
        n_rows, size = codes.shape
        if size > len(self._sums) or len(self._sums[size - 1]) == 0:
            return np.full(n_rows, -1)
        asked = self.numbers[codes].sum(axis=1, dtype=np.uint64)
        sums, order = self._sums[size - 1], self._orders[size - 1]
        near = np.minimum(np.searchsorted(sums, asked), len(sums) - 1)
        places = order[near]
        same = (self.found.codes[size - 1][places] == codes).all(axis=1)
        return np.where(same, places, -1)

    def counts(self, codes: np.ndarray) -> np.ndarray:
        """Count of each row of ascending codes; -1 where the itemset is not there."""
        places = self.places(codes)
        if (places < 0).all():
            return np.full(len(codes), -1, dtype=np.int64)
        return np.where(places < 0, -1, self.found.counts[codes.shape[1] - 1][places])


def closed_or_maximal(found: Found, n_items: int, target: str, max_len: int) -> Found:
    """Keep closed itemsets (no larger one has the same count) or maximal ones (none is larger).

    Parameters
    ----------
    found : Found
        All frequent itemsets of up to one item more than `max_len`.
    n_items : int
        Number of items.
    target : {'closed', 'maximal'}
        What to keep.
    max_len : int
        Largest size that is kept.

    Returns
    -------
    Found
        Some of the itemsets.
    """
    index = SubsetIndex(found, n_items)
    kept = [np.ones(len(counts), dtype=bool) for counts in found.counts]
    for size in range(2, len(found.codes) + 1):
        codes, counts = found.codes[size - 1], found.counts[size - 1]
        for dropped in range(size):
            places = index.places(np.delete(codes, dropped, axis=1))
            if target == "closed":
                places = places[found.counts[size - 2][places] == counts]
            kept[size - 2][places] = False
    parts = [
        (codes[stays], counts[stays])
        for codes, counts, stays in zip(found.codes, found.counts, kept, strict=True)
    ][:max_len]
    return in_order([codes for codes, _ in parts], [counts for _, counts in parts])


def codes_of_sets(itemsets: Iterable[frozenset]) -> tuple[np.ndarray, np.ndarray, list]:
    """Code the items of many sets.

    Parameters
    ----------
    itemsets : iterable of frozenset
        Sets of items.

    Returns
    -------
    codes : ndarray of int64
        Codes of the items of one set after another, in the order of the set.
    sizes : ndarray of int64, shape (n_sets,)
        Number of items of each set.
    items : list
        The items, sorted; their place is their code.
    """
    sets = list(itemsets)
    sizes = np.fromiter(map(len, sets), dtype=np.int64, count=len(sets))
    flat = pd.Series(list(chain.from_iterable(sets)), dtype=object)
    codes, items = item_codes(flat)
    return np.asarray(codes, dtype=np.int64), sizes, items


def found_of(codes: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> Found:
    """Group coded sets by size, in canonical order.

    Parameters
    ----------
    codes, sizes
        From `codes_of_sets`.
    counts : ndarray of int64, shape (n_sets,)
        How many baskets hold each.

    Returns
    -------
    Found
        The same itemsets.
    """
    starts = np.cumsum(sizes) - sizes
    by_size, numbers = [], []
    for size in range(1, int(sizes.max(initial=0)) + 1):
        own = sizes == size
        rows = codes[starts[own][:, None] + np.arange(size)]
        by_size.append(np.sort(rows, axis=1))
        numbers.append(counts[own])
    return in_order(by_size, numbers)
