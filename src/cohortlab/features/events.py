"""
Sessions of an event log, and what each one looks like.

Every function takes and returns Ibis expressions. Nothing is computed until a table is written,
except the sums that `session_features` stands on. Whole numbers are summed as whole numbers, so
results do not depend on the order of rows or on threads.
"""

from collections.abc import Mapping
from itertools import islice

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cohortlab.engine import scratch_table
from cohortlab.features.item_properties import item_categories, with_availability
from cohortlab.features.session_sums import NO_CATEGORY, SUMS, session_sums, starts_session

FEATURES = (
    "session_duration_sec",
    "total_events",
    "unique_items_viewed",
    "unique_categories_viewed",
    "avg_item_availability",
    "session_hour_of_day",
    "view_count",
    "addtocart_count",
    "event_rate_per_sec",
    "view_to_cart_ratio",
    "category_spread_ratio",
    "is_weekend",
)
ATTRIBUTES = ("session_start_time", "session_day_of_week", "transaction_count", "is_buyer")
GAP_SEC = 1800
#: What tells sessions apart.
SESSION = ("visitor_id", "session_number")

_CATEGORY_FEATURES = ("unique_categories_viewed", "category_spread_ratio")
_AVAILABILITY_FEATURES = ("avg_item_availability",)
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


def sessionise(events: ir.Table, *, gap_sec: float = GAP_SEC) -> ir.Table:
    """
    Give the sessions of each visitor their numbers.

    Parameters
    ----------
    events : ibis.Table
        Columns `timestamp_ms`, `visitor_id` and any others; in any order.
    gap_sec : float, default 1800
        A session ends where the visitor's next event is more than this many seconds later.

    Returns
    -------
    ibis.Table
        The same rows with `session_number`, from 1 in the order of time for each visitor, and
        `session_id`, the text ``<visitor_id>_<session_number>``.

    Raises
    ------
    ValueError
        If `gap_sec` is negative.
    """
    gap_ms = _milliseconds(gap_sec)
    spans = events.group_by("visitor_id").agg(
        start_ms=events.timestamp_ms.min(), end_ms=events.timestamp_ms.max()
    )
    # Most visitors come once: all their events lie within one gap, and need no sorting by time.
    longer = spans.filter(spans.end_ms - spans.start_ms > gap_ms)
    once = events.anti_join(longer, "visitor_id").mutate(session_number=ibis.literal(1, "int64"))
    numbered = _numbered(events.semi_join(longer, "visitor_id"), gap_ms).union(once)
    return numbered.mutate(session_id=session_ids(numbered))


def _milliseconds(gap_sec: float) -> int:
    if not gap_sec >= 0:
        raise ValueError(f"gap_sec must be 0 or more seconds, but is {gap_sec!r}.")
    return round(gap_sec * 1000)


def _numbered(events: ir.Table, gap_ms: int) -> ir.Table:
    by_time = ibis.window(group_by="visitor_id", order_by="timestamp_ms")
    before = events.timestamp_ms.lag().over(by_time)
    starts = starts_session(before.isnull(), events.timestamp_ms - before, gap_ms)
    marked = events.mutate(starts_session=starts.cast("int64"))
    so_far = ibis.cumulative_window(group_by="visitor_id", order_by="timestamp_ms")
    number = marked.starts_session.sum().over(so_far).cast("int64")
    return marked.mutate(session_number=number).drop("starts_session")


def session_ids(table: ir.Table) -> ir.StringColumn:
    """
    Give the id of each row's session.

    Parameters
    ----------
    table : ibis.Table
        Columns of `SESSION`.

    Returns
    -------
    ibis.StringColumn
        ``<visitor_id>_<session_number>``.
    """
    return table.visitor_id.cast("string") + "_" + table.session_number.cast("string")


