"""
Session features by cohortlab (DuckDB by Ibis, and a pass) beside pandas, on a synthetic log.

cohortlab lets DuckDB join and sort the events, and sums up sessions in one pass through them. Each
way reads the same CSV files, finds sessions, computes their twelve features and writes Parquet; the
numbers must be equal. pandas is written in three ways, because how it is written decides more than
the library: with functions in `agg` for conditional counts, as notebooks on this log mostly have
it; with columns of 0 and 1 that `agg` sums; and with times and keys kept as numbers besides. The
first is so slow that it runs once, on a tenth of the events unless `--plain-events` says otherwise
(2,760,000 of them take it a quarter of an hour). Each run is a process of its own, so that its peak
memory is its own. Prints JSON. Everything, with growth at 1, 3, 10 and 30 million events, and a
quick run:

    python bench/features.py
    python bench/features.py --events 200000 --growth 50000 100000 --repeats 1
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

GAP_MS = 1_800_000
START_MS = 1_430_622_004_384
KINDS = np.array(["view", "addtocart", "transaction"])
CHUNK_VISITORS = 500_000
N_ITEMS = 235_061
DAYS = 137


def write_log(folder: Path, n_events: int, *, seed: int) -> None:
    """Write events and item properties in RetailRocket's form, with its shares of short visits."""
    rng = np.random.default_rng(seed)
    _write_chunks(folder / "events.csv", _event_chunks(rng, n_events))
    _write_chunks(folder / "item_properties.csv", [_properties(rng)])


def _write_chunks(path: Path, chunks: Iterable[pa.Table]) -> None:
    with path.open("wb") as stream:
        for number, chunk in enumerate(chunks):
            options = pacsv.WriteOptions(include_header=number == 0, quoting_style="none")
            pacsv.write_csv(chunk, stream, options)


def _event_chunks(rng: np.random.Generator, n_events: int) -> Iterator[pa.Table]:
    written, first_visitor = 0, 0
    while written < n_events:
        n_visitors = min(CHUNK_VISITORS, n_events - written)
        chunk = _events(rng, first_visitor, n_visitors)[: n_events - written]
        yield chunk
        written += len(chunk)
        first_visitor += n_visitors


def _events(rng: np.random.Generator, first_visitor: int, n_visitors: int) -> pa.Table:
    # As in RetailRocket's log: 86 % of visitors come once, 78 % of visits are one event.
    returns = rng.random(n_visitors) < 0.14
    n_visits = 1 + returns * rng.geometric(0.55, n_visitors)
    visitor = np.repeat(np.arange(first_visitor, first_visitor + n_visitors), n_visits)
    begin = rng.random(len(visitor)) * DAYS * 86_400_000
    n_events = np.minimum(rng.zipf(2.6, len(visitor)), 200)
    visit = np.repeat(np.arange(len(visitor)), n_events)
    # Shuffled, because a log is in the order of time, not of visitors.
    visit = rng.permutation(visit)
    kinds = rng.choice(3, len(visit), p=[0.967, 0.025, 0.008])
    moment = begin[visit] + rng.exponential(240_000, len(visit))
    return pa.table(
        {
            "timestamp": START_MS + moment.astype(np.int64),
            "visitorid": (visitor[visit] * 7919) % 100_000_007,
            "event": KINDS[kinds],
            "itemid": (rng.pareto(0.8, len(visit)) * 100).astype(np.int64) % N_ITEMS,
            "transactionid": pa.array(np.arange(len(visit)) + first_visitor, mask=kinds != 2),
        }
    )


