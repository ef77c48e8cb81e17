import pandas as pd
import pytest

from cohortlab.features.levels import hierarchy
from cohortlab.rules import ancestor_pairs

ITEMS = pd.DataFrame(
    {
        "item": ["1", "2", "3", "4", "unused"],
        "name": ["rye", "bread", None, "ale", "x"],
        "department": ["bakery", "bakery", "deli", "drinks", "x"],
        "category": ["bread", "bread", "bread", None, "x"],
    }
)
USED = ["4", "3", "2", "1", "unknown"]


def test_items_stand_for_themselves_with_all_groups_above_them():
    found = hierarchy(USED, ITEMS)
    assert found.node.to_dict() == {item: item for item in USED}
    assert found.items.fillna("-").to_dict("list") == {
        "item": ["1", "2", "3", "4", "unknown"],
        "title": ["rye", "bread", "3", "ale", "unknown"],
        "group": ["bakery", "bakery", "deli", "drinks", "-"],
    }
    parents = found.tree.set_index("item")["parent"]
    assert parents.dropna().to_dict() == {
        "1": "bakery > bread [category]",
        "2": "bakery > bread [category]",
        "3": "deli > bread [category]",
        "4": "drinks [department]",
        "bakery > bread [category]": "bakery [department]",
        "deli > bread [category]": "deli [department]",
    }


def test_groups_of_one_name_are_told_apart():
    titles = hierarchy(USED, ITEMS).tree.set_index("item")["title"]
    assert titles["deli > bread [category]"] == "deli > bread [category]"
    assert titles["drinks [department]"] == "drinks [department]"


def test_items_can_be_raised_to_a_level():
    found = hierarchy(USED, ITEMS, level="category")
    assert found.node.dropna().to_dict() == {
        "1": "bakery > bread [category]",
        "2": "bakery > bread [category]",
        "3": "deli > bread [category]",
    }
    assert found.items["title"].tolist() == ["bakery > bread", "deli > bread"]
    assert found.items["group"].tolist() == ["bakery", "deli"]
    assert set(found.tree["item"]) == set(found.items["item"]) | {
        "bakery [department]",
        "deli [department]",
    }


def test_the_largest_level_has_nothing_above_it():
    found = hierarchy(USED, ITEMS, level="department", group_level="department")
    assert found.items["title"].tolist() == ["bakery", "deli", "drinks"]
    assert found.items["group"].tolist() == ["bakery", "deli", "drinks"]
    assert len(found.tree) == 0


def test_another_level_can_group():
    found = hierarchy(USED, ITEMS, group_level="category")
    groups = found.items.set_index("item")["group"]
    assert groups.dropna().to_dict() == {
        "1": "bakery > bread",
        "2": "bakery > bread",
        "3": "deli > bread",
    }


def test_without_a_table_of_items_there_is_no_group():
    none = pd.DataFrame({"item": [], "name": []}, dtype="str")
    found = hierarchy(["b", "a"], none)
    assert found.items["title"].tolist() == ["a", "b"]
    assert found.groups.isna().all()
    assert len(found.tree) == 0


@pytest.mark.parametrize("key", ["level", "group_level"])
def test_an_unknown_level_names_those_there_are(key):
    with pytest.raises(ValueError, match=rf"{key} is 'shelf'.*department.*category"):
        hierarchy(USED, ITEMS, **{key: "shelf"})


def test_an_item_may_be_called_like_its_groups():
    items = pd.DataFrame({"item": ["ham"], "name": [None], "big": ["ham"], "small": ["ham"]})
    tree = hierarchy(["ham"], items).tree
    pairs = ancestor_pairs(tree)
    assert pairs.loc[pairs["item"] == "ham", "ancestor"].tolist() == [
        "ham > ham [small]",
        "ham [big]",
    ]
