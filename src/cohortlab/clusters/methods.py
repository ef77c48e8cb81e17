"""Clusterings of people by named methods."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans

from cohortlab.clusters.checks import checked_matrix, require_distinct_rows
from cohortlab.clusters.density import by_dbscan, by_hdbscan
from cohortlab.clusters.linkage import by_average, by_complete, by_single, by_ward
from cohortlab.threads import one_thread


@dataclass(frozen=True)
class Clustering:
    """What a clustering method found.

    Attributes
    ----------
    method : str
        Name of the method.
    labels : ndarray of int, shape (n_rows,)
        Cluster of each row, 0 .. n_clusters - 1, every number in use. The numbers are arbitrary:
        `cohortlab.profiles.order_clusters` gives them a meaning.
    probability : ndarray of shape (n_rows,)
        Probability of the row's own cluster under a mixture. The other methods give no
        probability; their rows hold 1, which says "assigned", not "certain".
    uncertainty : ndarray of shape (n_rows,)
        1 - probability.
    details : dict
        Plain values that say what the method did (rows sampled, iterations, components unused).
    """

    method: str
    labels: np.ndarray
    probability: np.ndarray
    uncertainty: np.ndarray
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def n_clusters(self) -> int:
        """Number of clusters that hold at least one row."""
        return int(self.labels.max()) + 1


def cluster(
    X: np.ndarray,
    *,
    method: str = "mixture",
    n_clusters: int | None = None,
    mixture: Any = None,
    random_state: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Clustering:
    """Cluster the rows of a scaled table by a named method.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Scaled features.
    method : str
        One of `METHODS`. `mixture` labels rows by a fitted mixture. `kmeans`, `minibatch_kmeans`,
        and the linkages `ward` (also called `agglomerative`), `average`, `complete` and `single`
        are told the number of clusters. `dbscan` and `hdbscan` find dense regions; rows in none
        form a cluster of their own, number `details["noise_cluster"]`.
    n_clusters : int, optional
        Number of clusters; needed by the methods that are told it, not taken by `dbscan` and
        `hdbscan`.
    mixture : fitted estimator with `predict_proba`, optional
        The chosen mixture; needed by `mixture` only.
    random_state : int
        Seed of the random starts and of the sample.
    options : mapping, optional
        Further options of the method: `n_init` and `max_iter` (kmeans), `n_init`, `max_iter` and
        `batch_size` (minibatch_kmeans), `max_rows` (linkages: rows clustered directly), `eps` and
        `min_samples` (dbscan), `min_cluster_size` and `min_samples` (hdbscan).

    Returns
    -------
    Clustering
        Labels with probabilities.

    Raises
    ------
    ValueError
        If the method or an option is unknown, what the method needs is missing, or more clusters
        are asked for than there are distinct rows.

    Notes
    -----
    Rows are put into one canonical order before a method sees them, and linear algebra runs on
    one thread, so neither the order of the rows nor the number of cores changes the result.

    Examples
    --------
    >>> import numpy as np
    >>> found = cluster(np.array([[0.0], [0.1], [9.0]]), method="kmeans", n_clusters=2)
    >>> bool(found.labels[0] == found.labels[1] != found.labels[2])
    True
    """
    X = checked_matrix(X)
    function = _method_function(method)
    options = _checked_options(function, method, options)
    with one_thread():
        if method == "mixture":
            labels, probability, details = function(X, mixture=mixture, **options)
        else:
            if method not in DENSITY_METHODS:
                options["random_state"] = random_state
            labels, details = _on_sorted_rows(X, function, method, n_clusters, options)
            probability = np.ones(len(labels))
    used, labels = np.unique(labels, return_inverse=True)
    details["n_clusters"] = len(used)
    return Clustering(method, labels, probability, 1.0 - probability, details)


def _by_mixture(X: np.ndarray, *, mixture: Any) -> tuple[np.ndarray, np.ndarray, dict]:
    if mixture is None:
        raise ValueError("method 'mixture' needs a fitted mixture: pass mixture=, or choose kmeans")
    responsibilities = np.asarray(mixture.predict_proba(X))
    labels = responsibilities.argmax(axis=1)
    n_unused = responsibilities.shape[1] - len(np.unique(labels))
    probability = np.clip(responsibilities.max(axis=1), 0.0, 1.0)
    details = {"n_components": responsibilities.shape[1], "n_components_without_rows": n_unused}
    return labels, probability, details


def _by_kmeans(
    X: np.ndarray, *, n_clusters: int, random_state: int, n_init: int = 10, max_iter: int = 300
) -> tuple[np.ndarray, dict]:
    model = KMeans(n_clusters, n_init=n_init, max_iter=max_iter, random_state=random_state).fit(X)
    return model.labels_, {"inertia": float(model.inertia_), "n_iter": int(model.n_iter_)}


def _by_minibatch_kmeans(
    X: np.ndarray,
    *,
    n_clusters: int,
    random_state: int,
    n_init: int = 10,
    max_iter: int = 100,
    batch_size: int = 4096,
) -> tuple[np.ndarray, dict]:
    model = MiniBatchKMeans(
        n_clusters,
        n_init=n_init,
        max_iter=max_iter,
        batch_size=batch_size,
        random_state=random_state,
    ).fit(X)
    return model.labels_, {"inertia": float(model.inertia_), "n_iter": int(model.n_iter_)}


#: Method name -> function of the rows. `mixture` also returns probabilities.
METHODS = {
    "mixture": _by_mixture,
    "kmeans": _by_kmeans,
    "minibatch_kmeans": _by_minibatch_kmeans,
    "agglomerative": by_ward,
    "ward": by_ward,
    "average": by_average,
    "complete": by_complete,
    "single": by_single,
    "dbscan": by_dbscan,
    "hdbscan": by_hdbscan,
}
#: Methods that find the number of clusters.
DENSITY_METHODS = ("dbscan", "hdbscan")


def _method_function(method: str) -> Any:
    if method not in METHODS:
        raise ValueError(f"unknown clustering method {method!r}: choose one of {list(METHODS)}")
    return METHODS[method]


def _checked_options(function: Any, method: str, options: Mapping[str, Any] | None) -> dict:
    options = dict(options or {})
    reserved = {"X", "n_clusters", "random_state", "mixture"}
    allowed = [name for name in inspect.signature(function).parameters if name not in reserved]
    unknown = [name for name in options if name not in allowed]
    if unknown:
        raise ValueError(f"method {method!r} has no option {unknown}: it takes {allowed or 'none'}")
    return options


def _on_sorted_rows(
    X: np.ndarray, function: Any, method: str, n_clusters: int | None, options: dict
) -> tuple[np.ndarray, dict]:
    order = np.lexsort(X.T[::-1])
    ordered = X[order]
    if method in DENSITY_METHODS:
        if n_clusters is not None:
            raise ValueError(
                f"method {method!r} finds its number of clusters: leave n_clusters out"
            )
    else:
        if n_clusters is None or n_clusters < 1:
            raise ValueError(f"n_clusters must be a positive whole number, got {n_clusters}")
        require_distinct_rows(ordered, n_clusters, where="the table")
        options = options | {"n_clusters": n_clusters}
    if len(ordered) == 1:
        return np.zeros(1, dtype=int), {}
    labels = np.empty(len(X), dtype=int)
    labels[order], details = function(ordered, **options)
    return labels, details


def with_group_apart(clustering: Clustering, apart: np.ndarray) -> Clustering:
    """Add the rows that were set apart before clustering, as one group of their own.

    Parameters
    ----------
    clustering : Clustering
        Of the other rows, in their order.
    apart : ndarray of bool, shape (n_rows,)
        Which rows of the whole table were set apart.

    Returns
    -------
    Clustering
        Of the whole table; rows apart belong to the last cluster with certainty.

    Raises
    ------
    ValueError
        If the numbers of rows do not fit each other.

    Examples
    --------
    >>> found = Clustering("kmeans", np.array([0, 1]), np.ones(2), np.zeros(2), {"n_clusters": 2})
    >>> with_group_apart(found, np.array([True, False, False])).labels.tolist()
    [2, 0, 1]
    """
    if len(clustering.labels) != np.sum(~apart):
        raise ValueError(
            f"{len(clustering.labels)} clustered rows, but {np.sum(~apart)} rows are not apart"
        )
    if not apart.any():
        return clustering
    labels = np.full(len(apart), clustering.n_clusters)
    probability = np.ones(len(apart))
    labels[~apart], probability[~apart] = clustering.labels, clustering.probability
    details = clustering.details | {
        "n_clusters": clustering.n_clusters + 1,
        "n_rows_apart": int(apart.sum()),
    }
    return Clustering(clustering.method, labels, probability, 1.0 - probability, details)
