import sqlite3
import traceback

import postgres
import pytest
from sqlalchemy import text

from cohortlab.databases import (
    DatabaseError,
    open_database,
    reading,
    sqlite_url,
    url_from_environment,
    writing,
)

VARIABLE = "COHORTLAB_TEST_URL"


def everything_said(error) -> str:
    """Return all that a traceback of the error could show, the errors before it included."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


def connect(url, monkeypatch):
    monkeypatch.setenv(VARIABLE, url)
    with reading(open_database(url_from_environment(VARIABLE))) as connection:
        return connection.execute(text("SELECT 1")).scalar()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("sesame", "wrong-sesame", "user or the password"),
        ("keeper_of", "thief_of", "user or the password"),
        (":sesame-71c%3Aa%2Fb%40d%25", "", "asks for a password"),
        ("/{database}", "/nowhere", "no such database"),
        ("{port}", "1", "no server answers"),
        ("127.0.0.1", "nowhere.invalid", "host is not known"),
        ("{database}", "{database}?sslmode=require", "SSL"),
        ("{database}", "{database}?sesame-71c=1", "option"),
        ("{database}", "{database}?connect_timeout=sesame-71c", "not shown"),
        ("%3Aa%2Fb%40d%25", ":a/b@d", "host is not known"),
        ("{port}", "sesame-71c", "no URL of SQLite or PostgreSQL"),
        ("postgresql://", "mysql://", "no URL of SQLite or PostgreSQL"),
        ("postgresql://", "", "no URL of SQLite or PostgreSQL"),
    ],
)
def test_no_error_tells_what_the_url_holds(postgres_server, monkeypatch, old, new, reason):
    assert old in postgres.URL
    template = postgres.URL.replace(old, new)
    url = template.format(port=postgres_server, database="postgres")
    with pytest.raises(DatabaseError, match=reason) as caught:
        connect(url, monkeypatch)
    said = everything_said(caught.value)
    assert "cohortlab.databases.DatabaseError" in said
    for secret in ("sesame", "71c", "keeper_of", "thief_of", postgres.PASSWORD, url):
        assert secret not in said


def test_an_error_of_the_server_hides_the_user(postgres_url, monkeypatch):
    monkeypatch.setenv(VARIABLE, postgres_url)
    engine = open_database(url_from_environment(VARIABLE))
    with (
        pytest.raises(DatabaseError, match=r'column "\*\*\*" does not exist') as caught,
        reading(engine) as connection,
    ):
        connection.execute(text(f"SELECT {postgres.USER}"))
    assert postgres.USER not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_is_reached_by_each_usual_scheme(postgres_url, monkeypatch, scheme):
    assert connect(postgres_url.replace("postgresql", scheme, 1), monkeypatch) == 1


def test_a_url_that_is_shown_hides_its_password(monkeypatch):
    url = postgres.URL.format(port=1, database="x")
    monkeypatch.setenv(VARIABLE, url)
    engine = open_database(url_from_environment(VARIABLE))
    assert "sesame" not in f"{engine} {engine.url} {engine.url!r}"


@pytest.mark.parametrize("value", [None, ""])
def test_a_variable_that_is_not_set_is_named(monkeypatch, value):
    monkeypatch.delenv(VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(DatabaseError, match=f"{VARIABLE} should hold the URL .* not set"):
        url_from_environment(VARIABLE)


def test_a_url_in_place_of_a_variable_is_refused_and_not_repeated():
    with pytest.raises(DatabaseError, match="name of an environment variable") as caught:
        url_from_environment(postgres.URL)
    assert "sesame" not in everything_said(caught.value)


def test_a_missing_file_is_an_error_and_stays_missing(tmp_path):
    engine = open_database(sqlite_url(tmp_path / "shop.sqlite"))
    with pytest.raises(DatabaseError, match="no existing file"), reading(engine):
        pass
    assert not list(tmp_path.iterdir())


def test_a_sqlite_file_that_is_none_is_an_error(tmp_path):
    (tmp_path / "shop.sqlite").write_text("a letter, and no database " * 100)
    engine = open_database(sqlite_url(tmp_path / "shop.sqlite"))
    with pytest.raises(DatabaseError, match="not a database"), reading(engine) as connection:
        connection.execute(text("SELECT * FROM customers"))


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path, monkeypatch):
    if request.param == "sqlite":
        sqlite3.connect(tmp_path / "shop.sqlite").close()
        monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/shop.sqlite")
    else:
        # A statement that waits where it should not would otherwise wait for ever.
        patient = "?options=-cstatement_timeout%3D5s"
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("postgres_url") + patient)
    return open_database(url_from_environment(VARIABLE))


def test_what_is_opened_for_reading_cannot_be_changed(engine):
    with writing(engine, lock=1, wait_sec=1) as connection:
        connection.execute(text("CREATE TABLE paid (amount INTEGER)"))
    for statement in ("DELETE FROM paid", "DROP TABLE paid", "CREATE TABLE more (x INTEGER)"):
        with (
            pytest.raises(DatabaseError, match=r"read-?\s?only"),
            reading(engine) as connection,
        ):
            connection.execute(text(statement))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM paid")).scalar() == 0


def write_and_fail(engine):
    with writing(engine, lock=1, wait_sec=1) as connection:
        connection.execute(text("CREATE TABLE paid (amount INTEGER)"))
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))


def test_an_error_in_a_transaction_undoes_all_of_it(engine):
    with pytest.raises(DatabaseError, match="nowhere"):
        write_and_fail(engine)
    with pytest.raises(DatabaseError, match="paid"), reading(engine) as connection:
        connection.execute(text("SELECT * FROM paid"))


@pytest.mark.parametrize("wait_sec", [0, 0.0004])
def test_a_writer_that_may_not_wait_fails_at_once(engine, wait_sec):
    with (
        writing(engine, lock=1, wait_sec=1),
        pytest.raises(DatabaseError, match=r"lock timeout|is locked"),
        writing(engine, lock=1, wait_sec=wait_sec),
    ):
        pass


@pytest.mark.parametrize("wait_sec", [0, 1e7, float("inf")])
def test_a_writer_who_need_not_wait_writes_whatever_the_wait(engine, wait_sec):
    with writing(engine, lock=1, wait_sec=wait_sec) as connection:
        connection.execute(text("CREATE TABLE paid (amount INTEGER)"))
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM paid")).scalar() == 0


def test_a_writer_of_a_file_may_wait_for_months(tmp_path):
    engine = open_database(sqlite_url(tmp_path / "shop.sqlite"))
    with writing(engine, lock=1, wait_sec=1e7) as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 2**31 - 1


@pytest.mark.parametrize("statement", ["ATTACH '{new}' AS new", "PRAGMA query_only = OFF"])
def test_what_is_opened_for_reading_makes_no_file_and_stays_so(tmp_path, statement):
    sqlite3.connect(tmp_path / "shop.sqlite").close()
    engine = open_database(sqlite_url(tmp_path / "shop.sqlite"))
    with (
        pytest.raises(DatabaseError, match="not authorized"),
        reading(engine) as connection,
    ):
        connection.exec_driver_sql(statement.format(new=tmp_path / "new.sqlite"))
    assert [path.name for path in tmp_path.iterdir()] == ["shop.sqlite"]


@pytest.mark.parametrize("name", ["SHÖP_URL", "1_URL", "SHOP URL", "SHOP-URL", ""])
def test_a_name_that_no_shell_takes_is_none_of_a_variable(name):
    with pytest.raises(DatabaseError, match="name of an environment variable"):
        url_from_environment(name)
