"""Tests by simulation: more components or fewer, and whether clusters come back."""

from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.assignment import assess
from cohortlab.mixture.cells import Job
from cohortlab.mixture.collapse import Rows, collapse_rows
from cohortlab.mixture.density import Parameters, expand
from cohortlab.mixture.fitting import fit_partitions, make_partitions
from cohortlab.mixture.initial import draw_samples, generator
from cohortlab.mixture.iterate import Run, Settings
from cohortlab.mixture.models import Family, resolve_model
from cohortlab.mixture.parallel import OrderedMap
from cohortlab.mixture.scoring import draw_rows

_N_STARTS = 4
_QUICK = {"tol": 1e-4, "max_iter": 100}
_ENOUGH_EXCEEDING = 10

# Streams of randomness, apart from those of the cells.
_SAMPLE, _LIKELIHOOD_RATIO, _STABILITY, _NULL = 10_001, 10_002, 10_003, 10_004

DISSOLVED, VALID, STABLE = 0.5, 0.75, 0.85


@dataclass(frozen=True)
class RatioTest:
    """A likelihood-ratio test by simulation.

    Attributes
    ----------
    statistic : float
        Twice the gain in log-likelihood on the rows tested.
    p_value : float
        Share of simulated statistics at least as large, counting the observed one.
    n_replicates : int
        Simulations made; fewer than asked for where the outcome was clear early.
    n_rows : int
        Rows tested.
    ended_early : bool
        Whether the outcome was clear early: the p-value is large then, however few simulations.
    """

    statistic: float
    p_value: float
    n_replicates: int
    n_rows: int
    ended_early: bool


def audit_sample(job: Job, size: int) -> Rows:
    """Draw the weighted sample of rows that the bootstraps see.

    Parameters
    ----------
    job : Job
        What all cells of a search share.
    size : int
        Number of draws; rows with no more total weight than that are all taken.

    Returns
    -------
    Rows
        Rows whose weights count draws.
    """
    rows = job.rows
    if rows.total_weight <= size:
        return rows
    counts = generator(job.seed, _SAMPLE).multinomial(size, rows.weights / rows.total_weight)
    drawn = np.flatnonzero(counts)
    values = np.ascontiguousarray(rows.values[:, drawn])
    return Rows(values, counts[drawn].astype(float), rows.centre)


def _quick(job: Job) -> Settings:
    tol = max(job.settings.tol, _QUICK["tol"])
    return Settings(job.settings.reg_covar, tol, min(job.settings.max_iter, _QUICK["max_iter"]))


def quick_fit(
    rows: Rows, n_components: int, family: Family, job: Job, run: OrderedMap, *key: int
) -> Run:
    """Fit rows from a few starts with a loose stopping rule.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    n_components : int
        Number of components.
    family : Family
        Covariance family.
    job : Job
        Seed and regularisation.
    run : callable
        Ordered map from `workers`.
    *key : int
        Names the stream of randomness.

    Returns
    -------
    Run
        The best run; its log-likelihood is -inf where none succeeded.
    """
    seed = np.random.SeedSequence(job.seed.entropy, spawn_key=(*job.seed.spawn_key, *key))
    if rows.n_distinct < n_components:
        n_components = rows.n_distinct
    samples = draw_samples(rows, _N_STARTS, seed)
    partitions = make_partitions(samples, n_components, "mixed", _N_STARTS, seed)
    fit = fit_partitions(samples, partitions, n_components, family, run, _quick(job))
    return fit.run


def _simulate(parameters: Parameters, family: Family, n_rows: int, rng) -> Rows:
    """Draw rows from one fit."""
    weights = parameters.weights[0] / parameters.weights[0].sum()
    labels = rng.choice(len(weights), n_rows, p=weights)
    return collapse_rows(draw_rows(parameters.means[0], expand(parameters, family), labels, rng))


