"""What was planted beside what was found: labels, relations and rules, and their nulls."""

from cohortlab.recovery.labels import Matching, label_recovery, label_scores, match_labels
from cohortlab.recovery.nulls import null_relations, null_rules
from cohortlab.recovery.planted_pairs import pair_recovery
from cohortlab.recovery.planted_propensities import propensity_recovery
from cohortlab.recovery.planted_relations import planted_lift, relation_recovery

__all__ = [
    "Matching",
    "label_recovery",
    "label_scores",
    "match_labels",
    "null_relations",
    "null_rules",
    "pair_recovery",
    "planted_lift",
    "propensity_recovery",
    "relation_recovery",
]
