"""What makes a flow strange: how it differs from the nearest flow that is not."""

from dataclasses import dataclass

import numpy as np
from sklearn.neighbors import KDTree

from cohortlab.anomalies.distinct import distinct_rows


@dataclass(frozen=True)
class Difference:
    """
    Strange flows beside the nearest usual ones.

    Attributes
    ----------
    usual : ndarray of int64, shape (n_strange,)
        Which row of the training is the nearest usual one.
    shares : ndarray of shape (n_strange, n_features)
        Share that each feature has in the squared distance; every row sums to 1.
    higher : ndarray of bool, shape (n_strange, n_features)
        Whether the strange flow's value is the higher one.
    """

    usual: np.ndarray
    shares: np.ndarray
    higher: np.ndarray


def differences(strange: np.ndarray, training: np.ndarray, is_usual: np.ndarray) -> Difference:
    """Hold strange flows against the nearest usual ones.

    Parameters
    ----------
    strange : ndarray of shape (n_strange, n_features)
        Prepared rows of flows to explain.
    training : ndarray of shape (n_training, n_features)
        Prepared rows of the training.
    is_usual : ndarray of bool, shape (n_training,)
        Which of them were not flagged. Where none is usual, all are taken.

    Returns
    -------
    Difference
        Who the nearest is, and how much each feature makes of the distance.

    Notes
    -----
    It says the same of every detector: what would have to change for the flow to be like one that
    nobody minds. A flow that equals a usual one has all shares equal.

    Examples
    --------
    >>> found = differences(np.array([[3.0, 1.0]]), np.zeros((2, 2)), np.array([True, False]))
    >>> found.shares.tolist(), found.usual.tolist()
    ([[0.9, 0.1]], [0])
    """
    if not len(strange):
        none = np.empty((0, training.shape[1]))
        return Difference(np.empty(0, dtype=np.int64), none, none > 0)
    places = np.flatnonzero(is_usual) if is_usual.any() else np.arange(len(training))
    rows = distinct_rows(training[places])
    nearest = KDTree(rows.values).query(strange, return_distance=False)[:, 0]
    apart = strange - rows.values[nearest]
    squared = apart**2
    total = squared.sum(axis=1, keepdims=True)
    even = np.full_like(squared, 1 / strange.shape[1])
    shares = np.divide(squared, total, out=even, where=total > 0)
    return Difference(places[rows.first[nearest]], shares, apart > 0)
