"""
Sessions of an event log, and what each one looks like.

Every function takes and returns Ibis expressions; nothing is computed until a table is written.
Whole numbers are summed as whole numbers, so results do not depend on the order of rows or on
threads.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from cohortlab.features.item_properties import item_categories, with_availability

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
    if not gap_sec >= 0:
        raise ValueError(f"gap_sec must be 0 or more seconds, but is {gap_sec!r}.")
    gap_ms = round(gap_sec * 1000)
    spans = events.group_by("visitor_id").agg(
        start_ms=events.timestamp_ms.min(), end_ms=events.timestamp_ms.max()
    )
    # Most visitors come once: all their events lie within one gap, and need no sorting by time.
    longer = spans.filter(spans.end_ms - spans.start_ms > gap_ms)
    once = events.anti_join(longer, "visitor_id").mutate(session_number=ibis.literal(1, "int64"))
    numbered = _numbered(events.semi_join(longer, "visitor_id"), gap_ms).union(once)
    return numbered.mutate(session_id=session_ids(numbered))


def _numbered(events: ir.Table, gap_ms: int) -> ir.Table:
    by_time = ibis.window(group_by="visitor_id", order_by="timestamp_ms")
    before = events.timestamp_ms.lag().over(by_time)
    starts = before.isnull() | (events.timestamp_ms - before > gap_ms)
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
    sessions: ir.Table, item_properties: ir.Table, *, left_out: dict[str, str] | None = None
) -> ir.Table:
    """
    Compute the numeric features of each session.

    Parameters
    ----------
    sessions : ibis.Table
        From `sessionise`, with `event` and `item_id`.
    item_properties : ibis.Table
        Columns `timestamp_ms`, `item_id`, `property`, `value`; without rows where there are none.
    left_out : dict of str to str, optional
        From `features_left_out`; computed where not given.

    Returns
    -------
    ibis.Table
        `session_id` and the columns of `FEATURES` that can be computed, in that order; ordered by
        visitor and session number.

    Notes
    -----
    `session_duration_sec` is the time from the first to the last event. `unique_items_viewed`
    counts the distinct items of all events of the session, whatever their kind.
    `unique_categories_viewed` counts the distinct categories of those items; an item without a
    category counts for none. `avg_item_availability` is the mean over events.
    `session_hour_of_day` (0 to 23) and `is_weekend` belong to the first event, in UTC.
    `event_rate_per_sec` is events / (duration + 1), `view_to_cart_ratio` carts / views (0 where no
    view), `category_spread_ratio` categories / items.

    Most sessions have one event; only in the others are items and categories counted through sets,
    which is slow. The sums of the sessions are computed at once and kept in a temporary table,
    because the result uses them twice.
    """
    missing = features_left_out(item_properties) if left_out is None else left_out
    summary = _summary(_described(sessions, item_properties, missing)).order_by(*SESSION)
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


def _described(sessions: ir.Table, item_properties: ir.Table, missing: dict[str, str]) -> ir.Table:
    """Reduce each event to what is summed: numbers only; zero and null where not known."""
    table = sessions.select(
        *SESSION,
        "timestamp_ms",
        "item_id",
        is_view=(sessions.event == "view").cast("int8"),
        is_cart=(sessions.event == "addtocart").cast("int8"),
    )
    if "avg_item_availability" in missing:
        table = table.mutate(available=ibis.literal(0, "int8"))
    else:
        table = with_availability(table, item_properties)
    if "unique_categories_viewed" in missing:
        return table.mutate(category=ibis.null("int64"))
    return table.left_join(_numbered_categories(item_properties), "item_id").drop("item_id_right")


def _summary(events: ir.Table) -> ir.Table:
    """Sum up each session."""
    events = _kept(events)
    totals = _kept(_totals(events))
    several = totals.filter(totals.n_events > 1)
    counted = _distinct(events.semi_join(several, list(SESSION)))
    joined = totals.left_join(counted, list(SESSION))
    return joined.select(
        *SESSION,
        *("start_ms", "end_ms", "n_events", "n_views", "n_carts", "n_available"),
        n_items=joined.distinct_items.fill_null(1),
        n_categories=joined.distinct_categories.fill_null(joined.n_categorised),
    )


def _kept(table: ir.Table) -> ir.Table:
    """Compute a table now, because what follows uses it several times."""
    backend = ibis.get_backend(table)
    return backend.create_table(ibis.util.gen_name("cohortlab"), table, temp=True)


def _numbered_categories(item_properties: ir.Table) -> ir.Table:
    """Give each item the number of its category, because numbers are compared faster than text."""
    categories = item_categories(item_properties)
    by_name = ibis.window(order_by=categories.category_id)
    return categories.select("item_id", category=ibis.dense_rank().over(by_name).cast("int32"))


def _totals(events: ir.Table) -> ir.Table:
    return events.group_by(*SESSION).agg(
        start_ms=events.timestamp_ms.min(),
        end_ms=events.timestamp_ms.max(),
        n_events=events.count(),
        n_views=events.is_view.sum(),
        n_carts=events.is_cart.sum(),
        n_available=events.available.sum(),
        n_categorised=events.category.count(),
    )


def _distinct(events: ir.Table) -> ir.Table:
    return events.group_by(list(SESSION)).agg(
        distinct_items=events.item_id.nunique(), distinct_categories=events.category.nunique()
    )


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
