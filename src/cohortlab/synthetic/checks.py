"""Checks of the settings that a generator is given; every message names the block and the key."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from cohortlab.intervals import check_number

SHARE_TOLERANCE = 1e-9


def check_keys(block: object, keys: Iterable[str], *, where: str) -> None:
    """Demand that a block holds exactly the expected keys.

    Parameters
    ----------
    block : object
        What the configuration holds at this place.
    keys : iterable of str
        The keys that must be there; no other may be.
    where : str
        Path of the block, for messages: ``types.buyer``.

    Raises
    ------
    ValueError
        If the block is no mapping, misses a key or has an unknown one.

    Examples
    --------
    >>> check_keys({"share": 1.0}, ["share"], where="types.buyer")
    """
    expected = list(keys)
    if not isinstance(block, Mapping):
        raise ValueError(f"{where}: expected a mapping with {expected}, got {block!r}")
    unknown = [key for key in block if key not in expected]
    missing = [key for key in expected if key not in block]
    if unknown:
        raise ValueError(f"{where}.{unknown[0]}: unknown key; the keys here are {expected}")
    if missing:
        raise ValueError(f"{where}.{missing[0]}: missing key; the keys here are {expected}")


def check_flag(value: object, *, where: str) -> None:
    """Demand true or false.

    Parameters
    ----------
    value : object
        What the configuration holds at this place.
    where : str
        Path of the value, for messages.

    Raises
    ------
    ValueError
        If the value is anything else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{where}: expected true or false, got {value!r}")


def check_shares(shares: Mapping[str, float], *, where: str) -> None:
    """Demand that named shares are at least zero and sum to one.

    Parameters
    ----------
    shares : mapping of str to float
        One share for each name; at least one name.
    where : str
        Path of the block, for messages.

    Raises
    ------
    ValueError
        If there is no name, a share is out of range, or the sum is not one.

    Examples
    --------
    >>> check_shares({"buyer": 0.25, "glance": 0.75}, where="types")
    """
    if not isinstance(shares, Mapping) or not shares:
        raise ValueError(f"{where}: expected at least one name with a share, got {shares!r}")
    for name, share in shares.items():
        check_number(share, where=f"{where}.{name}.share", low=0, high=1)
    total = sum(shares.values())
    if abs(total - 1) > SHARE_TOLERANCE:
        listed = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise ValueError(
            f"{where}: the values of share must sum to 1, they sum to {total:g} ({listed}); "
            f"change one of them by {1 - total:+g}"
        )


def check_blocks(blocks: object, keys: Sequence[str], *, where: str) -> None:
    """Demand a mapping of named blocks, each with exactly these keys, whose shares sum to one.

    Parameters
    ----------
    blocks : object
        What the configuration holds at this place.
    keys : sequence of str
        The keys of every block; `share` is one of them.
    where : str
        Path of the mapping, for messages.

    Raises
    ------
    ValueError
        If the mapping, one of its blocks or the sum of shares is not as it must be.
    """
    if not isinstance(blocks, Mapping) or not blocks:
        raise ValueError(f"{where}: expected a mapping with at least one name, got {blocks!r}")
    for name, block in blocks.items():
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"{where}: expected names that are text, got {name!r}")
        check_keys(block, keys, where=f"{where}.{name}")
    check_shares({name: block["share"] for name, block in blocks.items()}, where=where)


def check_rates(rates: object, names: Sequence[str], *, where: str = "faults") -> None:
    """Demand a rate from 0 to 1 for every named fault.

    Parameters
    ----------
    rates : object
        What the configuration holds at this place.
    names : sequence of str
        The faults.
    where : str
        Path of the mapping, for messages.

    Raises
    ------
    ValueError
        If a fault is missing or unknown, or its rate is out of range.
    """
    check_keys(rates, names, where=where)
    for name in names:
        check_number(rates[name], where=f"{where}.{name}", low=0, high=1)


def read_day(start: object) -> pd.Timestamp:
    """Read the first day of a log, a date without a time zone.

    Parameters
    ----------
    start : object
        A date, as text or of any kind that pandas reads.

    Returns
    -------
    pandas.Timestamp
        Its midnight, without a zone.

    Raises
    ------
    ValueError
        If it cannot be read as a date.

    Examples
    --------
    >>> read_day("2015-05-03")
    Timestamp('2015-05-03 00:00:00')
    """
    try:
        day = pd.Timestamp(start)
    except (ValueError, TypeError) as error:
        raise ValueError(f"start: expected a date like 2015-05-03, got {start!r}") from error
    if day is pd.NaT or day.tzinfo is not None or not 1971 <= day.year <= 2200:
        raise ValueError(f"start: expected a date like 2015-05-03, got {start!r}")
    return day.normalize().as_unit("ns")
