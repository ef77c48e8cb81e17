"""Read the parts of one table into typed columns, and keep the place and the fault of each row."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import Place
from cohortlab.sources.parts import (
    Part,
    find_parts,
    is_plain,
    require_columns,
    scan,
    with_exact_lines,
)

_INSTANT = "timestamp('UTC')"
# Something after the minutes or seconds of an ISO time: Z, an offset, or the name of a zone.
_ZONE = r":\d\d(\.\d+)?\s*[A-Za-z+-]"
_NOBODY = ("nan", "NaN")
Parse = Callable[[ir.Table, Collection[str]], ir.Table]


@dataclass(frozen=True)
class Source:
    """
    One table of a study as the user named it.

    Attributes
    ----------
    path : str
        A file or a glob.
    columns : mapping of str to str
        Our column name to the name in the file.
    encoding : str
        Encoding of text files.
    place : Place
        Where all this stands in ``params.yaml``, for messages.
    """

    path: str
    columns: Mapping[str, str]
    encoding: str
    place: Place


@dataclass(frozen=True)
class Staged:
    """
    Every well-formed row of a table in typed columns.

    Attributes
    ----------
    table : ibis.Table
        Our columns, and beside them `code` (why the row cannot be used, null where it can),
        `file_number` and `row` (its position in that file, from 0).
    parts : list of Part
        The files, by `file_number`.
    odd_ids : frozenset of str
        Id columns with a value that is no whole number.
    n_rows : int
        Well-formed rows.
    n_malformed : int
        Lines that are no rows.
    """

    table: ir.Table
    parts: list[Part]
    odd_ids: frozenset[str]
    n_rows: int
    n_malformed: int


def stage(
    connection: Backend,
    source: Source,
    parse: Parse,
    *,
    scratch: Path,
    ids: list[str],
    text_ids: Collection[str] = (),
    parts: list[Part] | None = None,
) -> Staged:
    """
    Read one table of a study.

    Parameters
    ----------
    connection : ibis.backends.duckdb.Backend
        Where the table is kept.
    source : Source
        Its files and columns.
    parse : callable
        Turns a table of text columns into typed ones with `code`, given the ids to be kept as text;
        for every other id it adds ``odd_<id>``, true where the value is no whole number.
    scratch : Path
        Folder for temporary files.
    ids : list of str
        Names of the id columns.
    text_ids : collection of str, default ()
        Ids already known to be text.
    parts : list of Part, optional
        The files, where they have been opened before.

    Returns
    -------
    Staged
        The table; ids that turned out not to be whole numbers are named but not yet converted.

    Raises
    ------
    SourceError
        If a file cannot be read, lacks a column, or there is no row at all.
    """
    if parts is None:
        parts = find_parts(
            source.path, scratch=scratch, encoding=source.encoding, place=source.place
        )
    done = [_stage_part(connection, part, source, parse, scratch, text_ids) for part in parts]
    tables = [
        table.mutate(file_number=ibis.literal(part.number, "int32"), row=table.rowid())
        for part, table in done
    ]
    every = tables[0] if len(tables) == 1 else ibis.union(*tables)
    parts = [part for part, _ in done]
    odd_names = [name for name in ids if name not in text_ids]
    figures = _figures(every, odd_names)
    n_malformed = sum(len(part.malformed) for part in parts)
    _require_rows(parts, figures["n_rows"] + n_malformed, source.place)
    return Staged(
        every.drop(*[f"odd_{name}" for name in odd_names]),
        parts,
        frozenset(name for name in odd_names if figures[f"odd_{name}"]),
        figures["n_rows"],
        n_malformed,
    )


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def trim(text):
    """Strip spaces; Ibis' own strip also looks for other blanks and takes five times as long."""


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), _INSTANT))
def _try_strptime(text, form):
    """Read a date in the given form, null where it is in another."""


@ibis.udf.scalar.builtin(name="epoch_us", signature=((_INSTANT,), "int64"))
def _epoch_us(instant):
    """Count microseconds since 1970, UTC; a time without a zone is read as one in UTC."""


@ibis.udf.scalar.builtin(name="make_timestamp", signature=(("int64",), "timestamp"))
def _make_timestamp(microseconds):
    """Turn microseconds since 1970 into a time without a zone."""


def read_time(text: ir.StringColumn, form: str | None = None) -> ir.TimestampColumn:
    """
    Read times, those with a zone in UTC.

    Parameters
    ----------
    text : ibis.StringColumn
        Times as they are written.
    form : str, optional
        How, in the signs of strptime; ISO times are always understood.

    Returns
    -------
    ibis.TimestampColumn
        The times without a zone, null where they cannot be read.
    """
    # A time that is cast without its zone loses it unsaid, and one cast with a zone that it does
    # not have gets that of the machine.
    zoned = _make_timestamp(_epoch_us(text.try_cast(_INSTANT)))
    iso = text.re_search(_ZONE).ifelse(zoned, text.try_cast("timestamp"))
    if form is None:
        return iso
    return ibis.coalesce(_make_timestamp(_epoch_us(_try_strptime(text, form))), iso)


