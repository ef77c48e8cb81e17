import os
import subprocess
import sys
import threading
import time
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from publishing.looking import is_whole, latest, rows, sizes
from sqlalchemy import inspect, text

from cohortlab.databases import DatabaseError, open_database, sqlite_url, url_from_environment
from cohortlab.publishing import (
    PublishingError,
    control_totals,
    describe_tables,
    publish,
    read_run,
    run_id,
)


def test_what_is_read_back_is_what_was_published(engine, make_customers):
    customers = make_customers()
    run = publish(engine, customers, study="shop")
    back = read_run(engine, run)
    pd.testing.assert_frame_equal(back, customers)
    assert control_totals(back) == control_totals(customers)
    assert read_run(engine, "another").empty


def test_numbers_come_back_to_the_last_digit(engine, make_customers):
    customers = make_customers()
    values = np.random.default_rng(3).standard_normal(len(customers)) ** 2
    extremes = [0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2]
    customers["gross_revenue"] = np.concatenate([extremes, values[4:]])
    back = read_run(engine, publish(engine, customers, study="shop"))
    assert back["gross_revenue"].tolist() == customers["gross_revenue"].tolist()


def test_tables_have_types_and_keys(engine, published):
    found = inspect(engine)
    key = found.get_pk_constraint("published_customers")["constrained_columns"]
    assert set(key) == {"run_id", "customer_id"}
    for table in ("published_customers", "published_releases"):
        (foreign,) = found.get_foreign_keys(table)
        assert foreign["referred_table"] == "published_runs"
    columns = {c["name"]: c for c in found.get_columns("published_customers")}
    types = {name: type(column["type"]).__name__ for name, column in columns.items()}
    assert types["cluster"] == types["recency_days"] == "BIGINT"
    assert types["gross_revenue"].startswith("DOUBLE")
    assert types["customer_id"] == "TEXT"
    assert [name for name, column in columns.items() if column["nullable"]] == ["segment"]
    listed = describe_tables()
    assert set(listed.loc[listed["table"] == "published_customers", "column"]) == set(columns)


def test_a_database_holds_its_data_to_the_keys(engine, published):
    twice = "INSERT INTO published_customers SELECT * FROM published_customers"
    orphan = "UPDATE published_customers SET run_id = 'nobody'"
    for statement in (twice, orphan):
        with pytest.raises(Exception, match=r"(?i)unique|foreign"), engine.begin() as connection:
            connection.execute(text(statement))


def test_the_same_inputs_write_nothing_twice(engine, make_customers):
    first = publish(engine, make_customers(), study="shop")
    before, seen = sizes(engine), latest(engine)
    assert publish(engine, make_customers(), study="shop") == first
    assert (
        sizes(engine)
        == before
        == {
            "published_runs": 1,
            "published_releases": 1,
            "published_customers": 500,
        }
    )
    pd.testing.assert_frame_equal(latest(engine), seen)


def test_the_view_shows_the_latest_run_and_the_others_are_kept(engine, make_customers, published):
    newer = make_customers(n=300, version=1)
    publish(engine, newer, study="shop")
    assert is_whole(engine, newer)
    assert sizes(engine)["published_customers"] == 800
    pd.testing.assert_frame_equal(read_run(engine, run_id(published, study="shop")), published)


def test_an_earlier_run_can_become_the_latest_again(engine, make_customers, published):
    publish(engine, make_customers(version=1), study="shop")
    publish(engine, published, study="shop")
    assert is_whole(engine, published)
    assert sizes(engine) == {
        "published_runs": 2,
        "published_releases": 3,
        "published_customers": 1000,
    }
    times = rows(engine, "SELECT released_at FROM published_releases ORDER BY release")
    assert times == sorted(times)


def test_studies_do_not_hide_each_other(engine, make_customers, published):
    publish(engine, make_customers(n=30), study="other")
    assert is_whole(engine, published)
    assert len(latest(engine, "other")) == 30


def test_a_run_can_be_forgotten_with_all_its_rows(engine, make_customers, published):
    newer = publish(engine, make_customers(version=1), study="shop")
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM published_runs WHERE run_id = :run"), {"run": newer})
    assert is_whole(engine, published)
    assert sizes(engine)["published_customers"] == 500


def test_a_failure_in_the_middle_leaves_the_old_version(
    engine, make_customers, published, between_blocks
):
    before = sizes(engine)

    def fail():
        raise ZeroDivisionError

    between_blocks(fail)
    with pytest.raises(ZeroDivisionError):
        publish(engine, make_customers(version=1), study="shop")
    assert is_whole(engine, published)
    assert sizes(engine) == before


def test_a_failure_in_the_very_first_run_leaves_nothing(engine, make_customers, between_blocks):
    def fail():
        raise ZeroDivisionError

    between_blocks(fail)
    with pytest.raises(ZeroDivisionError):
        publish(engine, make_customers(), study="shop")
    assert inspect(engine).get_table_names() == []


