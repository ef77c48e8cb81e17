"""What the modules on clusters share."""

from typing import Any

import numpy as np


def checked_matrix(X: Any) -> np.ndarray:
    """Return a table as finite floats with rows and columns, or say what is wrong with it.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_features)
        Numbers.

    Returns
    -------
    ndarray of float, shape (n_rows, n_features)
        The same numbers.

    Raises
    ------
    ValueError
        If there is no row or no column, or a value is not finite; it is named by its place.
    """
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(f"expected rows and columns to cluster, got shape {X.shape}")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"row {row}, column {column} holds {X[row, column]}: fill or drop it")
    return X


def require_distinct_rows(ordered: np.ndarray, n_clusters: int, *, where: str) -> None:
    """Demand at least as many distinct rows as clusters.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows, n_features)
        Rows in order, so that equal ones are neighbours.
    n_clusters : int
        Number of clusters asked for.
    where : str
        What the rows are, for the message.

    Raises
    ------
    ValueError
        If there are fewer distinct rows.
    """
    distinct = 1 + int((ordered[1:] != ordered[:-1]).any(axis=1).sum())
    if n_clusters > distinct:
        raise ValueError(
            f"{n_clusters} clusters asked for, but {where} has {distinct} distinct rows: lower "
            "n_clusters, cluster more rows, or cluster on more features"
        )
