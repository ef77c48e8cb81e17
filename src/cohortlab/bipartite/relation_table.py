"""The tested relation between clusters of people and clusters of items."""

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cohortlab.bipartite.incidence import (
    checked_incidence,
    person_by_item_cluster,
    sum_by_group,
)
from cohortlab.bipartite.permutations import PERMUTATIONS, permutation_columns

#: Columns of the table of relations.
RELATION_COLUMNS = [
    "person_cluster",
    "item_cluster",
    "observed",
    "expected",
    "lift",
    "z",
    "p",
    "q",
]

#: What is independent of each other where nothing relates.
NULLS = ("people", "edges")
#: Number of edges up to which hypergeometric tails are computed exactly.
_EXACT_UP_TO = 100_000


def relations(
    incidence: sparse.sparray,
    person_labels: np.ndarray,
    item_labels: np.ndarray,
    *,
    min_people: float = 10.0,
    min_effective_people: float = 5.0,
    null: str = "people",
    permutation: str | None = None,
    n_permutations: int = 999,
    rng: np.random.Generator | None = None,
) -> pd.DataFrame:
    """Test how clusters of people relate to clusters of items.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        How often each person acted on each item; no negative value.
    person_labels : array of shape (n_people,)
        Cluster of each person.
    item_labels : array of shape (n_items,)
        Cluster of each item.
    min_people : float
        A cell is tested where at least so many people of the cluster would be expected to touch
        the item cluster, and so many another one; elsewhere `p` and `q` are NaN.
    min_effective_people : float
        A cluster is tested where the variance rests on at least so many people, judged by their
        degrees alone; below it a handful of very active people would decide every cell.
    null : {'people', 'edges'}
        What is independent of each other where nothing relates. `people`: people are, their own
        edges need not be (below). `edges`: every edge is, but for the degrees, which stay; all
        cells are tested, `min_people` and `min_effective_people` do not matter.
    permutation : {'labels', 'edges'}, optional
        Adds `z_permutation, p_permutation, q_permutation`. `labels` shuffles the clusters among
        people; `edges` shuffles the edges so that every degree stays: by swaps where a pair is
        joined once at most, else by dealing the item ends of all edges anew.
    n_permutations : int
        Number of shuffles.
    rng : numpy.random.Generator, optional
        Source of the shuffles; needed for them.

    Returns
    -------
    DataFrame
        All cells, ordered: `person_cluster, item_cluster, observed, expected, lift, z, p, q`.
        `expected` follows from the margins; `q` corrects `p` over all tested cells
        (Benjamini-Hochberg).

    Raises
    ------
    ValueError
        If an option is unknown, shuffles have no rng, or labels do not fit the incidence.

    Notes
    -----
    With T edges, T_c at a cluster's people and K_j at an item cluster, the edges null makes a cell
    hypergeometric: mean T_c K_j / T, variance T_c K_j (T - T_c) (T - K_j) / (T^2 (T - 1)); `p` is
    twice the smaller tail, exact up to 100,000 edges and normal beyond.

    The people null: let w_ij be the edges of person i to item cluster j, d_i a person's edges,
    T = sum of d_i, q_j = sum_i w_ij / T, and s the share of T that belongs to the people of
    cluster c. The null says E w_ij = d_i pi_j for everybody. Then

        observed - expected = sum_{i in c} (w_ij - d_i q_j) = sum_{i in c} r_ij.

    q_j is itself estimated from all people: q_j - pi_j = sum_all e_i / T with
    e_i = w_ij - d_i pi_j, and so

        sum_{i in c} r_ij = sum_{i in c} e_i - s sum_all e_i
                          = (1 - s) sum_{i in c} e_i - s sum_{i not in c} e_i.

    People are independent of each other, their own edges need not be, hence the variance

        (1 - s)^2 sum_{i in c} e_i^2 + s^2 sum_{i not in c} e_i^2,

    with r_ij in place of e_i: a sandwich estimate with one cluster of observations per person. A
    test that counts edges as independent takes T_c q_j (1 - q_j)(1 - s) for it, which is far too
    small as soon as people return to what they know.

    People of degree d add up to d^2 to the variance, so its effective number of people is
    (sum a_i^2 d_i^2)^2 / sum a_i^4 d_i^4 with a_i = 1 - s inside the cluster and s outside. The
    rule looks at degrees and not at residuals: choosing cells by what is tested would bias them.

    References
    ----------
    Liang and Zeger (1986), Longitudinal data analysis using generalized linear models, eq. 7.
    Benjamini and Hochberg (1995), Controlling the false discovery rate. Barber (2007), Modularity
    and community detection in bipartite networks (the degree-preserving null).
    """
    _check_options(null, permutation, n_permutations, rng)
    incidence = checked_incidence(incidence, person_labels, item_labels)
    groups, people, items = person_by_item_cluster(incidence, person_labels, item_labels)
    person_ids, person_codes = people
    observed = sum_by_group(groups, person_codes, len(person_ids))
    degree = groups.sum(axis=1)
    total = float(degree.sum())
    nothing = np.full(observed.shape, np.nan)
    if total == 0:
        table = _relation_frame(person_ids, items, np.zeros_like(observed), *[nothing] * 3)
    else:
        expected = np.outer(observed.sum(axis=1), groups.sum(axis=0) / total)
        if null == "edges":
            z, p = _edge_level(observed, expected)
        else:
            z, p = _person_level(
                groups, degree, person_codes, observed, (min_people, min_effective_people)
            )
        table = _relation_frame(person_ids, items, observed, expected, z, p)
    if permutation is None:
        return table
    columns = permutation_columns(
        incidence, groups, person_codes, item_labels, method=permutation, n=n_permutations, rng=rng
    )
    return _with_permutation(table, *columns)


