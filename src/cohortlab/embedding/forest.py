"""A regression forest as plain arrays: which leaf of which tree holds a row."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numba import prange
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import BaseDecisionTree

from cohortlab.compiled import compiled


@dataclass(frozen=True)
class LeafForest:
    """The trees of a forest, one after the other; nodes are numbered through all of them.

    Attributes
    ----------
    feature : ndarray of int32, shape (n_nodes,)
        Column that a node asks for; -1 in a leaf.
    threshold : ndarray of float64, shape (n_nodes,)
        A row goes left where its value, as a 32-bit number, is at most this.
    left, right : ndarray of int32, shape (n_nodes,)
        Nodes to go to; a leaf's own number in a leaf.
    roots : ndarray of int32, shape (n_trees,)
        First node of each tree.
    """

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    roots: np.ndarray

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @cached_property
    def is_leaf(self) -> np.ndarray:
        """Which nodes are leaves."""
        return self.feature < 0

    @cached_property
    def leaf_number(self) -> np.ndarray:
        """Numbers of the leaves through all trees, by node: int32, -1 where it is no leaf."""
        return np.where(self.is_leaf, np.cumsum(self.is_leaf) - 1, -1).astype(np.int32)

    @cached_property
    def by_depth(self) -> tuple[np.ndarray, ...]:
        """Nodes in an order in which a step is an addition: by depth, two children side by side.

        A leaf is its own child and sends nobody right, so that all rows of a tree take as many
        steps. The arrays are, by node: the column asked for; the largest 32-bit number that goes
        left; the place of the left child; the number of the leaf. By tree: the place of the root,
        and the steps to the deepest leaf.
        """
        nodes, trees = self.roots, np.arange(self.n_trees)
        order, child, filled = [], [], 0
        depth = np.zeros(self.n_trees, dtype=np.int64)
        while len(nodes):
            inner = ~self.is_leaf[nodes]
            places = filled + np.arange(len(nodes))
            filled += len(nodes)
            places[inner] = filled + 2 * np.arange(inner.sum())
            order.append(nodes)
            child.append(places)
            depth[trees[inner]] = len(order)
            nodes, trees = nodes[inner], np.repeat(trees[inner], 2)
            nodes = np.column_stack([self.left[nodes], self.right[nodes]]).ravel()
        order = np.concatenate(order)
        place = np.empty(len(order), dtype=np.uint32)
        place[order] = np.arange(len(order))
        rounded = self.threshold.astype(np.float32)
        down = np.nextafter(rounded, np.float32(-np.inf))
        threshold = np.where(rounded > self.threshold, down, rounded)
        # Unsigned places, because compiled code need not ask whether they count from the end.
        return (
            np.where(self.is_leaf, 0, self.feature)[order].astype(np.uint32),
            np.where(self.is_leaf, np.float32(np.inf), threshold)[order],
            np.concatenate(child).astype(np.uint32),
            np.maximum(self.leaf_number, 0)[order].astype(np.uint32),
            place[self.roots],
            depth,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name, for storage."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def apply(self, X: Any) -> np.ndarray:
        """Find the leaf of every row in every tree.

        Parameters
        ----------
        X : array of shape (n_rows, n_features)
            Scaled features, in the order that the forest was fitted on.

        Returns
        -------
        ndarray of int32, shape (n_rows, n_trees)
            Node numbers. Two rows share a leaf of a tree where their numbers are equal; less
            the tree's root they are the numbers that scikit-learn gives.
        """
        X = np.ascontiguousarray(X, dtype=np.float32)
        return _leaves(X, self.feature, self.threshold, self.left, self.right, self.roots)

    def check(self, n_features: int) -> None:
        """Demand that every walk through a tree ends in a leaf; compiled code checks nothing.

        Parameters
        ----------
        n_features : int
            Columns of the rows that it is to be applied to.

        Raises
        ------
        ValueError
            If an array is of another type, a threshold is not finite, arrays do not fit each
            other, nodes lead in circles or nowhere, or a node asks for a column that is not there.
        """
        for name, array in self.arrays().items():
            dtype = np.float64 if name == "threshold" else np.int32
            if array.ndim != 1 or array.dtype != dtype:
                raise ValueError(f"{name} of its trees should be a row of {np.dtype(dtype)}")
        if not np.isfinite(self.threshold).all():
            raise ValueError("a threshold of its trees is no number")
        n_nodes, inner = len(self.feature), np.flatnonzero(~self.is_leaf)
        if {len(a) for n, a in self.arrays().items() if n != "roots"} != {n_nodes}:
            raise ValueError("its parts do not fit each other")
        sides = np.concatenate([self.left[inner], self.right[inner]])
        # A child comes after its parent, so no walk can go in circles.
        if (sides <= np.tile(inner, 2)).any() or (sides >= n_nodes).any():
            raise ValueError("a node leads nowhere")
        roots_fit = len(self.roots) and 0 <= self.roots.min() <= self.roots.max() < n_nodes
        if not roots_fit or self.feature.max() >= n_features:
            raise ValueError("a tree asks for what is not there")
        starts = np.concatenate([self.roots, sides])
        if (np.bincount(starts, minlength=n_nodes) != 1).any():
            raise ValueError("a node hangs on none or on two others")


def fit_leaf_forest(
    X: np.ndarray, y: np.ndarray, *, n_trees: int, min_leaf: int, random_state: int
) -> LeafForest:
    """Fit a random forest regression and keep its trees.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Scaled features.
    y : ndarray of shape (n_rows,)
        What the trees are to tell apart.
    n_trees : int
        Number of trees.
    min_leaf : int
        Rows that a leaf holds at least; 1 grows every tree to its end.
    random_state : int
        Seed of the bootstrap samples and of the splits.

    Returns
    -------
    LeafForest
        The trees; their predictions are not kept.

    References
    ----------
    Breiman (2001), Random forests.

    Examples
    --------
    >>> X = np.array([[0.0], [0.1], [0.9], [1.0]])
    >>> forest = fit_leaf_forest(X, X[:, 0], n_trees=3, min_leaf=1, random_state=0)
    >>> forest.apply(X).shape
    (4, 3)
    """
    model = RandomForestRegressor(n_trees, min_samples_leaf=min_leaf, random_state=random_state)
    return as_leaf_forest(model.fit(X, y).estimators_)


def as_leaf_forest(trees: list[BaseDecisionTree]) -> LeafForest:
    """Keep fitted trees of scikit-learn as plain arrays.

    Parameters
    ----------
    trees : list of sklearn.tree.BaseDecisionTree
        Trees that were fitted on the same columns.

    Returns
    -------
    LeafForest
        Nodes in the order of the trees, and in each of them in scikit-learn's.
    """
    counts = [tree.tree_.node_count for tree in trees]
    roots = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32)
    feature = np.concatenate([tree.tree_.feature for tree in trees]).astype(np.int32)
    own = np.arange(sum(counts), dtype=np.int32)
    leaf = feature < 0

    def numbered(side: str) -> np.ndarray:
        within = np.concatenate([getattr(tree.tree_, f"children_{side}") for tree in trees])
        return np.where(leaf, own, within + np.repeat(roots, counts)).astype(np.int32)

    threshold = np.concatenate([tree.tree_.threshold for tree in trees])
    return LeafForest(
        np.where(leaf, -1, feature), threshold, *map(numbered, ("left", "right")), roots
    )


@compiled(parallel=True)
def _leaves(X, feature, threshold, left, right, roots):
    found = np.empty((len(X), len(roots)), dtype=np.int32)
    for row in prange(len(X)):
        for tree in range(len(roots)):
            node = roots[tree]
            while feature[node] >= 0:
                go_left = X[row, feature[node]] <= threshold[node]
                node = left[node] if go_left else right[node]
            found[row, tree] = node
    return found
