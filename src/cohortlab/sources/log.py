"""A log as the readers hand it on: usable rows, rejected rows, and how many of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import Place
from cohortlab.sources.parts import Part
from cohortlab.sources.staging import Staged

REJECTS = pa.schema(
    [
        pa.field("table", pa.string()),
        pa.field("file", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("reason", pa.string()),
        pa.field("record", pa.string()),
    ]
)
BATCH_ROWS = 50_000
# The counts of a table that is not there.
NO_ROWS = {
    "rows_read": 0,
    "rows_kept": 0,
    "rows_rejected": 0,
    "rows_not_used": 0,
    "reasons": {},
}


@dataclass(frozen=True)
class Log:
    """
    A validated log.

    Attributes
    ----------
    tables : dict of str to ibis.Table
        The usable rows of each table, in one total order, on an in-process DuckDB.
    rejects : ibis.Table
        Rows that cannot be used: `table`, `file`, `line`, `reason`, `record`.
    counts : dict of str to dict
        For each table `rows_read`, `rows_kept`, `rows_rejected`, `rows_not_used` and `reasons`
        (rejected rows by reason), and what else is worth knowing. Always
        ``rows_read == rows_kept + rows_rejected + rows_not_used``.
    """

    tables: dict[str, ir.Table]
    rejects: ir.Table
    counts: dict[str, dict]


@dataclass(frozen=True)
class Sorted:
    """
    The rows of one staged table, divided into those to keep and the others.

    Attributes
    ----------
    name : str
        Name of the table.
    staged : Staged
        Where the rows come from.
    kept : ibis.Table
        The rows to hand on.
    rejected : ibis.Table
        `file_number`, `row` and `code` of those to reject.
    reasons : mapping of int to str
        The reason behind each code.
    place : Place
        Where the table stands in ``params.yaml``.
    unused : ibis.Table, optional
        The same of rows that nothing asks for. They are counted, and are no rejected ones.
    """

    name: str
    staged: Staged
    kept: ir.Table
    rejected: ir.Table
    reasons: Mapping[int, str]
    place: Place
    unused: ir.Table | None = None


def account_for(
    connection: Backend, tables: Sequence[Sorted], scratch: Path
) -> tuple[ir.Table, dict[str, dict]]:
    """
    Account for every row that was read: count them, and write down the rejected ones.

    Parameters
    ----------
    connection : ibis.backends.duckdb.Backend
        Where the tables are.
    tables : sequence of Sorted
        The tables.
    scratch : Path
        Folder for the file of rejected rows, ``rejects.parquet``.

    Returns
    -------
    rejects : ibis.Table
        The rejected rows, ordered by table, file and line.
    counts : dict of str to dict
        By table: `rows_read`, `rows_kept`, `rows_rejected`, `rows_not_used` and `reasons`.

    Raises
    ------
    SourceError
        If not one row of a table can be used: the file is not what its column mapping says. The
        message has the most frequent reason and the first records it applies to.
    """
    counts = {table.name: _count_rows(table) for table in tables}
    for table in tables:
        _require_kept(counts[table.name], table)
    return _write_rejects(connection, tables, scratch / "rejects.parquet"), counts


def _count_rows(divided: Sorted) -> dict:
    codes = divided.rejected.group_by("code").agg(n=lambda t: t.count()).to_pyarrow().to_pylist()
    reasons = {divided.reasons[row["code"]]: row["n"] for row in codes}
    for part in divided.staged.parts:
        for fault in part.malformed:
            reasons[fault.reason] = reasons.get(fault.reason, 0) + 1
    n_rejected = sum(reasons.values())
    n_unused = 0 if divided.unused is None else divided.unused.count().to_pyarrow().as_py()
    n_read = divided.staged.n_rows + divided.staged.n_malformed
    return {
        "rows_read": n_read,
        "rows_kept": n_read - n_rejected - n_unused,
        "rows_rejected": n_rejected,
        "rows_not_used": n_unused,
        "reasons": dict(sorted(reasons.items())),
    }


def _require_kept(counts: Mapping, divided: Sorted) -> None:
    if counts["rows_kept"]:
        return
    reason, n_rows = max(counts["reasons"].items(), key=lambda item: item[1], default=("", 0))
    verb, found = "rejected", _rejects(divided)
    if counts["rows_not_used"] > n_rows:
        verb, n_rows = "left out", counts["rows_not_used"]
        found = _records(divided, divided.unused.order_by("file_number", "row").limit(3))
        reason = divided.reasons[divided.unused.code.min().to_pyarrow().as_py()]
    rows = (row for batch in found for row in batch.to_pylist() if row["reason"] == reason)
    raise SourceError(
        f"No row of {shown(part.name for part in divided.staged.parts)} (table {divided.name}) "
        f"can be used: {n_rows} of {counts['rows_read']} {verb} because: {reason}; first "
        f"records: {shown(row['record'] for row in islice(rows, 3))}. Check "
        f"{divided.place.key('columns')} and {divided.place.key('cleaning')}."
    )


def _write_rejects(connection: Backend, tables: Sequence[Sorted], target: Path) -> ir.Table:
    with pq.ParquetWriter(target, REJECTS) as writer:
        for divided in tables:
            for batch in _rejects(divided):
                writer.write_batch(batch)
    rejects = connection.read_parquet(str(target), table_name="rejects")
    return rejects.order_by("table", "file", "line", "reason")


def _rejects(divided: Sorted) -> Iterator[pa.RecordBatch]:
    for part in divided.staged.parts:
        if part.malformed:
            yield _malformed(divided.name, part)
    yield from _records(divided, divided.rejected)


def _records(divided: Sorted, chosen: ir.Table) -> Iterator[pa.RecordBatch]:
    for part in divided.staged.parts:
        here = chosen.filter(chosen.file_number == part.number).order_by("row").to_pyarrow()
        rows = here["row"].to_numpy().astype(np.int64)
        reasons = [divided.reasons[code] for code in here["code"].to_pylist()]
        records, lines = part.records_of(rows), part.lines_of(rows)
        for start in range(0, len(rows), BATCH_ROWS):
            here = slice(start, start + BATCH_ROWS)
            texts = list(islice(records, BATCH_ROWS))
            yield _batch(divided.name, part, lines[here], reasons[here], texts)


def _malformed(name: str, part: Part) -> pa.RecordBatch:
    faults = part.malformed
    lines = np.array([fault.line for fault in faults], dtype=np.int64)
    reasons = [fault.reason for fault in faults]
    return _batch(name, part, lines, reasons, [fault.record for fault in faults])


def _batch(
    name: str, part: Part, lines: np.ndarray, reasons: list[str], records: list[str]
) -> pa.RecordBatch:
    n_rows = len(lines)
    columns = [[name] * n_rows, [part.name] * n_rows, lines, reasons, records]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, kind.type) for column, kind in zip(columns, REJECTS, strict=True)],
        schema=REJECTS,
    )
