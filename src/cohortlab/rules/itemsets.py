"""Frequent itemsets on exact counts."""

from collections.abc import Iterable, Sequence
from numbers import Integral

import numpy as np
import pandas as pd

from cohortlab.rules.checks import exact_fraction
from cohortlab.rules.found import Found, as_frame, from_sets
from cohortlab.rules.miners import MINERS
from cohortlab.rules.reading import Baskets, read_baskets

#: What can be asked for: all frequent itemsets; those that no larger one shares its count with;
#: those with no larger one at all.
TARGETS = ("all", "closed", "maximal")


class TooManyItemsetsError(ValueError):
    """More itemsets reach the support than were allowed for."""


def frequent_itemsets(
    baskets: pd.DataFrame | Sequence[Iterable] | Baskets,
    min_support: float,
    algorithm: str = "eclat",
    target: str = "all",
    max_len: int | None = None,
    *,
    max_itemsets: int = 2_000_000,
    apart: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Find the sets of items that are together in enough baskets.

    Parameters
    ----------
    baskets : DataFrame or sequence of iterables
        Columns `basket_id, item`, one row per basket and item; or a list of lists; or mlxtend's
        one-hot frame, dense or sparse. An item that comes twice in a basket counts once.
    min_support : float or int
        A float in (0, 1] is a share of the baskets; a whole number (int) is a count of them.
    algorithm : {'eclat', 'fpgrowth', 'apriori', 'hmine'}
        `eclat` is ours; the others are mlxtend's.
    target : {'all', 'closed', 'maximal'}
        All frequent itemsets, or those without a larger one of the same count, or those without a
        larger frequent one.
    max_len : int, optional
        Largest number of items in a set; what is closed or maximal does not depend on it beyond
        one item more.
    max_itemsets : int
        Beyond this number of frequent itemsets there is an error; for closed and maximal ones,
        those on the way to them count. `eclat` stops there; mlxtend's algorithms find all of them
        first, whatever time and memory that takes.
    apart : DataFrame, optional
        Two columns of items that no itemset may hold together, such as `ancestor_pairs` gives.

    Returns
    -------
    DataFrame
        mlxtend's `support, itemsets` (frozensets) and `count`, ordered by size, falling count and
        items. `attrs["n_baskets"]` holds the number of baskets, `attrs["n_empty"]` how many of
        them are empty, `attrs["n_repeated"]` the entries that repeated another.

    Raises
    ------
    ValueError
        If a column or an id is missing, or the support makes no sense.
    TooManyItemsetsError
        If there are more sets than `max_itemsets`; a ValueError, too.

    Notes
    -----
    A share is turned into the smallest count that reaches it, in rational arithmetic on the
    decimal as meant: a set is never lost because 0.3 * 10 or 0.1 + 0.2 is not quite 3 or 0.3.

    References
    ----------
    Zaki (2000), Scalable algorithms for association mining. Pasquier et al. (1999), Discovering
    frequent closed itemsets for association rules.

    Examples
    --------
    >>> frequent_itemsets([["tea", "milk"], ["tea"]], 1.0)[["support", "count"]].to_dict("records")
    [{'support': 1.0, 'count': 2}]
    """
    if algorithm not in MINERS:
        raise ValueError(f"unknown algorithm {algorithm!r}: choose one of {list(MINERS)}")
    if target not in TARGETS:
        raise ValueError(f"unknown target {target!r}: choose one of {list(TARGETS)}")
    if max_len is not None and (not isinstance(max_len, Integral) or max_len < 1):
        raise ValueError(f"max_len is {max_len}: give a whole number from 1, or None for no limit")
    read = read_baskets(baskets)
    min_count = minimum_count(min_support, read.n_baskets)
    limit = min(max_len or len(read.items), len(read.items))
    found = from_sets([], [])
    if len(read.rows):
        options = {"max_len": limit, "cap": max_itemsets, "target": target}
        pairs = _coded_pairs(apart, read.items)
        found = MINERS[algorithm](read, min_count, **options, apart=pairs)
    if found.n_met > max_itemsets:
        raise TooManyItemsetsError(
            _too_many(found, target, max_itemsets, min_count, read.n_baskets)
        )
    table = as_frame(found, read.items, read.n_baskets)
    table.attrs |= {"n_empty": read.report.n_empty, "n_repeated": read.report.n_repeated}
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


def _coded_pairs(apart: pd.DataFrame | None, items: list) -> np.ndarray | None:
    if apart is None:
        return None
    if apart.shape[1] != 2:
        raise ValueError(f"apart has the columns {list(apart.columns)}: give two columns of items")
    code = {item: i for i, item in enumerate(items)}
    pairs = [(code.get(a), code.get(b)) for a, b in apart.itertuples(index=False)]
    known = [pair for pair in pairs if None not in pair and pair[0] != pair[1]]
    return np.array(known, dtype=np.int64).reshape(-1, 2)


def _too_many(found: Found, target: str, max_itemsets: int, min_count: int, n_baskets: int) -> str:
    # What was met so far does not tell how many there are. A support that is a little higher may
    # well be stopped again, and each such try takes as long; by doubling, few tries are enough.
    # What is in every basket is no advice: it may be as many.
    tried = 2 * min_count
    met = "found" if found.tree is None else "stopped at"
    advice = "limit max_len, ask for fewer by another choice of items"
    if target == "all":
        advice += ', or for target="closed"'
    if tried < n_baskets:
        advice = f"try a min_support of {tried} (a share of {tried / n_baskets:.4g}), {advice}"
    return (
        f"{met} {found.n_met} itemsets in {min_count} of {n_baskets} baskets or more, where "
        f"max_itemsets is {max_itemsets}: {advice}"
    )
