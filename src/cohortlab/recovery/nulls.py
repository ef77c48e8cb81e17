"""What relations and rules are found where there is nothing to find."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cohortlab.bipartite import relations
from cohortlab.intervals import require_within
from cohortlab.rules import shuffle_baskets


def null_relations(
    incidence: sparse.sparray,
    person_labels: np.ndarray,
    item_labels: np.ndarray,
    *,
    n_shuffles: int = 50,
    alpha: float = 0.05,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Relations found when labels are shuffled among people: there is nothing to find.

    Parameters
    ----------
    incidence, person_labels, item_labels
        As for `cohortlab.bipartite.relations`.
    n_shuffles : int
        Number of shuffles, each among all people.
    alpha : float
        Level of the tests, in (0, 1).
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    dict
        `n_shuffles`, `n_tested` (cells over all shuffles), `share_below_alpha` (of uncorrected p;
        about alpha where the test is right), `share_with_any_significant` (of shuffles with a
        corrected cell at alpha; about alpha or less). None where no cell was tested.

    Raises
    ------
    ValueError
        If `alpha` is no level.
    """
    require_within(alpha, "(0, 1)", name="alpha")
    labels = np.unique(np.asarray(person_labels), return_inverse=True)[1]
    n_tested = n_below = n_any = 0
    for _ in range(n_shuffles):
        table = relations(incidence, rng.permutation(labels), item_labels)
        n_tested += int(table["p"].notna().sum())
        n_below += int((table["p"] < alpha).sum())
        n_any += bool((table["q"] <= alpha).any())
    return {
        "n_shuffles": n_shuffles,
        "n_tested": n_tested,
        "share_below_alpha": n_below / n_tested if n_tested else None,
        "share_with_any_significant": n_any / n_shuffles if n_tested else None,
    }


def null_rules(
    baskets: pd.DataFrame,
    mine: Callable[[pd.DataFrame], pd.DataFrame],
    *,
    n_shuffles: int = 5,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Rules found in baskets without associations, beside those found in the baskets themselves.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, and what else `mine` needs of `person_id`.
    mine : callable
        From baskets to rules, with the same thresholds as in use.
    n_shuffles : int
        Number of shuffled copies.
    rng : numpy.random.Generator
        Source of the shuffles.

    Returns
    -------
    dict
        `n_rules` in the data, `n_rules_null` (one number a shuffle), `n_rules_null_mean`.
    """
    counts = [len(mine(shuffle_baskets(baskets, rng=rng))) for _ in range(n_shuffles)]
    mean = float(np.mean(counts)) if counts else None
    return {"n_rules": len(mine(baskets)), "n_rules_null": counts, "n_rules_null_mean": mean}
