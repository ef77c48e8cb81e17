"""One pass of EM over rows: responsibilities and their sums, plain and compiled."""

from collections.abc import Callable
from functools import cache

import numpy as np

from cohortlab.mixture.collapse import Rows
from cohortlab.mixture.density import Coefficients, exponential, whitened_distance
from cohortlab.mixture.kernels import run_rows
from cohortlab.mixture.models import Family

_BLOCK_BYTES = 1_000_000
_CHUNK_ROWS = 2048
_MOST_CHUNKS = 32

Pass = Callable[[tuple[int, int]], tuple[np.ndarray, ...]]


def n_products(family: Family, n_features: int) -> int:
    """Count the products of features that a family's log-density is linear in.

    Parameters
    ----------
    family : Family
        Covariance family.
    n_features : int
        Number of features d.

    Returns
    -------
    int
        1 + d for pooled families, 1 + 2 d for diagonal ones, else 1 + d + d (d + 1) / 2.
    """
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
    """Cut rows into chunks whose bounds depend on their number alone.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    Returns
    -------
    list of (int, int)
        First row and the one after the last, at most 32 pairs of about equal length.
    """
    n_chunks = int(np.clip(-(-n_rows // _CHUNK_ROWS), 1, _MOST_CHUNKS))
    edges = np.linspace(0, n_rows, n_chunks + 1).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def block_rows(n_columns: int) -> int:
    """Say how many rows of so many columns stay in the cache while a block is worked on.

    Parameters
    ----------
    n_columns : int
        Numbers a row takes while it is worked on.

    Returns
    -------
    int
        From 128 to 512, a multiple of 64.
    """
    return int(np.clip(_BLOCK_BYTES // (8 * n_columns) // 64 * 64, 128, 512))


class PlainPass:
    """The pass in NumPy: the compiled pass's twin, and the only one that takes differences."""

    def __init__(
        self,
        rows: Rows,
        family: Family,
        terms: Coefficients,
        means: np.ndarray,
    ):
        self.rows, self.family, self.terms, self.means = rows, family, terms, means
        self.n_fits, self.n_components, self.n_products = terms.matrix.shape
        self.flat = terms.matrix.reshape(-1, self.n_products)
        self.direct = [tuple(pair) for pair in np.argwhere(terms.direct).tolist()]

    def __call__(self, bounds: tuple[int, int]) -> tuple[np.ndarray, ...]:
        """Return log-likelihoods, moments of products, and moments of direct components."""
        size = block_rows(self.n_products + 2 * len(self.flat))
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
            share, gain = self._expect(values, terms, self.rows.weights[start:stop])
            loglik += gain
            total += share.reshape(len(self.flat), -1) @ terms.T
            self._add_direct(values, share, first, second)
        return loglik, total, first, second

    def _expect(
        self, values: np.ndarray, terms: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return weighted responsibilities and the block's log-likelihoods."""
        logs = (self.flat @ terms).reshape(self.n_fits, self.n_components, -1)
        for fit, component in self.direct:
            factor = self.terms.whitening.factors[fit, 0 if self.family.pooled else component]
            distance = whitened_distance(values, self.means[fit, component], factor)
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
        first: np.ndarray,
        second: np.ndarray,
    ) -> None:
        for place, (fit, component) in enumerate(self.direct):
            apart = values - self.means[fit, component][:, None]
            weighted = share[fit, component] * apart
            first[place] += weighted.sum(axis=1)
            if self.family.diagonal:
                second[place] += np.einsum("ij,ij->i", weighted, apart)
            else:
                second[place] += weighted @ apart.T


def choose_pass(rows: Rows, family: Family, terms: Coefficients, means: np.ndarray) -> Pass:
    """Give the pass for these coefficients: compiled, unless a component needs differences.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    family : Family
        Covariance family.
    terms : Coefficients
        Of all fits.
    means : ndarray of shape (n_fits, n_components, n_features)
        Means, for components computed from differences.

    Returns
    -------
    callable
        From the bounds of a chunk to log-likelihoods, sums of products, and the first and second
        moments of direct components about their means.
    """
    if terms.direct.any():
        return PlainPass(rows, family, terms, means)
    n_fits, _, n_terms = terms.matrix.shape
    flat = np.ascontiguousarray(terms.matrix.reshape(-1, n_terms))
    size = block_rows(n_terms + len(flat))
    squares, crossed = not family.pooled, not (family.pooled or family.diagonal)
    none = np.zeros((0, rows.n_features)), np.zeros((0, *means.shape[2:] * (2 - family.diagonal)))

    def compiled_pass(bounds: tuple[int, int]) -> tuple[np.ndarray, ...]:
        found = run_rows(rows.values, rows.weights, flat, n_fits, *bounds, size, squares, crossed)
        return *found, *none

    return compiled_pass
