import numpy as np
import pandas as pd
import pytest
from rules.making import long_table, one_hot
from scipy import sparse

from cohortlab.rules import as_lists, as_text, association_rules, frequent_itemsets, from_text
from cohortlab.rules.reading import read_baskets

HOSTILE = ['a, "b"', "line\nbreak", "<b>&amp;</b>", "frozenset({1})", "ÄÖ 家電", "[]", " a ", "\\"]


def test_the_report_counts_what_was_read():
    report = read_baskets([["a", "b", "a"], [], ["b"], ["b", "b", "b"]]).report
    assert (report.n_rows, report.n_baskets, report.n_items) == (7, 4, 2)
    assert (report.n_repeated, report.n_empty) == (3, 1)


def test_reading_twice_changes_nothing():
    read = read_baskets([["a"], ["b", "a"]])
    assert read_baskets(read) is read


@pytest.mark.parametrize(
    ("baskets", "message"),
    [
        (pd.DataFrame({"item": ["a"]}), r"lack the columns \['basket_id'\]"),
        (long_table([["a", None]]), "baskets.item is missing in 1 rows, first in row 1"),
        (pd.DataFrame({"basket_id": [1, None], "item": ["a", "b"]}), "basket_id is missing in 1"),
        ([["a"], ["b", float("nan")]], "1 items are missing, the first in basket 1"),
        (["milk", "tea"], "basket 0 is 'milk'"),
        ("milk", "baskets are a str"),
        ([1, 2], "basket 0 is 1"),
        ([["a", ["b"]]], r"the item \['b'\] cannot be in a set"),
        (pd.DataFrame({"a": pd.array([True, None], dtype="boolean")}), "holds None in row 1"),
        (pd.DataFrame({"a": [1.0, np.nan], "b": [1, 0]}), "holds None in row 1, column 'a'"),
        (pd.DataFrame({"a": [0, 2]}), r"holds .*2.* in row 1, column 'a'"),
        (pd.DataFrame({"a": pd.arrays.SparseArray([0.0, 0.5])}), r"holds .*0.5.* in row 1"),
        (
            pd.DataFrame({"order": [7, 7], "product": [0, 1]}),
            "needs the columns basket_id and item",
        ),
        (pd.DataFrame({"order": [0, 0, 1], "product": [0, 1, 1]}), "may be items or ids"),
        (np.eye(2, dtype=bool), r"matrix of the shape \(2, 2\), without the names"),
        (sparse.csr_array(np.eye(2)), r"matrix of the shape \(2, 2\), without the names"),
        (long_table([["a"], ["b", ""], [" "]]), "items are blank in 2 entries, first in .*'t1'"),
        ([["a", " "]], "items are blank in 1 entries"),
        (pd.DataFrame({"a": [True], "": [True]}), "items are blank in 1 entries"),
        (pd.DataFrame({"basket_id": ["x", ""], "item": ["a", "b"]}), "basket ids are blank in 1"),
        (pd.DataFrame([[1, 1]], columns=["a", "a"]), "all different"),
    ],
)
def test_bad_baskets_are_named(baskets, message):
    with pytest.raises(ValueError, match=message):
        read_baskets(baskets)


def test_a_one_hot_frame_may_have_items_called_item_and_basket_id():
    frame = one_hot([{"item"}, {"item", "basket_id"}], items=["item", "basket_id"])
    assert frequent_itemsets(frame, 1)["count"].tolist() == [2, 1, 1]


def test_few_columns_of_true_and_false_and_lists_in_an_array_are_no_doubt():
    flags = pd.DataFrame({"order": [True, False], "product": [True, True]})
    assert frequent_itemsets(flags, 1)["count"].tolist() == [2, 1, 1]
    texts = np.array([["tea", "milk"], ["tea", "jam"]])
    assert frequent_itemsets(texts, 2)["itemsets"].tolist() == [frozenset(["tea"])]


def test_numbers_beside_texts_are_items_like_others():
    found = frequent_itemsets([[1, "a"], ["a", 1], [2, "1"]], 2)
    assert set(found["itemsets"]) == {frozenset([1]), frozenset(["a"]), frozenset([1, "a"])}
    assert len(association_rules(found)) == 2


def test_hostile_names_survive_text_and_parquet(tmp_path):
    table = long_table([HOSTILE, HOSTILE[:4], HOSTILE[:2]])
    itemsets = frequent_itemsets(table, 1, max_len=3)
    rules = association_rules(itemsets)
    as_text(rules).to_csv(tmp_path / "rules.csv", index=False)
    back = from_text(pd.read_csv(tmp_path / "rules.csv", keep_default_na=False))
    assert back["antecedents"].tolist() == rules["antecedents"].tolist()
    as_lists(itemsets).to_parquet(tmp_path / "itemsets.parquet")
    read = pd.read_parquet(tmp_path / "itemsets.parquet")
    assert read["itemsets"].map(frozenset).tolist() == itemsets["itemsets"].tolist()


def test_unsorted_tables_are_read_like_sorted_ones():
    table = long_table([["b", "a"], ["c"], ["a", "c"]])
    mixed = read_baskets(table.iloc[[4, 0, 3, 1, 2]])
    held = {}
    for row, column in zip(mixed.rows, mixed.columns, strict=True):
        held.setdefault(mixed.ids[row], []).append(mixed.items[column])
    assert held == {"t0": ["a", "b"], "t1": ["c"], "t2": ["a", "c"]}
    assert (np.diff(mixed.rows * 10 + mixed.columns) > 0).all()
