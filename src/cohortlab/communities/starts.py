"""Spectral starts for the block model."""

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.utils.extmath import randomized_svd

Vectors = tuple[np.ndarray, np.ndarray]


def spectral_vectors(matrix: sparse.csr_array, n_vectors: int, random_state: int) -> Vectors:
    """Leading singular vectors of the incidence, scaled by regularised degrees.

    Parameters
    ----------
    matrix : csr_array of shape (n_people, n_items)
        Edges.
    n_vectors : int
        Number of vectors.
    random_state : int
        Seed of the decomposition.

    Returns
    -------
    tuple of ndarray, shapes (n_people, n_vectors) and (n_items, n_vectors)
        One row a person, one row an item.

    References
    ----------
    Rohe, Qin and Yu (2016), Co-clustering directed graphs to discover asymmetries (DI-SIM).
    """
    degrees = [np.asarray(matrix.sum(axis=axis)).ravel() for axis in (1, 0)]
    left, right = (1.0 / np.sqrt(d + d.mean()) for d in degrees)
    scaled = sparse.diags_array(left) @ matrix @ sparse.diags_array(right)
    n_vectors = min(n_vectors, *matrix.shape)
    people, _, items = randomized_svd(
        scaled, n_vectors, n_oversamples=10, n_iter=5, random_state=random_state
    )
    return people, items.T


def spectral_labels(
    vectors: Vectors, n_person_blocks: int, n_item_blocks: int, *, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cluster both sides by their leading vectors, rows scaled to length one.

    Parameters
    ----------
    vectors : tuple of ndarray
        From `spectral_vectors`.
    n_person_blocks, n_item_blocks : int
        Numbers of clusters; fewer come out where there are fewer distinct rows.
    random_state : int
        Seed of k-means.

    Returns
    -------
    tuple of ndarray of int
        Labels of the people and of the items, from 0, every number in use.
    """
    n_vectors = max(2, min(n_person_blocks, n_item_blocks))
    found = []
    for rows, n_clusters in zip(vectors, (n_person_blocks, n_item_blocks), strict=True):
        rows = rows[:, :n_vectors]
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-300)
        distinct = len(np.unique(rows.round(9), axis=0))
        model = KMeans(min(n_clusters, distinct), n_init=2, random_state=random_state)
        found.append(np.unique(model.fit(rows).labels_, return_inverse=True)[1])
    return found[0], found[1]
