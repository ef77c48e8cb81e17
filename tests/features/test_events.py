import gc
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortlab.features import event_baskets as of_baskets
from cohortlab.features import events as of_events
from cohortlab.features import item_properties as of_properties

TYPES = {
    "timestamp_ms": "int64",
    "item_id": "int64",
    "visitor_id": "int64",
    "transaction_id": "int64",
    "event": "string",
    "property": "string",
    "value": "string",
}
NO_PROPERTIES = pd.DataFrame(columns=["timestamp_ms", "item_id", "property", "value"])


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def connection():
    backend = ibis.duckdb.connect(threads=1)
    yield backend
    backend.disconnect()


def table(connection, columns, text=()):
    schema = pa.schema([(n, "string" if n in text else TYPES[n]) for n in columns])
    data = pd.DataFrame(columns).astype(dict.fromkeys(text, str))
    path = Path(f"{len(list(Path().iterdir()))}.parquet").absolute()
    pq.write_table(pa.Table.from_pandas(data, schema=schema, preserve_index=False), path)
    return connection.read_parquet(path)


def rows(expression) -> pd.DataFrame:
    return expression.to_pyarrow().to_pandas()


def random_log(seed, n_events=400):
    rng = np.random.default_rng(seed)
    steps = rng.choice([0, 0, 1, 999, 1_799_999, 1_800_000, 1_800_001, 9_000_000], n_events)
    kind = rng.choice(["view", "addtocart", "transaction"], n_events, p=[0.7, 0.2, 0.1])
    log = pd.DataFrame(
        {
            "timestamp_ms": 1_433_000_000_000 + np.cumsum(steps) // 7,
            "visitor_id": rng.integers(0, 60, n_events) ** 2 // 60,
            "event": kind,
            "item_id": rng.integers(0, 12, n_events),
        }
    )
    number = pd.Series(rng.integers(0, 30, n_events)).astype("Int64")
    log["transaction_id"] = number.where(log["event"] == "transaction")
    return log


def random_properties(seed, n_rows=80):
    rng = np.random.default_rng(1000 + seed)
    kind = rng.choice(["categoryid", "available"], n_rows)
    value = np.where(kind == "available", rng.integers(0, 2, n_rows), rng.integers(7, 12, n_rows))
    return pd.DataFrame(
        {
            "timestamp_ms": 1_433_000_000_000 + rng.integers(-20, 60, n_rows) * 1_800_000,
            "item_id": rng.integers(0, 10, n_rows),
            "property": kind,
            "value": value.astype(str),
        }
    )


def oracle(log, properties, gap_ms=1_800_000):
    """Walk through the log event by event."""
    sessions = {}
    last, number = {}, {}
    for event in log.sort_values("timestamp_ms").itertuples():
        who, when = event.visitor_id, event.timestamp_ms
        if who not in last or when - last[who] > gap_ms:
            number[who] = number.get(who, 0) + 1
        last[who] = when
        sessions.setdefault((who, number[who]), []).append(event)
    return pd.DataFrame([_session(key, sessions[key], properties) for key in sorted(sessions)])


def _session(key, events, properties):
    start = min(event.timestamp_ms for event in events)
    duration = (max(event.timestamp_ms for event in events) - start) / 1000
    items = {event.item_id for event in events}
    categories = {_category(item, properties) for item in items} - {None}
    kinds = [event.event for event in events]
    time = pd.Timestamp(start, unit="ms")
    views, carts = kinds.count("view"), kinds.count("addtocart")
    return {
        "session_id": f"{key[0]}_{key[1]}",
        "session_duration_sec": duration,
        "total_events": len(events),
        "unique_items_viewed": len(items),
        "unique_categories_viewed": len(categories),
        "avg_item_availability": sum(_available(e, properties) for e in events) / len(events),
        "session_hour_of_day": time.hour,
        "view_count": views,
        "addtocart_count": carts,
        "event_rate_per_sec": len(events) / (duration + 1),
        "view_to_cart_ratio": carts / views if views else 0.0,
        "category_spread_ratio": len(categories) / len(items),
        "is_weekend": int(time.weekday() >= 5),
        "session_start_time": time,
        "session_day_of_week": time.weekday(),
        "transaction_count": kinds.count("transaction"),
        "is_buyer": "transaction" in kinds,
    }


def _last(properties, item, name, until=np.inf):
    mine = properties[(properties["item_id"] == item) & (properties["property"] == name)]
    mine = mine[mine["timestamp_ms"] <= until]
    return max(zip(mine["timestamp_ms"], mine["value"], strict=True), default=(0, None))[1]


def _category(item, properties):
    return _last(properties, item, "categoryid")


