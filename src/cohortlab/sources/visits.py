"""Read and clean a browsing log: who used which domain, when, and for how long."""

from collections.abc import Collection, Mapping
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.cleaning import VisitCleaning, check_rules
from cohortlab.sources.domains import registrable_domains
from cohortlab.sources.files import Place
from cohortlab.sources.log import Log, Sorted, account_for
from cohortlab.sources.mapping import column_names
from cohortlab.sources.staging import (
    Source,
    Staged,
    blank_to_null,
    id_columns,
    mark_again,
    read_time,
    stage,
)
from cohortlab.sources.visit_forms import usual_form

COLUMNS = {
    "person_id": "panelist_id",
    "time": "used_at",
    "domain": "domain",
    "active_seconds": "active_seconds",
}
ENCODING = "utf-8"
LONGEST_SEC = 86_400
_LOG_COLUMNS = ["person_id", "start_ms", "domain", "active_ms"]
_PERSON, _TIME, _HOST, _SECONDS, _RANGE, _DOMAIN, _REPEATED = 1, 2, 3, 4, 5, 10, 11
_REASONS = {
    _PERSON: "person id missing",
    _TIME: "time cannot be read",
    _HOST: "domain missing",
    _SECONDS: "seconds are not a number",
    _RANGE: f"seconds out of range (0 to {LONGEST_SEC:,})",
    _DOMAIN: "no registrable domain",
    _REPEATED: "repeated visit",
}


def read_visits(
    path: str | Mapping[str, str],
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str = ENCODING,
    cleaning: Mapping | VisitCleaning | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read a browsing log, clean it, and account for every row.

    Parameters
    ----------
    path : str or mapping of str to str
        A file or a glob: ``.csv .csv.gz .csv.xz .zip .parquet .xlsx``; or the files of a form that
        `cohortlab.sources.visit_forms.usual_form` knows.
    columns : mapping of str to str, optional
        Our column name to the name in the file, where it is another (`COLUMNS`).
    encoding : str, default "utf-8"
        Encoding of text files.
    cleaning : mapping or VisitCleaning, optional
        Cleaning rules that differ from the defaults of `VisitCleaning`.
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
        Table `visits`: `person_id`, `start_ms` (milliseconds since 1970 by the clock of the log,
        which says no zone), `domain` (registrable, content hosts under the domain they serve) and
        `active_ms`; ordered by all four. The rejected rows and the counts.

    Raises
    ------
    SourceError
        If a source cannot be read at all, a rule is mistyped, or no row is left.

    Notes
    -----
    A row is rejected for the first reason that applies: its form, then a host that is nothing but a
    public suffix, then being a repeated visit, where those are dropped.
    """
    rules = check_rules(VisitCleaning, cleaning, study=study)
    place, scratch = Place(study, "visits"), Path(scratch)
    path = usual_form(path, scratch, study=study)
    source = Source(path, column_names(columns, COLUMNS, place=place), encoding, place)
    connection = connect(scratch, memory_limit=memory_limit, threads=threads)
    staged = _stage(connection, source, rules, scratch)
    divided = _divide(staged, _marked(connection, staged, rules, scratch), place)
    rejects, counts = account_for(connection, [divided], scratch)
    kept = divided.kept.select(_LOG_COLUMNS).order_by(_LOG_COLUMNS)
    return Log({"visits": kept}, rejects, counts)


def _stage(connection: Backend, source: Source, rules: VisitCleaning, scratch: Path) -> Staged:
    def parse(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
        return _parse(text, text_ids, rules)

    staged = stage(connection, source, parse, scratch=scratch, ids=["person_id"])
    if not staged.odd_ids:
        return staged
    return stage(
        connection, source, parse, scratch=scratch, ids=["person_id"],
        text_ids=["person_id"], parts=staged.parts,
    )  # fmt: skip


def _parse(text: ir.Table, text_ids: Collection[str], rules: VisitCleaning) -> ir.Table:
    written = blank_to_null(text.time)
    time = read_time(written, rules.time_format)
    seconds = blank_to_null(text.active_seconds).try_cast("float64")
    in_range = (seconds >= 0) & (seconds <= LONGEST_SEC)
    parsed = text.select(
        **id_columns(text, ["person_id"], text_ids),
        start_ms=time.truncate("s").epoch_seconds() * 1000 + time.millisecond(),
        host=blank_to_null(text.domain).lower(),
        seconds=seconds,
        # Whole milliseconds, so that sums do not depend on the order of rows.
        active_ms=in_range.ifelse(seconds * 1000, None).round().cast("int64"),
    )
    return parsed.mutate(
        code=ibis.cases(
            (parsed.person_id.isnull(), _PERSON),
            (parsed.start_ms.isnull(), _TIME),
            (parsed.host.isnull(), _HOST),
            (parsed.seconds.isnull(), _SECONDS),
            (parsed.active_ms.isnull(), _RANGE),
        ).cast("int8")
    ).drop("seconds")


def _marked(connection: Backend, staged: Staged, rules: VisitCleaning, scratch: Path) -> ir.Table:
    """Give each row its domain; mark those without one and, where they are dropped, repeats."""
    hosts = staged.table.select("host").distinct().order_by("host").to_pyarrow().to_pandas()["host"]
    found = registrable_domains(hosts, content_hosts=rules.content_hosts)
    domains = found if rules.registrable else hosts
    target = scratch / "domains.parquet"
    known = {"host": hosts[domains.notna()], "domain": domains.dropna()}
    text = pa.schema([("host", pa.string()), ("domain", pa.string())])
    pq.write_table(pa.table(known, schema=text), target)
    joined = staged.table.left_join(connection.read_parquet(str(target)), "host")
    rows = joined.mutate(
        code=ibis.cases(
            (joined.code.notnull(), joined.code),
            (joined.domain.isnull(), ibis.literal(_DOMAIN, "int8")),
        )
    ).drop("host", "host_right")
    if rules.repeated_visits == "keep":
        return rows
    marked = mark_again(rows, _LOG_COLUMNS, _REPEATED)
    return connection.create_table("visits_without_repeats", marked)


def _divide(staged: Staged, rows: ir.Table, place: Place) -> Sorted:
    return Sorted(
        name="visits",
        staged=staged,
        kept=rows.filter(rows.code.isnull()),
        rejected=rows.filter(rows.code.notnull()).select("file_number", "row", "code"),
        reasons=_REASONS,
        place=place,
    )
