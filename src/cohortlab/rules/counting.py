"""Counts of given itemsets in given baskets, by size of basket."""

from collections.abc import Iterable

import numpy as np

from cohortlab.rules.reading import Baskets


def size_strata(baskets: Baskets) -> np.ndarray:
    """Group baskets by size: 0, 1 to 3, 4 to 8, 9 to 15 items, and so on between squares.

    Parameters
    ----------
    baskets : Baskets
        From `read_baskets`.

    Returns
    -------
    ndarray of int, shape (n_baskets,)
        The whole part of the root of the number of items.

    Notes
    -----
    Large baskets hold more of everything, so any two items meet more often than their frequencies
    say, though nothing ties them. Among baskets of one size they meet a little less often instead,
    since an item takes a place from the others. In a stratum of sizes k^2 to (k + 1)^2 - 1 the
    variance of the size is at most k^2, no more than its mean, so the mean of s (s - 1) is at most
    the square of the mean of s: within these strata, too, items that only share baskets by chance
    meet no more often than their frequencies say (where each is in a small part of them).
    """
    sizes = np.bincount(baskets.rows, minlength=baskets.n_baskets)
    return np.sqrt(sizes + 0.5).astype(np.int64)


class StratifiedCounter:
    """Counts itemsets in each stratum of baskets.

    Parameters
    ----------
    baskets : Baskets
        From `read_baskets`.
    strata : ndarray of int, shape (n_baskets,)
        Stratum of each basket.
    items : iterable
        The items that itemsets to count may hold; what no basket holds is in none.

    Notes
    -----
    Baskets are bits in the order of their strata, each stratum beginning a word of its own, so one
    intersection gives the counts of all strata.
    """

    def __init__(self, baskets: Baskets, strata: np.ndarray, items: Iterable):
        names, codes = np.unique(strata, return_inverse=True)
        self.sizes = np.bincount(codes, minlength=len(names))
        n_words = (self.sizes + 63) // 64
        self.starts = np.cumsum(n_words) - n_words
        order = np.argsort(codes, kind="stable")
        within = np.arange(len(order)) - np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = 64 * np.repeat(self.starts, self.sizes) + within
        self.n_words = int(n_words.sum())
        #: The basket behind each bit, -1 where there is none, and its stratum.
        self.basket_of = np.full(64 * self.n_words, -1)
        self.basket_of[place] = np.arange(len(place))
        self.stratum_of = np.repeat(np.arange(len(names)), 64 * n_words)
        self.rows = {item: i for i, item in enumerate(dict.fromkeys(items))}
        self.bits = self._bits(baskets, place)
        self._all = np.zeros(self.n_words, dtype=np.uint64)
        self._set(self._all[None], np.zeros(len(place), dtype=np.int64), place)

    def _bits(self, baskets: Baskets, place: np.ndarray) -> np.ndarray:
        bits = np.zeros((len(self.rows), self.n_words), dtype=np.uint64)
        row_of = np.array([self.rows.get(item, -1) for item in baskets.items], dtype=np.int64)
        rows = row_of[baskets.columns] if len(baskets.columns) else np.empty(0, dtype=np.int64)
        known = rows >= 0
        self._set(bits, rows[known], place[baskets.rows[known]])
        return bits

    @staticmethod
    def _set(bits: np.ndarray, rows: np.ndarray, place: np.ndarray) -> None:
        bit = np.uint64(1) << (place & 63).astype(np.uint64)
        np.bitwise_or.at(bits, (rows, place >> 6), bit)

    def mask(self, itemset: Iterable) -> np.ndarray:
        """Bits of the baskets that hold all of these items; of all baskets for no item."""
        rows = [self.rows[item] for item in itemset]
        return np.bitwise_and.reduce(self.bits[rows], axis=0) if rows else self._all

    def counts(self, mask: np.ndarray) -> np.ndarray:
        """Count the baskets of each stratum, as int64."""
        if self.n_words == 0:
            return np.zeros(0, dtype=np.int64)
        ones = np.bitwise_count(mask).astype(np.int64)
        return np.add.reduceat(ones, self.starts)

    def places(self, mask: np.ndarray) -> np.ndarray:
        """Return the places of the bits that are set, for `basket_of` and `stratum_of`."""
        return np.flatnonzero(np.unpackbits(mask.view(np.uint8), bitorder="little").view(np.bool_))
