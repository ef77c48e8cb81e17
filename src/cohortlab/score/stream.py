"""From a file of rows to a file of what a bundle says of them, a part at a time."""

import contextlib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from cohortlab.publishing.sheets import harmless_text
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
        note, such as that a value is beyond what was seen while fitting); `segmented` (with a named
        segment) where the bundle knows segments and the file has the columns that they need.

    Raises
    ------
    ValueError
        If an ending is unknown, a column is missing or the file cannot be read as such a table;
        nothing is written.
    """
    if target.suffix.lower() not in ENDINGS or target.is_dir():
        raise ValueError(f"{target}: expected an output, a file that ends in .csv or .parquet")
    if not target.parent.is_dir():
        raise ValueError(f"{target}: there is no folder {target.parent} to write it into")
    if target.exists() and source.exists() and target.samefile(source):
        raise ValueError(f"{target}: this is the input; name another output")
    totals = {"rows": 0, "assigned": 0, "not_assigned": 0, "noted": 0}
    partial = target.with_name(f".{target.name}.part")
    try:
        with contextlib.ExitStack() as stack:
            writer = None
            for ids, columns in read_parts(bundle, source, part_rows=part_rows):
                found = bundle.score(columns)
                _count(totals, found)
                if "segment" in found.column_names and set(bundle.optional) <= set(columns):
                    known = len(found) - found["segment"].null_count
                    totals["segmented"] = totals.get("segmented", 0) + known
                table = found.add_column(0, bundle.id_name, ids)
                table = _harmless(table) if target.suffix.lower() == ".csv" else table
                if writer is None:
                    writer = stack.enter_context(_writer(partial, table.schema))
                writer.write_table(table)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return totals


def _count(totals: dict[str, int], found: pa.Table) -> None:
    assigned = found.column(0).is_valid()
    noted = pc.and_(assigned, pc.not_equal(found["note"], ""))
    n_assigned = len(found) - found.column(0).null_count
    totals["rows"] += len(found)
    totals["assigned"] += n_assigned
    totals["not_assigned"] += len(found) - n_assigned
    totals["noted"] += pc.sum(noted).as_py() or 0


def _harmless(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            safe = _harmless_texts(table.column(place).combine_chunks())
            table = table.set_column(place, field.name, safe)
    return table


def _harmless_texts(texts: pa.Array) -> pa.Array:
    """Look only at what is not all letters and digits, each text once: ids are many."""
    if pc.all(pc.utf8_is_alnum(texts)).as_py():
        return texts
    coded = texts.dictionary_encode()
    distinct = coded.dictionary
    odd = pc.invert(pc.utf8_is_alnum(distinct))
    safe = [harmless_text(text) for text in distinct.filter(odd).to_pylist()]
    return pc.replace_with_mask(distinct, odd, pa.array(safe, distinct.type)).take(coded.indices)


def _writer(path: Path, schema: pa.Schema):
    if path.suffixes[-2].lower() == ".csv":
        return pacsv.CSVWriter(path, schema)
    return pq.ParquetWriter(path, schema)
