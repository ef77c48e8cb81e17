"""A found matrix of propensities beside the planted one."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.intervals import require_within
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
        Level for `q`, in (0, 1).
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

    Raises
    ------
    ValueError
        If `alpha` is no level.

    Notes
    -----
    The found propensity of a cell is its share of the edges of its cluster of people. A relative
    error hangs on the strength of the relation: rows that are nearly alike are guessed well by
    everybody's. Its ratio does not, so one threshold serves all strengths.
    """
    require_within(alpha, "(0, 1)", name="alpha")
    to_people, to_items = (
        m.planted_to_found if isinstance(m, Matching) else m for m in (people, items)
    )
    pairs = list(product(map(to_people.get, planted.index), map(to_items.get, planted.columns)))
    is_matched, shares, is_found = _looked_up(pairs, found, alpha)
    of_cells = planted.to_numpy(dtype=float).ravel()
    everybody = np.tile(_everybody(planted, weights), len(planted))
    lift = of_cells / everybody
    is_planted = lift >= min_lift
    error, of_none = (_norm(guess - of_cells) for guess in (shares, everybody))
    hits, n_planted = int((is_planted & is_found).sum()), int(is_planted.sum())
    figures = {
        "n_cells": int(is_matched.sum()),
        "n_cells_unmatched": int((~is_matched).sum()),
        "correlation": _correlation(of_cells, shares),
        "relative_error": error / _norm(of_cells),
        "error_ratio": error / of_none if of_none > 1e-9 else None,
        "n_planted": n_planted,
        "n_found": hits,
        "n_missed": n_planted - hits,
        "n_false": int((is_found & ~(lift > 1 + 1e-9)).sum()),
    }
    cells = {
        "planted_person": np.repeat(planted.index, planted.shape[1]),
        "planted_item": np.tile(planted.columns, len(planted)),
        "planted": of_cells,
        "found": shares,
        "is_found": is_found,
        "is_planted": is_planted,
    }
    return figures, pd.DataFrame(cells)


def _looked_up(
    pairs: list[tuple], found: pd.DataFrame, alpha: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether each pair is in the table, its share of the row, and whether it is related."""
    columns = (found[name].tolist() for name in ("person_cluster", "item_cluster", "observed"))
    observed = {(person, item): n for person, item, n in zip(*columns, strict=True)}
    related = (found["q"] <= alpha).to_numpy() & (found["z"] > 0).to_numpy()
    above = dict(zip(observed, related, strict=True))
    totals: dict[Any, float] = {}
    for (person, _), n in observed.items():
        totals[person] = totals.get(person, 0) + n
    shares = [
        observed[pair] / totals[pair[0]] if pair in observed and totals[pair[0]] else 0.0
        for pair in pairs
    ]
    is_found = [bool(above.get(pair, False)) for pair in pairs]
    return np.array([pair in observed for pair in pairs]), np.array(shares), np.array(is_found)


def _everybody(planted: pd.DataFrame, weights: Mapping[Any, float] | None) -> np.ndarray:
    given = dict.fromkeys(planted.index, 1.0) if weights is None else weights
    own = np.array([given.get(person, np.nan) for person in planted.index], dtype=float)
    if np.isnan(own).any() or not own.sum() > 0:
        raise ValueError(
            f"weights: expected a number for each of {list(planted.index)} and a sum above 0, got "
            f"{weights!r}"
        )
    return (planted.to_numpy(dtype=float) * (own / own.sum())[:, None]).sum(axis=0)


def _norm(values: np.ndarray) -> float:
    return float(np.sqrt(np.sum(values**2)))


def _correlation(planted: np.ndarray, found: np.ndarray) -> float | None:
    if len(planted) < 3 or np.ptp(planted) < 1e-12 or np.ptp(found) < 1e-12:
        return None
    return float(np.corrcoef(planted, found)[0, 1])
