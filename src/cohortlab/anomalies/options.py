"""What the options of detectors may be, whoever calls them."""

from collections.abc import Mapping
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, NamedTuple


class Range(NamedTuple):
    """Numbers from `low` to `high`, both included, and whether only whole ones."""

    low: float
    high: float = inf
    whole: bool = True


#: By option; what is not listed is no number, or checked where it is used.
RANGES = {
    "min_samples": Range(1),
    "min_cluster_size": Range(2),
    "max_rows": Range(2),
    "n_components": Range(1),
    "n_init": Range(1),
    "reg_covar": Range(0, whole=False),
    "min_share": Range(0, 1, whole=False),
    "n_trees": Range(1),
    "max_samples": Range(2),
    "n_neighbors": Range(1),
}


def check_options(options: Mapping[str, Any]) -> None:
    """Demand that numbers among the options lie where they may.

    Parameters
    ----------
    options : mapping
        Options of a detector.

    Raises
    ------
    ValueError
        If one is no number or out of range; the message says what is allowed.

    Examples
    --------
    >>> check_options({"n_trees": 200})
    """
    for name, (low, high, whole) in RANGES.items():
        value = options.get(name, low)
        is_number = isinstance(value, Integral if whole else Real) and not isinstance(value, bool)
        if not is_number or not isfinite(value) or not low <= value <= high:
            allowed = f"{low} to {high}" if isfinite(high) else f"from {low}"
            kind = "a whole number" if whole else "a number"
            raise ValueError(f"{name} should be {kind}, {allowed}, but is {value!r}")
