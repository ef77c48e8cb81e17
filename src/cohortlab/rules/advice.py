"""What to say, and what to try, where no rule was found."""

from decimal import ROUND_FLOOR, Decimal

import pandas as pd
from scipy import sparse

from cohortlab.rules.association import association_rules
from cohortlab.rules.checks import exact_fraction
from cohortlab.rules.itemsets import minimum_count
from cohortlab.rules.reading import Baskets, read_baskets


def why_empty(
    baskets: pd.DataFrame,
    itemsets: pd.DataFrame,
    min_support: float,
    metric: str,
    min_threshold: float,
) -> str:
    """Say why there is no rule, and which threshold would give one.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, as they were mined.
    itemsets : DataFrame
        From `frequent_itemsets` at `min_support`.
    min_support, metric, min_threshold
        The thresholds that were used.

    Returns
    -------
    str
        One or two sentences; empty where there are rules after all.
    """
    read = read_baskets(baskets)
    n_baskets = read.n_baskets
    if n_baskets == 0:
        return "There is no basket, so there is no rule."
    if (itemsets["itemsets"].map(len) >= 2).any():
        return _threshold_advice(itemsets, metric, min_threshold)
    together = _largest_pair(read)
    if together == 0:
        return "No basket holds two different items, so there is no rule at any support."
    needed = minimum_count(min_support, n_baskets)
    share = exact_fraction(together) / n_baskets
    return (
        f"No two items are together in {needed} of the {n_baskets} baskets. The most frequent pair "
        f"is in {together}: try a min_support of {_rounded_down(float(share))} or less."
    )


def _threshold_advice(itemsets: pd.DataFrame, metric: str, min_threshold: float) -> str:
    every = association_rules(itemsets, metric=metric, min_threshold=-1e9)
    best = float(every[metric].max())
    if best >= min_threshold:
        return ""
    return (
        f"No rule reaches a {metric} of {min_threshold:g}. The highest is {best:.4g}: "
        f"try a min_threshold of {_rounded_down(best)} or less."
    )


def _rounded_down(value: float) -> str:
    # Three digits, never above the value: advice that is rounded up would find nothing again.
    digits = Decimal(repr(value))
    step = Decimal(1).scaleb(digits.adjusted() - 2)
    return f"{float(digits.quantize(step, rounding=ROUND_FLOOR)):g}"


def _largest_pair(baskets: Baskets) -> int:
    held = baskets.matrix()
    together = sparse.triu(held.T @ held, k=1)
    return int(together.max()) if together.nnz else 0
