"""Frequent itemsets on exact counts."""

from numbers import Integral

import numpy as np
import pandas as pd

from cohortlab.rules.checks import exact_fraction, require
from cohortlab.rules.miners import MINERS


def frequent_itemsets(
    baskets: pd.DataFrame,
    min_support: float,
    *,
    algorithm: str = "eclat",
    max_len: int | None = None,
    max_itemsets: int = 2_000_000,
) -> pd.DataFrame:
    """Find the sets of items that are together in enough baskets.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, one row per basket and item; a repeated row counts once.
    min_support : float or int
        A float in (0, 1] is a share of the baskets; a whole number (int) is a count of them.
    algorithm : {'eclat', 'fpgrowth'}
        `eclat` intersects sets of baskets kept as bits; `fpgrowth` is mlxtend's.
    max_len : int, optional
        Largest number of items in a set.
    max_itemsets : int
        Mining stops with an error beyond this number.

    Returns
    -------
    DataFrame
        mlxtend's `support, itemsets` (frozensets) and `count`, ordered by size, falling count and
        items. `attrs["n_baskets"]` holds the number of baskets.

    Raises
    ------
    ValueError
        If a column or an id is missing, the support makes no sense, or there are too many sets.

    Notes
    -----
    A share is turned into the smallest count that reaches it, in rational arithmetic on the
    decimal as written: a set is never lost because 0.3 * 10 is not quite 3.

    References
    ----------
    Zaki (2000), Scalable algorithms for association mining.

    Examples
    --------
    >>> import pandas as pd
    >>> baskets = pd.DataFrame({"basket_id": [1, 1, 2], "item": ["tea", "milk", "tea"]})
    >>> frequent_itemsets(baskets, 1.0)[["support", "count"]].to_dict("records")
    [{'support': 1.0, 'count': 2}]
    """
    rows, columns, items, n_baskets = coded_baskets(baskets)
    min_count = minimum_count(min_support, n_baskets)
    if algorithm not in MINERS:
        raise ValueError(f"unknown algorithm {algorithm!r}: choose one of {list(MINERS)}")
    found = []
    if n_baskets:
        miner = MINERS[algorithm](rows, columns, n_baskets, min_count, max_len or len(items))
        for itemset in miner:
            found.append(itemset)
            if len(found) > max_itemsets:
                raise ValueError(_too_many(len(found), min_count, n_baskets))
    # Item codes are in the order of the items, so tuples of codes sort as tuples of items.
    found.sort(key=lambda pair: (len(pair[0]), -pair[1], pair[0]))
    counts = np.array([count for _, count in found], dtype=np.int64)
    itemsets = pd.Series([frozenset(items[i] for i in codes) for codes, _ in found], dtype=object)
    support = counts / max(n_baskets, 1)
    table = pd.DataFrame({"support": support, "itemsets": itemsets, "count": counts})
    table.attrs["n_baskets"] = n_baskets
    return table


def minimum_count(min_support: float, n_baskets: int) -> int:
    """Smallest number of baskets that reaches a support given as share (float) or count (int).

    Parameters
    ----------
    min_support : float or int
        A share in (0, 1] as float, or a positive count as int.
    n_baskets : int
        Number of baskets.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> minimum_count(0.3, 10), minimum_count(0.31, 10), minimum_count(4, 10)
    (3, 4, 4)
    """
    if isinstance(min_support, Integral) and not isinstance(min_support, bool) and min_support >= 1:
        return int(min_support)
    if not isinstance(min_support, float) or not 0 < min_support <= 1:
        raise ValueError(
            f"min_support is {min_support!r}: give a share in (0, 1] such as 0.01, or a positive "
            "whole number of baskets"
        )
    share = exact_fraction(min_support) * n_baskets
    return max(1, -(-share.numerator // share.denominator))


def coded_baskets(baskets: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, list, int]:
    """Turn baskets into codes: basket and item of each entry, the items in order, the baskets.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`.

    Returns
    -------
    rows, columns : ndarray of int, shape (n_entries,)
        Basket and item code of each distinct entry.
    items : list
        Items, sorted; their place is their code.
    n_baskets : int
        Number of baskets.
    """
    require(baskets, ["basket_id", "item"], "baskets")
    for name in ["basket_id", "item"]:
        empty = np.flatnonzero(baskets[name].isna())
        if len(empty):
            raise ValueError(
                f"baskets.{name} is missing in {len(empty)} rows, first in row {empty[0]}: drop or "
                "name them before mining"
            )
    pairs = baskets[["basket_id", "item"]].drop_duplicates()
    rows, basket_ids = pd.factorize(pairs["basket_id"])
    columns, items = pd.factorize(pairs["item"], sort=True)
    return rows, columns, list(items), len(basket_ids)


def _too_many(n_found: int, min_count: int, n_baskets: int) -> str:
    return (
        f"more than {n_found - 1} itemsets are in {min_count} of {n_baskets} baskets or more: "
        f"raise min_support, say to {min(1.0, 2 * min_count / n_baskets):.4g}, or limit max_len"
    )
