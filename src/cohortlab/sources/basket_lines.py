"""Read text with one basket a line: its items, separated by commas."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cohortlab.headers import DELIMITERS, Header
from cohortlab.sources.delimited import ExactRows, Malformed
from cohortlab.sources.encoding import utf8_text
from cohortlab.sources.errors import SourceError
from cohortlab.sources.files import TEXT_SUFFIXES, Place, SourceFile, find_files
from cohortlab.sources.parts import Part, empty_file, not_in_encoding

NAMES = ["basket_id", "item"]
SAMPLE_CHARACTERS = 1 << 20


def find_line_parts(path: str, *, scratch: Path, encoding: str, place: Place) -> list[Part]:
    """
    Open files with one basket a line, each as a long table of baskets and items.

    Parameters
    ----------
    path : str
        One file or a glob; text, compressed or not, without a header.
    scratch : Path
        Folder for temporary files; made if it is absent.
    encoding : str
        Encoding of the text.
    place : Place
        Where the path stands in ``params.yaml``, for the messages.

    Returns
    -------
    list of Part
        With the columns `basket_id` (the number of the line, counted on over several files) and
        `item`: an empty text where a line names no item between two commas, null where it has no
        item at all. Empty places at the end of a line say nothing. A line that cannot be cut into
        items, for a quote in it that is never closed, is malformed.

    Raises
    ------
    SourceError
        If a file is missing, unreadable, empty, in another encoding or no text.
    """
    folder = scratch / place.table
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[Part] = []
    n_baskets = 0
    for number, file in enumerate(find_files(path, place=place)):
        _require_text(file, place)
        text = utf8_text(file, folder, number=number, encoding=encoding, place=place)
        part = Part(file.name, Header(NAMES, ",", 0), number, text=text)
        target = folder / f"lines_{number}.parquet"
        try:
            exact, n_lines = _read_lines(text, target, n_baskets)
        except UnicodeDecodeError as error:
            raise not_in_encoding(part, encoding, place) from error
        if not n_lines:
            raise empty_file(file.name, place, "is empty", wants="a basket in each line")
        parts.append(replace(part, parquet=target, exact=exact))
        n_baskets += n_lines
    return parts


def _require_text(file: SourceFile, place: Place) -> None:
    if file.form not in TEXT_SUFFIXES:
        raise SourceError(
            f"{file.name} is no text, and one basket a line needs one of "
            f"{', '.join(TEXT_SUFFIXES)}: correct {place.key('path')}, or name its columns in "
            f"{place.key('columns')}."
        )


def _read_lines(text: Path, target: Path, n_before: int) -> tuple[ExactRows, int]:
    """Write the items of every line; say where each stands, and how many lines there are."""
    delimiter = _delimiter(text)
    lines: list[int] = []
    items: list[str | None] = []
    malformed: list[Malformed] = []
    number = 0
    with text.open(encoding="utf-8-sig", newline="") as stream:
        for number, line in enumerate(stream, start=1):
            record = line.rstrip("\r\n")
            try:
                found = _items(record, delimiter)
            except csv.Error:
                malformed.append(Malformed(number, "a quote never closed or misplaced", record))
                continue
            lines += [number] * len(found)
            items += found
    where = np.array(lines, dtype=np.int64)
    table = {"basket_id": pa.array(where + n_before), "item": pa.array(items, pa.string())}
    pq.write_table(pa.table(table), target)
    return ExactRows(target, where, np.ones_like(where), malformed), number


def _delimiter(text: Path) -> str:
    """Take the sign that stands most often in the beginning; the comma where none does."""
    with text.open(encoding="utf-8-sig") as stream:
        sample = stream.read(SAMPLE_CHARACTERS)
    return max(DELIMITERS, key=sample.count)


def _items(record: str, delimiter: str) -> list[str | None]:
    """Cut a line into items, without empty places at its end; null where nothing is left."""
    fields = next(csv.reader([record], delimiter=delimiter, strict=True), [])
    while fields and not fields[-1].strip():
        fields.pop()
    return fields or [None]
