"""Browsing: sequences of visits to domains, what describes them, and groups of users by them."""

from cohortlab.browsing.choice import SEARCHED, Choice, choose
from cohortlab.browsing.engineered import CATEGORIES, FEATURES, engineered_features
from cohortlab.browsing.limits import exchange_sequences, keep_sequences, types_found
from cohortlab.browsing.nulls import (
    held_against_null,
    n_shuffles_reaching,
    null_choices,
    user_silhouettes,
)
from cohortlab.browsing.representations import (
    OF_FEATURES,
    REPRESENTATIONS,
    represent,
    word_weights,
)
from cohortlab.browsing.sentence_models import ModelError
from cohortlab.browsing.sentences import sentences
from cohortlab.browsing.sequences import make_sequences
from cohortlab.browsing.users import STATISTICS, attention_to_rare, principal_plane, user_vectors
from cohortlab.browsing.weighting import WEIGHTINGS, sequence_weights

__all__ = [
    "CATEGORIES",
    "FEATURES",
    "OF_FEATURES",
    "REPRESENTATIONS",
    "SEARCHED",
    "STATISTICS",
    "WEIGHTINGS",
    "Choice",
    "ModelError",
    "attention_to_rare",
    "choose",
    "engineered_features",
    "exchange_sequences",
    "held_against_null",
    "keep_sequences",
    "make_sequences",
    "n_shuffles_reaching",
    "null_choices",
    "principal_plane",
    "represent",
    "sentences",
    "sequence_weights",
    "types_found",
    "user_silhouettes",
    "user_vectors",
    "word_weights",
]
