import datetime as dt
import sqlite3
from decimal import Decimal

import pandas as pd
import psycopg
import pyarrow.parquet as pq
import pytest
from sources.writing import rejected, rows, write_events, write_invoices

from cohortlab.databases import DatabaseError
from cohortlab.sources import SourceError, fetch_log, read_events, read_invoices
from cohortlab.sources.cells import cell_text

VARIABLE = "COHORTLAB_TEST_URL"
LINES = [
    "536365,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,United Kingdom",
    '536365,85123B,"IT\'S 100% GOOD; ""TEA""",6,12/1/2010 8:26,2.55,17850,United Kingdom',
    "C536366,85123A,LANTERN,-6,12/1/2010 9:00,2.55,17850,France",
    "536367,85123A,LANTERN,6.5,12/1/2010 8:26,2.55,17850,France",
    "536368,85123A,,6,12/1/2010 8:26,2.55,17850,France",
    "536369,85123A,LANTERN,6,12/1/2010 8:26,2.55,,France",
]


@pytest.fixture
def connection(tmp_path, monkeypatch):
    """Open a SQLite database that the environment names."""
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/shop.sqlite")
    connection = sqlite3.connect(tmp_path / "shop.sqlite")
    yield connection
    connection.close()


def fetch(folder, query, log="invoices"):
    return fetch_log(folder, log=log, url_variable=VARIABLE, query=query, study="shop")


def read_both(tmp_path, query):
    """Read the lines by a query, and as the text file that they are."""
    fetched = fetch(tmp_path, query)
    found = read_invoices(fetched, scratch=tmp_path / "fetched", study="shop", threads=1)
    path = write_invoices(tmp_path, *LINES)
    expected = read_invoices(path, scratch=tmp_path / "text", study="shop", threads=1)
    return found, expected


def assert_same_log(found, expected):
    pd.testing.assert_frame_equal(rows(found.tables["invoices"]), rows(expected.tables["invoices"]))
    assert found.counts == expected.counts
    below_a_header = [(table, line - 1, reason) for table, line, reason in rejected(expected)]
    assert rejected(found) == below_a_header


def test_invoices_from_a_database_pass_the_checks_of_a_file(tmp_path, connection):
    table = pd.read_csv(write_invoices(tmp_path, *LINES), dtype=str)
    table.to_sql("invoices", connection, index=False)
    found, expected = read_both(tmp_path, "SELECT * FROM invoices ORDER BY rowid")
    assert found.counts["invoices"]["rows_rejected"] == 2
    assert_same_log(found, expected)


def test_typed_columns_of_a_server_are_read_as_their_text(tmp_path, postgres_url, monkeypatch):
    monkeypatch.setenv(VARIABLE, postgres_url)
    table = pd.read_csv(write_invoices(tmp_path, *LINES), dtype=str)
    table["InvoiceDate"] = pd.to_datetime(table["InvoiceDate"], format="%m/%d/%Y %H:%M")
    with psycopg.connect(postgres_url) as server:
        server.execute("SET TIME ZONE 'UTC'")
        server.execute(
            'CREATE TABLE invoices ("InvoiceNo" text, "StockCode" text, "Description" text, '
            '"Quantity" numeric, "InvoiceDate" timestamptz, "UnitPrice" numeric(10, 2), '
            '"CustomerID" double precision, "Country" text)'
        )
        values = [[None if v is pd.NaT or v != v else v for v in row] for row in table.to_numpy()]
        cursor = server.cursor()
        cursor.executemany(f"INSERT INTO invoices VALUES ({', '.join(['%s'] * 8)})", values)
        server.execute(f"ALTER DATABASE {server.info.dbname} SET timezone TO 'Asia/Tokyo'")
    found, expected = read_both(tmp_path, "SELECT * FROM invoices WHERE \"Country\" LIKE '%'")
    assert_same_log(found, expected)


def test_events_come_by_a_query_for_each_table(tmp_path, connection):
    lines = [
        "1433221332117,257597,view,355908,",
        "1433224214164,992329,view,248676,",
        "x,1,view,1,",
    ]
    path = write_events(tmp_path, *lines)
    pd.read_csv(path, dtype=str).to_sql("events", connection, index=False)
    query = {
        "events": "SELECT * FROM events ORDER BY rowid",
        "item_properties": None,
        "category_tree": "SELECT 1 AS categoryid, NULL AS parentid",
    }
    paths = fetch(tmp_path, query, log="events")
    assert paths["item_properties"] is None
    options = {"cleaning": {"visitor_quantile": None}, "study": "shop", "threads": 1}
    log = read_events(paths, scratch=tmp_path / "scratch", **options)
    assert rows(log.tables["events"])["visitor_id"].tolist() == [257597, 992329]
    assert rejected(log) == [("events", 3, "timestamp is not a whole number")]
    assert rows(log.tables["category_tree"])["category_id"].tolist() == [1]


