"""The tested relation between clusters of people and clusters of items."""

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cohortlab.bipartite.incidence import person_by_item_cluster, sum_by_group

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


def relations(
    incidence: sparse.sparray,
    person_labels: np.ndarray,
    item_labels: np.ndarray,
    *,
    min_people: float = 10.0,
    min_effective_people: float = 5.0,
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

    Returns
    -------
    DataFrame
        All cells, ordered: `person_cluster, item_cluster, observed, expected, lift, z, p, q`.
        `expected` follows from the margins; `q` corrects `p` over all tested cells
        (Benjamini-Hochberg).

    Notes
    -----
    Let w_ij be the edges of person i to item cluster j, d_i a person's edges, T = sum of d_i,
    q_j = sum_i w_ij / T, and s the share of T that belongs to the people of cluster c. The null
    says E w_ij = d_i pi_j for everybody. Then

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
    Benjamini and Hochberg (1995), Controlling the false discovery rate.
    """
    groups, people, items = person_by_item_cluster(incidence, person_labels, item_labels)
    person_ids, person_codes = people
    observed = sum_by_group(groups, person_codes, len(person_ids))
    degree = groups.sum(axis=1)
    total = float(degree.sum())
    if total == 0:
        return _relation_frame(
            person_ids, items, np.zeros_like(observed), *[np.full(observed.shape, np.nan)] * 3
        )
    share_of_items = groups.sum(axis=0) / total
    share_of_people = observed.sum(axis=1) / total
    expected = np.outer(observed.sum(axis=1), share_of_items)
    variance = _person_variance(groups, degree, share_of_items, person_codes, share_of_people)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, (observed - expected) / np.sqrt(variance), np.nan)
    touching = _expected_people(groups, degree, share_of_items, person_codes, len(person_ids))
    effective = _effective_people(degree, person_codes, share_of_people)
    fit = (touching >= min_people) & (effective >= min_effective_people)[:, None]
    p = np.where(fit, 2 * stats.norm.sf(np.abs(z)), np.nan)
    return _relation_frame(person_ids, items, observed, expected, z, p)


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
    people, items = np.repeat(person_ids, len(item_ids)), np.tile(item_ids, len(person_ids))
    table = pd.DataFrame({"person_cluster": people, "item_cluster": items})
    whole = bool(np.all(observed == np.round(observed)))
    table["observed"] = observed.astype(np.int64).ravel() if whole else observed.ravel()
    table["expected"] = expected.ravel()
    table["lift"] = table["observed"] / table["expected"].where(table["expected"] > 0)
    table["z"], table["p"], table["q"] = z.ravel(), p.ravel(), np.nan
    tested = table["p"].notna()
    if tested.any():
        table.loc[tested, "q"] = stats.false_discovery_control(table.loc[tested, "p"])
    return table[RELATION_COLUMNS]
