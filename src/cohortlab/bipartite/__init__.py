"""Clusters of items, and the tested relation between clusters of people and clusters of items."""

from cohortlab.bipartite.incidence import Incidence, incidence_matrix, person_by_item_cluster
from cohortlab.bipartite.items import (
    ITEM_METHODS,
    UNKNOWN_GROUP,
    ItemClusters,
    cluster_items,
)
from cohortlab.bipartite.relation_table import RELATION_COLUMNS, relations
from cohortlab.bipartite.strength import (
    cramers_v,
    mutual_information,
    summarise,
)

__all__ = [
    "ITEM_METHODS",
    "RELATION_COLUMNS",
    "UNKNOWN_GROUP",
    "Incidence",
    "ItemClusters",
    "cluster_items",
    "cramers_v",
    "incidence_matrix",
    "mutual_information",
    "person_by_item_cluster",
    "relations",
    "summarise",
]
