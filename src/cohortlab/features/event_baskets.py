"""
What was bought and looked at in the sessions of an event log: baskets and incidence.

The tables are Ibis expressions, of which nothing is computed until they are written; counts of what
they leave out are computed at once.
"""

import ibis
import ibis.expr.types as ir

from cohortlab.features.events import session_ids
from cohortlab.features.item_properties import item_categories

_PURCHASE = ("visitor_id", "transaction_id")


def session_items(sessions: ir.Table, item_properties: ir.Table | None) -> ir.Table:
    """
    Give each event the item that baskets and incidence are about, as text.

    Parameters
    ----------
    sessions : ibis.Table
        From `sessionise`.
    item_properties : ibis.Table or None
        Columns `timestamp_ms`, `item_id`, `property`, `value`; None for items instead of
        categories.

    Returns
    -------
    ibis.Table
        The same rows with `item`: the category of the item, null where it has none; or the item
        itself.
    """
    if item_properties is None:
        return sessions.mutate(item=sessions.item_id.cast("string"))
    categories = item_categories(item_properties)
    joined = sessions.left_join(categories, "item_id")
    return joined.mutate(item=joined.category_id).select([*sessions.columns, "item"])


def baskets(sessions: ir.Table, item_properties: ir.Table | None) -> ir.Table:
    """
    List what was bought together: one row per transaction and category.

    Parameters
    ----------
    sessions : ibis.Table
        From `sessionise`.
    item_properties : ibis.Table or None
        As for `session_items`.

    Returns
    -------
    ibis.Table
        `basket_id` (the transaction, as text; ``<transaction> of visitor <visitor>`` where several
        visitors have one of that id), `person_id` (the session) and `item` (text), each row once. A
        transaction that spans two sessions belongs to the one of its first event. Items without a
        category have no row; `purchases` and `uncategorised` count them.
    """
    rows = session_items(sessions, item_properties)
    bought = _bought(rows)
    known = bought.filter(bought.item.notnull())
    by_time = ibis.window(group_by=list(_PURCHASE), order_by=["timestamp_ms", "session_id"])
    own = known.transaction_id.cast("string")
    named = known.select(
        basket_id=known.is_shared.ifelse(
            own + " of visitor " + known.visitor_id.cast("string"), own
        ),
        person_id=known.session_id.first().over(by_time),
        item=known.item,
    )
    return named.distinct().order_by("basket_id", "person_id", "item")


def incidence(sessions: ir.Table, item_properties: ir.Table | None) -> ir.Table:
    """
    Count how often each session acted on each category.

    Parameters
    ----------
    sessions : ibis.Table
        From `sessionise`.
    item_properties : ibis.Table or None
        As for `session_items`.

    Returns
    -------
    ibis.Table
        `person_id` (the session), `item` (text) and `weight` (its events on that item, of any
        kind).
    """
    rows = session_items(sessions, item_properties)
    known = rows.filter(rows.item.notnull())
    groups = known.group_by("visitor_id", "session_number", "item").agg(weight=known.count())
    named = groups.select(person_id=session_ids(groups), item=groups.item, weight=groups.weight)
    return named.order_by("person_id", "item")


def purchases(events: ir.Table) -> dict[str, int]:
    """
    Count the purchases that baskets are made of.

    Parameters
    ----------
    events : ibis.Table
        Columns `event`, `visitor_id`, `transaction_id`.

    Returns
    -------
    dict of str to int
        `purchases` (of a visitor under a transaction id) and `shared_ids`, the transaction ids
        under which several visitors bought: each of them has a purchase of its own.
    """
    bought = _bought(events)
    figures = {
        "purchases": bought.select(*_PURCHASE).distinct().count(),
        "shared_ids": bought.filter(bought.is_shared).transaction_id.nunique(),
    }
    return _counted(figures)


def uncategorised(events: ir.Table, item_properties: ir.Table) -> dict[str, int]:
    """
    Count what baskets and incidence leave out because items have no category.

    Parameters
    ----------
    events : ibis.Table
        Columns `event`, `item_id`, `visitor_id`, `transaction_id`.
    item_properties : ibis.Table
        Columns `timestamp_ms`, `item_id`, `property`, `value`.

    Returns
    -------
    dict of str to int
        `events` and `items` without a category; `purchases` of which no item has one.
    """
    categories = item_categories(item_properties)
    lost = events.anti_join(categories, "item_id")
    bought = events.filter(events.event == "transaction")
    found = bought.semi_join(categories, "item_id")
    whole = bought.anti_join(found, list(_PURCHASE))
    figures = {
        "events": lost.count(),
        "items": lost.item_id.nunique(),
        "purchases": whole.select(*_PURCHASE).distinct().count(),
    }
    return _counted(figures)


def _bought(events: ir.Table) -> ir.Table:
    """Keep what was bought, and mark transaction ids that several visitors have."""
    bought = events.filter(events.event == "transaction")
    same = ibis.window(group_by="transaction_id")
    who = bought.visitor_id
    return bought.mutate(is_shared=who.min().over(same) != who.max().over(same))


def _counted(figures: dict[str, ir.IntegerScalar]) -> dict[str, int]:
    return {name: int(value.to_pyarrow().as_py()) for name, value in figures.items()}
