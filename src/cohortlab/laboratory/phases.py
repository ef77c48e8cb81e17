"""What the trials say: scores with intervals, a leaderboard, and which algorithm to use when."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

_FACTORS = ["overlap", "strength", "density", "n_people"]
#: Scores of which less is better.
_LESS_IS_BETTER = ("relation_error", "relation_error_ratio", "person_hamming", "item_hamming")
#: Scores of the phase diagram: labels of both sides, and the relation between them.
PHASE_SCORES = ("person_ari", "item_ari", "relation_error", "relation_error_ratio")


def phase_table(
    trials: pd.DataFrame, *, scores: Sequence[str] = PHASE_SCORES, level: float = 0.95
) -> pd.DataFrame:
    """Mean scores of every algorithm under every condition, with intervals over the seeds.

    Parameters
    ----------
    trials : DataFrame
        From `run_grid`.
    scores : sequence of str
        Columns of it.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        `score, overlap, strength, density, n_people, algorithm, n, mean, low, high`: a block of
        rows for each score, in the order given. The interval is Student's, of the mean; NaN with a
        single seed.

    Examples
    --------
    >>> trials = pd.DataFrame({"overlap": 0.1, "strength": 1, "density": 5, "n_people": 50,
    ...     "is_null": False, "algorithm": "ward", "person_ari": [0.8, 1.0]})
    >>> phase_table(trials, scores=["person_ari"]).loc[0, ["n", "mean"]].tolist()
    [2.0, 0.9]
    """
    unknown = [score for score in scores if score not in trials.columns]
    if unknown:
        raise ValueError(
            f"scores are columns of {list(trials.columns)}, which do not have {unknown}"
        )
    values = trials[~trials["is_null"].astype(bool)].astype(dict.fromkeys(scores, float))
    grouped = values.groupby([*_FACTORS, "algorithm"], sort=True)
    parts = {score: grouped[score].agg(n="count", mean="mean", deviation="std") for score in scores}
    table = pd.concat(parts, names=["score"]).reset_index()
    freedom = (table["n"] - 1).clip(lower=1)
    half = stats.t.ppf((1 + level) / 2, freedom) * table["deviation"] / np.sqrt(table["n"])
    table["low"], table["high"] = table["mean"] - half, table["mean"] + half
    return table.drop(columns="deviation")


def effects(trials: pd.DataFrame, *, score: str = "person_ari") -> pd.DataFrame:
    """Say how far each condition moves a score, for algorithms by features and by edges.

    Parameters
    ----------
    trials : DataFrame
        From `run_grid`.
    score : str
        A column of it.

    Returns
    -------
    DataFrame of shape (n_kinds, n_conditions)
        By `looks_at`, the mean score at the largest value of each condition less that at its
        smallest, over all else.

    Examples
    --------
    >>> trials = pd.DataFrame({"overlap": [0.1, 0.3], "strength": 1, "density": 5, "n_people": 50,
    ...     "is_null": False, "looks_at": "features", "person_ari": [0.9, 0.4]})
    >>> effects(trials).loc["features"].tolist()
    [-0.5, 0.0, 0.0, 0.0]
    """
    real = trials[~trials["is_null"].astype(bool)].astype({score: float})
    changes = {}
    for name in _FACTORS:
        means = real.groupby(["looks_at", name], sort=True)[score].mean().unstack()
        changes[name] = means.iloc[:, -1] - means.iloc[:, 0]
    return pd.DataFrame(changes)


def leaderboard(trials: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Rank the algorithms over all conditions.

    Parameters
    ----------
    trials : DataFrame
        From `run_grid`.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row an algorithm, best first: `algorithm, looks_at, person_ari, person_ari_low,
        person_ari_high, item_ari, relation_error, relation_error_low, relation_error_high,
        relation_error_ratio, relation_error_ratio_low, relation_error_ratio_high` (means over
        trials, with intervals), `wins` (over the trials, the mean of 1 / k where its person_ari is
        the best together with k - 1 others, else of 0: the wins of all add up to 1), `missed`
        (share of planted relations not found) and `null_relations` (share of the null trials in
        which it finds a relation).

    Notes
    -----
    The intervals are about other seeds under the same conditions: the conditions are the grid, no
    sample of any. A mean over C conditions with n seeds each and variances s_c^2 between seeds has
    the standard error ``sqrt(sum s_c^2 / n) / C``; the interval is Student's with C (n - 1) degrees
    of freedom, NaN where a condition has a single seed.
    """
    real, null = (trials[trials["is_null"].astype(bool) == is_null] for is_null in (False, True))
    trial = [*_FACTORS, "replicate"]
    best = real["person_ari"] == real.groupby(trial)["person_ari"].transform("max")
    share = best / best.groupby([real[name] for name in trial]).transform("sum")
    grouped = real.assign(win=share).groupby("algorithm", sort=True)
    table = grouped.agg(
        looks_at=("looks_at", "first"),
        person_ari=("person_ari", "mean"),
        item_ari=("item_ari", "mean"),
        relation_error=("relation_error", "mean"),
        relation_error_ratio=("relation_error_ratio", "mean"),
        wins=("win", "sum"),
        missed=("n_missed", "sum"),
        planted=("n_planted", "sum"),
    )
    table["wins"] /= len(real[trial].drop_duplicates())
    table["missed"] = table["missed"] / table.pop("planted").replace(0, np.nan)
    finds = (null["n_significant"] > 0).groupby(null["algorithm"]).mean()
    table["null_relations"] = finds.reindex(table.index)
    for score in ("relation_error_ratio", "relation_error", "person_ari"):
        half = _half_intervals(_side_by_side(real, score), level)
        place = table.columns.get_loc(score)
        table.insert(place + 1, f"{score}_low", table[score] - half)
        table.insert(place + 2, f"{score}_high", table[score] + half)
    order = np.lexsort((table.index, -table["person_ari"]))
    return table.iloc[order].reset_index()