def blank_to_null(text: ir.StringColumn) -> ir.StringColumn:
    """
    Strip the spaces around a text and read empty text as missing.

    Parameters
    ----------
    text : ibis.StringColumn
        The column.

    Returns
    -------
    ibis.StringColumn
        The same without surrounding spaces, null where nothing is left.
    """
    return trim(text).nullif("")


def without_point(text: ir.StringColumn) -> ir.StringColumn:
    """
    Write ``7.0`` or ``7.00``, as spreadsheets and databases do for the id ``7``, without its point.

    Parameters
    ----------
    text : ibis.StringColumn
        The column.

    Returns
    -------
    ibis.StringColumn
        The same where it is not a whole number with a point and zeros behind it.
    """
    return text.re_replace(r"^(-?\d+)\.0+$", r"\1")


def id_columns(
    table: ir.Table, names: list[str], text_ids: Collection[str]
) -> dict[str, ir.Column]:
    """
    Read id columns as whole numbers unless they are known to be text.

    Parameters
    ----------
    table : ibis.Table
        Text columns.
    names : list of str
        The id columns.
    text_ids : collection of str
        Those to keep as text.

    Returns
    -------
    dict of str to ibis.Column
        The id, and ``odd_<id>`` for each id that is read as a number.

    Notes
    -----
    A whole number is one that prints as it was written, or so with a point and zeros behind it, as
    spreadsheets and databases write it. ``007`` and ``1e5`` are text: as numbers they would become
    other ids. Either way ``7.0`` and ``7`` are one id, and ``nan``, as programs write what they
    miss, is none.
    """
    columns: dict[str, ir.Column] = {}
    for name in names:
        if name in text_ids:
            written = without_point(blank_to_null(table[name]))
            columns[name] = written.isin(_NOBODY).ifelse(None, written)
        else:
            columns[name] = table[name].try_cast("int64")
            columns[f"odd_{name}"] = _is_odd(table[name], columns[name])
    return columns


def mark_again(rows: ir.Table, columns: list[str], code: int) -> ir.Table:
    """
    Mark the usable rows that repeat an earlier one in some columns.

    Parameters
    ----------
    rows : ibis.Table
        The rows of a `Staged` table.
    columns : list of str
        The columns that must agree.
    code : int
        The code of a row that repeats.

    Returns
    -------
    ibis.Table
        The same rows with their codes.
    """
    earlier = ibis.window(group_by=[*columns, "code"], order_by=["file_number", "row"])
    again = rows.code.isnull() & (ibis.row_number().over(earlier) > 0)
    return rows.mutate(code=again.ifelse(ibis.literal(code, "int8"), rows.code))


def _is_odd(text: ir.StringColumn, number: ir.IntegerColumn) -> ir.BooleanColumn:
    printed = number.cast("string")
    stripped = blank_to_null(text)
    # The first branch settles nearly every row; only what is left is stripped, which is slow.
    return ibis.cases(
        (printed == text, False),
        (stripped.isnull() | stripped.isin(_NOBODY), False),
        (printed == without_point(stripped), False),
        else_=True,
    )


def _stage_part(
    connection: Backend, part: Part, source: Source, parse: Parse, scratch: Path, text_ids
) -> tuple[Part, ir.Table]:
    place = source.place
    positions = require_columns(part, source.columns, place=place)
    if part.parquet is None:
        try:
            table = _created(
                connection, part, place, parse(scan(connection, part, positions), text_ids)
            )
            if is_plain(part, table.count().to_pyarrow().as_py()):
                return part, table
        except duckdb.InvalidInputException:
            pass  # Read exactly below: that either succeeds or says which line is at fault.
        part = with_exact_lines(part, scratch, encoding=source.encoding, place=place)
    return part, _created(
        connection, part, place, parse(scan(connection, part, positions), text_ids)
    )


def _created(connection: Backend, part: Part, place: Place, rows: ir.Table) -> ir.Table:
    """Write the rows into a table of the connection, replacing an earlier attempt."""
    name = f"stage_{place.table}_{part.number}"
    connection.raw_sql(f'DROP TABLE IF EXISTS "{name}"')
    return connection.create_table(name, rows)


def _figures(table: ir.Table, odd_names: list[str]) -> dict:
    odd = {f"odd_{name}": table[f"odd_{name}"].any() for name in odd_names}
    return table.aggregate(n_rows=table.count(), **odd).to_pyarrow().to_pylist()[0]


def _require_rows(parts: list[Part], n_rows: int, place: Place) -> None:
    if n_rows == 0:
        names = shown(part.name for part in parts)
        raise SourceError(
            f"{names} (table {place.table}) has a header but no row below it. "
            f"Correct the file or {place.key('path')}."
        )
