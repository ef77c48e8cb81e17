"""Read and clean a log of events in the form of RetailRocket."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.cleaning import EventCleaning, check_rules
from cohortlab.sources.errors import SourceError
from cohortlab.sources.files import Place
from cohortlab.sources.log import NO_ROWS, Log, Sorted, account_for
from cohortlab.sources.mapping import column_names
from cohortlab.sources.parts import Part
from cohortlab.sources.staging import (
    Source,
    Staged,
    blank_to_null,
    id_columns,
    mark_again,
    stage,
)

COLUMNS = {
    "events": {
        "timestamp_ms": "timestamp",
        "visitor_id": "visitorid",
        "event": "event",
        "item_id": "itemid",
        "transaction_id": "transactionid",
    },
    "item_properties": {
        "timestamp_ms": "timestamp",
        "item_id": "itemid",
        "property": "property",
        "value": "value",
    },
    "category_tree": {"category_id": "categoryid", "parent_id": "parentid"},
}
ENCODING = "utf-8"
EVENTS = ("view", "addtocart", "transaction")
PROPERTIES = ("categoryid", "available")
# The year 10000; later times have no date in most programs.
END_MS = 253_402_300_800_000
BUSY_VISITORS = "busy_visitors"

_IDS = {
    "events": ["visitor_id", "item_id", "transaction_id"],
    "item_properties": ["item_id"],
    "category_tree": ["category_id", "parent_id"],
}
# Ids that name the same thing in several columns must be of one type.
_KINDS = {"item_id": "item", "category_id": "category", "parent_id": "category"}

_TIME, _RANGE, _VISITOR, _EVENT, _ITEM, _TRANSACTION = 1, 2, 3, 4, 5, 6
_PROPERTY, _VALUE, _CATEGORY, _UNUSED, _REPEATED, _BUSY, _LISTED = 7, 8, 9, 20, 21, 22, 23
_REASONS = {
    _TIME: "timestamp is not a whole number",
    _RANGE: "timestamp out of range",
    _VISITOR: "visitor id missing",
    _EVENT: "unknown event",
    _ITEM: "item id missing",
    _TRANSACTION: "transaction without transaction id",
    _PROPERTY: "property missing",
    _VALUE: "value missing",
    _CATEGORY: "category id missing",
    _UNUSED: "property not used",
    _REPEATED: "repeated event",
    _LISTED: "category listed before",
}


@dataclass(frozen=True)
class _Run:
    """What every table of one reading shares."""

    connection: Backend
    scratch: Path
    rules: EventCleaning
    sources: dict[str, Source]


def read_events(
    path: Mapping[str, str | None],
    *,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    encoding: str = ENCODING,
    cleaning: Mapping | EventCleaning | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read a log of events, clean it, and account for every row.

    Parameters
    ----------
    path : mapping
        `events`, `item_properties` and `category_tree`, each a file or a glob; the last two may be
        None.
    columns : mapping of str to mapping, optional
        For each table, our column name to the name in the file, where it is not RetailRocket's own
        (`COLUMNS`).
    encoding : str, default "utf-8"
        Encoding of text files.
    cleaning : mapping or EventCleaning, optional
        Cleaning rules that differ from the defaults of `EventCleaning`.
    scratch : Path
        Folder for temporary files; it must outlive the log.
    study : str
        Name of the study, for messages.
    memory_limit : str, default "1GB"
        Memory that DuckDB may use.
    threads : int, optional
        Threads to use; no result depends on it.

    Returns
    -------
    Log
        Tables `events`, `item_properties` and `category_tree` (without rows where absent), the
        rejected rows and the counts. Counts of `events` have `repeated_events`, the rows that
        repeat another in every column, and `busy_visitors`, how many visitors were removed.

    Raises
    ------
    SourceError
        If a source cannot be read at all, a rule is mistyped, or no row is left.

    Notes
    -----
    A row is rejected for the first reason that applies: its form, then being a repeated event,
    then its visitor having more events than the quantile of events per visitor, which is taken
    over the rows that are left by then. Of item properties only `categoryid` and `available`
    are kept; rows of other properties are not looked into, and are counted in `rows_not_used`
    instead of being rejected. A transaction id beside another event is ignored.
    """
    rules = check_rules(EventCleaning, cleaning, study=study)
    sources = _sources(path, columns, encoding, study)
    connection = connect(Path(scratch), memory_limit=memory_limit, threads=threads)
    run = _Run(connection, Path(scratch), rules, sources)
    staged = _stage_all(run)
    divided = [_divide(run, name, table) for name, table in staged.items()]
    rejects, counts = account_for(connection, divided, Path(scratch))
    counts["events"] |= _extra_counts(run, staged["events"])
    tables = {table.name: _in_order(table.kept, list(COLUMNS[table.name])) for table in divided}
    return Log(_with_absent(tables), rejects, _with_zero(counts))


