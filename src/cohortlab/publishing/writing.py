"""Write a run in one transaction: it comes to be seen whole, or nothing of it is left."""

import datetime as dt
from collections.abc import Iterator

import pandas as pd
from sqlalchemy import Connection, Engine, insert, select

from cohortlab.databases import writing
from cohortlab.publishing.content import PublishingError, run_id
from cohortlab.publishing.sheets import NUL
from cohortlab.publishing.tables import CUSTOMERS, RELEASES, RUNS, require_shown, require_tables

BLOCK_ROWS = 50_000
# Any number would do, if no other program uses it for an advisory lock in the same database.
LOCK = 7_316_005_126_911_041_837


def publish(engine: Engine, customers: pd.DataFrame, *, study: str, wait_sec: float = 60.0) -> str:
    """
    Make a run the latest of its study.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        The database, from `cohortlab.databases.open_database`.
    customers : pandas.DataFrame
        Table `published_customers`, from `customers_table`.
    study : str
        The study that publishes them.
    wait_sec : float, default 60
        How long to wait while another run writes, seconds.

    Returns
    -------
    str
        The id of the run.

    Raises
    ------
    DatabaseError
        If the database cannot be reached, refuses to, or another run writes for too long. Nothing
        of the run is then written.
    PublishingError
        If the database has other tables of the same names, its view would not show the run, or the
        study's name holds the letter NUL. Nothing of the run is then written.

    Notes
    -----
    The customers of a run are written once, however often it is published. Publishing a run again
    after another one makes it the latest again, by one row in `published_releases`; publishing the
    latest run again writes nothing at all. Should the connection break during the commit, nobody
    knows whether it took place, and publishing once more settles it.
    """
    if NUL in study:
        raise PublishingError(f"A study's name cannot hold the letter NUL, but is {study!r}.")
    run = run_id(customers, study=study)
    with writing(engine, lock=LOCK, wait_sec=wait_sec) as connection:
        require_tables(connection)
        if connection.scalar(select(RUNS.c.run_id).where(RUNS.c.run_id == run)) is None:
            connection.execute(
                insert(RUNS).values(run_id=run, study=study, n_customers=len(customers))
            )
            _LOADERS[engine.dialect.name](connection, _blocks(customers, run))
        if connection.scalar(_latest_run(study)) != run:
            now = dt.datetime.now(dt.UTC)
            connection.execute(insert(RELEASES).values(run_id=run, released_at=now))
        require_shown(connection, run, study=study, n_customers=len(customers))
    return run


def _latest_run(study: str):
    of_study = RELEASES.join(RUNS, RUNS.c.run_id == RELEASES.c.run_id)
    releases = select(RELEASES.c.run_id).select_from(of_study).where(RUNS.c.study == study)
    return releases.order_by(RELEASES.c.release.desc()).limit(1)


def _blocks(customers: pd.DataFrame, run: str) -> Iterator[list[tuple]]:
    """Cut the rows of the table of customers into blocks, as Python values."""
    for start in range(0, len(customers), BLOCK_ROWS):
        block = customers.iloc[start : start + BLOCK_ROWS].astype(object)
        block = block.where(block.notna(), None)
        columns = [block[name].tolist() for name in CUSTOMERS.columns.keys()[1:]]
        yield list(zip([run] * len(block), *columns, strict=True))


def _insert(connection: Connection, blocks: Iterator[list[tuple]]) -> None:
    statement = str(insert(CUSTOMERS).compile(connection))
    for block in blocks:
        connection.exec_driver_sql(statement, block)


def _copy(connection: Connection, blocks: Iterator[list[tuple]]) -> None:
    """Load by PostgreSQL's own COPY, in the transaction that is open."""
    statement = f"COPY {CUSTOMERS.name} ({', '.join(CUSTOMERS.columns.keys())}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            for row in block:
                copy.write_row(row)


_LOADERS = {"sqlite": _insert, "postgresql": _copy}
