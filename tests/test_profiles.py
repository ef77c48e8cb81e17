import numpy as np
import pandas as pd
import pytest

from cohortlab.profiles import (
    name_clusters,
    order_clusters,
    profile_table,
    select_clusters,
    z_scores,
)


@pytest.fixture
def people():
    rng = np.random.default_rng(5)
    labels = rng.integers(4, size=300)
    table = pd.DataFrame(
        {
            "views": rng.poisson(np.array([2, 5, 9, 20])[labels]),
            "carts": rng.poisson(np.array([0, 4, 0, 4])[labels]),
            "is_buyer": rng.random(300) < np.array([0.0, 0.5, 0.02, 0.1])[labels],
            "start": pd.Timestamp("2024-01-01"),
        }
    )
    return table, labels


def everything(table, labels):
    numbers, _ = order_clusters(table, labels, by="views")
    profile = profile_table(table, numbers)
    chosen = select_clusters(table, numbers, column="is_buyer", min_ratio=1.5)
    return numbers, profile, name_clusters(profile), chosen.clusters, chosen.explanation


@pytest.mark.parametrize("ids", [[2, 0, 3, 1], [10, -3, 7, 99], ["d", "b", "a", "c"]])
def test_other_ids_for_the_same_clusters_change_nothing(people, ids):
    table, labels = people
    expected, renamed = everything(table, labels), everything(table, np.array(ids)[labels])
    np.testing.assert_array_equal(expected[0], renamed[0])
    pd.testing.assert_frame_equal(expected[1], renamed[1])
    assert expected[2:] == renamed[2:]


def test_order_of_rows_changes_no_number_and_no_name(people):
    table, labels = people
    order = np.random.default_rng(1).permutation(len(table))
    straight = everything(table, labels)
    turned = everything(table.iloc[order].reset_index(drop=True), labels[order])
    np.testing.assert_array_equal(straight[0][order], turned[0])
    assert straight[2:4] == turned[2:4]


def test_numbers_follow_the_mean_and_later_columns_break_ties():
    table = pd.DataFrame({"a": [1, 3, 2, 2, 5], "b": [9, 9, 1, 1, 0]})
    labels, old = order_clusters(table, np.array(["x", "x", "y", "y", "z"]), by="a")
    assert labels.tolist() == [1, 1, 0, 0, 2]
    assert old.tolist() == ["y", "x", "z"]


def test_clusters_alike_in_all_features_are_ordered_by_first_row():
    table = pd.DataFrame({"a": [1, 1, 1, 1]})
    for ids in (["p", "q", "p", "q"], ["q", "p", "q", "p"]):
        assert order_clusters(table, np.array(ids), by="a")[0].tolist() == [0, 1, 0, 1]


def test_ties_hold_whatever_the_order_of_addition():
    # 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last digit of a plain sum.
    table = pd.DataFrame({"a": [0.1, 0.2, 0.3, 0.3, 0.2, 0.1], "b": [0, 0, 0, 1, 1, 1]})
    assert order_clusters(table, [5, 5, 5, 4, 4, 4], by="a")[0].tolist() == [0, 0, 0, 1, 1, 1]


def test_ordering_by_an_unknown_column_names_it():
    with pytest.raises(ValueError, match=r"no column \['visits'\]: the table has \['a'\]"):
        order_clusters(pd.DataFrame({"a": [1]}), [0], by="visits")


def test_profile_agrees_with_direct_arithmetic(people):
    table, labels = people
    profile = profile_table(table, labels).set_index("cluster")
    inside = table.loc[labels == 2, "views"]
    assert profile.loc[2, "size"] == len(inside)
    assert profile["share"].sum() == pytest.approx(1.0)
    assert profile.loc[2, "views_mean"] == pytest.approx(np.mean(inside))
    assert profile.loc[2, "views_median"] == np.median(inside)
    expected = (np.mean(inside) - np.mean(table["views"])) / np.std(table["views"])
    assert profile.loc[2, "views_z"] == pytest.approx(expected)
    assert "is_buyer_mean" in profile.columns
    assert "start_mean" not in profile.columns


def test_constant_feature_has_z_zero():
    profile = profile_table(pd.DataFrame({"same": [0.1] * 6}), [0, 0, 0, 1, 1, 1])
    assert profile["same_z"].tolist() == [0.0, 0.0]


def test_heat_map_has_clusters_down_and_features_across(people):
    matrix = z_scores(profile_table(*people))
    assert matrix.index.tolist() == [0, 1, 2, 3]
    assert matrix.columns.tolist() == ["views", "carts", "is_buyer"]


def profile_of(**z):
    n = len(next(iter(z.values())))
    table = {f"{name}_z": values for name, values in z.items()}
    return pd.DataFrame({"cluster": range(n), "size": 10, "share": 1 / n, **table})


