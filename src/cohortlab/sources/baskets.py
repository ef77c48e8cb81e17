"""Read and clean a log of baskets: who bought what together, and what is known of both."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.basket_lines import find_line_parts
from cohortlab.sources.cleaning import BasketCleaning, check_rules
from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import Place
from cohortlab.sources.log import NO_ROWS, Log, Sorted, account_for
from cohortlab.sources.mapping import columns_there
from cohortlab.sources.parts import Part, find_parts
from cohortlab.sources.staging import (
    Source,
    Staged,
    blank_to_null,
    mark_again,
    read_time,
    stage,
    without_point,
)

COLUMNS = {
    "baskets": {
        "basket_id": "basket_id",
        "item": "item",
        "person_id": "person_id",
        "time": "time",
        "quantity": "quantity",
        "value": "value",
    },
    "items": {"item": "item", "name": "name"},
    "people": {"person_id": "person_id"},
}
REQUIRED = {"baskets": ("basket_id", "item"), "items": ("item",), "people": ("person_id",)}
# What `columns` may name beside our columns: further columns of the file, kept under their names.
FURTHER = {"items": "levels", "people": "attributes"}
LINES = "lines"
ENCODING = "utf-8"
_TYPES = {"time": "timestamp", "quantity": "float64", "value": "float64"}

_BASKET, _NOTHING, _ITEM, _PERSON, _TIME = 1, 2, 3, 4, 5
_QUANTITY, _NO_QUANTITY, _VALUE, _NEGATIVE, _OTHER, _LISTED = 6, 7, 8, 9, 10, 11
_REASONS = {
    _BASKET: "basket id missing",
    _NOTHING: "basket without items",
    _ITEM: "item missing",
    _PERSON: "person id missing",
    _TIME: "time cannot be read",
    _QUANTITY: "quantity is not a number",
    _NO_QUANTITY: "quantity is not above zero",
    _VALUE: "value is not a number",
    _NEGATIVE: "value is negative",
    _OTHER: "basket of another person",
    _LISTED: "listed before",
}


@dataclass(frozen=True)
class _Table:
    """One table as the user described it; `further` are columns kept under their own names."""

    source: Source
    parts: list[Part]
    further: tuple[str, ...]


def read_baskets(
    path: Mapping[str, str | None],
    *,
    columns: Mapping[str, Any] | None = None,
    encoding: str = ENCODING,
    cleaning: Mapping | BasketCleaning | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read a log of baskets, clean it, and account for every row.

    Parameters
    ----------
    path : mapping
        `baskets`, `items` and `people`, each a file or a glob; the last two may be None.
    columns : mapping, optional
        For each table, our column name to the name in the file (`COLUMNS`); null says that a column
        is not to be used. All but `REQUIRED` may be absent from the file. `baskets` may be the
        word ``lines``: the file then has no columns but one basket a line. `items` may have
        ``levels``: the columns of a hierarchy, the largest groups first. `people` may have
        ``attributes``: the columns to keep, all of them by default.
    encoding : str, default "utf-8"
        Encoding of text files.
    cleaning : mapping or BasketCleaning, optional
        Cleaning rules that differ from the defaults of `BasketCleaning`.
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
        Tables `baskets` (columns that the file lacks are null), `items` and `people` (without rows
        where absent), the rejected rows and the counts. Counts of `baskets` have
        `repeated_items`, the rows whose item stands in its basket before, which are kept, and
        `lost_baskets`, the baskets of which no row is left.

    Raises
    ------
    SourceError
        If a source cannot be read at all, a column or rule is unknown, or no row is left.

    Notes
    -----
    Ids are text, so that ``007`` stays itself; ``7.0``, as spreadsheets write it, is ``7``. A
    basket belongs to the person of its first usable row; rows that name another are rejected.
    """
    rules = check_rules(BasketCleaning, cleaning, study=study)
    scratch = Path(scratch)
    tables = _tables(path, columns, encoding, study, scratch)
    connection = connect(scratch, memory_limit=memory_limit, threads=threads)
    divided = [
        _divide(name, table, _stage(connection, name, table, rules, scratch))
        for name, table in tables.items()
    ]
    rejects, counts = account_for(connection, divided, scratch)
    counts["baskets"] |= _extra_counts(divided[0])
    kept = {table.name: _in_order(table, tables[table.name]) for table in divided}
    return Log(_with_absent(kept), rejects, _with_zero(counts))


