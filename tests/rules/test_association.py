from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from mlxtend.frequent_patterns import association_rules as mlxtend_rules
from mlxtend.frequent_patterns import fpgrowth
from pandas.testing import assert_frame_equal
from rules.making import brute_force, long_table, one_hot, random_baskets

from cohortlab.rules import (
    FURTHER_MEASURES,
    MEASURES,
    as_text,
    association_rules,
    frequent_itemsets,
)


@pytest.mark.parametrize("seed", range(3))
def test_measures_agree_with_mlxtend(seed):
    baskets = random_baskets(seed)
    oracle = mlxtend_rules(fpgrowth(one_hot(baskets), 0.05, use_colnames=True), min_threshold=1e-9)
    ours = association_rules(frequent_itemsets(long_table(baskets), 0.05), min_threshold=1e-9)
    keys = ["antecedents", "consequents"]
    both = ours.merge(oracle, on=keys, suffixes=("", " of mlxtend"), validate="one_to_one")
    assert len(both) == len(ours) == len(oracle) > 50
    for name in MEASURES:
        np.testing.assert_allclose(both[name], both[f"{name} of mlxtend"], rtol=1e-12, atol=1e-12)


def test_mlxtend_frame_is_taken_when_the_number_of_baskets_is_given():
    baskets = random_baskets(2)
    theirs = fpgrowth(one_hot(baskets), 0.0999, use_colnames=True)
    ours = frequent_itemsets(long_table(baskets), 0.1)
    assert_frame_equal(association_rules(theirs, n_baskets=60), association_rules(ours))
    assert_frame_equal(association_rules(theirs, num_itemsets=60), association_rules(ours))
    with pytest.raises(ValueError, match="pass n_baskets="):
        association_rules(theirs)


@pytest.mark.parametrize("n_baskets", [59, 61, 100])
@pytest.mark.parametrize("counted", [False, True])
def test_a_number_of_baskets_that_makes_no_whole_counts_is_refused(n_baskets, counted):
    itemsets = frequent_itemsets(long_table(random_baskets(2)), 0.1)
    frame = itemsets if counted else itemsets[["support", "itemsets"]]
    with pytest.raises(ValueError, match=f"of {n_baskets} baskets is .* of them, not "):
        association_rules(frame, n_baskets=n_baskets)


def test_our_frame_is_taken_by_mlxtend():
    ours = frequent_itemsets(long_table(random_baskets(2)), 0.1)
    theirs = mlxtend_rules(ours, metric="lift", min_threshold=1.2)
    found = association_rules(ours, "lift", 1.2)
    sides = [set(zip(f["antecedents"], f["consequents"], strict=True)) for f in (theirs, found)]
    assert sides[0] == sides[1]
    assert len(found) > 5


def test_confidence_at_the_threshold_is_kept():
    table = long_table([{"a", "b"}] * 7 + [{"a"}] * 3)
    rules = association_rules(frequent_itemsets(table, 1), min_threshold=0.7)
    assert (frozenset("a"), frozenset("b")) in set(
        zip(rules["antecedents"], rules["consequents"], strict=True)
    )
    summed = association_rules(frequent_itemsets(table, 1), min_threshold=0.1 * 3 + 0.4)
    assert_frame_equal(summed, rules)
    above = association_rules(frequent_itemsets(table, 1), min_threshold=0.7000000001)
    assert frozenset("a") not in set(above["antecedents"])


@pytest.mark.parametrize(
    ("support", "confidence", "n_rules"),
    [(0.001, 0.8, 410), (0.001, 0.5, 5668), (0.005, 0.5, 120), (0.006, 0.25, 463), (0.01, 0.5, 15)],
)
def test_groceries_give_the_known_numbers_of_rules(groceries, support, confidence, n_rules):
    itemsets = frequent_itemsets(groceries, support)
    assert itemsets.attrs["n_baskets"] == 9835
    rules = association_rules(itemsets, min_threshold=confidence, max_consequent=1)
    assert len(rules) == n_rules


def test_groceries_top_rule_and_sizes(groceries):
    rules = association_rules(frequent_itemsets(groceries, 0.001), max_consequent=1)
    sizes = rules["antecedents"].map(len) + 1
    assert sizes.value_counts().to_dict() == {3: 29, 4: 229, 5: 140, 6: 12}
    top = rules.iloc[0]
    assert (top["antecedents"], top["consequents"]) == (
        {"liquor", "red/blush wine"},
        {"bottled beer"},
    )
    assert top["lift"] == pytest.approx(11.235269, abs=5e-7)
    assert top["count"] == 19


