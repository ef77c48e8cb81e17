"""Clusterings by density, which find their number of clusters and leave rows out as noise."""

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.neighbors import NearestNeighbors

Found = tuple[np.ndarray, dict]


def by_dbscan(X: np.ndarray, *, eps: float | None = None, min_samples: int = 5) -> Found:
    """Join rows that have enough neighbours within a distance.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows in order.
    eps : float, optional
        The distance. By default it is read off the curve of distances: see the notes.
    min_samples : int
        Rows, itself included, that make a row the core of a cluster.

    Returns
    -------
    tuple of ndarray and dict
        Labels, noise as the last cluster, and what was done.

    Notes
    -----
    Put in order, the distances from every row to the `min_samples`-th (itself the first) rise
    slowly inside clusters and fast among the rows around them. The default is where the one turns
    into the other (`knee`). No distance parts clusters between which the density hardly falls.

    References
    ----------
    Ester et al. (1996), A density-based algorithm for discovering clusters in large spatial
    databases with noise, section 4.2.
    """
    min_samples = min(min_samples, len(X))
    if eps is None:
        distances, _ = NearestNeighbors(n_neighbors=min_samples).fit(X).kneighbors(X)
        # Where most rows are equal the distance is zero, which scikit-learn does not take.
        eps = max(knee(distances[:, -1]), float(np.finfo(float).tiny))
    labels, details = _with_noise(DBSCAN(eps=eps, min_samples=min_samples).fit_predict(X))
    return labels, details | {"eps": eps}


def knee(values: np.ndarray) -> float:
    """Find where values in ascending order turn from rising slowly to rising fast.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Numbers in any order, at least one.

    Returns
    -------
    float
        The value that lies furthest below the straight line from the smallest to the largest.

    References
    ----------
    Satopaa et al. (2011), Finding a "kneedle" in a haystack: detecting knee points in system
    behavior (without its smoothing).

    Examples
    --------
    >>> knee(np.array([9.0, 1.0, 2.0, 1.5]))
    2.0
    """
    ordered = np.sort(values)
    line = np.linspace(ordered[0], ordered[-1], len(ordered))
    return float(ordered[np.argmax(line - ordered)])


def by_hdbscan(
    X: np.ndarray, *, min_cluster_size: int | None = None, min_samples: int | None = None
) -> Found:
    """Join rows by density at all distances, and keep the clusters that last longest.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows in order.
    min_cluster_size : int, optional
        Smallest cluster; 2 % of the rows by default, but 5 at least.
    min_samples : int, optional
        As for `by_dbscan`; `min_cluster_size` by default.

    Returns
    -------
    tuple of ndarray and dict
        Labels, noise as the last cluster, and what was done.

    References
    ----------
    Campello, Moulavi and Sander (2013), Density-based clustering based on hierarchical density
    estimates.
    """
    size = max(5, len(X) // 50) if min_cluster_size is None else min_cluster_size
    size = max(2, min(size, len(X)))
    samples = min(min_samples or size, len(X))
    model = HDBSCAN(min_cluster_size=size, min_samples=samples, copy=True)
    labels, details = _with_noise(model.fit_predict(X))
    return labels, details | {"min_cluster_size": size}


def _with_noise(labels: np.ndarray) -> Found:
    noise = labels < 0
    n_clusters = int(labels.max()) + 1
    details = {"n_noise": int(noise.sum()), "noise_cluster": n_clusters if noise.any() else None}
    return np.where(noise, n_clusters, labels), details
