"""Clusters of items, and the tested relation between clusters of people and clusters of items."""

from cohortlab.bipartite.incidence import Incidence, incidence_matrix, person_by_item_cluster
from cohortlab.bipartite.items import (
    ITEM_METHODS,
    UNKNOWN_GROUP,
    ItemClusters,
    cluster_items,
)
from cohortlab.bipartite.modularity import matched_modularity, modularity
from cohortlab.bipartite.permutations import PERMUTATIONS
from cohortlab.bipartite.relation_table import NULLS, RELATION_COLUMNS, relations
from cohortlab.bipartite.splitting import split_edges
from cohortlab.bipartite.strength import (
    cramers_v,
    mutual_information,
    summarise,
)
from cohortlab.bipartite.swaps import random_tables, swap_edges
from cohortlab.bipartite.thinning import thin_relations

__all__ = [
    "ITEM_METHODS",
    "NULLS",
    "PERMUTATIONS",
    "RELATION_COLUMNS",
    "UNKNOWN_GROUP",
    "Incidence",
    "ItemClusters",
    "cluster_items",
    "cramers_v",
    "incidence_matrix",
    "matched_modularity",
    "modularity",
    "mutual_information",
    "person_by_item_cluster",
    "random_tables",
    "relations",
    "split_edges",
    "summarise",
    "swap_edges",
    "thin_relations",
]