def features_left_out(item_properties: ir.Table) -> dict[str, str]:
    """
    Say which features cannot be computed, and why.

    Parameters
    ----------
    item_properties : ibis.Table
        Column `property` with the properties `categoryid` and `available`, or no rows.

    Returns
    -------
    dict of str to str
        Each feature that is left out, with the reason in a sentence; empty where all can be
        computed.
    """
    names = item_properties.select("property").distinct().to_pyarrow()["property"].to_pylist()
    left_out = {}
    if "categoryid" not in names:
        why = "There is no item property categoryid, so the categories of items are not known."
        left_out |= dict.fromkeys(_CATEGORY_FEATURES, why)
    if "available" not in names:
        why = "There is no item property available, so it is not known which items could be bought."
        left_out |= dict.fromkeys(_AVAILABILITY_FEATURES, why)
    return {name: left_out[name] for name in FEATURES if name in left_out}


def knows_categories(left_out: Mapping[str, str]) -> bool:
    """
    Say whether baskets hold categories; where these are not known, they hold items.

    Parameters
    ----------
    left_out : mapping of str to str
        From `features_left_out`.

    Returns
    -------
    bool
        Whether every feature that counts categories can be computed, whatever else is left out.

    Examples
    --------
    >>> knows_categories({"avg_item_availability": "There is no item property available."})
    True
    """
    return left_out.keys().isdisjoint(_CATEGORY_FEATURES)


def session_features(
    events: ir.Table,
    item_properties: ir.Table,
    *,
    gap_sec: float = GAP_SEC,
    left_out: dict[str, str] | None = None,
) -> ir.Table:
    """
    Compute the numeric features of each session.

    Parameters
    ----------
    events : ibis.Table
        Columns `timestamp_ms`, `visitor_id`, `event` and `item_id`; in any order.
    item_properties : ibis.Table
        Columns `timestamp_ms`, `item_id`, `property`, `value`; without rows where there are none.
    gap_sec : float, default 1800
        As in `sessionise`, with the same sessions.
    left_out : dict of str to str, optional
        From `features_left_out`; computed where not given.

    Returns
    -------
    ibis.Table
        `session_id` and the columns of `FEATURES` that can be computed, in that order; ordered by
        visitor and session number.

    Raises
    ------
    ValueError
        If `gap_sec` is negative, or the events are not in DuckDB.

    Notes
    -----
    `session_duration_sec` is the time from the first to the last event. `unique_items_viewed`
    counts the distinct items of all events of the session, whatever their kind.
    `unique_categories_viewed` counts the distinct categories of those items; an item without a
    category counts for none. `avg_item_availability` is the mean over events.
    `session_hour_of_day` (0 to 23) and `is_weekend` belong to the first event, in UTC.
    `event_rate_per_sec` is events / (duration + 1), `view_to_cart_ratio` carts / views (0 where no
    view), `category_spread_ratio` categories / items.

    DuckDB joins and sorts the events. Their sums come from one pass through the sorted events, at
    once, and are kept beside the connection's tables as long as this expression is: to number the
    sessions by windows and group by them takes half as long again.
    """
    missing = features_left_out(item_properties) if left_out is None else left_out
    described = _described(events, item_properties, missing)
    summary = _summary(described, _milliseconds(gap_sec))
    columns = {name: value for name, value in _columns(summary).items() if name not in missing}
    return summary.select(session_id=session_ids(summary), **columns)


def session_attributes(sessions: ir.Table) -> ir.Table:
    """
    Describe each session by what profiles show and no clustering uses.

    Parameters
    ----------
    sessions : ibis.Table
        From `sessionise`, with `event`.

    Returns
    -------
    ibis.Table
        `session_id`, `session_start_time` (UTC), `session_day_of_week` (0 Monday to 6 Sunday),
        `transaction_count` (transaction events) and `is_buyer` (whether there is one); ordered as
        `session_features`.
    """
    summary = sessions.group_by(*SESSION).agg(
        start_ms=sessions.timestamp_ms.min(),
        n_transactions=(sessions.event == "transaction").sum().cast("int64"),
    )
    ordered = summary.order_by(*SESSION)
    return ordered.select(
        session_id=session_ids(ordered),
        session_start_time=_utc(ordered.start_ms),
        session_day_of_week=_day_of_week(ordered.start_ms),
        transaction_count=ordered.n_transactions,
        is_buyer=ordered.n_transactions > 0,
    )