def test_names_say_what_sets_a_cluster_apart():
    profile = profile_of(carts=[2.0, -0.1, -0.6], duration=[0.9, 0.2, -1.4])
    words = {"carts": ("few carts", "many carts"), "duration": ("short", "long")}
    assert name_clusters(profile, words=words) == {
        0: "many carts, long",
        1: "typical",
        2: "short, few carts",
    }


def test_names_of_columns_are_read_as_words():
    profile = profile_of(quantity_of_products=[-2.0, 2.0])
    assert name_clusters(profile) == {
        0: "low quantity of products",
        1: "high quantity of products",
    }


def test_columns_that_read_alike_do_not_give_two_clusters_one_name():
    names = name_clusters(profile_of(**{"a_b": [2.0, 0.0], "a b": [0.0, 2.0]}))
    assert len(set(names.values())) == 2


def test_equal_names_take_in_more_features_until_they_differ():
    profile = profile_of(a=[2.0, 2.1], b=[1.0, 1.0], c=[0.8, -0.7])
    assert name_clusters(profile) == {0: "high a, high b, high c", 1: "high a, high b, low c"}


def test_typical_clusters_are_told_apart_by_slight_differences():
    names = name_clusters(profile_of(a=[0.1, -0.1, 3.0]))
    assert names == {0: "rather high a", 1: "rather low a", 2: "high a"}


def test_clusters_alike_are_numbered():
    names = name_clusters(profile_of(a=[1.0, 1.0]))
    assert names == {0: "high a (1)", 1: "high a (2)"}


def test_clusters_alike_in_all_features_are_numbered_by_a_name_that_is_short_and_their_own():
    alike = name_clusters(profile_of(a=[2.0, 1.9, -3.0], b=[0.2, 0.1, -0.2], c=[0.1, 0.05, 0.0]))
    assert alike == {0: "high a (2)", 1: "high a (1)", 2: "low a"}
    two = name_clusters(profile_of(a=[2.0, 2.0, 2.0, 2.0], b=[0.2, 0.2, -0.2, -0.2]))
    assert list(two.values()) == [
        "high a, rather high b (1)", "high a, rather high b (2)",
        "high a, rather low b (1)", "high a, rather low b (2)",
    ]  # fmt: skip


def test_names_that_say_the_same_in_another_order_are_no_two_names():
    names = name_clusters(profile_of(a=[2.0, 1.9, -3.0], b=[1.9, 2.0, -3.0], c=[0.2, -0.2, 0.0]))
    assert len({frozenset(name.split(", ")) for name in names.values()}) == 3


def test_other_ids_change_no_name():
    columns = {"a": [2.0, 1.8, -3.0, -2.0], "b": [1.9, 2.0, -3.0, -1.0]}
    by_id = list(name_clusters(profile_of(**columns)).values())
    turned = profile_of(**{name: values[::-1] for name, values in columns.items()})
    assert list(name_clusters(turned).values())[::-1] == by_id


def test_names_use_only_the_features_wanted():
    profile = profile_of(a=[3.0, -3.0], b=[1.0, -1.0])
    assert name_clusters(profile, features=["b"]) == {0: "high b", 1: "low b"}
    with pytest.raises(ValueError, match=r"no column \['d'\]"):
        name_clusters(profile, features=["d"])


@pytest.mark.parametrize("seed", range(20))
def test_names_are_always_unique(seed):
    rng = np.random.default_rng(seed)
    profile = profile_of(a=rng.choice([-1, 0, 1], 9), b=rng.choice([-1, 0, 1], 9))
    assert len(set(name_clusters(profile).values())) == 9


def test_buyers_are_found_by_profile(people):
    table, labels = people
    chosen = select_clusters(table, labels, column="is_buyer", min_ratio=2.0)
    assert chosen.clusters == [1]
    ratio = table.loc[labels == 1, "is_buyer"].mean() / table["is_buyer"].mean()
    assert chosen.table.loc[1, "ratio"] == pytest.approx(ratio)
    assert "is_buyer at least 2 times" in chosen.explanation


def test_small_clusters_are_not_chosen_and_that_is_said():
    table = pd.DataFrame({"bought": [1, 1] + [0] * 60})
    chosen = select_clusters(table, [0] * 2 + [1] * 60, column="bought", min_size=5)
    assert chosen.clusters == []
    assert chosen.table["reason"].tolist() == ["fewer than 5 rows", "ratio too low"]
    assert chosen.explanation.startswith("No cluster chosen")


@pytest.mark.parametrize("values", [[0.0, 0.0], [-5.0, 1.0]])
def test_no_ratio_without_a_positive_mean(values):
    chosen = select_clusters(pd.DataFrame({"x": values}), [0, 1], column="x", min_size=1)
    assert chosen.clusters == []
    assert "no ratio" in chosen.explanation


def test_no_relation_chooses_nothing():
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"is_buyer": rng.random(5000) < 0.1})
    assert select_clusters(table, rng.integers(5, size=5000), column="is_buyer").clusters == []
