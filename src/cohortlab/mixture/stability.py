"""Whether clusters come back when the rows are drawn again."""

from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.assignment import assess
from cohortlab.mixture.bootstrap import STABILITY, best_sound, fresh_starts, refit
from cohortlab.mixture.cells import Job
from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Parameters
from cohortlab.mixture.initial import generator
from cohortlab.mixture.models import resolve_model
from cohortlab.mixture.parallel import OrderedMap

DISSOLVED, VALID, STABLE = 0.5, 0.75, 0.85

_N_FRESH = 8
# Values of the samples that are fitted together, in numbers: 32 MiB.
_MOST_VALUES = 1 << 22


@dataclass(frozen=True)
class Stability:
    """How alike each cluster and its best match are in fits of bootstrap samples.

    Attributes
    ----------
    jaccard : ndarray of shape (n_replicates, n_components)
        Jaccard coefficient; nan where a fit failed or the sample holds no row of the cluster.
    n_rows : int
        Rows in a sample.
    n_vetoed : int
        Samples whose every optimum is one that the search would veto; the best was taken.
    """

    jaccard: np.ndarray
    n_rows: int
    n_vetoed: int

    def summary(self) -> dict:
        """Give mean, standard error and reading of each cluster, ready for JSON.

        Returns
        -------
        dict
            Lists `jaccard`, `standard_error` and `reading`, one entry a cluster, and
            `n_replicates`, `n_rows` and `n_vetoed`; None for what cannot be computed.
        """
        judged = [column[np.isfinite(column)] for column in self.jaccard.T]
        means = [float(column.mean()) if column.size else None for column in judged]
        return {
            "jaccard": means,
            "standard_error": [_standard_error(column) for column in judged],
            "reading": [read_jaccard(value) for value in means],
            "n_replicates": len(self.jaccard),
            "n_rows": self.n_rows,
            "n_vetoed": self.n_vetoed,
        }


def _standard_error(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else None


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
    model: str,
    job: Job,
    run: OrderedMap,
    n_replicates: int,
    *,
    n_fresh: int = _N_FRESH,
    from_chosen: bool = True,
) -> Stability:
    """Fit bootstrap samples and see whether each cluster comes back.

    Parameters
    ----------
    rows : Rows
        Distinct rows whose weights count rows.
    parameters : Parameters
        The mixture whose clusters are judged.
    model : str
        Its covariance model.
    job : Job
        Seed, settings and limits.
    run : callable
        Ordered map from `workers`.
    n_replicates : int
        Bootstrap samples.
    n_fresh : int
        Starts of each fit that are cut from its sample.
    from_chosen : bool
        Whether each fit also starts from the mixture that is judged.

    Returns
    -------
    Stability
        Jaccard coefficients.

    Notes
    -----
    What is asked is whether the best mixture of other rows has the same clusters, not whether few
    starts find it. So a fit starts from the mixture that is judged, and afresh so that it can
    leave; the highest likelihood that the search would not veto is taken, and another optimum wins
    wherever it is better.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability; function clusterboot of R's fpc.
    """
    family, size = resolve_model(model, rows.n_features), parameters.shape[1]
    labels = assess(rows, parameters, family, run).labels
    n_rows, share = round(rows.total_weight), rows.weights / rows.total_weight
    together = max(_MOST_VALUES // rows.values.size, 1)
    found, n_vetoed = np.full((n_replicates, size), np.nan), 0
    for first in range(0, n_replicates, together):
        batch = range(first, min(first + together, n_replicates))
        draws = [generator(job.seed, STABILITY, r).multinomial(n_rows, share) for r in batch]
        samples = [_drawn(rows, counts) for counts in draws]
        starts = [
            [parameters] * from_chosen
            + fresh_starts(sample, size, family, job, n_fresh, STABILITY, r)
            for r, sample in zip(batch, samples, strict=True)
        ]
        fits = refit(samples, starts, family, job, run)
        sound = best_sound(fits, samples, family, job, run)
        # Where all optima are vetoed the highest is taken.
        for r, counts, sample, runs, best in zip(batch, draws, samples, fits, sound, strict=True):
            if runs:
                taken = best or runs[0]
                others = assess(sample, taken.parameters, family, run).labels
                held = counts > 0
                found[r] = jaccard(labels[held], others, rows.weights[held], size)
                n_vetoed += best is None
    return Stability(found, n_rows, n_vetoed)


def _drawn(rows: Rows, counts: np.ndarray) -> Rows:
    """Take the rows that a sample holds."""
    held = np.flatnonzero(counts)
    return Rows(np.ascontiguousarray(rows.values[:, held]), counts[held] * 1.0, rows.centre)


def read_jaccard(value: float | None) -> str:
    """Read a mean Jaccard coefficient as fpc does.

    Parameters
    ----------
    value : float or None
        Mean over the bootstrap samples, 0 to 1; None or nan where there is none.

    Returns
    -------
    {"stable", "valid", "doubtful", "dissolved", "not judged"}
        At most 0.5 dissolved, from 0.75 valid, from 0.85 stable.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability; function clusterboot of R's fpc.

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