def _sources(
    path: Mapping, columns: Mapping | None, encoding: str, study: str
) -> dict[str, Source]:
    for key, block in (("path", path), ("columns", columns or {})):
        if not isinstance(block, Mapping) or set(block) - set(COLUMNS):
            raise SourceError(
                f"studies.{study}.data.{key} must be a mapping with the keys {', '.join(COLUMNS)}, "
                f"but is {block!r}."
            )
    if not path.get("events"):
        raise SourceError(
            f"studies.{study}.data.path.events names no file; it must name the events."
        )
    named = {name: Place(study, name, nested=True) for name in COLUMNS if path.get(name)}
    return {
        name: Source(
            path[name],
            column_names((columns or {}).get(name), COLUMNS[name], place=place),
            encoding,
            place,
        )
        for name, place in named.items()
    }


def _stage_all(run: _Run) -> dict[str, Staged]:
    """Stage every table; ids that name the same thing become text together."""
    staged = {name: _stage(run, name) for name in run.sources}
    odd = {_KINDS.get(column, column) for table in staged.values() for column in table.odd_ids}
    for name in run.sources:
        text_ids = [column for column in _IDS[name] if _KINDS.get(column, column) in odd]
        if text_ids:
            staged[name] = _stage(run, name, text_ids, staged[name].parts)
    return staged


def _stage(
    run: _Run, name: str, text_ids: Collection[str] = (), parts: list[Part] | None = None
) -> Staged:
    return stage(
        run.connection,
        run.sources[name],
        _PARSERS[name],
        scratch=run.scratch,
        ids=_IDS[name],
        text_ids=text_ids,
        parts=parts,
    )


def _time(text: ir.StringColumn) -> dict[str, ir.Column]:
    """Read a time, and say with which code it cannot be used."""
    whole = text.try_cast("int64")
    real = text.try_cast("float64")
    # The first branch settles nearly every row; only what is left is read as a real number.
    fault = ibis.cases(
        ((whole > 0) & (whole < END_MS) & ~text.contains("."), None),
        (real.isnull() | (real.abs() < 1e15) & ~(real == whole), _TIME),
        ((real <= 0) | (real >= END_MS) | real.isnan(), _RANGE),
    ).cast("int8")
    return {"timestamp_ms": whole, "time_fault": fault}