def _check_options(null: str, permutation: str | None, n: int, rng: object) -> None:
    if null not in NULLS:
        raise ValueError(f"null is {null!r}: choose one of {list(NULLS)}")
    if permutation is None:
        return
    if permutation not in PERMUTATIONS:
        raise ValueError(f"permutation is {permutation!r}: choose one of {list(PERMUTATIONS)}")
    if rng is None or n < 1:
        raise ValueError("permutation needs rng, a numpy Generator, and n_permutations from 1")


def _person_level(
    groups: np.ndarray,
    degree: np.ndarray,
    codes: np.ndarray,
    observed: np.ndarray,
    limits: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    total = float(degree.sum())
    share_of_items, share_of_people = groups.sum(axis=0) / total, observed.sum(axis=1) / total
    expected = np.outer(observed.sum(axis=1), share_of_items)
    variance = _person_variance(groups, degree, share_of_items, codes, share_of_people)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, (observed - expected) / np.sqrt(variance), np.nan)
    touching = _expected_people(groups, degree, share_of_items, codes, len(observed))
    effective = _effective_people(degree, codes, share_of_people)
    fit = (touching >= limits[0]) & (effective >= limits[1])[:, None]
    return z, np.where(fit, 2 * stats.norm.sf(np.abs(z)), np.nan)


def _edge_level(observed: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    total = observed.sum()
    rows, columns = np.broadcast_arrays(
        observed.sum(axis=1, keepdims=True), observed.sum(axis=0, keepdims=True)
    )
    variance = expected * (1 - rows / total) * (1 - columns / total)
    variance *= total / max(total - 1, 1)
    possible = variance > 1e-12
    z = np.full(observed.shape, np.nan)
    z[possible] = (observed - expected)[possible] / np.sqrt(variance[possible])
    if total > _EXACT_UP_TO or not np.all(observed == np.round(observed)):
        return z, 2 * stats.norm.sf(np.abs(z))
    law = stats.hypergeom(int(total), rows.astype(int), columns.astype(int))
    tail = np.minimum(law.cdf(observed), law.sf(observed - 1))
    return z, np.where(possible, np.minimum(1.0, 2 * tail), np.nan)


def _with_permutation(table: pd.DataFrame, z: np.ndarray, p: np.ndarray) -> pd.DataFrame:
    return table.assign(
        z_permutation=z.ravel(), p_permutation=p.ravel(), q_permutation=_corrected(p.ravel())
    )


def _corrected(p: np.ndarray) -> np.ndarray:
    tested, q = ~np.isnan(p), np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested])
    return q


