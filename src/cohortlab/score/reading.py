"""A file of rows to be scored, read a part at a time."""

import contextlib
import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cohortlab.score.kept import Scored, require_inputs

#: Endings of the files that can be read and written.
ENDINGS = (".csv", ".parquet")
_SEPARATORS = (",", ";", "\t", "|")
_HEAD_BYTES, _BLOCK_BYTES = 1 << 16, 1 << 22
_NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)$"


def read_parts(bundle: Scored, source: Path, *, part_rows: int) -> Iterator[pd.DataFrame]:
    """Read the id and the inputs of a bundle from a file.

    Parameters
    ----------
    bundle : Scored
        Names what it needs.
    source : pathlib.Path
        `.csv` (packed as `.csv.gz`, too) in UTF-8, or `.parquet`.
    part_rows : int
        Most rows of a part.

    Yields
    ------
    pandas.DataFrame
        The id, as text from a CSV file, and the inputs as floats: NaN where there is none, or what
        stands there is no number. At least one part, which may be empty.

    Raises
    ------
    ValueError
        If the ending is unknown, a column is missing or the file cannot be read as such a table.
    """
    opened = {".csv": _open_csv, ".parquet": _open_parquet}[_ending(source)]
    first = 0
    with _readable(source):
        schema, batches = opened(bundle, source, part_rows)
        for batch in batches:
            for start in range(0, len(batch), part_rows):
                part = _as_frame(batch.slice(start, part_rows), bundle, first)
                first += len(part)
                yield part
        if first == 0:
            yield _as_frame(pa.RecordBatch.from_pylist([], schema=schema), bundle, first)


def _ending(source: Path) -> str:
    if not source.is_file():
        raise ValueError(f"{source}: there is no such file")
    ending = Path(source.name.removesuffix(".gz")).suffix
    if ending not in ENDINGS:
        raise ValueError(f"{source}: expected a table that ends in .csv, .csv.gz or .parquet")
    return ending


@contextlib.contextmanager
def _readable(source: Path) -> Iterator[None]:
    """Say what cannot be read, and why."""
    try:
        yield
    except TypeError as error:
        raise ValueError(f"{source}: {error}") from None
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{source}: cannot be read. Expected Parquet, or text in UTF-8 with as many fields in "
            f"every row as in the first. {' '.join(str(error).split())}"
        ) from error


def _needed(bundle: Scored, source: Path, found: list[str]) -> list[str]:
    """Name the columns to read, and demand that they are there."""
    numbered = bundle.NUMBERED and bundle.id_name not in found
    needed = [bundle.id_name] * (not numbered) + list(bundle.inputs["name"])
    try:
        require_inputs(bundle, needed, found)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    twice = [name for name in needed if found.count(name) > 1]
    if twice:
        raise ValueError(f"{source}: columns {twice} stand in it more than once: {found}")
    return needed


def _open_csv(bundle: Scored, source: Path, _: int) -> tuple[pa.Schema, Iterable]:
    separator, found = _header(source, {bundle.id_name, *bundle.inputs["name"]})
    needed = _needed(bundle, source, found)
    as_text = pacsv.ConvertOptions(
        column_types=dict.fromkeys(needed, pa.string()),
        include_columns=needed,
        strings_can_be_null=True,
        null_values=[""],
    )
    reader = pacsv.open_csv(
        str(source),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pacsv.ParseOptions(delimiter=separator, newlines_in_values=True),
        convert_options=as_text,
    )
    return reader.schema, reader


def _header(source: Path, wanted: set[str]) -> tuple[str, list[str]]:
    """Read the columns' names, split by the separator that gives most of those that are wanted."""
    with pa.input_stream(str(source)) as stream:
        head = io.BytesIO(stream.read(_HEAD_BYTES))
    lines = io.TextIOWrapper(head, "utf-8-sig", newline="")
    # The last character of the head may be cut, the first lines are not. Arrow passes empty ones.
    line = next(filter(str.strip, lines), "")
    names = {mark: next(csv.reader([line], delimiter=mark), []) for mark in _SEPARATORS}
    separator = max(names, key=lambda mark: len(wanted & set(names[mark])))
    return separator, names[separator]


def _open_parquet(bundle: Scored, source: Path, part_rows: int) -> tuple[pa.Schema, Iterable]:
    file = pq.ParquetFile(source)
    needed = _needed(bundle, source, file.schema_arrow.names)
    schema = pa.schema([file.schema_arrow.field(name) for name in needed])
    return schema, file.iter_batches(part_rows, columns=needed)


def _as_frame(batch: pa.RecordBatch, bundle: Scored, first: int) -> pd.DataFrame:
    """Give ids as they are, or numbers where there are none, and inputs as floats."""
    inputs = {name: _numbers(name, batch[name]) for name in bundle.inputs["name"]}
    if bundle.id_name in batch.schema.names:
        # In pandas' own types, a missing one would turn all whole numbers into floats.
        ids = pd.Series(pd.arrays.ArrowExtensionArray(_decoded(batch[bundle.id_name])))
    else:
        ids = np.arange(first, first + len(batch))
    return pd.DataFrame({bundle.id_name: ids} | inputs)


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _numbers(name: str, column: pa.Array) -> np.ndarray:
    """Read a column as floats; what is no number becomes a missing one, of its row alone."""
    column = _decoded(column)
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = pc.utf8_trim_whitespace(column)
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            is_number = pc.match_substring_regex(column, _NUMBER)
            column = pc.if_else(is_number, pc.utf8_ltrim(column, "+"), None)
    try:
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except pa.ArrowNotImplementedError:
        raise TypeError(f"column {name!r} is of type {kind}; expected numbers") from None
