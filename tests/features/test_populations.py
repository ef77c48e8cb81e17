import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from cohortlab.features import populations as of

PEOPLE = pd.DataFrame({"person_id": [3, 1, 2], "age": [30.0, 10, 20], "town": ["C", "A", "B"]})
PURCHASES = pd.DataFrame(
    [
        (1, "x", "2025-01-01 08:00"),
        (1, "x", "2025-01-01 09:00"),
        (1, "y", "2025-01-01 23:59"),
        (1, "y", "2025-01-02 00:00"),
        (2, "x", "2025-01-01 08:00"),
    ],
    columns=["person_id", "item_id", "time"],
).astype({"time": "datetime64[us]"})


def test_attributes_count_purchases_and_keep_texts():
    people, bought = ibis.memtable(PEOPLE), ibis.memtable(PURCHASES)
    found = of.person_attributes(people, bought).to_pandas()
    assert found["person_id"].tolist() == [1, 2, 3]
    assert found["n_purchases"].tolist() == [4, 1, 0]
    assert found["n_items"].tolist() == [2, 1, 0]
    assert found["town"].tolist() == ["A", "B", "C"]
    assert found["first_purchase"].iloc[0] == pd.Timestamp("2025-01-01 08:00")
    assert found["last_purchase"].iloc[0] == pd.Timestamp("2025-01-02")
    assert found["last_purchase"].isna().tolist() == [False, False, True]
    assert "age" not in found


def test_features_are_the_numbers_in_the_order_of_the_people():
    found = of.number_features(ibis.memtable(PEOPLE), "person_id").to_pandas()
    pd.testing.assert_frame_equal(
        found, PEOPLE.drop(columns="town").sort_values("person_id", ignore_index=True)
    )


def test_a_basket_is_a_person_on_a_day_with_each_item_once():
    found = of.baskets(ibis.memtable(PURCHASES)).to_pandas()
    assert found.groupby("basket_id")["item"].agg(list).to_dict() == {
        "1 2025-01-01": ["x", "y"],
        "1 2025-01-02": ["y"],
        "2 2025-01-01": ["x"],
    }


def test_incidence_adds_up_to_the_purchases():
    found = of.incidence(ibis.memtable(PURCHASES)).to_pandas()
    assert found.to_numpy().tolist() == [[1, "x", 2], [1, "y", 2], [2, "x", 1]]


def planted_items(seed=0):
    rng = np.random.default_rng(seed)
    kind = np.arange(60) % 3
    size, price = np.array([2, 4, 6])[kind], np.array([1000, 3000, 1000])[kind]
    values = {"size": size + rng.normal(0, 0.3, 60), "price": price + rng.normal(0, 300, 60)}
    return pd.DataFrame({"item_id": [f"i{k}" for k in range(60)], **values}), kind


def test_items_are_grouped_by_their_features_and_named_by_their_means():
    items, kind = planted_items()
    found = of.group_items(items, n_groups=3, random_state=1)
    assert adjusted_rand_score(kind, found) == 1.0
    means = items.drop(columns="item_id").groupby(found).mean()
    assert list(means.index) == [f"size {s:.3g}, price {p:.3g}" for s, p in means.to_numpy()]


def test_unscaled_the_feature_of_the_larger_range_decides():
    items, kind = planted_items()
    found = of.group_items(items, n_groups=3, scale=False, random_state=1)
    assert adjusted_rand_score(kind, found) < 0.7


def test_the_order_of_the_items_changes_no_group():
    items, _ = planted_items()
    order = np.random.default_rng(3).permutation(len(items))
    found = of.group_items(items, n_groups=3, random_state=1)
    shuffled = of.group_items(items.iloc[order], n_groups=3, random_state=1)
    assert found.to_dict() == shuffled.to_dict()


@pytest.mark.parametrize("n_groups", [0, 61])
def test_an_impossible_number_of_groups_is_named(n_groups):
    with pytest.raises(ValueError, match=f"{n_groups} groups of 60 items"):
        of.group_items(planted_items()[0], n_groups=n_groups, random_state=1)