def _properties(rng: np.random.Generator) -> pa.Table:
    # An item changes at most once a day: pandas does not say which of two values at one time holds.
    days = np.unique(rng.integers(0, N_ITEMS * (DAYS + 10), 5 * N_ITEMS))
    with_category = np.arange(0, N_ITEMS, 2)
    item = np.concatenate([with_category, days // (DAYS + 10)])
    day = np.concatenate([np.zeros_like(with_category), days % (DAYS + 10)]) - 10
    kind = np.repeat(["categoryid", "available"], [len(with_category), len(days)])
    categories = rng.integers(0, 1669, len(with_category))
    value = np.concatenate([categories, rng.integers(0, 2, len(days))]).astype(str)
    moment = START_MS + day * 86_400_000
    return pa.table({"timestamp": moment, "itemid": item, "property": kind, "value": value})


def ours(folder: Path, target: Path, scratch: Path) -> None:
    """Parse, sessionise and summarise as cohortlab does, without the checks of its reader."""
    from cohortlab.features.events import session_features

    events, properties = _scanned(folder, scratch)
    events = _kept(events.drop("transaction_id"), "events")
    properties = _kept(properties, "properties")
    session_features(events, properties, gap_sec=1800).to_parquet(target)


def checked(folder: Path, target: Path, scratch: Path) -> None:
    """Do the steps data and features: check and count every row, then summarise."""
    from cohortlab.features.events import session_features
    from cohortlab.sources import read_events

    path = {
        "events": str(folder / "events.csv"),
        "item_properties": str(folder / "item_properties.csv"),
    }
    log = read_events(path, scratch=scratch, cleaning={"visitor_quantile": None})
    backend = log.tables["events"].get_backend()
    for name in path:
        log.tables[name].to_parquet(scratch / f"{name}.parquet")
    events, properties = (backend.read_parquet(scratch / f"{name}.parquet") for name in path)
    session_features(events, properties, gap_sec=1800).to_parquet(target)


def read_and_sort(folder: Path, target: Path, scratch: Path) -> None:
    """Only read the events and sort them by visitor and time."""
    events, _ = _scanned(folder, scratch)
    events.order_by("visitor_id", "timestamp_ms").to_parquet(target)


def plain_pandas(folder: Path, target: Path, scratch: Path) -> None:
    """Parse, sort, group by visitor, diff, cumsum, agg, with functions in `agg`."""
    conditions = {
        "view_count": ("event", lambda event: (event == "view").sum()),
        "addtocart_count": ("event", lambda event: (event == "addtocart").sum()),
    }
    _pandas_with_dates(folder, PANDAS_AGGREGATES | conditions).to_parquet(target, index=False)


def vectorised_pandas(folder: Path, target: Path, scratch: Path) -> None:
    """Do the same, with the conditions as columns that `agg` sums."""
    _pandas_with_dates(folder, PANDAS_AGGREGATES).to_parquet(target, index=False)


def _pandas_with_dates(folder: Path, aggregates: dict[str, tuple]) -> pd.DataFrame:
    events = pd.read_csv(folder / "events.csv")
    events["timestamp"] = pd.to_datetime(events["timestamp"], unit="ms")
    properties = pd.read_csv(folder / "item_properties.csv")
    properties["timestamp"] = pd.to_datetime(properties["timestamp"], unit="ms")
    events = _numbered(events, pd.Timedelta(milliseconds=GAP_MS))
    number = events["number"].astype(str)
    events["session_id"] = events["visitorid"].astype(str) + "_" + number
    events = _with_properties(events, properties)
    sessions = events.groupby("session_id").agg(**aggregates).reset_index()
    duration = (sessions["end"] - sessions["start"]).dt.total_seconds()
    return _pandas_columns(sessions, sessions["start"], duration)


def careful_pandas(folder: Path, target: Path, scratch: Path) -> None:
    """Do the same with numbers as times and keys, and make texts and dates only for sessions."""
    events = _numbered(pd.read_csv(folder / "events.csv"), GAP_MS)
    events = _with_properties(events, pd.read_csv(folder / "item_properties.csv"))
    sessions = events.groupby(["visitorid", "number"]).agg(**PANDAS_AGGREGATES).reset_index()
    number = sessions["number"].astype(str)
    sessions["session_id"] = sessions["visitorid"].astype(str) + "_" + number
    start = pd.to_datetime(sessions["start"], unit="ms")
    duration = (sessions["end"] - sessions["start"]) / 1000
    _pandas_columns(sessions, start, duration).to_parquet(target, index=False)


PANDAS_AGGREGATES = {
    "start": ("timestamp", "min"),
    "end": ("timestamp", "max"),
    "total_events": ("timestamp", "size"),
    "unique_items_viewed": ("itemid", "nunique"),
    "unique_categories_viewed": ("category", "nunique"),
    "avg_item_availability": ("available", "mean"),
    "view_count": ("is_view", "sum"),
    "addtocart_count": ("is_cart", "sum"),
}


def _numbered(events: pd.DataFrame, gap: int | pd.Timedelta) -> pd.DataFrame:
    events = events.sort_values(["visitorid", "timestamp"])
    pause = events.groupby("visitorid")["timestamp"].diff()
    starts = pause.isna() | (pause > gap)
    return events.assign(number=starts.groupby(events["visitorid"]).cumsum())


def _with_properties(events: pd.DataFrame, properties: pd.DataFrame) -> pd.DataFrame:
    properties = properties.sort_values("timestamp")
    categories = properties[properties["property"] == "categoryid"]
    latest = categories.drop_duplicates("itemid", keep="last").set_index("itemid")["value"]
    events["category"] = events["itemid"].map(latest)
    stock = properties.loc[properties["property"] == "available", ["timestamp", "itemid", "value"]]
    stock = stock.assign(available=stock["value"].astype(int)).drop(columns="value")
    events = pd.merge_asof(events.sort_values("timestamp"), stock, on="timestamp", by="itemid")
    events["available"] = events["available"].fillna(0)
    events["is_view"] = events["event"].eq("view")
    events["is_cart"] = events["event"].eq("addtocart")
    return events


def _pandas_columns(table: pd.DataFrame, start: pd.Series, duration: pd.Series) -> pd.DataFrame:
    views = table["view_count"]
    return pd.DataFrame(
        {
            "session_id": table["session_id"],
            "session_duration_sec": duration,
            "total_events": table["total_events"],
            "unique_items_viewed": table["unique_items_viewed"],
            "unique_categories_viewed": table["unique_categories_viewed"],
            "avg_item_availability": table["avg_item_availability"],
            "session_hour_of_day": start.dt.hour.astype("int64"),
            "view_count": views,
            "addtocart_count": table["addtocart_count"],
            "event_rate_per_sec": table["total_events"] / (duration + 1),
            "view_to_cart_ratio": (table["addtocart_count"] / views.where(views > 0)).fillna(0.0),
            "category_spread_ratio": (
                table["unique_categories_viewed"] / table["unique_items_viewed"]
            ),
            "is_weekend": (start.dt.day_of_week >= 5).astype("int64"),
        }
    )


def _scanned(folder: Path, scratch: Path) -> tuple:
    from cohortlab.engine import connect

    connection = connect(scratch)
    return tuple(
        connection.read_csv(
            str(folder / f"{name}.csv"), auto_detect=False, header=True, columns=types
        ).rename(names)
        for name, types, names in (
            ("events", EVENT_TYPES, EVENT_NAMES),
            ("item_properties", PROPERTY_TYPES, PROPERTY_NAMES),
        )
    )


def _kept(table, name: str):
    # What is read from text has no statistics, and joins of unknown sizes are planned badly.
    return table.get_backend().create_table(name, table, temp=True)


EVENT_TYPES = dict.fromkeys(
    ["timestamp", "visitorid", "event", "itemid", "transactionid"], "BIGINT"
)
EVENT_TYPES["event"] = "VARCHAR"
EVENT_NAMES = {
    "timestamp_ms": "timestamp",
    "visitor_id": "visitorid",
    "item_id": "itemid",
    "transaction_id": "transactionid",
}
PROPERTY_TYPES = {
    "timestamp": "BIGINT",
    "itemid": "BIGINT",
    "property": "VARCHAR",
    "value": "VARCHAR",
}
PROPERTY_NAMES = {"timestamp_ms": "timestamp", "item_id": "itemid"}

WAYS = {
    "ours": ours,
    "checked": checked,
    "read_and_sort": read_and_sort,
    "pandas": plain_pandas,
    "vectorised_pandas": vectorised_pandas,
    "careful_pandas": careful_pandas,
}
SLOW = "pandas"  # minutes, where the others need seconds


def measure_here(way: str, folder: Path, target: Path) -> dict[str, float]:
    """Run one way in this process, and say how long it took and how much memory it needed."""
    if "pandas" not in way:
        import cohortlab.features.events
        import cohortlab.sources  # noqa: F401 - imports are not part of the measured time
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        began, began_cpu = time.perf_counter(), time.process_time()
        WAYS[way](folder, target, Path(scratch))
        seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    # Of this process alone: what getrusage says is inherited from the process that started it,
    # and that one has written the log.
    status = Path("/proc/self/status").read_text()
    peak = 1024 * int(status.split("VmHWM:")[1].split()[0])
    return {
        "seconds": round(seconds, 3),
        "processor_seconds": round(cpu, 3),
        "peak_gb": round(peak / 1e9, 3),
    }


def measure(way: str, folder: Path) -> dict:
    """Run one way in a process of its own."""
    command = [sys.executable, __file__, "--one", way, str(folder), str(folder / f"{way}.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        return {"failed": last[0] if last else f"exit status {done.returncode}"}
    return json.loads(done.stdout)


def same_numbers(first: Path, second: Path) -> int:
    """Check that two tables of features are equal, and say how many sessions they have."""
    left, right = (
        pd.read_parquet(path).sort_values("session_id", ignore_index=True)
        for path in (first, second)
    )
    pd.testing.assert_frame_equal(left, right, check_dtype=False, rtol=1e-15, atol=0)
    return len(left)


def compare(folder: Path, n_events: int, ways: list[str], repeats: int, seed: int) -> dict:
    """Compare ways on one log, in turns, so that other work on the machine meets all alike."""
    write_log(folder, n_events, seed=seed)
    runs = [{way: measure(way, folder) for way in ways} for _ in range(repeats)]
    failed = {way: run[way]["failed"] for run in runs for way in ways if "failed" in run[way]}
    if failed:
        raise RuntimeError(f"A way did not finish, so there is nothing to compare: {failed}")
    equal = [way for way in ways if way not in ("ours", "read_and_sort")]
    sessions = {same_numbers(folder / "ours.parquet", folder / f"{way}.parquet") for way in equal}
    ratios = {
        f"{base} / {way}": round(
            statistics.median(run[base]["seconds"] / run[way]["seconds"] for run in runs), 2
        )
        for base in ways
        if "pandas" in base
        for way in ("ours", "checked", "read_and_sort")
    }
    ratios["ours / read_and_sort"] = round(
        statistics.median(run["ours"]["seconds"] / run["read_and_sort"]["seconds"] for run in runs),
        2,
    )
    return {
        "events": n_events,
        "sessions": sessions.pop(),
        "same_numbers": equal,
        "median": {way: _medians([run[way] for run in runs]) for way in ways},
        "median_ratio_of_seconds": ratios,
    }


def _medians(runs: list[dict]) -> dict[str, float]:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def growth(folder: Path, sizes: list[int], ways: list[str], seed: int) -> list[dict]:
    """Measure time and peak memory at several sizes."""
    rows = []
    for n_events in sizes:
        write_log(folder, n_events, seed=seed)
        rows.append({"events": n_events, **{way: measure(way, folder) for way in ways}})
    return rows


def main() -> None:
    """Read the command line, measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--events", type=int, default=2_760_000, help="events to compare on")
    parser.add_argument("--plain-events", type=int, help="events for functions in agg")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of the comparison")
    parser.add_argument("--growth", type=int, nargs="*", help="numbers of events")
    parser.add_argument(
        "--growth-ways", nargs="*", default=["ours", "checked", "vectorised_pandas"]
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="folder for temporary files")
    parser.add_argument(
        "--one", nargs=3, metavar=("WAY", "FOLDER", "TARGET"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.one:
        way, folder, target = options.one
        print(json.dumps(measure_here(way, Path(folder), Path(target))))
        return
    sizes = (
        [1_000_000, 3_000_000, 10_000_000, 30_000_000] if options.growth is None else options.growth
    )
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder, fast = Path(name), [way for way in WAYS if way != SLOW]
        plain = options.plain_events or options.events // 10
        found = {
            "comparison": compare(folder, options.events, fast, options.repeats, options.seed),
            "functions_in_agg": compare(folder, plain, list(WAYS), 1, options.seed),
            "growth": growth(folder, sizes, options.growth_ways, options.seed),
        }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
