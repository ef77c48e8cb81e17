import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from segments.making import default_block, random_rfm

from cohortlab.segments import (
    NOT_YET,
    Segmentation,
    fit_scores,
    follow_up,
    gini,
    lorenz_curve,
    migration,
    read_segments,
    summarise,
)

BLOCK = default_block(REPOSITORY)
TABLE = read_segments(BLOCK)


@pytest.fixture
def assigned():
    rfm = random_rfm(1)
    return rfm, Segmentation(fit_scores(rfm), BLOCK).assign(rfm)["segment"]


def test_segments_add_up_to_all_customers_and_all_money(assigned):
    rfm, segments = assigned
    summary = summarise(rfm, segments, TABLE).set_index("segment")
    assert summary.index.tolist() == list(BLOCK)
    assert summary["customers"].sum() == len(rfm)
    assert summary["revenue"].sum() == pytest.approx(rfm["monetary"].sum())
    assert summary[["share", "revenue_share"]].sum().tolist() == pytest.approx([1, 1])
    assert summary["action"].tolist() == [box["action"] for box in BLOCK.values()]
    own = rfm[segments == "champions"]
    assert summary.loc["champions", "mean_recency"] == pytest.approx(own["recency"].mean())


def test_a_segment_without_customers_is_listed_with_none():
    rfm = random_rfm(1, 3)
    summary = summarise(rfm, pd.Series("new", rfm.index), TABLE).set_index("segment")
    assert summary.loc["champions", ["customers", "revenue", "revenue_share"]].tolist() == [0, 0, 0]
    assert np.isnan(summary.loc["champions", "mean_recency"])
    free = summarise(rfm.assign(monetary=0.0), pd.Series("new", rfm.index), TABLE)
    assert (free["revenue_share"] == 0).all()


def test_migration_counts_every_customer_once(assigned):
    _, later = assigned
    rng = np.random.default_rng(2)
    earlier = later.iloc[:300].sample(frac=1, random_state=3).rename(None)
    earlier[:] = rng.choice(list(BLOCK), len(earlier))
    moved = migration(earlier, later, TABLE)
    assert moved.to_numpy().sum() == len(later)
    assert moved.loc[NOT_YET].sum() == len(later) - len(earlier)
    for before, after in [("new", "champions"), ("at risk", "hibernating")]:
        both = earlier.index[(earlier == before) & (later.loc[earlier.index] == after)]
        assert moved.loc[before, after] == len(both)


def test_without_movement_the_matrix_is_diagonal(assigned):
    _, segments = assigned
    moved = migration(segments, segments, TABLE)
    assert np.trace(moved.to_numpy()) == len(segments)


def test_nobody_may_vanish_between_two_dates(assigned):
    _, segments = assigned
    with pytest.raises(ValueError, match=r"1 customers of the earlier date.*the first is 100"):
        migration(segments, segments.iloc[1:], TABLE)


def test_what_earlier_segments_did_is_a_mean_over_all_their_members():
    earlier = pd.Series(["new", "new", "loyal"], index=[1, 2, 3])
    followed = follow_up(earlier, pd.Series({2: 30.0, 9: 99.0}), TABLE)
    assert followed.loc["new"].tolist() == [2, 0.5, 15.0]
    assert followed.loc["loyal"].tolist() == [1, 0.0, 0.0]
    assert followed.loc["champions", "customers"] == 0
    assert followed["share_bought"].isna().sum() == 8


@pytest.mark.parametrize("seed", range(3))
def test_gini_is_half_the_mean_difference_over_the_mean(seed):
    values = np.random.default_rng(seed).lognormal(3, 1.5, 200)
    differences = np.abs(values[:, None] - values).mean()
    assert gini(values) == pytest.approx(differences / (2 * values.mean()))
    assert gini(values * 7) == pytest.approx(gini(values))


@pytest.mark.parametrize("values", [[5.0], [3.0] * 9, [0.0, 0.0]])
def test_where_all_hold_alike_nothing_is_concentrated(values):
    assert gini(values) == pytest.approx(0, abs=1e-12)
    customers, total = lorenz_curve(values)
    np.testing.assert_allclose(customers, total)


def test_the_curve_rises_below_equality_to_the_whole():
    customers, total = lorenz_curve(np.random.default_rng(1).pareto(1.2, 500))
    assert (np.diff(total) >= 0).all()
    assert (total <= customers + 1e-12).all()
    assert (total[0], total[-1]) == (0, 1)


@pytest.mark.parametrize("values", [[], [1.0, -1.0], [1.0, np.nan]])
def test_money_below_zero_or_missing_is_refused(values):
    with pytest.raises(ValueError, match="at least one value"):
        gini(values)
