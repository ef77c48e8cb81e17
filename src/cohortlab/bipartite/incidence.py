"""People by items as a sparse matrix, and its sums over clusters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


@dataclass(frozen=True)
class Incidence:
    """People by items.

    Attributes
    ----------
    matrix : scipy.sparse.csr_array of shape (n_people, n_items)
        How often each person acted on each item.
    people : ndarray of shape (n_people,)
        Person of each row.
    items : ndarray of str, shape (n_items,)
        Item of each column, sorted.
    """

    matrix: sparse.csr_array
    people: np.ndarray
    items: np.ndarray


def incidence_matrix(table: pd.DataFrame, people: Sequence[Any] | None = None) -> Incidence:
    """Turn the long table of incidence into a sparse matrix.

    Parameters
    ----------
    table : DataFrame
        Columns `person_id, item, weight`; weights are positive, repeated pairs are added.
    people : sequence, optional
        Person of each row wanted, say the `id` column of the clusters; people without an item get
        an empty row. Those in the table, sorted, by default.

    Returns
    -------
    Incidence
        The matrix with its row and column names.

    Raises
    ------
    ValueError
        If a column, id or weight is missing or not positive, ids repeat in `people`, or the table
        has people that are not listed.
    """
    _check_incidence(table)
    wanted = pd.Index(people if people is not None else sorted(table["person_id"].unique()))
    if wanted.has_duplicates:
        raise ValueError(f"person {wanted[wanted.duplicated()][0]!r} is listed twice")
    rows = wanted.get_indexer(table["person_id"])
    lost = table.loc[rows < 0, "person_id"].drop_duplicates()
    if len(lost):
        raise ValueError(
            f"{len(lost)} people of the incidence are not listed (first: {lost.head(5).tolist()}): "
            "give every person a row, and read ids as the same type in both tables"
        )
    columns, items = pd.factorize(table["item"].astype(str), sort=True)
    weights = table["weight"].to_numpy()
    matrix = sparse.coo_array((weights, (rows, columns)), shape=(len(wanted), len(items))).tocsr()
    return Incidence(matrix, wanted.to_numpy(), np.asarray(items, dtype=object))


def person_by_item_cluster(
    incidence: sparse.sparray, person_labels: np.ndarray, item_labels: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Edges of each person to each item cluster, with the codes of the people's clusters.

    Parameters
    ----------
    incidence, person_labels, item_labels
        As for `relations`.

    Returns
    -------
    groups : ndarray of shape (n_people, n_item_clusters)
        Edges by person and item cluster.
    people : tuple of ndarray
        Ids of the person clusters, sorted, and the place among them of each person's.
    item_ids : ndarray
        Ids of the item clusters, sorted.
    """
    incidence = checked_incidence(incidence, person_labels, item_labels)
    person_ids, codes = np.unique(np.asarray(person_labels), return_inverse=True)
    item_ids, columns = np.unique(np.asarray(item_labels), return_inverse=True)
    ones = np.ones(len(columns), dtype=incidence.dtype)
    member = sparse.csr_array(
        (ones, (np.arange(len(columns)), columns)), shape=(len(columns), len(item_ids))
    )
    return (incidence @ member).toarray(), (person_ids, codes), item_ids


def checked_incidence(
    incidence: sparse.sparray, person_labels: np.ndarray, item_labels: np.ndarray
) -> sparse.csr_array:
    """Demand a label for every row and column and counts that are counts, and make room for sums.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        How often each person acted on each item.
    person_labels : array of shape (n_people,)
        Cluster of each person.
    item_labels : array of shape (n_items,)
        Cluster of each item.

    Returns
    -------
    csr_array of shape (n_people, n_items)
        The incidence as int64 or float64, because sums of a smaller type overflow in silence (and
        the sum of two booleans is one).

    Raises
    ------
    ValueError
        If the lengths do not fit, a label is missing, or a count is negative or not finite.
    """
    incidence = sparse.csr_array(incidence)
    wide = np.int64 if incidence.dtype.kind in "biu" else np.float64
    incidence = incidence.astype(wide, copy=False)
    for side, labels in (("person", person_labels), ("item", item_labels)):
        missing = np.flatnonzero(pd.isna(np.asarray(labels)))
        if len(missing):
            raise ValueError(
                f"{len(missing)} {side} labels are missing, the first in row {missing[0]}: give "
                "every row a cluster, or leave it out of the incidence too"
            )
    n_people, n_items = len(np.asarray(person_labels)), len(np.asarray(item_labels))
    if incidence.shape != (n_people, n_items):
        raise ValueError(
            f"the incidence is {incidence.shape[0]} people x {incidence.shape[1]} items, but there "
            f"are {n_people} person labels and {n_items} item labels"
        )
    wrong = incidence.data[~(np.isfinite(incidence.data) & (incidence.data >= 0))]
    if len(wrong):
        raise ValueError(f"the incidence holds {wrong[0]}: counts are finite and not negative")
    return incidence


def _check_incidence(table: pd.DataFrame) -> None:
    missing = [name for name in ["person_id", "item", "weight"] if name not in table.columns]
    if missing:
        raise ValueError(f"the incidence lacks {missing}: it has {list(table.columns)}")
    empty = np.flatnonzero(table[["person_id", "item", "weight"]].isna().any(axis=1))
    if len(empty):
        raise ValueError(f"{len(empty)} rows of the incidence are incomplete, first row {empty[0]}")
    wrong = np.flatnonzero(table["weight"] <= 0)
    if len(wrong):
        value = table["weight"].iloc[wrong[0]]
        raise ValueError(
            f"row {wrong[0]} of the incidence has weight {value}: weights are positive"
        )


def sum_by_group(values: np.ndarray, codes: np.ndarray, n_groups: int) -> np.ndarray:
    """Add the rows of each group.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        What to add.
    codes : ndarray of int, shape (n_rows,)
        Group of each row, from 0.
    n_groups : int
        Number of groups; those without a row get zeros.

    Returns
    -------
    ndarray of shape (n_groups, n_columns)
        The sums.

    Examples
    --------
    >>> sum_by_group(np.array([[1, 2], [3, 4], [5, 6]]), np.array([1, 0, 1]), 2).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    columns = [np.bincount(codes, column, minlength=n_groups) for column in values.T]
    return np.array(columns).T.reshape(n_groups, values.shape[1])
