"""Itemsets as arrays of codes, one array for each size, in canonical order."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Found:
    """Itemsets as codes.

    Attributes
    ----------
    codes : list of ndarray of int, shape (n_sets, size)
        For every size in ascending order, the itemsets as ascending codes. Within a size they are
        ordered by falling count, then by codes.
    counts : list of ndarray of int64, shape (n_sets,)
        How many baskets hold each.
    """

    codes: list[np.ndarray]
    counts: list[np.ndarray]

    def __len__(self) -> int:
        return sum(map(len, self.counts))


def from_stream(stream: np.ndarray, starts: np.ndarray) -> Found:
    """Sort the stream of a miner: size, count and ascending codes of one itemset after another.

    Parameters
    ----------
    stream : ndarray of int
        The itemsets.
    starts : ndarray of int, shape (n_found,)
        Where each begins.

    Returns
    -------
    Found
        The same in canonical order.
    """
    sizes = stream[starts]
    codes, counts = [], []
    for size in range(1, int(sizes.max(initial=0)) + 1):
        own = starts[sizes == size]
        codes.append(stream[own[:, None] + np.arange(2, size + 2)])
        counts.append(stream[own + 1].astype(np.int64))
    return in_order(codes, counts)


def from_sets(itemsets: Iterable[Iterable[int]], counts: Iterable[int]) -> Found:
    """Sort itemsets that come as sets of codes."""
    by_size: dict[int, tuple[list, list]] = {}
    for itemset, count in zip(itemsets, counts, strict=True):
        sets, numbers = by_size.setdefault(len(itemset), ([], []))
        sets.append(sorted(itemset))
        numbers.append(count)
    sizes = range(1, max(by_size, default=0) + 1)
    pairs = [by_size.get(size, ([], [])) for size in sizes]
    codes = [
        np.array(sets, dtype=np.int32).reshape(-1, size)
        for (sets, _), size in zip(pairs, sizes, strict=True)
    ]
    return in_order(codes, [np.array(numbers, dtype=np.int64) for _, numbers in pairs])


def in_order(codes: list[np.ndarray], counts: list[np.ndarray]) -> Found:
    """Order the itemsets of every size by falling count, then by codes."""
    orders = [
        _order([counts_.max(initial=0) - counts_, *codes_.T])
        for codes_, counts_ in zip(codes, counts, strict=True)
    ]
    return Found(
        [part[order] for part, order in zip(codes, orders, strict=True)],
        [part[order] for part, order in zip(counts, orders, strict=True)],
    )


def packed_keys(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Pack columns of whole numbers from 0 into few words that sort alike, the first one first."""
    packed, used = [], 64
    for column in columns:
        width = int(column.max(initial=0)).bit_length()
        if used + width > 63:
            packed.append(np.zeros(len(column), dtype=np.int64))
            used = 0
        packed[-1] = (packed[-1] << width) | column.astype(np.int64)
        used += width
    return packed


def _order(columns: list[np.ndarray]) -> np.ndarray:
    packed = packed_keys(columns)
    return np.argsort(packed[0]) if len(packed) == 1 else np.lexsort(packed[::-1])


def as_frame(found: Found, items: list, n_baskets: int) -> pd.DataFrame:
    """Turn itemsets into mlxtend's frame.

    Parameters
    ----------
    found : Found
        The itemsets.
    items : list
        The items by code.
    n_baskets : int
        Number of baskets.

    Returns
    -------
    DataFrame
        `support`, `itemsets` (frozensets) and `count`; the number of baskets in `attrs`.
    """
    counts = np.concatenate([np.empty(0, dtype=np.int64), *found.counts])
    sets = sets_of(found.codes, items)
    columns = {"support": counts / max(n_baskets, 1), "itemsets": sets, "count": counts}
    table = pd.DataFrame(columns)
    table.attrs["n_baskets"] = n_baskets
    return table


def sets_of(parts: list[np.ndarray], items: list) -> np.ndarray:
    """Frozensets of items from rows of codes, one array of rows after another.

    Parameters
    ----------
    parts : list of ndarray of int, shape (n_rows, size)
        Rows of codes.
    items : list
        The items by code.

    Returns
    -------
    ndarray of object
        A frozenset for each row.
    """
    names = np.empty(len(items), dtype=object)
    names[:] = items
    sets: list[frozenset] = []
    with _no_collection():
        for codes in parts:
            rows = names[codes].tolist()
            sets += map(frozenset, rows)
        return np.fromiter(sets, dtype=object, count=len(sets))


@contextmanager
def _no_collection() -> Iterator[None]:
    # Python looks for cycles each time some thousand sets are made; sets of items have none, and
    # the search takes longer than making them.
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
