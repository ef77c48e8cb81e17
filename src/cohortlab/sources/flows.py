"""Read and clean a log of network flows: how much went each way, in how long."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.cleaning import FlowCleaning, check_rules
from cohortlab.sources.errors import SourceError
from cohortlab.sources.files import Place
from cohortlab.sources.log import Log, Sorted, account_for
from cohortlab.sources.mapping import column_names, columns_there
from cohortlab.sources.parts import Part, find_parts
from cohortlab.sources.staging import (
    Source,
    Staged,
    blank_to_null,
    mark_again,
    read_time,
    stage,
)

AMOUNTS = ("bytes_sent", "bytes_received", "packets_sent", "packets_received", "duration")
COLUMNS = {name: name for name in (*AMOUNTS, "time", "address", "label")}
REQUIRED = ("bytes_sent", "bytes_received")
ENCODING = "utf-8"
#: An exabyte: no flow has as much, and sums and squares of such numbers stay finite.
LARGEST = 1e18
_TEXT, _NEGATIVE, _LARGE, _NOTHING, _TIME, _REPEATED = 1, 2, 3, 4, 5, 6
_REASONS = {
    _TEXT: "an amount is not a number",
    _NEGATIVE: "an amount is negative",
    _LARGE: f"an amount is above {LARGEST:.0e}",
    _NOTHING: "no amount at all",
    _TIME: "time cannot be read",
    _REPEATED: "repeated flow",
}


def read_flows(
    path: str,
    *,
    columns: Mapping[str, Any] | None = None,
    encoding: str = ENCODING,
    cleaning: Mapping | FlowCleaning | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read a log of network flows, clean it, and account for every row.

    Parameters
    ----------
    path : str
        A file or a glob: ``.csv .csv.gz .csv.xz .gz .zip .parquet .xlsx``.
    columns : mapping, optional
        Our column name to the name in the file, where it is another (`COLUMNS`); null says that the
        file has no such column. All but `REQUIRED` may be absent. ``names`` lists the columns of a
        text file without a header.
    encoding : str, default "utf-8"
        Encoding of text files.
    cleaning : mapping or FlowCleaning, optional
        Cleaning rules that differ from the defaults of `FlowCleaning`.
    scratch : Path
        Folder for temporary files; it must outlive the log.
    study : str
        Name of the study, for messages.
    memory_limit : str, default "1GB"
        Memory that DuckDB may use.
    threads : int, optional
        Threads to use; no result depends on it.

    Returns
    -------
    Log
        Table `flows`: `flow_id` (place among the rows that are kept, from 0, in the order of the
        files), `time` and `address` (null where unknown), the amounts (bytes, packets, seconds;
        missing or infinite where the log says so) and `label` (null where unknown). The rejected
        rows and the counts.

    Raises
    ------
    SourceError
        If a source cannot be read at all, a column or rule is unknown, or no row is left.

    Notes
    -----
    Missing and infinite amounts are kept: what to put in their place is a choice of the features.
    """
    rules = check_rules(FlowCleaning, cleaning, study=study)
    place, scratch = Place(study, "flows"), Path(scratch)
    given, names = _split(columns, place)
    parts = find_parts(path, scratch=scratch, encoding=encoding, place=place, names=names)
    present = parts[0].header.names
    used = columns_there(given, COLUMNS, required=REQUIRED, present=present, place=place)
    source = Source(path, used, encoding, place)
    connection = connect(scratch, memory_limit=memory_limit, threads=threads)
    divided = _divide(connection, _stage(connection, source, parts, rules, scratch), rules, place)
    rejects, counts = account_for(connection, [divided], scratch)
    return Log({"flows": _in_order(divided.kept)}, rejects, counts)


def _split(columns: Mapping | None, place: Place) -> tuple[dict, list[str]]:
    """Part the mapping of columns from the names of a file without a header."""
    if not isinstance(columns or {}, Mapping):
        column_names(columns, COLUMNS, place=place)  # says what it must be
    given = dict(columns or {})
    names = given.pop("names", None) or []
    if not isinstance(names, list) or not all(isinstance(n, str) and n for n in names):
        raise SourceError(
            f"{place.key('columns')}.names must be a list of the file's columns, or null where its "
            f"first line is a header, but is {names!r}."
        )
    return given, names


def _stage(
    connection: Backend, source: Source, parts: list[Part], rules: FlowCleaning, scratch: Path
) -> Staged:
    def parse(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
        return _parse(text, rules)

    return stage(connection, source, parse, scratch=scratch, ids=[], parts=parts)


def _parse(text: ir.Table, rules: FlowCleaning) -> ir.Table:
    given = {name: blank_to_null(text[name]) for name in text.columns}
    written = {name: given[name] for name in AMOUNTS if name in given}
    numbers = {name: value.try_cast("float64") for name, value in written.items()}
    faults = [
        *((written[n].notnull() & numbers[n].isnull(), _TEXT) for n in numbers),
        *((numbers[n] < 0, _NEGATIVE) for n in numbers),
        # DuckDB orders NaN above every number.
        *(((numbers[n] > LARGEST) & _known(numbers[n]), _LARGE) for n in numbers),
        (~ibis.or_(*(_known(n).fill_null(False) for n in numbers.values())), _NOTHING),
    ]
    columns: dict[str, ir.Value] = {name: ibis.null("float64") for name in AMOUNTS}
    columns |= {name: n.isnan().ifelse(None, n) for name, n in numbers.items()}
    columns["time"] = ibis.null("timestamp")
    if "time" in given:
        columns["time"] = read_time(given["time"], rules.time_format)
        faults.append((columns["time"].isnull(), _TIME))
    for name in ("address", "label"):
        columns[name] = given.get(name, ibis.null("string"))
    return text.select(**columns, code=ibis.cases(*faults).cast("int8"))


def _known(number: ir.FloatingColumn) -> ir.BooleanColumn:
    return ~(number.isnan() | number.isinf())


def _divide(connection: Backend, staged: Staged, rules: FlowCleaning, place: Place) -> Sorted:
    rows = staged.table
    if rules.repeated_flows == "drop":
        marked = mark_again(rows, list(COLUMNS), _REPEATED)
        rows = connection.create_table("flows_without_repeats", marked)
    return Sorted(
        name="flows",
        staged=staged,
        kept=rows.filter(rows.code.isnull()),
        rejected=rows.filter(rows.code.notnull()).select("file_number", "row", "code"),
        reasons=_REASONS,
        place=place,
    )


def _in_order(kept: ir.Table) -> ir.Table:
    by_place = ibis.window(order_by=["file_number", "row"])
    numbered = kept.mutate(flow_id=ibis.row_number().over(by_place))
    return numbered.select("flow_id", "time", "address", *AMOUNTS, "label").order_by("flow_id")
