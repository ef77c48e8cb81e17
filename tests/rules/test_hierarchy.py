import pandas as pd
import pytest
from rules.making import long_table, random_baskets, real

from cohortlab.rules import (
    ancestor_pairs,
    association_rules,
    at_level,
    frequent_itemsets,
    rules_above,
    with_ancestors,
)

TREE = pd.DataFrame(
    [
        ("a", "AB"), ("b", "AB"), ("c", "CD"), ("d", "CD"), ("e", "E"),
        ("AB", "top"), ("CD", "top"), ("E", "other"), ("top", None), ("other", None),
    ],
    columns=["item", "parent"],
)  # fmt: skip


def held(table):
    return table.groupby("basket_id")["item"].agg(set).to_dict()


def test_ancestors_are_listed_with_their_steps():
    pairs = ancestor_pairs(TREE).set_index(["item", "ancestor"])["steps"].to_dict()
    assert pairs[("a", "AB")] == 1
    assert pairs[("a", "top")] == 2
    assert ("a", "CD") not in pairs
    assert len(pairs) == 13


def test_ancestors_join_their_items_once():
    table = long_table([["a", "b", "g"], ["e"]], people=["x", "y"])
    extended = with_ancestors(table, TREE)
    assert held(extended) == {"t0": {"a", "b", "g", "AB", "top"}, "t1": {"e", "E", "other"}}
    assert not extended.duplicated(["basket_id", "item"]).any()
    assert extended.groupby("basket_id")["person_id"].agg(set).to_dict() == {
        "t0": {"x"},
        "t1": {"y"},
    }


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, {"top", "g", "other"}),
        (1, {"AB", "g", "E"}),
        (2, {"a", "b", "g", "e"}),
        (5, {"a", "b", "g", "e"}),
    ],
)
def test_items_are_replaced_at_the_level(level, expected):
    assert held(at_level(long_table([["a", "b", "g", "e"]]), TREE, level)) == {"t0": expected}


def test_no_rule_holds_an_item_and_its_ancestor():
    table = with_ancestors(long_table(random_baskets(1)), TREE)
    pairs = ancestor_pairs(TREE)
    forbidden = {frozenset(pair) for pair in pairs[["item", "ancestor"]].itertuples(index=False)}

    def n_forbidden(itemsets):
        rules = association_rules(itemsets, min_threshold=0.1)
        sides = zip(rules["antecedents"], rules["consequents"], strict=True)
        return sum(any(pair <= a | b for pair in forbidden) for a, b in sides)

    free = frequent_itemsets(table, 0.05)
    apart = frequent_itemsets(table, 0.05, apart=pairs[["item", "ancestor"]])
    assert n_forbidden(free) > 0
    assert n_forbidden(apart) == 0
    kept = [s for s in free["itemsets"] if not any(pair <= s for pair in forbidden)]
    assert apart["itemsets"].tolist() == kept


def test_rules_above_hold_a_category():
    pairs = ancestor_pairs(TREE)
    table = with_ancestors(long_table(random_baskets(1)), TREE)
    itemsets = frequent_itemsets(table, 0.2, max_len=3, apart=pairs[["item", "ancestor"]])
    rules = association_rules(itemsets, min_threshold=0.3)
    raised = rules_above(rules, pairs)
    sides = rules["antecedents"].map(sorted) + rules["consequents"].map(sorted)
    assert len(raised) == sum(not set("abcdefg").issuperset(side) for side in sides)
    assert 0 < len(raised) < len(rules)
    assert rules_above(rules.head(0), pairs).columns.tolist() == rules.columns.tolist()


def test_groceries_have_rules_between_levels(groceries):
    items = pd.read_csv(real("groceries/items.csv"), dtype=str)
    # Some categories bear the name of an item.
    items["level2"], items["level1"] = "2 " + items["level2"], "1 " + items["level1"]
    links = [("item", "level2"), ("level2", "level1")]
    tree = pd.concat([items[[*link]].set_axis(["item", "parent"], axis=1) for link in links])
    extended = with_ancestors(groceries, tree)
    pairs = ancestor_pairs(tree)
    itemsets = frequent_itemsets(extended, 0.02, max_len=3, apart=pairs[["item", "ancestor"]])
    rules = association_rules(itemsets, min_threshold=0.4)
    inner, leaves = set(pairs["ancestor"]), set(groceries["item"])
    mixed = [
        bool((a | b) & inner - leaves) and bool((a | b) & leaves - inner)
        for a, b in zip(rules["antecedents"], rules["consequents"], strict=True)
    ]
    assert sum(mixed) > 20


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: ancestor_pairs(pd.DataFrame([("a", "b"), ("b", "a")])), "is its own ancestor"),
        (lambda t: ancestor_pairs(pd.DataFrame([("a", "b"), ("a", "c")])), "'a' has two parents"),
        (lambda t: ancestor_pairs(TREE[["item"]]), "give item and parent"),
        (lambda t: at_level(t, TREE, -1), "level is -1"),
        (lambda t: at_level(t.assign(item=1), TREE, 0), "knows none of the items"),
    ],
)
def test_bad_trees_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(long_table(random_baskets(0)))
