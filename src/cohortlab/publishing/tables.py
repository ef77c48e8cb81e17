"""The tables of a database that takes runs, made from the schema of what is published."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Dialect,
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
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.schema import CreateView
from sqlalchemy.types import NullType, TypeEngine

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
        If there is a table or view of one of these names whose columns have other names or types.
    """
    view = _latest()
    found = inspect(connection)
    # Whether a name is there, the database says by its own rule for capital letters.
    there = {t.name for t in (*METADATA.sorted_tables, view.table) if found.has_table(t.name)}
    for table in (*METADATA.sorted_tables, view.table):
        if table.name in there:
            _require_columns(table, found.get_columns(table.name), connection.dialect)
    METADATA.create_all(connection)
    if VIEW not in there:
        connection.execute(view)


def _require_columns(table: Table, columns: list[ReflectedColumn], dialect: Dialect) -> None:
    expected = {column.name: _kind(column.type, dialect) for column in table.columns}
    # SQLite tells no names apart that differ in capital letters only; PostgreSQL does.
    plain = str.lower if dialect.name == "sqlite" else str
    kinds = {plain(column["name"]): _kind(column["type"], dialect) for column in columns}
    if list(kinds.items()) != list(expected.items()):
        raise PublishingError(
            f"The database has a `{table.name}` with columns {_listed(kinds)}, expected "
            f"{_listed(expected)}. Rename or drop it, or publish to another database or schema."
        )


def _kind(kind: TypeEngine, dialect: Dialect) -> str:
    unknown = isinstance(kind, NullType)
    return "of no known type" if unknown else kind.compile(dialect=dialect).lower()


def _listed(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in kinds.items())


def require_shown(connection: Connection, run: str, *, study: str, n_customers: int) -> None:
    """
    Demand that readers will see a run, by looking through the view.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Inside the transaction that writes, after everything is written.
    run : str
        The run, which must be the latest of its study.
    study : str
        Its study.
    n_customers : int
        How many customers it has.

    Raises
    ------
    PublishingError
        If the view shows another number of customers of the study, or any of another run.
    """
    view = _latest().table
    of_run = func.count().filter(view.c.run_id == run)
    seen = select(func.count(), of_run).select_from(view).where(view.c.study == study)
    n_seen, n_of_run = connection.execute(seen).one()
    if (n_seen, n_of_run) != (n_customers, n_customers):
        raise PublishingError(
            f"Of the {n_customers} customers of this run `{VIEW}` would show {n_of_run}, and "
            f"{n_seen - n_of_run} of other runs of the study: it is not the view that is made "
            "here, or rows were deleted. Drop it, and the next run makes it; a run that is deleted "
            "from `published_runs` is written anew."
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
