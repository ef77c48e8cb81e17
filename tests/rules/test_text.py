import pytest
from rules.making import long_table

from cohortlab.rules import association_rules, frequent_itemsets, why_empty, with_titles


def test_titles_are_shown_in_place_of_ids():
    rules = association_rules(frequent_itemsets(long_table([["1", "2", "3"]] * 2), 1))
    shown = with_titles(rules, {"1": " RED\nHEART ", "2": None})
    assert "RED HEART + 2" in set(shown["antecedents"])
    assert shown["lift"].tolist() == rules["lift"].tolist()


@pytest.mark.parametrize(
    ("baskets", "support", "threshold", "said"),
    [
        ([], 0.5, 0.5, "no basket"),
        ([{"a"}, {"b"}], 0.5, 0.5, "at any support"),
        ([{"a", "b"}, {"a"}, {"c"}], 0.9, 0.5, "is in 1: try a min_support of 0.333 or less"),
        ([{"a", "b"}, {"a"}, {"b"}], 1, 0.8, "highest is 0.5: try a min_threshold of 0.5 or"),
        ([{"a", "b"}], 1, 0.8, ""),
    ],
)
def test_empty_results_say_what_to_try(baskets, support, threshold, said):
    table = long_table(baskets)
    itemsets = frequent_itemsets(table, support)
    advice = why_empty(table, itemsets, support, "confidence", threshold)
    assert said in advice
    assert (advice == "") == (said == "")