def _tables(
    path: Mapping, columns: Mapping | None, encoding: str, study: str, scratch: Path
) -> dict[str, _Table]:
    for key, block in (("path", path), ("columns", columns or {})):
        if not isinstance(block, Mapping) or set(block) - set(COLUMNS):
            raise SourceError(
                f"studies.{study}.data.{key} must be a mapping with the keys {', '.join(COLUMNS)}, "
                f"but is {block!r}."
            )
    if not path.get("baskets"):
        raise SourceError(
            f"studies.{study}.data.path.baskets names no file; it must name the baskets."
        )
    return {
        name: _table(
            path[name], (columns or {}).get(name), encoding, Place(study, name, True), scratch
        )
        for name in COLUMNS
        if path.get(name)
    }


def _table(
    path: str, columns: Mapping | str | None, encoding: str, place: Place, scratch: Path
) -> _Table:
    if columns == LINES and place.table == "baskets":
        parts = find_line_parts(path, scratch=scratch, encoding=encoding, place=place)
        names = {name: name for name in REQUIRED["baskets"]}
        return _Table(Source(path, names, encoding, place), parts, ())
    if not isinstance(columns or {}, Mapping):
        words = " or the word `lines`" if place.table == "baskets" else ""
        raise SourceError(f"{place.key('columns')} must be a mapping{words}, but is {columns!r}.")
    parts = find_parts(path, scratch=scratch, encoding=encoding, place=place)
    given = dict(columns or {})
    further = _further(given, parts, place)
    names = columns_there(
        {ours: theirs for ours, theirs in given.items() if ours != FURTHER.get(place.table)},
        COLUMNS[place.table],
        required=REQUIRED[place.table],
        present=parts[0].header.names,
        place=place,
    )
    names |= {name: name for name in further}
    return _Table(Source(path, names, encoding, place), parts, further)


def _further(given: dict, parts: list[Part], place: Place) -> tuple[str, ...]:
    """List the columns that are kept under the names they have in the file."""
    key = FURTHER.get(place.table)
    if key is None:
        return ()
    wanted = given.get(key)
    if wanted is None:
        taken = {given.get(ours) or ours for ours in COLUMNS[place.table]}
        named = [name for name in parts[0].header.names if name and name not in taken]
        wanted = named if key == "attributes" else []
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise SourceError(
            f"{place.key('columns')}.{key} must be a list of columns, not {wanted!r}."
        )
    clashing = [name for name in wanted if name in COLUMNS[place.table] or wanted.count(name) > 1]
    if clashing:
        raise SourceError(
            f"{place.key('columns')}.{key} names {shown(clashing)}, which is a column of ours or "
            "listed twice. Rename it in the file, or leave it out."
        )
    return tuple(wanted)


