"""Linear algebra on many matrices, where one that fails does not take the others with it."""

from collections.abc import Callable

import numpy as np

Decomposition = tuple[np.ndarray, ...]


def for_each(
    function: Callable[[np.ndarray], Decomposition], matrices: np.ndarray
) -> Decomposition:
    """Decompose many matrices together; those that cannot be get nan.

    Parameters
    ----------
    function : callable
        Decomposition from `numpy.linalg` that returns a tuple of arrays.
    matrices : ndarray of shape (..., n_rows, n_columns)
        Matrices.

    Returns
    -------
    tuple of ndarray
        As from `function`; nan for matrices that are not finite or on which it fails.

    Examples
    --------
    >>> values, _ = for_each(np.linalg.eigh, np.array([[[2.0]], [[np.nan]]]))
    >>> values.tolist()
    [[2.0], [nan]]
    """
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    try:
        parts = function(np.where(finite[..., None, None], matrices, np.eye(*matrices.shape[-2:])))
    except np.linalg.LinAlgError:
        return _one_by_one(function, matrices)
    return tuple(_blank(np.array(part), finite) for part in parts)


def _blank(part: np.ndarray, keep: np.ndarray) -> np.ndarray:
    part[~keep] = np.nan
    return part


def _one_by_one(function: Callable, matrices: np.ndarray) -> Decomposition:
    shape = matrices.shape[:-2]
    parts = tuple(
        np.full(shape + one.shape, np.nan) for one in function(np.eye(*matrices.shape[-2:]))
    )
    for place in np.ndindex(shape):
        if not np.isfinite(matrices[place]).all():
            continue
        try:
            found = function(matrices[place])
        except np.linalg.LinAlgError:
            continue
        for part, one in zip(parts, found, strict=True):
            part[place] = one
    return parts
