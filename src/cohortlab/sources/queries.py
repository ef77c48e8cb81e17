"""Fetch a log from a database, by a query for each table, into files that the readers take."""

import re
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection

from cohortlab.databases import open_database, reading, url_from_environment
from cohortlab.sources.cells import cell_text
from cohortlab.sources.errors import SourceError

BLOCK_ROWS = 50_000
# Before the first word there may be blanks, comments and brackets.
_SELECT = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*+(?:SELECT|WITH)\b", re.I | re.S)


def fetch_log(
    folder: Path,
    *,
    log: str,
    url_variable: str,
    query: str | Mapping[str, str | None],
    study: str = "<study>",
) -> str | dict[str, str | None]:
    """
    Run the queries of a log and keep what they give, as text.

    Parameters
    ----------
    folder : pathlib.Path
        Where the files go, one for each query.
    log : str
        Kind of log, which names the file of a single query.
    url_variable : str
        Name of the environment variable that holds the URL of the database.
    query : str or mapping of str to (str or None)
        One SELECT, or one for each table; None for a table that is absent. With an ORDER BY, rows
        come in the same order each time, and so do the line numbers of rejected rows.
    study : str
        Name of the study, for messages.

    Returns
    -------
    str or dict of str to (str or None)
        What `read_invoices` or `read_events` takes as its path. The line of a row in the rejected
        rows is its number in the query's result.

    Raises
    ------
    SourceError
        If a query is not text, does not begin with SELECT or WITH, or gives no row.
    DatabaseError
        If the database cannot be opened, or refuses a query. Every query runs in a transaction
        that can only read and holds one statement; all queries of a log see the database in one
        state.
    """
    queries = query if isinstance(query, Mapping) else {log: query}
    engine = open_database(url_from_environment(url_variable))
    paths: dict[str, str | None] = {}
    with reading(engine) as connection:
        for table, statement in queries.items():
            key = f"studies.{study}.data.sql.query" + (f".{table}" if query is queries else "")
            target = folder / f"{table}.parquet"
            paths[table] = str(target) if statement is not None else None
            if statement is not None:
                _fetch(connection, statement, target, key)
    return paths if query is queries else paths[log]


def _fetch(connection: Connection, statement: str, target: Path, key: str) -> None:
    if not isinstance(statement, str) or not _SELECT.match(statement):
        raise SourceError(
            f"{key} must be one statement, SELECT or WITH, but is {statement!r:.100}."
        )
    # Without parameters, a percent sign in the query means itself.
    options = {"stream_results": True, "no_parameters": True}
    result = connection.execution_options(**options).exec_driver_sql(statement)
    names = list(result.keys())
    schema = pa.schema([(name, pa.string()) for name in names])
    n_rows = 0
    with pq.ParquetWriter(target, schema) as writer:
        for block in result.partitions(BLOCK_ROWS):
            columns = [
                pa.array(map(cell_text, column), pa.string()) for column in zip(*block, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            n_rows += len(block)
    if not n_rows:
        raise SourceError(f"{key} gives no row. Correct the query, or look into the database.")
