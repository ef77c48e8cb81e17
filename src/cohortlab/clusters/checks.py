"""What the modules on clusters share."""

from typing import Any

import numpy as np


def checked_matrix(X: Any) -> np.ndarray:
    """Return a table as finite floats with rows and columns, or say what is wrong with it."""
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[0] == 0 or X.shape[1] == 0:
        raise ValueError(f"expected rows and columns to cluster, got shape {X.shape}")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"row {row}, column {column} holds {X[row, column]}: fill or drop it")
    return X


def require_distinct_rows(ordered: np.ndarray, n_clusters: int, *, where: str) -> None:
    """Demand at least as many distinct rows as clusters; the rows come in order."""
    distinct = 1 + int((ordered[1:] != ordered[:-1]).any(axis=1).sum())
    if n_clusters > distinct:
        raise ValueError(
            f"{n_clusters} clusters asked for, but {where} has {distinct} distinct rows: lower "
            "n_clusters, cluster more rows, or cluster on more features"
        )
