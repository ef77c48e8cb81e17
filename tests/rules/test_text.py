from rules.making import long_table

from cohortlab.rules import association_rules, frequent_itemsets, with_titles


def test_titles_are_shown_in_place_of_ids():
    rules = association_rules(frequent_itemsets(long_table([["1", "2", "3"]] * 2), 1))
    shown = with_titles(rules, {"1": " RED\nHEART ", "2": None})
    assert "RED HEART [1] + 2" in set(shown["antecedents"])
    assert shown["lift"].tolist() == rules["lift"].tolist()
