"""
Fifty-one numbers that describe a sequence of visits, in four groups.

Everything is computed on arrays in the order of time, so the last digit never depends on threads.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cohortlab.sources.domains import top_level

CATEGORIES = ("social", "search", "email", "commerce", "news")
TEMPORAL = {
    "start_hour": "hour in which the sequence starts, 0 to 23",
    "end_hour": "hour in which it ends, 0 to 23",
    "duration_sec": "seconds from the start of the first visit to the end of the last",
    "n_visits": "visits",
    "start_gap_mean_sec": "mean time from the start of a visit to the start of the next, seconds",
    "start_gap_sd_sec": "standard deviation of these times, seconds",
    "is_weekend": "1 where it starts on a Saturday or Sunday",
    "is_working_hours": "1 where it starts on Monday to Friday from 9 to 17 o'clock",
    "spans_days": "1 where it ends on another day",
    "is_night": "1 where it starts from 0 to 6 o'clock",
    "is_morning": "1 where it starts from 6 to 12 o'clock",
    "is_afternoon": "1 where it starts from 12 to 18 o'clock",
    "is_evening": "1 where it starts from 18 to 24 o'clock",
    "weekday": "day on which it starts, 0 Monday to 6 Sunday",
}
DURATION = {
    "active_sum_sec": "seconds of use, all visits",
    "active_mean_sec": "mean seconds of use of a visit",
    "active_sd_sec": "standard deviation of the seconds of use",
    "active_min_sec": "seconds of use of the shortest visit",
    "active_max_sec": "seconds of use of the longest visit",
    "active_median_sec": "median seconds of use of a visit",
    "n_short": "visits of less than 10 seconds",
    "n_long": "visits of more than 300 seconds",
}
DOMAINS = {
    "n_domains": "distinct domains",
    "n_top_levels": "distinct public suffixes (com, co.uk) of these domains",
    "top1_visits": "visits to the most visited domain",
    "top2_visits": "visits to the second most visited domain, 0 where there is none",
    "top3_visits": "visits to the third most visited domain, 0 where there is none",
    "domain_entropy_bits": "Shannon entropy of the visits over domains, bits",
    **{f"has_{c}": f"1 where a domain of the category {c} is visited" for c in CATEGORIES},
    **{f"visit_share_{c}": f"share of the visits to the category {c}" for c in CATEGORIES},
    "return_rate": "share of the visits after the first that go to a domain visited before",
    "depth": "visits per distinct domain",
    "distinct_share": "distinct domains per visit",
}
TRANSITIONS = {
    "pause_mean_sec": "mean pause from the end of a visit to the start of the next, seconds",
    "quick_share": "share of these pauses that are at most 5 seconds",
    "switch_rate": "share of the steps from visit to visit that change the domain",
    "there_and_back_rate": "share of three visits in a row that go to another domain and back",
    "active_change_mean_sec": "mean absolute change of the seconds of use from visit to visit",
    **{f"active_share_{c}": f"share of the time of use on the category {c}" for c in CATEGORIES},
}
GROUPS = {
    "temporal": TEMPORAL,
    "duration": DURATION,
    "domains": DOMAINS,
    "transitions": TRANSITIONS,
}
FEATURES = TEMPORAL | DURATION | DOMAINS | TRANSITIONS

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_SHORT_SEC, _LONG_SEC, _QUICK_SEC = 10, 300, 5
_KEYS = ["person_id", "sequence_number"]


class _Visits:
    """Visits in order, with where each sequence begins; sums and means by sequence."""

    def __init__(self, visits: pd.DataFrame):
        ordered = visits.sort_values([*_KEYS, "position"], kind="stable", ignore_index=True)
        number = ordered.groupby(_KEYS, sort=False).ngroup().to_numpy()
        self.first = np.flatnonzero(np.diff(number, prepend=-1))
        self.n = np.diff(self.first, append=len(number))
        self.last = self.first + self.n - 1
        self.of = number
        self.keys = ordered.loc[self.first, _KEYS].reset_index(drop=True)
        self.start = ordered["start_ms"].to_numpy(np.int64)
        self.end = ordered["end_ms"].to_numpy(np.int64)
        self.active = ordered["active_ms"].to_numpy(float) / 1000
        self.domain, self.names = pd.factorize(ordered["domain"], sort=True)

    def total(self, values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(values, self.first)

    def within(self, steps: int) -> np.ndarray:
        """Find the visits that have so many more behind them in their sequence."""
        return np.flatnonzero(np.arange(len(self.of)) + steps <= self.last[self.of])

    def mean_of(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Average by sequence the values that stand at some visits; 0 where there is none."""
        n = np.bincount(self.of[at], minlength=len(self.n))
        return np.bincount(self.of[at], values, minlength=len(self.n)) / np.maximum(n, 1)

    def sd_of(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Give the standard deviation of the same values, over their number."""
        centred = values - self.mean_of(values, at)[self.of[at]]
        return np.sqrt(self.mean_of(centred**2, at))


def engineered_features(visits: pd.DataFrame, *, categories: Mapping[str, str]) -> pd.DataFrame:
    """
    Describe every sequence by 51 numbers.

    Parameters
    ----------
    visits : pandas.DataFrame
        One row a visit, from `make_sequences`: `person_id`, `sequence_number`, `position`,
        `start_ms`, `end_ms`, `domain`, `active_ms`; in any order. Times are local to the person.
    categories : mapping of str to str
        The category of a domain; those of `CATEGORIES` are counted, all others are not.

    Returns
    -------
    pandas.DataFrame
        One row a sequence: `person_id`, `sequence_number` and the columns of `FEATURES`, which
        says what each means; ordered by person and number.

    Raises
    ------
    ValueError
        If there is no visit.

    Notes
    -----
    Where a figure needs two visits (pauses, steps) or three and there are fewer, it is 0; a pause
    where visits overlap is 0; so is a share of the time of use where no time was used. Scale the
    numbers before any distance is taken: seconds run in the thousands, shares from 0 to 1.
    """
    if not len(visits):
        raise ValueError("there is no visit to describe; check the cleaning of the log")
    v = _Visits(visits)
    category = np.array([categories.get(name, "") for name in v.names])[v.domain]
    columns = _temporal(v) | _duration(v) | _domains(v, category) | _transitions(v, category)
    return pd.concat([v.keys, pd.DataFrame(columns)[list(FEATURES)].astype(float)], axis=1)


def _temporal(v: _Visits) -> dict[str, np.ndarray]:
    start, end = v.start[v.first], np.maximum.reduceat(v.end, v.first)
    hour, day = start % _DAY_MS // _HOUR_MS, start // _DAY_MS
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    steps = v.within(1)
    gap = (v.start[steps + 1] - v.start[steps]) / 1000
    quarters = dict(zip(("night", "morning", "afternoon", "evening"), range(4), strict=True))
    return {
        "start_hour": hour,
        "end_hour": end % _DAY_MS // _HOUR_MS,
        "duration_sec": (end - start) / 1000,
        "n_visits": v.n,
        "start_gap_mean_sec": v.mean_of(gap, steps),
        "start_gap_sd_sec": v.sd_of(gap, steps),
        "is_weekend": weekday >= 5,
        "is_working_hours": (weekday < 5) & (hour >= 9) & (hour < 17),
        "spans_days": end // _DAY_MS > day,
        **{f"is_{name}": hour // 6 == quarter for name, quarter in quarters.items()},
        "weekday": weekday,
    }


def _duration(v: _Visits) -> dict[str, np.ndarray]:
    every = np.arange(len(v.of))
    by_size = v.active[np.lexsort((v.active, v.of))]
    return {
        "active_sum_sec": v.total(v.active),
        "active_mean_sec": v.mean_of(v.active, every),
        "active_sd_sec": v.sd_of(v.active, every),
        "active_min_sec": by_size[v.first],
        "active_max_sec": by_size[v.last],
        "active_median_sec": (by_size[v.first + v.n // 2] + by_size[v.first + (v.n - 1) // 2]) / 2,
        "n_short": v.total((v.active < _SHORT_SEC).astype(int)),
        "n_long": v.total((v.active > _LONG_SEC).astype(int)),
    }


def _domains(v: _Visits, category: np.ndarray) -> dict[str, np.ndarray]:
    pair, visits = np.unique(v.of * len(v.names) + v.domain, return_counts=True)
    sequence, domain = np.divmod(pair, len(v.names))
    n_domains = np.bincount(sequence)
    share = visits / v.n[sequence]
    # Each sequence's domains by falling number of visits; a rank is a place among them.
    falling = np.lexsort((-visits, sequence))
    rank = np.arange(len(pair)) - (np.cumsum(n_domains) - n_domains)[sequence]
    tops = {
        f"top{r + 1}_visits": np.bincount(
            sequence[rank == r], visits[falling][rank == r], minlength=len(v.n)
        )
        for r in range(3)
    }
    suffix = pd.factorize(np.array([top_level(name) for name in v.names]))[0][domain]
    suffixes = np.unique(sequence * (suffix.max() + 1) + suffix) // (suffix.max() + 1)
    visited = {c: v.total((category == c).astype(int)) / v.n for c in CATEGORIES}
    return {
        "n_domains": n_domains,
        "n_top_levels": np.bincount(suffixes),
        **tops,
        "domain_entropy_bits": np.maximum(np.bincount(sequence, -share * np.log2(share)), 0),
        **{f"has_{c}": visited[c] > 0 for c in CATEGORIES},
        **{f"visit_share_{c}": visited[c] for c in CATEGORIES},
        "return_rate": (v.n - n_domains) / np.maximum(v.n - 1, 1),
        "depth": v.n / n_domains,
        "distinct_share": n_domains / v.n,
    }


def _transitions(v: _Visits, category: np.ndarray) -> dict[str, np.ndarray]:
    one, two = v.within(1), v.within(2)
    pause = np.maximum(v.start[one + 1] - v.end[one], 0) / 1000
    there = v.domain[two] != v.domain[two + 1]
    back = v.domain[two] == v.domain[two + 2]
    total = v.total(v.active)
    used = {c: v.total(np.where(category == c, v.active, 0)) for c in CATEGORIES}
    return {
        "pause_mean_sec": v.mean_of(pause, one),
        "quick_share": v.mean_of((pause <= _QUICK_SEC).astype(float), one),
        "switch_rate": v.mean_of((v.domain[one] != v.domain[one + 1]).astype(float), one),
        "there_and_back_rate": v.mean_of((there & back).astype(float), two),
        "active_change_mean_sec": v.mean_of(np.abs(v.active[one + 1] - v.active[one]), one),
        **{f"active_share_{c}": used[c] / np.where(total > 0, total, 1) for c in CATEGORIES},
    }
