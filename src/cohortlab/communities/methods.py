"""Clusters of both sides of a bipartite graph by named methods."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.cluster import SpectralCoclustering

from cohortlab.communities.block_model import choose_block_model, fit_block_model
from cohortlab.threads import one_thread

Sizes = tuple[int, int] | None
Found = tuple[np.ndarray, np.ndarray, dict]


@dataclass(frozen=True)
class CoClustering:
    """What a method found.

    Attributes
    ----------
    method : str
        Its name.
    person_labels, item_labels : ndarray of int
        Cluster of each person and of each item, from 0; the numbers are arbitrary. People and
        items without an edge are put into the largest cluster of their side.
    details : dict
        Plain values that say what the method did.
    """

    method: str
    person_labels: np.ndarray
    item_labels: np.ndarray
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of clusters of people and of items."""
        return len(np.unique(self.person_labels)), len(np.unique(self.item_labels))


def co_cluster(
    incidence: sparse.sparray,
    *,
    method: str = "block_model",
    n_clusters: int | tuple[int, int] | None = None,
    random_state: int = 0,
    options: Mapping[str, Any] | None = None,
) -> CoClustering:
    """Cluster people and items together by their edges alone.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        How often each person acted on each item; no negative value.
    method : {'spectral', 'louvain', 'block_model'}
        `spectral`: scikit-learn's spectral co-clustering, which has one number of clusters for both
        sides (the larger one asked for). `louvain`: scikit-network's, by modularity, which
        finds its number. `block_model`: the degree-corrected block model, of the size asked
        for or, without one, of that which its ICL chooses.
    n_clusters : int or tuple of int, optional
        Clusters of people and of items.
    random_state : int
        Seed.
    options : mapping, optional
        Further options of the method: `resolution` (louvain), `n_init` and `max_blocks`
        (block_model).

    Returns
    -------
    CoClustering
        Labels of both sides.

    Raises
    ------
    ValueError
        If the method or an option is unknown, or the number of clusters is missing, impossible or
        not for this method to be told.

    References
    ----------
    Dhillon (2001), Co-clustering documents and words using bipartite spectral graph partitioning.
    Blondel et al. (2008), Fast unfolding of communities in large networks.

    Examples
    --------
    >>> blocks = sparse.csr_array(np.kron(np.eye(2), np.ones((6, 6))))
    >>> co_cluster(blocks, method="spectral", n_clusters=2).sizes
    (2, 2)
    """
    if method not in CO_METHODS:
        raise ValueError(f"unknown method {method!r}: choose one of {list(CO_METHODS)}")
    function, options = CO_METHODS[method], dict(options or {})
    reserved = {"matrix", "sizes", "random_state"}
    allowed = [name for name in inspect.signature(function).parameters if name not in reserved]
    unknown = [name for name in options if name not in allowed]
    if unknown:
        raise ValueError(f"method {method!r} has no option {unknown}: it takes {allowed or 'none'}")
    matrix = sparse.csr_array(incidence, dtype=float)
    if matrix.nnz and matrix.data.min() < 0:
        raise ValueError(f"the incidence holds {matrix.data.min()}: counts cannot be negative")
    used = [np.flatnonzero(np.asarray(matrix.sum(axis=axis)).ravel() > 0) for axis in (1, 0)]
    if not len(used[0]):
        raise ValueError("the incidence has no edge: there is nothing to cluster by")
    connected = matrix[used[0]][:, used[1]]
    sizes = _checked_sizes(n_clusters, method, connected.shape)
    with one_thread():
        people, items, details = function(connected, sizes, random_state=random_state, **options)
    details["n_people_without_edge"] = matrix.shape[0] - len(used[0])
    details["n_items_without_edge"] = matrix.shape[1] - len(used[1])
    sides = zip((people, items), used, matrix.shape, strict=True)
    return CoClustering(method, *(_completed(*side) for side in sides), details)


def _checked_sizes(n_clusters: object, method: str, shape: tuple[int, int]) -> Sizes:
    if n_clusters is None:
        if method == "spectral":
            raise ValueError("method 'spectral' needs n_clusters, for example (3, 3)")
        return None
    if method in FIND_THEIR_NUMBER:
        raise ValueError(f"method {method!r} finds its number of clusters: leave n_clusters out")
    sizes = (n_clusters, n_clusters) if np.isscalar(n_clusters) else tuple(n_clusters)
    for size, n, side in zip(sizes, shape, ("people", "items"), strict=True):
        if not 1 <= size <= n:
            raise ValueError(f"{size} clusters of {side} asked for: give 1 to the {n} with edges")
    return sizes


def _completed(labels: np.ndarray, used: np.ndarray, n: int) -> np.ndarray:
    labels = np.unique(labels, return_inverse=True)[1]
    whole = np.full(n, int(np.bincount(labels).argmax()))
    whole[used] = labels
    return whole


def _by_spectrum(matrix: sparse.csr_array, sizes: tuple[int, int], *, random_state: int) -> Found:
    n_clusters = min(max(sizes), *matrix.shape)
    if n_clusters == 1:
        return *(np.zeros(n, dtype=int) for n in matrix.shape), {"n_clusters": 1}
    model = SpectralCoclustering(n_clusters, random_state=random_state)
    model.fit(sparse.csr_matrix(matrix))
    return model.row_labels_, model.column_labels_, {"n_clusters": n_clusters}


def _by_louvain(
    matrix: sparse.csr_array, sizes: None, *, random_state: int, resolution: float = 1.0
) -> Found:
    # Imported where it is used: only this method needs it. (Its Leiden draws from the C library's
    # own generator, which no seed reaches: one seed gives several results, so it is not offered.)
    from sknetwork.clustering import Louvain

    # Dugué's modularity, of edges that go from people to items, is Barber's for such a graph.
    model = Louvain(
        resolution=resolution, modularity="dugue", shuffle_nodes=True, random_state=random_state
    )
    model.fit(sparse.csr_matrix(matrix), force_bipartite=True)
    n_modules = len(np.unique(np.concatenate([model.labels_row_, model.labels_col_])))
    return model.labels_row_, model.labels_col_, {"n_modules": n_modules}


def _by_block_model(
    matrix: sparse.csr_array,
    sizes: Sizes,
    *,
    random_state: int,
    n_init: int = 3,
    max_blocks: int = 8,
) -> Found:
    if sizes is None:
        model = choose_block_model(
            matrix, max_blocks=max_blocks, n_init=n_init, random_state=random_state
        )
    else:
        model = fit_block_model(matrix, *sizes, n_init=n_init, random_state=random_state)
    details = {"icl": model.icl, "n_starts": model.n_starts, "chosen_by_icl": sizes is None}
    return model.person_labels, model.item_labels, details


#: Name of a method -> function of the incidence and the sizes.
CO_METHODS = {
    "spectral": _by_spectrum,
    "louvain": _by_louvain,
    "block_model": _by_block_model,
}
#: Methods that are not told how many clusters to find.
FIND_THEIR_NUMBER = ("louvain",)
