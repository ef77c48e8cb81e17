"""Frequent itemsets and association rules in mlxtend's frames, on exact counts."""

from cohortlab.rules.advice import why_empty
from cohortlab.rules.association import association_rules
from cohortlab.rules.confirmation import (
    Confirmation,
    confirm_rules,
    confirmed_rules,
    discover_and_confirm,
    one_per_itemset,
    split_baskets,
)
from cohortlab.rules.contrast import contrast_rules
from cohortlab.rules.correction import adjust
from cohortlab.rules.hierarchy import ancestor_pairs, at_level, rules_above, with_ancestors
from cohortlab.rules.itemsets import (
    TARGETS,
    TooManyItemsetsError,
    frequent_itemsets,
    minimum_count,
)
from cohortlab.rules.joins import baskets_of
from cohortlab.rules.measures import FURTHER_MEASURES, MEASURES
from cohortlab.rules.miners import MINERS
from cohortlab.rules.reading import BasketReport, Baskets, read_baskets
from cohortlab.rules.shuffling import shuffle_baskets
from cohortlab.rules.stability import rule_stability
from cohortlab.rules.text import as_lists, as_text, from_text, with_titles

__all__ = [
    "FURTHER_MEASURES",
    "MEASURES",
    "MINERS",
    "TARGETS",
    "BasketReport",
    "Baskets",
    "Confirmation",
    "TooManyItemsetsError",
    "adjust",
    "ancestor_pairs",
    "as_lists",
    "as_text",
    "association_rules",
    "at_level",
    "baskets_of",
    "confirm_rules",
    "confirmed_rules",
    "contrast_rules",
    "discover_and_confirm",
    "frequent_itemsets",
    "from_text",
    "minimum_count",
    "one_per_itemset",
    "read_baskets",
    "rule_stability",
    "rules_above",
    "shuffle_baskets",
    "split_baskets",
    "why_empty",
    "with_ancestors",
    "with_titles",
]
