"""Read people, items and purchases: two populations with features, and who bought what."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import Place
from cohortlab.sources.log import Log, Sorted, account_for
from cohortlab.sources.mapping import column_names
from cohortlab.sources.parts import find_parts
from cohortlab.sources.staging import Source, Staged, blank_to_null, id_columns, read_time, stage

COLUMNS = {
    "people": {"person_id": "person_id"},
    "items": {"item_id": "item_id"},
    "purchases": {"person_id": "person_id", "item_id": "item_id", "time": "time"},
}
ENCODING = "utf-8"
_POPULATIONS = {"people": "person_id", "items": "item_id"}
_NO_PERSON, _NO_ITEM, _AGAIN, _INCOMPLETE, _NO_TIME, _NOBODY, _NOTHING = 1, 2, 3, 4, 5, 6, 7
_REASONS = {
    _NO_PERSON: "person id missing",
    _NO_ITEM: "item id missing",
    _AGAIN: "id listed before",
    _INCOMPLETE: "a feature is missing",
    _NO_TIME: "time cannot be read",
    _NOBODY: "person not listed",
    _NOTHING: "item not listed",
}


def read_populations(
    path: Mapping[str, str],
    *,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    encoding: str = ENCODING,
    cleaning: Mapping | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read people and items with their features, and purchases, and account for every row.

    Parameters
    ----------
    path : mapping
        `people`, `items` and `purchases`, each a file or a glob.
    columns : mapping of str to mapping, optional
        For each table, our column name to the name in the file, where it is another (`COLUMNS`).
    encoding : str, default "utf-8"
        Encoding of text files.
    cleaning : mapping, optional
        Must be empty: this kind of log has no rules.
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
        Tables `people`, `items` and `purchases`, the rejected rows and the counts. Every further
        column of people and items is a feature: of numbers where each value is one, else of text.

    Raises
    ------
    SourceError
        If a source cannot be read at all, a rule is given, or no row of a table is left.

    Notes
    -----
    A row of people or items is rejected without an id, with one that an earlier row has, or where a
    feature is missing; a purchase without a person, item or readable time, or with a person or item
    that is not listed (or was rejected).
    """
    if cleaning:
        raise SourceError(
            f"studies.{study}.data.cleaning: this kind of log has no rules, got {dict(cleaning)!r}."
        )
    connection = connect(Path(scratch), memory_limit=memory_limit, threads=threads)
    sources = _sources(path, columns, encoding, study)
    staged = _stage_all(connection, sources, Path(scratch))
    divided = _divide_all(connection, staged, sources)
    rejects, counts = account_for(connection, divided, Path(scratch))
    tables = {table.name: _in_order(table.kept) for table in divided}
    return Log(tables, rejects, counts)


def _sources(
    path: Mapping, columns: Mapping | None, encoding: str, study: str
) -> dict[str, Source]:
    for key, block in (("path", path), ("columns", columns or {})):
        if not isinstance(block, Mapping) or set(block) - set(COLUMNS):
            raise SourceError(
                f"studies.{study}.data.{key} must be a mapping with the keys {', '.join(COLUMNS)}, "
                f"but is {block!r}."
            )
    absent = [name for name in COLUMNS if not path.get(name)]
    if absent:
        raise SourceError(f"studies.{study}.data.path.{absent[0]} names no file; all three must.")
    places = {name: Place(study, name, nested=True) for name in COLUMNS}
    return {
        name: Source(
            path[name],
            column_names((columns or {}).get(name), COLUMNS[name], place=places[name]),
            encoding,
            places[name],
        )
        for name in COLUMNS
    }


def _stage_all(connection: Backend, sources: dict[str, Source], scratch: Path) -> dict[str, Staged]:
    """Stage every table; an id that is text anywhere is text everywhere."""
    sources = {name: _with_features(source, scratch) for name, source in sources.items()}
    staged = {name: _stage(connection, source, scratch) for name, source in sources.items()}
    odd = {column for table in staged.values() for column in table.odd_ids}
    for name, source in sources.items():
        text_ids = sorted(odd & set(COLUMNS[name]))
        if text_ids:
            staged[name] = _stage(connection, source, scratch, text_ids)
    return staged


