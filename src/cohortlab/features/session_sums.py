"""
Sums over the events of each session, in one pass through events that lie in order.

A log has nearly as many sessions as events, so grouping by hashing spends most of its time on
tables of millions of groups, and as much again on the sets that count distinct items. Sorting costs
a fraction of that, and among sorted events a session is a run of rows.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

#: Stands for the category of an item that has none.
NO_CATEGORY = -1
#: The columns of the sums beside the visitor.
SUMS = (
    "session_number",
    "start_ms",
    "end_ms",
    "n_events",
    "n_views",
    "n_carts",
    "n_available",
    "n_items",
    "n_categories",
)


def starts_session(comes_first: Any, pause_ms: Any, gap_ms: int) -> Any:
    """
    Say of each event whether a session starts with it.

    Parameters
    ----------
    comes_first : array or ibis.BooleanColumn
        Whether it is its visitor's first event.
    pause_ms : array or ibis.IntegerColumn
        Time since the event before, which counts where that is the same visitor's.
    gap_ms : int
        The longest pause within a session.

    Returns
    -------
    array or ibis.BooleanColumn
        What was given: flags of events at hand, or an expression.

    Examples
    --------
    >>> starts_session(np.array([True, False, False]), np.array([0, 10, 11]), 10).tolist()
    [True, False, True]
    """
    return comes_first | (pause_ms > gap_ms)


def session_sums(batches: Iterable[pa.RecordBatch], *, gap_ms: int) -> Iterator[pa.Table]:
    """
    Cut events into sessions and sum up each of them.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Events ordered by visitor and time: `visitor_id`, `timestamp_ms`, `item_id`, `category`
        (whole numbers; `NO_CATEGORY` where the item has none), `is_view`, `is_cart`, `available`
        (0 or 1). Ids are numbers or text.
    gap_ms : int
        As in `starts_session`.

    Yields
    ------
    pyarrow.Table
        Sessions in the order of the events: `visitor_id` and, as whole numbers, the columns of
        `SUMS`. No more than one batch and the events of one visitor are held at a time.
    """
    rest = []
    for batch in batches:
        events = pa.Table.from_batches([*rest, batch]).combine_chunks()
        # The last visitor may go on in the next batch.
        last = np.flatnonzero(_changes(events["visitor_id"].to_numpy()))[-1]
        rest = events.slice(last).to_batches()
        if last:
            yield _sums(events.slice(0, last), gap_ms)
    if rest:
        yield _sums(pa.Table.from_batches(rest), gap_ms)


def _sums(events: pa.Table, gap_ms: int) -> pa.Table:
    """Sum up the sessions of whole visitors."""
    column = {name: events[name].to_numpy() for name in events.column_names}
    comes_first, time = _changes(column["visitor_id"]), column["timestamp_ms"]
    starts = starts_session(comes_first, np.diff(time, prepend=time[0]), gap_ms)
    begin, session = np.flatnonzero(starts), np.cumsum(starts) - 1
    # Of each visitor's first session, the place among all.
    first = np.maximum.accumulate(np.where(comes_first[begin], np.arange(len(begin)), 0))
    n_events, known = np.diff(begin, append=len(time)), column["category"] != NO_CATEGORY
    sums = [
        np.arange(len(begin)) - first + 1,
        time[begin],
        time[np.append(begin[1:], len(time)) - 1],
        n_events,
        *(
            np.add.reduceat(column[name], begin, dtype=np.int64)
            for name in ("is_view", "is_cart", "available")
        ),
        _distinct(column["item_id"], session, n_events, np.ones_like(known)),
        _distinct(column["category"], session, n_events, known),
    ]
    visitor = events["visitor_id"].take(begin)
    return pa.table([visitor, *map(pa.array, sums)], names=["visitor_id", *SUMS])


def _changes(values: np.ndarray) -> np.ndarray:
    """Say of each value whether it differs from the one before; the first one does."""
    return np.concatenate([[True], values[1:] != values[:-1]])


def _distinct(
    values: np.ndarray, session: np.ndarray, n_events: np.ndarray, counts: np.ndarray
) -> np.ndarray:
    """Count the distinct values of each session among those events that count."""
    # Most sessions are one event, which needs no comparing.
    alone = np.repeat(n_events == 1, n_events)
    compared = counts & ~alone
    codes, kinds = pd.factorize(values[compared])
    n_kinds = max(len(kinds), 1)
    # Sorting is faster here than the tables of `pandas.unique` and `numpy.unique`.
    pairs = np.sort(session[compared] * n_kinds + codes)
    pairs = pairs[np.diff(pairs, prepend=-1) != 0]
    of = np.concatenate([session[counts & alone], pairs // n_kinds])
    return np.bincount(of, minlength=len(n_events))
