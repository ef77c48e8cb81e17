import statistics
from collections import Counter
from math import log2

import numpy as np
import pandas as pd
import pytest
from visits import MONDAY_MS, visits

from cohortlab.browsing import CATEGORIES, FEATURES, engineered_features

KINDS = {"face.com": "social", "goo.com": "search", "mail.de": "email", "shop.co.uk": "commerce"}


def one(*rows, **options):
    return engineered_features(visits(*rows, **options), categories=KINDS).iloc[0]


def test_there_are_fifty_one_features_and_each_is_described():
    found = one((0, "a.de", 3))
    assert len(FEATURES) == 51
    assert found.index.tolist() == ["person_id", "sequence_number", *FEATURES]
    assert all(FEATURES.values())


def test_a_known_sequence():
    found = one(
        (0, "face.com", 5), (10, "goo.com", 20), (33, "face.com", 400), (500, "a.co.uk", 60)
    )
    expected = {
        "duration_sec": 560, "n_visits": 4, "start_gap_mean_sec": 500 / 3, "active_sum_sec": 485,
        "active_median_sec": 40, "n_short": 1, "n_long": 1, "n_domains": 3, "n_top_levels": 2,
        "top1_visits": 2, "top2_visits": 1, "top3_visits": 1, "domain_entropy_bits": 1.5,
        "has_social": 1, "has_email": 0, "visit_share_social": 0.5, "return_rate": 1 / 3,
        "depth": 4 / 3, "distinct_share": 0.75, "pause_mean_sec": (5 + 3 + 67) / 3,
        "quick_share": 2 / 3, "switch_rate": 1, "there_and_back_rate": 0.5,
        "active_change_mean_sec": (15 + 380 + 340) / 3, "active_share_social": 405 / 485,
    }  # fmt: skip
    assert found[list(expected)].to_dict() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("hours", "true"),
    [
        (3, "is_night"),
        (6, "is_morning"),
        (9, "is_working_hours"),
        (17, "is_afternoon"),
        (23, "is_evening"),
        (24 * 5, "is_weekend"),
    ],
)
def test_when_a_sequence_starts(hours, true):
    found = one((0, "a.de", 1), start=MONDAY_MS + hours * 3_600_000)
    assert found[true] == 1
    assert found[["is_night", "is_morning", "is_afternoon", "is_evening"]].sum() == 1
    assert found["start_hour"] == hours % 24
    assert found["weekday"] == hours // 24
    assert found["is_working_hours"] == (9 <= hours < 17)


def test_a_sequence_over_midnight_spans_days():
    found = one((0, "a.de", 120), start=MONDAY_MS + 86_340_000)
    assert (found["spans_days"], found["start_hour"], found["end_hour"]) == (1, 23, 0)


def test_a_single_visit_has_no_steps_and_a_visit_without_use_no_shares():
    found = one((0, "face.com", 0))
    steps = ["start_gap_mean_sec", "start_gap_sd_sec", "pause_mean_sec", "quick_share"]
    steps += ["switch_rate", "there_and_back_rate", "active_change_mean_sec", "return_rate"]
    assert (found[[*steps, "active_share_social"]] == 0).all()
    assert np.isfinite(found.to_numpy(dtype=float)).all()


def test_every_figure_is_that_of_a_plain_computation():
    rng = np.random.default_rng(3)
    names = ["face.com", "goo.com", "mail.de", "shop.co.uk", "a.de", "b.com"]
    parts = []
    for person in range(30):
        for number in range(1, 4):
            n = int(rng.integers(1, 12))
            at, used = np.cumsum(rng.integers(0, 900, n)), rng.integers(0, 600, n)
            rows = zip(at.tolist(), rng.choice(names, n).tolist(), used.tolist(), strict=True)
            start = MONDAY_MS + int(rng.integers(0, 10**9))
            parts.append(visits(*rows, person=person, number=number, start=start))
    log = pd.concat(parts).sample(frac=1, random_state=1)
    found = engineered_features(log, categories=KINDS)
    for row, part in zip(found.itertuples(), parts, strict=True):
        used = (part["active_ms"] / 1000).tolist()
        counts = Counter(part["domain"])
        shares = [n / len(part) for n in counts.values()]
        tops = [n for _, n in counts.most_common(3)] + [0, 0, 0]
        gaps = np.diff(part["start_ms"]) / 1000
        kinds = part["domain"].map(KINDS)
        assert row.active_sd_sec == pytest.approx(statistics.pstdev(used), abs=1e-9)
        assert row.active_median_sec == pytest.approx(statistics.median(used))
        assert row.start_gap_sd_sec == pytest.approx(gaps.std() if len(gaps) else 0)
        assert row.domain_entropy_bits == pytest.approx(-sum(p * log2(p) for p in shares))
        assert [row.top1_visits, row.top2_visits, row.top3_visits] == tops[:3]
        assert row.n_top_levels == len({name.partition(".")[2] for name in counts})
        for category in CATEGORIES:
            expected = sum(u for u, k in zip(used, kinds, strict=True) if k == category)
            assert getattr(row, f"active_share_{category}") == pytest.approx(
                expected / sum(used) if sum(used) else 0
            )


def test_no_visits_are_an_error():
    with pytest.raises(ValueError, match="no visit to describe"):
        engineered_features(visits(), categories={})
