"""Equal rows as one row with a weight, and distances among them in weights."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import KDTree

#: Most distances that are in memory at once while neighbours are looked for.
_MOST_DISTANCES = 4_000_000


@dataclass(frozen=True)
class Distinct:
    """
    Rows without repetition.

    Attributes
    ----------
    values : ndarray of shape (n_distinct, n_features)
        The different rows, in the order of their values.
    weights : ndarray of int64, shape (n_distinct,)
        How many rows are equal to each.
    inverse : ndarray of int64, shape (n_rows,)
        Which of them every row is.
    first : ndarray of int64, shape (n_distinct,)
        The first row that is equal to each.
    """

    values: np.ndarray
    weights: np.ndarray
    inverse: np.ndarray
    first: np.ndarray


def distinct_rows(X: np.ndarray) -> Distinct:
    """Collapse equal rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Finite numbers.

    Returns
    -------
    Distinct
        The different rows.

    Examples
    --------
    >>> distinct_rows(np.array([[2.0], [1.0], [2.0]])).weights.tolist()
    [1, 2]
    """
    values, first, inverse, weights = np.unique(
        np.asarray(X, dtype=float) + 0.0,  # adding zero turns -0.0 into 0.0
        axis=0, return_index=True, return_inverse=True, return_counts=True,
    )  # fmt: skip
    return Distinct(np.ascontiguousarray(values), weights, inverse.ravel(), first)


@dataclass(frozen=True)
class Near:
    """
    The nearest different rows of each different row, itself the first.

    Attributes
    ----------
    squared : ndarray of shape (n_distinct, n_near)
        Squared distances, ascending. A limit is compared with them as scikit-learn compares it,
        squared too: a root would be rounded, and ties fall the other way.
    rows : ndarray of int32, shape (n_distinct, n_near)
        Which rows they are.
    squared_reach : ndarray of shape (n_distinct,)
        Squared distance to the `min_samples`-th row, equal rows counted each; infinite where there
        are not so many rows.
    """

    squared: np.ndarray
    rows: np.ndarray
    squared_reach: np.ndarray


def nearest(rows: Distinct, min_samples: int) -> Near:
    """Find as many neighbours as decide what is a core.

    Parameters
    ----------
    rows : Distinct
        The rows.
    min_samples : int
        Rows within a distance, itself included, that make a row the core of a cluster; from 1.

    Returns
    -------
    Near
        Neighbours, at most `min_samples` of each row.

    Notes
    -----
    Every different row weighs one at least, so the `min_samples` nearest different rows weigh
    enough: no row further away can matter. Memory is that of ``n_distinct * min_samples`` numbers,
    however many rows are within reach of each other.
    """
    n_near = min(min_samples, len(rows.values))
    tree = KDTree(rows.values)
    squared = np.empty((len(rows.values), n_near))
    found = np.empty((len(rows.values), n_near), dtype=np.int32)
    step = max(1, _MOST_DISTANCES // n_near)
    for start in range(0, len(rows.values), step):
        piece = slice(start, start + step)
        found[piece] = tree.query(rows.values[piece], k=n_near, return_distance=False)
        squared[piece] = _squared(rows.values[piece], rows.values, found[piece])
    enough = np.cumsum(rows.weights[found], axis=1) >= min_samples
    decisive = squared[np.arange(len(found)), enough.argmax(axis=1)]
    return Near(squared, found, np.where(enough[:, -1], decisive, np.inf))


def _squared(points: np.ndarray, values: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Sum squares axis by axis, in the order in which scikit-learn's trees do."""
    total = np.zeros(found.shape)
    for axis in range(points.shape[1]):
        total += (points[:, None, axis] - values[found, axis]) ** 2
    return total