def _person_variance(
    groups: np.ndarray,
    degree: np.ndarray,
    share_of_items: np.ndarray,
    codes: np.ndarray,
    share_of_people: np.ndarray,
) -> np.ndarray:
    residuals = groups - np.outer(degree, share_of_items)
    inside = sum_by_group(residuals**2, codes, len(share_of_people))
    outside = (residuals**2).sum(axis=0) - inside
    s = share_of_people[:, None]
    variance = (1 - s) ** 2 * inside + s**2 * np.maximum(outside, 0.0)
    # With a single cluster nothing is left but rounding error.
    return np.where(variance > 1e-12 * (inside + outside), variance, 0.0)


def _effective_people(
    degree: np.ndarray, codes: np.ndarray, share_of_people: np.ndarray
) -> np.ndarray:
    squares = degree.astype(float) ** 2
    inside = [np.bincount(codes, squares**power) for power in (1, 2)]
    outside = [(squares**power).sum() - part for power, part in zip((1, 2), inside, strict=True)]
    s = share_of_people
    spread = [
        (1 - s) ** (2 * power) * a + s ** (2 * power) * np.maximum(b, 0.0)
        for power, a, b in zip((1, 2), inside, outside, strict=True)
    ]
    return np.divide(spread[0] ** 2, spread[1], out=np.zeros(len(s)), where=spread[1] > 0)


def _expected_people(
    groups: np.ndarray,
    degree: np.ndarray,
    share_of_items: np.ndarray,
    codes: np.ndarray,
    n_groups: int,
) -> np.ndarray:
    touching = _touching(groups > 0, degree, share_of_items, codes, n_groups)
    elsewhere = _touching(groups < degree[:, None], degree, 1 - share_of_items, codes, n_groups)
    return np.minimum(touching, elsewhere)


def _touching(
    touched: np.ndarray, degree: np.ndarray, share: np.ndarray, codes: np.ndarray, n_groups: int
) -> np.ndarray:
    # Independent edges would touch with 1 - (1 - share)^degree; people who return to the same
    # items touch fewer, so that is scaled to the number of people who did touch.
    chance = 1 - (1 - np.clip(share, 0, 1))[None, :] ** degree[:, None]
    total = chance.sum(axis=0)
    ratio = np.divide(touched.sum(axis=0), total, out=np.zeros(len(share)), where=total > 0)
    return sum_by_group(chance, codes, n_groups) * ratio


def _relation_frame(
    person_ids: np.ndarray,
    item_ids: np.ndarray,
    observed: np.ndarray,
    expected: np.ndarray,
    z: np.ndarray,
    p: np.ndarray,
) -> pd.DataFrame:
    whole = bool(np.all(observed == np.round(observed)))
    counts = (observed.astype(np.int64) if whole else observed).ravel()
    expected, p = expected.ravel(), p.ravel()
    lift = np.divide(counts, expected, out=np.full(expected.shape, np.nan), where=expected > 0)
    return pd.DataFrame(
        {
            "person_cluster": np.repeat(person_ids, len(item_ids)),
            "item_cluster": np.tile(item_ids, len(person_ids)),
            "observed": counts,
            "expected": expected,
            "lift": lift,
            "z": z.ravel(),
            "p": p,
            "q": _corrected(p),
        }
    )
