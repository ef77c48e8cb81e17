"""Turn each file of a source into something DuckDB can scan, with the line of every row known."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from cohortlab.headers import Header
from cohortlab.sources import delimited
from cohortlab.sources.delimited import ExactRows, Malformed
from cohortlab.sources.encoding import bad_bytes, utf8_text
from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import Place, SourceFile, find_files, unpack
from cohortlab.sources.workbooks import read_sheets

WANTS_ROWS = "a header and at least one row below it"


@dataclass(frozen=True)
class Part:
    """
    One readable piece of a source: a text file, a Parquet file, or a sheet of a workbook.

    Attributes
    ----------
    name : str
        The name shown to the user.
    header : Header
        Its column names.
    number : int
        Position among the parts of the source.
    text : Path, optional
        The UTF-8 text file that records are cut from; None for Parquet and workbooks.
    parquet : Path, optional
        The Parquet file to scan; None where the text is scanned itself.
    exact : ExactRows, optional
        Lines of the rows, where row i does not simply stand on line i + 2.
    first_line : int
        Line of the first row, where `exact` is None.
    """

    name: str
    header: Header
    number: int
    text: Path | None = None
    parquet: Path | None = None
    exact: ExactRows | None = None
    first_line: int = 2

    @property
    def malformed(self) -> list[Malformed]:
        """Return the lines that are no rows."""
        return self.exact.malformed if self.exact else []

    def lines_of(self, rows: np.ndarray) -> np.ndarray:
        """Return the line of each row, given positions of rows from 0."""
        return self.exact.lines[rows] if self.exact else rows + self.first_line

    def records_of(self, rows: np.ndarray) -> Iterator[str]:
        """Yield the text of each row, given positions of rows from 0 in rising order."""
        if self.text is None:
            return self._cells_of(rows)
        counts = self.exact.n_lines[rows] if self.exact else np.ones_like(rows)
        line_end = "" if self.exact else "\n"
        return delimited.records(self.text, self.lines_of(rows), counts, line_end=line_end)

    def _cells_of(self, rows: np.ndarray) -> Iterator[str]:
        file = pq.ParquetFile(self.parquet)
        start = 0
        for batch in file.iter_batches():
            here = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
            start += batch.num_rows
            for cells in batch.take(here).to_pylist():
                texts = ["" if value is None else str(value) for value in cells.values()]
                yield _comma_separated(texts)


def find_parts(
    path: str, *, scratch: Path, encoding: str, place: Place, names: Sequence[str] = ()
) -> list[Part]:
    """
    Open every file that a path names.

    Parameters
    ----------
    path : str
        One file or a glob.
    scratch : Path
        Folder for temporary files; made if it is absent.
    encoding : str
        Encoding of text files; other forms carry their own.
    place : Place
        Where the path stands in ``params.yaml``, for the messages.
    names : sequence of str, default ()
        The columns of text files without a header; other forms carry their own names.

    Returns
    -------
    list of Part
        In the order of their names.

    Raises
    ------
    SourceError
        If a file is missing, unreadable, empty or in another encoding, or its first line has not as
        many fields as there are `names`.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    parts: list[Part] = []
    for file in find_files(path, place=place):
        for part in _open(file, scratch, len(parts), encoding, place):
            named = _without_header(part, names, place) if names and part.text else part
            parts.append(replace(named, number=len(parts)))
    return parts


def require_columns(part: Part, columns: Mapping[str, str], *, place: Place) -> dict[str, int]:
    """
    Find the position of every column that is needed.

    Parameters
    ----------
    part : Part
        The file.
    columns : mapping of str to str
        Our name to the name in the file.
    place : Place
        Where the mapping stands in ``params.yaml``, for the messages.

    Returns
    -------
    dict of str to int
        Our name to the position in the file.

    Raises
    ------
    SourceError
        If a column is missing or its name stands in the header twice.
    """
    found = part.header.names
    missing = [theirs for theirs in columns.values() if theirs not in found]
    if missing:
        ours = {theirs: ours for ours, theirs in columns.items()}
        free = [name for name in found if name not in columns.values()]
        example = f"{ours[missing[0]]}: {free[0] if free else 'name'}"
        raise SourceError(
            f"{part.name} (table {place.table}) has no column {shown(missing, limit=12)}; "
            f"its columns are {shown(found, limit=30)}. Name the file's own columns in "
            f"{place.key('columns')}, for example '{example}'."
        )
    twice = [theirs for theirs in columns.values() if found.count(theirs) > 1]
    if twice:
        raise SourceError(
            f"{part.name} (table {place.table}) has column {shown(twice)} more than once. Rename "
            f"one in the file, or name another column in {place.key('columns')}."
        )
    return {ours: found.index(theirs) for ours, theirs in columns.items()}


def scan(connection: Backend, part: Part, positions: Mapping[str, int]) -> ir.Table:
    """
    Return the named columns of a part as text, unread until the expression runs.

    Parameters
    ----------
    connection : ibis.backends.duckdb.Backend
        Where the expression will run.
    part : Part
        The file.
    positions : mapping of str to int
        Our column name to the position in the file.

    Returns
    -------
    ibis.Table
        Text columns under our names, rows in the order of the file.
    """
    if part.parquet is not None:
        table = connection.read_parquet(str(part.parquet), table_name=f"scan_{part.number}_parquet")
        names = table.columns
        return table.select(
            **{ours: table[names[at]].cast("string") for ours, at in positions.items()}
        )
    keys = [f"c{position}" for position in range(len(part.header.names))]
    table = connection.read_csv(
        str(part.text),
        table_name=f"scan_{part.number}_text",
        auto_detect=False,
        header=part.header.n_lines > 0,
        delim=part.header.delimiter,
        quote='"',
        escape='"',
        columns=dict.fromkeys(keys, "VARCHAR"),
    )
    return table.select(**{ours: table[keys[at]] for ours, at in positions.items()})


