"""Before a mixture: exact mass points, found and set apart."""

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array

from cohortlab.mixture.checks import check_values, check_weights, held_rows
from cohortlab.mixture.collapse import Rows, collapse_rows

SMALLEST_SHARE = 0.01


def heaviest_points(rows: Rows, min_share: float = SMALLEST_SHARE) -> np.ndarray:
    """Find the distinct rows that repeat and hold a share of all weight, heaviest first.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows, from `collapse_rows`.
    min_share : float
        Smallest share of all weight, in (0, 1].

    Returns
    -------
    ndarray of int
        Places among the distinct rows; none on which fewer than two rows fell. Whole weights count
        rows, so a row of weight two is two; with other weights the samples are counted.
    """
    heavy = np.flatnonzero((rows.weights >= min_share * rows.total_weight) & (rows.counts >= 2))
    return heavy[np.argsort(-rows.weights[heavy], kind="stable")]


def split_mass_points(
    X, sample_weight=None, *, min_share: float = SMALLEST_SHARE
) -> tuple[np.ndarray, pd.DataFrame]:
    """Set apart the exact points on which many rows fall.

    No Gaussian describes a point: its variance would be zero and its likelihood without bound. Such
    rows are groups already; a mixture is for the rest.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Data.
    sample_weight : array-like of shape (n_samples,), optional
        Weights.
    min_share : float
        Smallest share of all weight that makes a point a group.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Number of the mass point of each row, heaviest first; -1 for the rest.
    points : DataFrame
        One row a mass point: its features, `weight` and `share`.

    Raises
    ------
    ValueError
        If a value is missing or not finite, a column is called as one of those added, or
        `min_share` is no share.

    Examples
    --------
    >>> split_mass_points(np.array([[0.0], [0.0], [1.5]]), min_share=0.5)[0].tolist()
    [0, 0, -1]
    """
    if not 0 < min_share <= 1:
        raise ValueError(f"min_share={min_share!r}; expected a share above 0 and up to 1.")
    names = [str(name) for name in getattr(X, "columns", [])]
    taken = sorted({"weight", "share"} & set(names))
    if taken:
        raise ValueError(
            f"X has a column {taken[0]!r}, which the table of points needs itself; rename it."
        )
    X = check_array(X, dtype=np.float64, ensure_all_finite=False)
    weight = check_weights(sample_weight, X)
    check_values(X[held_rows(weight, len(X))])
    rows = collapse_rows(X, weight)
    heavy = heaviest_points(rows, min_share)
    number = np.full(rows.n_distinct + 1, -1)
    number[heavy] = np.arange(len(heavy))
    names = names or [f"x{column}" for column in range(X.shape[1])]
    labels = number[rows.inverse]
    exact = [X[np.flatnonzero(rows.inverse == place)[0]] for place in heavy]
    points = pd.DataFrame(np.array(exact).reshape(len(heavy), X.shape[1]), columns=names)
    points["weight"] = rows.weights[heavy]
    points["share"] = rows.weights[heavy] / rows.total_weight
    return labels, points
