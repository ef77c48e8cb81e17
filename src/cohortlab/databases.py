"""Databases named by a URL from the environment, whose errors never tell what that URL holds."""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
# What a driver says when it cannot connect may quote any part of the URL, rightly parsed or not, so
# it is never passed on: only these signs in it, in our own words.
_SIGNS = {
    "no password supplied": "the server asks for a password and the URL has none",
    "authentication failed": "the server refuses the user or the password",
    "does not exist": "the server has no such database or user",
    "refused": "no server answers at that host and port",
    "timeout expired": "the server did not answer in time",
    "host name": "the host is not known",
    "resolve": "the host is not known",
    "SSL": "the server and the URL do not agree about SSL",
    "connection option": "the URL has an option that the driver does not know",
    "server closed the connection": "the server closed the connection",
    "connection is lost": "the connection is lost",
}
_READ_ONLY = {
    "sqlite": ["PRAGMA query_only = ON"],
    "postgresql": [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SET LOCAL TIME ZONE 'UTC'",
    ],
}
# To attach a file that is not there makes it, and a PRAGMA may lift what makes reading safe.
_NEVER_READING = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_PRAGMA)
# Both databases count milliseconds in 32 bits, and to PostgreSQL 0 means for ever.
_SHORTEST_WAIT_MS, _LONGEST_WAIT_MS = 1, 2**31 - 1
_UNNAMED = "the reason is not shown, as it may quote the URL; try the URL with psql"


class DatabaseError(RuntimeError):
    """A database that cannot be opened, read or written; never quotes the URL or parts of it."""


