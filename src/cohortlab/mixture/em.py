"""Expectation and maximisation, as matrix products over blocks of rows."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.covariance import Carried, estimate_covariances
from cohortlab.mixture.density import (
    Coefficients,
    Parameters,
    coefficients,
    exponential,
    upper_triangle,
    whitened_distance,
)
from cohortlab.mixture.models import Family
from cohortlab.mixture.parallel import OrderedMap

_BLOCK_BYTES = 1_500_000
_CHUNK_ROWS = 8192
_MOST_CHUNKS = 32
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
        """Keep some of the fits."""
        parts = (self.loglik, self.counts, self.means, self.scatter)
        return Moments(*(part[keep] for part in parts))


def n_products(family: Family, n_features: int) -> int:
    """Count the products of features that a family's log-density is linear in."""
    if family.pooled:
        return 1 + n_features
    if family.diagonal:
        return 1 + 2 * n_features
    return 1 + n_features + n_features * (n_features + 1) // 2


def products(values: np.ndarray, family: Family, out: np.ndarray) -> np.ndarray:
    """Fill `out` with 1, the features, and those of their products that the family needs.

    Parameters
    ----------
    values : ndarray of shape (n_features, n_rows)
        Centred rows.
    family : Family
        Covariance family.
    out : ndarray of shape (n_products, n_rows)
        Filled in place.

    Returns
    -------
    ndarray
        `out`.
    """
    n_features = len(values)
    out[0] = 1.0
    out[1 : n_features + 1] = values
    position = n_features + 1
    if family.pooled:
        return out
    if family.diagonal:
        np.multiply(values, values, out=out[position:])
        return out
    for feature in range(n_features):
        size = n_features - feature
        np.multiply(values[feature:], values[feature], out=out[position : position + size])
        position += size
    return out


@cache
def chunks_of(n_rows: int) -> list[tuple[int, int]]:
    """Cut rows into chunks whose bounds depend on their number alone."""
    n_chunks = int(np.clip(-(-n_rows // _CHUNK_ROWS), 1, _MOST_CHUNKS))
    edges = np.linspace(0, n_rows, n_chunks + 1).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _block_rows(n_columns: int) -> int:
    return int(np.clip(_BLOCK_BYTES // (8 * n_columns) // 64 * 64, 64, 4096))


class _Chunk:
    """Accumulates the moments of one chunk of rows; each thread has its own."""

    def __init__(self, rows: Rows, weights: np.ndarray, family: Family, terms: Coefficients):
        self.rows, self.weights, self.family, self.terms = rows, weights, family, terms
        self.n_fits, self.n_components, self.n_products = terms.matrix.shape
        self.flat = terms.matrix.reshape(-1, self.n_products)
        self.direct = [tuple(pair) for pair in np.argwhere(terms.direct).tolist()]

    def run(self, bounds: tuple[int, int], means: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return log-likelihoods, moments of products, and moments of direct components."""
        size = _block_rows(self.n_products + 2 * len(self.flat))
        n_features = self.rows.n_features
        room = np.empty((self.n_products, size))
        loglik = np.zeros(self.n_fits)
        total = np.zeros(self.flat.shape)
        second_shape = (n_features,) if self.family.diagonal else (n_features, n_features)
        first = np.zeros((len(self.direct), n_features))
        second = np.zeros((len(self.direct), *second_shape))
        for start in range(*bounds, size):
            stop = min(start + size, bounds[1])
            values = self.rows.values[:, start:stop]
            terms = products(values, self.family, room[:, : stop - start])
            share, gain = self._expect(values, terms, self.weights[..., start:stop], means)
            loglik += gain
            total += share.reshape(len(self.flat), -1) @ terms.T
            self._add_direct(values, share, means, first, second)
        return loglik, total, first, second

    def _expect(
        self, values: np.ndarray, terms: np.ndarray, weights: np.ndarray, means: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return weighted responsibilities and the block's log-likelihoods."""
        logs = (self.flat @ terms).reshape(self.n_fits, self.n_components, -1)
        for fit, component in self.direct:
            factor = self.terms.whitening.factors[fit, 0 if self.family.pooled else component]
            distance = whitened_distance(values, means[fit, component], factor)
            logs[fit, component] = self.terms.offset[fit, component] - distance / 2
        top = logs.max(axis=1)
        logs -= top[:, None]
        exponential(logs, out=logs)
        total = logs.sum(axis=1)
        gain = ((top + np.log(total)) * weights).sum(axis=-1)
        logs *= (weights / total)[:, None]
        return logs, gain

    def _add_direct(
        self,
        values: np.ndarray,
        share: np.ndarray,
        means: np.ndarray,
        first: np.ndarray,
        second: np.ndarray,
    ) -> None:
        for place, (fit, component) in enumerate(self.direct):
            apart = values - means[fit, component][:, None]
            weighted = share[fit, component] * apart
            first[place] += weighted.sum(axis=1)
            if self.family.diagonal:
                second[place] += np.einsum("ij,ij->i", weighted, apart)
            else:
                second[place] += weighted @ apart.T


def expect(
    rows: Rows,
    parameters: Parameters,
    family: Family,
    run: OrderedMap,
    *,
    weights: np.ndarray | None = None,
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
    weights : ndarray of shape (n_distinct,) or (n_fits, n_distinct), optional
        Weights in place of `rows.weights`.
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
    weights = rows.weights if weights is None else weights
    if family.pooled and pooled_scatter is None:
        pooled_scatter = total_scatter(rows, weights, family)
    chunk = _Chunk(rows, weights, family, terms)
    bounds = chunks_of(rows.n_distinct)
    parts = run(lambda bound: chunk.run(bound, parameters.means), bounds)
    sums = [np.sum([part[place] for part in parts], axis=0) for place in range(4)]
    moments = _gather(sums, chunk, parameters, pooled_scatter)
    return moments, terms.whitening.valid


def total_scatter(rows: Rows, weights: np.ndarray, family: Family) -> np.ndarray:
    """Sum the weighted products about the centre, one for each set of weights."""
    sets = np.atleast_2d(weights)
    parts = [Rows(rows.values, one, rows.centre).scatter(diagonal=family.diagonal) for one in sets]
    return np.stack(parts)


def _gather(
    sums: list[np.ndarray], chunk: _Chunk, parameters: Parameters, pooled: np.ndarray | None
) -> Moments:
    """Turn the sums over rows into moments about the means."""
    loglik, total, first, second = sums
    family, n_features = chunk.family, chunk.rows.n_features
    total = total.reshape(chunk.terms.matrix.shape)
    counts = total[..., 0]
    divisor = np.maximum(counts, np.finfo(float).tiny)[..., None]
    means = total[..., 1 : n_features + 1] / divisor
    if family.pooled:
        scatter, loglik = _pooled_parts(loglik, counts, means, pooled, chunk.terms, family)
    else:
        scatter = _unpack(total[..., n_features + 1 :], family, n_features)
        scatter = scatter - _square(means, family) * _fit_axes(counts, scatter)
    fits = {fit for fit, _ in chunk.direct} if family.pooled else set()
    for fit in fits:
        scatter[fit] = 0.0
    for place, (fit, component) in enumerate(chunk.direct):
        step = first[place] / divisor[fit, component]
        means[fit, component] = parameters.means[fit, component] + step
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
