"""From many starts to one fit: explore with short runs, finish the best."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Parameters
from cohortlab.mixture.initial import (
    Samples,
    generator,
    partition,
    stack,
    starts_from_labels,
)
from cohortlab.mixture.iterate import Run, Settings, run_em
from cohortlab.mixture.models import Family
from cohortlab.mixture.parallel import OrderedMap

_FINISH_ALL_ROWS = 2_000
_SHORT_STARTS = 4
_GLANCE_ITERATIONS = 8
_N_EXPLORE = 12
_EXPLORE_TOL = 1e-4
_EXPLORE_ITERATIONS = 40
_N_FINISH = 3

# Two runs reached the same optimum if their log-likelihoods per unit of weight are this close.
SAME_FINISHED = 1e-4
SAME_EXPLORED = 1e-3

Partition = tuple[Rows, np.ndarray]


@dataclass(frozen=True)
class Fit:
    """The best of several starts.

    Attributes
    ----------
    run : Run
        The run with the highest log-likelihood.
    n_starts : int
        Starts that were tried.
    agreeing : tuple of int
        Starts that led to each optimum, that of `run` and then of `others`, among those that were
        not left early; empty where every start failed.
    failures : tuple of str
        Why starts failed, one entry a failed start.
    others : tuple of Run
        Finished runs at other optima, best first.
    """

    run: Run
    n_starts: int
    agreeing: tuple[int, ...]
    failures: tuple[str, ...]
    others: tuple[Run, ...] = ()

    @property
    def n_agreeing(self) -> int:
        """Starts that led to the best optimum."""
        return self.agreeing[0] if self.agreeing else 0


def make_partitions(
    samples: Samples, n_components: int, init: str, n_init: int, seed: np.random.SeedSequence
) -> list[Partition]:
    """Cut the rows for each start.

    Parameters
    ----------
    samples : Samples
        From `draw_samples`.
    n_components : int
        Number of groups.
    init : {"kmeans++", "random", "hierarchical", "mixed"}
        Method; `mixed` takes the hierarchical partition first and `kmeans++` for the others.
    n_init : int
        Number of starts, four times as many where they are only begun (see `fit_partitions`); one
        where the method has no randomness.
    seed : numpy.random.SeedSequence
        Each start draws from a stream derived from it, its size and its number.

    Returns
    -------
    list of (Rows, ndarray)
        Sample and labels of each start.
    """
    if init == "hierarchical" or n_components == 1:
        return [partition(samples, n_components, "hierarchical", np.random.default_rng(0))]
    if samples.rows.n_distinct > _FINISH_ALL_ROWS:
        n_init *= _SHORT_STARTS
    methods = [init] * n_init
    if init == "mixed":
        methods = ["hierarchical"] + ["kmeans++"] * (n_init - 1)
    return [
        partition(samples, n_components, method, generator(seed, n_components, start), turn=start)
        for start, method in enumerate(methods)
    ]


def fit_partitions(
    samples: Samples,
    partitions: list[Partition],
    n_components: int,
    family: Family,
    run: OrderedMap,
    settings: Settings,
    *,
    more: Sequence[Parameters] = (),
) -> Fit:
    """Run EM from each partition and keep the best.

    Up to 2,000 distinct rows every start runs to convergence. Beyond that all starts take a few
    steps on a sample of the rows; the best dozen go on there until they settle, and the best few
    optima are finished on all rows.

    Parameters
    ----------
    samples : Samples
        All distinct rows, and the sample that short runs see.
    partitions : list of (Rows, ndarray)
        From `make_partitions`.
    n_components : int
        Number of components.
    family : Family
        Covariance family.
    run : callable
        Ordered map from `workers`.
    settings : Settings
        Stopping rule and regularisation.
    more : sequence of Parameters
        Further starts, such as those from `split_starts`.

    Returns
    -------
    Fit
        The best run, and how the others compare.
    """
    rows = samples.rows
    starts = starts_from_labels(partitions, n_components, family, settings.reg_covar)
    starts = stack([starts, *more])
    n_starts = len(partitions) + len(more)
    if n_starts == 1 or rows.n_distinct <= _FINISH_ALL_ROWS:
        runs = run_em(rows, starts, family, run, settings)
        return _choose(runs, runs, [1] * len(runs), rows.total_weight)
    explored, sizes = _explore(samples.explored, starts, family, run, settings)
    gap = SAME_EXPLORED * rows.total_weight
    groups = _group(explored, gap)
    promising = list(groups)[:_N_FINISH]
    finished, counts = explored, sizes
    if promising:
        begin = stack([explored[place].parameters for place in promising])
        finished = run_em(rows, begin, family, run, settings)
        counts = [sum(sizes[one] for one in groups[place]) for place in promising]
    fit = _choose(finished, explored, counts, rows.total_weight)
    return replace(fit, n_starts=n_starts)


def _explore(
    sample: Rows, starts: Parameters, family: Family, run: OrderedMap, settings: Settings
) -> tuple[list[Run], list[int]]:
    """Take a few steps from every start, go on from the best.

    Runs that are as good as each other then are taken for the same and counted together.
    """
    short = replace(
        settings,
        tol=max(settings.tol, _EXPLORE_TOL),
        max_iter=min(settings.max_iter, _EXPLORE_ITERATIONS),
    )
    glance = replace(short, max_iter=min(settings.max_iter, _GLANCE_ITERATIONS))
    seen = run_em(sample, starts, family, run, glance)
    gap = SAME_EXPLORED * sample.total_weight
    kept = distinct_optima(seen, gap)[:_N_EXPLORE]
    if not kept:
        return seen, [1] * len(seen)
    sizes = [
        sum(0 <= seen[place].loglik - one.loglik <= gap for one in seen if np.isfinite(one.loglik))
        for place in kept
    ]
    failed = [one for one in seen if one.failure]
    begin = stack([seen[place].parameters for place in kept])
    return run_em(sample, begin, family, run, short) + failed, sizes + [1] * len(failed)


def distinct_optima(runs: list[Run], gap: float) -> list[int]:
    """List runs by falling log-likelihood, one for each optimum, without the failed ones.

    Parameters
    ----------
    runs : list of Run
        Runs on the same rows.
    gap : float
        Runs whose log-likelihoods are this close are at the same optimum.

    Returns
    -------
    list of int
        Places of the runs kept, best first.
    """
    return list(_group(runs, gap))


def _group(runs: list[Run], gap: float) -> dict[int, list[int]]:
    """List the places of the runs at each optimum, by the place of the best, best first."""
    order = sorted(range(len(runs)), key=lambda place: -runs[place].loglik)
    groups: dict[int, list[int]] = {}
    head = None
    for place in order:
        loglik = runs[place].loglik
        if not np.isfinite(loglik):
            continue
        if head is None or runs[head].loglik - loglik > gap:
            head = place
            groups[head] = []
        groups[head].append(place)
    return groups


def _choose(finished: list[Run], tried: list[Run], counts: list[int], weight: float) -> Fit:
    """Keep the finished run with the highest log-likelihood, and the other optima.

    Each finished run stands for `counts` starts; those of all runs at an optimum are its own.
    """
    groups = _group(finished, SAME_FINISHED * weight)
    failures = tuple(one.failure for one in tried if one.failure)
    if not groups:
        failed = tuple(one.failure for one in finished if one.failure)
        return Fit(finished[0], len(tried), (), failures or failed)
    best, *others = (finished[place] for place in groups)
    agreeing = tuple(int(sum(counts[one] for one in group)) for group in groups.values())
    return Fit(best, len(tried), agreeing, failures, tuple(others))
