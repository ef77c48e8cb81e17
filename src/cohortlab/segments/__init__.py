"""Customers by recency, frequency and money: scores, named segments, movement, concentration."""

from cohortlab.segments.concentration import gini, lorenz_curve
from cohortlab.segments.naming import name_centres
from cohortlab.segments.outliers import OUTLIERS, is_outlier
from cohortlab.segments.rfm import FEATURES, MEASURES, measures_of_features, rfm_table
from cohortlab.segments.scores import Scores, fit_scores
from cohortlab.segments.segmentation import Segmentation
from cohortlab.segments.summary import NOT_YET, follow_up, migration, summarise
from cohortlab.segments.table import SegmentTable, read_segments

__all__ = [
    "FEATURES",
    "MEASURES",
    "NOT_YET",
    "OUTLIERS",
    "Scores",
    "SegmentTable",
    "Segmentation",
    "fit_scores",
    "follow_up",
    "gini",
    "is_outlier",
    "lorenz_curve",
    "measures_of_features",
    "migration",
    "name_centres",
    "read_segments",
    "rfm_table",
    "summarise",
]