def _with_features(source: Source, scratch: Path) -> Source:
    """Add the further columns of a population's files, which are the features."""
    table = source.place.table
    if table not in _POPULATIONS:
        return source
    parts = find_parts(source.path, scratch=scratch, encoding=source.encoding, place=source.place)
    features = [name for name in parts[0].header.names if name not in source.columns.values()]
    taken = [name for name in features if name in COLUMNS[table]]
    if not features or taken:
        fault = f"a feature called {taken[0]!r}" if taken else "no column beside the id"
        raise SourceError(
            f"{parts[0].name} (table {table}) has {fault}; its columns are "
            f"{shown(parts[0].header.names, limit=30)}. Correct the file or "
            f"{source.place.key('columns')}."
        )
    return replace(source, columns={**source.columns, **{name: name for name in features}})


def _stage(
    connection: Backend, source: Source, scratch: Path, text_ids: Collection[str] = ()
) -> Staged:
    table = source.place.table
    ids = [name for name in COLUMNS[table] if name != "time"]

    def parse(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
        rest = [name for name in source.columns if name not in ids]
        parsed = text.select(
            **id_columns(text, ids, text_ids), **{name: blank_to_null(text[name]) for name in rest}
        )
        return _coded(parsed, table)

    return stage(connection, source, parse, scratch=scratch, ids=ids, text_ids=text_ids)


def _coded(parsed: ir.Table, table: str) -> ir.Table:
    if table == "purchases":
        timed = parsed.mutate(time=read_time(parsed.time))
        faults = [
            (timed.person_id.isnull(), _NO_PERSON),
            (timed.item_id.isnull(), _NO_ITEM),
            (timed.time.isnull(), _NO_TIME),
        ]
        return timed.mutate(code=ibis.cases(*faults).cast("int8"))
    own = _POPULATIONS[table]
    features = [name for name in parsed.columns if name != own and not name.startswith("odd_")]
    incomplete = ibis.or_(*(parsed[name].isnull() for name in features))
    nameless = _NO_PERSON if table == "people" else _NO_ITEM
    faults = [(parsed[own].isnull(), nameless), (incomplete, _INCOMPLETE)]
    return parsed.mutate(code=ibis.cases(*faults).cast("int8"))


def _divide_all(
    connection: Backend, staged: dict[str, Staged], sources: dict[str, Source]
) -> list[Sorted]:
    rows = {
        name: connection.create_table(f"marked_{name}", _mark_again(staged[name].table, own))
        for name, own in _POPULATIONS.items()
    }
    bought = staged["purchases"].table
    for name, own, code in (("people", "person_id", _NOBODY), ("items", "item_id", _NOTHING)):
        bought = _mark_unlisted(bought, _usable(rows[name]), own, code)
    rows["purchases"] = connection.create_table("marked_purchases", bought)
    return [
        Sorted(
            name=name,
            staged=staged[name],
            kept=_with_numbers(_usable(table), name),
            rejected=table.filter(table.code.notnull()).select("file_number", "row", "code"),
            reasons=_REASONS,
            place=sources[name].place,
        )
        for name, table in ((name, rows[name]) for name in COLUMNS)
    ]


def _usable(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.code.isnull())


def _mark_again(rows: ir.Table, own: str) -> ir.Table:
    """Mark the usable rows whose id an earlier usable row has."""
    earlier = ibis.window(group_by=[own, "code"], order_by=["file_number", "row"])
    again = rows.code.isnull() & (ibis.row_number().over(earlier) > 0)
    return rows.mutate(code=again.ifelse(ibis.literal(_AGAIN, "int8"), rows.code))


def _mark_unlisted(bought: ir.Table, listed: ir.Table, own: str, code: int) -> ir.Table:
    joined = bought.left_join(listed.select(own, is_listed=True), own)
    faults = [(joined.code.notnull(), joined.code), (joined.is_listed.isnull(), code)]
    return joined.mutate(code=ibis.cases(*faults).cast("int8")).select(bought.columns)


def _with_numbers(rows: ir.Table, name: str) -> ir.Table:
    """Read a feature as numbers where every value of it is one."""
    if name not in _POPULATIONS:
        return rows
    known = {_POPULATIONS[name], "code", "file_number", "row"}
    features = [column for column in rows.columns if column not in known]
    numbers = {column: rows[column].try_cast("float64") for column in features}
    finite = {
        column: (number.notnull() & ~number.isnan() & ~number.isinf()).all()
        for column, number in numbers.items()
    }
    found = rows.aggregate(**finite).to_pyarrow().to_pylist()[0]
    return rows.mutate(**{column: numbers[column] for column in features if found[column]})


def _in_order(rows: ir.Table) -> ir.Table:
    ordered = rows.drop("code", "file_number", "row")
    keys = [name for name in ("person_id", "time") if name in ordered.columns]
    return ordered.order_by([*keys, *(name for name in ordered.columns if name not in keys)])
