"""What to say, and what to try, where no rule was found."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pandas as pd
from scipy import sparse

from cohortlab.rules.association import association_rules
from cohortlab.rules.checks import exact_fraction
from cohortlab.rules.itemsets import TooManyItemsetsError, frequent_itemsets, minimum_count
from cohortlab.rules.measures import FURTHER_MEASURES
from cohortlab.rules.reading import Baskets, read_baskets

#: Itemsets looked at, at most, in search of a support that gives a rule.
MAX_ITEMSETS = 200_000


def why_empty(
    baskets: pd.DataFrame,
    itemsets: pd.DataFrame,
    min_support: float,
    metric: str,
    min_threshold: float,
    *,
    max_len: int | None = None,
    support_name: str = "min_support",
) -> str:
    """Say why there is no rule, and which thresholds would give one.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, as they were mined.
    itemsets : DataFrame
        From `frequent_itemsets` at `min_support`.
    min_support, metric, min_threshold, max_len
        What itemsets and rules were asked for.
    support_name : str
        What the reader's parameter for the smallest support is called, for the advice.

    Returns
    -------
    str
        Some sentences; empty where there are rules after all. A support that they advise gives a
        rule at this `min_threshold`, and a threshold gives one at this `min_support`.
    """
    read = read_baskets(baskets)
    if read.n_baskets == 0:
        return "There is no basket, so there is no rule."
    if len(association_rules(itemsets, metric, min_threshold, n_baskets=read.n_baskets)):
        return ""
    together = _largest_pair(read)
    if together == 0:
        return "No basket holds two different items, so there is no rule at any support."
    needed = minimum_count(min_support, read.n_baskets)
    if together < needed:
        reason = (
            f"No two items are together in as many as {needed:,} of the {read.n_baskets:,} "
            f"baskets; the most frequent pair is in {together:,}."
        )
    else:
        reason = _threshold_advice(itemsets, metric, min_threshold)
    most = min(together, needed - 1)
    advice = _support_advice(read, most, metric, min_threshold, max_len, support_name)
    return f"{reason} {advice}".strip()


def _threshold_advice(itemsets: pd.DataFrame, metric: str, min_threshold: float) -> str:
    further = [metric] if metric in FURTHER_MEASURES else []
    known = association_rules(itemsets, "support", 0.0, further=further)[metric].dropna()
    missed = f"No rule reaches a {metric} of {min_threshold:g}."
    if known.empty:
        return missed
    # Of p-values the lowest is best. Rounded the wrong way, the advice would find nothing again.
    best, way, side = known.max(), ROUND_FLOOR, "less"
    if metric == "fisher_p":
        best, way, side = known.min(), ROUND_CEILING, "more"
    return (
        f"{missed} The best has {best:.4g}: try a min_threshold of {_rounded(best, way)} or {side}."
    )


def _support_advice(
    read: Baskets,
    most: int,
    metric: str,
    min_threshold: float,
    max_len: int | None,
    support_name: str,
) -> str:
    """Look for the rule on the most baskets, from `most` on by half as many each time."""
    tried, asked = None, f"a {metric} of {min_threshold:g}"
    while most >= 1:
        try:
            itemsets = frequent_itemsets(read, most, max_len=max_len, max_itemsets=MAX_ITEMSETS)
        except TooManyItemsetsError:
            break
        rules = association_rules(itemsets, metric, min_threshold)
        if len(rules):
            count = int(rules["count"].max())
            share = _rounded(float(exact_fraction(count) / read.n_baskets), ROUND_FLOOR)
            return (
                f"The most frequent rule that has {asked} is on {count:,} baskets: try a "
                f"{support_name} of {share} or less."
            )
        tried, most = most, most // 2
    return f"None on {tried:,} baskets or more has {asked} either." if tried else ""


def _rounded(value: float, way: str) -> str:
    digits = Decimal(repr(float(value)))
    step = Decimal(1).scaleb(digits.adjusted() - 2)
    return f"{float(digits.quantize(step, rounding=way)):g}"


def _largest_pair(baskets: Baskets) -> int:
    held = baskets.matrix()
    together = sparse.triu(held.T @ held, k=1)
    return int(together.max()) if together.nnz else 0
