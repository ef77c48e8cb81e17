"""Clusterings of people by name, and how good they are."""

from cohortlab.clusters.measures import Quality, quality
from cohortlab.clusters.methods import (
    DENSITY_METHODS,
    METHODS,
    Clustering,
    cluster,
    with_group_apart,
)

__all__ = [
    "DENSITY_METHODS",
    "METHODS",
    "Clustering",
    "Quality",
    "cluster",
    "quality",
    "with_group_apart",
]
