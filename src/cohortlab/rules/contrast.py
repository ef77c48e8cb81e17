"""Rules compared between a cluster and everybody outside it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cohortlab.intervals import require_within
from cohortlab.rules.checks import require, sorted_items
from cohortlab.rules.correction import adjust
from cohortlab.rules.counting import StratifiedCounter, size_strata
from cohortlab.rules.evidence import DesignEffect, people_of
from cohortlab.rules.reading import read_baskets

SIDE = ["count", "support", "confidence", "lift", "log_odds_ratio", "variance"]


def contrast_rules(
    rules: pd.DataFrame,
    baskets: pd.DataFrame,
    *,
    clusters: Sequence[int] | None = None,
    alpha: float = 0.05,
    correction: str = "benjamini-hochberg",
) -> pd.DataFrame:
    """Ask of every rule whether it is stronger in a cluster than outside it.

    Parameters
    ----------
    rules : DataFrame
        `antecedents, consequents`; best found on other baskets, or without regard to clusters.
    baskets : DataFrame
        From `baskets_of`: `basket_id, item, cluster`, and `person_id` where people are known.
    clusters : sequence of int, optional
        Clusters to compare with the rest; all by default.
    alpha : float
        Level for the corrected p-values, in (0, 1).
    correction : {'benjamini-hochberg', 'holm', 'none'}
        How p-values are corrected for the number of comparisons, over all clusters.

    Returns
    -------
    DataFrame
        A row per rule and cluster, rule by rule: `antecedents, consequents, cluster`; then
        `count, support, confidence, lift, log_odds_ratio` once with `in` and once with `out`
        before it; `difference` of the log odds ratios, its `standard_error`, `z`, two-sided `p`,
        `q` (corrected), and `differs`. NaN where the antecedent or the consequent is in no or
        every basket on one of the sides.

    Raises
    ------
    ValueError
        If `alpha` is no level.

    Notes
    -----
    The log odds ratio is Mantel and Haenszel's over baskets of similar size (see `size_strata`),
    because large baskets by themselves look like association; its variance is that of Robins,
    Breslow and Greenland (1986), times the design effect of people who come more than once. The
    difference over its standard error is the test of the interaction of cluster and antecedent.
    Where a table has a product of cells that is zero, half a basket is added to every cell of its
    largest stratum.

    References
    ----------
    Mantel and Haenszel (1959). Robins, Breslow and Greenland (1986), Estimators of the
    Mantel-Haenszel variance consistent in both sparse data and large-strata limiting models.
    """
    require_within(alpha, "(0, 1)", name="alpha")
    require(rules, ["antecedents", "consequents"], "rules")
    require(baskets, ["basket_id", "item", "cluster"], "baskets")
    chosen = sorted_items(baskets["cluster"].unique()) if clusters is None else list(clusters)
    parts = []
    for cluster in chosen:
        inside = baskets["cluster"] == cluster
        sides = [_side(rules, baskets[rows]) for rows in (inside, ~inside)]
        parts.append(_compared(rules, cluster, *sides))
    empty = _compared(rules.head(0), 0, *2 * [pd.DataFrame(columns=SIDE, dtype=float)])
    table = pd.concat([part for part in parts if len(part)] or [empty])
    table = table.sort_index(kind="stable").reset_index(drop=True)
    table["q"] = adjust(table["p"].to_numpy(dtype=float), correction)
    table["differs"] = table["q"] <= alpha
    return table


def _side(rules: pd.DataFrame, baskets: pd.DataFrame) -> pd.DataFrame:
    read = read_baskets(baskets[[c for c in ["basket_id", "person_id", "item"] if c in baskets]])
    sides = list(zip(rules["antecedents"], rules["consequents"], strict=True))
    used = sorted_items({item for pair in sides for side in pair for item in side})
    counter = StratifiedCounter(read, size_strata(read), used)
    people = people_of(baskets, read.ids)
    repeated = people is not None and people.repeat
    effect = DesignEffect(counter, people) if repeated else None
    rows = [_measured(*pair, counter, effect) for pair in sides]
    return pd.DataFrame(rows, columns=SIDE, dtype=float)


def _measured(left: frozenset, right: frozenset, counter: StratifiedCounter, effect) -> tuple:
    masks = counter.mask(left), counter.mask(right)
    n = counter.sizes
    both, a, b = (counter.counts(mask) for mask in (masks[0] & masks[1], *masks))
    total = max(int(n.sum()), 1)
    n_both, n_left, n_right = int(both.sum()), int(a.sum()), int(b.sum())
    confidence = n_both / n_left if n_left else np.nan
    lift = confidence * total / n_right if n_right else np.nan
    if not 0 < n_left < total or not 0 < n_right < total:
        return n_both, n_both / total, confidence, lift, np.nan, np.nan
    log_ratio, variance = mantel_haenszel(both, a - both, b - both, n - a - b + both)
    factor = effect(*masks) if effect else 1.0
    return n_both, n_both / total, confidence, lift, log_ratio, variance * factor


def mantel_haenszel(
    both: np.ndarray, only_left: np.ndarray, only_right: np.ndarray, neither: np.ndarray
) -> tuple[float, float]:
    """Logarithm of the common odds ratio of several tables, and its variance.

    Parameters
    ----------
    both, only_left, only_right, neither : ndarray of int, shape (n_strata,)
        Cells of the tables.

    Returns
    -------
    log_ratio, variance : float
        Of one table: its log odds ratio, and Woolf's variance.

    Examples
    --------
    >>> one = [np.array([cell]) for cell in (10, 5, 4, 20)]
    >>> ratio, variance = mantel_haenszel(*one)
    >>> round(ratio, 4), round(variance, 4)
    (2.3026, 0.6)
    """
    a, b, c, d = (np.asarray(v, dtype=float) for v in (both, only_left, only_right, neither))
    if (a * d).sum() == 0 or (b * c).sum() == 0:
        half = np.zeros(len(a))
        half[np.argmax(a + b + c + d)] = 0.5
        a, b, c, d = a + half, b + half, c + half, d + half
    n = np.maximum(a + b + c + d, 1.0)
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    variance = (p * r).sum() / (2 * r.sum() ** 2) + (q * s).sum() / (2 * s.sum() ** 2)
    variance += (p * s + q * r).sum() / (2 * r.sum() * s.sum())
    return float(np.log(r.sum() / s.sum())), float(variance)


def _compared(
    rules: pd.DataFrame, cluster: object, inside: pd.DataFrame, outside: pd.DataFrame
) -> pd.DataFrame:
    columns = {side: rules[side].to_numpy() for side in ("antecedents", "consequents")}
    columns["cluster"] = np.full(len(rules), cluster)
    for word, side in [("in", inside), ("out", outside)]:
        for name in SIDE[:-1]:
            values = side[name].to_numpy()
            columns[f"{word} {name}"] = values.astype(np.int64) if name == "count" else values
    difference = columns["in log_odds_ratio"] - columns["out log_odds_ratio"]
    error = np.sqrt(inside["variance"].to_numpy() + outside["variance"].to_numpy())
    columns |= {"difference": difference, "standard_error": error, "z": difference / error}
    return pd.DataFrame(columns | {"p": 2 * ndtr(-np.abs(difference / error))})
