"""How near two rows are in a forest: the share of trees in which they do not share a leaf."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist, squareform

from cohortlab.clusters.silhouettes import silhouettes as silhouettes_of_all

#: Rows whose distances to all others are held at one time.
_BLOCK = 512


def _one_hot(X: np.ndarray) -> sparse.csr_array:
    """Mark the value that a row has in each column; every value of a column is a column here."""
    codes = [np.unique(column, return_inverse=True)[1] for column in X.T]
    firsts = np.cumsum([0, *(code.max(initial=-1) + 1 for code in codes)])
    columns = np.column_stack(codes) + firsts[:-1]
    starts = np.arange(0, X.size + 1, X.shape[1])
    ones = np.ones(X.size, dtype=np.float32)
    return sparse.csr_array((ones, columns.ravel(), starts), shape=(len(X), firsts[-1]))


def _share_apart(some: sparse.csr_array, others: sparse.csr_array) -> np.ndarray:
    """Hamming distances, by counting the values that two rows share: leaves hold few rows each."""
    n_columns = some.nnz // some.shape[0]
    return (n_columns - (some @ others.T).toarray().astype(float)) / n_columns


#: How rows are prepared, once, and how their distances are then taken.
_METRICS = {"hamming": (_one_hot, _share_apart), "euclidean": (np.asarray, cdist)}


def nearest_rows(X: np.ndarray, n_neighbours: int, *, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest rows of every row, itself first, exactly.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Leaves, or any numbers.
    n_neighbours : int
        How many, the row itself counted; at most the number of rows.
    metric : str
        `hamming` (share of columns that differ) or `euclidean`.

    Returns
    -------
    indices : ndarray of int32, shape (n_rows, n_neighbours)
        Rows by growing distance; of rows equally far the earlier one first.
    distances : ndarray of float32, shape (n_rows, n_neighbours)
        Their distances.

    Raises
    ------
    ValueError
        If there are fewer rows than neighbours.

    Examples
    --------
    >>> nearest_rows(np.array([[1, 1], [1, 2], [3, 3]]), 2, metric="hamming")[0].tolist()
    [[0, 1], [1, 0], [2, 0]]
    """
    if not 1 <= n_neighbours <= len(X):
        raise ValueError(
            f"n_neighbours: expected 1 to the {len(X)} rows at hand, got {n_neighbours}: lower it"
        )
    prepare, between = _METRICS[metric]
    prepared = prepare(X)
    indices = np.empty((len(X), n_neighbours), dtype=np.int32)
    distances = np.empty((len(X), n_neighbours), dtype=np.float32)
    for start in range(0, len(X), _BLOCK):
        block = between(prepared[start : start + _BLOCK], prepared)
        rows = np.arange(len(block))
        block[rows, start + rows] = -1.0
        nearest = np.argsort(block, axis=1, kind="stable")[:, :n_neighbours]
        indices[start : start + _BLOCK] = nearest
        distances[start : start + _BLOCK] = np.take_along_axis(block, nearest, axis=1)
    return indices, np.maximum(distances, 0.0)


def share_alone(distances: np.ndarray) -> float:
    """Share of the nearest rows that share no leaf with their row at all.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_neighbours)
        Hamming distances, the row itself first.

    Returns
    -------
    float
        0 where all neighbours are real ones; near 1 their choice is arbitrary.

    Examples
    --------
    >>> share_alone(np.array([[0.0, 0.5, 1.0], [0.0, 1.0, 1.0]]))
    0.75
    """
    return float((distances[:, 1:] == 1.0).mean())


def cluster_by_proximity(
    leaves: np.ndarray, *, n_clusters: int, max_rows: int, random_state: int
) -> np.ndarray:
    """Join rows by the mean distance of their leaves (average linkage).

    Parameters
    ----------
    leaves : ndarray of int, shape (n_rows, n_trees)
        Leaf of every row in every tree.
    n_clusters : int
        Number of clusters; fewer come out where distances are equal.
    max_rows : int
        All pairs of rows are held in memory. With more rows a sample of so many is joined, and
        the others go to the cluster of the nearest sampled row.
    random_state : int
        Seed of the sample.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Clusters from 0.

    References
    ----------
    Breiman and Cutler (2003), Random forests manual, section on proximities. Sokal and Michener
    (1958), A statistical method for evaluating systematic relationships.
    """
    sample = np.arange(len(leaves))
    if len(leaves) > max_rows:
        rng = np.random.default_rng(random_state)
        sample = np.sort(rng.choice(len(leaves), max_rows, replace=False))
    marked = _one_hot(leaves)
    apart = _share_apart(marked[sample], marked[sample])
    tree = hierarchy.linkage(squareform(apart, checks=False), "average")
    of_sample = hierarchy.fcluster(tree, n_clusters, "maxclust") - 1
    if len(sample) == len(leaves):
        return of_sample
    blocks = (marked[start : start + _BLOCK] for start in range(0, len(leaves), _BLOCK))
    nearest = [_share_apart(block, marked[sample]).argmin(axis=1) for block in blocks]
    return of_sample[np.concatenate(nearest)]


def silhouettes(
    places: np.ndarray,
    labelings: Mapping[str, np.ndarray],
    *,
    metric: str,
    max_rows: int,
    random_state: int,
) -> dict[str, float]:
    """Mean silhouettes of several clusterings in one space.

    Parameters
    ----------
    places : ndarray of shape (n_rows, n_columns)
        Leaves (with `hamming`: the share of trees that part two rows), places in a plane, or
        scaled features (with `euclidean`).
    labelings : mapping of str to array of shape (n_rows,)
        Clusters by name.
    metric : str
        `hamming` or `euclidean`.
    max_rows : int
        With more rows silhouettes are taken over a sample of so many.
    random_state : int
        Seed of the sample.

    Returns
    -------
    dict of str to float
        -1 to 1; NaN with fewer than two clusters among the rows.

    References
    ----------
    Rousseeuw (1987), Silhouettes.
    """
    rows = np.arange(len(places))
    if len(places) > max_rows:
        rng = np.random.default_rng(random_state)
        rows = np.sort(rng.choice(rows, max_rows, replace=False))
    prepare, between = _METRICS[metric]
    drawn = prepare(places[rows])
    distances = between(drawn, drawn)
    labels = [np.asarray(labels)[rows] for labels in labelings.values()]
    found = silhouettes_of_all(distances, labels, metric="precomputed")
    return dict(zip(labelings, found.tolist(), strict=True))
