"""What the bootstraps of a certificate share: rows, starts, and the best fit that is not junk."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cohortlab.mixture.cells import Job
from cohortlab.mixture.collapse import Rows, subset_rows
from cohortlab.mixture.density import Parameters
from cohortlab.mixture.evidence import weigh
from cohortlab.mixture.fitting import SAME_FINISHED, distinct_optima
from cohortlab.mixture.initial import Samples, generator, partition, stack, starts_from_labels
from cohortlab.mixture.iterate import Run, run_em
from cohortlab.mixture.models import Family
from cohortlab.mixture.parallel import OrderedMap

# Streams of randomness, apart from those of the cells.
SAMPLE, LIKELIHOOD_RATIO, STABILITY, NULL = 10_001, 10_002, 10_003, 10_004

_BOOTSTRAP_ROWS = 20_000
_CUT_ROWS = 2_000
_LOOSE_TOL = 1e-4


def audit_sample(job: Job, size: int) -> Rows:
    """Draw a weighted sample of the rows.

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
    return rows if rows.total_weight <= size else _sample(job, size)


def bootstrap_rows(job: Job) -> Rows:
    """Give the rows that stability is judged on.

    Parameters
    ----------
    job : Job
        What all cells of a search share.

    Returns
    -------
    Rows
        All rows where 20,000 or fewer are distinct, as equal rows cost no more than one; else
        20,000 draws.
    """
    rows = job.rows
    return rows if rows.n_distinct <= _BOOTSTRAP_ROWS else _sample(job, _BOOTSTRAP_ROWS)


def _sample(job: Job, size: int) -> Rows:
    rows = job.rows
    counts = generator(job.seed, SAMPLE).multinomial(size, rows.weights / rows.total_weight)
    drawn = np.flatnonzero(counts)
    return Rows(np.ascontiguousarray(rows.values[:, drawn]), counts[drawn] * 1.0, rows.centre)


def fresh_starts(
    rows: Rows, n_components: int, family: Family, job: Job, n_starts: int, *key: int
) -> list[Parameters]:
    """Cut rows by k-means++, knowing nothing of any fit.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows; starts are cut from a sample of 2,000 where there are more.
    n_components : int
        Number of components.
    family : Family
        Covariance family.
    job : Job
        Seed and regularisation.
    n_starts : int
        Number of starts.
    *key : int
        Names the stream of randomness.

    Returns
    -------
    list of Parameters
        Starts; none where there are fewer distinct rows than components.
    """
    if rows.n_distinct < n_components:
        return []
    few = subset_rows(rows, _CUT_ROWS, generator(job.seed, *key, 0))
    samples = Samples(rows, rows, (few,))
    cuts = [
        partition(samples, n_components, "kmeans++", generator(job.seed, *key, 1, turn), turn=turn)
        for turn in range(n_starts)
    ]
    if not cuts:
        return []
    starts = starts_from_labels(cuts, n_components, family, job.settings.reg_covar)
    return [starts.take(np.array([place])) for place in range(n_starts)]


def refit(
    tables: Sequence[Rows],
    starts: Sequence[Sequence[Parameters]],
    family: Family,
    job: Job,
    run: OrderedMap,
) -> list[list[Run]]:
    """Run EM from every start on every table, all together.

    No start is left early: that would favour those that begin near an optimum, and a bootstrap
    asks whether there is a better one elsewhere.

    Parameters
    ----------
    tables : sequence of Rows
        Distinct weighted rows of each replicate.
    starts : sequence of sequences of Parameters
        Where to start, one sequence a table.
    family : Family
        Covariance family.
    job : Job
        Settings; the stopping rule is loosened to 1e-4 a row.
    run : callable
        Ordered map from `workers`.

    Returns
    -------
    list of list of Run
        Finished runs at different optima, best first, one list a table.
    """
    owner = np.repeat(np.arange(len(starts)), [len(own) for own in starts])
    if not owner.size:
        return [[] for _ in starts]
    begin = stack([start for own in starts for start in own])
    settings = replace(job.settings, tol=max(job.settings.tol, _LOOSE_TOL))
    finished = run_em(tables, begin, family, run, settings, owner=owner)
    runs = [[] for _ in starts]
    for place, one in zip(owner, finished, strict=True):
        runs[place].append(one)
    return [_best_first(own, rows) for own, rows in zip(runs, tables, strict=True)]


def _best_first(runs: list[Run], rows: Rows) -> list[Run]:
    return [runs[place] for place in distinct_optima(runs, SAME_FINISHED * rows.total_weight)]


def best_sound(
    runs: Sequence[list[Run]], tables: Sequence[Rows], family: Family, job: Job, run: OrderedMap
) -> list[Run | None]:
    """Find the highest log-likelihoods that the audit of a search would not veto.

    Parameters
    ----------
    runs : sequence of list of Run
        Finished runs on each table, best first.
    tables : sequence of Rows
        The rows they were fitted to.
    family : Family
        Covariance family.
    job : Job
        Settings and limits.
    run : callable
        Ordered map from `workers`.

    Returns
    -------
    list of Run or None
        One a table, None where all are vetoed.
    """
    found = weigh(runs, tables, family, run, job.settings, job.limits)
    return [next((one.run for one in own if not one.reasons), None) for own in found]
