import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.preprocessing import (
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from cohortlab.scaling import SCALINGS, Scaling


@pytest.fixture
def features():
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "views": rng.poisson(3, 60),
            "seconds": rng.lognormal(4, 2, 60),
            "revenue": rng.normal(0, 50, 60),
        }
    )


@pytest.mark.parametrize(
    ("method", "oracle"),
    [
        ("standard", StandardScaler()),
        ("robust", RobustScaler()),
        ("minmax", MinMaxScaler()),
        ("yeo_johnson_standard", PowerTransformer()),
    ],
)
def test_agrees_with_scikit_learn(features, method, oracle):
    expected = oracle.fit_transform(features)
    np.testing.assert_allclose(Scaling(method).fit_transform(features), expected, atol=1e-12)


def test_ranks_become_normal_scores():
    values = np.array([7.0, 1.0, 1.0, 100.0, 3.0])
    scores = stats.norm.ppf((stats.rankdata(values) - 0.5) / len(values))
    expected = (scores - scores.mean()) / scores.std()
    np.testing.assert_allclose(
        Scaling("rank_standard").fit_transform(values[:, None]).ravel(), expected, atol=1e-12
    )


def test_ranks_of_many_values_are_normal_and_agree_with_scikit_learn():
    values = np.random.default_rng(2).lognormal(3, 2, 20_000)[:, None]
    found = Scaling("rank_standard").fit_transform(values).ravel()
    assert stats.kstest(found, "norm").statistic < 0.01
    other = QuantileTransformer(output_distribution="normal", subsample=None, random_state=0)
    inner = np.abs(found) < 2
    np.testing.assert_allclose(found[inner], other.fit_transform(values)[inner, 0], atol=0.02)


def test_rank_of_a_value_beyond_those_seen_is_that_of_the_nearest():
    scaling = Scaling("rank_standard").fit(np.arange(9.0)[:, None])
    assert (
        scaling.transform([[-5.0], [99.0]]).tolist() == scaling.transform([[0.0], [8.0]]).tolist()
    )


def test_log1p_takes_only_columns_without_negative_values(features):
    scaling = Scaling("log1p_standard").fit(features)
    assert scaling.curves_ == ["log1p", "log1p", "none"]
    expected = StandardScaler().fit_transform(np.log1p(features[["seconds"]]))
    np.testing.assert_allclose(scaling.transform(features)[:, [1]], expected, atol=1e-12)


@pytest.mark.parametrize("method", SCALINGS)
def test_scoring_uses_stored_parameters_alone(features, method):
    scaling = Scaling(method).fit(features)
    whole = scaling.transform(features)
    one_row = scaling.transform(features.iloc[[7]])
    np.testing.assert_array_equal(one_row, whole[[7]])


@pytest.mark.parametrize("method", SCALINGS)
def test_parameters_survive_a_file(features, method, tmp_path):
    scaling = Scaling(method).fit(features)
    scaling.save(tmp_path / "scaling.json")
    again = Scaling.load(tmp_path / "scaling.json")
    np.testing.assert_array_equal(again.transform(features), scaling.transform(features))
    assert again.parameters() == scaling.parameters()


@pytest.mark.parametrize("method", SCALINGS)
def test_inverse_returns_to_units(features, method):
    scaling = Scaling(method).fit(features)
    np.testing.assert_allclose(
        scaling.inverse_transform(scaling.transform(features)), features, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("method", [name for name in SCALINGS if name != "none"])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e12])
def test_constant_column_becomes_zeros_and_is_reported(method, value):
    table = pd.DataFrame({"same": np.full(9, value), "other": np.arange(9.0)})
    scaling = Scaling(method).fit(table)
    assert scaling.constant_ == ["same"]
    assert (scaling.transform(table)[:, 0] == 0).all()


def test_column_with_a_zero_interquartile_range_falls_back_and_is_reported():
    table = pd.DataFrame({"carts": [0.0] * 9 + [5.0]})
    scaling = Scaling("robust").fit(table)
    assert scaling.fallback_ == ["carts"]
    assert scaling.transform(table).std() == pytest.approx(1.0)


def test_columns_are_taken_by_name(features):
    scaling = Scaling().fit(features)
    turned = features[features.columns[::-1]].assign(extra=1)
    np.testing.assert_array_equal(scaling.transform(turned), scaling.transform(features))


@pytest.mark.parametrize(
    ("method", "table", "message"),
    [
        ("loud", {"a": [1.0]}, "unknown scaling 'loud'"),
        ("standard", {"a": []}, "no row"),
        ("standard", {"a": [1.0, np.nan]}, "column 'a' holds nan in row 1"),
        ("standard", {"a": [np.inf, 1.0]}, "column 'a' holds inf in row 0"),
    ],
)
def test_bad_input_is_named(method, table, message):
    with pytest.raises(ValueError, match=message):
        Scaling(method).fit(pd.DataFrame(table, dtype=float))


def test_scoring_names_missing_columns_and_new_negative_values(features):
    scaling = Scaling("log1p_standard").fit(features)
    with pytest.raises(ValueError, match=r"columns \['views'\] are missing"):
        scaling.transform(features.drop(columns="views"))
    with pytest.raises(ValueError, match=r"column 'views' holds -1\.0 in row 0"):
        scaling.transform(features.assign(views=-1))


def test_clone_keeps_the_method():
    assert clone(Scaling("robust")).method == "robust"
