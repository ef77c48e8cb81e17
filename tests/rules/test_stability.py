import numpy as np
import pandas as pd
import pytest
from rules.making import long_table, random_baskets

from cohortlab.rules import association_rules, frequent_itemsets, rule_stability


def rules_of(table, **options):
    found = frequent_itemsets(table, 0.1)
    return association_rules(found, min_threshold=0.3, **options)


def by_hand(table, rules, n_bootstrap, seed):
    """The same samples, each mined again with its baskets copied."""
    ids = table["basket_id"].drop_duplicates().tolist()
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(ids), np.full(len(ids), 1 / len(ids)), size=n_bootstrap)
    returned = np.zeros(len(rules))
    items = table.groupby("basket_id")["item"].agg(list)
    for counts in drawn:
        copies = [items[i] for i, count in zip(ids, counts, strict=True) for _ in range(count)]
        again = rules_of(long_table(copies))
        sides = set(zip(again["antecedents"], again["consequents"], strict=True))
        pairs = zip(rules["antecedents"], rules["consequents"], strict=True)
        returned += [pair in sides for pair in pairs]
    return returned / n_bootstrap


def test_counting_gives_what_mining_every_sample_gives():
    table = long_table(random_baskets(0))
    rules = rules_of(table)
    found = rule_stability(rules, table, 0.1, n_bootstrap=15, rng=np.random.default_rng(3))
    expected = by_hand(table, rules, 15, 3)
    np.testing.assert_allclose(found["returned"], expected)
    assert 0 < expected.min() < expected.max() == 1


def test_whole_people_are_drawn():
    baskets = [{"a", "b"}] * 10 + [{"c"}] * 10
    people = ["one"] * 10 + [f"p{i}" for i in range(10)]
    table = long_table(baskets, people)
    rules = rules_of(table)
    options = {"n_bootstrap": 400, "rng": np.random.default_rng(0)}
    whole = rule_stability(rules, table, 0.1, **options)["returned"]
    alone = rule_stability(rules, table.drop(columns="person_id"), 0.1, **options)["returned"]
    # One of eleven people is missing from a sample with probability (10/11)^11 = 0.35.
    assert whole.between(0.55, 0.75).all()
    assert (alone == 1).all()


def test_lift_has_its_quantiles():
    table = long_table(random_baskets(1, n=400))
    rules = rules_of(table)
    found = rule_stability(rules, table, 0.1, rng=np.random.default_rng(1))
    assert (found["lift_low"] < found["lift_median"]).all()
    assert (found["lift_median"] < found["lift_high"]).all()
    assert np.abs(found["lift_median"] - rules["lift"]).max() < 0.1


def test_no_rule_gives_no_row_and_bad_numbers_are_named():
    table = long_table(random_baskets(1))
    rules = rules_of(table)
    rng = np.random.default_rng(1)
    assert len(rule_stability(rules.head(0), table, 0.1, n_bootstrap=3, rng=rng)) == 0
    with pytest.raises(ValueError, match="n_bootstrap is 0"):
        rule_stability(rules, table, 0.1, n_bootstrap=0, rng=rng)
    unseen = rule_stability(rules, pd.DataFrame(columns=["basket_id", "item"]), 0.1, rng=rng)
    assert (unseen["returned"] == 0).all()
