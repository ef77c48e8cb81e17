"""A found matrix of propensities beside the planted one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.recovery.labels import Matching


def propensity_recovery(
    planted: pd.DataFrame,
    found: pd.DataFrame,
    people: Matching | Mapping[Any, Any],
    items: Matching | Mapping[Any, Any],
    *,
    weights: Mapping[Any, float] | None = None,
    alpha: float = 0.05,
    min_lift: float = 1.2,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Compare a planted relation matrix with the relations found, cell by matched cell.

    Parameters
    ----------
    planted : DataFrame of shape (n_person_clusters, n_item_clusters)
        Planted propensities; rows sum to one.
    found : DataFrame
        From `cohortlab.bipartite.relations`.
    people, items : Matching or mapping of planted to found
        The matchings of both sides.
    weights : mapping of planted cluster of people to number, optional
        Edges that its people have, or any number proportional to them; equal by default.
        *Everybody's* propensities are the mean of the planted rows with these weights: they hang on
        the truth alone, not on what was found.
    alpha : float
        Level for `q`.
    min_lift : float
        A relation is planted where the propensity is at least so many times everybody's.

    Returns
    -------
    figures : dict
        `n_cells`, `n_cells_unmatched`, `correlation` of planted and found propensities over all
        cells (None where one of both does not vary), `relative_error` (root of the summed squared
        differences over that of the planted squares; 0 is best), `error_ratio` (that error over
        the one of a matrix whose rows are all everybody's: 0 for a perfect copy, 1 for what knows
        of no relation, above 1 for what is worse; None where no relation is planted), `n_planted`
        (cells with at least `min_lift`), `n_found` of them at `alpha`, `n_missed` (the others,
        unmatched cells among them) and `n_false` (significant above expectation, but not planted
        above everybody's).
    cells : DataFrame
        `planted_person, planted_item, planted, found, is_planted, is_found`; a cell of a cluster
        without a partner has found propensity 0.

    Notes
    -----
    The found propensity of a cell is its share of the edges of its cluster of people. A relative
    error hangs on the strength of the relation: rows that are nearly alike are guessed well by
    everybody's. Its ratio does not, so one threshold serves all strengths.
    """
    to_people, to_items = (
        m.planted_to_found if isinstance(m, Matching) else m for m in (people, items)
    )
    cells = _cells(planted, found, to_people, to_items, alpha)
    everybody = cells["planted_item"].map(_everybody(planted, weights))
    lift = cells["planted"] / everybody
    cells["is_planted"] = lift >= min_lift
    error, of_none = (_norm(guess - cells["planted"]) for guess in (cells["found"], everybody))
    hits = int((cells["is_planted"] & cells["is_found"]).sum())
    n_planted = int(cells["is_planted"].sum())
    figures = {
        "n_cells": int(cells["is_matched"].sum()),
        "n_cells_unmatched": int((~cells["is_matched"]).sum()),
        "correlation": _correlation(cells["planted"].to_numpy(), cells["found"].to_numpy()),
        "relative_error": error / _norm(cells["planted"]),
        "error_ratio": error / of_none if of_none > 1e-9 else None,
        "n_planted": n_planted,
        "n_found": hits,
        "n_missed": n_planted - hits,
        "n_false": int((cells["is_found"] & ~(lift > 1 + 1e-9)).sum()),
    }
    return figures, cells.drop(columns="is_matched")


def _cells(
    planted: pd.DataFrame, found: pd.DataFrame, people: Mapping, items: Mapping, alpha: float
) -> pd.DataFrame:
    keyed = {(cell.person_cluster, cell.item_cluster): cell for cell in found.itertuples()}
    totals = found.groupby("person_cluster")["observed"].sum()
    rows = []
    for person in planted.index:
        for item in planted.columns:
            key = people.get(person), items.get(item)
            cell = keyed.get(key)
            matched = cell is not None
            share = float(cell.observed / totals[key[0]]) if matched and totals[key[0]] else 0.0
            above = matched and bool(cell.q <= alpha and cell.z > 0)
            value = float(planted.loc[person, item])
            rows.append((person, item, value, share, matched, above))
    names = ["planted_person", "planted_item", "planted", "found", "is_matched", "is_found"]
    return pd.DataFrame(rows, columns=names)


def _everybody(planted: pd.DataFrame, weights: Mapping[Any, float] | None) -> pd.Series:
    own = pd.Series(1.0 if weights is None else dict(weights), index=planted.index, dtype=float)
    if own.isna().any() or not own.sum() > 0:
        raise ValueError(
            f"weights: expected a number for each of {list(planted.index)} and a sum above 0, got "
            f"{weights!r}"
        )
    return planted.mul(own / own.sum(), axis=0).sum()


def _norm(values: pd.Series) -> float:
    return float(np.sqrt((values**2).sum()))


def _correlation(planted: np.ndarray, found: np.ndarray) -> float | None:
    if len(planted) < 3 or np.ptp(planted) < 1e-12 or np.ptp(found) < 1e-12:
        return None
    return float(np.corrcoef(planted, found)[0, 1])
