"""Numbers held to the interval in which they have a meaning."""

from numbers import Real


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
