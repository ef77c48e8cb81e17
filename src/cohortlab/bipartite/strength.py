"""Strength of a whole relation, beside its null."""

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.bipartite.incidence import person_by_item_cluster, sum_by_group
from cohortlab.bipartite.modularity import matched_modularity
from cohortlab.bipartite.relation_table import relations
from cohortlab.intervals import require_within


def summarise(
    incidence: sparse.sparray,
    person_labels: np.ndarray,
    item_labels: np.ndarray,
    *,
    table: pd.DataFrame | None = None,
    alpha: float = 0.05,
    n_permutations: int = 199,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Strength of the whole relation, beside what people without it would show.

    Parameters
    ----------
    incidence, person_labels, item_labels
        As for `relations`.
    table : DataFrame, optional
        The table of `relations`, where it is there already.
    alpha : float
        Level at which a corrected cell counts as significant, in (0, 1).
    n_permutations : int
        Number of random signs given to every person's deviations.
    rng : numpy.random.Generator
        Source of the signs.

    Returns
    -------
    dict
        `n_people, n_items, n_edges, n_cells, n_untested, n_significant`, `mutual_information` in
        nats between the clusters at both ends of an edge, `mutual_information_null` (its mean
        without a relation), `cramers_v`, `modularity` (see `matched_modularity`), and
        `p_permutation` of the mutual information. The null and its p are None where `relations`
        could test no cell.

    Raises
    ------
    ValueError
        If `alpha` is no level.

    Notes
    -----
    Mutual information of a finite table is never zero, so it is read against a null only. The
    null gives all deviations r_ij of a person (see `relations`) one random sign: no cluster then
    leans to any items, while each person keeps the degree, the cluster and the dependence between
    own edges. Shuffling labels would not: clusters of active people would lose their activity,
    and with it the larger chance deviations that activity brings.

    References
    ----------
    Wu (1986), Jackknife, bootstrap and other resampling methods in regression analysis, section 7.
    """
    require_within(alpha, "(0, 1)", name="alpha")
    table = relations(incidence, person_labels, item_labels) if table is None else table
    groups, (person_ids, codes), _ = person_by_item_cluster(incidence, person_labels, item_labels)
    observed = sum_by_group(groups, codes, len(person_ids))
    found, n_tested = mutual_information(observed), int(table["p"].notna().sum())
    null = _null_information(groups, codes, observed, n_permutations if n_tested else 0, rng)
    return {
        "n_people": len(groups),
        "n_items": len(np.asarray(item_labels)),
        "n_edges": _number(observed.sum()),
        "n_cells": len(table),
        "n_untested": len(table) - n_tested,
        "n_significant": int((table["q"] <= alpha).sum()),
        "mutual_information": found,
        "mutual_information_null": float(null.mean()) if len(null) else None,
        "cramers_v": cramers_v(observed),
        "modularity": matched_modularity(observed),
        "p_permutation": _permutation_p(found, null),
    }


def _null_information(
    groups: np.ndarray, codes: np.ndarray, observed: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    if n == 0:
        return np.zeros(0)
    share_of_items = observed.sum(axis=0) / observed.sum()
    share_of_people = observed.sum(axis=1, keepdims=True) / observed.sum()
    expected = observed.sum(axis=1, keepdims=True) * share_of_items
    residuals = groups - np.outer(groups.sum(axis=1), share_of_items)
    null = []
    for _ in range(n):
        signs = 2.0 * rng.integers(2, size=(len(groups), 1)) - 1.0
        deviation = sum_by_group(signs * residuals, codes, len(observed))
        deviation -= share_of_people * deviation.sum(axis=0)
        null.append(mutual_information(np.maximum(expected + deviation, 0.0)))
    return np.array(null)


def _permutation_p(found: float, null: np.ndarray) -> float | None:
    # The data count as one of the permutations: p is never zero.
    return (1 + int((null >= found - 1e-12).sum())) / (1 + len(null)) if len(null) else None


def mutual_information(counts: np.ndarray) -> float:
    """Mutual information of a table of counts.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_columns)
        Table of counts.

    Returns
    -------
    float
        In nats; 0 for an empty table.

    Examples
    --------
    >>> round(mutual_information(np.eye(2)), 4)
    0.6931
    """
    total = counts.sum()
    if total <= 0:
        return 0.0
    joint = counts / total
    product = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    cells = joint > 0
    return max(0.0, float(np.sum(joint[cells] * np.log(joint[cells] / product[cells]))))


def cramers_v(counts: np.ndarray) -> float:
    """Cramer's V of a table of counts.

    Parameters
    ----------
    counts : ndarray of shape (n_rows, n_columns)
        Table of counts.

    Returns
    -------
    float
        0 no relation, 1 a deterministic one; 0 where a side has a single group.

    References
    ----------
    Cramer (1946), Mathematical Methods of Statistics, chapter 21.

    Examples
    --------
    >>> cramers_v(np.array([[5, 0], [0, 3]]))
    1.0
    """
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return 0.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    chi_squared = float(np.sum((counts - expected) ** 2 / expected))
    return float(np.sqrt(chi_squared / counts.sum() / (min(counts.shape) - 1)))


def _number(value: float) -> int | float:
    return int(value) if value == round(value) else float(value)
