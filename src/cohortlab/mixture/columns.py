"""Columns that no mixture can be fitted to as they are."""

import numpy as np

from cohortlab.mixture.collapse import Rows

# Further apart than this, one `reg_covar` cannot suit both, and distances see one column only.
_LARGEST_RATIO = 1e3
_NEGLIGIBLE_LOADING = 0.1


def find_troubles(
    rows: Rows, names: tuple[str, ...] | None, floor: float, largest_condition: float
) -> dict[str, list[str]]:
    """Name the columns that leave every component without width in some direction.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    names : tuple of str or None
        Column names; numbered where there are none.
    floor : float
        Variances up to this are regularisation, in squared units of the data.
    largest_condition : float
        A correlation matrix with a larger condition number is singular.

    Returns
    -------
    dict of list of str
        `constant`: one value throughout. `badly_scaled`: a variance at the floor, or a standard
        deviation a thousand times smaller than another column's. `collinear`: columns of the rest
        of which each follows from the others; those of the narrowest direction only.
    """
    labels = np.array(
        names or [f"column {place}" for place in range(rows.n_features)], dtype=object
    )
    variance = rows.scatter(diagonal=True) / rows.total_weight
    size = np.maximum(np.abs(rows.centre), np.finfo(float).tiny)
    varies = np.sqrt(variance) > 1e-14 * size
    small = variance <= max(floor, variance.max() / _LARGEST_RATIO**2)
    rest = np.flatnonzero(varies & ~small)
    return {
        "constant": labels[~varies].tolist(),
        "badly_scaled": labels[varies & small].tolist(),
        "collinear": labels[rest[_narrowest(rows, rest, floor, largest_condition)]].tolist(),
    }


def _narrowest(rows: Rows, columns: np.ndarray, floor: float, largest: float) -> np.ndarray:
    """Find the columns that span a direction without width, if there is one."""
    if len(columns) < 2:
        return np.zeros(0, dtype=int)
    covariance = rows.scatter(diagonal=False)[np.ix_(columns, columns)] / rows.total_weight
    deviation = np.sqrt(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance / np.outer(deviation, deviation))
    # A direction of standardised columns, and the variance along it in units of the data.
    loading = vectors[:, 0]
    width = max(values[0], 0.0) / ((loading / deviation) ** 2).sum()
    if width > floor and values[0] * largest > values[-1]:
        return np.zeros(0, dtype=int)
    return np.flatnonzero(np.abs(loading) > _NEGLIGIBLE_LOADING)
