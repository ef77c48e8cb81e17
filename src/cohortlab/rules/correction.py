"""p-values corrected for their number."""

import numpy as np


def adjust(p: np.ndarray, method: str = "benjamini-hochberg") -> np.ndarray:
    """Correct p-values for testing many rules.

    Parameters
    ----------
    p : ndarray, shape (n_tests,)
        p-values; NaN where nothing was tested.
    method : {'benjamini-hochberg', 'holm', 'none'}
        Keep the expected share of false ones among those accepted at the level; or the probability
        of any false one; or leave p as it is.

    Returns
    -------
    ndarray, shape (n_tests,)
        Corrected p-values, at most 1; NaN stays.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate. Holm (1979), A simple
    sequentially rejective multiple test procedure.

    Examples
    --------
    >>> adjust(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    >>> adjust(np.array([0.01, 0.04, 0.03]), "holm").round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    if method not in METHODS:
        raise ValueError(f"unknown correction {method!r}: choose one of {list(METHODS)}")
    adjusted = np.full(len(p), np.nan)
    tested = ~np.isnan(p)
    order = np.flatnonzero(tested)[np.argsort(p[tested], kind="stable")]
    adjusted[order] = np.minimum(METHODS[method](p[order]), 1.0)
    return adjusted


def _benjamini_hochberg(ascending: np.ndarray) -> np.ndarray:
    n = len(ascending)
    return np.minimum.accumulate((ascending * n / np.arange(1, n + 1))[::-1])[::-1]


def _holm(ascending: np.ndarray) -> np.ndarray:
    return np.maximum.accumulate(ascending * np.arange(len(ascending), 0, -1))


#: Name -> correction of ascending p-values.
METHODS = {"benjamini-hochberg": _benjamini_hochberg, "holm": _holm, "none": lambda p: p}
