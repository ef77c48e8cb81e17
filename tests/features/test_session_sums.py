import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cohortlab.features.session_sums import NO_CATEGORY, SUMS, session_sums

GAP_MS = 1000


def ordered_events(seed, n_events=300, *, text=False):
    rng = np.random.default_rng(seed)
    item = rng.integers(0, 9, n_events)
    events = pd.DataFrame(
        {
            # Many come once, one comes again and again.
            "visitor_id": rng.integers(0, 200, n_events) * (rng.random(n_events) < 0.6),
            "timestamp_ms": 300 * rng.integers(0, 400, n_events) + rng.integers(0, 2, n_events),
            "item_id": item,
            "category": np.where(item < 3, NO_CATEGORY, item // 2),
            "is_view": rng.integers(0, 2, n_events).astype("int8"),
            "is_cart": rng.integers(0, 2, n_events).astype("int8"),
            "available": rng.integers(0, 2, n_events).astype("int8"),
        }
    )
    if text:
        events = events.astype({"visitor_id": str, "item_id": str})
    return events.sort_values(["visitor_id", "timestamp_ms"], ignore_index=True)


def grouped(events):
    """Do the same by grouping."""
    pause = events.groupby("visitor_id")["timestamp_ms"].diff()
    starts = pause.isna() | (pause > GAP_MS)
    number = starts.groupby(events["visitor_id"]).cumsum().rename("session_number")
    known = events["category"].where(events["category"] != NO_CATEGORY)
    table = events.assign(category=known).groupby(["visitor_id", number])
    return table.agg(
        start_ms=("timestamp_ms", "min"),
        end_ms=("timestamp_ms", "max"),
        n_events=("timestamp_ms", "size"),
        n_views=("is_view", "sum"),
        n_carts=("is_cart", "sum"),
        n_available=("available", "sum"),
        n_items=("item_id", "nunique"),
        n_categories=("category", "nunique"),
    ).reset_index()


def summed(events, batch_rows):
    batches = pa.Table.from_pandas(events).to_batches(max_chunksize=batch_rows)
    return pa.concat_tables(session_sums(batches, gap_ms=GAP_MS)).to_pandas()


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("batch_rows", [1, 7, 100, 1000])
def test_sums_are_those_of_groups_however_the_events_are_cut(batch_rows, text):
    events = ordered_events(batch_rows, text=text)
    expected = grouped(events)
    assert events["visitor_id"].value_counts().max() > 100  # several batches of one visitor
    assert expected["session_number"].max() > 5
    assert (expected["n_categories"] == 0).any()
    found = summed(events, batch_rows)
    assert list(found.columns) == ["visitor_id", *SUMS]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


@pytest.mark.parametrize(
    ("pause_ms", "numbers"),
    [(GAP_MS - 1, [1]), (GAP_MS, [1]), (GAP_MS + 1, [1, 2])],
)
@pytest.mark.parametrize("batch_rows", [1, 2])
def test_a_session_goes_on_after_exactly_the_gap_and_ends_one_millisecond_later(
    batch_rows, pause_ms, numbers
):
    events = ordered_events(0).head(2).assign(visitor_id=1, timestamp_ms=[5, 5 + pause_ms])
    found = summed(events, batch_rows)
    assert found["session_number"].tolist() == numbers
    assert found["end_ms"].tolist() == [5, 5 + pause_ms][-len(numbers) :]


@pytest.mark.parametrize("pause_ms", [-GAP_MS, 0, 1])
def test_another_visitor_has_another_session_whenever_it_comes(pause_ms):
    events = (
        ordered_events(0).head(2).assign(visitor_id=[1, 2], timestamp_ms=[5000, 5000 + pause_ms])
    )
    assert summed(events, 2)["session_number"].tolist() == [1, 1]


def test_visitors_are_passed_on_as_soon_as_they_are_whole():
    events = ordered_events(0)
    batches = pa.Table.from_pandas(events).to_batches(max_chunksize=10)
    read = []
    passed = next(session_sums((read.append(1) or batch for batch in batches), gap_ms=GAP_MS))
    visitors = events["visitor_id"][: 10 * len(read)].unique()
    assert set(passed["visitor_id"].to_pylist()) == set(visitors[:-1])
    assert 10 * len(read) < len(events)


def test_no_events_have_no_sessions():
    assert list(session_sums([], gap_ms=GAP_MS)) == []
