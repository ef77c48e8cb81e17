"""Itemsets as arrays of codes, one array for each size, in canonical order."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Tree:
    """How the itemsets of our miner grew from one another, for every size in ascending order.

    Attributes
    ----------
    parents : list of ndarray of int, shape (n_nodes,)
        Place of each itemset without the item added last, among those of one item less; of no
        meaning for the first size.
    added : list of ndarray of int, shape (n_nodes,)
        Code of the item added.
    places : list of ndarray of int, shape (n_sets,)
        Places of the itemsets that were asked for, in canonical order.
    """

    parents: list[np.ndarray]
    added: list[np.ndarray]
    places: list[np.ndarray]


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
    tree : Tree, optional
        How they grew, where the miner tells.
    """

    codes: list[np.ndarray]
    counts: list[np.ndarray]
    tree: Tree | None = None

    def __len__(self) -> int:
        return sum(map(len, self.counts))

    @property
    def n_met(self) -> int:
        """Number of itemsets that the miner met, those on the way to others among them."""
        return len(self) if self.tree is None else sum(map(len, self.tree.added))


def from_tree(tree: np.ndarray, items: np.ndarray) -> Found:
    """Sort the tree of our miner.

    Parameters
    ----------
    tree : ndarray of int64, shape (n_nodes, 4)
        For each itemset its parent, the item added, its count, negative where it is only on the
        way to others, and its size.
    items : ndarray of int
        Code of each item that the tree names.

    Returns
    -------
    Found
        The itemsets in canonical order, without those on the way.
    """
    parents, added, counts, sizes = np.ascontiguousarray(tree.T)
    added = items[added].astype(np.int32)
    place = np.empty(len(tree), dtype=np.int64)
    before, codes, numbers, grown = np.empty((1, 0), dtype=np.int32), [], [], Tree([], [], [])
    for size in range(1, int(sizes.max(initial=0)) + 1):
        own = np.flatnonzero(sizes == size)
        place[own] = np.arange(len(own))
        from_ = place[parents[own]] if size > 1 else np.zeros(len(own), dtype=np.int64)
        before = np.column_stack([before.take(from_, axis=0), added[own]])
        kept = np.flatnonzero(counts[own] > 0)
        codes.append(np.sort(before[kept], axis=1))
        numbers.append(counts[own[kept]])
        grown.parents.append(from_)
        grown.added.append(added[own])
        grown.places.append(kept)
    orders = _orders(codes, numbers)
    for parts in (codes, numbers, grown.places):
        parts[:] = [part.take(order, axis=0) for part, order in zip(parts, orders, strict=True)]
    return Found(codes, numbers, grown)


def from_sets(itemsets: Iterable[Iterable[int]], counts: Iterable[int]) -> Found:
    """Sort itemsets that come as sets of codes.

    Parameters
    ----------
    itemsets : iterable of iterable of int
        Codes of each itemset.
    counts : iterable of int
        How many baskets hold each.

    Returns
    -------
    Found
        The same in canonical order.
    """
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
    """Order the itemsets of every size by falling count, then by codes.

    Parameters
    ----------
    codes : list of ndarray of int, shape (n_sets, size)
        Ascending codes of the itemsets of each size.
    counts : list of ndarray of int64, shape (n_sets,)
        How many baskets hold each.

    Returns
    -------
    Found
        The same in canonical order.
    """
    orders = _orders(codes, counts)
    return Found(
        [part[order] for part, order in zip(codes, orders, strict=True)],
        [part[order] for part, order in zip(counts, orders, strict=True)],
    )


def packed_keys(columns: list[np.ndarray]) -> list[np.ndarray]:
    """Pack columns of whole numbers from 0 into few words that sort alike.

    Parameters
    ----------
    columns : list of ndarray of int, shape (n,)
        Columns to sort by, the most important one first.

    Returns
    -------
    list of ndarray of int64, shape (n,)
        As few columns as hold the same, the most important one first.
    """
    packed, used = [], 64
    for column in columns:
        width = int(column.max(initial=0)).bit_length()
        if used + width > 63:
            packed.append(np.zeros(len(column), dtype=np.int64))
            used = 0
        packed[-1] = (packed[-1] << width) | column.astype(np.int64)
        used += width
    return packed


def _orders(codes: list[np.ndarray], counts: list[np.ndarray]) -> list[np.ndarray]:
    orders = []
    for part, number in zip(codes, counts, strict=True):
        packed = packed_keys([number.max(initial=0) - number, *part.T])
        orders.append(np.argsort(packed[0]) if len(packed) == 1 else np.lexsort(packed[::-1]))
    return orders


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
    sets = sets_of(found.codes, items) if found.tree is None else _grown(found.tree, items)
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
    names = np.fromiter(items, dtype=object, count=len(items))
    sets: list[frozenset] = []
    with no_collection():
        for codes in parts:
            sets += map(frozenset, names[codes].tolist())
        return _objects(sets)


def _grown(tree: Tree, items: list) -> np.ndarray:
    # A third less time than `sets_of`: a set grows from one that is there, and needs no list of its
    # items. Those of one parent follow one another, so it is copied while it is still at hand.
    single = _objects([frozenset([item]) for item in items])
    sets, parts = np.array([frozenset()]), [np.empty(0, dtype=object)]
    with no_collection():
        for parents, added, places in zip(tree.parents, tree.added, tree.places, strict=True):
            sets = sets[parents] | single[added]
            parts.append(sets[places])
        return np.concatenate(parts)


def _objects(sets: list[frozenset]) -> np.ndarray:
    held = np.empty(len(sets), dtype=object)
    # For many sets this is several times as fast as `np.fromiter`.
    held[:] = sets
    return held


@contextmanager
def no_collection() -> Iterator[None]:
    """Make many sets without a search for cycles meanwhile, or right after.

    Yields
    ------
    None
        While nothing is searched.

    Notes
    -----
    Python looks for cycles each time some thousand sets are made, and at once when it may again.
    Sets of items have none, and the search takes as long as making them. Freezing and unfreezing
    makes everything old without a search; what somebody else keeps frozen stays frozen.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_freeze_count() == 0:
                gc.freeze()
                gc.unfreeze()
            gc.enable()
