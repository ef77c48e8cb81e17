"""Clusterings by linkage: pairs of clusters are joined, nearest first."""

import numpy as np
from scipy.cluster import hierarchy
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import pairwise_distances_argmin

from cohortlab.clusters.checks import checked_matrix, require_distinct_rows

Found = tuple[np.ndarray, dict]
#: The linkages by name.
LINKAGES = ("ward", "average", "complete", "single")


def by_ward(X: np.ndarray, *, n_clusters: int, random_state: int, max_rows: int = 5000) -> Found:
    """Join the pair whose union adds least to the squared distances within clusters.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows in order.
    n_clusters : int
        Number of clusters.
    random_state : int
        Seed of the sample.
    max_rows : int
        With more rows a sample of so many is clustered; all rows then go to the nearest centre.

    Returns
    -------
    tuple of ndarray and dict
        Labels, and what was done.

    References
    ----------
    Ward (1963), Hierarchical grouping to optimize an objective function.
    """
    return _by_linkage(X, "ward", n_clusters, random_state, max_rows)


def by_average(X: np.ndarray, *, n_clusters: int, random_state: int, max_rows: int = 5000) -> Found:
    """Join the pair with the smallest mean distance between its rows.

    Rows that were not sampled go to the cluster of the nearest sampled row.

    Parameters
    ----------
    X, n_clusters, random_state, max_rows
        As for `by_ward`.

    Returns
    -------
    tuple of ndarray and dict
        Labels, and what was done.

    References
    ----------
    Sokal and Michener (1958), A statistical method for evaluating systematic relationships.
    """
    return _by_linkage(X, "average", n_clusters, random_state, max_rows)


def by_complete(
    X: np.ndarray, *, n_clusters: int, random_state: int, max_rows: int = 5000
) -> Found:
    """Join the pair whose furthest rows are nearest; other rows as in `by_average`.

    Parameters
    ----------
    X, n_clusters, random_state, max_rows
        As for `by_ward`.

    Returns
    -------
    tuple of ndarray and dict
        Labels, and what was done.

    References
    ----------
    Sorensen (1948), A method of establishing groups of equal amplitude in plant sociology.
    """
    return _by_linkage(X, "complete", n_clusters, random_state, max_rows)


def by_single(X: np.ndarray, *, n_clusters: int, random_state: int, max_rows: int = 5000) -> Found:
    """Join the pair whose nearest rows are nearest; other rows as in `by_average`.

    Parameters
    ----------
    X, n_clusters, random_state, max_rows
        As for `by_ward`.

    Returns
    -------
    tuple of ndarray and dict
        Labels, and what was done.

    References
    ----------
    Florek et al. (1951), Sur la liaison et la division des points d'un ensemble fini.
    """
    return _by_linkage(X, "single", n_clusters, random_state, max_rows)


def _by_linkage(
    X: np.ndarray, linkage: str, n_clusters: int, random_state: int, max_rows: int
) -> Found:
    model = AgglomerativeClustering(n_clusters, linkage=linkage)
    if len(X) <= max_rows:
        return model.fit_predict(X), {"n_rows_clustered": len(X)}
    rng = np.random.default_rng(random_state)
    sample = np.sort(rng.choice(len(X), size=max_rows, replace=False))
    require_distinct_rows(X[sample], n_clusters, where=f"a sample of {max_rows} rows")
    of_sample = model.fit_predict(X[sample])
    if linkage == "ward":
        centres = np.array([X[sample][of_sample == c].mean(axis=0) for c in range(n_clusters)])
        # The sampled rows are assigned by the same rule as the rest: equal rows get equal labels.
        labels = pairwise_distances_argmin(X, centres)
    else:
        labels = of_sample[pairwise_distances_argmin(X, X[sample])]
    moved = float(np.mean(labels[sample] != of_sample))
    return labels, {"n_rows_clustered": max_rows, "share_of_sample_reassigned": moved}


def linkage_tree(X: np.ndarray, *, linkage: str = "ward", max_rows: int = 5000) -> np.ndarray:
    """List the joins of a linkage from single rows up to all in one, as a dendrogram shows them.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Scaled features, at least two rows.
    linkage : str
        One of `LINKAGES`.
    max_rows : int
        More rows are refused: all distances between pairs are held in memory.

    Returns
    -------
    ndarray of shape (n_rows - 1, 4)
        One row a join, nearest first, in SciPy's form: the two clusters joined (rows are 0 to
        n_rows - 1, the k-th join is n_rows + k), their distance, and the rows of the union.

    Raises
    ------
    ValueError
        If the linkage is unknown, or there are too few or too many rows.

    Examples
    --------
    >>> linkage_tree(np.array([[0.0], [1.0], [5.0]]), linkage="single").tolist()
    [[0.0, 1.0, 1.0, 2.0], [2.0, 3.0, 4.0, 3.0]]
    """
    X = checked_matrix(X)
    if linkage not in LINKAGES:
        raise ValueError(f"linkage: expected one of {list(LINKAGES)}, got {linkage!r}")
    if not 2 <= len(X) <= max_rows:
        raise ValueError(f"expected 2 to {max_rows} rows to join, got {len(X)}: draw a sample")
    return hierarchy.linkage(X, linkage)