def test_a_killed_run_leaves_the_old_version_and_no_lock(
    engine, database_url, make_customers, published, tmp_path
):
    newer = make_customers(version=1)
    newer.to_parquet(tmp_path / "newer.parquet")
    script, flag = Path(__file__).with_name("stopping_run.py"), tmp_path / "started"
    arguments = ["COHORTLAB_TEST_URL", str(tmp_path / "newer.parquet"), str(flag)]
    process = subprocess.Popen([sys.executable, str(script), *arguments], env=os.environ)
    deadline = time.monotonic() + 60
    while not flag.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert is_whole(engine, published)
    process.kill()
    process.wait()

    assert is_whole(engine, published)
    assert sizes(engine)["published_customers"] == 500
    publish(engine, newer, study="shop", wait_sec=10)
    assert is_whole(engine, newer)


def test_a_reader_looking_on_sees_a_whole_version_at_every_moment(
    engine, make_customers, published, between_blocks
):
    newer, seen = make_customers(version=1), []

    def look():
        time.sleep(0.02)
        seen.append((is_whole(engine, published), is_whole(engine, newer)))

    between_blocks(look)
    publish(engine, newer, study="shop")
    look()
    assert seen == [(True, False)] * 5 + [(False, True)]


def test_readers_who_look_all_the_time_never_see_a_part(engine, make_customers, published):
    versions = {
        run_id(table, study="shop"): table for table in (make_customers(version=v) for v in (1, 2))
    }
    versions[run_id(published, study="shop")] = published
    seen, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            table = latest(engine)
            assert len(set(table["run_id"])) == 1
            seen.append((table["run_id"].iloc[0], len(table)))

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(4):
        for table in versions.values():
            publish(engine, table, study="shop")
    stop.set()
    reader.join()
    assert {n for _, n in seen} == {500}
    assert {run for run, _ in seen} <= set(versions)


@pytest.mark.parametrize("versions", [(1, 2), (1, 1)], ids=["different", "same"])
def test_two_runs_at_once_do_not_mix(engine, make_customers, between_blocks, versions):
    tables = [make_customers(version=version) for version in versions]
    order = []

    def work():
        order.append(threading.get_ident())
        time.sleep(0.01)

    def run(table):
        publish(engine, table, study="shop")

    between_blocks(work)
    threads = [threading.Thread(target=run, args=(table,)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n_runs = len(set(versions))
    assert sizes(engine) == {
        "published_runs": n_runs,
        "published_releases": n_runs,
        "published_customers": 500 * n_runs,
    }
    assert [len(list(blocks)) for _, blocks in groupby(order)] == [5] * n_runs
    for table in tables:
        pd.testing.assert_frame_equal(read_run(engine, run_id(table, study="shop")), table)
    assert is_whole(engine, tables[0]) or is_whole(engine, tables[1])


def test_a_run_that_waits_too_long_says_so_and_writes_nothing(
    engine, make_customers, published, between_blocks
):
    faults = []

    def another():
        if not faults:
            with pytest.raises(DatabaseError, match="lock") as caught:
                publish(engine, published, study="other", wait_sec=0.2)
            faults.append(str(caught.value))

    between_blocks(another)
    publish(engine, make_customers(version=1), study="shop")
    assert len(faults) == 1
    assert latest(engine, "other").empty


@pytest.mark.parametrize("name", ["published_runs", "published_customers", "latest_customers"])
def test_a_table_of_somebody_else_is_left_alone(engine, make_customers, name):
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {name} (theirs INTEGER)"))
        connection.execute(text(f"INSERT INTO {name} VALUES (42)"))
    with pytest.raises(PublishingError, match=rf"`{name}` with columns theirs integer, expected"):
        publish(engine, make_customers(), study="shop")
    assert rows(engine, f"SELECT * FROM {name}") == [(42,)]
    assert [*inspect(engine).get_table_names()] == [name]


def in_place_of_ours(engine, table, columns):
    """Drop all tables and the view, and make somebody else's table of one of the names."""
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW latest_customers"))
        for ours in ("published_customers", "published_releases", "published_runs"):
            connection.execute(text(f"DROP TABLE {ours}"))
        made = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(text(f"CREATE TABLE {table} ({made})"))


def types_of(engine, table):
    columns = inspect(engine).get_columns(table)
    return {c["name"]: c["type"].compile(dialect=engine.dialect) for c in columns}


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        ("WHERE 1 = 0", "show 0, and 0 of other runs"),
        ("WHERE c.cluster = 0", "show 250, and 250 of other runs"),
        ("", "show 500, and 500 of other runs"),
    ],
    ids=["nothing", "a part of all runs", "all runs"],
)
def test_a_view_that_does_not_show_the_run_stops_it(engine, make_customers, published, end, shown):
    body = (
        f"SELECT {', '.join(types_of(engine, 'latest_customers'))} FROM published_customers c"
        f" JOIN published_runs USING (run_id) JOIN published_releases USING (run_id) {end}"
    )
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW latest_customers"))
        connection.execute(text(f"CREATE VIEW latest_customers AS {body}"))
    before = sizes(engine)
    with pytest.raises(PublishingError, match=f"`latest_customers` would {shown}.*Drop it"):
        publish(engine, make_customers(version=1), study="shop")
    assert sizes(engine) == before
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW latest_customers"))
    publish(engine, make_customers(version=1), study="shop")
    assert is_whole(engine, make_customers(version=1))


