"""Frequent itemsets and association rules in mlxtend's frames, on exact counts."""

from cohortlab.rules.advice import why_empty
from cohortlab.rules.association import MEASURES, association_rules
from cohortlab.rules.itemsets import frequent_itemsets, minimum_count
from cohortlab.rules.joins import baskets_of
from cohortlab.rules.miners import MINERS
from cohortlab.rules.text import as_lists, as_text, from_text, with_titles

__all__ = [
    "MEASURES",
    "MINERS",
    "as_lists",
    "as_text",
    "association_rules",
    "baskets_of",
    "frequent_itemsets",
    "from_text",
    "minimum_count",
    "why_empty",
    "with_titles",
]
