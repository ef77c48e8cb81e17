"""Clusters described in words, and whether these words can be believed."""

from cohortlab.interpretation.assignment import assign_by_embedding, assign_by_terms, embedder
from cohortlab.interpretation.cassette import Cassette
from cohortlab.interpretation.consistency import consistency
from cohortlab.interpretation.describing import (
    SEEDS,
    Description,
    Descriptions,
    describe_clusters,
)
from cohortlab.interpretation.endpoint import Chat, ModelError, connect
from cohortlab.interpretation.identifiability import Identifiability, identifiability
from cohortlab.interpretation.keywords import KeywordDescriber, contrast
from cohortlab.interpretation.llm import LlmDescriber, assign_by_llm
from cohortlab.interpretation.sampling import draw_sample, hold_out
from cohortlab.interpretation.table import as_html, as_page, description_table
from cohortlab.interpretation.terms import HABITS, find_terms, sequence_terms

__all__ = [
    "HABITS",
    "SEEDS",
    "Cassette",
    "Chat",
    "Description",
    "Descriptions",
    "Identifiability",
    "KeywordDescriber",
    "LlmDescriber",
    "ModelError",
    "as_html",
    "as_page",
    "assign_by_embedding",
    "assign_by_llm",
    "assign_by_terms",
    "connect",
    "consistency",
    "contrast",
    "describe_clusters",
    "description_table",
    "draw_sample",
    "embedder",
    "find_terms",
    "hold_out",
    "identifiability",
    "sequence_terms",
]