def with_exact_lines(part: Part, scratch: Path, *, encoding: str, place: Place) -> Part:
    """
    Read a text part row by row, for a file that is not one well-formed row a line.

    Parameters
    ----------
    part : Part
        A text part.
    scratch : Path
        Folder for temporary files.
    encoding : str
        The encoding that was asked for, for the message.
    place : Place
        Where the encoding stands in ``params.yaml``, for the message.

    Returns
    -------
    Part
        The same part with its rows in a Parquet file, their lines, and the malformed lines.

    Raises
    ------
    SourceError
        If the text is not UTF-8.
    """
    target = scratch / f"exact_{place.table}_{part.number}.parquet"
    try:
        exact = delimited.read_exactly(part.text, part.header, target)
    except UnicodeDecodeError as error:
        raise not_in_encoding(part, encoding, place) from error
    return replace(part, parquet=target, exact=exact)


def not_in_encoding(part: Part, encoding: str, place: Place) -> SourceError:
    """
    Say where a text is not in the encoding that was asked for.

    Parameters
    ----------
    part : Part
        A text part.
    encoding : str
        The encoding that was asked for.
    place : Place
        Where the encoding stands in ``params.yaml``.

    Returns
    -------
    SourceError
        To be raised.
    """
    header = part.header
    fault = bad_bytes(
        part.text,
        name=part.name,
        encoding=encoding,
        header=header.names,
        delimiter=header.delimiter,
    )
    return SourceError(
        f"{fault} Set {place.key('encoding')} to the file's own encoding (often windows-1252)."
    )


def empty_file(name: str, place: Place, fault: str, *, wants: str = WANTS_ROWS) -> SourceError:
    """
    Say that a file has nothing to read.

    Parameters
    ----------
    name : str
        The file.
    place : Place
        Where its path stands in ``params.yaml``.
    fault : str
        What is wrong with it.
    wants : str
        What it needs.

    Returns
    -------
    SourceError
        To be raised.
    """
    return SourceError(
        f"{name} (table {place.table}) {fault}. It needs {wants}: correct the file or "
        f"{place.key('path')}."
    )


def is_plain(part: Part, n_rows: int) -> bool:
    """
    Say whether each row of a text part stands on a line of its own.

    Parameters
    ----------
    part : Part
        A text part that DuckDB has read.
    n_rows : int
        Rows that it found.

    Returns
    -------
    bool
        Whether row i stands on line i + 2, or on line i + 1 where there is no header: every
        departure (a blank line, a field over several lines) makes more lines than rows.
    """
    n_head = part.header.n_lines
    return n_head <= 1 and delimited.count_lines(part.text) == n_rows + n_head


def _without_header(part: Part, names: Sequence[str], place: Place) -> Part:
    """Give a text part the names that its file lacks; its first line is a row."""
    found = part.header.names
    if len(found) != len(names):
        raise SourceError(
            f"{part.name} (table {place.table}) has {len(found)} fields in its first line, but "
            f"{place.key('columns')}.names has {len(names)}; the line begins with "
            f"{shown(found)}. Name every column of the file, in its order."
        )
    header = Header(list(names), part.header.delimiter, 0)
    return replace(part, header=header, first_line=1)


def _open(file: SourceFile, scratch: Path, number: int, encoding: str, place: Place) -> list[Part]:
    # Temporary names must differ between the tables that share one scratch folder.
    folder = scratch / place.table
    folder.mkdir(exist_ok=True)
    if file.form == ".xlsx":
        return _workbook(file, folder, number, place)
    if file.form == ".parquet":
        return [_parquet(file, folder, number, place)]
    text = utf8_text(file, folder, number=number, encoding=encoding, place=place)
    header = delimited.read_header(text)
    if not any(header.names):
        raise empty_file(file.name, place, "is empty")
    return [Part(file.name, header, number, text=text)]


def _workbook(file: SourceFile, folder: Path, number: int, place: Place) -> list[Part]:
    path = unpack(file, folder, number=number)
    try:
        sheets = read_sheets(path, folder, number=number)
    except (OSError, ValueError, zipfile.BadZipFile, _calamine_error()) as error:
        raise _unreadable(file.name, "workbook", error) from error
    if not sheets:
        raise empty_file(file.name, place, "has no sheet with values")
    several = len(sheets) > 1
    return [
        Part(
            f"{file.name}[{sheet}]" if several else file.name,
            header,
            number,
            parquet=exact.path,
            exact=exact,
        )
        for sheet, (header, exact) in sheets.items()
    ]


def _parquet(file: SourceFile, folder: Path, number: int, place: Place) -> Part:
    path = unpack(file, folder, number=number)
    try:
        names = pq.read_schema(path).names
    except (OSError, ValueError) as error:
        raise _unreadable(file.name, "Parquet file", error) from error
    if not names:
        raise empty_file(file.name, place, "has no columns")
    return Part(file.name, Header(list(names), ",", 1), number, parquet=path, first_line=1)


def _calamine_error() -> type[Exception]:
    from python_calamine import CalamineError

    return CalamineError


def _unreadable(name: str, form: str, error: Exception) -> SourceError:
    return SourceError(
        f"{name} is no readable {form} ({type(error).__name__}: {error}). "
        "Fetch it again, or give it the ending of its true form."
    )


def _comma_separated(fields: list[str]) -> str:
    quoted = ['"' + text.replace('"', '""') + '"' for text in fields]
    plain = [not any(sign in text for sign in ',"\r\n') for text in fields]
    return ",".join(
        text if bare else safe for text, safe, bare in zip(fields, quoted, plain, strict=True)
    )
