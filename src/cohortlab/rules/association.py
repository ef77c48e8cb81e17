"""Association rules with mlxtend's columns, on exact counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
import pandas as pd

from cohortlab.rules.checks import exact_fraction, require
from cohortlab.rules.found import Found, packed_keys, sets_of
from cohortlab.rules.measures import FURTHER, FURTHER_MEASURES, MEASURES, SHARED, RuleCounts
from cohortlab.rules.subsets import SubsetIndex, codes_of_sets, found_of

#: Whole numbers of baskets behind a rule, beside mlxtend's measures.
COUNTS = ["count", "antecedent count", "consequent count"]
#: Itemsets that are split at a time: bounds the memory.
BLOCK = 200_000


@dataclass(frozen=True)
class _Rules:
    """Rules of one shape: sides as rows of codes, and their three counts as rows."""

    left: np.ndarray
    right: np.ndarray
    counts: np.ndarray
    improvement: np.ndarray | None


def association_rules(
    itemsets: pd.DataFrame,
    metric: str = "confidence",
    min_threshold: float = 0.8,
    *,
    max_consequent: int | None = None,
    n_baskets: int | None = None,
    num_itemsets: int | None = None,
    further: Sequence[str] = (),
) -> pd.DataFrame:
    """Rules from frequent itemsets, with mlxtend's columns.

    Parameters
    ----------
    itemsets : DataFrame
        From `frequent_itemsets`, or mlxtend's frame (then give `n_baskets`).
    metric : str
        The measure that must reach `min_threshold`: any of `MEASURES` and `FURTHER_MEASURES`.
    min_threshold : float
        Smallest value of the measure; of `fisher_p`, the largest. Support, confidence, lift and
        leverage are compared as exact ratios of counts.
    max_consequent : int, optional
        Largest number of items on the right-hand side; no limit by default.
    n_baskets : int, optional
        Number of baskets, where the frame does not remember it.
    num_itemsets : int, optional
        mlxtend's name for `n_baskets`; give one of the two.
    further : sequence of str
        Measures of `FURTHER_MEASURES` to add as columns; all of them: `further=FURTHER_MEASURES`.

    Returns
    -------
    DataFrame
        `antecedents, consequents` (frozensets), mlxtend's measures in its order, then `count`,
        `antecedent count`, `consequent count` and the further measures. Ordered by falling lift,
        confidence and count, then by the items. No row where no rule reaches the threshold.

    Raises
    ------
    ValueError
        If a measure is unknown, the threshold is no number, the number of baskets is not known or
        does not make whole numbers of the supports, or a part of an itemset is not among the
        itemsets.

    Notes
    -----
    Every measure is defined, and its source named, at the head of `cohortlab.rules.measures`.
    """
    for name in (metric, *further):
        if name not in SHARED and name not in FURTHER_MEASURES:
            raise ValueError(
                f"unknown metric {name!r}: choose one of {[*MEASURES, *FURTHER_MEASURES]}"
            )
    if np.isnan(min_threshold):
        raise ValueError("min_threshold is not a number: give the value that rules must reach")
    if None not in (n_baskets, num_itemsets) and n_baskets != num_itemsets:
        raise ValueError(f"n_baskets is {n_baskets} and num_itemsets {num_itemsets}: give one")
    found, items, n_baskets = _coded(itemsets, n_baskets or num_itemsets)
    index = SubsetIndex(found, len(items))
    improving = "improvement" in (metric, *further)
    kept = []
    for rules in _splits(index, items, max_consequent):
        if improving:
            rules = _improved(rules, index, n_baskets)
        if metric == "improvement":
            reached = rules.improvement >= min_threshold
        else:
            reached = rules_reaching(metric, min_threshold, RuleCounts(*rules.counts, n_baskets))
        kept.append(_chosen(rules, reached))
    return _as_table(kept, items, n_baskets, further)


def _coded(itemsets: pd.DataFrame, n_baskets: int | None) -> tuple[Found, list, int]:
    require(itemsets, ["support", "itemsets"], "itemsets")
    n_baskets = n_baskets or itemsets.attrs.get("n_baskets")
    if n_baskets is None:
        raise ValueError("the frame of itemsets does not say how many baskets: pass n_baskets=")
    counts = _whole_counts(itemsets, n_baskets)
    codes, sizes, items = codes_of_sets(itemsets["itemsets"])
    return found_of(codes, sizes, counts), items, int(n_baskets)


def _whole_counts(itemsets: pd.DataFrame, n_baskets: int) -> np.ndarray:
    support = itemsets["support"].to_numpy(dtype=float)
    meant = support * n_baskets
    counts = itemsets["count"].to_numpy() if "count" in itemsets.columns else np.rint(meant)
    wrong = np.flatnonzero(~(np.abs(meant - counts) <= 1e-6 * np.maximum(meant, 1.0)))
    if len(wrong):
        first = wrong[0]
        expected = f"{counts[first]:g}" if "count" in itemsets.columns else "a whole number"
        raise ValueError(
            f"a support of {support[first]:g} of {n_baskets} baskets is {meant[first]:.6g} of "
            f"them, not {expected}: give the number of baskets that they were found in"
        )
    return counts.astype(np.int64)


def _splits(index: SubsetIndex, items: list, max_consequent: int | None) -> Iterator[_Rules]:
    """Split every itemset into two sides in every way, one way for many itemsets at a time."""
    for size in range(2, len(index.found.codes) + 1):
        all_codes, all_counts = index.found.codes[size - 1], index.found.counts[size - 1]
        for begin in range(0, len(all_codes), BLOCK):
            codes, both = all_codes[begin : begin + BLOCK], all_counts[begin : begin + BLOCK]
            for width in range(1, min(size - 1, max_consequent or size) + 1):
                for places in combinations(range(size), width):
                    right = codes[:, places]
                    left = np.delete(codes, places, axis=1)
                    parts = [_known(index, side, codes, items) for side in (left, right)]
                    yield _Rules(left, right, np.array([both, *parts]), None)


def _known(index: SubsetIndex, side: np.ndarray, codes: np.ndarray, items: list) -> np.ndarray:
    counts = index.counts(side)
    missing = np.flatnonzero(counts < 0)
    if len(missing):
        whole, part = codes[missing[0]], side[missing[0]]
        raise ValueError(
            f"{[items[i] for i in whole]} is listed without its part {[items[i] for i in part]}: "
            "rules need all frequent itemsets, not only closed or maximal ones"
        )
    return counts


def _improved(rules: _Rules, index: SubsetIndex, n_baskets: int) -> _Rules:
    both, left, right = rules.counts
    best = right / n_baskets
    n_left = rules.left.shape[1]
    for size in range(1, n_left):
        for places in combinations(range(n_left), size):
            fewer = rules.left[:, places]
            with_right = np.sort(np.hstack([fewer, rules.right]), axis=1)
            best = np.maximum(best, index.counts(with_right) / index.counts(fewer))
    return _Rules(rules.left, rules.right, rules.counts, both / left - best)


def rules_reaching(metric: str, threshold: float, counts: RuleCounts) -> np.ndarray:
    """Tell which rules reach a threshold; near it, ratios of counts are compared exactly.

    Parameters
    ----------
    metric, threshold
        As for `association_rules`; not `improvement`.
    counts : RuleCounts
        Counts of the rules.

    Returns
    -------
    ndarray of bool, shape (n_rules,)
        Whether each reaches it.
    """
    values, n = {**SHARED, **FURTHER}[metric](counts), counts.n
    if metric == "fisher_p":
        return values <= threshold
    kept = values >= threshold
    exact = {
        "support": lambda c, a, b: Fraction(c, n),
        "coverage": lambda c, a, b: Fraction(a, n),
        "antecedent support": lambda c, a, b: Fraction(a, n),
        "consequent support": lambda c, a, b: Fraction(b, n),
        "confidence": lambda c, a, b: Fraction(c, a),
        "lift": lambda c, a, b: Fraction(c * n, a * b),
        "leverage": lambda c, a, b: Fraction(c * n - a * b, n**2),
    }.get(metric)
    if exact is not None:
        near = np.abs(values - threshold) <= 1e-9 * max(1.0, abs(threshold))
        for i in np.flatnonzero(near):
            parts = (int(part[i]) for part in (counts.both, counts.left, counts.right))
            kept[i] = exact(*parts) >= exact_fraction(threshold)
    return kept


def _chosen(rules: _Rules, rows: np.ndarray) -> _Rules:
    improvement = None if rules.improvement is None else rules.improvement[rows]
    return _Rules(rules.left[rows], rules.right[rows], rules.counts[:, rows], improvement)


def _as_table(parts: list[_Rules], items: list, n: int, further: Sequence[str]) -> pd.DataFrame:
    counts = np.hstack([np.empty((3, 0), dtype=np.int64), *(part.counts for part in parts)])
    known = RuleCounts(*counts, n)
    columns = {name: measure(known) for name, measure in SHARED.items()}
    columns |= dict(zip(COUNTS, counts, strict=True))
    columns |= {name: FURTHER[name](known) for name in further if name in FURTHER}
    if "improvement" in further:
        none = np.empty(0)
        columns["improvement"] = np.concatenate([none, *(part.improvement for part in parts)])
    keys = [-columns["lift"], -columns["confidence"], -columns["count"]]
    for side in ("left", "right"):
        keys += packed_keys(_padded([getattr(part, side) for part in parts]))
    order = np.lexsort(keys[::-1])
    table = pd.DataFrame({name: values[order] for name, values in columns.items()})
    for place, side in enumerate(["left", "right"]):
        sets = sets_of([getattr(part, side) for part in parts], items)[order]
        table.insert(place, ["antecedents", "consequents"][place], sets)
    table.attrs["n_baskets"] = n
    return table


def _padded(parts: list[np.ndarray]) -> list[np.ndarray]:
    """Codes from 1 in columns, 0 beyond the end: what is shorter comes first, as with tuples."""
    width = max((part.shape[1] for part in parts), default=0)
    rows = [np.pad(part + 1, ((0, 0), (0, width - part.shape[1]))) for part in parts]
    return list(np.vstack([np.empty((0, width), dtype=np.int64), *rows]).T)
