"""Browsing: sequences of visits to domains, and what describes them."""

from cohortlab.browsing.engineered import CATEGORIES, FEATURES, engineered_features
from cohortlab.browsing.sentences import sentences
from cohortlab.browsing.sequences import make_sequences

__all__ = [
    "CATEGORIES",
    "FEATURES",
    "engineered_features",
    "make_sequences",
    "sentences",
]
