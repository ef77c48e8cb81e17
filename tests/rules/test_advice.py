import numpy as np
import pytest
from rules.making import long_table, random_baskets

from cohortlab.rules import (
    FURTHER_MEASURES,
    MEASURES,
    association_rules,
    frequent_itemsets,
    why_empty,
)

#: Thresholds of which few rules or none are on the right side.
HARD = {"fisher_p": 1e-6, "odds_ratio": 50.0, "confidence": 0.95, "lift": 3.0, "support": 0.9}


def advised(text, name):
    return float(text.split(f"try a {name} of ")[1].split()[0])


@pytest.mark.parametrize(
    ("baskets", "support", "threshold", "said"),
    [
        ([], 0.5, 0.5, "no basket"),
        ([{"a"}, {"b"}], 0.5, 0.5, "at any support"),
        ([{"a", "b"}, {"a"}, {"c"}], 0.9, 0.5, "on 1 baskets: try a min_support of 0.333 or less"),
        ([{"a", "b"}, {"a"}, {"b"}], 1, 0.8, "best has 0.5: try a min_threshold of 0.5 or"),
        ([{"a", "b"}, {"a"}, {"b"}] * 4, 5, 0.8, "None on 1 baskets or more has a confidence of"),
        ([{"a", "b"}], 1, 0.8, ""),
    ],
)
def test_empty_results_say_what_to_try(baskets, support, threshold, said):
    table = long_table(baskets)
    itemsets = frequent_itemsets(table, support)
    advice = why_empty(table, itemsets, support, "confidence", threshold)
    assert said in advice
    assert (advice == "") == (said == "")


@pytest.mark.parametrize("metric", [*MEASURES, *FURTHER_MEASURES])
@pytest.mark.parametrize(("seed", "min_support"), [(0, 0.99), (1, 0.4), (2, 0.4)])
def test_what_is_advised_gives_rules_and_no_more_would(metric, seed, min_support):
    table, rng = long_table(random_baskets(seed)), np.random.default_rng(seed)
    every = association_rules(frequent_itemsets(table, 1), "support", 0.0, further=FURTHER_MEASURES)
    threshold = HARD.get(metric, float(rng.choice(every[metric].dropna().round(3))))
    itemsets = frequent_itemsets(table, min_support)
    text = why_empty(table, itemsets, min_support, metric, threshold)
    found = association_rules(frequent_itemsets(table, 1), metric, threshold)
    if "min_support of" in text:
        support = advised(text, "min_support")
        assert len(association_rules(frequent_itemsets(table, support), metric, threshold))
        more = int(found["count"].max()) + 1
        assert len(association_rules(frequent_itemsets(table, more), metric, threshold)) == 0
    else:
        assert text == "" or len(found) == 0
    if "min_threshold of" in text:
        assert len(association_rules(itemsets, metric, advised(text, "min_threshold")))


def test_the_search_for_a_support_ends_where_itemsets_are_too_many():
    table = long_table([set(range(25))] * 2 + [{0, 1}, {0, 2}, {1, 2}] * 5)
    itemsets = frequent_itemsets(table, 1.0)
    text = why_empty(table, itemsets, 1.0, "leverage", 0.2)
    assert "is in 7. None on 3 baskets or more has a leverage of 0.2 either." in text


def test_itemsets_are_as_long_as_they_were_asked_for():
    table = long_table([{"a", "b", "c"}] * 3 + [{"a", "b"}, {"a", "c"}, {"b", "c"}] * 3)
    itemsets = frequent_itemsets(table, 7)
    texts = [why_empty(table, itemsets, 7, "lift", 1.2, max_len=size) for size in (2, 3)]
    assert "None on 1 baskets or more has a lift of 1.2 either." in texts[0]
    assert "try a min_support of" not in texts[0]


def test_the_advice_names_the_parameter_that_the_reader_has():
    table = long_table([{"a", "b"}, {"a"}, {"c"}])
    asked = table, frequent_itemsets(table, 0.9), 0.9, "confidence", 0.5
    text = why_empty(*asked, support_name="min_support_chosen")
    assert text == why_empty(*asked).replace("min_support", "min_support_chosen")
    assert advised(text, "min_support_chosen") == 0.333
