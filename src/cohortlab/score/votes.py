"""What the leaves of a row say about its cluster, row by row."""

import numpy as np
from numba import prange

from cohortlab.compiled import compiled
from cohortlab.embedding.forest import LeafForest

#: Rows that walk through a tree together; their places and values stay in the nearest cache.
_BLOCK = 256
#: Up to so many rows, threads and their waiting take longer than one thread needs.
_FEW = 20_000


def leaf_counts(
    forest: LeafForest, leaves: np.ndarray, labels: np.ndarray, n_clusters: int
) -> np.ndarray:
    """Count the rows of each cluster in every leaf.

    Parameters
    ----------
    forest : LeafForest
        The trees.
    leaves : ndarray of int32, shape (n_rows, n_trees)
        From `LeafForest.apply`.
    labels : ndarray of int, shape (n_rows,)
        Positions of the rows' clusters, from 0.
    n_clusters : int
        How many there are.

    Returns
    -------
    ndarray of float64, shape (n_leaves, n_clusters)
        Counts.
    """
    number = forest.leaf_number[leaves]
    flat = number * n_clusters + labels[:, None]
    size = int(forest.is_leaf.sum()) * n_clusters
    return np.bincount(flat.ravel(), minlength=size).reshape(-1, n_clusters).astype(float)


def vote(forest: LeafForest, shares: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Average, over the trees, the shares of the clusters in a row's leaves.

    Parameters
    ----------
    forest : LeafForest
        The trees.
    shares : ndarray of float64, shape (n_leaves, n_clusters)
        Of each leaf's training rows in each cluster.
    X : ndarray of shape (n_rows, n_features)
        Scaled features, finite.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_clusters)
        Each row sums to 1. A row's numbers hang on no other row.
    """
    X = np.ascontiguousarray(X, dtype=np.float32)
    add = _add_in_turn if len(X) <= _FEW else _add_in_threads
    votes = np.zeros((len(X), shares.shape[1]))
    add(votes, X, shares, *forest.by_depth)
    return votes / forest.n_trees


def vote_without_self(counts: np.ndarray, number: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Vote for the training rows, each as if its own cluster were not known.

    Parameters
    ----------
    counts : ndarray of shape (n_leaves, n_clusters)
        From `leaf_counts`.
    number : ndarray of int, shape (n_rows, n_trees)
        Leaf numbers of the training rows.
    labels : ndarray of int, shape (n_rows,)
        Positions of their clusters.

    Returns
    -------
    ndarray of shape (n_rows, n_clusters)
        Mean shares over the leaves that hold anybody else.
    """
    rows = np.arange(len(labels))
    total = np.zeros((len(labels), counts.shape[1]))
    for leaf in number.T:
        others = counts[leaf]
        others[rows, labels] -= 1
        total += others / np.maximum(others.sum(axis=1, keepdims=True), 1)
    return total / number.shape[1]


@compiled()
def _add_of_block(block, votes, X, shares, feature, threshold, child, number, roots, depth):
    first, last = block * _BLOCK, min((block + 1) * _BLOCK, len(X))
    place = np.empty(_BLOCK, dtype=np.uint32)
    for tree in range(len(roots)):
        place[:] = roots[tree]
        # All rows take a step before any takes the next: the steps of one row wait for each
        # other, those of many do not.
        for _ in range(depth[tree]):
            for row in range(first, last):
                at = place[row - first]
                place[row - first] = child[at] + (X[row, feature[at]] > threshold[at])
        for row in range(first, last):
            leaf = number[place[row - first]]
            for cluster in range(shares.shape[1]):
                votes[row, cluster] += shares[leaf, cluster]


@compiled()
def _add_in_turn(votes, X, shares, feature, threshold, child, number, roots, depth):
    for block in range((len(X) + _BLOCK - 1) // _BLOCK):
        _add_of_block(block, votes, X, shares, feature, threshold, child, number, roots, depth)


@compiled(parallel=True)
def _add_in_threads(votes, X, shares, feature, threshold, child, number, roots, depth):
    for block in prange((len(X) + _BLOCK - 1) // _BLOCK):
        _add_of_block(block, votes, X, shares, feature, threshold, child, number, roots, depth)
