"""A synthetic event log in the form of RetailRocket's files, with its truth beside it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cohortlab.synthetic.catalogue import Catalogue, make_catalogue
from cohortlab.synthetic.checks import read_day
from cohortlab.synthetic.co_purchases import resolve_pairs
from cohortlab.synthetic.event_faults import fault_lines
from cohortlab.synthetic.event_sessions import (
    TRANSACTION,
    Plan,
    draw_sessions,
    draw_visits,
    lay_out_events,
    place_sessions,
)
from cohortlab.synthetic.event_settings import ROBOT, check_event_settings
from cohortlab.synthetic.item_properties import write_category_tree, write_item_properties
from cohortlab.synthetic.lines import as_text, join_fields, pick, stack, write_lines, write_table
from cohortlab.synthetic.relations import Preferences, relation_matrix, relation_table

EVENT_HEADER = b"timestamp,visitorid,event,itemid,transactionid\n"
EVENT_NAMES = ("view", "addtocart", "transaction")
SESSION_SCHEMA = pa.schema([("session_id", pa.string()), ("session_type", pa.string())])


def generate_event_log(
    folder: Path,
    truth_folder: Path,
    *,
    rng: np.random.Generator,
    n_visitors: int,
    days: int,
    start: str,
    session_gap_sec: int,
    sessions_per_visitor: Mapping,
    types: Mapping,
    groups: Mapping,
    relation_strength: float,
    preferences: Preferences | None,
    pairs: Sequence[Mapping],
    popularity_exponent: float,
    robots: Mapping,
    properties: Mapping,
    faults: Mapping[str, float],
    chunk_visitors: int,
) -> dict:
    """Write a synthetic event log and its truth, a chunk of visitors at a time.

    Parameters
    ----------
    folder, truth_folder : Path
        Where the raw files and the truth go; made where they do not exist.
    rng : numpy.random.Generator
        Source of randomness. The same state and settings give the same bytes.
    n_visitors : int
        Number of visitors, robots among them.
    days : int
        Length of the window in which sessions start, days, at least 7.
    start : str
        First day of the window, UTC.
    session_gap_sec : int
        Gaps within a session are shorter, gaps between a visitor's sessions longer, seconds.
    sessions_per_visitor : mapping
        ``exponent`` and ``maximum`` of the law P(k) proportional to k^-exponent.
    types : mapping
        Session types by name, each with the keys of `event_settings.TYPE_KEYS`.
    groups : mapping
        Groups of items by name, each with ``share``, ``categories`` and ``items``.
    relation_strength : float
        0 (no session type prefers any group) to 1 (each chooses its own only).
    preferences : mapping of str to str or mapping, or None
        For every session type its preferred group, or relative propensities of several groups;
        None deals single groups out at random.
    pairs : sequence of mapping
        Co-purchased categories: ``antecedent``, ``consequent`` (``group/number``, 1 the most
        popular) and ``probability``.
    popularity_exponent : float
        Zipf's exponent of categories in a group and items in a category.
    robots : mapping
        ``share`` of the visitors (at most 0.001), ``views`` and ``gap_median_sec``.
    properties : mapping
        How item properties change: ``available_share``, ``changes``, ``moved_share``,
        ``late_share``, ``noise``.
    faults : mapping of str to float
        Rate of each fault of `event_settings.EVENT_FAULTS`.
    chunk_visitors : int
        Visitors made at a time. Memory grows with it, the distribution does not depend on it.

    Returns
    -------
    dict
        Rows written: ``events`` (faulty lines among them), ``sessions``, ``visitors``, ``robots``,
        ``item_properties``, and ``faults`` by name.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names type and key. Nothing is written then.
    """
    check_event_settings(
        n_visitors=n_visitors, days=days, session_gap_sec=session_gap_sec,
        sessions_per_visitor=sessions_per_visitor, types=types, groups=groups,
        popularity_exponent=popularity_exponent, robots=robots, properties=properties,
        faults=faults, chunk_visitors=chunk_visitors,
    )  # fmt: skip
    window = {"start_ms": read_day(start).value // 1_000_000, "days": days}
    resolved = resolve_pairs(pairs, {name: group["categories"] for name, group in groups.items()})
    catalogue = make_catalogue(groups, popularity_exponent=popularity_exponent, rng=rng)
    relation = relation_matrix(
        list(types), list(groups), strength=relation_strength,
        column_shares=catalogue.group_shares, preferences=preferences, rng=rng,
    )  # fmt: skip
    plan = Plan(
        types=types, robots=robots, catalogue=catalogue,
        relation=np.vstack([relation, catalogue.group_shares]), pairs=resolved,
        sessions_per_visitor=sessions_per_visitor, session_gap_sec=session_gap_sec, **window,
    )  # fmt: skip
    folder, truth_folder = Path(folder), Path(truth_folder)
    for made in (folder, truth_folder):
        made.mkdir(parents=True, exist_ok=True)
    n_properties = _write_catalogue(folder, plan, properties, rng)
    _write_truth(truth_folder, plan)
    is_robot = _draw_robots(n_visitors, robots["share"], rng)
    counts = _write_events(folder, truth_folder, plan, is_robot, faults, chunk_visitors, rng)
    planted = {name: counts[name] for name in faults}
    (truth_folder / "faults.json").write_text(json.dumps(planted, indent=2) + "\n")
    totals = {"events": counts["events"], "sessions": counts["sessions"], "visitors": n_visitors}
    totals |= {"robots": int(is_robot.sum()), "item_properties": n_properties}
    return totals | {"faults": planted}


def _draw_robots(n_visitors: int, share: float, rng: np.random.Generator) -> np.ndarray:
    is_robot = np.zeros(n_visitors, dtype=bool)
    is_robot[rng.choice(n_visitors, int(n_visitors * share), replace=False)] = True
    return is_robot


def _write_catalogue(
    folder: Path, plan: Plan, properties: Mapping, rng: np.random.Generator
) -> int:
    write_category_tree(folder / "category_tree.csv", plan.catalogue, rng=rng)
    parts = (folder / "item_properties_part1.csv", folder / "item_properties_part2.csv")
    return write_item_properties(
        parts, plan.catalogue, properties, start_ms=plan.start_ms, days=plan.days, rng=rng
    )


def _write_truth(folder: Path, plan: Plan) -> None:
    """Write what is known before any session is made: items, categories, relation and pairs."""
    catalogue, types = plan.catalogue, list(plan.types)
    relation = relation_table(
        plan.relation[: len(types)], types, catalogue.group_names,
        row_label="session_type", column_label="item_group",
    )  # fmt: skip
    write_table(folder / "relation.csv", relation)
    pairs = {
        "antecedent": catalogue.category_ids[plan.pairs.antecedent],
        "consequent": catalogue.category_ids[plan.pairs.consequent],
        "probability": plan.pairs.probability,
    }
    write_table(folder / "pairs.csv", pairs)
    pq.write_table(_item_table(catalogue), folder / "items.parquet")
    pq.write_table(_category_table(catalogue), folder / "categories.parquet")


def _item_table(catalogue: Catalogue) -> pa.Table:
    category = catalogue.item_category
    names = pa.array(catalogue.group_names, pa.string())
    columns = {
        "item_id": catalogue.item_ids,
        "category_id": catalogue.category_ids[category],
        "item_group": names.take(pa.array(catalogue.category_group[category])),
    }
    return pa.table(columns).sort_by("item_id")


def _category_table(catalogue: Catalogue) -> pa.Table:
    n_groups = len(catalogue.group_ids)
    group = np.concatenate([np.arange(n_groups), catalogue.category_group])
    is_root = np.arange(len(group)) < n_groups
    columns = {
        "category_id": np.concatenate([catalogue.group_ids, catalogue.category_ids]),
        "parent_id": pa.array(catalogue.group_ids[group], mask=is_root),
        "item_group": pa.array(catalogue.group_names, pa.string()).take(pa.array(group)),
    }
    return pa.table(columns).sort_by("category_id")


def _write_events(
    folder: Path,
    truth_folder: Path,
    plan: Plan,
    is_robot: np.ndarray,
    faults: Mapping[str, float],
    chunk_visitors: int,
    rng: np.random.Generator,
) -> Counter:
    counts = Counter(dict.fromkeys(faults, 0), transactions=0)
    with (
        open(folder / "events.csv", "wb") as handle,
        pq.ParquetWriter(truth_folder / "sessions.parquet", SESSION_SCHEMA) as truth,
    ):
        handle.write(EVENT_HEADER)
        for begin in range(0, len(is_robot), chunk_visitors):
            robots = is_robot[begin : begin + chunk_visitors]
            counts += _write_chunk(
                handle, truth, plan, robots, faults, rng,
                first_visitor=begin, first_transaction=counts["transactions"],
            )  # fmt: skip
    return counts


def _write_chunk(
    handle: BinaryIO,
    truth: pq.ParquetWriter,
    plan: Plan,
    is_robot: np.ndarray,
    faults: Mapping[str, float],
    rng: np.random.Generator,
    *,
    first_visitor: int,
    first_transaction: int,
) -> Counter:
    """Make the sessions of some visitors; write their lines in any order and their truth."""
    visitor, kind = draw_sessions(is_robot, plan, rng=rng)
    events = lay_out_events(draw_visits(kind, plan, rng=rng), kind, plan, rng=rng)
    last = np.flatnonzero(np.diff(events.session, append=-1))
    start, number = place_sessions(visitor, kind, events.offset_ms[last], plan, rng=rng)
    visitor = visitor + first_visitor
    _write_sessions(truth, plan, visitor, number, kind)

    is_transaction = events.kind == TRANSACTION
    buys = np.zeros(len(kind), dtype=bool)
    buys[events.session[is_transaction]] = True
    transaction = first_transaction + np.cumsum(buys) - 1
    transaction_text = as_text(np.where(buys, transaction, 0))
    row = np.where(is_transaction, events.session, len(kind))
    fields = [
        as_text(start[events.session] + events.offset_ms),
        as_text(visitor[events.session]),
        pick(EVENT_NAMES, events.kind),
        as_text(plan.catalogue.item_ids[events.item]),
        stack([transaction_text, pick([""], np.zeros(1, dtype=np.int64))]).take(pa.array(row)),
    ]
    bad = fault_lines(fields, is_transaction, faults, rng=rng)
    lines = stack([join_fields(fields, separator=",", end="\n"), *bad.values()])
    write_lines(handle, lines.take(pa.array(rng.permutation(len(lines)))))
    counts = Counter({name: len(added) for name, added in bad.items()})
    return counts + Counter(events=len(lines), sessions=len(kind), transactions=int(buys.sum()))


def _write_sessions(
    truth: pq.ParquetWriter, plan: Plan, visitor: np.ndarray, number: np.ndarray, kind: np.ndarray
) -> None:
    order = np.lexsort((number, visitor))
    session_id = join_fields([as_text(visitor[order]), as_text(number[order])], separator="_")
    columns = [session_id.cast(pa.string()), pick([*plan.types, ROBOT], kind[order])]
    columns[1] = columns[1].cast(pa.string())
    truth.write_table(pa.Table.from_arrays(columns, schema=SESSION_SCHEMA))
