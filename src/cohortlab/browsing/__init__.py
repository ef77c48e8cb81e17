"""Browsing: sequences of visits to domains, and what describes them."""

from cohortlab.browsing.domains import registrable_domain, registrable_domains
from cohortlab.browsing.engineered import CATEGORIES, FEATURES, engineered_features
from cohortlab.browsing.sentences import sentences
from cohortlab.browsing.sequences import make_sequences

__all__ = [
    "CATEGORIES",
    "FEATURES",
    "engineered_features",
    "make_sequences",
    "registrable_domain",
    "registrable_domains",
    "sentences",
]