def _available(event, properties):
    return int(_last(properties, event.item_id, "available", event.timestamp_ms) == "1")


def computed(connection, log, properties, **options):
    events, stock = table(connection, log), table(connection, properties)
    sessions = of_events.sessionise(events, **options)
    return rows(of_events.session_features(events, stock, **options)), rows(
        of_events.session_attributes(sessions)
    )


@pytest.mark.parametrize("seed", range(6))
def test_features_are_those_of_a_walk_through_the_log(connection, seed):
    log, properties = random_log(seed), random_properties(seed)
    features, attributes = computed(connection, log, properties)
    expected = oracle(log, properties)
    assert list(features.columns) == ["session_id", *of_events.FEATURES]
    assert list(attributes.columns) == ["session_id", *of_events.ATTRIBUTES]
    pd.testing.assert_frame_equal(
        features, expected[features.columns], check_dtype=False, rtol=0, atol=0
    )
    pd.testing.assert_frame_equal(attributes, expected[attributes.columns], check_dtype=False)
    assert expected["total_events"].max() > 3  # some sessions count their items through sets
    assert expected["unique_items_viewed"].max() > 2


@pytest.mark.parametrize("gap_sec", [0, 0.001, 3600])
def test_features_and_attributes_are_of_the_same_sessions_whatever_the_gap(connection, gap_sec):
    log, properties = random_log(0), random_properties(0)
    expected = oracle(log, properties, gap_ms=1000 * gap_sec)
    for found in computed(connection, log, properties, gap_sec=gap_sec):
        assert found["session_id"].tolist() == expected["session_id"].tolist()


@pytest.mark.parametrize(("gap", "n_sessions"), [(1_800_000, 1), (1_800_001, 2)])
def test_a_session_ends_after_a_gap_that_is_longer(connection, gap, n_sessions):
    log = {
        "timestamp_ms": [1, 1 + gap],
        "visitor_id": [3, 3],
        "event": ["view"] * 2,
        "item_id": [1] * 2,
    }
    features, _ = computed(connection, log, NO_PROPERTIES)
    assert features["session_id"].tolist() == [f"3_{n + 1}" for n in range(n_sessions)]


@pytest.mark.parametrize("gap_sec", [-1, float("nan")])
def test_a_negative_gap_is_an_error(connection, gap_sec):
    with pytest.raises(ValueError, match="gap_sec"):
        of_events.sessionise(table(connection, random_log(0)), gap_sec=gap_sec)
    stock = table(connection, NO_PROPERTIES)
    with pytest.raises(ValueError, match="gap_sec"):
        of_events.session_features(table(connection, random_log(0)), stock, gap_sec=gap_sec)


def test_a_long_visit_may_be_one_session(connection):
    minutes = np.arange(0, 600, 20)
    log = {
        "timestamp_ms": minutes * 60_000,
        "visitor_id": [1] * 30,
        "event": ["view"] * 30,
        "item_id": minutes % 7,
    }
    features, _ = computed(connection, log, NO_PROPERTIES)
    assert features["total_events"].tolist() == [30]


@pytest.mark.parametrize("threads", [1, 2])
def test_neither_order_nor_threads_nor_text_ids_change_a_number(threads):
    log, properties = random_log(9, 3000), random_properties(9)
    backend = ibis.duckdb.connect(threads=threads)
    expected = computed(ibis.duckdb.connect(threads=1), log, properties)
    shuffled = log.sample(frac=1, random_state=threads), properties.sample(frac=1, random_state=3)
    for first, second in zip(expected, computed(backend, *shuffled), strict=True):
        pd.testing.assert_frame_equal(first, second)
    events = table(backend, shuffled[0], text=["visitor_id", "item_id"])
    stock = table(backend, shuffled[1], text=["item_id"])
    by_id = rows(of_events.session_features(events, stock)).sort_values("session_id")
    again = expected[0].sort_values("session_id")
    pd.testing.assert_frame_equal(again.reset_index(drop=True), by_id.reset_index(drop=True))


@pytest.mark.parametrize(
    ("kept", "left_out"),
    [
        (["categoryid", "available"], []),
        (["available"], ["unique_categories_viewed", "category_spread_ratio"]),
        (["categoryid"], ["avg_item_availability"]),
        ([], ["unique_categories_viewed", "avg_item_availability", "category_spread_ratio"]),
    ],
)
def test_what_needs_absent_properties_is_left_out_with_the_reason(connection, kept, left_out):
    log, properties = random_log(1), random_properties(1)
    some = properties[properties["property"].isin(kept)]
    features, _ = computed(connection, log, some)
    whole, _ = computed(connection, log, properties)
    reasons = of_events.features_left_out(table(connection, some))
    assert list(reasons) == left_out
    assert all(reason.endswith(".") for reason in reasons.values())
    # Baskets hold categories wherever these are known, whatever else is not.
    assert of_events.knows_categories(reasons) == ("categoryid" in kept)
    pd.testing.assert_frame_equal(features, whole.drop(columns=left_out))


