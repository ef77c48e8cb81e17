"""From purchases with their times to what the models of repeat buying need of a customer."""

import numpy as np
import pandas as pd

_ONE_DAY = pd.Timedelta(days=1)
#: What each customer is known by, beside the id.
HISTORY = ("n_repeats", "last_weeks", "age_weeks", "mean_value")


def in_weeks(days: pd.DataFrame) -> pd.DataFrame:
    """Count the time of purchases in weeks from the first of all.

    Parameters
    ----------
    days : pandas.DataFrame
        `customer_id`, `day` (dates or times; the time of day is ignored) and `value`. Several
        rows of one customer and day are one purchase.

    Returns
    -------
    pandas.DataFrame
        `customer_id`, `week` (weeks since the first day, a multiple of 1/7) and `value`, one row
        a customer and day, ordered by both.

    Examples
    --------
    >>> days = pd.to_datetime(["1997-01-01", "1997-01-15", "1997-01-15"])
    >>> log = pd.DataFrame({"customer_id": 1, "day": days, "value": [5.0, 2.0, 4.0]})
    >>> in_weeks(log)
       customer_id  week  value
    0            1   0.0    5.0
    1            1   2.0    6.0
    """
    day = pd.to_datetime(days["day"]).dt.normalize()
    merged = days.assign(day=day).groupby(["customer_id", "day"], as_index=False)["value"].sum()
    week = (merged["day"] - merged["day"].min()) // _ONE_DAY / 7
    return pd.DataFrame(
        {"customer_id": merged["customer_id"], "week": week, "value": merged["value"]}
    )


def purchase_history(log: pd.DataFrame, *, until: float | None = None) -> pd.DataFrame:
    """Sum each customer's purchases up as repeat-buying models see them.

    Parameters
    ----------
    log : pandas.DataFrame
        `customer_id`, `week` and `value`, one row a purchase, as from `in_weeks`.
    until : float, optional
        End of the observation, weeks; the last purchase of the log by default. Later purchases
        are not seen, nor customers who had not bought by then.

    Returns
    -------
    pandas.DataFrame
        Indexed by `customer_id`, in order: `n_repeats` (purchases after the first),
        `last_weeks` (from the first purchase to the last, 0 without a repeat), `age_weeks` (from
        the first purchase to the end) and `mean_value` (of the repeats; NaN without one).

    Raises
    ------
    ValueError
        If there is no purchase in time, or a week is missing.
    """
    if log["week"].isna().any():
        raise ValueError(f"{int(log['week'].isna().sum())} purchases have no week: drop them")
    until = log["week"].max() if until is None else until
    seen = log[log["week"] <= until]
    if seen.empty:
        raise ValueError(f"no purchase up to week {until}: choose a later end")
    customers = seen.groupby("customer_id")["week"]
    first, last = customers.min(), customers.max()
    later = seen[seen["week"].to_numpy() > first.loc[seen["customer_id"]].to_numpy()]
    repeats = later.groupby("customer_id")["value"].agg(["size", "mean"]).reindex(first.index)
    return pd.DataFrame(
        {
            "n_repeats": repeats["size"].fillna(0).astype(int),
            "last_weeks": last - first,
            "age_weeks": until - first,
            "mean_value": repeats["mean"],
        }
    )


def purchases_between(log: pd.DataFrame, customers: pd.Index, start: float, end: float):
    """Count what customers bought in a later stretch of time.

    Parameters
    ----------
    log : pandas.DataFrame
        `customer_id` and `week`, one row a purchase.
    customers : pandas.Index
        Whose purchases to count.
    start, end : float
        Weeks; the start is left out, the end counts.

    Returns
    -------
    pandas.Series of int
        By customer, 0 for those who bought nothing.
    """
    inside = log[(log["week"] > start) & (log["week"] <= end)]
    counted = inside.groupby("customer_id").size()
    return counted.reindex(customers, fill_value=0).rename("n_purchases")


def checked_columns(history: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return repeats, last purchase and age as arrays, or say which customer cannot be.

    Parameters
    ----------
    history : pandas.DataFrame
        One row a customer, with the columns of `HISTORY`.

    Returns
    -------
    tuple of numpy.ndarray
        Repeat purchases, and the weeks of the last purchase and of the end, each `(n,)`.

    Raises
    ------
    ValueError
        If a number is negative, not whole, or at odds with another; the first such customer is
        named.
    """
    x, last, age = (history[name].to_numpy(dtype=float) for name in HISTORY[:3])
    sound = (x >= 0) & (x == np.floor(x)) & (last >= 0) & (last <= age) & ((x > 0) == (last > 0))
    if not sound.all():
        row = int(np.flatnonzero(~sound)[0])
        raise ValueError(
            f"customer {history.index[row]}: n_repeats {x[row]:g}, last_weeks {last[row]:g}, "
            f"age_weeks {age[row]:g}; expected whole n_repeats from 0, 0 <= last_weeks <= "
            "age_weeks, and last_weeks above 0 exactly where there are repeats"
        )
    return x, last, age
