"""Demands on what a bundle holds: whoever can write its digests can write anything into it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.curves import CURVES
from cohortlab.intervals import check_number
from cohortlab.scaling import SCALINGS, Scaling

#: Rounding error of shares that sum to 1.
_TOLERANCE = 1e-9


def demand_text(value: Any, what: str) -> str:
    """Demand a text.

    Parameters
    ----------
    value : object
        What the bundle holds.
    what : str
        Its name, for messages.

    Returns
    -------
    str
        The text.

    Raises
    ------
    ValueError
        If it is none, or empty.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"{what} should be a text, but is {value!r:.60}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} should be a text, but {value!a:.60} has half a letter") from None
    return value


def demand_numbers(
    values: Any, what: str, *, low: float = -np.inf, high: float = np.inf
) -> dict[str, float]:
    """Demand finite numbers by name, at least one.

    Parameters
    ----------
    values : object
        What the bundle holds.
    what : str
        Its name, for messages.
    low, high : float
        Bounds, included.

    Returns
    -------
    dict of str to float
        The numbers.

    Raises
    ------
    ValueError
        If it is no dictionary, or one of its values is no such number.
    """
    if not isinstance(values, dict) or not values:
        raise ValueError(f"{what} should be numbers by name, but is {values!r:.60}")
    for name, value in values.items():
        check_number(value, where=f"{what} of {name}", low=low, high=high)
    return values


def demand_array(
    values: np.ndarray, what: str, *, shape: tuple[int, ...], dtype: type = np.float64
) -> np.ndarray:
    """Demand an array of finite numbers.

    Parameters
    ----------
    values : ndarray
        What the bundle holds.
    what : str
        Its name, for messages.
    shape : tuple of int
        Its shape.
    dtype : type
        Its type, exactly: compiled code takes no other.

    Returns
    -------
    ndarray
        The array.

    Raises
    ------
    ValueError
        If type or shape is another, or a number is not finite.
    """
    if values.shape != shape or values.dtype != dtype:
        raise ValueError(
            f"{what} should be of shape {shape} and type {np.dtype(dtype)}, "
            f"but are of shape {values.shape} and type {values.dtype}"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{what} should be finite, but {(~np.isfinite(values)).sum()} are not")
    return values


def demand_shares(values: np.ndarray, what: str, *, shape: tuple[int, ...]) -> np.ndarray:
    """Demand rows of shares, each of which sums to 1.

    Parameters
    ----------
    values : ndarray
        What the bundle holds.
    what : str
        Its name, for messages.
    shape : tuple of int
        Its shape.

    Returns
    -------
    ndarray
        The shares.

    Raises
    ------
    ValueError
        If type or shape is another, a share is below 0, or a sum is not 1.
    """
    demand_array(values, what, shape=shape)
    if (values < 0).any() or (np.abs(values.sum(axis=1) - 1) > _TOLERANCE).any():
        raise ValueError(f"{what} should be 0 to 1 and sum to 1 in every row")
    return values


def demand_different(values: Iterable[Any], what: str) -> None:
    """Demand that no value stands twice.

    Parameters
    ----------
    values : iterable
        What the bundle holds.
    what : str
        Its name, for messages.

    Raises
    ------
    ValueError
        If one does.
    """
    values = pd.Index(values)
    twice = values[values.duplicated()].tolist()
    if twice:
        raise ValueError(f"{what} should differ, but {twice[0]!r:.60} stands there twice")


def read_inputs(inputs: Any) -> pd.DataFrame:
    """Read the columns that are asked for.

    Parameters
    ----------
    inputs : object
        What the manifest holds.

    Returns
    -------
    pandas.DataFrame
        `name`, `lowest` and `highest` of each.

    Raises
    ------
    ValueError
        If there is none, or one is not as it must be.
    """
    if not isinstance(inputs, list) or not inputs:
        raise ValueError(f"inputs should be a list of columns, but is {inputs!r:.60}")
    for one in inputs:
        name = demand_text(one["name"], "the name of an input")
        check_number(one["lowest"], where=f"the lowest value of {name}")
        check_number(one["highest"], where=f"the highest value of {name}", low=one["lowest"])
    demand_different([one["name"] for one in inputs], "inputs")
    return pd.DataFrame(inputs)[["name", "lowest", "highest"]]


def read_scaling(parameters: Any) -> Scaling:
    """Read a scaling.

    Parameters
    ----------
    parameters : object
        From `Scaling.parameters`.

    Returns
    -------
    Scaling
        Fitted.

    Raises
    ------
    LookupError, TypeError, ValueError
        If it is not as it must be.
    """
    scaling = Scaling.from_parameters(parameters)
    columns = [demand_text(name, "a scaled column") for name in scaling.columns_]
    demand_different(columns, "scaled columns")
    for what, numbers in {"centres": scaling.centre_, "scales": scaling.scale_}.items():
        demand_array(numbers, what, shape=(len(columns),))
    if scaling.method not in SCALINGS or (scaling.scale_ <= 0).any():
        raise ValueError(f"its scaling {scaling.method!r:.60} is none, or has a scale of 0 or less")
    unknown = [curve for curve in scaling.curves_ if curve not in CURVES]
    if unknown or {len(scaling.curves_), len(scaling.learnt_)} != {len(columns)}:
        raise ValueError(f"curves should be one of {list(CURVES)} for each scaled column")
    for name, numbers in zip(columns, scaling.learnt_, strict=True):
        for number in np.ravel(numbers).tolist():
            check_number(number, where=f"what was learnt of {name}")
    return scaling