def test_an_empty_log_gives_empty_tables(connection):
    log, properties = random_log(0).head(0), random_properties(0)
    for found in computed(connection, log, properties):
        assert len(found) == 0


EVENT_COLUMNS = ["timestamp_ms", "visitor_id", "event", "item_id"]


@pytest.fixture
def sample():
    """Make a log and its item properties, and the features of its sessions."""
    log, properties = random_log(4)[EVENT_COLUMNS], random_properties(4)
    return log, properties, computed(ibis.duckdb.connect(), log, properties)[0]


def stored(backend, log, properties):
    """Put both tables into a database."""
    return (
        backend.create_table("events", table(backend, log)),
        backend.create_table("stock", table(backend, properties)),
    )


def names_of(backend, what):
    """List databases or tables of a connection."""
    query = f"SELECT {what}_name FROM duckdb_{what}s() WHERE NOT internal"
    return sorted(name for (name,) in backend.con.sql(query).fetchall())


def test_tables_in_the_memory_of_python_have_features(sample):
    *tables, expected = sample
    found = rows(of_events.session_features(*map(ibis.memtable, tables)))
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("read_only", [True, False])
def test_a_database_that_is_read_keeps_nothing_of_the_features(sample, read_only):
    *tables, expected = sample
    backend = ibis.duckdb.connect("log.duckdb")
    stored(backend, *tables)
    backend.disconnect()
    backend = ibis.duckdb.connect("log.duckdb", read_only=read_only)
    features = of_events.session_features(backend.table("events"), backend.table("stock"))
    assert (
        len(names_of(backend, "database")) == 2
    )  # what the features stand on lies beside the file
    pd.testing.assert_frame_equal(rows(features), expected)
    pd.testing.assert_frame_equal(rows(features.limit(5)), expected.head(5))
    del features
    gc.collect()
    assert names_of(backend, "database") == ["log"]
    assert names_of(backend, "table") == ["events", "stock"]
    backend.disconnect()


def test_features_that_are_being_read_are_there_until_the_end(connection, sample):
    *tables, expected = sample
    features = of_events.session_features(*stored(connection, *tables))
    reader = connection.con.sql(connection.compile(features)).to_arrow_reader(10)
    first = next(iter(reader))
    del features
    gc.collect()
    assert len(first) + sum(map(len, reader)) == len(expected)


def test_a_connection_may_be_closed_before_its_features_are_gone(sample):
    *tables, _ = sample
    backend = ibis.duckdb.connect()
    features = of_events.session_features(*stored(backend, *tables))
    backend.disconnect()
    del features
    gc.collect()  # an error in there would be a warning, and fail


def test_events_elsewhere_than_in_duckdb_are_an_error(sample):
    backend = ibis.sqlite.connect()
    tables = [
        backend.create_table(name, schema=ibis.memtable(part).schema())
        for name, part in zip(("events", "stock"), sample[:2], strict=True)
    ]
    with pytest.raises(ValueError, match="expected events in DuckDB, got sqlite"):
        of_events.session_features(*tables, left_out={})


def oracle_sessions(log):
    whole = oracle(log, random_properties(0))
    return set(whole["session_id"])


@pytest.mark.parametrize("seed", range(3))
def test_baskets_and_incidence_count_by_category_or_item(connection, seed):
    log, properties = random_log(seed), random_properties(seed)
    sessions = of_events.sessionise(table(connection, log))
    numbered = rows(sessions)
    categories = {item: _category(item, properties) for item in range(12)}
    for stock, names in ((None, {i: str(i) for i in range(12)}), (properties, categories)):
        what = None if stock is None else table(connection, stock)
        named = numbered.assign(item=numbered["item_id"].map(names)).dropna(subset="item")
        bought = named[named["event"] == "transaction"]
        # A visitor's transaction belongs to the session of its first event. The transactions that
        # several visitors have are known before items without a category are left out.
        whole = numbered[numbered["event"] == "transaction"]
        visitors = whole.groupby("transaction_id")["visitor_id"].nunique()
        basket = bought["transaction_id"].astype(int).astype(str)
        shared = bought["transaction_id"].map(visitors) > 1
        assert 0 < shared.sum() < len(shared)
        own = " of visitor " + bought["visitor_id"].astype(str)
        basket = basket.where(~shared, basket + own)
        in_time = bought.sort_values(["timestamp_ms", "session_id"])
        owner = basket.map(in_time.groupby(basket)["session_id"].first())
        expected = set(zip(basket, owner, bought["item"], strict=True))
        baskets = rows(of_baskets.baskets(sessions, what))
        assert list(baskets.columns) == ["basket_id", "person_id", "item"]
        assert len(baskets) == len(expected)
        assert set(baskets.itertuples(index=False, name=None)) == expected
        weight = named.groupby(["session_id", "item"]).size()
        incidence = rows(of_baskets.incidence(sessions, what))
        found = incidence.set_index(["person_id", "item"])["weight"]
        assert found.to_dict() == weight.to_dict()
        assert found.index.is_monotonic_increasing


