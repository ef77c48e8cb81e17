"""From a file of rows to a file of what a bundle says of them, a part at a time."""

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from cohortlab.engine import connect
from cohortlab.publishing.sheets import harmless_in_sheets
from cohortlab.score.kept import Scored, require_inputs

#: Rows that are held at one time.
PART_ROWS = 100_000
_READERS = {".csv": "read_csv(?, all_varchar = true, header = true)", ".parquet": "read_parquet(?)"}


def score_file(
    bundle: Scored, source: Path, target: Path, *, part_rows: int = PART_ROWS
) -> dict[str, int]:
    """Assign every row of a file; the output appears whole, at the end.

    Parameters
    ----------
    bundle : Bundle or DetectorBundle
        Fitted clusters, or a trained detector.
    source : pathlib.Path
        `.csv` (packed as `.csv.gz`, too) or `.parquet`, with the id and the inputs by name.
    target : pathlib.Path
        `.csv` or `.parquet`: the id and the bundle's columns, in the order of the source.
    part_rows : int
        Rows held at one time, which bounds the memory.

    Returns
    -------
    dict of str to int
        `rows`, `assigned`, `not_assigned` (a value is missing) and `noted` (assigned, but with a
        note, such as that a value is beyond what was seen while fitting).

    Raises
    ------
    ValueError
        If an ending is unknown, a column is missing or the file cannot be read as such a table;
        nothing is written.
    """
    kind = _kind(source)
    if target.suffix not in _READERS:
        raise ValueError(f"{target}: expected an output that ends in .csv or .parquet")
    totals = {"rows": 0, "assigned": 0, "not_assigned": 0, "noted": 0}
    partial = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
            connection = connect(Path(scratch)).con
            stack.callback(connection.close)
            writer = None
            parts = _parts(connection, bundle, source, kind, part_rows)
            for part in _with_ids(parts, bundle.id_name):
                table = part[[bundle.id_name]].join(bundle.assign(part))
                _count(totals, table, next(iter(bundle.COLUMNS)))
                arrow = _as_arrow(table, bundle.COLUMNS, target.suffix)
                if writer is None:
                    writer = stack.enter_context(_writer(partial, arrow.schema))
                writer.write_table(arrow)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return totals


def _kind(source: Path) -> str:
    if not source.is_file():
        raise ValueError(f"{source}: there is no such file")
    kind = Path(source.name.removesuffix(".gz")).suffix
    if kind not in _READERS:
        raise ValueError(f"{source}: expected a table that ends in .csv, .csv.gz or .parquet")
    return kind


@contextlib.contextmanager
def _readable(source: Path) -> Iterator[None]:
    """Say what cannot be read and why, without the settings and the query that DuckDB tells."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        said = re.split(r"(?i)possible|the search space|line \d+: |  file = ", str(error))[0]
        reason = "; ".join(line.strip() for line in said.splitlines() if line.strip())
        raise ValueError(
            f"{source}: cannot be read. Expected Parquet, or text in UTF-8 with as many fields in "
            f"every row as in the first. {reason}"
        ) from error


def _parts(
    connection: DuckDBPyConnection, bundle: Scored, source: Path, kind: str, part_rows: int
) -> Iterator[pd.DataFrame]:
    reader, path = _READERS[kind], [str(source)]
    with _readable(source):
        described = connection.execute(f"DESCRIBE SELECT * FROM {reader}", path).fetchall()
    found = [row[0] for row in described]
    numbered = bundle.NUMBERED and bundle.id_name not in found
    ids, inputs = [] if numbered else [bundle.id_name], list(bundle.inputs["name"])
    try:
        require_inputs(bundle, ids + inputs, found)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    # What is no number becomes a missing one, of that row alone; a bare column of text would be
    # cast by the reader of the file, which stops at the first fault.
    value = "trim({})" if kind == ".csv" else "{}"
    columns = [_quoted(name) for name in ids]
    columns += [f"TRY_CAST({value.format(_quoted(n))} AS DOUBLE) AS {_quoted(n)}" for n in inputs]
    query = f"SELECT {', '.join(columns)} FROM {reader}"
    with _readable(source):
        batches = connection.sql(query, params=path).to_arrow_reader(part_rows)
    empty = True
    while (batch := _next(batches, source)) is not None:
        empty = False
        yield pa.Table.from_batches([batch]).to_pandas()
    if empty:
        yield batches.schema.empty_table().to_pandas()


def _with_ids(parts: Iterator[pd.DataFrame], name: str) -> Iterator[pd.DataFrame]:
    """Give numbers to the rows, from 0, where the file has no ids."""
    first = 0
    for part in parts:
        if name not in part:
            part.insert(0, name, np.arange(first, first + len(part)))
        first += len(part)
        yield part


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _next(batches: pa.RecordBatchReader, source: Path) -> pa.RecordBatch | None:
    with _readable(source):
        return next(batches, None)


def _count(totals: dict[str, int], table: pd.DataFrame, main: str) -> None:
    assigned = table[main].notna()
    totals["rows"] += len(table)
    totals["assigned"] += int(assigned.sum())
    totals["not_assigned"] += int((~assigned).sum())
    totals["noted"] += int((assigned & (table["note"] != "")).sum())


def _as_arrow(table: pd.DataFrame, types: Mapping[str, pa.DataType], ending: str) -> pa.Table:
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    for place, name in enumerate(arrow.column_names):
        column = arrow[name].cast(types.get(name, arrow[name].type))
        text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        column = _harmless(column.combine_chunks()) if text and ending == ".csv" else column
        arrow = arrow.set_column(place, name, column)
    return arrow.replace_schema_metadata(None)


def _harmless(texts: pa.Array) -> pa.Array:
    """Look only at what is not all letters and digits, each text once: ids are many."""
    if pc.all(pc.utf8_is_alnum(texts)).as_py():
        return texts
    coded = texts.dictionary_encode()
    distinct = coded.dictionary
    odd = pc.invert(pc.utf8_is_alnum(distinct))
    found = pd.DataFrame({"text": distinct.filter(odd).to_pandas()}, dtype="str")
    safe = pa.array(harmless_in_sheets(found)["text"], type=distinct.type)
    return pc.replace_with_mask(distinct, odd, safe).take(coded.indices)


def _writer(path: Path, schema: pa.Schema):
    if path.suffixes[-2] == ".csv":
        return pacsv.CSVWriter(path, schema)
    return pq.ParquetWriter(path, schema)
