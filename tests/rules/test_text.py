import pandas as pd
import pytest
from rules.making import long_table

from cohortlab.rules import association_rules, frequent_itemsets, with_titles


def test_titles_are_shown_in_place_of_ids():
    rules = association_rules(frequent_itemsets(long_table([["1", "2", "3"]] * 2), 1))
    shown = with_titles(rules, {"1": " RED\nHEART ", "2": None})
    assert "RED HEART [1] + 2" in set(shown["antecedents"])
    assert shown["lift"].tolist() == rules["lift"].tolist()


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("cup", "cup [7]"),
        ("category 7", "category 7"),
        ("category 17", "category 17 [7]"),
        ("7", "7"),
        (float("nan"), "7"),
        (" ", "7"),
    ],
)
def test_the_id_is_shown_unless_the_title_tells_it(title, shown):
    table = pd.DataFrame({"itemsets": [frozenset({"7"})]})
    assert with_titles(table, {"7": title})["itemsets"].tolist() == [shown]
