"""From a file of customers to a file of their clusters, a part at a time."""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from cohortlab.engine import connect
from cohortlab.publishing.sheets import harmless_in_sheets
from cohortlab.score.bundle import Bundle

#: Customers that are held at one time.
PART_ROWS = 100_000
_READERS = {".csv": "read_csv(?, all_varchar = true, header = true)", ".parquet": "read_parquet(?)"}


def score_file(
    bundle: Bundle, source: Path, target: Path, *, part_rows: int = PART_ROWS
) -> dict[str, int]:
    """Assign every customer of a file; the output appears whole, at the end.

    Parameters
    ----------
    bundle : Bundle
        Fitted clusters.
    source : pathlib.Path
        `.csv` (packed as `.csv.gz`, too) or `.parquet`, with the id and the inputs by name.
    target : pathlib.Path
        `.csv` or `.parquet`: id, `cluster`, `name`, `probability`, `note`, in the order of the
        source.
    part_rows : int
        Customers held at one time, which bounds the memory.

    Returns
    -------
    dict of str to int
        `rows`, `assigned`, `not_assigned` (a value is missing) and `outside` (assigned, but a
        value is beyond what was seen while fitting).

    Raises
    ------
    ValueError
        If an ending is unknown, a column is missing or the file cannot be read as such a table;
        nothing is written.
    """
    kind = _kind(source)
    if target.suffix not in _READERS:
        raise ValueError(f"{target}: expected an output that ends in .csv or .parquet")
    totals = {"rows": 0, "assigned": 0, "not_assigned": 0, "outside": 0}
    partial = target.with_name(f".{target.name}.part")
    try:
        with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
            connection = connect(Path(scratch)).con
            stack.callback(connection.close)
            writer = None
            for part in _parts(connection, bundle, source, kind, part_rows):
                table = part[[bundle.id_name]].join(bundle.assign(part))
                _count(totals, table)
                arrow = _as_arrow(table, target.suffix)
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
    connection: DuckDBPyConnection, bundle: Bundle, source: Path, kind: str, part_rows: int
) -> Iterator[pd.DataFrame]:
    reader, path = _READERS[kind], [str(source)]
    with _readable(source):
        described = connection.execute(f"DESCRIBE SELECT * FROM {reader}", path).fetchall()
    found = [row[0] for row in described]
    needed = [bundle.id_name, *bundle.inputs["name"]]
    absent = [name for name in needed if name not in found]
    if absent:
        raise ValueError(
            f"{source}: columns {absent} are missing: needed are {needed}, as the features step "
            f"of study {bundle.study!r} writes them; found {found}"
        )
    quoted = ['"' + name.replace('"', '""') + '"' for name in needed]
    # What is no number becomes a missing one, of that row alone; a bare column of text would be
    # cast by the reader of the file, which stops at the first fault.
    value = "trim({})" if kind == ".csv" else "{}"
    casts = [f"TRY_CAST({value.format(name)} AS DOUBLE) AS {name}" for name in quoted[1:]]
    columns = [quoted[0], *casts]
    query = f"SELECT {', '.join(columns)} FROM {reader}"
    with _readable(source):
        batches = connection.sql(query, params=path).to_arrow_reader(part_rows)
    empty = True
    while (batch := _next(batches, source)) is not None:
        empty = False
        yield pa.Table.from_batches([batch]).to_pandas()
    if empty:
        yield batches.schema.empty_table().to_pandas()


def _next(batches: pa.RecordBatchReader, source: Path) -> pa.RecordBatch | None:
    with _readable(source):
        return next(batches, None)


def _count(totals: dict[str, int], table: pd.DataFrame) -> None:
    assigned = table["cluster"].notna()
    totals["rows"] += len(table)
    totals["assigned"] += int(assigned.sum())
    totals["not_assigned"] += int((~assigned).sum())
    totals["outside"] += int((assigned & (table["note"] != "")).sum())


def _as_arrow(table: pd.DataFrame, ending: str) -> pa.Table:
    types = {"cluster": pa.int64(), "probability": pa.float64()}
    types |= {"name": pa.string(), "note": pa.string()}
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
