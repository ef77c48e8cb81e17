"""Relations under shuffled labels and under shuffled edges."""

import numpy as np
from scipy import sparse

from cohortlab.bipartite.swaps import random_tables, shuffled_ends, simple_edges
from cohortlab.compiled import compiled

#: Rounds of swaps before the first graph is used, and from one to the next.
_FIRST_ROUNDS, _NEXT_ROUNDS = 30, 4


def permutation_columns(
    incidence: sparse.sparray,
    groups: np.ndarray,
    person_codes: np.ndarray,
    item_labels: np.ndarray,
    *,
    method: str,
    n: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Compare every cell of a table of relations with shuffled ones.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        How often each person acted on each item.
    groups : ndarray of shape (n_people, n_item_clusters)
        Edges by person and item cluster.
    person_codes : ndarray of int, shape (n_people,)
        Cluster of each person, from 0.
    item_labels : array of shape (n_items,)
        Cluster of each item.
    method : {'labels', 'edges'}
        What is shuffled.
    n : int
        Number of shuffles.
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    z : ndarray of shape (n_person_clusters, n_item_clusters)
        Distance from the mean of the shuffles, in their standard deviations; NaN where they are
        all equal.
    p : ndarray of the same shape
        ``(1 + shuffles at least as far from the mean) / (1 + n)``; NaN where all are equal.

    Notes
    -----
    Shuffled labels are compared by the studentised deviation (the z of `relations`), not by the
    deviation itself: clusters of active people deviate more by chance, and the studentised test
    keeps its level there too where clusters are large. Shuffled edges are compared by the count.
    The data count as one of the shuffles: p is never zero, and the mean includes them.

    References
    ----------
    Chung and Romano (2013), Exact and asymptotically robust permutation tests.
    Phipson and Smyth (2010), Permutation p-values should never be zero.
    """
    found, shuffled = PERMUTATIONS[method](incidence, groups, person_codes, item_labels, n, rng)
    everything = np.concatenate([found[None], shuffled])
    distance = np.abs(everything - everything.mean(axis=0))
    deviation = everything.std(axis=0)
    varies = deviation > 1e-12 * np.maximum(np.abs(found), 1.0)
    z = np.full(found.shape, np.nan)
    z[varies] = ((found - everything.mean(axis=0)) / np.where(varies, deviation, 1.0))[varies]
    # Equal counts differ by the rounding of their mean.
    as_far = (distance[1:] >= distance[0] * (1 - 1e-9)).sum(axis=0)
    return z, np.where(varies, (1 + as_far) / (1 + n), np.nan)


def _by_labels(
    incidence: sparse.sparray,
    groups: np.ndarray,
    codes: np.ndarray,
    item_labels: np.ndarray,
    n: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    n_clusters = int(codes.max(initial=-1)) + 1
    degree = groups.sum(axis=1)
    total = max(float(degree.sum()), 1.0)
    residuals = groups - np.outer(degree, groups.sum(axis=0) / total)
    columns = np.column_stack([residuals, residuals**2, degree / total])
    whole = columns.sum(axis=0)
    found = _studentised(columns, whole, codes, n_clusters)
    if n_clusters < 2:
        return found, np.repeat(found[None], n, axis=0)
    # Edges are summed by person once, so that a shuffle is one pass over the people.
    return found, np.stack(
        [_studentised(columns, whole, rng.permutation(codes), n_clusters) for _ in range(n)]
    )


def _studentised(
    columns: np.ndarray, whole: np.ndarray, codes: np.ndarray, n_clusters: int
) -> np.ndarray:
    sums = np.zeros((n_clusters, columns.shape[1]))
    _add_rows(columns, codes, sums)
    k = (columns.shape[1] - 1) // 2
    deviation, inside, s = sums[:, :k], sums[:, k : 2 * k], sums[:, -1:]
    outside = np.maximum(whole[k : 2 * k] - inside, 0.0)
    variance = (1 - s) ** 2 * inside + s**2 * outside
    return np.divide(
        deviation,
        np.sqrt(variance),
        out=np.zeros_like(deviation),
        where=variance > 1e-12 * (inside + outside),
    )


@compiled()
def _add_rows(columns, codes, sums):
    # What `sum_by_group` does, in a single pass over all columns.
    for row in range(len(codes)):
        group = codes[row]
        for column in range(columns.shape[1]):
            sums[group, column] += columns[row, column]


def _by_edges(
    incidence: sparse.sparray,
    groups: np.ndarray,
    codes: np.ndarray,
    item_labels: np.ndarray,
    n: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    matrix = sparse.csr_array(incidence)
    item_ids, item_codes = np.unique(np.asarray(item_labels), return_inverse=True)
    shape = int(codes.max(initial=-1)) + 1, len(item_ids)
    observed = _table(matrix, codes, item_codes, shape)
    if not np.all(matrix.data == np.round(matrix.data)):
        raise ValueError("permutation 'edges' needs whole numbers of edges; choose 'labels'")
    if matrix.data.max(initial=0) > 1:
        return observed, random_tables(observed, n, rng=rng).astype(float)
    person, item, n_items = simple_edges(matrix)
    item = shuffled_ends(person, item, n_items, n_rounds=_FIRST_ROUNDS, rng=rng)
    rows, tables = codes[person] * shape[1], []
    for _ in range(n):
        item = shuffled_ends(person, item, n_items, n_rounds=_NEXT_ROUNDS, rng=rng)
        tables.append(np.bincount(rows + item_codes[item], minlength=observed.size))
    return observed, np.stack(tables).reshape(n, *shape).astype(float)


def _table(
    matrix: sparse.csr_array, codes: np.ndarray, item_codes: np.ndarray, shape: tuple[int, int]
) -> np.ndarray:
    rows = np.repeat(codes, np.diff(matrix.indptr))
    flat = rows * shape[1] + item_codes[matrix.indices]
    counts = np.bincount(flat, matrix.data, minlength=shape[0] * shape[1])
    return counts.reshape(shape)


#: What is shuffled -> function that gives the statistic of every cell and of all shuffles.
PERMUTATIONS = {"labels": _by_labels, "edges": _by_edges}
