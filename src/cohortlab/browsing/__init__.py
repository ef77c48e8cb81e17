"""Browsing: sequences of visits to domains, what describes them, and groups of users by them."""

from cohortlab.browsing.choice import SEARCHED, Choice, choose
from cohortlab.browsing.engineered import CATEGORIES, FEATURES, engineered_features
from cohortlab.browsing.nulls import null_choices, user_silhouettes
from cohortlab.browsing.representations import (
    OF_FEATURES,
    REPRESENTATIONS,
    represent,
    word_weights,
)
from cohortlab.browsing.sentence_models import ModelError
from cohortlab.browsing.sentences import sentences
from cohortlab.browsing.sequences import make_sequences
from cohortlab.browsing.users import STATISTICS, attention_to_rare, user_vectors

__all__ = [
    "CATEGORIES",
    "FEATURES",
    "OF_FEATURES",
    "REPRESENTATIONS",
    "SEARCHED",
    "STATISTICS",
    "Choice",
    "ModelError",
    "attention_to_rare",
    "choose",
    "engineered_features",
    "make_sequences",
    "null_choices",
    "represent",
    "sentences",
    "user_silhouettes",
    "user_vectors",
    "word_weights",
]
