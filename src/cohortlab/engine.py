"""Open the DuckDB that runs every expression, in this process, with its limits."""

import contextlib
from pathlib import Path

import duckdb
import ibis
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
