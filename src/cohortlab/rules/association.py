"""Association rules with mlxtend's columns, on exact counts."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd

from cohortlab.rules.checks import exact_fraction, require, sorted_items

#: mlxtend's measures of a rule, in its order.
MEASURES = [
    "antecedent support",
    "consequent support",
    "support",
    "confidence",
    "lift",
    "representativity",
    "leverage",
    "conviction",
    "zhangs_metric",
    "jaccard",
    "certainty",
    "kulczynski",
]
#: Whole numbers of baskets behind a rule, beside mlxtend's measures.
COUNTS = ["count", "antecedent count", "consequent count"]


def association_rules(
    itemsets: pd.DataFrame,
    *,
    metric: str = "confidence",
    min_threshold: float = 0.8,
    max_consequent: int | None = None,
    n_baskets: int | None = None,
) -> pd.DataFrame:
    """Rules from frequent itemsets, with mlxtend's columns.

    Parameters
    ----------
    itemsets : DataFrame
        From `frequent_itemsets`, or mlxtend's frame (then give `n_baskets`).
    metric : str
        The measure that must reach `min_threshold`: any of mlxtend's.
    min_threshold : float
        Smallest value of the measure. Support, confidence, lift and leverage are compared as
        exact ratios of counts.
    max_consequent : int, optional
        Largest number of items on the right-hand side; no limit by default.
    n_baskets : int, optional
        Number of baskets, where the frame does not remember it.

    Returns
    -------
    DataFrame
        `antecedents, consequents` (frozensets), mlxtend's measures in its order, then `count`,
        `antecedent count`, `consequent count`. Ordered by falling lift, confidence and count, then
        by the items. No row where no rule reaches the threshold.
    """
    if metric not in MEASURES:
        raise ValueError(f"unknown metric {metric!r}: choose one of {MEASURES}")
    counts, n_baskets = _counts_of(itemsets, n_baskets)
    sides, numbers = _candidates(counts, max_consequent)
    both, left, right = np.array(numbers, dtype=np.int64).reshape(-1, 3).T
    measures = _measures(both, left, right, n_baskets)
    kept = _reaching(metric, min_threshold, measures, (both, left, right), n_baskets)
    table = pd.DataFrame({**measures, **dict(zip(COUNTS, (both, left, right), strict=True))})
    for place, name in enumerate(["antecedents", "consequents"]):
        column = pd.Series([frozenset(pair[place]) for pair in sides], dtype=object)
        table.insert(place, name, column)
    order = sorted(np.flatnonzero(kept), key=_rule_order(measures, both, sides).__getitem__)
    table = table.iloc[order].reset_index(drop=True)
    table.attrs["n_baskets"] = n_baskets
    return table


def _counts_of(itemsets: pd.DataFrame, n_baskets: int | None) -> tuple[dict, int]:
    require(itemsets, ["support", "itemsets"], "itemsets")
    n_baskets = n_baskets or itemsets.attrs.get("n_baskets")
    if n_baskets is None:
        raise ValueError("the frame of itemsets does not say how many baskets: pass n_baskets=")
    if "count" in itemsets.columns:
        numbers = itemsets["count"]
    else:
        numbers = (itemsets["support"] * n_baskets).round()
    keys = map(frozenset, itemsets["itemsets"])
    return dict(zip(keys, map(int, numbers), strict=True)), int(n_baskets)


def _candidates(counts: dict, max_consequent: int | None) -> tuple[list, list]:
    sides, numbers = [], []
    for itemset, both in counts.items():
        items = sorted_items(itemset)
        for size in range(1, min(len(items) - 1, max_consequent or len(items)) + 1):
            for right in combinations(items, size):
                left = tuple(item for item in items if item not in right)
                try:
                    parts = counts[frozenset(left)], counts[frozenset(right)]
                except KeyError as error:
                    raise ValueError(
                        f"{items} is listed without its part {sorted_items(error.args[0])}: "
                        "rules need all frequent itemsets, not only closed or maximal ones"
                    ) from None
                sides.append((left, right))
                numbers.append((both, *parts))
    return sides, numbers


def _measures(both: np.ndarray, left: np.ndarray, right: np.ndarray, n: int) -> dict:
    # Each is one division of whole numbers where possible: conviction and Zhang's measure lose
    # digits by cancellation when they are built from supports.
    expected = left.astype(float) * right
    excess = both.astype(float) * n - expected
    zhang = np.maximum(both.astype(float) * (n - left), left.astype(float) * (right - both))
    with np.errstate(divide="ignore", invalid="ignore"):
        conviction = (n - right) * left.astype(float) / ((left - both) * float(n))
        certainty = excess / (left.astype(float) * (n - right))
        zhangs_metric = excess / zhang
    return {
        "antecedent support": left / n,
        "consequent support": right / n,
        "support": both / n,
        "confidence": both / left,
        "lift": both.astype(float) * n / expected,
        "representativity": np.ones(len(both)),
        "leverage": excess / float(n) ** 2,
        "conviction": np.where(both == left, np.inf, conviction),
        "zhangs_metric": np.where(zhang == 0, 0.0, zhangs_metric),
        "jaccard": both / (left + right - both),
        "certainty": np.where(right == n, 0.0, certainty),
        "kulczynski": (both / left + both / right) / 2,
    }


def _reaching(
    metric: str, threshold: float, measures: dict, counts: tuple, n_baskets: int
) -> np.ndarray:
    values = measures[metric]
    kept = values >= threshold
    exact = {
        "support": lambda c, a, b: Fraction(c, n_baskets),
        "antecedent support": lambda c, a, b: Fraction(a, n_baskets),
        "consequent support": lambda c, a, b: Fraction(b, n_baskets),
        "confidence": lambda c, a, b: Fraction(c, a),
        "lift": lambda c, a, b: Fraction(c * n_baskets, a * b),
        "leverage": lambda c, a, b: Fraction(c * n_baskets - a * b, n_baskets**2),
    }.get(metric)
    if exact is not None:
        for i in np.flatnonzero(np.abs(values - threshold) <= 1e-9 * max(1.0, abs(threshold))):
            kept[i] = exact(*(int(count[i]) for count in counts)) >= exact_fraction(threshold)
    return kept


def _rule_order(measures: dict, both: np.ndarray, sides: list) -> list[tuple]:
    return [
        (-lift, -confidence, -count, *pair)
        for lift, confidence, count, pair in zip(
            measures["lift"], measures["confidence"], both, sides, strict=True
        )
    ]
