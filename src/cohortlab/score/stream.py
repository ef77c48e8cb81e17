"""From a file of rows to a file of what a bundle says of them, a part at a time."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cohortlab.publishing.sheets import harmless_in_sheets
from cohortlab.score.kept import Scored
from cohortlab.score.reading import ENDINGS, read_parts

#: Rows that are held at one time.
PART_ROWS = 100_000


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
    if target.suffix not in ENDINGS or target.is_dir():
        raise ValueError(f"{target}: expected an output, a file that ends in .csv or .parquet")
    if not target.parent.is_dir():
        raise ValueError(f"{target}: there is no folder {target.parent} to write it into")
    totals = {"rows": 0, "assigned": 0, "not_assigned": 0, "noted": 0}
    partial = target.with_name(f".{target.name}.part")
    try:
        with contextlib.ExitStack() as stack:
            writer = None
            for part in read_parts(bundle, source, part_rows=part_rows):
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
