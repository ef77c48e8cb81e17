"""How often a rule returns when the baskets are drawn again."""

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.rules.association import rules_reaching
from cohortlab.rules.checks import require
from cohortlab.rules.evidence import people_of
from cohortlab.rules.itemsets import minimum_count
from cohortlab.rules.measures import RuleCounts
from cohortlab.rules.reading import Baskets, read_baskets


def rule_stability(
    rules: pd.DataFrame,
    baskets: pd.DataFrame,
    min_support: float,
    *,
    metric: str = "confidence",
    min_threshold: float = 0.3,
    n_bootstrap: int = 200,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Count in how many bootstrap samples each rule would be found again.

    Parameters
    ----------
    rules : DataFrame
        `antecedents, consequents`.
    baskets : DataFrame
        Columns `basket_id, item`; with `person_id`, whole people are drawn.
    min_support : float or int
        As for `frequent_itemsets`; a share is one of the baskets of the sample.
    metric, min_threshold
        As for `association_rules`; not `improvement`.
    n_bootstrap : int
        Number of samples, at least 1.
    rng : numpy.random.Generator
        Source of the samples.

    Returns
    -------
    DataFrame
        `antecedents, consequents`, `returned` (share of the samples in which the rule reaches both
        thresholds), `lift_median`, `lift_low`, `lift_high` (quantiles 0.5, 0.025 and 0.975 of its
        lift; NaN where it is undefined in some sample).

    Notes
    -----
    A rule is found exactly where its itemset and its measure reach their thresholds, so counting
    its sides in each sample is enough; nothing is mined again.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap, chapters 6 and 13.
    """
    require(rules, ["antecedents", "consequents"], "rules")
    if n_bootstrap < 1:
        raise ValueError(f"n_bootstrap is {n_bootstrap}: give 1 or more")
    read = read_baskets(baskets)
    weights = _weights(read, baskets, n_bootstrap, rng)
    n = weights.sum(axis=0)
    sides = list(zip(rules["antecedents"], rules["consequents"], strict=True))
    parts = [[a | b for a, b in sides], [a for a, _ in sides], [b for _, b in sides]]
    both, left, right = (_drawn(read, part, weights) for part in parts)
    least = np.array([minimum_count(min_support, int(size)) if size else 1 for size in n])
    reached = np.zeros(both.shape, dtype=bool)
    for sample in range(n_bootstrap):
        known = np.flatnonzero((both[:, sample] >= least[sample]) & (left[:, sample] > 0))
        counts = RuleCounts(*(part[known, sample] for part in (both, left, right)), int(n[sample]))
        reached[known, sample] = rules_reaching(metric, min_threshold, counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        lift = both * n.astype(float) / (left.astype(float) * right)
    table = rules[["antecedents", "consequents"]].reset_index(drop=True)
    table["returned"] = reached.mean(axis=1)
    for name, level in [("median", 0.5), ("low", 0.025), ("high", 0.975)]:
        table[f"lift_{name}"] = np.quantile(lift, level, axis=1) if len(lift) else np.empty(0)
    return table


def _weights(
    read: Baskets, baskets: pd.DataFrame, n_bootstrap: int, rng: np.random.Generator
) -> np.ndarray:
    """How often each basket is in each sample, shape (n_baskets, n_bootstrap)."""
    people = people_of(baskets, read.ids)
    n_units = read.n_baskets if people is None else people.n
    if n_units == 0:
        return np.zeros((0, n_bootstrap), dtype=np.int64)
    drawn = rng.multinomial(n_units, np.full(n_units, 1 / n_units), size=n_bootstrap).T
    return drawn if people is None else drawn[people.of_basket]


def _drawn(read: Baskets, itemsets: list[frozenset], weights: np.ndarray) -> np.ndarray:
    """Count of each itemset in each sample, shape (n_itemsets, n_bootstrap)."""
    code = {item: i for i, item in enumerate(read.items)}
    held = read.matrix().tocsc()
    different = list(dict.fromkeys(itemsets))
    found = [_baskets_with(held, [code.get(item, -1) for item in s]) for s in different]
    starts = np.concatenate([[0], np.cumsum([len(rows) for rows in found])]).astype(np.int64)
    rows = np.concatenate([np.empty(0, dtype=np.int64), *found])
    shape = (len(different), read.n_baskets)
    members = sparse.csr_array((np.ones(len(rows), dtype=np.int64), rows, starts), shape=shape)
    place = {itemset: i for i, itemset in enumerate(different)}
    return (members @ weights)[[place[itemset] for itemset in itemsets]]


def _baskets_with(held: sparse.csc_array, codes: list[int]) -> np.ndarray:
    if -1 in codes:
        return np.empty(0, dtype=np.int64)
    parts = [held.indices[held.indptr[code] : held.indptr[code + 1]] for code in codes]
    rows = parts[0]
    for part in parts[1:]:
        rows = np.intersect1d(rows, part, assume_unique=True)
    return rows.astype(np.int64)
