"""Expectation and maximisation of several fits together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.covariance import Carried, estimate_covariances
from cohortlab.mixture.density import Coefficients, Parameters, coefficients, upper_triangle
from cohortlab.mixture.models import Family
from cohortlab.mixture.parallel import OrderedMap, in_turn
from cohortlab.mixture.passes import choose_pass, chunks_of

_SMALLEST_SHARE = 1e-12


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics of several fits.

    Attributes
    ----------
    loglik : ndarray of shape (n_fits,)
        Total weighted log-likelihood at the parameters that made the responsibilities.
    counts : ndarray of shape (n_fits, n_components)
        Effective sizes.
    means : ndarray of shape (n_fits, n_components, n_features)
        Weighted means.
    scatter : ndarray
        Scatter about the means, in the layout of the family.
    """

    loglik: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    scatter: np.ndarray

    def take(self, keep: np.ndarray) -> "Moments":
        """Keep some of the fits.

        Parameters
        ----------
        keep : ndarray of shape (n_fits,), bool, or of int
            Which fits.

        Returns
        -------
        Moments
            Of those fits.
        """
        parts = (self.loglik, self.counts, self.means, self.scatter)
        return Moments(*(part[keep] for part in parts))


def expect(
    rows: Rows,
    parameters: Parameters,
    family: Family,
    run: OrderedMap,
    *,
    pooled_scatter: np.ndarray | None = None,
) -> tuple[Moments, np.ndarray]:
    """Take one E-step and sum up what the M-step needs, for several fits together.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    parameters : Parameters
        Fits of one family and size.
    family : Family
        Covariance family.
    run : callable
        Ordered map over chunks of rows, from `workers`.
    pooled_scatter : ndarray, optional
        Scatter of the rows about the centre, for pooled families; computed where not given.

    Returns
    -------
    moments : Moments
        Log-likelihoods and sufficient statistics.
    valid : ndarray of shape (n_fits,), bool
        False where a covariance is singular.
    """
    terms = coefficients(parameters, family)
    if family.pooled and pooled_scatter is None:
        pooled_scatter = rows.scatter(diagonal=family.diagonal)[None]
    sums = _sum_up(rows, terms, parameters.means, family, run)
    moments = _gather(sums, terms, family, parameters.means, pooled_scatter)
    return moments, terms.whitening.valid


def expect_apart(
    tables: Sequence[Rows],
    owner: np.ndarray,
    parameters: Parameters,
    family: Family,
    run: OrderedMap,
    *,
    pooled_scatter: np.ndarray | None = None,
) -> tuple[Moments, np.ndarray]:
    """Take one E-step for fits that see tables of their own.

    What is done once for all fits, rather than once a table, is most of the work on small tables.

    Parameters
    ----------
    tables : sequence of Rows
        Each with its distinct weighted rows.
    owner : ndarray of shape (n_fits,)
        The table of each fit, in rising order.
    parameters : Parameters
        Fits of one family and size.
    family : Family
        Covariance family.
    run : callable
        Ordered map over tables, from `workers`.
    pooled_scatter : ndarray of shape (n_fits, n_features[, n_features]), optional
        Scatter of each fit's rows about their centre; needed for pooled families.

    Returns
    -------
    moments : Moments
        Log-likelihoods and sufficient statistics.
    valid : ndarray of shape (n_fits,), bool
        False where a covariance is singular.
    """
    terms = coefficients(parameters, family)

    def one_table(fits: np.ndarray) -> list[np.ndarray]:
        own, means = terms.take(fits), parameters.means[fits]
        return _sum_up(tables[owner[fits[0]]], own, means, family, in_turn)

    parts = run(one_table, np.split(np.arange(len(owner)), np.flatnonzero(np.diff(owner)) + 1))
    sums = [np.concatenate([part[place] for part in parts]) for place in range(4)]
    moments = _gather(sums, terms, family, parameters.means, pooled_scatter)
    return moments, terms.whitening.valid


def _sum_up(
    rows: Rows, terms: Coefficients, means: np.ndarray, family: Family, run: OrderedMap
) -> list[np.ndarray]:
    """Sum over rows: log-likelihoods, products, and both moments of direct components."""
    over = choose_pass(rows, family, terms, means)
    parts = run(over, chunks_of(rows.n_distinct))
    return [np.sum([part[place] for part in parts], axis=0) for place in range(4)]


def _gather(
    sums: list[np.ndarray],
    terms: Coefficients,
    family: Family,
    origin: np.ndarray,
    pooled: np.ndarray | None,
) -> Moments:
    """Turn the sums over rows into moments about the means; direct ones are about `origin`."""
    loglik, total, first, second = sums
    n_features = origin.shape[-1]
    total = total.reshape(terms.matrix.shape)
    counts = total[..., 0]
    divisor = np.maximum(counts, np.finfo(float).tiny)[..., None]
    means = total[..., 1 : n_features + 1] / divisor
    if family.pooled:
        scatter, loglik = _pooled_parts(loglik, counts, means, pooled, terms, family)
    else:
        scatter = _unpack(total[..., n_features + 1 :], family, n_features)
        scatter = scatter - _square(means, family) * _fit_axes(counts, scatter)
    if family.pooled:
        scatter[terms.direct.any(axis=1)] = 0.0
    for place, (fit, component) in enumerate(np.argwhere(terms.direct).tolist()):
        step = first[place] / divisor[fit, component]
        means[fit, component] = origin[fit, component] + step
        about = second[place] - counts[fit, component] * _square(step, family)
        if family.pooled:
            scatter[fit, 0] += about
        else:
            scatter[fit, component] = about
    return Moments(loglik, counts, means, scatter)