def _utc(time_ms: ir.IntegerColumn) -> ir.TimestampColumn:
    # Counted from a date without a zone, because a conversion would use the zone of the machine.
    return ibis.timestamp("1970-01-01 00:00:00") + time_ms.as_interval("ms")


def _day_of_week(time_ms: ir.IntegerColumn) -> ir.IntegerColumn:
    # 1970-01-01 was a Thursday, day 3.
    return ((time_ms // _DAY_MS).cast("int64") + 3) % 7


def _described(events: ir.Table, item_properties: ir.Table, missing: dict[str, str]) -> ir.Table:
    """Reduce each event to what is summed: numbers only; zero and no category where not known."""
    table = events.select(
        "visitor_id",
        "timestamp_ms",
        "item_id",
        is_view=(events.event == "view").cast("int8"),
        is_cart=(events.event == "addtocart").cast("int8"),
    )
    if "avg_item_availability" in missing:
        table = table.mutate(available=ibis.literal(0, "int8"))
    else:
        table = with_availability(table, item_properties)
    if "unique_categories_viewed" in missing:
        return table.mutate(category=ibis.literal(NO_CATEGORY, "int32"))
    joined = table.left_join(_numbered_categories(item_properties), "item_id").drop("item_id_right")
    return joined.mutate(category=joined.category.fill_null(NO_CATEGORY))


def _summary(events: ir.Table, gap_ms: int) -> ir.Table:
    """Sum up each session, now, into a table that lies in order, as DuckDB reads what it wrote."""
    backend = ibis.get_backend(events)
    if backend.name != "duckdb":
        raise ValueError(
            f"expected events in DuckDB, got {backend.name}: write them to Parquet and read that"
        )
    schema = {"visitor_id": events.visitor_id.type()} | dict.fromkeys(SUMS, "int64")
    summary = scratch_table(backend, ibis.schema(schema))
    by_time = events.order_by("visitor_id", "timestamp_ms")
    by_time.limit(0).to_pyarrow()  # DuckDB gets to know tables that lie in Python's memory
    sums = session_sums(backend.con.sql(backend.compile(by_time)).to_arrow_reader(), gap_ms=gap_ms)
    # What one connection still reads, another one must write; it writes large tables faster.
    with backend.con.cursor() as writer:
        while some := list(islice(sums, 4)):
            table = pa.concat_tables(some).combine_chunks()
            writer.from_arrow(table).insert_into(summary.get_name())
    return summary


def _numbered_categories(item_properties: ir.Table) -> ir.Table:
    """Give each item the number of its category, because numbers are compared faster than text."""
    categories = item_categories(item_properties)
    by_name = ibis.window(order_by=categories.category_id)
    return categories.select("item_id", category=ibis.dense_rank().over(by_name).cast("int32"))


def _columns(summary: ir.Table) -> dict[str, ir.Column]:
    duration = (summary.end_ms - summary.start_ms) / 1000
    day = _day_of_week(summary.start_ms)
    carts_per_view = summary.n_carts / summary.n_views.nullif(0)
    return {
        "session_duration_sec": duration,
        "total_events": summary.n_events,
        "unique_items_viewed": summary.n_items,
        "unique_categories_viewed": summary.n_categories,
        "avg_item_availability": summary.n_available / summary.n_events,
        "session_hour_of_day": ((summary.start_ms // _HOUR_MS).cast("int64") % 24).cast("int64"),
        "view_count": summary.n_views,
        "addtocart_count": summary.n_carts,
        "event_rate_per_sec": summary.n_events / (duration + 1),
        "view_to_cart_ratio": carts_per_view.fill_null(0.0),
        "category_spread_ratio": summary.n_categories / summary.n_items,
        "is_weekend": (day >= 5).cast("int64"),
    }
