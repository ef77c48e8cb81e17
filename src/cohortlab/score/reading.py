"""A file of rows to be scored, read a part at a time."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cohortlab.headers import HEAD, Header, possible_headers
from cohortlab.score.kept import Scored, require_inputs

#: Ids, and the other columns as numbers.
Part = tuple[pa.Array, dict[str, np.ndarray]]

#: Endings of the files that can be read and written.
ENDINGS = (".csv", ".parquet")
_BLOCK_BYTES = 1 << 22
#: Forms in which Arrow and Parquet hold text; without its mark, it is bytes.
_TEXTS = (
    pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
    pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary,
)  # fmt: skip
_NUMBER = r"(?i)^[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)$"


def read_parts(bundle: Scored, source: Path, *, part_rows: int) -> Iterator[Part]:
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
    ids : pyarrow.Array of length n_rows
        Text from a CSV file.
    columns : dict of str to ndarray of float64, shape (n_rows,)
        What is needed, and what is there of the optional: NaN where there is none, or what stands
        there is no number. At least one part, which may be empty.

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
                part = batch.slice(start, part_rows)
                yield _split(part, bundle, first)
                first += len(part)
        if first == 0:
            yield _split(pa.RecordBatch.from_pylist([], schema=schema), bundle, first)


def _ending(source: Path) -> str:
    if not source.is_file():
        raise ValueError(f"{source}: there is no such file")
    ending = Path(source.name.lower().removesuffix(".gz")).suffix
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
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{source}: cannot be read. Expected Parquet, or text in UTF-8 with as many fields in "
            f"every row as in the first. {' '.join(str(error).split())}"
        ) from error


def _to_read(bundle: Scored, source: Path, found: list[str]) -> list[str]:
    """Name the columns to read, and demand that those that are needed are there."""
    numbered = bundle.NUMBERED and bundle.id_name not in found
    needed = [bundle.id_name] * (not numbered) + bundle.needed
    try:
        require_inputs(bundle, needed, found)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    read = needed + [name for name in bundle.optional if name in found]
    twice = [name for name in read if found.count(name) > 1]
    if twice:
        raise ValueError(f"{source}: columns {twice} stand in it more than once: {found}")
    return read


def _open_csv(bundle: Scored, source: Path, _: int) -> tuple[pa.Schema, Iterable]:
    header, is_ended = _header(source, {bundle.id_name, *bundle.needed})
    names = [name.strip() for name in header.names]
    read = _to_read(bundle, source, names)
    schema = pa.schema([(name, pa.string()) for name in read])
    if not is_ended:
        return schema, []  # which Arrow takes for no table
    there = [header.names[names.index(name)] for name in read]
    as_text = pacsv.ConvertOptions(
        column_types=dict.fromkeys(there, pa.string()),
        include_columns=there,
        strings_can_be_null=True,
        null_values=[""],
    )
    reader = pacsv.open_csv(
        str(source),
        read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pacsv.ParseOptions(delimiter=header.delimiter, newlines_in_values=True),
        convert_options=as_text,
    )
    return schema, (batch.rename_columns(read) for batch in reader)


def _header(source: Path, wanted: set[str]) -> tuple[Header, bool]:
    """Read the header by the delimiter that gives most of what is wanted, and whether it ended."""
    with pa.input_stream(str(source)) as stream:
        # The last character may be cut; the header ends before it. Arrow passes empty lines.
        text = stream.read(HEAD).decode("utf-8-sig", "replace").lstrip("\r\n")
    headers = possible_headers(text)
    best = max(headers, key=lambda h: len(wanted & {name.strip() for name in h.names}))
    line_ends = text.count("\n") or text.count("\r")
    return best, line_ends >= best.n_lines


def _open_parquet(bundle: Scored, source: Path, part_rows: int) -> tuple[pa.Schema, Iterable]:
    file = pq.ParquetFile(source)
    read = _to_read(bundle, source, file.schema_arrow.names)
    schema = pa.schema([file.schema_arrow.field(name) for name in read])
    return schema, file.iter_batches(part_rows, columns=read)


def _split(batch: pa.RecordBatch, bundle: Scored, first: int) -> Part:
    names = [name for name in batch.schema.names if name != bundle.id_name]
    if bundle.id_name in batch.schema.names:
        ids = _ids(bundle.id_name, _decoded(batch[bundle.id_name]))
    else:
        ids = pa.array(np.arange(first, first + len(batch)))
    return ids, {name: _numbers(name, _decoded(batch[name])) for name in names}


def _decoded(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _ids(name: str, column: pa.Array) -> pa.Array:
    """Give text in one of Arrow's many forms as text, and leave numbers and dates."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if any(is_text(kind) for is_text in _TEXTS):
        try:
            return column.cast(pa.large_string())
        except pa.ArrowInvalid as error:
            raise TypeError(f"column {name!r} holds what is no text in UTF-8") from error
    if pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType):
        raise TypeError(f"column {name!r} is of type {kind}; expected text or numbers")
    return column


def _numbers(name: str, column: pa.Array) -> np.ndarray:
    """Read a column as floats; what is no number becomes a missing one, of its row alone."""
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    if any(is_text(kind) for is_text in _TEXTS):
        column = pc.utf8_trim_whitespace(_ids(name, column))
        try:
            column = column.cast(pa.float64())
        except pa.ArrowInvalid:
            is_number = pc.match_substring_regex(column, _NUMBER)
            column = pc.if_else(is_number, column, None)
    try:
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    except pa.ArrowNotImplementedError:
        raise TypeError(f"column {name!r} is of type {kind}; expected numbers") from None
