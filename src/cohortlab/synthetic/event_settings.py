"""Settings of the synthetic event log: what each must be, checked before anything is written."""

from collections.abc import Mapping

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.synthetic.catalogue import check_groups
from cohortlab.synthetic.checks import check_blocks, check_flag, check_keys, check_rates
from cohortlab.synthetic.distributions import check_counts

TYPE_KEYS = (
    "share",
    "views",
    "gap_median_sec",
    "gap_spread",
    "stay_probability",
    "return_probability",
    "cart_probability",
    "cart_required",
    "buy_probability",
    "peak_hour",
    "spread_hours",
    "weekend_share",
)
EVENT_FAULTS = (
    "missing_visitor",
    "missing_item",
    "unknown_event",
    "unreadable_timestamp",
    "repeated",
    "transaction_without_id",
    "malformed_line",
)
PROPERTY_KEYS = ("available_share", "changes", "moved_share", "late_share", "noise")
ROBOT = "robot"
LARGEST_ROBOT_SHARE = 0.001


def check_event_settings(
    *,
    n_visitors: int,
    days: int,
    session_gap_sec: int,
    sessions_per_visitor: Mapping,
    types: Mapping,
    groups: Mapping,
    popularity_exponent: float,
    robots: Mapping,
    properties: Mapping,
    faults: Mapping,
    chunk_visitors: int,
) -> None:
    """Check all settings of `cohortlab.synthetic.generate_event_log`.

    Parameters
    ----------
    **settings
        Those of that function, by name.

    Raises
    ------
    ValueError
        At the first impossible one, with its name and value.
    """
    check_number(n_visitors, where="n_visitors", low=1, whole=True)
    # A week has both kinds of day, so that every weekend share can be met.
    check_number(days, where="days", low=7, whole=True)
    check_number(session_gap_sec, where="session_gap_sec", low=2, whole=True)
    check_number(popularity_exponent, where="popularity_exponent", low=0, high=10)
    check_number(chunk_visitors, where="chunk_visitors", low=1, high=500_000, whole=True)
    check_keys(sessions_per_visitor, ("exponent", "maximum"), where="sessions_per_visitor")
    where = "sessions_per_visitor"
    check_number(sessions_per_visitor["exponent"], where=f"{where}.exponent", low=0, high=50)
    check_number(
        sessions_per_visitor["maximum"], where=f"{where}.maximum", low=1, high=100_000, whole=True
    )
    _check_types(types, session_gap_sec)
    check_groups(groups)
    _check_robots(robots)
    _check_properties(properties)
    check_rates(faults, EVENT_FAULTS)


def _check_types(types: Mapping, session_gap_sec: int) -> None:
    check_blocks(types, TYPE_KEYS, where="types")
    if ROBOT in types:
        raise ValueError(f"types.{ROBOT}: this name is kept for robots; choose another")
    for name, profile in types.items():
        where = f"types.{name}"
        check_counts(profile["views"], where=f"{where}.views")
        for key, low, high in (
            ("gap_median_sec", 0.001, session_gap_sec),
            ("gap_spread", 0.01, 10),
            ("peak_hour", 0, 24),
            ("spread_hours", 0, 1000),
            ("stay_probability", 0, 1),
            ("return_probability", 0, 1),
            ("cart_probability", 0, 1),
            ("buy_probability", 0, 1),
            ("weekend_share", 0, 1),
        ):
            check_number(profile[key], where=f"{where}.{key}", low=low, high=high)
        check_flag(profile["cart_required"], where=f"{where}.cart_required")


def _check_robots(robots: Mapping) -> None:
    check_keys(robots, ("share", "views", "gap_median_sec"), where="robots")
    # More than one visitor in a thousand, and the 0.999 quantile would be a robot's own.
    check_number(robots["share"], where="robots.share", low=0, high=LARGEST_ROBOT_SHARE)
    check_counts(robots["views"], where="robots.views")
    check_number(robots["gap_median_sec"], where="robots.gap_median_sec", low=0.001, high=600)


def _check_properties(properties: Mapping) -> None:
    check_keys(properties, PROPERTY_KEYS, where="properties")
    for key in ("available_share", "moved_share", "late_share"):
        check_number(properties[key], where=f"properties.{key}", low=0, high=1)
    for key in ("changes", "noise"):
        check_number(properties[key], where=f"properties.{key}", low=0, high=1000)


def per_type(types: Mapping, robots: Mapping, key: str) -> np.ndarray:
    """Collect one number of every type, in order, with the robots' last.

    Parameters
    ----------
    types : mapping
        The block of each type of session.
    robots : mapping
        The block of the robots.
    key : str
        The number to collect.

    Returns
    -------
    numpy.ndarray of float, shape (n_types + 1,)
        0 for the robots where they have no such number.

    Notes
    -----
    Robots neither stay on a category nor buy; they call at any hour of any day.
    """
    robot = {
        "gap_median_sec": robots["gap_median_sec"],
        "gap_spread": 0.5,
        "spread_hours": 24.0,
        "weekend_share": 2 / 7,
    }
    return np.array([*(float(profile[key]) for profile in types.values()), robot.get(key, 0.0)])
