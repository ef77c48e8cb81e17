"""Gaussian mixtures: all covariance models, weighted rows, and an audited choice."""

from cohortlab.mixture.estimator import GaussianMixture
from cohortlab.mixture.evidence import Limits
from cohortlab.mixture.mass_points import split_mass_points
from cohortlab.mixture.merge import MergeTree, explain_merges, merge_components
from cohortlab.mixture.search import Search, search
from cohortlab.mixture.views import bells, directions, ellipses, project
from cohortlab.mixture.words import conclusion, explain, questions, stability_table

__all__ = [
    "GaussianMixture",
    "Limits",
    "MergeTree",
    "Search",
    "bells",
    "conclusion",
    "directions",
    "ellipses",
    "explain",
    "explain_merges",
    "merge_components",
    "project",
    "questions",
    "search",
    "split_mass_points",
    "stability_table",
]
