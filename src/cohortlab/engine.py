"""Open the DuckDB that runs every expression, in this process, with its limits."""

import contextlib
import weakref
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
from ibis.backends.duckdb import Backend

MEMORY_LIMIT = "1GB"


def connect(
    scratch: Path, *, memory_limit: str = MEMORY_LIMIT, threads: int | None = None
) -> Backend:
    """
    Open an in-process DuckDB that moves to disk what does not fit in memory.

    Parameters
    ----------
    scratch : Path
        Folder for what does not fit in memory; made if it is absent.
    memory_limit : str, default "1GB"
        Memory that DuckDB may use for its tables and operators, for example ``"500MB"``.
    threads : int, optional
        Threads to use; as many as the machine has cores where not given. No result depends on it.

    Returns
    -------
    ibis.backends.duckdb.Backend
        The connection; every table read through it shares the limits.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    options = {"temp_directory": str(scratch / "spill"), "memory_limit": memory_limit}
    if threads is not None:
        options["threads"] = threads
    connection = ibis.duckdb.connect(**options)
    # In a notebook DuckDB draws a progress bar of its own, which would differ from run to run;
    # where ipywidgets are missing it draws none, and refuses to be told.
    with contextlib.suppress(duckdb.InvalidInputException):
        connection.raw_sql("SET enable_progress_bar = false")
    return connection


def scratch_table(backend: Backend, schema: ibis.Schema) -> ir.Table:
    """
    Make an empty table that lasts as long as an expression stands on it.

    Parameters
    ----------
    backend : ibis.backends.duckdb.Backend
        A connection, even one that may only read its file.
    schema : ibis.Schema
        The table's columns.

    Returns
    -------
    ibis.Table
        The table. What does not fit in memory goes to the connection's scratch folder.

    Notes
    -----
    A temporary table is seen by one cursor of a connection only, and any other one would stay in
    its file. So this one lies in a database of its own, in memory.
    """
    name = ibis.util.gen_name("cohortlab")
    with backend.con.cursor() as cursor:
        cursor.execute(f"ATTACH ':memory:' AS {name} (READ_WRITE)")
    table = backend.create_table("rows", schema=schema, database=(name, "main"))
    weakref.finalize(table.op(), _detach, backend.con, name).atexit = False
    return table


def _detach(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    # By another cursor, because this may happen while the connection's own still reads something.
    with contextlib.suppress(duckdb.Error), connection.cursor() as cursor:
        cursor.execute(f"DETACH {database}")
