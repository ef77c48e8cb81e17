"""Itemsets as arrays of codes, one array for each size, in canonical order."""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Tree:
    """How the itemsets of our miner grew from one another, in the order in which it met them.

    Attributes
    ----------
    parents : ndarray of int, shape (n_nodes,)
        Node of the itemset without the item added last, always an earlier one; -1: there is none.
    added : ndarray of int, shape (n_nodes,)
        Code of the item added.
    nodes : ndarray of int, shape (n_sets,)
        Node of each itemset that was asked for, in canonical order.
    """

    parents: np.ndarray
    added: np.ndarray
    nodes: np.ndarray


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
        return len(self) if self.tree is None else len(self.tree.parents)


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
    before, codes, nodes = np.empty((len(tree), 0), dtype=np.int32), [], []
    for size in range(1, int(sizes.max(initial=0)) + 1):
        own = np.flatnonzero(sizes == size)
        place[own] = np.arange(len(own))
        parts = before[place[parents[own]]] if size > 1 else before[own]
        before = np.column_stack([parts, added[own]])
        kept = counts[own] > 0
        codes.append(np.sort(before[kept], axis=1))
        nodes.append(own[kept])
    orders = _orders(codes, [counts[part] for part in nodes])
    nodes = [part[order] for part, order in zip(nodes, orders, strict=True)]
    grown = Tree(parents, added, np.concatenate([np.empty(0, dtype=np.int64), *nodes]))
    codes = [part[order] for part, order in zip(codes, orders, strict=True)]
    return Found(codes, [counts[part] for part in nodes], grown)


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
    with _no_collection():
        for codes in parts:
            sets += map(frozenset, names[codes].tolist())
        return _objects(sets)


def _grown(tree: Tree, items: list) -> np.ndarray:
    # Half the time of `sets_of`: a set grows from one that was made just before, so it is copied
    # while the processor still has it at hand, and it needs no list of its items.
    single = [frozenset([item]) for item in items]
    sets: list[frozenset] = []
    with _no_collection():
        for parent, item in zip(tree.parents.tolist(), tree.added.tolist(), strict=True):
            sets.append(single[item] if parent < 0 else sets[parent] | single[item])
        return _objects(sets)[tree.nodes]


def _objects(sets: list[frozenset]) -> np.ndarray:
    held = np.empty(len(sets), dtype=object)
    # For many sets this is several times as fast as `np.fromiter`.
    held[:] = sets
    return held


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
