"""
Read delimited text exactly: which line each row starts on, and which lines are no rows at all.

DuckDB reads well-formed text much faster, so this reader is the second resort: it runs only where a
file has lines with too few or too many fields, rows over several lines, blank lines or mixed line
ends.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cohortlab.headers import HEAD, Header, possible_headers

BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Malformed:
    """
    A line that is no row.

    Attributes
    ----------
    line : int
        Number of the line in the file, the first being 1.
    reason : str
        What is wrong with it.
    record : str
        The line as it stands, without its line end.
    """

    line: int
    reason: str
    record: str


@dataclass(frozen=True)
class ExactRows:
    """
    What the exact reader found in a file.

    Attributes
    ----------
    path : Path
        Parquet file of the well-formed rows: text columns ``c0``, ``c1``, ...
    lines : numpy.ndarray of int64, shape (n_rows,)
        The line on which each row starts.
    n_lines : numpy.ndarray of int64, shape (n_rows,)
        On how many lines each row stands.
    malformed : list of Malformed
        The lines that are no rows.
    """

    path: Path
    lines: np.ndarray
    n_lines: np.ndarray
    malformed: list[Malformed]


def read_header(path: Path) -> Header:
    """
    Read the column names of a delimited text file.

    Parameters
    ----------
    path : Path
        A local file in UTF-8, with or without a byte order mark.

    Returns
    -------
    Header
        The names; the delimiter is the one of ``, ; tab |`` that gives the most names. Without
        names where the file is empty.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        text = stream.read(HEAD)
    best = max(possible_headers(text), key=lambda header: len(header.names))
    return Header([name.strip() for name in best.names], best.delimiter, best.n_lines)


def count_lines(path: Path) -> int:
    """
    Count the lines of a file, the last one whether or not it is ended.

    Parameters
    ----------
    path : Path
        A local file.

    Returns
    -------
    int
        The number of lines.
    """
    count, last = 0, b"\n"
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            count += block.count(b"\n")
            last = block[-1:]
    return count + (last != b"\n")


def read_exactly(path: Path, header: Header, target: Path) -> ExactRows:
    """
    Read every row of a text file and say on which line it stands.

    Parameters
    ----------
    path : Path
        A local file in UTF-8.
    header : Header
        Its header, from `read_header`.
    target : Path
        Parquet file to write the rows to.

    Returns
    -------
    ExactRows
        Well-formed rows, their lines, and the malformed lines.

    Raises
    ------
    UnicodeDecodeError
        If the file is not UTF-8.

    Notes
    -----
    A row that spans lines (a quoted field with a line end in it) stands on the line where it
    starts. Where a row over several lines has a wrong number of fields, most likely a stray
    quote swallowed what follows: only its first line is called malformed and reading starts
    again on the next one. Blank lines are no rows and are passed over, but they are counted in
    the line numbers. Empty fields beyond those of the header say nothing and are passed over
    too; so does DuckDB.
    """
    width = len(header.names)
    schema = pa.schema([(f"c{position}", pa.string()) for position in range(width)])
    lines: list[np.ndarray] = []
    malformed: list[Malformed] = []
    with pq.ParquetWriter(target, schema) as writer:
        for batch in _batches(_rows(path, header, malformed)):
            columns = list(zip(*(fields for _, _, fields in batch), strict=True))
            arrays = [pa.array(column, pa.string()) for column in columns]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            lines.append(np.array([row[:2] for row in batch], dtype=np.int64))
    every = np.concatenate(lines) if lines else np.empty((0, 2), dtype=np.int64)
    return ExactRows(target, every[:, 0].copy(), every[:, 1].copy(), malformed)


def records(
    path: Path, lines: np.ndarray, n_lines: np.ndarray, *, line_end: str = "\n"
) -> Iterator[str]:
    """
    Cut records out of a text file as they stand.

    Parameters
    ----------
    path : Path
        A local file in UTF-8.
    lines : numpy.ndarray of int64, shape (n_rows,)
        The lines on which the records start, in rising order; records of one line have its text.
    n_lines : numpy.ndarray of int64, shape (n_rows,)
        On how many lines each stands.
    line_end : str, default line feed
        What ended a line when the lines were counted; an empty string for every usual line end.

    Yields
    ------
    str
        The text of the next record, without its last line end.
    """
    done, text = 0, b""
    with _line_stream(path, line_end) as stream:
        for first, count in zip(lines.tolist(), n_lines.tolist(), strict=True):
            skipped = first - 1 - done
            if skipped >= 0:
                text = b"".join(islice(stream, skipped, skipped + count))
                done = first - 1 + count
            yield text.decode("utf-8", errors="replace").rstrip("\r\n")


@contextmanager
def _line_stream(path: Path, line_end: str) -> Iterator[Iterator[bytes]]:
    if line_end:
        with path.open("rb") as stream:
            yield stream
        return
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        yield (line.encode("utf-8") for line in stream)


class _Lines:
    """Lines of a file that can be taken back, with the number of the next one."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.next_line = 1

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._stream)
        self.taken.append(line)
        self.next_line += 1
        return line

    def take_back_all_but_first(self) -> None:
        self._returned.extendleft(reversed(self.taken[1:]))
        self.next_line -= len(self.taken) - 1
        del self.taken[1:]


def _rows(
    path: Path, header: Header, malformed: list[Malformed]
) -> Iterator[tuple[int, int, list[str]]]:
    width = len(header.names)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        lines = _Lines(stream)
        for _ in range(header.n_lines):
            next(lines)
        while True:
            lines.taken.clear()
            first = lines.next_line
            fields, reason = _next_row(lines, header.delimiter, width)
            if fields is None:
                return
            if reason:
                record = lines.taken[0].rstrip("\r\n")
                malformed.append(Malformed(first, reason, record))
            elif fields:
                yield first, len(lines.taken), fields


def _next_row(lines: _Lines, delimiter: str, width: int) -> tuple[list[str] | None, str]:
    """Return the next row and, where it is none, why; None at the end, [] for a blank line."""
    try:
        fields = next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error as error:
        lines.take_back_all_but_first()
        return [], _quoting_reason(str(error))
    if fields is None or not fields or len(fields) == width:
        return fields, ""
    if len(fields) > width and not any(fields[width:]):
        return fields[:width], ""
    lines.take_back_all_but_first()
    return [], f"{len(fields)} fields where the header has {width}"


def _quoting_reason(error: str) -> str:
    if "field larger" in error:
        return (
            f"a field of more than {csv.field_size_limit():,} characters, or a quote never closed"
        )
    if "unexpected end" in error:
        return "a quote never closed"
    return "a quote inside a quoted field"


def _batches(rows: Iterator[tuple[int, int, list[str]]]) -> Iterator[list]:
    batch: list = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
