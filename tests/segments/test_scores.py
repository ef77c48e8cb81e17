import numpy as np
import pandas as pd
import pytest
from segments.making import random_rfm, rfm_of

from cohortlab.segments import Scores, fit_scores, is_outlier


@pytest.mark.parametrize("seed", range(3))
def test_scores_count_the_edges_that_a_value_is_better_than(seed):
    rfm = random_rfm(seed)
    scores = fit_scores(rfm)
    found = scores.apply(rfm)
    for customer, row in rfm.iterrows():
        worse = {
            "recency": sum(row["recency"] < edge for edge in scores.edges["recency"]),
            "frequency": sum(row["frequency"] > edge for edge in scores.edges["frequency"]),
            "monetary": sum(row["monetary"] > edge for edge in scores.edges["monetary"]),
        }
        assert found.loc[customer].to_dict() == {name: 1 + n for name, n in worse.items()}


def test_without_ties_every_score_holds_a_fifth():
    values = np.random.default_rng(1).permutation(100) + 1.0
    found = fit_scores(rfm_of(values, values, values)).apply(rfm_of(values, values, values))
    for name, score in found.items():
        assert score.value_counts().to_dict() == dict.fromkeys(range(1, 6), 20), name


@pytest.mark.parametrize("seed", range(3))
def test_better_values_never_score_lower_and_equal_ones_score_alike(seed):
    rfm = random_rfm(seed)
    found = fit_scores(rfm).apply(rfm)
    for name, sign in (("recency", -1), ("frequency", 1), ("monetary", 1)):
        pairs = pd.DataFrame({"value": sign * rfm[name], "score": found[name]})
        assert pairs.sort_values(["value", "score"])["score"].is_monotonic_increasing
        assert pairs.groupby("value")["score"].nunique().max() == 1


@pytest.mark.parametrize(
    "rfm",
    [rfm_of([5], [1], [9.0]), rfm_of([5] * 7, [1] * 7, [9.0] * 7)],
    ids=["one customer", "all equal"],
)
def test_what_tells_nothing_scores_in_the_middle(rfm):
    scores = fit_scores(rfm)
    assert (scores.apply(rfm) == 3).all(axis=None)
    assert (scores.apply(rfm_of([1], [50], [1e6])) == 3).all(axis=None)


def test_customers_of_one_day_differ_in_money_alone():
    found = fit_scores(rfm_of(1, 1, [1.0, 2, 3, 4, 5])).apply(rfm_of(1, 1, [1.0, 2, 3, 4, 5]))
    assert found.to_numpy().tolist() == [[3, 3, score] for score in range(1, 6)]


def test_many_ties_leave_scores_out_rather_than_deal_them_by_chance():
    rfm = rfm_of(range(1, 11), [1] * 6 + [2, 3, 4, 5], 1.0)
    scores = fit_scores(rfm)
    assert scores.edges["frequency"] == (1, 1, 1, 3)
    assert scores.apply(rfm)["frequency"].tolist() == [1] * 6 + [4, 4, 5, 5]


def test_a_customer_scores_the_same_whoever_else_is_scored():
    rfm = random_rfm(4)
    scores = fit_scores(rfm)
    together = scores.apply(rfm)
    alone = pd.concat([scores.apply(rfm.iloc[[i]]) for i in range(40)])
    pd.testing.assert_frame_equal(together.iloc[:40], alone)
    pd.testing.assert_frame_equal(scores.apply(rfm[::-1])[::-1], together)


def test_who_is_left_out_moves_no_edge_and_is_scored_all_the_same():
    rfm = random_rfm(5)
    odd = pd.concat([rfm, rfm_of([1], [5000], [1e9])])
    far = is_outlier(odd, method="zscore", limit=12.0)
    assert far.tolist() == [False] * 400 + [True]
    scores = fit_scores(odd, leave_out=far)
    assert scores == fit_scores(rfm)
    assert scores.apply(odd).iloc[-1].tolist() == [5, 5, 5]


@pytest.mark.parametrize("method", ["zscore", "iqr"])
def test_outliers_are_those_of_the_plain_formula(method):
    rfm = random_rfm(6)
    expected = np.zeros(len(rfm), dtype=bool)
    for values in (rfm[name].astype(float) for name in rfm):
        if method == "zscore":
            expected |= ((values - values.mean()) / values.std(ddof=0)).abs() > 2
        else:
            low, high = values.quantile(0.25), values.quantile(0.75)
            expected |= ~values.between(low - 2 * (high - low), high + 2 * (high - low))
    found = is_outlier(rfm, method=method, limit=2.0)
    assert 0 < found.sum() < len(rfm)
    np.testing.assert_array_equal(found, expected)
    assert not is_outlier(rfm, method="none").any()


@pytest.mark.parametrize("method", ["zscore", "iqr", "none"])
def test_equal_customers_are_no_outliers(method):
    assert not is_outlier(rfm_of([5] * 4, 1, 9.0), method=method).any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rfm: is_outlier(rfm, method="mad"), "unknown outlier rule 'mad'"),
        (lambda rfm: is_outlier(rfm, method="iqr", limit=0), "limit above 0"),
        (lambda rfm: fit_scores(rfm.drop(columns="monetary")), "no column \\['monetary'\\]"),
        (lambda rfm: fit_scores(rfm.iloc[:0]), "no customer to take quintiles of"),
        (lambda rfm: fit_scores(rfm.assign(recency=np.nan)), "recency of customer 100 is missing"),
        (lambda rfm: Scores({"recency": ()}), "expected edges of"),
        (
            lambda rfm: Scores({"recency": (1, 2, 3, 4), "frequency": (), "monetary": ()}),
            "edges of recency: expected none, or 4 from the worst",
        ),
    ],
)
def test_what_cannot_be_scored_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(random_rfm(1))
