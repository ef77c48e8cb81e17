"""Degrees of people and popularity of items from stated distributions."""

from collections.abc import Mapping

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys

#: Distribution -> the keys that it needs.
DEGREE_KEYS = {
    "constant": ("mean",),
    "poisson": ("mean",),
    "power_law": ("exponent", "minimum", "maximum"),
}


def draw_degrees(size: int, block: Mapping, *, where: str, rng: np.random.Generator) -> np.ndarray:
    """Draw degrees: how many edges each person or item is meant to have.

    Parameters
    ----------
    size : int
        How many.
    block : mapping
        ``distribution``: constant or poisson with ``mean`` (a whole number for constant), or
        power_law with ``exponent`` (from 0), ``minimum`` (from 1) and ``maximum``:
        P(k) is proportional to k^-exponent.
    where : str
        Path of the block, for messages.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int64, shape (size,)
        Degrees, at least 0.

    Raises
    ------
    ValueError
        If a key is missing or unknown or a value impossible.

    Examples
    --------
    >>> draw_degrees(2, {"distribution": "constant", "mean": 3}, where="", rng=None).tolist()
    [3, 3]
    """
    name = block.get("distribution") if isinstance(block, Mapping) else block
    if name not in DEGREE_KEYS:
        raise ValueError(f"{where}.distribution: expected one of {list(DEGREE_KEYS)}, got {name!r}")
    check_keys(block, ["distribution", *DEGREE_KEYS[name]], where=where)
    if name == "power_law":
        return _draw_power_law(size, block, where, rng)
    check_number(block["mean"], where=f"{where}.mean", low=0, whole=name == "constant")
    if name == "constant":
        return np.full(size, int(block["mean"]), dtype=np.int64)
    return rng.poisson(block["mean"], size)


def _draw_power_law(size: int, block: Mapping, where: str, rng: np.random.Generator) -> np.ndarray:
    check_number(block["exponent"], where=f"{where}.exponent", low=0, high=50)
    check_number(block["minimum"], where=f"{where}.minimum", low=1, whole=True)
    check_number(
        block["maximum"], where=f"{where}.maximum", low=block["minimum"], high=1e8, whole=True
    )
    degrees = np.arange(block["minimum"], block["maximum"] + 1)
    # Relative to the smallest degree, so that no power underflows to 0 for all of them.
    cumulative = np.cumsum((degrees / degrees[0]) ** -float(block["exponent"]))
    return degrees[np.searchsorted(cumulative[:-1] / cumulative[-1], rng.random(size), "right")]
