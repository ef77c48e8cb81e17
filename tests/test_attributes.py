import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, contingency

from cohortlab.attributes import attribute_shares, attribute_tests, worded


@pytest.fixture
def people():
    rng = np.random.default_rng(3)
    labels = rng.integers(3, size=400)
    tied = np.where(rng.random(400) < 0.5, labels, rng.integers(3, size=400))
    table = pd.DataFrame(
        {
            "home": np.array(["own", "rent", "other"])[tied],
            "pet": rng.choice(["cat", "dog"], 400),
        }
    )
    table.loc[rng.random(400) < 0.3, "home"] = None
    return table, labels


def test_only_columns_of_words_are_compared():
    table = pd.DataFrame(
        {"n": [1], "yes": [True], "when": [pd.Timestamp("2024-01-01")], "home": ["own"]}
    )
    assert worded(table) == ["home"]


def test_the_statistics_are_those_of_scipy(people):
    table, labels = people
    tests = attribute_tests(table, labels, n_permutations=9, rng=np.random.default_rng(0))
    for test in tests.itertuples():
        counts = pd.crosstab(table[test.attribute], labels)
        expected = chi2_contingency(counts, correction=False)
        assert test.chi_squared == pytest.approx(expected.statistic, rel=1e-12)
        assert test.cramers_v == pytest.approx(contingency.association(counts), rel=1e-12)
        assert test.n_known == counts.to_numpy().sum()


def test_shares_and_residuals_are_those_of_the_known(people):
    table, labels = people
    shares = attribute_shares(table, labels)
    counts = pd.crosstab(table["home"], labels)
    for row in shares[shares["attribute"] == "home"].itertuples():
        n = counts.loc[row.value, row.cluster]
        a, b = counts.loc[row.value].sum(), counts[row.cluster].sum()
        total = counts.to_numpy().sum()
        expected = a * b / total
        spread = np.sqrt(expected * (1 - a / total) * (1 - b / total))
        assert row.n == n
        assert row.expected == pytest.approx(expected)
        assert row.share == pytest.approx(n / b)
        assert row.overall == pytest.approx(a / total)
        assert row.residual == pytest.approx((n - expected) / spread)
    sums = shares.groupby(["attribute", "cluster"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(1.0)


def test_a_planted_difference_is_found_and_chance_is_not(people):
    table, labels = people
    tests = attribute_tests(table, labels, rng=np.random.default_rng(1)).set_index("attribute")
    assert tests.loc["home", "p"] == 0.001
    assert tests.loc["pet", "q"] > 0.05


def test_without_a_relation_p_is_uniform():
    rng = np.random.default_rng(8)
    p = []
    for _ in range(200):
        table = pd.DataFrame({"home": rng.choice(["a", "b", "c"], 60)})
        labels = rng.integers(4, size=60)
        p += attribute_tests(table, labels, n_permutations=39, rng=rng)["p"].tolist()
    # 200 tests at 10 %: 20 expected, standard deviation 4.2.
    assert 8 <= np.sum(np.array(p) <= 0.1) <= 33


@pytest.mark.parametrize(
    "values", [["a", "a", "a", "a"], [None, None, None, None], ["a", "b", None, None]]
)
def test_what_cannot_differ_has_no_test(values):
    table = pd.DataFrame({"home": pd.Series(values, dtype="str")})
    tests = attribute_tests(table, np.array([0, 0, 1, 1]), rng=np.random.default_rng(0))
    assert tests[["chi_squared", "p", "q"]].isna().all(axis=None)


def test_values_stand_in_the_order_of_their_numbers():
    table = pd.DataFrame({"income": ["100-124K", "15-24K", "none", "75-99K"]})
    shares = attribute_shares(table, np.zeros(4, dtype=int))
    assert shares["value"].tolist() == ["15-24K", "75-99K", "100-124K", "none"]


def test_renaming_clusters_changes_nothing_but_their_names(people):
    table, labels = people
    first = attribute_shares(table, labels)
    second = attribute_shares(table, 2 - labels)
    second["cluster"] = 2 - second["cluster"]
    keys = ["attribute", "value", "cluster"]
    pd.testing.assert_frame_equal(
        first.sort_values(keys, ignore_index=True), second.sort_values(keys, ignore_index=True)
    )


def test_one_label_a_person_is_demanded():
    with pytest.raises(ValueError, match="2 people but 1 labels"):
        attribute_shares(pd.DataFrame({"home": ["a", "b"]}), np.array([0]))
