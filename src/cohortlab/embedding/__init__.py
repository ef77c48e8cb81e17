"""Customers by the leaves of a forest: a drawn plane, and direct routes beside it."""

from cohortlab.embedding.choice import choose_gap, elbow, gap_statistic, number_table
from cohortlab.embedding.chosen import refit_chosen
from cohortlab.embedding.comparison import agreement, leaderboard, stability
from cohortlab.embedding.drivers import driver_words, exceedance
from cohortlab.embedding.fitting import fit_recipe, require_clusters
from cohortlab.embedding.forest import LeafForest, fit_leaf_forest
from cohortlab.embedding.plane import draw_plane
from cohortlab.embedding.proximity import (
    cluster_by_proximity,
    nearest_rows,
    share_alone,
    silhouettes,
)
from cohortlab.embedding.routes import (
    ROUTES,
    Found,
    Recipe,
    permuted_columns,
    scaled_leaves,
    take_route,
    take_routes,
)

__all__ = [
    "ROUTES",
    "Found",
    "LeafForest",
    "Recipe",
    "agreement",
    "choose_gap",
    "cluster_by_proximity",
    "draw_plane",
    "driver_words",
    "elbow",
    "exceedance",
    "fit_leaf_forest",
    "fit_recipe",
    "gap_statistic",
    "leaderboard",
    "nearest_rows",
    "number_table",
    "permuted_columns",
    "refit_chosen",
    "require_clusters",
    "scaled_leaves",
    "share_alone",
    "silhouettes",
    "stability",
    "take_route",
    "take_routes",
]
