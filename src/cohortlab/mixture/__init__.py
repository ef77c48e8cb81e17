"""Gaussian mixtures: all covariance models, weighted rows, and an audited choice."""

from cohortlab.mixture.estimator import GaussianMixture
from cohortlab.mixture.evidence import Limits
from cohortlab.mixture.merge import MergeTree, merge_components
from cohortlab.mixture.preparation import make_transformation, split_mass_points
from cohortlab.mixture.search import Search, search
from cohortlab.mixture.views import (
    criterion_grid,
    criterion_lines,
    directions,
    ellipses,
    project,
)
from cohortlab.mixture.words import explain

__all__ = [
    "GaussianMixture",
    "Limits",
    "MergeTree",
    "Search",
    "criterion_grid",
    "criterion_lines",
    "directions",
    "ellipses",
    "explain",
    "make_transformation",
    "merge_components",
    "project",
    "search",
    "split_mass_points",
]
