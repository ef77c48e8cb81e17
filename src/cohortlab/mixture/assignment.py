"""Log-densities, responsibilities and what can be summed up from them, by chunks of rows."""

from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Parameters, exponential, log_densities
from cohortlab.mixture.models import Family
from cohortlab.mixture.parallel import OrderedMap
from cohortlab.mixture.passes import chunks_of

_PIECE = 4096


@dataclass(frozen=True)
class Assessment:
    """Sums over all rows at given parameters.

    Attributes
    ----------
    loglik : float
        Total weighted log-likelihood.
    hard_log : float
        Weighted sum of the log of each row's largest responsibility, zero where all are certain.
    entropy : float
        Weighted sum of the entropies of the responsibilities, in nats.
    sizes : ndarray of shape (n_components,)
        Effective sizes.
    labels : ndarray of shape (n_distinct,)
        Most probable component of each distinct row.
    """

    loglik: float
    hard_log: float
    entropy: float
    sizes: np.ndarray
    labels: np.ndarray


def normalise(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turn joint log-densities into row log-densities and log-responsibilities.

    Parameters
    ----------
    logs : ndarray of shape (n_components, n_rows)
        Log of weight times density.

    Returns
    -------
    row_log : ndarray of shape (n_rows,)
        Log-density of the mixture.
    log_shares : ndarray of shape (n_components, n_rows)
        Log-responsibilities.
    """
    top = logs.max(axis=0)
    row_log = top + np.log(exponential(logs - top).sum(axis=0))
    return row_log, logs - row_log


def _pieces(start: int, stop: int) -> list[slice]:
    return [slice(low, min(low + _PIECE, stop)) for low in range(start, stop, _PIECE)]


def score_rows(
    X: np.ndarray, parameters: Parameters, family: Family, run: OrderedMap
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the log-density of every row and its log-responsibilities.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows in the coordinates of the parameters.
    parameters : Parameters
        One fit.
    family : Family
        Covariance family.
    run : callable
        Ordered map from `workers`.

    Returns
    -------
    row_log : ndarray of shape (n_samples,)
    log_shares : ndarray of shape (n_samples, n_components)
    """
    row_log = np.empty(len(X))
    log_shares = np.empty((len(X), parameters.shape[1]))

    def fill(bounds: tuple[int, int]) -> None:
        for piece in _pieces(*bounds):
            logs = log_densities(np.ascontiguousarray(X[piece].T), parameters, family)
            row_log[piece], shares = normalise(logs)
            log_shares[piece] = shares.T

    run(fill, chunks_of(len(X)))
    return row_log, log_shares


def assess(rows: Rows, parameters: Parameters, family: Family, run: OrderedMap) -> Assessment:
    """Sum up log-likelihood, certainty and sizes over weighted rows.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    parameters : Parameters
        One fit, in the rows' coordinates.
    family : Family
        Covariance family.
    run : callable
        Ordered map from `workers`.

    Returns
    -------
    Assessment
        The sums.
    """
    labels = np.empty(rows.n_distinct, dtype=np.int64)

    def add(bounds: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        sums, sizes = np.zeros(3), np.zeros(parameters.shape[1])
        for piece in _pieces(*bounds):
            logs = log_densities(rows.values[:, piece], parameters, family)
            row_log, log_shares = normalise(logs)
            weights = rows.weights[piece]
            shares = exponential(log_shares)
            labels[piece] = log_shares.argmax(axis=0)
            uncertain = -(shares * log_shares).sum(axis=0)
            totals = (row_log, log_shares.max(axis=0), uncertain)
            sums += [float((weights * total).sum()) for total in totals]
            sizes += shares @ weights
        return sums, sizes

    parts = run(add, chunks_of(rows.n_distinct))
    sums = np.sum([part[0] for part in parts], axis=0)
    sizes = np.sum([part[1] for part in parts], axis=0)
    return Assessment(float(sums[0]), float(sums[1]), float(sums[2]), sizes, labels)


def criteria(
    loglik: float, hard_log: float, n_parameters: int, total_weight: float
) -> dict[str, float]:
    """Compute the information criteria, smaller being better.

    Parameters
    ----------
    loglik : float
        Total log-likelihood.
    hard_log : float
        From `Assessment`.
    n_parameters : int
        Free parameters.
    total_weight : float
        Number of rows, or the sum of their weights.

    Returns
    -------
    dict
        `bic`, `icl`, `aic`.

    Notes
    -----
    BIC = -2 loglik + p log n, which is minus mclust's; ICL = BIC - 2 sum log max_k r_ik;
    AIC = -2 loglik + 2 p.

    References
    ----------
    Schwarz (1978), Estimating the dimension of a model. Biernacki, Celeux and Govaert (2000),
    Assessing a mixture model for clustering with the integrated completed likelihood.
    """
    bic = -2.0 * loglik + n_parameters * float(np.log(total_weight))
    return {"bic": bic, "icl": bic - 2.0 * hard_log, "aic": -2.0 * loglik + 2.0 * n_parameters}
