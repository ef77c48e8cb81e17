"""What was planted beside what was found: labels, relations and rules, and their nulls."""

from cohortlab.recovery.labels import Matching, label_recovery, match_labels
from cohortlab.recovery.nulls import null_relations, null_rules, shuffle_baskets
from cohortlab.recovery.planted_pairs import pair_recovery
from cohortlab.recovery.planted_relations import planted_lift, relation_recovery

__all__ = [
    "Matching",
    "label_recovery",
    "match_labels",
    "null_relations",
    "null_rules",
    "pair_recovery",
    "planted_lift",
    "relation_recovery",
    "shuffle_baskets",
]
