"""Clusterings of people by name, and how good they are."""

from cohortlab.clusters.linkage import LINKAGES, linkage_tree
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
    "LINKAGES",
    "METHODS",
    "Clustering",
    "Quality",
    "cluster",
    "linkage_tree",
    "quality",
    "with_group_apart",
]
