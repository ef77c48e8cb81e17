import ibis
import numpy as np
import pandas as pd
import pytest

from cohortlab.browsing import make_sequences

COLUMNS = ["person_id", "start_ms", "domain", "active_ms"]


@pytest.fixture
def sequences_of(tmp_path):
    backend = ibis.duckdb.connect(threads=2)

    def find(rows, **options):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        pd.DataFrame(rows, columns=COLUMNS).to_parquet(path)
        found = make_sequences(backend.read_parquet(path), **options).to_pyarrow().to_pandas()
        keys = ["person_id", "sequence_number", "position"]
        return found.sort_values(keys, ignore_index=True)

    yield find
    backend.disconnect()


def by_hand(rows, gap_sec, merge_sec):
    """Go through the records one by one."""
    found, before = [], None
    for person, start, domain, active in sorted(rows):
        record = [person, 1, 1, start, start + active, domain, active, 1]
        if before is not None and before[0] == person:
            pause = start - before[9]
            record[1:3] = [before[1] + 1, 1] if pause > gap_sec * 1000 else before[1:3]
            if record[1] == before[1]:
                if domain == before[5] and pause <= merge_sec * 1000:
                    found.pop()
                    end = max(before[4], start + active)
                    record = [*before[:4], end, domain, before[6] + active, before[7] + 1]
                else:
                    record[2] = before[2] + 1
        found.append(record)
        before = [*record, None, start + active]
    return found


@pytest.mark.parametrize(("gap_sec", "merge_sec"), [(3600, 60), (10, 10), (5, 0)])
def test_sequences_are_those_of_going_through_the_records(sequences_of, gap_sec, merge_sec):
    rng = np.random.default_rng(7)
    steps = rng.choice([0, 1, 5_000, 10_001, 60_000, 60_001, 3_600_000, 3_700_000], 500)
    rows = list(
        zip(
            rng.integers(0, 5, 500).tolist(),
            (1_500_000_000_000 + np.cumsum(steps) // 5).tolist(),
            rng.choice(["a.de", "b.de", "c.com"], 500).tolist(),
            rng.choice([0, 1000, 4500, 60_000, 4_000_000], 500).tolist(),
            strict=True,
        )
    )
    found = sequences_of(rows, gap_sec=gap_sec, merge_sec=merge_sec)
    assert found.to_numpy().tolist() == by_hand(rows, gap_sec, merge_sec)
    again = sequences_of(rows[::-1], gap_sec=gap_sec, merge_sec=merge_sec)
    pd.testing.assert_frame_equal(found, again)


def test_a_gap_is_counted_from_the_end_of_the_visit_before(sequences_of):
    rows = [(1, 0, "a.de", 100_000), (1, 3_700_000, "b.de", 1000), (1, 7_301_001, "b.de", 1000)]
    found = sequences_of(rows)
    assert found["sequence_number"].tolist() == [1, 1, 2]
    assert found["position"].tolist() == [1, 2, 1]


@pytest.mark.parametrize("gaps", [{"gap_sec": -1}, {"merge_sec": 4000}, {"merge_sec": -1}])
def test_impossible_gaps_are_refused(sequences_of, gaps):
    with pytest.raises(ValueError, match="0 <= merge_sec <= gap_sec"):
        sequences_of([(1, 0, "a.de", 1)], **gaps)