def test_a_long_answer_is_fetched_whole_and_in_order(tmp_path, connection):
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120001)"
    path = fetch(tmp_path, f"{count} SELECT i FROM n")
    assert pq.read_table(path)["i"].to_pylist() == [str(i) for i in range(1, 120_002)]


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("SELECT 1 WHERE 1 = 0", SourceError, r"studies\.shop\.data\.sql\.query gives no row"),
        ("  ", SourceError, "must be one statement, SELECT or WITH"),
        (3, SourceError, "must be one statement, SELECT or WITH"),
        ("PRAGMA user_version = 7", SourceError, "must be one statement, SELECT or WITH"),
        ("SELECT * FROM nowhere", DatabaseError, "no such table: nowhere"),
        ("SELEKT", SourceError, "must be one statement, SELECT or WITH, but is 'SELEKT'"),
        ("SELECT", DatabaseError, "incomplete input"),
        ("DELETE FROM invoices", SourceError, "must be one statement"),
        ("-- SELECT\nDELETE FROM invoices", SourceError, "must be one statement"),
        ("/* SELECT */ VACUUM INTO 'copy.sqlite'", SourceError, "must be one statement"),
        ("WITH x AS (SELECT 1) DELETE FROM invoices", DatabaseError, "readonly"),
        ("SELECT 1; DELETE FROM invoices", DatabaseError, "one statement at a time"),
    ],
)
def test_a_query_that_gives_nothing_is_refused(tmp_path, connection, query, error, message):
    connection.execute("CREATE TABLE invoices (x INTEGER)")
    connection.commit()
    with pytest.raises(error, match=message):
        fetch(tmp_path, query)


@pytest.mark.parametrize("query", ["ATTACH '{new}' AS new", "/* SELECT */ ATTACH '{new}' AS new"])
def test_a_query_makes_no_file(tmp_path, connection, query):
    with pytest.raises(SourceError, match="SELECT or WITH"):
        fetch(tmp_path, query.format(new=tmp_path / "new.sqlite"))
    assert not (tmp_path / "new.sqlite").exists()


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("COPY (SELECT 1) TO '{new}'", SourceError),
        ("SELECT 1; COMMIT; CREATE TABLE stolen AS SELECT 1", DatabaseError),
        ("WITH x AS (SELECT 1) SELECT 1; COMMIT; CREATE TABLE stolen AS SELECT 1", DatabaseError),
        ("WITH x AS (DELETE FROM paid RETURNING 1) SELECT * FROM x", DatabaseError),
        ("SELECT 1 AS i INTO stolen", DatabaseError),
    ],
)
def test_a_query_changes_nothing_on_a_server(tmp_path, postgres_url, monkeypatch, query, error):
    monkeypatch.setenv(VARIABLE, postgres_url)
    with psycopg.connect(postgres_url) as server:
        server.execute("CREATE TABLE paid AS SELECT 7 AS amount")
    with pytest.raises(error):
        fetch(tmp_path, query.format(new=tmp_path / "new.csv"))
    with psycopg.connect(postgres_url) as server:
        assert server.execute("SELECT amount FROM paid").fetchall() == [(7,)]
        assert server.execute("SELECT to_regclass('stolen')").fetchall() == [(None,)]


@pytest.mark.parametrize(
    "query",
    [
        "select 1 AS i",
        "(SELECT 1 AS i)",
        "-- one\n/* or\nanother; */ SELECT ';' AS i;\n",
        "WITH n AS (SELECT 1 AS i) SELECT i FROM n",
    ],
)
def test_a_query_may_be_written_as_people_write_them(tmp_path, postgres_url, monkeypatch, query):
    monkeypatch.setenv(VARIABLE, postgres_url)
    assert pq.read_table(fetch(tmp_path, query)).column_names == ["i"]


def test_a_missing_column_is_named_with_those_there_are(tmp_path, connection):
    path = fetch(tmp_path, "SELECT 1 AS invoiceno")
    with pytest.raises(SourceError, match=r"no column 'InvoiceNo'.*columns are 'invoiceno'"):
        read_invoices(path, scratch=tmp_path / "scratch", study="shop")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (float("nan"), None),
        (pd.NaT, None),
        (7, "7"),
        (17850.0, "17850"),
        (2.55, "2.55"),
        (Decimal("2.50"), "2.50"),
        (True, "True"),
        (dt.date(2010, 12, 1), "2010-12-01"),
        (dt.datetime(2010, 12, 1, 8, 26), "2010-12-01 08:26:00"),
        (
            dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.timezone(dt.timedelta(hours=9))),
            "2010-11-30 23:26:00",
        ),
    ],
)
def test_values_are_written_as_a_text_file_holds_them(value, text):
    assert cell_text(value) == text
