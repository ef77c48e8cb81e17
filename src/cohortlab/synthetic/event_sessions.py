"""Sessions of a synthetic event log: what is viewed, put in the cart and bought, and when."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cohortlab.synthetic.catalogue import Catalogue
from cohortlab.synthetic.co_purchases import Pairs, plant_pairs
from cohortlab.synthetic.distributions import draw_counts, draw_gaps_ms, draw_zipf
from cohortlab.synthetic.event_settings import per_type
from cohortlab.synthetic.relations import draw_columns

VIEW, CART, TRANSACTION = 0, 1, 2
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass(frozen=True)
class Plan:
    """Everything the chunks of one log share.

    Attributes
    ----------
    types, robots : mapping
        Profiles, as given.
    catalogue : Catalogue
        What can be viewed.
    relation : ndarray, shape (n_types + 1, n_groups)
        Propensities; the last row is the robots'.
    pairs : Pairs
        Planted co-purchases, as positions of categories.
    sessions_per_visitor : mapping
        ``exponent`` and ``maximum`` of the heavy-tailed law.
    start_ms, days, session_gap_sec : int
        Window of the session starts, and the gap that ends a session.
    """

    types: Mapping
    robots: Mapping
    catalogue: Catalogue
    relation: np.ndarray
    pairs: Pairs
    sessions_per_visitor: Mapping
    start_ms: int
    days: int
    session_gap_sec: int

    def of_type(self, key: str) -> np.ndarray:
        """One number of each type, the robots' last."""
        return per_type(self.types, self.robots, key)


@dataclass(frozen=True)
class Visits:
    """Views of items, ordered by session; ``session`` indexes the sessions of the chunk."""

    session: np.ndarray
    category: np.ndarray
    item: np.ndarray
    is_carted: np.ndarray
    is_bought: np.ndarray


@dataclass(frozen=True)
class Events:
    """Events ordered by session and time; ``offset_ms`` counts from the session's first event."""

    session: np.ndarray
    kind: np.ndarray
    item: np.ndarray
    offset_ms: np.ndarray


