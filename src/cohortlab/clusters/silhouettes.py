"""The silhouette of many clusterings of the same rows, whose distances are computed once."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import pairwise_distances_chunked


def silhouettes(
    X: np.ndarray | sp.spmatrix,
    labelings: Sequence[np.ndarray],
    *,
    metric: str = "euclidean",
    min_size: int = 1,
) -> np.ndarray:
    """Mean silhouette of each of several clusterings.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        The rows; distances between rows where `metric` is ``"precomputed"``.
    labelings : sequence of arrays of shape (n_rows,)
        Cluster of each row, one array a clustering.
    metric : str
        As scikit-learn's ``pairwise_distances`` takes it.
    min_size : int, default 1
        Clusters of fewer rows are left out, as if their rows were not there.

    Returns
    -------
    ndarray of shape (n_labelings,)
        What scikit-learn's ``silhouette_score`` gives for each; NaN for a clustering with a single
        cluster, or with as many as rows, after small ones are left out.

    Raises
    ------
    ValueError
        If a clustering has not one label for every row.

    Notes
    -----
    The mean distance of a row to each cluster is a product of the distances with the indicators of
    the clusters, so all clusterings together cost one pass over the distances and one product of
    matrices; from scratch, each costs such a pass. Distances are made in blocks of rows that fit
    into scikit-learn's working memory.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis.
    """
    values, sizes = silhouette_values(X, labelings, metric=metric, min_size=min_size)
    n_clusters = np.array([(size >= min_size).sum() for size in sizes])
    n_left = np.array([size[size >= min_size].sum() for size in sizes])
    meaningful = (n_clusters > 1) & (n_clusters < n_left)
    return np.where(meaningful, values.sum(axis=0) / np.maximum(n_left, 1), np.nan)


def silhouette_values(
    X: np.ndarray | sp.spmatrix,
    labelings: Sequence[np.ndarray],
    *,
    metric: str = "euclidean",
    min_size: int = 1,
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Silhouette of each row in each of several clusterings.

    Parameters
    ----------
    X, labelings, metric, min_size
        As for `silhouettes`.

    Returns
    -------
    values : ndarray of shape (n_rows, n_labelings)
        What scikit-learn's ``silhouette_samples`` gives; 0 for rows of clusters that are left out,
        and for a row that is alone.
    sizes : list of ndarray of int
        Rows of each cluster, the clusters of a clustering in the order of their labels.

    Raises
    ------
    ValueError
        If a clustering has not one label for every row.
    """
    n_rows = X.shape[0]
    coded = [np.unique(np.asarray(labels), return_inverse=True)[1] for labels in labelings]
    for number, labels in enumerate(coded):
        if len(labels) != n_rows:
            raise ValueError(f"clustering {number} has {len(labels)} labels for {n_rows} rows")
    if not coded:
        return np.empty((n_rows, 0)), []
    sizes = [np.bincount(labels) for labels in coded]
    indicators = [np.eye(labels.max() + 1)[labels] for labels in coded]
    first = np.cumsum([0, *(part.shape[1] for part in indicators)])
    stacked = np.hstack(indicators)

    def reduce(distances: np.ndarray, start: int) -> np.ndarray:
        sums = distances @ stacked
        rows = slice(start, start + len(distances))
        return np.column_stack(
            [
                _of_rows(sums[:, first[i] : first[i + 1]], labels[rows], sizes[i], min_size)
                for i, labels in enumerate(coded)
            ]
        )

    blocks = pairwise_distances_chunked(X, metric=metric, reduce_func=reduce)
    return np.concatenate(list(blocks)), sizes


def _of_rows(sums: np.ndarray, labels: np.ndarray, sizes: np.ndarray, min_size: int) -> np.ndarray:
    """Silhouette of some rows, from their summed distances to each cluster; 0 if left out."""
    own = np.arange(len(labels)), labels
    # A row is at no distance from itself, so its own cluster's mean is over the others.
    within = sums[own] / np.maximum(sizes[labels] - 1, 1)
    means = sums / sizes
    means[own] = np.inf
    means[:, sizes < min_size] = np.inf
    nearest = means.min(axis=1)
    larger = np.maximum(within, nearest)
    with np.errstate(invalid="ignore"):  # one cluster only: infinite distance to the next
        values = np.where(larger > 0, (nearest - within) / larger, 0.0)
    return np.where((sizes[labels] > 1) & (sizes[labels] >= min_size), values, 0.0)
