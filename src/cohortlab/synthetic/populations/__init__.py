"""Populations of people and items with a known truth, and purchases that relate them."""

from cohortlab.synthetic.populations.crude import CRUDE
from cohortlab.synthetic.populations.laws import LAWS, Law
from cohortlab.synthetic.populations.overlap import pairwise_misclassification, spread_clusters
from cohortlab.synthetic.populations.population import (
    LABEL_COLUMN,
    draw_population,
    largest_remainder,
    make_population,
    null_clusters,
)
from cohortlab.synthetic.populations.purchases import Purchases, generate_purchases
from cohortlab.synthetic.populations.purchasing import (
    PURCHASING,
    Market,
    by_cluster,
    by_features,
    by_habit,
)
from cohortlab.synthetic.populations.settings import ClusterLaw, load_clusters, read_clusters

__all__ = [
    "CRUDE",
    "LABEL_COLUMN",
    "LAWS",
    "PURCHASING",
    "ClusterLaw",
    "Law",
    "Market",
    "Purchases",
    "by_cluster",
    "by_features",
    "by_habit",
    "draw_population",
    "generate_purchases",
    "largest_remainder",
    "load_clusters",
    "make_population",
    "null_clusters",
    "pairwise_misclassification",
    "read_clusters",
    "spread_clusters",
]
