"""What a run publishes: one row a customer, and an id that follows from nothing else."""

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from cohortlab.publishing.sheets import NUL, VISIBLE_NUL
from cohortlab.schemas import TABLES, validate

TABLE = "published_customers"


class PublishingError(ValueError):
    """Customers that cannot be published, or tables that cannot take them."""


def customers_table(
    features: pd.DataFrame,
    clusters: pd.DataFrame,
    cluster_names: Mapping[int, str],
    *,
    segments: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """
    Put together what is published of each customer.

    Parameters
    ----------
    features : pandas.DataFrame
        Table `customer_features`.
    clusters : pandas.DataFrame
        The same customers' clusters: columns `id` and `cluster`.
    cluster_names : mapping of int to str
        What to call each cluster.
    segments : pandas.DataFrame, optional
        The same customers' named segments: the first column the id, and a column `segment`.
        Without it no customer has a segment.

    Returns
    -------
    pandas.DataFrame
        Table `published_customers`, ordered by id.

    Raises
    ------
    PublishingError
        If there is no customer, the tables are not of the same customers, or a cluster has no name.

    Notes
    -----
    Ids become text, and are compared as text. The letter NUL, which PostgreSQL cannot store,
    becomes U+2400 everywhere, so that SQLite, PostgreSQL and the sheet agree.
    """
    if features.empty:
        raise PublishingError(
            "There is no customer to publish; the view of the latest run would lose every row."
        )
    by_id = features.set_index(features["customer_id"].astype("str")).drop(columns="customer_id")
    table = by_id.assign(
        cluster=_of_the_same(by_id.index, clusters, "id", "cluster"),
        segment=None
        if segments is None
        else _of_the_same(by_id.index, segments, segments.columns[0], "segment"),
    ).reset_index()
    table["cluster_name"] = table["cluster"].map(dict(cluster_names))
    if table["cluster_name"].isna().any():
        nameless = sorted(set(table["cluster"]) - set(cluster_names))
        raise PublishingError(f"Clusters without a name: {nameless}.")
    return _in_form(table)


def _of_the_same(ids: pd.Index, table: pd.DataFrame, key: str, column: str) -> np.ndarray:
    values = table.set_index(table[key].astype("str"))[column]
    if not (values.index.is_unique and ids.is_unique and set(values.index) == set(ids)):
        lacking, surplus = ids.difference(values.index), values.index.difference(ids)
        twice = values.index[values.index.duplicated()].union(ids[ids.duplicated()])
        raise PublishingError(
            f"Every customer should stand once in the features and once in the table with "
            f"`{column}`; not in the latter {list(lacking[:3])}, only there {list(surplus[:3])}, "
            f"more than once {list(twice[:3])}. Run the steps of the study again, in their order."
        )
    return values.loc[ids].to_numpy()


def _in_form(table: pd.DataFrame) -> pd.DataFrame:
    kinds = {column.name: column.kind for column in TABLES[TABLE]}
    formed = table[list(kinds)].copy()
    for name, kind in kinds.items():
        if kind == "text":
            formed[name] = formed[name].astype("str").str.replace(NUL, VISIBLE_NUL, regex=False)
    formed = formed.sort_values("customer_id", ignore_index=True)
    twice = formed["customer_id"][formed["customer_id"].duplicated()]
    if not twice.empty:
        raise PublishingError(
            f"As text, several customers have the same id: {twice.head(3).tolist()}. "
            "Give them other ids in the log."
        )
    return validate(TABLE, formed)


def run_id(customers: pd.DataFrame, *, study: str) -> str:
    """
    Name a run by what it publishes: the same rows give the same id, on any day.

    Parameters
    ----------
    customers : pandas.DataFrame
        Table `published_customers`, from `customers_table`.
    study : str
        The study that publishes them.

    Returns
    -------
    str
        32 hexadecimal digits: half of the SHA-256 of names, kinds and values of all columns.

    Examples
    --------
    >>> import pandas as pd
    >>> features = pd.DataFrame(
    ...     {"customer_id": [7], "gross_revenue": [9.5], "recency_days": [3],
    ...      "quantity_of_products": [2], "frequency": [0.0], "returns": [0]}
    ... )
    >>> table = customers_table(features, pd.DataFrame({"id": [7], "cluster": [0]}), {0: "all"})
    >>> run_id(table, study="customers") == run_id(table.copy(), study="customers")
    True
    >>> run_id(table, study="customers") == run_id(table, study="other")
    False
    """
    digest = hashlib.sha256()
    for part in (study.encode(), *_parts(customers)):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:32]


def _parts(customers: pd.DataFrame) -> Iterator[bytes]:
    for column in TABLES[TABLE]:
        values = customers[column.name]
        yield f"{column.name} {column.kind}".encode()
        if column.kind == "text":
            yield values.isna().to_numpy().tobytes()
            # No text holds NUL by now, so it may stand between them.
            yield NUL.join(values.fillna("").tolist()).encode()
        else:
            yield values.to_numpy("<f8" if column.kind == "number" else "<i8").tobytes()
