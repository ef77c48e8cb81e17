"""A recipe held against the customers at hand, before anything is computed by it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cohortlab.embedding.routes import ROUTES, Recipe

#: Fewer customers leave no two numbers of clusters to compare, and no leaf to part.
FEWEST = 4


def fit_recipe(
    recipe: Recipe,
    table: pd.DataFrame,
    *,
    trial_rows: int,
    k_values: Sequence[int],
    order_by: Sequence[str],
    scored: str,
) -> Recipe:
    """Check the choices of the step against its customers, and cap the neighbours at their number.

    Parameters
    ----------
    recipe : Recipe
        The choices of the routes.
    table : pandas.DataFrame
        First column the id, then the features.
    trial_rows : int
        Customers in a bootstrap sample or a shuffled table, at most.
    k_values : sequence of int
        Numbers of clusters to compare.
    order_by : sequence of str
        Features that clusters are ordered by.
    scored : str
        Route whose clusters are used.

    Returns
    -------
    Recipe
        The same, with `n_neighbours` at most the number of customers.

    Raises
    ------
    ValueError
        If a choice is impossible; every such parameter is named, with what is possible.

    Notes
    -----
    A tree sees about 63 % of the rows, so that it can part leaves of up to a quarter of all. Half
    as many clusters as rows leave two rows a cluster; silhouettes of k clusters take k + 1 rows.
    """
    if len(table) < FEWEST:
        raise ValueError(
            f"expected at least {FEWEST} customers, got {len(table)}: so few have no clusters; "
            "take a longer log"
        )
    n_trial = min(len(table), trial_rows)
    faults = [
        *_column_faults(recipe, list(table.columns[1:]), order_by),
        *_number_faults(recipe, len(table), n_trial),
        *_k_faults(k_values, n_trial),
    ]
    if scored not in ROUTES:
        faults.append(f"scored: expected one of {list(ROUTES)}, got {scored!r}")
    if faults:
        raise ValueError("; ".join(faults))
    return replace(recipe, n_neighbours=min(recipe.n_neighbours, len(table)))


def require_clusters(labels: Mapping[str, np.ndarray], *, scored: str) -> None:
    """Demand that the route whose clusters are used tells customers apart.

    Parameters
    ----------
    labels : mapping of str to array of shape (n_rows,)
        Clusters by route.
    scored : str
        The route.

    Raises
    ------
    ValueError
        If it found a single cluster; routes that found several are named.
    """
    several = [route for route in ROUTES if len(np.unique(labels[route])) > 1]
    if scored not in several:
        raise ValueError(
            f"scored: {scored!r} finds a single cluster, so there is nothing to name or compare; "
            f"several are found by {several}: choose one of them, or lower min_leaf"
        )


def _column_faults(recipe: Recipe, known: list[str], order_by: Sequence[str]) -> list[str]:
    faults = []
    if recipe.target not in known:
        faults.append(f"target: expected one of the features {known}, got {recipe.target!r}")
    others = [name for name in known if name != recipe.target]
    named = {
        "learns_from": (recipe.columns, others, "other than the target "),
        "rfm": (recipe.rfm, known, ""),
        "order_by": (order_by, known, ""),
    }
    for parameter, (given, possible, which) in named.items():
        right = len(given) and set(given) <= set(possible) and len(set(given)) == len(given)
        if not right:
            faults.append(
                f"{parameter}: expected one or more features {which}of {possible}, each once, got "
                f"{list(given)}"
            )
    return faults


def _number_faults(recipe: Recipe, n_rows: int, n_trial: int) -> list[str]:
    faults = []
    if n_trial < FEWEST:
        faults.append(f"trial_rows: expected {FEWEST} or more, got {n_trial}")
    if recipe.max_rows < FEWEST:
        faults.append(f"max_rows: expected {FEWEST} or more, got {recipe.max_rows}")
    at_once = max(FEWEST, min(n_trial, recipe.max_rows))
    bounds = {
        "min_leaf": (1, n_rows // 4, f"a quarter of {n_rows} customers"),
        "n_clusters": (2, at_once // 2, f"half of {at_once} customers that are joined at a time"),
    }
    for name, (low, high, why) in bounds.items():
        value = getattr(recipe, name)
        if not low <= value <= high:
            possible = f"{low} to {high}" if low < high else f"{low}"
            faults.append(f"{name}: expected {possible}, {high} being {why}, got {value}")
    return faults


def _k_faults(k_values: Sequence[int], n_trial: int) -> list[str]:
    most = max(n_trial, FEWEST) - 1
    given = list(k_values)
    if len(given) >= 2 and given == list(range(2, 2 + len(given))) and given[-1] <= most:
        return []
    return [
        f"k_values: expected two or more consecutive numbers from 2, such as [2, 3], up to {most} "
        f"(one less than the customers of a trial), got {given}"
    ]