def _side_by_side(real: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return a score with a row a trial and a column an algorithm: all saw the same data."""
    known = real.astype({score: float}).dropna(subset=score)
    return known.pivot(index=[*_FACTORS, "replicate"], columns="algorithm", values=score)


def _half_intervals(wide: pd.DataFrame, level: float) -> pd.Series:
    """Return half the length of the interval of every column's mean, about other seeds."""
    cells = wide.groupby(level=_FACTORS)
    count = cells.count()
    error = np.sqrt((cells.var() / count).sum(skipna=False)) / len(count)
    return stats.t.ppf((1 + level) / 2, (count - 1).sum().clip(lower=1)) * error


def advice(
    trials: pd.DataFrame,
    *,
    score: str = "person_ari",
    by: Sequence[str] = ("overlap", "strength"),
    useful: float = 0.5,
    margin: float = 0.1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Say which algorithm to use when.

    Parameters
    ----------
    trials : DataFrame
        From `run_grid`.
    score : str
        A column of it.
    by : sequence of str
        What "when" is: conditions that are known or can be guessed.
    useful : float
        A mean score that is worse than this helps nobody.
    margin : float
        A mean score that is worse than the best by more than this is not as good: few seeds may
        fail to show a large difference.
    level : float
        Of the intervals of the differences.

    Returns
    -------
    DataFrame
        The columns of `by`, then `best` (algorithm), `mean`, `as_good` (other algorithms within the
        margin of which the interval of the mean difference from the best, seed by seed, holds 0;
        text) and `is_useful`. Cases in which the score says nothing (the error ratio of a
        relation where none is planted) are left out.

    Notes
    -----
    A case is the mean over the conditions that `by` leaves open. How far a difference changes from
    condition to condition is no chance: as in `leaderboard`, the interval rests on the spread
    between the seeds of one condition. With a single seed there is none, and only equals are as
    good.
    """
    sign = -1.0 if score in _LESS_IS_BETTER else 1.0
    real = trials[~trials["is_null"].astype(bool)]
    rows = []
    for values, wide in _side_by_side(real, score).mul(sign).groupby(level=list(by), sort=True):
        means = wide.mean()
        best = means.idxmax()
        difference = wide.sub(wide[best], axis=0).drop(columns=best)
        half = _half_intervals(difference, level).fillna(0.0)
        close = difference.mean().abs() <= np.minimum(half, margin) + 1e-12
        mean = float(sign * means[best])
        is_useful = sign * mean >= sign * useful
        rows.append([*values, best, mean, ", ".join(difference.columns[close]), bool(is_useful)])
    return pd.DataFrame(rows, columns=[*by, "best", "mean", "as_good", "is_useful"])