def test_a_table_in_place_of_the_view_stops_the_very_first_run(engine, make_customers, published):
    in_place_of_ours(engine, "latest_customers", types_of(engine, "latest_customers"))
    with pytest.raises(PublishingError, match="would show 0, and 0 of other runs"):
        publish(engine, make_customers(), study="shop")
    assert inspect(engine).get_table_names() == ["latest_customers"]


@pytest.mark.parametrize(
    ("name", "kind", "column"),
    [
        ("published_customers", "integer", "customer_id"),
        ("published_customers", "real", "gross_revenue"),
        ("published_customers", "integer", "quantity_of_products"),
        ("published_runs", "integer", "n_customers"),
    ],
)
def test_a_table_with_columns_of_other_types_is_left_alone(
    engine, make_customers, published, name, kind, column
):
    in_place_of_ours(engine, name, types_of(engine, name) | {column: kind})
    with pytest.raises(PublishingError, match=rf"`{name}` with columns .*\b{column} {kind}\b"):
        publish(engine, make_customers(), study="shop")
    assert inspect(engine).get_table_names() == [name]
    assert rows(engine, f"SELECT * FROM {name}") == []


def test_names_differ_by_capital_letters_where_the_database_says_so(engine, make_customers):
    with engine.begin() as connection:
        connection.execute(text('CREATE TABLE "PUBLISHED_RUNS" (theirs INTEGER)'))
    if engine.dialect.name == "sqlite":
        with pytest.raises(PublishingError, match="`published_runs` with columns theirs integer"):
            publish(engine, make_customers(), study="shop")
        assert inspect(engine).get_table_names() == ["PUBLISHED_RUNS"]
    else:
        publish(engine, make_customers(), study="shop")
        assert is_whole(engine, make_customers())
    assert rows(engine, 'SELECT * FROM "PUBLISHED_RUNS"') == []


def test_a_sqlite_file_with_our_tables_in_capital_letters_takes_runs(tmp_path, make_customers):
    engine = open_database(sqlite_url(tmp_path / "shop.sqlite"))
    publish(engine, make_customers(), study="shop")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE published_runs RENAME TO other"))
        connection.execute(text("ALTER TABLE other RENAME TO PUBLISHED_RUNS"))
        connection.execute(text("ALTER TABLE PUBLISHED_RUNS RENAME n_customers TO N_CUSTOMERS"))
    publish(engine, make_customers(version=1), study="shop")
    assert is_whole(engine, make_customers(version=1))


def test_a_table_that_is_found_in_another_schema_is_checked(
    postgres_url, monkeypatch, make_customers
):
    named = f"{postgres_url}?options=-csearch_path%3Danalytics,public"
    monkeypatch.setenv("COHORTLAB_TEST_URL", named)
    engine = open_database(url_from_environment("COHORTLAB_TEST_URL"))
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA analytics"))
        connection.execute(text("CREATE TABLE public.published_runs (theirs INTEGER)"))
    with pytest.raises(PublishingError, match="`published_runs` with columns theirs integer"):
        publish(engine, make_customers(), study="shop")


def test_a_study_named_with_nul_is_refused(engine, make_customers):
    with pytest.raises(PublishingError, match=r"NUL, but is 'sh\\x00op'"):
        publish(engine, make_customers(), study="sh\0op")
    assert inspect(engine).get_table_names() == []


def test_a_connection_that_breaks_in_the_middle_is_told(
    postgres_url, monkeypatch, make_customers, between_blocks
):
    monkeypatch.setenv("COHORTLAB_TEST_URL", postgres_url)
    engine = open_database(url_from_environment("COHORTLAB_TEST_URL"))
    published = make_customers()
    publish(engine, published, study="shop")
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    between_blocks(lambda: rows(engine, f"SELECT pg_terminate_backend(pid) {others}"))
    with pytest.raises(DatabaseError, match="connection"):
        publish(engine, make_customers(n=100_000, version=1), study="shop")
    assert is_whole(engine, published)


def test_a_sqlite_run_leaves_one_file(tmp_path, make_customers):
    publish(open_database(sqlite_url(tmp_path / "shop ?&%.sqlite")), make_customers(), study="shop")
    assert [path.name for path in tmp_path.iterdir()] == ["shop ?&%.sqlite"]


def test_the_url_can_name_a_schema(postgres_url, monkeypatch, make_customers):
    monkeypatch.setenv("COHORTLAB_TEST_URL", postgres_url)
    with open_database(url_from_environment("COHORTLAB_TEST_URL")).begin() as connection:
        connection.execute(text("CREATE SCHEMA analytics"))
    named = f"{postgres_url}?options=-csearch_path%3Danalytics"
    monkeypatch.setenv("COHORTLAB_TEST_URL", named)
    engine = open_database(url_from_environment("COHORTLAB_TEST_URL"))
    for version in (0, 1):
        publish(engine, make_customers(version=version), study="shop")
    assert len(latest(engine)) == 500
    assert inspect(engine).get_table_names(schema="public") == []
