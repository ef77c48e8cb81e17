"""Likelihood-ratio tests by simulation: more components, or one Gaussian."""

from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.bootstrap import LIKELIHOOD_RATIO, NULL, best_sound, fresh_starts, refit
from cohortlab.mixture.cells import Job
from cohortlab.mixture.collapse import Rows, collapse_rows
from cohortlab.mixture.density import Parameters, expand, shift
from cohortlab.mixture.initial import generator, split_starts
from cohortlab.mixture.iterate import Run
from cohortlab.mixture.models import Family, resolve_model
from cohortlab.mixture.parallel import OrderedMap
from cohortlab.mixture.scoring import draw_rows

# The null has more: where its best fit is missed on the rows observed, and not on those simulated
# from it, the gain looks larger than it is. An alternative that is missed costs power alone.
_FRESH_NULL, _FRESH_OTHER = 6, 3
_ENOUGH_EXCEEDING = 5
# Replicates that are fitted side by side: on a thousand rows most of a step's time is spent once
# for all of them. Those past the one that ends a test are not looked at.
_TOGETHER = 10


@dataclass(frozen=True)
class RatioTest:
    """A likelihood-ratio test by simulation.

    Attributes
    ----------
    statistic : float
        Twice the gain in log-likelihood on the rows tested; 0 where nothing is gained.
    p_value : float
        Share of simulated statistics at least as large, counting the observed one.
    resolution : float
        Smallest p-value that so many simulations can give.
    n_replicates : int
        Simulations made; fewer than asked for where the outcome was clear early.
    n_rows : int
        Rows tested.
    ended_early : bool
        Whether the outcome was clear early: the p-value is large then, however few simulations.
    """

    statistic: float
    p_value: float
    resolution: float
    n_replicates: int
    n_rows: int
    ended_early: bool


@dataclass(frozen=True)
class _Hypothesis:
    """A family with a number of components."""

    family: Family
    size: int


def _fit_null(
    tables: list[Rows],
    null: _Hypothesis,
    begin: list[list[Parameters]],
    job: Job,
    run: OrderedMap,
    keys: list[tuple[int, ...]],
) -> list[Run | None]:
    """Fit the null from where the rows of each table were simulated and afresh.

    Where all optima are vetoed the highest is taken: what the alternative gains is smaller then.
    """
    starts = []
    for rows, own, key in zip(tables, begin, keys, strict=True):
        n_fresh = _FRESH_NULL if null.size > 1 else 1 - len(own)  # of one component there is one
        starts.append(own + fresh_starts(rows, null.size, null.family, job, n_fresh, *key, 0))
    runs = refit(tables, starts, null.family, job, run)
    sound = best_sound(runs, tables, null.family, job, run)
    return [best or next(iter(own), None) for best, own in zip(sound, runs, strict=True)]


def _gain(
    tables: list[Rows],
    bases: list[Run | None],
    null: _Hypothesis,
    other: _Hypothesis,
    job: Job,
    run: OrderedMap,
    keys: list[tuple[int, ...]],
) -> list[float]:
    """Compute twice what the best sound alternative gains on each table; nan where none does."""
    starts = []
    for rows, base, key in zip(tables, bases, keys, strict=True):
        splits = []
        if base is not None and other == _Hypothesis(null.family, null.size + 1):
            splits = split_starts(base.parameters, null.family)
        n_fresh = 0 if base is None else _FRESH_OTHER
        fresh = fresh_starts(rows, other.size, other.family, job, n_fresh, *key, 1)
        starts.append(splits + fresh)
    runs = refit(tables, starts, other.family, job, run)
    sound = best_sound(runs, tables, other.family, job, run)
    return [
        np.nan if best is None else max(2.0 * (best.loglik - base.loglik), 0.0)
        for best, base in zip(sound, bases, strict=True)
    ]


def _simulate(parameters: Parameters, family: Family, n_rows: int, rng) -> Rows:
    """Draw rows from one fit."""
    weights = parameters.weights[0] / parameters.weights[0].sum()
    labels = rng.choice(len(weights), n_rows, p=weights)
    return collapse_rows(draw_rows(parameters.means[0], expand(parameters, family), labels, rng))


