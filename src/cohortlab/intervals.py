"""Numbers held to the interval in which they have a meaning."""

from math import isfinite
from numbers import Integral, Real


def is_within(value: Real, interval: str) -> bool:
    """Say whether a number lies in an interval.

    Parameters
    ----------
    value : number
        Any number; NaN lies nowhere.
    interval : str
        Two bounds, ``inf`` among them; a square bracket includes its bound, a round one does not.

    Returns
    -------
    bool
        Whether it does.

    Examples
    --------
    >>> is_within(1, "(0, 1]"), is_within(1, "(0, 1)")
    (True, False)
    """
    low, high = (float(bound) for bound in interval[1:-1].split(","))
    from_below = low <= value if interval[0] == "[" else low < value
    from_above = value <= high if interval[-1] == "]" else value < high
    return from_below and from_above


def require_within(value: Real, interval: str, *, name: str) -> None:
    """Demand that an argument lies in an interval.

    Parameters
    ----------
    value : number
        What was given.
    interval : str
        As for `is_within`.
    name : str
        What to call it.

    Raises
    ------
    ValueError
        If it does not.
    """
    if not is_within(value, interval):
        raise ValueError(f"{name} is {value!r}: give a number in {interval}")


def check_number(
    value: object,
    *,
    where: str,
    low: float = float("-inf"),
    high: float = float("inf"),
    whole: bool = False,
) -> None:
    """Demand a finite number between two bounds, both included.

    Parameters
    ----------
    value : object
        What was given.
    where : str
        What to call it, for messages, such as its path: ``types.buyer.share``.
    low, high : float
        Bounds, included.
    whole : bool
        Whether only whole numbers are allowed.

    Raises
    ------
    ValueError
        If the value is no number, not whole where it must be, or out of range.

    Examples
    --------
    >>> check_number(0.5, where="types.buyer.share", low=0, high=1)
    """
    kind = Integral if whole else Real
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or not low <= value <= high:
        name = "a whole number" if whole else "a number"
        raise ValueError(f"{where}: expected {name} from {low:g} to {high:g}, got {value!r:.60}")
