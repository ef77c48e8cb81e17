"""Columns that no mixture can be fitted to as they are."""

import numpy as np

from cohortlab.mixture.collapse import Rows

# Further apart than this, one `reg_covar` cannot suit both, and distances see one column only.
_LARGEST_RATIO = 1e3
_NEGLIGIBLE_LOADING = 0.1
# A column of so few values, each on so many rows, is a category or a grade: a bell on each value
# has no width. Ratings from 1 to 5 or 0 to 10 are such; hours and ages are not.
_MOST_VALUES = 11
_ROWS_A_VALUE = 10
_GLANCE = 1000


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
        `few_values`: two to eleven values, with ten rows or more to each; how many is said.
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
        "few_values": [
            f"{labels[place]} takes {number} values" for place, number in _few_values(rows).items()
        ],
    }


def _few_values(rows: Rows) -> dict[int, int]:
    """Count the values of the columns that take few."""
    most = min(_MOST_VALUES, rows.total_weight / _ROWS_A_VALUE)
    found = {}
    for place, column in enumerate(rows.values):
        # Most columns show more values at a glance: the rows are in no order of their values.
        if len(np.unique(column[:_GLANCE])) <= most:
            number = len(np.unique(column))
            if 2 <= number <= most:
                found[place] = number
    return found


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