def _simulated_gains(
    base: Run,
    null: _Hypothesis,
    other: _Hypothesis,
    n_rows: int,
    job: Job,
    run: OrderedMap,
    key: int,
    batch: range,
) -> np.ndarray:
    """Simulate from the null and compute what the alternative gains, one number a replicate."""
    keys = [(key, replicate) for replicate in batch]
    tables = [
        _simulate(base.parameters, null.family, n_rows, generator(job.seed, *own)) for own in keys
    ]
    origins = [[shift(base.parameters, -rows.centre)] for rows in tables]
    fitted = _fit_null(tables, null, origins, job, run, keys)
    return np.nan_to_num(_gain(tables, fitted, null, other, job, run, keys))


def ratio_test(
    rows: Rows,
    null: tuple[str, int],
    alternative: tuple[str, int],
    job: Job,
    run: OrderedMap,
    n_replicates: int,
    *,
    begin: Parameters | None = None,
    key: int = LIKELIHOOD_RATIO,
) -> RatioTest | None:
    """Test one mixture against another by simulating from the first.

    Parameters
    ----------
    rows : Rows
        Distinct rows whose weights count rows.
    null, alternative : (str, int)
        Covariance model and number of components.
    job : Job
        Seed, settings and limits.
    run : callable
        Ordered map from `workers`.
    n_replicates : int
        Most simulations.
    begin : Parameters, optional
        A fit of the null, from which its fit on these rows starts too.
    key : int
        Names the stream of randomness.

    Returns
    -------
    RatioTest or None
        None where the null has no fit or the alternative no sound one on these rows.

    Notes
    -----
    The statistic has no chi-squared distribution here, as the null lies on the edge of the
    alternative, so it is simulated: the observed and each simulated set of rows go through the same
    fits. The null starts from a known fit (for simulated rows, the one they come from) and afresh;
    the alternative from splits of each component of the null, where it has one more, and afresh. An
    optimum that the search would veto does not count. Simulated rows without a sound alternative
    gain 0. Replicates are taken in turn, each with its own stream of randomness. They end early
    once h = 5 of the first l statistics reach the observed one; the p-value is then h / l. Else,
    with g of all n, it is (g + 1) / (n + 1). Both are valid p-values (Besag and
    Clifford 1991), so a large one costs few simulations and a small one is as fine as n allows.

    References
    ----------
    McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of
    components in a normal mixture. Besag and Clifford (1991), Sequential Monte Carlo p-values.
    """
    first, second = (
        _Hypothesis(resolve_model(name, rows.n_features), size)
        for name, size in (null, alternative)
    )
    known = [] if begin is None else [begin]
    (base,) = _fit_null([rows], first, [known], job, run, [(key, 0)])
    (observed,) = _gain([rows], [base], first, second, job, run, [(key, 0)])
    if np.isnan(observed):
        return None
    n_rows, exceeding, done = round(rows.total_weight), 0, 0
    while done < n_replicates and exceeding < _ENOUGH_EXCEEDING:
        batch = range(done + 1, min(done + _TOGETHER, n_replicates) + 1)
        for gain in _simulated_gains(base, first, second, n_rows, job, run, key, batch):
            done += 1
            exceeding += bool(gain >= observed)
            if exceeding == _ENOUGH_EXCEEDING:
                break
    early = exceeding >= _ENOUGH_EXCEEDING
    p_value = exceeding / done if early else (exceeding + 1) / (done + 1)
    resolution = 1.0 / (n_replicates + 1)
    return RatioTest(observed, float(p_value), resolution, done, n_rows, early)


def null_test(
    rows: Rows, model: tuple[str, int], job: Job, run: OrderedMap, n_replicates: int
) -> RatioTest | None:
    """Test one Gaussian of free covariance against a mixture, by simulation.

    Parameters
    ----------
    rows : Rows
        Distinct rows whose weights count rows.
    model : (str, int)
        Covariance model and number of components of the mixture.
    job : Job
        Seed, settings and limits.
    run : callable
        Ordered map from `workers`.
    n_replicates : int
        Most simulations.

    Returns
    -------
    RatioTest or None
        None where the mixture has no sound fit on these rows.
    """
    free = "V" if rows.n_features == 1 else "VVV"
    return ratio_test(rows, (free, 1), model, job, run, n_replicates, key=NULL)
