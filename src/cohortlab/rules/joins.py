"""Baskets joined to the clusters of their people."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohortlab.rules.checks import require


def baskets_of(
    baskets: pd.DataFrame,
    clusters: pd.DataFrame,
    chosen: Sequence[int] | None = None,
    *,
    allow_unclustered: bool = False,
) -> pd.DataFrame:
    """Join baskets to the clusters of their people, and keep those of the chosen clusters.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, person_id, item`.
    clusters : DataFrame
        Columns `id, cluster`, one row per person.
    chosen : sequence of int, optional
        Clusters to keep; all by default. An empty sequence gives no basket.
    allow_unclustered : bool
        Whether baskets of people without a cluster are left out; by default they are an error.

    Returns
    -------
    DataFrame
        The rows of `baskets` with a column `cluster`, in the same order.

    Raises
    ------
    ValueError
        If ids repeat in `clusters`, a basket belongs to two people, the ids are of two types, or a
        basket's person has no cluster.

    Notes
    -----
    The join is `baskets.person_id = clusters.id`, many to one. Basket ids and person ids may well
    be the same numbers with another meaning; nothing is ever matched by position.
    """
    require(baskets, ["basket_id", "person_id", "item"], "baskets")
    require(clusters, ["id", "cluster"], "clusters")
    repeated = clusters.loc[clusters["id"].duplicated(), "id"].drop_duplicates()
    _complain(repeated, "ids stand more than once in the clusters", "give one row per person")
    owners = baskets[["basket_id", "person_id"]].drop_duplicates()
    shared = owners.loc[owners["basket_id"].duplicated(), "basket_id"].drop_duplicates()
    _complain(shared, "baskets belong to more than one person", "make basket ids unique")
    if len(baskets) and _kind(baskets["person_id"]) != _kind(clusters["id"]):
        raise ValueError(
            f"baskets.person_id is {baskets['person_id'].dtype} but clusters.id is "
            f"{clusters['id'].dtype}: nothing would match; read both ids the same way"
        )
    joined = baskets.merge(
        clusters[["id", "cluster"]],
        how="left",
        left_on="person_id",
        right_on="id",
        validate="many_to_one",
    ).drop(columns="id")
    if len(joined) != len(baskets):
        raise ValueError(f"{len(baskets)} rows of baskets became {len(joined)} in the join")
    missing = joined["cluster"].isna()
    if not allow_unclustered:
        lost = joined.loc[missing, "person_id"].drop_duplicates()
        _complain(
            lost,
            f"people with {joined.loc[missing, 'basket_id'].nunique()} baskets have no cluster",
            "cluster them, or pass allow_unclustered=True to leave them out",
        )
    joined = joined[~missing].astype({"cluster": clusters["cluster"].dtype})
    if chosen is not None:
        joined = joined[joined["cluster"].isin(list(chosen))]
    return joined.reset_index(drop=True)


def _complain(ids: pd.Series, problem: str, remedy: str) -> None:
    if len(ids):
        first = ", ".join(repr(value) for value in ids.head(5).tolist())
        raise ValueError(f"{len(ids)} {problem} (first: {first}): {remedy}")


def _kind(column: pd.Series) -> Any:
    return "number" if pd.api.types.is_numeric_dtype(column) else "text"
