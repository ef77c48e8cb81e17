"""What the modules on rules share: exact thresholds, sorted items, required columns."""

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
import pandas as pd


def exact_fraction(value: float) -> Fraction:
    """Return a threshold as the decimal that was written, not the nearest binary number to it.

    Parameters
    ----------
    value : float
        Any finite number.

    Returns
    -------
    Fraction
        Its shortest decimal form, exactly.

    Examples
    --------
    >>> exact_fraction(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(float(value)))


def sorted_items(items: Iterable) -> list:
    """Sort the items of a set, as plain Python values."""
    return sorted(item.item() if isinstance(item, np.generic) else item for item in items)


def require(table: pd.DataFrame, names: list[str], what: str) -> None:
    """Raise a ValueError that names the columns which a table lacks."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(f"{what} lack the columns {missing}: they have {list(table.columns)}")
