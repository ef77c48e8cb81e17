"""The tables of a database that takes runs, made from the schema of what is published."""

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    inspect,
    select,
)
from sqlalchemy.schema import CreateView

from cohortlab.publishing.content import TABLE, PublishingError
from cohortlab.schemas import TABLES

TYPES = {"text": Text, "integer": BigInteger, "number": Double}
VIEW = "latest_customers"
METADATA = MetaData()


def _run_key(**options) -> Column:
    whole = ForeignKey("published_runs.run_id", ondelete="CASCADE")
    comment = "the run that published it"
    return Column("run_id", Text, whole, nullable=False, comment=comment, **options)


RUNS = Table(
    "published_runs",
    METADATA,
    Column("run_id", Text, primary_key=True, comment="32 digits that follow from the content"),
    Column("study", Text, nullable=False, comment="which study published it"),
    Column("n_customers", BigInteger, nullable=False, comment="customers in it"),
    comment="one row a run: a content that was published",
)
RELEASES = Table(
    "published_releases",
    METADATA,
    # SQLite numbers rows by itself only where the type is exactly INTEGER.
    Column(
        "release",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        comment="rising number; a study's largest is its latest",
    ),
    _run_key(index=True),
    Column("released_at", DateTime(timezone=True), nullable=False, comment="when, UTC"),
    comment="one row each time that a run became the latest of its study",
)
CUSTOMERS = Table(
    TABLE,
    METADATA,
    _run_key(primary_key=True),
    *[
        Column(
            column.name,
            TYPES[column.kind],
            primary_key=column.unique,
            nullable=column.nullable,
            comment=column.description,
        )
        for column in TABLES[TABLE]
    ],
    comment="one row a customer and run",
    sqlite_with_rowid=False,
)


def _latest() -> CreateView:
    newest = (
        select(func.max(RELEASES.c.release))
        .join(RUNS, RUNS.c.run_id == RELEASES.c.run_id)
        .group_by(RUNS.c.study)
    )
    columns = [column for column in CUSTOMERS.c if column.name != "run_id"]
    rows = (
        select(RUNS.c.study, *columns, RUNS.c.run_id, RELEASES.c.released_at)
        .join_from(RELEASES, RUNS, RUNS.c.run_id == RELEASES.c.run_id)
        .join(CUSTOMERS, CUSTOMERS.c.run_id == RUNS.c.run_id)
        .where(RELEASES.c.release.in_(newest))
    )
    return CreateView(rows, VIEW)


def require_tables(connection: Connection) -> None:
    """
    Make the tables and the view where they are absent, and check them where they are there.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Inside the transaction that writes.

    Raises
    ------
    PublishingError
        If there is a table or view of one of these names with other columns.
    """
    view = _latest()
    found = inspect(connection)
    names = {*found.get_table_names(), *found.get_view_names()}
    for table in (*METADATA.sorted_tables, view.table):
        if table.name in names:
            _require_columns(table, [column["name"] for column in found.get_columns(table.name)])
    METADATA.create_all(connection)
    if VIEW not in names:
        connection.execute(view)


def _require_columns(table: Table, columns: list[str]) -> None:
    if columns != (expected := table.columns.keys()):
        raise PublishingError(
            f"The database has a `{table.name}` with columns {columns}, expected {expected}. "
            "Rename or drop it, or publish to another database or schema."
        )


def describe_tables() -> pd.DataFrame:
    """
    List the tables with their keys, for people.

    Returns
    -------
    pandas.DataFrame
        One row a column: `table`, `column`, `type`, `key` and `meaning`.
    """
    return pd.DataFrame(
        {
            "table": table.name,
            "column": column.name,
            "type": str(column.type).lower(),
            "key": _key(column),
            "meaning": column.comment,
        }
        for table in METADATA.sorted_tables
        for column in table.columns
    )


def _key(column: Column) -> str:
    target = next((f"to {key.target_fullname}" for key in column.foreign_keys), "")
    return ", ".join(filter(None, ["primary" if column.primary_key else "", target]))
