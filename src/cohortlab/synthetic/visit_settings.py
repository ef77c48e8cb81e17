"""Settings of the synthetic browsing log: what each must be, checked before anything is written."""

from collections.abc import Mapping

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_blocks, check_keys, check_rates
from cohortlab.synthetic.distributions import check_counts

TYPE_KEYS = (
    "share",
    "visits",
    "active_median_sec",
    "active_spread",
    "gap_median_sec",
    "gap_spread",
    "stay_probability",
    "peak_hour",
    "spread_hours",
    "weekend_share",
)
CATEGORY_KEYS = ("share", "domains", "portals")
RECORD_KEYS = ("median", "mean", "maximum")
VISIT_FAULTS = (
    "missing_person",
    "missing_domain",
    "unreadable_time",
    "negative_seconds",
    "repeated",
    "malformed_line",
)


def check_visit_settings(
    *,
    n_users: int,
    days: int,
    gap_sec: int,
    records: Mapping,
    types: Mapping,
    categories: Mapping,
    domains_per_user: float,
    repertoire_exponent: float,
    popularity_exponent: float,
    individuality: float,
    faults: Mapping,
    chunk_users: int,
) -> None:
    """Check all settings of `cohortlab.synthetic.generate_visit_log`.

    Parameters
    ----------
    n_users, days, gap_sec, domains_per_user, repertoire_exponent, popularity_exponent, \
individuality, chunk_users : number
        As the generator takes them.
    records, types, categories, faults : mapping
        As the generator takes them.

    Raises
    ------
    ValueError
        If a key is missing or unknown, or a value impossible; the message names the type or
        category and the key.
    """
    check_number(n_users, where="n_users", low=1, whole=True)
    check_number(days, where="days", low=7, whole=True)
    check_number(gap_sec, where="gap_sec", low=2, whole=True)
    check_number(chunk_users, where="chunk_users", low=1, whole=True)
    check_number(domains_per_user, where="domains_per_user", low=1)
    check_number(repertoire_exponent, where="repertoire_exponent", low=0, high=1)
    check_number(popularity_exponent, where="popularity_exponent", low=0, high=10)
    check_number(individuality, where="individuality", low=0, high=1)
    check_keys(records, RECORD_KEYS, where="records")
    check_number(records["median"], where="records.median", low=1)
    check_number(records["mean"], where="records.mean", low=records["median"])
    check_number(records["maximum"], where="records.maximum", low=records["mean"], whole=True)
    check_rates(faults, VISIT_FAULTS)
    _check_categories(categories)
    _check_types(types, gap_sec)


def _check_categories(categories: Mapping) -> None:
    check_blocks(categories, CATEGORY_KEYS, where="categories")
    for name, category in categories.items():
        where = f"categories.{name}"
        portals = category["portals"]
        if not isinstance(portals, list) or not all(isinstance(p, str) and p for p in portals):
            raise ValueError(f"{where}.portals: expected a list of domains, got {portals!r}")
        low = max(1, len(portals))
        check_number(category["domains"], where=f"{where}.domains", low=low, whole=True)


def _check_types(types: Mapping, gap_sec: int) -> None:
    check_blocks(types, TYPE_KEYS, where="types")
    for name, profile in types.items():
        where = f"types.{name}"
        check_counts(profile["visits"], where=f"{where}.visits")
        bounds = {
            "active_median_sec": (0.1, gap_sec),
            "active_spread": (0.01, 10),
            "gap_median_sec": (0.1, gap_sec),
            "gap_spread": (0.01, 10),
            "stay_probability": (0, 1),
            "peak_hour": (0, 24),
            "spread_hours": (0, 1000),
            "weekend_share": (0, 1),
        }
        for key, (low, high) in bounds.items():
            check_number(profile[key], where=f"{where}.{key}", low=low, high=high)
