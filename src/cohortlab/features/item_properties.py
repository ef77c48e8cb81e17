"""Properties of items at a time: the category of an item, and whether it can be bought."""

import ibis
import ibis.expr.types as ir

_NEVER_MS = 2**62


def item_categories(item_properties: ir.Table) -> ir.Table:
    """
    Give each item its category: the value of its latest `categoryid` property.

    Parameters
    ----------
    item_properties : ibis.Table
        Columns `timestamp_ms`, `item_id`, `property`, `value`.

    Returns
    -------
    ibis.Table
        One row per item with a category: `item_id`, `category_id` (text). Where an item has several
        at its latest time, the greatest as text is taken.
    """
    rows = item_properties.filter(item_properties["property"] == "categoryid")
    return (
        _last_value(rows, ["item_id"]).rename(category_id="value").select("item_id", "category_id")
    )


def with_availability(events: ir.Table, item_properties: ir.Table) -> ir.Table:
    """
    Add to each event whether its item could be bought at that time.

    Parameters
    ----------
    events : ibis.Table
        Columns `timestamp_ms`, `item_id` and any others.
    item_properties : ibis.Table
        Columns `timestamp_ms`, `item_id`, `property`, `value`.

    Returns
    -------
    ibis.Table
        The same rows with `available`: 1 where the last `available` property at or before the event
        is ``1``, else 0; 0 also where there is none yet.

    Notes
    -----
    Every value holds from its time until the item's next one, so each event meets at most one of
    them in a join on the item and that span of time. Of several values at one time the greatest as
    text holds.
    """
    rows = item_properties.filter(item_properties["property"] == "available")
    by_time = ibis.window(group_by="item_id", order_by=["timestamp_ms", "value"])
    # Of several values at one time all but the greatest get a span without length, which meets
    # nothing.
    spans = rows.select(
        "item_id",
        span_start=rows.timestamp_ms,
        span_end=rows.timestamp_ms.lead().over(by_time).fill_null(_NEVER_MS),
        is_available=(rows.value == "1").cast("int8"),
    ).filter(lambda t: (t.is_available == 1) & (t.span_end > t.span_start))
    joined = events.left_join(
        spans,
        [
            events.item_id == spans.item_id,
            events.timestamp_ms >= spans.span_start,
            events.timestamp_ms < spans.span_end,
        ],
    )
    available = joined.is_available.fill_null(0)
    return joined.mutate(available=available).select([*events.columns, "available"])


def _last_value(rows: ir.Table, keys: list[str]) -> ir.Table:
    """Keep the latest value of each group; the greatest as text of several at one time."""
    latest = rows.group_by(keys).agg(timestamp_ms=rows.timestamp_ms.max())
    at_latest = rows.semi_join(latest, [*keys, "timestamp_ms"])
    return at_latest.group_by(keys).agg(value=at_latest.value.max())
