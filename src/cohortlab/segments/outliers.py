"""Customers far out, who should not move the yardstick that all others are measured by."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from cohortlab.segments.rfm import checked_measures


def _far_by_zscore(values: np.ndarray, limit: float) -> np.ndarray:
    return np.abs(values - values.mean(axis=0)) > limit * values.std(axis=0)


def _far_by_iqr(values: np.ndarray, limit: float) -> np.ndarray:
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    reach = limit * (high - low)
    return (values < low - reach) | (values > high + reach)


def _never_far(values: np.ndarray, limit: float) -> np.ndarray:
    return np.zeros(values.shape, dtype=bool)


#: Name -> which values are too far out.
OUTLIERS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "none": _never_far,
    "zscore": _far_by_zscore,
    "iqr": _far_by_iqr,
}


def is_outlier(rfm: pd.DataFrame, *, method: str = "none", limit: float = 3.0) -> np.ndarray:
    """Tell which customers are far out in at least one measure.

    Parameters
    ----------
    rfm : pandas.DataFrame
        `recency`, `frequency` and `monetary`.
    method : {'none', 'zscore', 'iqr'}
        `zscore`: more than `limit` standard deviations from the mean; `iqr`: more than `limit`
        interquartile ranges outside the quartiles (Tukey 1977: 1.5 far, 3 very far); `none`:
        nobody.
    limit : float
        Above 0.

    Returns
    -------
    ndarray of bool, shape (n_customers,)
        Whether the customer is an outlier.

    Raises
    ------
    ValueError
        If the method is unknown or the limit not above 0.

    Examples
    --------
    >>> rfm = pd.DataFrame({"recency": 1, "frequency": 1, "monetary": [5, 6, 7, 8, 900]})
    >>> is_outlier(rfm, method="iqr").tolist()
    [False, False, False, False, True]
    """
    if method not in OUTLIERS:
        raise ValueError(f"unknown outlier rule {method!r}: choose one of {list(OUTLIERS)}")
    if not limit > 0:
        raise ValueError(f"expected an outlier limit above 0, got {limit!r}")
    return OUTLIERS[method](checked_measures(rfm).to_numpy(), limit).any(axis=1)
