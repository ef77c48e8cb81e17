"""What the modules on rules share: exact thresholds, sorted items, required columns."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd


def exact_fraction(value: float) -> Fraction:
    """Return a threshold as the decimal that was meant, not the nearest binary number to it.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    Fraction
        Its shortest decimal form, exactly; or that of its first fifteen digits where that is less,
        so that a sum such as 0.1 + 0.2 asks for no more than 0.3.

    Examples
    --------
    >>> exact_fraction(0.1), exact_fraction(0.1 + 0.2)
    (Fraction(1, 10), Fraction(3, 10))
    """
    return min(Fraction(repr(float(value))), Fraction(f"{value:.15g}"))


def sorted_items(items: Iterable) -> list:
    """Sort the items of a set, as plain Python values.

    Parameters
    ----------
    items : iterable
        Items, NumPy's numbers among them.

    Returns
    -------
    list
        The items as Python's own values.
    """
    return sorted(map(plain_value, items))


def plain_value(value: Any) -> Any:
    """Return one of NumPy's numbers as Python's own, and anything else as it is.

    Parameters
    ----------
    value : object
        An item, an id, a cell.

    Returns
    -------
    object
        What a message shows without the name of its type.
    """
    return value.item() if isinstance(value, np.generic) else value


def require(table: pd.DataFrame, names: list[str], what: str) -> None:
    """Raise a ValueError that names the columns which a table lacks.

    Parameters
    ----------
    table : DataFrame
        The table.
    names : list of str
        Columns that it needs.
    what : str
        What to call it, in the plural.

    Raises
    ------
    ValueError
        If a column is not there.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(f"{what} lack the columns {missing}: they have {list(table.columns)}")
