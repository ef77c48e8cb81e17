"""Relations between groups of people and groups of items: the one place where they are planted.

A relation is a row-stochastic matrix: for each group of people the shares of the groups of items
it chooses. Co-purchases, a finer relation between the items of one basket, are planted by
`cohortlab.synthetic.co_purchases`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cohortlab.synthetic.checks import check_keys, check_number, check_shares


def relation_matrix(
    row_names: Sequence[str],
    column_names: Sequence[str],
    *,
    strength: float,
    column_shares: Sequence[float] | None = None,
    preferences: Mapping[str, str] | None = None,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Relation of rows (groups of people) to columns (groups of items), of a given strength.

    Parameters
    ----------
    row_names, column_names : sequence of str
        Names of the groups.
    strength : float
        0: all rows equal the shares of the columns. 1: each row chooses its preferred column only.
    column_shares : sequence of float, optional
        Shares of the columns without a relation; equal shares where not given.
    preferences : mapping of str to str, optional
        The preferred column of every row. Where not given, columns are dealt out at random, none
        twice before all were dealt once.
    rng : numpy.random.Generator, optional
        Needed where preferences are not given.

    Returns
    -------
    ndarray, shape (n_rows, n_columns)
        Propensities; each row sums to one.

    Raises
    ------
    ValueError
        If the strength, the shares or a preferred name is impossible.

    Notes
    -----
    ``(1 - strength) * shares + strength * preferred``, where ``preferred`` is 1 at the row's own
    column and 0 elsewhere.

    Examples
    --------
    >>> relation_matrix(["x", "y"], ["a", "b"], strength=0.5, preferences={"x": "a", "y": "b"})
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """
    check_number(strength, where="relation_strength", low=0, high=1)
    n_columns = len(column_names)
    shares = np.full(n_columns, 1 / n_columns) if column_shares is None else column_shares
    check_shares(dict(zip(column_names, shares, strict=True)), where="groups")
    preferred = _preferred_columns(row_names, column_names, preferences, rng)
    return _blend(np.eye(n_columns)[preferred], shares, strength)


def weakened_relation(
    relation: pd.DataFrame,
    *,
    strength: float,
    column_shares: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Weaken a relation of any form: from none at all to the relation as it is given.

    Parameters
    ----------
    relation : DataFrame, shape (n_rows, n_columns)
        Relative propensities of groups of people (rows) for groups of items (columns), at least
        0, with one above 0 in every row; they are scaled to rows that sum to one.
    strength : float
        0: all rows equal the shares of the columns. 1: the relation as given, which is
        deterministic where every row has a single column.
    column_shares : sequence of float, optional
        Shares of the columns without a relation; equal shares where not given.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)
        Propensities; each row sums to one.

    Raises
    ------
    ValueError
        If the strength, the shares or a propensity is impossible; it names the row and the column.

    Examples
    --------
    >>> relation = pd.DataFrame([[3, 1], [0, 2]], index=["x", "y"], columns=["a", "b"])
    >>> weakened_relation(relation, strength=0.5).to_numpy().tolist()
    [[0.625, 0.375], [0.25, 0.75]]
    """
    check_number(strength, where="relation_strength", low=0, high=1)
    n_columns = relation.shape[1]
    shares = np.full(n_columns, 1 / n_columns) if column_shares is None else column_shares
    check_shares(dict(zip(relation.columns, shares, strict=True)), where="groups")
    for row, values in relation.iterrows():
        for column, value in values.items():
            check_number(float(value), where=f"relation.{row}.{column}", low=0)
        if values.sum() <= 0:
            raise ValueError(f"relation.{row}: expected a value above 0, got {values.tolist()}")
    wanted = relation.to_numpy(dtype=float)
    blended = _blend(wanted / wanted.sum(axis=1, keepdims=True), shares, strength)
    return pd.DataFrame(blended, index=relation.index, columns=relation.columns)


def _blend(wanted: np.ndarray, shares: Sequence[float], strength: float) -> np.ndarray:
    matrix = (1 - strength) * np.tile(np.asarray(shares, dtype=float), (len(wanted), 1))
    matrix += strength * wanted
    return matrix / matrix.sum(axis=1, keepdims=True)


def _preferred_columns(
    row_names: Sequence[str],
    column_names: Sequence[str],
    preferences: Mapping[str, str] | None,
    rng: np.random.Generator | None,
) -> np.ndarray:
    if preferences is None:
        if rng is None:
            raise ValueError("preferences: give the preferred column of each row, or an rng")
        return np.resize(rng.permutation(len(column_names)), len(row_names))
    check_keys(preferences, row_names, where="preferences")
    positions = {name: position for position, name in enumerate(column_names)}
    for row, column in preferences.items():
        if column not in positions:
            raise ValueError(
                f"preferences.{row}: expected one of {list(column_names)}, got {column!r}"
            )
    return np.array([positions[preferences[row]] for row in row_names])


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