def _fit_axes(counts: np.ndarray, like: np.ndarray) -> np.ndarray:
    return counts.reshape(counts.shape + (1,) * (like.ndim - counts.ndim))


def _square(vectors: np.ndarray, family: Family) -> np.ndarray:
    return vectors**2 if family.diagonal else vectors[..., :, None] * vectors[..., None, :]


def _unpack(packed: np.ndarray, family: Family, n_features: int) -> np.ndarray:
    if family.diagonal:
        return packed.copy()
    upper = upper_triangle(n_features)
    full = np.empty((*packed.shape[:-1], n_features, n_features))
    full[..., upper[0], upper[1]] = packed
    full[..., upper[1], upper[0]] = packed
    return full


def _pooled_parts(
    loglik: np.ndarray,
    counts: np.ndarray,
    means: np.ndarray,
    pooled: np.ndarray,
    terms: Coefficients,
    family: Family,
) -> tuple[np.ndarray, np.ndarray]:
    """Put back the quadratic term that all components share, and pool the scatter."""
    between = (_square(means, family) * _fit_axes(counts, _square(means, family))).sum(axis=1)
    axes = tuple(range(1, terms.common.ndim))
    shared = (terms.common * pooled).sum(axis=axes) / 2
    complete = terms.direct.any(axis=1)
    return (pooled - between)[:, None], np.where(complete, loglik, loglik - shared)


def maximise(
    moments: Moments,
    family: Family,
    *,
    reg_covar: np.ndarray | float = 0.0,
    carried: Carried | None = None,
) -> tuple[Parameters, np.ndarray]:
    """Take one M-step for several fits.

    Parameters
    ----------
    moments : Moments
        From `expect`.
    family : Family
        Covariance family.
    reg_covar : float or ndarray of shape (n_fits,)
        Added to every variance.
    carried : Carried, optional
        State of the previous M-step.

    Returns
    -------
    parameters : Parameters
        New parameters.
    alive : ndarray of shape (n_fits,), bool
        False where a component has lost all its rows.
    """
    total = moments.counts.sum(axis=1, keepdims=True)
    alive = (moments.counts > _SMALLEST_SHARE * total).all(axis=1)
    counts = np.where(alive[:, None], moments.counts, 1.0)
    covariances, state = estimate_covariances(
        family.name, counts, moments.scatter, reg_covar=reg_covar, carried=carried
    )
    return Parameters(moments.counts / total, moments.means, covariances, state), alive


def moments_of(
    rows: Rows, responsibilities: np.ndarray, family: Family, weights: np.ndarray | None = None
) -> Moments:
    """Sum up given responsibilities, from differences to the means.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    responsibilities : ndarray of shape (n_fits, n_components, n_distinct)
        Shares of each row, summing to one over components.
    family : Family
        Covariance family.
    weights : ndarray of shape (n_distinct,), optional
        Weights in place of `rows.weights`.

    Returns
    -------
    Moments
        With a log-likelihood of nan, as no parameters are involved.
    """
    shares = responsibilities * (rows.weights if weights is None else weights)
    counts = shares.sum(axis=-1)
    means = shares @ rows.values.T / np.maximum(counts, np.finfo(float).tiny)[..., None]
    n_fits, n_components = counts.shape
    tail = (rows.n_features,) * (1 if family.diagonal else 2)
    scatter = np.zeros((n_fits, n_components, *tail))
    for fit, component in np.ndindex(n_fits, n_components):
        apart = rows.values - means[fit, component][:, None]
        weighted = shares[fit, component] * apart
        product = (weighted * apart).sum(axis=1) if family.diagonal else weighted @ apart.T
        scatter[fit, component] = product
    if family.pooled:
        scatter = scatter.sum(axis=1, keepdims=True)
    return Moments(np.full(n_fits, np.nan), counts, means, scatter)


def moments_of_groups(rows: Rows, labels: np.ndarray, n_groups: int, family: Family) -> Moments:
    """Sum up a partition; as `moments_of` with shares of zero and one, but each row once.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    labels : ndarray of shape (n_distinct,)
        Group of each row, from 0, none empty.
    n_groups : int
        Number of groups.
    family : Family
        Covariance family.

    Returns
    -------
    Moments
        Of one fit, with a log-likelihood of nan.
    """
    n_features = rows.n_features
    counts, means = np.zeros((1, n_groups)), np.zeros((1, n_groups, n_features))
    scatter = np.zeros((1, n_groups) + (n_features,) * (1 if family.diagonal else 2))
    for group in range(n_groups):
        own = np.flatnonzero(labels == group)
        values, weights = rows.values[:, own], rows.weights[own]
        counts[0, group] = weights.sum()
        means[0, group] = values @ weights / counts[0, group]
        apart = values - means[0, group][:, None]
        weighted = apart * weights
        product = (weighted * apart).sum(axis=1) if family.diagonal else weighted @ apart.T
        scatter[0, group] = product
    if family.pooled:
        scatter = scatter.sum(axis=1, keepdims=True)
    return Moments(np.full(1, np.nan), counts, means, scatter)
