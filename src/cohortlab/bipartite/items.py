"""Clusters of items, found from who uses them or given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.utils.extmath import randomized_svd

from cohortlab.bipartite.incidence import Incidence
from cohortlab.threads import one_thread

#: Group of items that a given mapping does not know.
UNKNOWN_GROUP = "unknown"


@dataclass(frozen=True)
class ItemClusters:
    """Clusters of items.

    Attributes
    ----------
    labels : ndarray of int, shape (n_items,)
        Cluster of each item, 0 the most used.
    names : dict
        Cluster -> name: the group's own, or its most used items.
    table : DataFrame
        One row a cluster: `item_cluster, name, n_items, weight, share`.
    details : dict
        Plain values that say what the method did.
    """

    labels: np.ndarray
    names: dict[int, str]
    table: pd.DataFrame
    details: dict[str, Any] = field(default_factory=dict)


def cluster_items(
    incidence: Incidence,
    *,
    method: str = "cooccurrence",
    n_clusters: int | None = None,
    groups: Mapping[str, str] | None = None,
    titles: Mapping[str, str] | None = None,
    random_state: int = 0,
) -> ItemClusters:
    """Cluster items by who uses them, or take groups that are given.

    Parameters
    ----------
    incidence : Incidence
        People by items.
    method : {'cooccurrence', 'given'}
        `cooccurrence` is regularised spectral clustering of the items; `given` takes `groups`.
    n_clusters : int, optional
        Number of item clusters, for `cooccurrence`.
    groups : mapping of item to group, optional
        For `given`; items that it lacks form the group `unknown`.
    titles : mapping of item to text, optional
        What to call an item in a name (a product's description).
    random_state : int
        Seed of the decomposition and of k-means.

    Returns
    -------
    ItemClusters
        Labels ordered by falling weight (ties by first item), with names.

    Notes
    -----
    With W the incidence, D_p and D_i the degrees and tau their means, the items are the rows of
    the leading right singular vectors of (D_p + tau_p)^-1/2 W (D_i + tau_i)^-1/2, scaled to
    length one and clustered by k-means. Of 2 .. `n_clusters` vectors, those before the largest
    relative fall of the singular values are used (`details["n_vectors"]`). The regularisation
    keeps rarely used items from forming clusters of their own.

    References
    ----------
    Dhillon (2001), Co-clustering documents and words using bipartite spectral graph partitioning.
    Rohe, Qin and Yu (2016), Co-clustering directed graphs to discover asymmetries (DI-SIM).
    """
    if method not in ITEM_METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {list(ITEM_METHODS)}")
    if not len(incidence.items):
        return ItemClusters(np.zeros(0, dtype=int), {}, _item_table({}, [], [], []))
    labels, own_names, details = ITEM_METHODS[method](
        incidence, n_clusters=n_clusters, groups=groups, random_state=random_state
    )
    weight = np.asarray(incidence.matrix.sum(axis=0)).ravel()
    labels, order = _order_by_weight(labels, weight)
    if own_names is not None:
        names = {new: own_names[old] for new, old in enumerate(order)}
    else:
        names = _most_used_names(incidence.items, labels, weight, titles or {})
    sizes, totals = np.bincount(labels), np.bincount(labels, weight)
    return ItemClusters(
        labels, names, _item_table(names, sizes, totals, totals / totals.sum()), details
    )


def _by_cooccurrence(
    incidence: Incidence, *, n_clusters: int | None, random_state: int, **_: Any
) -> tuple[np.ndarray, None, dict]:
    n_items = len(incidence.items)
    if n_clusters is None or not 1 <= n_clusters <= n_items:
        raise ValueError(
            f"n_clusters is {n_clusters}: give a whole number from 1 to the {n_items} items"
        )
    matrix = sparse.csr_array(incidence.matrix, dtype=float)
    left, right = _root_of_degrees(matrix, 1), _root_of_degrees(matrix, 0)
    scaled = sparse.diags_array(left) @ matrix @ sparse.diags_array(right)
    with one_thread():
        n_wanted = min(n_clusters + 1, *matrix.shape)
        _, strength, vectors = randomized_svd(
            scaled, n_wanted, n_oversamples=20, n_iter=7, random_state=random_state
        )
        n_vectors = _before_largest_gap(strength, n_clusters)
        rows = vectors[:n_vectors].T
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
        distinct = len(np.unique(rows.round(9), axis=0))
        model = KMeans(min(n_clusters, distinct), n_init=20, random_state=random_state).fit(rows)
    details = {"n_vectors": n_vectors, "singular_values": [float(value) for value in strength]}
    return np.unique(model.labels_, return_inverse=True)[1], None, details


def _before_largest_gap(strength: np.ndarray, n_clusters: int) -> int:
    # Few kinds of people span few dimensions, however many item clusters live in them: what lies
    # beyond the largest relative fall of the singular values is noise and would blur them.
    most = min(n_clusters, len(strength) - 1)
    if most < 3:
        return max(1, min(n_clusters, len(strength)))
    falls = strength[1:most] / np.maximum(strength[2 : most + 1], 1e-300)
    return 2 + int(np.argmax(falls))


def _root_of_degrees(matrix: sparse.csr_array, axis: int) -> np.ndarray:
    degree = np.asarray(matrix.sum(axis=axis)).ravel()
    return 1.0 / np.sqrt(degree + degree.mean())


def _by_given_groups(
    incidence: Incidence, *, groups: Mapping[str, str] | None, **_: Any
) -> tuple[np.ndarray, list[str], dict]:
    if groups is None:
        raise ValueError("method 'given' needs groups=, a mapping of item to group")
    known = {str(item): str(group) for item, group in groups.items()}
    found = [known.get(item, UNKNOWN_GROUP) for item in incidence.items]
    names, labels = np.unique(np.asarray(found, dtype=object), return_inverse=True)
    n_unknown = sum(item not in known for item in incidence.items)
    return labels, list(names), {"n_items_without_group": n_unknown}


#: Name of a method -> function that clusters items.
ITEM_METHODS = {"cooccurrence": _by_cooccurrence, "given": _by_given_groups}


def _order_by_weight(labels: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    totals = np.bincount(labels, weight)
    first = np.unique(labels, return_index=True)[1]
    order = np.lexsort((first, -totals))
    return np.argsort(order)[labels], order


def _most_used_names(
    items: np.ndarray, labels: np.ndarray, weight: np.ndarray, titles: Mapping[str, str]
) -> dict[int, str]:
    names = {}
    for cluster in range(labels.max() + 1):
        members = np.flatnonzero(labels == cluster)
        top = members[np.lexsort((members, -weight[members]))][:2]
        rest = "" if len(members) <= 2 else f" and {len(members) - 2} more"
        names[cluster] = ", ".join(_title(items[i], titles) for i in top) + rest
    return names


def _title(item: str, titles: Mapping[str, str]) -> str:
    title = titles.get(item)
    return item if title is None or pd.isna(title) else " ".join(str(title).split()) or item


def _item_table(names: Mapping, sizes: Any, totals: Any, shares: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_cluster": np.arange(len(names)),
            "name": pd.Series(list(names.values()), dtype=object),
            "n_items": sizes,
            "weight": totals,
            "share": shares,
        }
    )