def draw_sessions(
    is_robot: np.ndarray, plan: Plan, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw how many sessions every visitor has, and the type of each.

    Parameters
    ----------
    is_robot : ndarray of bool, shape (n_visitors,)
        Which visitors of the chunk are robots.
    plan : Plan
        What was planted.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    visitor, kind : ndarray of int, shape (n_sessions,)
        Position of the visitor in the chunk, ascending, and position of the type; a robot has one
        session, of the last type.
    """
    n_sessions = draw_zipf(len(is_robot), **plan.sessions_per_visitor, rng=rng)
    n_sessions[is_robot] = 1
    visitor = np.repeat(np.arange(len(is_robot)), n_sessions)
    shares = np.array([[profile["share"] for profile in plan.types.values()]])
    kind = draw_columns(shares, np.zeros(len(visitor), dtype=np.int64), rng=rng)
    kind[is_robot[visitor]] = len(plan.types)
    return visitor, kind


def draw_visits(kind: np.ndarray, plan: Plan, *, rng: np.random.Generator) -> Visits:
    """Draw the items viewed in each session, and which of them are carted and bought.

    Parameters
    ----------
    kind : numpy.ndarray of int, shape (n_sessions,)
        Type of each session, by its place in the plan; the robots' is the last.
    plan : Plan
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Visits
        One entry a view, in the order of sessions.
    """
    n_views = np.zeros(len(kind), dtype=np.int64)
    laws = [profile["views"] for profile in (*plan.types.values(), plan.robots)]
    for position, law in enumerate(laws):
        is_kind = kind == position
        n_views[is_kind] = draw_counts(int(is_kind.sum()), law, rng=rng)
    session = np.repeat(np.arange(len(kind)), n_views)
    category, item = _draw_items(session, kind[session], plan, rng)
    is_carted = _draw_carts(session, kind, plan, rng)
    is_bought = _draw_purchases(session, kind, item, is_carted, plan, rng)
    return Visits(session, category, item, is_carted, is_bought)


def _draw_items(
    session: np.ndarray, kind: np.ndarray, plan: Plan, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw each view anew, or in the category of the view before, or of the same item again."""
    is_first = np.diff(session, prepend=-1) != 0
    chance = rng.random(len(session))
    again = plan.of_type("return_probability")[kind]
    stay = again + (1 - again) * plan.of_type("stay_probability")[kind]
    is_same_item = (chance < again) & ~is_first
    is_same_category = (chance < stay) & ~is_first
    group = draw_columns(plan.relation, kind, rng=rng)
    category = _carry(plan.catalogue.draw_categories(group, rng=rng), is_same_category)
    item = _carry(plan.catalogue.draw_items(category, rng=rng), is_same_item)
    return category, item


def _carry(values: np.ndarray, is_carried: np.ndarray) -> np.ndarray:
    """Where told, take the value of the nearest place before that is not carried itself."""
    source = np.where(is_carried, 0, np.arange(len(values)))
    return values[np.maximum.accumulate(source)]


def _draw_carts(
    session: np.ndarray, kind: np.ndarray, plan: Plan, rng: np.random.Generator
) -> np.ndarray:
    is_carted = rng.random(len(session)) < plan.of_type("cart_probability")[kind[session]]
    has_cart = np.bincount(session[is_carted], minlength=len(kind)) > 0
    must_have = plan.of_type("cart_required").astype(bool)[kind]
    is_last = np.diff(session, append=-1) != 0
    return is_carted | (is_last & (must_have & ~has_cart)[session])


def _draw_purchases(
    session: np.ndarray,
    kind: np.ndarray,
    item: np.ndarray,
    is_carted: np.ndarray,
    plan: Plan,
    rng: np.random.Generator,
) -> np.ndarray:
    """Whole carts are bought; an item that was carted twice is bought once."""
    buys = rng.random(len(kind)) < plan.of_type("buy_probability")[kind]
    candidates = np.flatnonzero(is_carted & buys[session])
    keys = session[candidates] * (len(plan.catalogue.item_ids) + 1) + item[candidates]
    is_bought = np.zeros(len(session), dtype=bool)
    is_bought[candidates[np.unique(keys, return_index=True)[1]]] = True
    return is_bought


def lay_out_events(
    visits: Visits, kind: np.ndarray, plan: Plan, *, rng: np.random.Generator
) -> Events:
    """Turn visits into events: each view, its cart at once, all purchases together at the end.

    Parameters
    ----------
    visits : Visits
        From `draw_visits`.
    kind : numpy.ndarray of int, shape (n_sessions,)
        Type of each session.
    plan : Plan
        What is planted; its pairs of categories are added here.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    Events
        Views, carts and purchases, in the order of sessions and of time within each.
    """
    planted = _plant_purchases(visits, plan, rng)
    n_visits, n_added = len(visits.session), len(planted.session)
    carted = np.flatnonzero(visits.is_carted)
    bought = np.flatnonzero(visits.is_bought & planted.keep)
    # A step orders the events of a session: views and carts, planted ones after, purchases last.
    added = 2 * (n_visits + np.arange(n_added))
    paid = 2 * (n_visits + n_added)
    parts = (
        (VIEW, visits.session, visits.item, 2 * np.arange(n_visits)),
        (CART, visits.session[carted], visits.item[carted], 2 * carted + 1),
        (VIEW, planted.session, planted.item, added),
        (CART, planted.session, planted.item, added + 1),
        (TRANSACTION, visits.session[bought], visits.item[bought], paid + bought),
        (TRANSACTION, planted.session, planted.item, paid + added),
    )
    event = np.concatenate([np.full(len(part[1]), part[0], dtype=np.int8) for part in parts])
    session, item, step = (np.concatenate(column) for column in list(zip(*parts, strict=True))[1:])
    order = np.lexsort((step, session))
    session, item, event = session[order], item[order], event[order]
    return Events(session, event, item, _draw_offsets(session, event, kind, plan, rng))


@dataclass(frozen=True)
class _Planted:
    keep: np.ndarray
    session: np.ndarray
    item: np.ndarray


def _plant_purchases(visits: Visits, plan: Plan, rng: np.random.Generator) -> _Planted:
    bought = np.flatnonzero(visits.is_bought)
    planted = plant_pairs(visits.session[bought], visits.category[bought], plan.pairs, rng=rng)
    keep = np.ones(len(visits.session), dtype=bool)
    keep[bought] = planted.keep
    return _Planted(keep, planted.baskets, plan.catalogue.draw_items(planted.items, rng=rng))


def _draw_offsets(
    session: np.ndarray,
    event: np.ndarray,
    kind: np.ndarray,
    plan: Plan,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the times of the events in their session; the lines of one purchase are together."""
    medians, spreads = plan.of_type("gap_median_sec"), plan.of_type("gap_spread")
    of_event = kind[session]
    gap = draw_gaps_ms(
        medians[of_event], spreads[of_event], limit_sec=plan.session_gap_sec, rng=rng
    )
    is_first = np.diff(session, prepend=-1) != 0
    is_same_purchase = (event == TRANSACTION) & (np.roll(event, 1) == TRANSACTION) & ~is_first
    gap[is_same_purchase] = rng.integers(0, 16, int(is_same_purchase.sum()))
    gap[is_first] = 0
    total = np.cumsum(gap)
    return total - total[np.flatnonzero(is_first)][session]


def place_sessions(
    visitor: np.ndarray,
    kind: np.ndarray,
    duration_ms: np.ndarray,
    plan: Plan,
    *,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw when each session starts, and number each visitor's sessions in time.

    A session that would start within the gap after another of its visitor is moved past it, so
    the log holds exactly the sessions that were planted.

    Parameters
    ----------
    visitor, kind : ndarray of int, shape (n_sessions,)
        From `draw_sessions`.
    duration_ms : ndarray of int64, shape (n_sessions,)
        From the first event to the last, milliseconds.
    plan : Plan
        What was planted.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    start_ms, number : ndarray of int64, shape (n_sessions,)
        First event of the session, ms since 1970 UTC, and its number from 1.
    """
    drawn = _draw_starts(kind, plan, rng)
    order = np.lexsort((drawn, visitor))
    pause = plan.session_gap_sec * 1000 + 1 + rng.integers(0, HOUR_MS, len(kind))
    is_first = np.diff(visitor[order], prepend=-1) != 0
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    # Along one visitor start_i >= start_j + needed_i - needed_j for all j before i; hence a
    # running maximum, kept apart between visitors by a shift larger than any difference.
    length = (duration_ms + pause)[order]
    needed = np.cumsum(length) - length
    needed = needed - needed[first]
    slack = drawn[order] - needed
    shift = visitor[order] * (int(np.ptp(slack)) + 1 if len(slack) else 1)
    start = np.empty_like(drawn)
    start[order] = np.maximum.accumulate(slack + shift) - shift + needed
    number = np.empty_like(drawn)
    number[order] = np.arange(len(order)) - first + 1
    return start, number


def _draw_starts(kind: np.ndarray, plan: Plan, rng: np.random.Generator) -> np.ndarray:
    days = np.arange(plan.days) + plan.start_ms // DAY_MS
    # The first of January 1970 was a Thursday, day 3 of a week that starts on Monday.
    is_weekend_day = (days + 3) % 7 >= 5
    is_weekend = rng.random(len(kind)) < plan.of_type("weekend_share")[kind]
    chance = rng.random(len(kind))
    weekend, weekdays = days[is_weekend_day], days[~is_weekend_day]
    day = np.where(
        is_weekend,
        weekend[(chance * len(weekend)).astype(np.int64)],
        weekdays[(chance * len(weekdays)).astype(np.int64)],
    )
    hour = rng.normal(plan.of_type("peak_hour")[kind], plan.of_type("spread_hours")[kind])
    return day * DAY_MS + np.floor(np.mod(hour, 24.0) * HOUR_MS).astype(np.int64) % DAY_MS
