"""What the leaves of a row say about its cluster, row by row."""

import numpy as np
from numba import prange

from cohortlab.compiled import compiled
from cohortlab.embedding.forest import LeafForest


def leaf_numbers(forest: LeafForest) -> np.ndarray:
    """Give every leaf a number, through all trees.

    Parameters
    ----------
    forest : LeafForest
        The trees.

    Returns
    -------
    ndarray of int32, shape (n_nodes,)
        By node, -1 where it is no leaf.
    """
    return np.where(forest.is_leaf, np.cumsum(forest.is_leaf) - 1, -1).astype(np.int32)


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
    number = leaf_numbers(forest)[leaves]
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
    return _vote(X, shares, leaf_numbers(forest), *forest.arrays().values())


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


@compiled(parallel=True)
def _vote(X, shares, number, feature, threshold, left, right, roots):  # pragma: no cover
    votes = np.zeros((len(X), shares.shape[1]))
    for row in prange(len(X)):
        for tree in range(len(roots)):
            node = roots[tree]
            while feature[node] >= 0:
                go_left = X[row, feature[node]] <= threshold[node]
                node = left[node] if go_left else right[node]
            leaf = number[node]
            for cluster in range(shares.shape[1]):
                votes[row, cluster] += shares[leaf, cluster]
    return votes / len(roots)
