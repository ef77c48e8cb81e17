"""What the options of detectors may be, whoever calls them."""

from collections.abc import Mapping
from typing import Any

from cohortlab.intervals import check_number

#: Bounds by option; what is not listed is no number, or checked where it is used.
BOUNDS = {
    "min_samples": {"low": 1, "whole": True},
    "min_cluster_size": {"low": 2, "whole": True},
    "max_rows": {"low": 2, "whole": True},
    "n_components": {"low": 1, "whole": True},
    "n_init": {"low": 1, "whole": True},
    "reg_covar": {"low": 0},
    "min_share": {"low": 0, "high": 1},
    "n_trees": {"low": 1, "whole": True},
    "max_samples": {"low": 2, "whole": True},
    "n_neighbors": {"low": 1, "whole": True},
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
    for name in BOUNDS.keys() & options.keys():
        check_number(options[name], where=name, **BOUNDS[name])
