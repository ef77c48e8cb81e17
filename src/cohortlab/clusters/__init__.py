"""Clusterings of people by name, and how good they are."""

from cohortlab.clusters.measures import Quality, quality
from cohortlab.clusters.methods import METHODS, Clustering, cluster, with_group_apart

__all__ = ["METHODS", "Clustering", "Quality", "cluster", "quality", "with_group_apart"]
