"""DBSCAN on rows with weights: scikit-learn's labels, in memory that repetition cannot grow."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from cohortlab.anomalies.distinct import Distinct, Near, distinct_rows, nearest
from cohortlab.anomalies.joining import linked
from cohortlab.clusters.density import knee

NOISE = -1
#: The least distance that counts: its square is a number, and so is any distance over it.
LEAST_REACH = 1e-150


@dataclass(frozen=True)
class Dbscan:
    """
    A clustering by density.

    Attributes
    ----------
    labels : ndarray of int64, shape (n_rows,)
        Cluster of every row, from 0; -1 for noise.
    is_core : ndarray of bool, shape (n_rows,)
        Whether the row has enough others within `eps`.
    cores : ndarray of shape (n_cores, n_features)
        The different core rows.
    core_labels : ndarray of int64, shape (n_cores,)
        Cluster of each.
    eps : float
        The distance.
    reach : ndarray of shape (n_distinct,)
        Of every different row, how far it is to the `min_samples`-th row.
    """

    labels: np.ndarray
    is_core: np.ndarray
    cores: np.ndarray
    core_labels: np.ndarray
    eps: float
    reach: np.ndarray


def dbscan(X: np.ndarray, *, eps: float | None = None, min_samples: int = 10) -> Dbscan:
    """Join rows that have enough neighbours within a distance; leave the others out as noise.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Finite numbers, at least one row.
    eps : float, optional
        The distance, above 0. By default the knee of the different rows' distances to their
        `min_samples`-th row.
    min_samples : int, default 10
        Rows within `eps`, itself and equal ones included, that make a row a core; from 1.

    Returns
    -------
    Dbscan
        Labels as scikit-learn's DBSCAN gives them, border rows too.

    Raises
    ------
    ValueError
        If there is no row, or `eps` or `min_samples` is not as it must be.

    Notes
    -----
    Equal rows become one with a weight, which is exact: a row is a core where the rows within `eps`
    weigh `min_samples`. Clusters are numbered by their first core row, and a border row belongs to
    the first cluster that has a core within `eps`.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), A density-based algorithm for discovering clusters in
    large spatial databases with noise, definitions 1 to 6.

    Examples
    --------
    >>> X = np.array([[0.0], [0.0], [0.1], [5.0]])
    >>> dbscan(X, eps=0.5, min_samples=3).labels.tolist()
    [0, 0, 0, -1]
    """
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or not len(X):
        raise ValueError(f"expected a table of at least one row, got an array of shape {X.shape}")
    if not isinstance(min_samples, int | np.integer) or min_samples < 1:
        raise ValueError(f"min_samples should be a whole number from 1, but is {min_samples!r}")
    if eps is not None and not (isinstance(eps, Real) and 0 < eps < np.inf):
        raise ValueError(f"eps should be a number above 0, but is {eps!r}")
    rows = distinct_rows(X)
    near = nearest(rows, min_samples)
    reach = np.sqrt(near.squared_reach)
    if eps is None:
        eps = knee_of(reach)
    core = near.squared_reach <= eps * eps
    labels = _labels(rows, near, core, eps)
    return Dbscan(
        labels=labels[rows.inverse],
        is_core=core[rows.inverse],
        cores=rows.values[core],
        core_labels=labels[core],
        eps=float(eps),
        reach=reach,
    )


def knee_of(reach: np.ndarray) -> float:
    """Read a distance off the curve of distances.

    Parameters
    ----------
    reach : ndarray of shape (n_distinct,)
        Distances to the `min_samples`-th row.

    Returns
    -------
    float
        The knee of the finite ones, above zero.
    """
    finite = reach[np.isfinite(reach)]
    # Where most rows are equal the knee is zero, and a distance cannot be.
    return max(knee(finite), LEAST_REACH) if len(finite) else 1.0


def _labels(rows: Distinct, near: Near, core: np.ndarray, eps: float) -> np.ndarray:
    """Label the different rows."""
    place = np.cumsum(core) - 1
    within = (near.squared <= eps * eps) & core[near.rows]
    one, which = np.nonzero(within & core[:, None])
    links = np.column_stack([place[one], place[near.rows[one, which]]])
    groups = linked(rows.values[core], eps, links)
    labels = np.full(len(core), NOISE)
    labels[core] = _numbered(groups, rows.first[core])
    # A row that is no core has fewer rows within eps than were looked for: all of them are known.
    border = ~core & within.any(axis=1)
    beside = np.where(within[border], labels[near.rows[border]], np.iinfo(np.int64).max)
    labels[border] = beside.min(axis=1) if border.any() else NOISE
    return labels


def _numbered(groups: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Give groups numbers, by the first row of each."""
    names, group = np.unique(groups, return_inverse=True)
    earliest = np.full(len(names), np.iinfo(np.int64).max)
    np.minimum.at(earliest, group, first)
    return np.argsort(np.argsort(earliest))[group]