def ratio_test(
    rows: Rows,
    null: tuple[str, int],
    alternative: tuple[str, int],
    job: Job,
    run: OrderedMap,
    n_replicates: int,
    key: int = _LIKELIHOOD_RATIO,
) -> RatioTest | None:
    """Test one mixture against another by simulating from the first.

    Parameters
    ----------
    rows : Rows
        Distinct rows whose weights count rows.
    null, alternative : (str, int)
        Covariance model and number of components.
    job : Job
        Seed and regularisation.
    run : callable
        Ordered map from `workers`.
    n_replicates : int
        Most simulations.
    key : int
        Names the stream of randomness.

    Returns
    -------
    RatioTest or None
        None where one of the two has no fit on these rows.

    Notes
    -----
    The statistic has no chi-squared distribution here, as the null lies on the edge of the
    alternative, so it is simulated: the observed and each simulated set of rows go through the same
    fits. Simulation ends early once ten statistics reach the observed one; the p-value is then
    ten over their number.

    References
    ----------
    McLachlan (1987), On bootstrapping the likelihood ratio test statistic for the number of
    components in a normal mixture. Besag and Clifford (1991), Sequential Monte Carlo p-values.
    """
    families = [resolve_model(name, rows.n_features) for name, _ in (null, alternative)]
    sizes = (null[1], alternative[1])

    def statistic(data: Rows, replicate: int) -> tuple[float, Run]:
        fits = [
            quick_fit(data, size, family, job, run, key, replicate, place)
            for place, (size, family) in enumerate(zip(sizes, families, strict=True))
        ]
        if not all(np.isfinite(fit.loglik) for fit in fits):
            return np.nan, fits[0]
        return 2.0 * (fits[1].loglik - fits[0].loglik), fits[0]

    observed, fitted = statistic(rows, 0)
    if np.isnan(observed):
        return None
    n_rows, exceeding, done = round(rows.total_weight), 0, 0
    while done < n_replicates and exceeding < _ENOUGH_EXCEEDING:
        done += 1
        rng = generator(job.seed, key, done)
        data = _simulate(fitted.parameters, families[0], n_rows, rng)
        value = statistic(data, done)[0]
        exceeding += not value < observed
    early = exceeding >= _ENOUGH_EXCEEDING
    p_value = exceeding / done if early else (exceeding + 1) / (done + 1)
    return RatioTest(float(observed), float(p_value), done, n_rows, early)


def jaccard(
    labels: np.ndarray, others: np.ndarray, weights: np.ndarray, n_clusters: int
) -> np.ndarray:
    """Compare each cluster with the most similar one of another clustering.

    Parameters
    ----------
    labels, others : ndarray of shape (n_rows,)
        Two clusterings of the same rows.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    n_clusters : int
        Number of clusters of the first.

    Returns
    -------
    ndarray of shape (n_clusters,)
        Largest Jaccard coefficient; nan for a cluster without rows.

    Examples
    --------
    >>> jaccard(np.array([0, 0, 1]), np.array([1, 1, 0]), np.ones(3), 2).tolist()
    [1.0, 1.0]
    """
    n_others = int(others.max()) + 1
    both = np.bincount(labels * n_others + others, weights, n_clusters * n_others)
    both = both.reshape(n_clusters, n_others)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
    with np.errstate(invalid="ignore", divide="ignore"):
        share = both / either
    return np.where(both.sum(axis=1) > 0, np.nanmax(share, axis=1, initial=0.0), np.nan)


def stability(
    rows: Rows,
    parameters: Parameters,
    model: tuple[str, int],
    job: Job,
    run: OrderedMap,
    n_replicates: int,
) -> np.ndarray:
    """Fit bootstrap samples afresh and see whether each cluster comes back.

    Parameters
    ----------
    rows : Rows
        Distinct rows whose weights count rows.
    parameters : Parameters
        The mixture whose clusters are judged.
    model : (str, int)
        Covariance model and number of components.
    job : Job
        Seed and regularisation.
    run : callable
        Ordered map from `workers`.
    n_replicates : int
        Bootstrap samples.

    Returns
    -------
    ndarray of shape (n_replicates, n_components)
        Jaccard coefficient of each cluster with its best match; nan where a fit failed or the
        sample holds no row of the cluster.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability; function clusterboot of R's fpc.
    """
    family = resolve_model(model[0], rows.n_features)
    labels = assess(rows, parameters, family, run).labels
    share = rows.weights / rows.total_weight
    found = np.full((n_replicates, model[1]), np.nan)
    for replicate in range(n_replicates):
        rng = generator(job.seed, _STABILITY, replicate)
        counts = rng.multinomial(round(rows.total_weight), share)
        drawn = np.flatnonzero(counts)
        values = np.ascontiguousarray(rows.values[:, drawn])
        sample = Rows(values, counts[drawn].astype(float), rows.centre)
        fit = quick_fit(sample, model[1], family, job, run, _STABILITY, replicate, 0)
        if np.isfinite(fit.loglik):
            others = assess(sample, fit.parameters, family, run).labels
            found[replicate] = jaccard(labels[drawn], others, rows.weights[drawn], model[1])
    return found


def read_jaccard(value: float | None) -> str:
    """Read a mean Jaccard coefficient as fpc does.

    Examples
    --------
    >>> [read_jaccard(value) for value in (0.4, 0.6, 0.8, 0.9)]
    ['dissolved', 'doubtful', 'valid', 'stable']
    """
    if value is None or not np.isfinite(value):
        return "not judged"
    if value <= DISSOLVED:
        return "dissolved"
    if value < VALID:
        return "doubtful"
    return "stable" if value >= STABLE else "valid"


def null_test(
    rows: Rows, model: tuple[str, int], job: Job, run: OrderedMap, n_replicates: int
) -> RatioTest | None:
    """Test one Gaussian of free covariance against a mixture, by simulation."""
    free = "V" if rows.n_features == 1 else "VVV"
    return ratio_test(rows, (free, 1), model, job, run, n_replicates, key=_NULL)
