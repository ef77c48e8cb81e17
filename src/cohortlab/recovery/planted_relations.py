"""Found relations beside planted ones."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from cohortlab.intervals import require_within
from cohortlab.recovery.labels import Matching


def planted_lift(
    propensity: pd.DataFrame, weights: Mapping[Any, float] | None = None
) -> pd.DataFrame:
    """Lift that a planted relation means: a type's propensity over everybody's.

    Parameters
    ----------
    propensity : DataFrame
        First two columns planted type and item group, then `propensity`; sums to 1 per type.
    weights : mapping of type to number, optional
        Edges that the people of a type have, or any number proportional to them; equal by default.

    Returns
    -------
    DataFrame of shape (n_types, n_groups)
        Types down, groups across; NaN for a group that nobody takes.
    """
    kind, group = propensity.columns[:2]
    matrix = propensity.set_index([kind, group])["propensity"].unstack(fill_value=0.0)
    weights = pd.Series(1.0 if weights is None else dict(weights), index=matrix.index, dtype=float)
    if weights.isna().any() or not weights.sum() > 0:
        raise ValueError(f"weights are missing or zero for {list(weights.index[weights.isna()])}")
    overall = matrix.mul(weights / weights.sum(), axis=0).sum()
    return matrix / overall.where(overall > 0)


def relation_recovery(
    lift: pd.DataFrame,
    found: pd.DataFrame,
    people: Matching | Mapping[Any, Any],
    items: Matching | Mapping[Any, Any],
    *,
    alpha: float = 0.05,
    min_lift: float = 1.5,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Compare a planted relation with the table of relations found.

    Parameters
    ----------
    lift : DataFrame of shape (n_types, n_groups)
        From `planted_lift`.
    found : DataFrame
        From `cohortlab.bipartite.relations`.
    people, items : Matching or mapping of planted to found
        The matchings of both sides, made once and applied here; a mapping of every label to
        itself compares relations between the planted groups themselves.
    alpha : float
        Level for `q`, in (0, 1).
    min_lift : float
        A planted relation is one with at least this lift.

    Returns
    -------
    figures : dict
        `n_cells` (matched on both sides), `n_cells_unmatched`, `correlation` and
        `rank_correlation` of the logarithms of planted and found lift (None where undefined),
        `n_planted`, `n_planted_recovered` (significant with lift above 1), `recall`, and
        `n_found_opposite`: significant cells whose found and planted lift lie on opposite sides
        of 1.
    cells : DataFrame
        The matched cells: `planted_person, planted_item, person_cluster, item_cluster,
        planted_lift, observed, expected, found_lift, z, q, recovered`.

    Raises
    ------
    ValueError
        If `alpha` is no level.

    Notes
    -----
    The found lift enters the logarithm as (observed + 1/2) / (expected + 1/2), so that an empty
    cell counts as very low instead of minus infinity.
    """
    require_within(alpha, "(0, 1)", name="alpha")
    cells = _matched_cells(lift, found, _pairs(people), _pairs(items))
    defined = cells[cells["planted_lift"] > 0]
    planted_log = np.log(defined["planted_lift"])
    found_log = np.log((defined["observed"] + 0.5) / (defined["expected"] + 0.5))
    strong, significant = cells["planted_lift"] >= min_lift, cells["q"] <= alpha
    n_strong_all = int((lift >= min_lift).to_numpy().sum())
    recovered = cells["recovered"] = significant & (cells["found_lift"] > 1)
    opposite = significant & ((cells["found_lift"] - 1) * (cells["planted_lift"] - 1) < 0)
    figures = {
        "n_cells": len(cells),
        "n_cells_unmatched": int(lift.size - len(cells)),
        "correlation": _correlation(stats.pearsonr, planted_log, found_log),
        "rank_correlation": _correlation(stats.spearmanr, planted_log, found_log),
        "n_planted": n_strong_all,
        "n_planted_recovered": int((strong & recovered).sum()),
        "recall": float((strong & recovered).sum() / n_strong_all) if n_strong_all else None,
        "n_found_opposite": int(opposite.sum()),
    }
    return figures, cells


def _pairs(matching: Matching | Mapping[Any, Any]) -> Mapping[Any, Any]:
    return matching.planted_to_found if isinstance(matching, Matching) else matching


def _matched_cells(
    lift: pd.DataFrame, found: pd.DataFrame, people: Mapping, items: Mapping
) -> pd.DataFrame:
    wanted = [
        (kind, group, people[kind], items[group], float(lift.loc[kind, group]))
        for kind in lift.index
        for group in lift.columns
        if kind in people and group in items
    ]
    names = ["planted_person", "planted_item", "person_cluster", "item_cluster", "planted_lift"]
    cells = pd.DataFrame(wanted, columns=names)
    kept = found.rename(columns={"lift": "found_lift"}).drop(columns="p")
    keys = ["person_cluster", "item_cluster"]
    joined = cells.merge(kept, how="inner", on=keys, validate="one_to_one")
    return joined


def _correlation(function: Callable, first: pd.Series, second: pd.Series) -> float | None:
    if len(first) < 3 or first.nunique() < 2 or second.nunique() < 2:
        return None
    return float(function(first, second).statistic)
