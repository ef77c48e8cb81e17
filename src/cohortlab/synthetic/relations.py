"""Relations between groups of people and groups of items: the one place where they are planted.

A relation is a row-stochastic matrix: for each group of people the shares of the groups of items
it chooses. The event log, the invoice log and the purchases of populations all plant it by
`relation_matrix` and draw from it by `draw_columns` and `draw_within`. Co-purchases, a finer
relation between the items of one basket, are planted by `cohortlab.synthetic.co_purchases`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys, check_shares

#: For each group of people the group of items that it prefers, or its relative propensities.
Preferences = Mapping[str, str | Mapping[str, float]]


def relation_matrix(
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    strength: float,
    column_shares: Sequence[float] | None = None,
    preferences: Preferences | None = None,
    rng: np.random.Generator | None = None,
    where: str = "preferences",
) -> np.ndarray:
    """Relation of rows (groups of people) to columns (groups of items), of a given strength.

    Parameters
    ----------
    row_names, column_names : sequence of str
        Names of the groups.
    strength : float
        0: all rows equal the shares of the columns. 1: each row chooses as it prefers, which is
        deterministic where it prefers a single column.
    column_shares : sequence of float, optional
        Shares of the columns without a relation; equal shares where not given.
    preferences : mapping of str to str or mapping, optional
        For every row its preferred column, or relative propensities of several columns (at least
        0, one above 0; a column not named has none). Where not given, each row gets one column at
        random, none twice before all were dealt once.
    rng : numpy.random.Generator, optional
        Needed where preferences are not given.
    where : str
        What messages call the preferences.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        Propensities; each row sums to one.

    Raises
    ------
    ValueError
        If the strength, the shares, a preferred name or a propensity is impossible.

    Notes
    -----
    ``(1 - strength) * shares + strength * preferred``, where the propensities ``preferred`` of a
    row sum to one: 1 at a single preferred column, 0 elsewhere.

    Examples
    --------
    >>> likes = {"x": "a", "y": {"a": 1, "b": 3}}
    >>> relation_matrix(["x", "y"], ["a", "b"], strength=0.5, preferences=likes)
    array([[0.75 , 0.25 ],
           [0.375, 0.625]])
    """
    check_number(strength, where="relation_strength", low=0, high=1)
    n_columns = len(column_names)
    shares = np.full(n_columns, 1 / n_columns) if column_shares is None else column_shares
    check_shares(dict(zip(column_names, shares, strict=True)), where="groups")
    if preferences is None:
        preferred = np.eye(n_columns)[_dealt_columns(len(row_names), n_columns, where, rng)]
    else:
        check_keys(preferences, row_names, where=where)
        preferred = np.stack(
            [_preferred(preferences[row], column_names, f"{where}.{row}") for row in row_names]
        )
    matrix = (1 - strength) * np.asarray(shares, dtype=float) + strength * preferred
    return matrix / matrix.sum(axis=1, keepdims=True)


def _dealt_columns(
    n_rows: int, n_columns: int, where: str, rng: np.random.Generator | None
) -> np.ndarray:
    if rng is None:
        raise ValueError(f"{where}: give the preferred column of each row, or an rng")
    return np.resize(rng.permutation(n_columns), n_rows)


def _preferred(
    wanted: str | Mapping[str, float], column_names: Sequence[str], where: str
) -> np.ndarray:
    given = wanted if isinstance(wanted, Mapping) else {str(wanted): 1.0}
    for column, value in given.items():
        if column not in column_names:
            raise ValueError(f"{where}: expected one of {list(column_names)}, got {column!r}")
        check_number(value, where=f"{where}.{column}", low=0)
    values = np.array([given.get(column, 0.0) for column in column_names], dtype=float)
    if values.sum() <= 0:
        raise ValueError(f"{where}: expected a propensity above 0, got {dict(given)}")
    return values / values.sum()


def relation_table(
    matrix: np.ndarray,
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    row_label: str,
    column_label: str,
) -> pd.DataFrame:
    """Write a relation matrix as a table with one row for each pair of groups.

    Parameters
    ----------
    matrix : ndarray, shape (n_rows, n_columns)
        Propensities.
    row_names, column_names : sequence of str
        Names of the groups.
    row_label, column_label : str
        Names of the first two columns of the table.

    Returns
    -------
    DataFrame
        Columns ``row_label``, ``column_label`` and ``propensity``, row by row of the matrix.
    """
    return pd.DataFrame(
        {
            row_label: np.repeat(np.asarray(row_names, dtype=object), len(column_names)),
            column_label: np.tile(np.asarray(column_names, dtype=object), len(row_names)),
            "propensity": matrix.ravel(),
        }
    )


def stacked_cumulative(weights: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Prepare weighted draws within groups: `draw_within` looks a draw up in what this returns.

    Parameters
    ----------
    weights : ndarray, shape (n,)
        Weights of the members, at least 0, with a sum above 0 in every group.
    groups : ndarray of int, shape (n,)
        Group of each member: 0 to n_groups - 1, ascending, none empty.

    Returns
    -------
    ndarray, shape (n,)
        ``group + cumulative share within the group``: one ascending array for all groups.

    Examples
    --------
    >>> stacked_cumulative(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist()
    [0.25, 1.0, 2.0]
    """
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    positions = np.arange(len(groups))
    last = np.maximum.reduceat(np.where(weights > 0, positions, -1), first)
    share = weights / np.add.reduceat(weights, first)[groups]
    running = np.cumsum(share)
    within = running - (running[first] - share[first])[groups]
    stacked = np.clip(within, 0, 1) + groups
    # Rounding must leave nothing for the members of weight 0 that end a group.
    stacked = np.where(positions >= last[groups], groups + 1.0, stacked)
    return np.maximum.accumulate(stacked)


def draw_within(groups: np.ndarray, stacked: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Draw one member of each given group with the weights of `stacked_cumulative`.

    Parameters
    ----------
    groups : ndarray of int, shape (n_draws,)
        The group to draw from.
    stacked : ndarray, shape (n_members,)
        From `stacked_cumulative`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int64, shape (n_draws,)
        Positions of the drawn members.
    """
    point = groups + rng.random(len(groups))
    # A sum may round up to the next group's floor; the largest float below keeps it in its own.
    point = np.minimum(point, np.nextafter(groups + 1.0, 0))
    return np.searchsorted(stacked, point, "right")


def draw_columns(matrix: np.ndarray, rows: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Draw a column (a group of items) for each given row (a group of people).

    Parameters
    ----------
    matrix : ndarray, shape (n_rows, n_columns)
        From `relation_matrix`.
    rows : ndarray of int, shape (n_draws,)
        Row of each draw.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int64, shape (n_draws,)
        Drawn columns.

    Examples
    --------
    >>> draw_columns(np.eye(3), np.array([2, 0]), rng=np.random.default_rng(0)).tolist()
    [2, 0]
    """
    n_rows, n_columns = matrix.shape
    stacked = stacked_cumulative(matrix.ravel(), np.repeat(np.arange(n_rows), n_columns))
    return draw_within(rows, stacked, rng=rng) - rows * n_columns