@pytest.mark.parametrize("max_consequent", [1, 2, None])
def test_every_split_of_every_itemset_is_a_rule_once(max_consequent):
    baskets = random_baskets(5)
    every = brute_force(baskets, 6)
    rules = association_rules(
        frequent_itemsets(long_table(baskets), 6), "support", 1e-9, max_consequent=max_consequent
    )
    expected = {
        (frozenset(s - set(right)), frozenset(right)): (n, every[s - set(right)])
        for s, n in every.items()
        for size in range(1, min(len(s) - 1, max_consequent or 9) + 1)
        for right in combinations(sorted(s), size)
    }
    sides = zip(rules["antecedents"], rules["consequents"], strict=True)
    counts = zip(rules["count"], rules["antecedent count"], strict=True)
    assert dict(zip(sides, counts, strict=True)) == expected
    assert len(rules) == len(expected)


def test_rules_are_in_canonical_order():
    rules = association_rules(frequent_itemsets(long_table(random_baskets(3)), 1), "lift", 0.9)
    keys = [
        (-r.lift, -r.confidence, -r.count_, sorted(r.antecedents), sorted(r.consequents))
        for r in rules.rename(columns={"count": "count_"}).itertuples()
    ]
    assert keys == sorted(keys)
    assert len({key[:3] for key in keys}) < len(keys), "there must be ties for the items to break"


def test_order_of_rows_does_not_matter():
    table = long_table(random_baskets(3))
    mixed = table.sample(frac=1, random_state=1)
    texts = [
        as_text(association_rules(frequent_itemsets(t, 0.1), further=FURTHER_MEASURES)).to_csv()
        for t in (table, mixed)
    ]
    assert texts[0] == texts[1]


def test_improvement_is_what_its_definition_says():
    baskets = random_baskets(7)
    every = {**brute_force(baskets, 4), frozenset(): 60}
    rules = association_rules(
        frequent_itemsets(long_table(baskets), 4), min_threshold=0.0, further=["improvement"]
    )
    assert rules["antecedents"].map(len).max() >= 3
    for left, right, found in rules[["antecedents", "consequents", "improvement"]].itertuples(
        index=False
    ):
        parts = [frozenset(c) for k in range(len(left)) for c in combinations(left, k)]
        best = max(Fraction(every[part | right], every[part]) for part in parts)
        own = Fraction(every[left | right], every[left])
        assert found == pytest.approx(float(own - best), abs=1e-12)


@pytest.mark.parametrize("metric", [*MEASURES, *FURTHER_MEASURES])
def test_any_measure_may_be_the_threshold(metric):
    itemsets = frequent_itemsets(long_table(random_baskets(1)), 0.1)
    every = association_rules(itemsets, "support", 0.0, further=FURTHER_MEASURES)
    level = round(float(every[metric].quantile(0.5)), 6)
    found = association_rules(itemsets, metric, level, further=FURTHER_MEASURES)
    keeps = every[metric] <= level if metric == "fisher_p" else every[metric] >= level
    assert_frame_equal(found, every[keeps].reset_index(drop=True))


def test_one_item_gives_no_rule():
    itemsets = frequent_itemsets(long_table([{"a"}, {"a"}]), 0.5)
    assert len(itemsets) == 1
    assert len(association_rules(itemsets)) == 0


def test_no_itemset_gives_an_empty_frame_with_all_columns():
    itemsets = frequent_itemsets(long_table([]), 0.5)
    rules = association_rules(itemsets, n_baskets=1, further=FURTHER_MEASURES)
    assert len(rules) == 0
    assert rules.columns.tolist()[2:14] == MEASURES
    assert set(FURTHER_MEASURES) < set(rules.columns)
    assert as_text(rules).columns.tolist() == rules.columns.tolist()


def test_independent_items_have_lift_one():
    items = [{x for x, bit in zip("ab", (i & 1, i & 2), strict=True) if bit} for i in range(4)]
    rules = association_rules(
        frequent_itemsets(long_table([b | {"z"} for b in items]), 1),
        metric="lift",
        min_threshold=1.0,
    )
    assert (rules["lift"] == 1.0).all()
    assert len(rules) > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: association_rules(s, metric="luck"), "unknown metric 'luck'"),
        (lambda s: association_rules(s, min_threshold=float("nan")), "is not a number"),
        (lambda s: association_rules(s, further=["luck"]), "unknown metric 'luck'"),
        (
            lambda s: association_rules(s, n_baskets=60, num_itemsets=61),
            "61: give one",
        ),
        (lambda s: association_rules(s.tail(9)), "without its part"),
        (lambda s: association_rules(s.drop(columns="support")), "lack the columns"),
    ],
)
def test_bad_requests_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(frequent_itemsets(long_table(random_baskets(0)), 1))
