"""Clusters of people and items found together, from nothing but who acted on what."""

from cohortlab.communities.block_model import (
    BlockModel,
    choose_block_model,
    fit_block_model,
    integrated_likelihood,
)
from cohortlab.communities.methods import (
    CO_METHODS,
    FIND_THEIR_NUMBER,
    CoClustering,
    co_cluster,
)

__all__ = [
    "CO_METHODS",
    "FIND_THEIR_NUMBER",
    "BlockModel",
    "CoClustering",
    "choose_block_model",
    "co_cluster",
    "fit_block_model",
    "integrated_likelihood",
]
