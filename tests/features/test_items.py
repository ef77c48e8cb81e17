import ibis
import pandas as pd
import pytest

from cohortlab.features.items import category_items, item_tree, product_items, root_groups


def test_roots_are_found_through_any_depth():
    parents = {3: 2, 2: 1, 1: None, 5: float("nan"), 7: 99}
    assert root_groups(parents) == {"3": "1", "2": "1", "1": "1", "5": "5", "7": "99"}


def test_categories_in_a_loop_are_an_error():
    with pytest.raises(ValueError, match="each other's ancestors"):
        root_groups({"a": "b", "b": "a"})


def test_categories_get_the_title_and_the_group_of_their_top_category():
    tree = ibis.memtable(
        pd.DataFrame({"category_id": [1, 2, 3], "parent_id": pd.array([None, 1, 2], dtype="Int64")})
    )
    items = category_items(["3", "1", "9"], tree)
    assert items["item"].tolist() == ["1", "3", "9"]
    assert items["title"].tolist() == ["category 1", "category 3", "category 9"]
    assert items["group"].fillna("-").tolist() == ["category 1", "category 1", "-"]


def test_without_a_tree_no_category_has_a_group():
    tree = ibis.memtable({"category_id": ["1"], "parent_id": ["2"]}).limit(0)
    assert category_items(["5"], tree)["group"].isna().all()


def test_items_are_not_looked_up_among_categories():
    items = category_items(["1", "2"], None)
    assert items["title"].tolist() == ["item 1", "item 2"]
    assert items["group"].isna().all()
    assert len(item_tree(["1", "2"], None)) == 0


def test_a_product_is_called_by_the_description_of_most_of_its_lines():
    invoices = ibis.memtable(
        pd.DataFrame(
            {
                "stock_code": ["A", "A", "A", "B", "B", "C"],
                "description": ["MUG", "MUG BLUE", "MUG BLUE", "TIN", "CAN", None],
                "quantity": [1, 1, 2, 1, 1, 1],
            }
        )
    )
    found = product_items(invoices).to_pandas().set_index("item")
    assert found["title"].to_dict() == {"A": "MUG BLUE", "B": "CAN", "C": "C"}
    assert found["group"].isna().all()


def test_the_tree_holds_what_is_used_and_everything_above_it():
    tree = ibis.memtable(
        pd.DataFrame(
            {
                "category_id": [1, 2, 3, 4, 5],
                "parent_id": pd.array([None, 1, 2, 1, 77], dtype="Int64"),
            }
        )
    )
    found = item_tree(["3", "5", "9"], tree).fillna("-")
    assert found.to_dict("list") == {
        "item": ["1", "2", "3", "5"],
        "parent": ["-", "1", "2", "-"],
        "title": ["category 1", "category 2", "category 3", "category 5"],
    }


@pytest.mark.parametrize("tree", [None, ibis.memtable({"category_id": ["1"], "parent_id": ["2"]})])
def test_a_tree_that_knows_no_item_is_empty(tree):
    found = item_tree(["5"], tree)
    assert len(found) == 0
    assert list(found) == ["item", "parent", "title"]