def _parse_events(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
    event = ibis.cases((text.event.isin(EVENTS), text.event), else_=blank_to_null(text.event))
    parsed = text.select(
        **_time(text.timestamp_ms), **id_columns(text, _IDS["events"], text_ids), event=event
    )
    bought = parsed.event == "transaction"
    coded = parsed.mutate(
        code=ibis.cases(
            (parsed.time_fault.notnull(), parsed.time_fault),
            (parsed.visitor_id.isnull(), _VISITOR),
            (~parsed.event.isin(EVENTS).fill_null(False), _EVENT),
            (parsed.item_id.isnull(), _ITEM),
            (bought & parsed.transaction_id.isnull(), _TRANSACTION),
        ).cast("int8"),
        transaction_id=bought.ifelse(parsed.transaction_id, None),
    )
    return coded.drop("time_fault")


def _parse_properties(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
    raw = text["property"]
    name = ibis.cases((raw.isin(PROPERTIES), raw), else_=blank_to_null(raw))
    used = name.isin(PROPERTIES)
    parsed = text.select(
        **_time(text.timestamp_ms),
        **id_columns(text, _IDS["item_properties"], text_ids),
        property=used.ifelse(name, None),
        value=used.ifelse(blank_to_null(text.value), None),
        code=ibis.cases((name.isnull(), _PROPERTY), (~used, _UNUSED)).cast("int8"),
    )
    coded = parsed.mutate(
        code=ibis.cases(
            (parsed.code.notnull(), parsed.code),
            (parsed.time_fault.notnull(), parsed.time_fault),
            (parsed.item_id.isnull(), _ITEM),
            (parsed.value.isnull(), _VALUE),
        ).cast("int8")
    )
    return coded.drop("time_fault")


def _parse_categories(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
    parsed = text.select(**id_columns(text, _IDS["category_tree"], text_ids))
    return parsed.mutate(code=ibis.cases((parsed.category_id.isnull(), _CATEGORY)).cast("int8"))


_PARSERS = {
    "events": _parse_events,
    "item_properties": _parse_properties,
    "category_tree": _parse_categories,
}


def _divide(run: _Run, name: str, staged: Staged) -> Sorted:
    rows = staged.table
    if name == "events":
        rows = _mark_busy(run, _mark_repeated(run, rows))
    if name == "category_tree":
        rows = mark_again(rows, ["category_id"], _LISTED)
    left_out = rows.filter(rows.code.notnull()).select("file_number", "row", "code")
    return Sorted(
        name=name,
        staged=staged,
        kept=rows.filter(rows.code.isnull()),
        rejected=left_out.filter(left_out.code != _UNUSED),
        reasons=_REASONS
        | {_BUSY: f"visitor over the {run.rules.visitor_quantile} quantile of events"},
        place=run.sources[name].place,
        unused=left_out.filter(left_out.code == _UNUSED),
    )


def _mark_repeated(run: _Run, rows: ir.Table) -> ir.Table:
    if run.rules.repeated_events == "keep":
        return rows
    marked = mark_again(rows, list(COLUMNS["events"]), _REPEATED)
    return run.connection.create_table("events_without_repeats", marked)


def _mark_busy(run: _Run, rows: ir.Table) -> ir.Table:
    if run.rules.visitor_quantile is None:
        return rows
    usable = rows.filter(rows.code.isnull())
    visitors = usable.group_by("visitor_id").agg(n_events=usable.count())
    visitors = run.connection.create_table("events_per_visitor", visitors)
    limit = visitors.n_events.quantile(run.rules.visitor_quantile).to_pyarrow().as_py()
    # Without any usable row there is no quantile; the empty log is reported later.
    busy = visitors.filter(visitors.n_events > (0 if limit is None else limit))
    busy = run.connection.create_table(BUSY_VISITORS, busy.select("visitor_id", is_busy=True))
    joined = rows.left_join(busy, "visitor_id")
    code = ibis.cases(
        (joined.code.notnull(), joined.code),
        (joined.is_busy, ibis.literal(_BUSY, "int8")),
    )
    return joined.mutate(code=code).select(rows.columns)


def _extra_counts(run: _Run, staged: Staged) -> dict[str, int]:
    """Count repeated events and the visitors removed."""
    usable = staged.table.filter(staged.table.code.isnull())
    moments = usable.group_by("visitor_id", "timestamp_ms").agg(n=usable.count())
    # Repeats share visitor and time; the wide comparison is left to the few rows that do.
    crowded = usable.semi_join(moments.filter(moments.n > 1), ["visitor_id", "timestamp_ms"])
    different = crowded.select(list(COLUMNS["events"])).distinct()
    counts = {"repeated_events": _n_rows(crowded) - _n_rows(different), "busy_visitors": 0}
    if run.rules.visitor_quantile is not None:
        counts["busy_visitors"] = _n_rows(run.connection.table(BUSY_VISITORS))
    return counts


def _n_rows(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def _in_order(rows: ir.Table, columns: list[str]) -> ir.Table:
    ordered = rows.select(columns)
    keys = ["visitor_id", "timestamp_ms"] if "visitor_id" in columns else []
    return ordered.order_by([*keys, *[name for name in columns if name not in keys]])


def _with_absent(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """Add tables without rows for the sources that are not there."""
    events = tables["events"]
    types = {"timestamp_ms": "int64", "item_id": events.item_id.type()}
    types |= {"property": "string", "value": "string", "category_id": "int64", "parent_id": "int64"}
    none = events.limit(0)
    empty = {
        name: none.select(**{column: ibis.null(types[column]) for column in COLUMNS[name]})
        for name in ("item_properties", "category_tree")
    }
    return {name: tables.get(name, empty.get(name)) for name in COLUMNS}


def _with_zero(counts: dict[str, dict]) -> dict[str, dict]:
    return {name: counts.get(name, NO_ROWS) for name in COLUMNS}