def test_what_has_no_category_is_counted(connection):
    log, properties = random_log(2), random_properties(2)
    categories = {item: _category(item, properties) for item in range(12)}
    known = log["item_id"].map(categories).notna()
    bought = known.groupby([log["visitor_id"], log["transaction_id"]])
    found = of_baskets.uncategorised(table(connection, log), table(connection, properties))
    assert found == {
        "events": (~known).sum(),
        "items": log.loc[~known, "item_id"].nunique(),
        "purchases": (~bought.any()).sum(),
    }
    assert min(found.values()) > 0


@pytest.mark.parametrize("visitor_ids", ["number", "text"])
def test_visitors_with_the_same_transaction_id_have_baskets_of_their_own(connection, visitor_ids):
    log = {
        "timestamp_ms": [1, 2, 3, 4],
        "visitor_id": [5, 6, 6, 7],
        "event": ["transaction"] * 4,
        "item_id": [1, 2, 3, 1],
        "transaction_id": [9, 9, 9, 10],
    }
    text = ["visitor_id"] if visitor_ids == "text" else []
    sessions = of_events.sessionise(table(connection, log, text=text))
    found = rows(of_baskets.baskets(sessions, None))
    assert list(found.itertuples(index=False, name=None)) == [
        ("10", "7_1", "1"),
        ("9 of visitor 5", "5_1", "1"),
        ("9 of visitor 6", "6_1", "2"),
        ("9 of visitor 6", "6_1", "3"),
    ]
    assert of_baskets.purchases(sessions) == {"purchases": 3, "shared_ids": 1}


@pytest.mark.parametrize("seed", range(3))
def test_every_purchase_has_a_basket_or_no_category(connection, seed):
    log, properties = random_log(seed), table(connection, random_properties(seed))
    sessions = of_events.sessionise(table(connection, log))
    baskets = rows(of_baskets.baskets(sessions, properties))["basket_id"].nunique()
    without = of_baskets.uncategorised(sessions, properties)["purchases"]
    assert of_baskets.purchases(sessions)["purchases"] == baskets + without


def test_the_sessions_of_baskets_all_have_features(connection):
    log = random_log(3)
    sessions = of_events.sessionise(table(connection, log))
    people = rows(of_baskets.baskets(sessions, None))["person_id"]
    assert set(people) <= oracle_sessions(log)
    assert len(people)


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
def test_sessions_are_standard_sql(connection, dialect):
    sessions = of_events.sessionise(table(connection, random_log(0)))
    stock = table(connection, random_properties(0))
    for expression in (
        sessions,
        of_properties.with_availability(sessions, stock),
        of_events.session_attributes(sessions),
        of_baskets.baskets(sessions, stock),
        of_baskets.incidence(sessions, stock),
    ):
        assert "SELECT" in str(ibis.to_sql(expression, dialect=dialect))


@pytest.mark.parametrize(("moment", "available"), [(9, 0), (10, 1), (11, 1), (19, 1), (20, 0)])
def test_a_value_holds_from_its_own_time_until_the_next(connection, moment, available):
    events = {"timestamp_ms": [moment], "item_id": [5], "visitor_id": [1], "event": ["view"]}
    stock = {
        "timestamp_ms": [20, 10, 10, 10],
        "item_id": [5, 5, 5, 6],
        "property": ["available"] * 4,
        # Of two values at one time the greatest holds.
        "value": ["0", "0", "1", "0"],
    }
    found = of_properties.with_availability(table(connection, events), table(connection, stock))
    assert rows(found)["available"].tolist() == [available]


def test_of_two_latest_categories_the_greatest_counts(connection):
    stock = {
        "timestamp_ms": [3, 3, 2],
        "item_id": [5, 5, 5],
        "property": ["categoryid"] * 3,
        "value": ["7", "8", "9"],
    }
    found = of_properties.item_categories(table(connection, stock))
    assert rows(found)["category_id"].tolist() == ["8"]
