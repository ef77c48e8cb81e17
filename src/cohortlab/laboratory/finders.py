"""Algorithms of the laboratory under one call: by the features of both sides, or by the edges."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from cohortlab.clusters import DENSITY_METHODS, cluster
from cohortlab.clusters.silhouettes import silhouettes
from cohortlab.communities import FIND_THEIR_NUMBER, co_cluster
from cohortlab.mixture import GaussianMixture

#: Name of an algorithm -> what it looks at and how its method is called there.
FINDERS = {
    "kmeans": ("features", "kmeans"),
    "ward": ("features", "ward"),
    "average": ("features", "average"),
    "complete": ("features", "complete"),
    "single": ("features", "single"),
    "mixture": ("features", "mixture"),
    "dbscan": ("features", "dbscan"),
    "hdbscan": ("features", "hdbscan"),
    "spectral": ("edges", "spectral"),
    "louvain": ("edges", "louvain"),
    "block_model": ("edges", "block_model"),
}
_MIXTURE_STARTS = 3


@dataclass(frozen=True)
class Sides:
    """What algorithms may look at, and the true numbers of clusters.

    Attributes
    ----------
    people, items : ndarray of shape (n, n_features)
        Features of both sides.
    incidence : csr_array of shape (n_people, n_items)
        Edges.
    n_clusters : tuple of int
        True numbers of clusters of people and of items.
    """

    people: np.ndarray
    items: np.ndarray
    incidence: sparse.csr_array
    n_clusters: tuple[int, int]

    @cached_property
    def scaled(self) -> list[np.ndarray]:
        """Features of both sides, centred and divided by their deviation."""
        return [StandardScaler().fit_transform(X) for X in (self.people, self.items)]


def find_clusters(
    sides: Sides,
    algorithm: str,
    *,
    scale: bool = True,
    number: str = "truth",
    max_clusters: int = 8,
    random_state: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Find clusters of people and of items by a named algorithm.

    Parameters
    ----------
    sides : Sides
        What it may look at.
    algorithm : str
        One of `FINDERS`.
    scale : bool
        Whether features are centred and divided by their deviation first.
    number : {'truth', 'estimated'}
        Whether the algorithm is told the true numbers of clusters. Algorithms that find them are
        told in no case; spectral co-clustering is told in any.
    max_clusters : int
        Most clusters of either side where the number is estimated.
    random_state : int
        Seed.

    Returns
    -------
    tuple of ndarray of int
        Labels of the people and of the items.

    Raises
    ------
    ValueError
        If the algorithm or the way to the number is unknown.
    """
    if algorithm not in FINDERS:
        raise ValueError(f"unknown algorithm {algorithm!r}: choose from {list(FINDERS)}")
    if number not in ("truth", "estimated"):
        raise ValueError(f"number is {number!r}: choose 'truth' or 'estimated'")
    looks_at, method = FINDERS[algorithm]
    if looks_at == "edges":
        return _by_edges(sides, method, number, max_clusters, random_state)
    found = []
    values = sides.scaled if scale else (sides.people, sides.items)
    for X, n_clusters in zip(values, sides.n_clusters, strict=True):
        if number == "estimated" and method not in DENSITY_METHODS:
            found.append(_estimated(X, method, max_clusters, random_state))
        else:
            found.append(_by_features(X, method, n_clusters, random_state))
    return found[0], found[1]


def _by_edges(
    sides: Sides, method: str, number: str, max_clusters: int, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    told = method == "spectral" or (number == "truth" and method not in FIND_THEIR_NUMBER)
    options = {"max_blocks": max_clusters} if method == "block_model" else None
    found = co_cluster(
        sides.incidence,
        method=method,
        n_clusters=sides.n_clusters if told else None,
        random_state=random_state,
        options=options,
    )
    return found.person_labels, found.item_labels


def _by_features(X: np.ndarray, method: str, n_clusters: int, random_state: int) -> np.ndarray:
    arguments: dict[str, Any] = {"method": method, "random_state": random_state}
    if method == "mixture":
        arguments["mixture"] = _mixture(X, n_clusters, random_state)
    elif method not in DENSITY_METHODS:
        arguments["n_clusters"] = n_clusters
    return cluster(X, **arguments).labels


def estimate_n_clusters(
    X: np.ndarray, method: str, *, max_clusters: int = 8, random_state: int = 0
) -> int:
    """Estimate the number of clusters: by BIC for a mixture, else by the silhouette.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features, scaled.
    method : str
        A method of `cohortlab.clusters.cluster` that is told the number.
    max_clusters : int
        Largest number tried.
    random_state : int
        Seed.

    Returns
    -------
    int
        From 1 for a mixture, from 2 for the others: no silhouette speaks for a single cluster.

    Notes
    -----
    A number whose smallest cluster holds less than 2 % of the rows is not taken: the best
    silhouette is often one outlier against the rest.
    """
    return len(np.unique(_estimated(X, method, max_clusters, random_state)))


def _estimated(X: np.ndarray, method: str, max_clusters: int, random_state: int) -> np.ndarray:
    most = min(max_clusters, len(X))
    if method == "mixture":
        models = [_mixture(X, k, random_state) for k in range(1, most + 1)]
        best = max(models, key=lambda m: 2 * m.loglik_ - m.n_parameters_ * np.log(len(X)))
        return cluster(X, method=method, mixture=best).labels
    tried = [_by_features(X, method, k, random_state) for k in range(2, most + 1)]
    good = [labels for labels in tried if np.bincount(labels).min() >= 0.02 * len(X)] or tried[:1]
    return good[int(np.argmax(silhouettes(X, good)))]


def _mixture(X: np.ndarray, n_components: int, random_state: int) -> GaussianMixture:
    model = GaussianMixture(n_components, n_init=_MIXTURE_STARTS, random_state=random_state)
    return model.fit(X)
