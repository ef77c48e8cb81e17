"""Checks of the exercise on segments of customers."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question
from cohortlab.segments import gini as gini_of


@question
def recency_days(
    invoices: pd.DataFrame, today: pd.Timestamp, recency_days: pd.Series
) -> Iterator[tuple[bool, str]]:
    """Expect a number of days for every customer."""
    n = invoices["customer"].nunique()
    yield len(recency_days) == n, f"there are {n} customers, and {len(recency_days)} rows"
    yield pd.api.types.is_numeric_dtype(recency_days), "expected plain numbers, in days"
    yield (recency_days >= 0).all(), "a purchase lies behind us, so the days are positive"
    latest = today - pd.to_timedelta(recency_days, unit="D")
    later = invoices["date"] > invoices["customer"].map(latest)
    yield not later.any(), "a customer has bought since the day that you counted from"
    yield latest.isin(invoices["date"]).all(), "no one bought on the day that you counted from"


@question
def recency_score(recency_days: pd.Series, recency_score: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a score from 1 to 5 for every customer."""
    yield sorted(recency_score) == [1, 2, 3, 4, 5], "each score should stand there once"
    best = recency_score.idxmax()
    yield (
        recency_days[best] != recency_days.max(),
        ("who has not come for the longest time has the best score: is that good?"),
    )
    yield (
        (recency_score.sort_values().index == recency_days.sort_values().index[::-1]).all(),
        ("the scores are not in the order of the days"),
    )


@question
def revenue_share(
    segment: pd.Series, spent: pd.Series, revenue_share: pd.Series
) -> Iterator[tuple[bool, str]]:
    """Expect a share for every segment."""
    yield set(revenue_share.index) == set(segment), "expected a row for every segment"
    yield np.isclose(revenue_share.sum(), 1), "shares of the revenue add up to one"
    own = sum(spent[name] for name, which in segment.items() if which == "best")
    yield np.isclose(revenue_share["best"], own / spent.sum()), "a segment has not its own revenue"


@question
def gini(amounts: np.ndarray, gini: float) -> Iterator[tuple[bool, str]]:
    """Expect a number from 0 to 1."""
    yield np.ndim(gini) == 0, "expected one number"
    yield (
        not np.isclose(gini, amounts.std() / amounts.mean()),
        ("that is the spread around the mean; asked are the differences of two customers"),
    )
    expected = gini_of(amounts)
    yield not np.isclose(gini, 2 * expected), "twice too much"
    yield np.isclose(gini, expected), "all pairs count, each customer with themselves too"