def _stage(
    connection: Backend, name: str, table: _Table, rules: BasketCleaning, scratch: Path
) -> Staged:
    in_lines = table.parts[0].header.n_lines == 0

    def parse(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
        if name == "baskets":
            return _parse_baskets(text, rules, in_lines)
        key = REQUIRED[name][0]
        others = {column: blank_to_null(text[column]) for column in text.columns if column != key}
        parsed = text.select(**{key: _id(text[key])}, **others)
        missing = _ITEM if name == "items" else _PERSON
        return parsed.mutate(code=ibis.cases((parsed[key].isnull(), missing)).cast("int8"))

    return stage(connection, table.source, parse, scratch=scratch, ids=[], parts=table.parts)


def _id(text: ir.StringColumn) -> ir.StringColumn:
    return without_point(blank_to_null(text))


def _number(text: ir.StringColumn) -> ir.FloatingColumn:
    number = text.try_cast("float64")
    return (number.abs() < 1e12).ifelse(number, None)


def _parse_baskets(text: ir.Table, rules: BasketCleaning, in_lines: bool) -> ir.Table:
    given = {name: blank_to_null(text[name]) for name in text.columns}
    columns: dict[str, ir.Value] = {
        name: ibis.null(_TYPES.get(name, "string")) for name in COLUMNS["baskets"]
    }
    columns |= {
        name: _id(text[name]) for name in ("basket_id", "item", "person_id") if name in given
    }
    columns |= {name: _number(given[name]) for name in ("quantity", "value") if name in given}
    faults = [
        (columns["basket_id"].isnull(), _BASKET),
        (text.item.isnull(), _NOTHING if in_lines else _ITEM),
        (columns["item"].isnull(), _ITEM),
    ]
    if "person_id" in given:
        faults.append((columns["person_id"].isnull(), _PERSON))
    if "time" in given:
        columns["time"] = read_time(given["time"], rules.time_format)
        faults.append((columns["time"].isnull(), _TIME))
    if "quantity" in given:
        faults.append((columns["quantity"].isnull(), _QUANTITY))
        faults.append((columns["quantity"] <= 0, _NO_QUANTITY))
    if "value" in given:
        faults.append((columns["value"].isnull(), _VALUE))
        faults.append((columns["value"] < 0, _NEGATIVE))
    return text.select(**columns, code=ibis.cases(*faults).cast("int8"))


def _divide(name: str, table: _Table, staged: Staged) -> Sorted:
    rows = staged.table
    if name == "baskets":
        rows = _mark_strangers(rows)
    else:
        rows = mark_again(rows, list(REQUIRED[name]), _LISTED)
    return Sorted(
        name=name,
        staged=staged,
        kept=rows.filter(rows.code.isnull()),
        rejected=rows.filter(rows.code.notnull()).select("file_number", "row", "code"),
        reasons=_REASONS,
        place=table.source.place,
    )


def _mark_strangers(rows: ir.Table) -> ir.Table:
    """Mark the usable rows that name another person than the first one of their basket."""
    by_place = ibis.window(group_by=["basket_id", "code"], order_by=["file_number", "row"])
    owner = rows.person_id.first().over(by_place)
    other = rows.code.isnull() & (rows.person_id != owner).fill_null(False)
    return rows.mutate(code=other.ifelse(ibis.literal(_OTHER, "int8"), rows.code))


def _extra_counts(divided: Sorted) -> dict[str, int]:
    kept, every = divided.kept, divided.staged.table
    n_kept, n_different = _n_rows(kept), _n_rows(kept.select("basket_id", "item").distinct())
    baskets = every.filter(every.basket_id.notnull()).select("basket_id").distinct()
    n_lost = _n_rows(baskets.anti_join(kept, "basket_id"))
    return {"repeated_items": n_kept - n_different, "lost_baskets": n_lost}


def _n_rows(table: ir.Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def _in_order(divided: Sorted, table: _Table) -> ir.Table:
    name = divided.name
    columns = [*COLUMNS[name], *table.further]
    kept = divided.kept
    absent = {column: ibis.null("string") for column in columns if column not in kept.columns}
    return kept.mutate(**absent).select(columns).order_by(columns)


def _with_absent(tables: dict[str, ir.Table]) -> dict[str, ir.Table]:
    """Add tables without rows for the sources that are not there."""
    none = tables["baskets"].limit(0)
    empty = {
        name: none.select(**{column: ibis.null("string") for column in COLUMNS[name]})
        for name in FURTHER
    }
    return {name: tables.get(name, empty.get(name)) for name in COLUMNS}


def _with_zero(counts: dict[str, dict]) -> dict[str, dict]:
    return {name: counts.get(name, NO_ROWS) for name in COLUMNS}