def url_from_environment(variable: str) -> URL:
    """
    Read the URL of a database from an environment variable.

    Parameters
    ----------
    variable : str
        The variable's name, not the URL itself.

    Returns
    -------
    sqlalchemy.URL
        Its driver one of `DRIVERS`; shown, it hides its password.

    Raises
    ------
    DatabaseError
        If this is no name of a variable, the variable is not set, or holds no URL of SQLite or
        PostgreSQL. What was given is not repeated: it might be a URL in the wrong place.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable):
        raise DatabaseError(
            "url_variable must be the name of an environment variable, such as "
            "COHORTLAB_DATABASE_URL, but is something else. A URL belongs into the environment."
        )
    if not os.environ.get(variable):
        raise DatabaseError(
            f"The environment variable {variable} should hold the URL of a database, but is not "
            f"set: export {variable}=postgresql://user:password@host/database"
        )
    url = None
    # The parser quotes what it cannot read, so nothing of its error may be kept.
    with contextlib.suppress(SQLAlchemyError, ValueError):
        url = make_url(os.environ[variable])
    if url is None or url.drivername not in DRIVERS:
        raise DatabaseError(
            f"The environment variable {variable} holds no URL of SQLite or PostgreSQL, such as "
            "sqlite:////folder/file.sqlite or postgresql://user:password@host:5432/database. "
            "In a password, write @ : / and % as %40 %3A %2F %25."
        )
    return url.set(drivername=DRIVERS[url.drivername])


def sqlite_url(path: Path) -> URL:
    """
    Name a SQLite file.

    Parameters
    ----------
    path : pathlib.Path
        The file, which need not exist.

    Returns
    -------
    sqlalchemy.URL
        Its URL, whatever letters the path has.
    """
    return URL.create("sqlite", database=str(path))


def open_database(url: URL) -> Engine:
    """
    Prepare an engine; it connects when it is first used.

    Parameters
    ----------
    url : sqlalchemy.URL
        What `url_from_environment` or `sqlite_url` gave.

    Returns
    -------
    sqlalchemy.Engine
        An engine that keeps no connection open, and shows no values in errors.

    Raises
    ------
    DatabaseError
        If the driver is not installed.
    """
    # A writer that waited for another must then see what the other has committed.
    options = {} if url.drivername == "sqlite" else {"isolation_level": "READ COMMITTED"}
    try:
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True, **options)
    except ImportError as error:
        raise DatabaseError(
            f"The driver {error.name} is not installed: pip install 'cohortlab[postgres]'"
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection, _record) -> None:
    # Python's driver would otherwise begin transactions when it thinks fit.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    wait_sec = connection.get_execution_options().get("wait_sec")
    if wait_sec is None:
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {_wait_ms(wait_sec)}")
    # With a write-ahead log readers see the old state while a writer is at work, and neither waits.
    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _wait_ms(wait_sec: float) -> int:
    return round(min(max(wait_sec * 1000, _SHORTEST_WAIT_MS), _LONGEST_WAIT_MS))


@contextlib.contextmanager
def writing(engine: Engine, *, lock: int, wait_sec: float) -> Iterator[Connection]:
    """
    Open one transaction to write, which waits until no other one with the same lock is open.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        The database.
    lock : int
        Number of the lock, of 64 bits; SQLite has one lock for the whole file.
    wait_sec : float
        Longest wait for the lock, seconds; 0 does not wait, and beyond 24 days it is 24 days.

    Yields
    ------
    sqlalchemy.Connection
        Everything written through it comes to be seen at once, at the end, or never.

    Raises
    ------
    DatabaseError
        If the database cannot be reached, refuses a statement, or the wait was in vain.
    """
    with _explained(engine), engine.connect() as bare:
        connection = bare.execution_options(wait_sec=wait_sec)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                wait = {"wait": f"{_wait_ms(wait_sec)}ms"}
                connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), wait)
                # The lock ends with the transaction, however that ends: no run leaves it behind.
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
            yield connection


@contextlib.contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """
    Open one transaction that can only read, with times in UTC.

    Parameters
    ----------
    engine : sqlalchemy.Engine
        The database.

    Yields
    ------
    sqlalchemy.Connection
        A statement that would change anything through it, or make a file, is refused.

    Raises
    ------
    DatabaseError
        If the database cannot be reached, or refuses a statement.
    """
    if engine.dialect.name == "sqlite":
        _require_file(engine)
    with _explained(engine), engine.connect() as connection:
        for statement in _READ_ONLY[engine.dialect.name]:
            connection.exec_driver_sql(statement)
        if engine.dialect.name == "sqlite":
            connection.connection.driver_connection.set_authorizer(_allow_reading)
        yield connection


def _allow_reading(action: int, *_details) -> int:
    return sqlite3.SQLITE_DENY if action in _NEVER_READING else sqlite3.SQLITE_OK


def _require_file(engine: Engine) -> None:
    # SQLite makes a file that is not there, and would then lack every table.
    if not Path(engine.url.database or "").is_file():
        raise DatabaseError("The SQLite database is not there: its URL names no existing file.")


@contextlib.contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """Turn the errors of a driver into ours, which tell what happened and no part of the URL."""
    try:
        yield
    except (SQLAlchemyError, engine.dialect.loaded_dbapi.Error) as error:
        reason = _reason(getattr(error, "orig", None) or error, engine)
        raise DatabaseError(f"The database cannot do this: {reason}.") from None


def _reason(error: Exception, engine: Engine) -> str:
    diagnosis = getattr(error, "diag", None)
    if diagnosis is not None and diagnosis.message_primary:
        return _without_secrets(diagnosis.message_primary, engine.url)
    said = str(error)
    if isinstance(error, SQLAlchemyError) or engine.dialect.name == "sqlite":
        return _without_secrets(said.splitlines()[0], engine.url)
    return next((words for sign, words in _SIGNS.items() if sign in said), _UNNAMED)


def _without_secrets(message: str, url: URL) -> str:
    query = [value for values in url.normalized_query.values() for value in values]
    for secret in filter(None, (url.password, url.username, *query)):
        message = message.replace(str(secret), "***")
    return message.rstrip(".")
