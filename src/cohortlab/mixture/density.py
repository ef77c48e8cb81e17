"""Log-densities of Gaussian components: as linear functions of products, and directly."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from cohortlab.mixture.covariance import Carried
from cohortlab.mixture.models import Family

# At this many units of rounding the products put a row's log-density off by about 1e-7; beyond it
# a component is computed from differences to its mean. Reported figures always are.
_LARGEST_CANCELLATION = 1e9
_LOWEST_LOG = -700.0
_LEAST_VARIANCE = 1e-300
_LOG_TWO_PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Parameters:
    """Parameters of several mixtures of one family and size, in centred coordinates.

    Attributes
    ----------
    weights : ndarray of shape (n_fits, n_components)
    means : ndarray of shape (n_fits, n_components, n_features)
    covariances : ndarray
        (n_fits, n_components, n_features) for diagonal families, else one more axis of n_features;
        the component axis has length one for pooled families.
    carried : Carried
        State of the last M-step.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    carried: Carried

    def take(self, keep: np.ndarray) -> "Parameters":
        """Keep some of the fits.

        Parameters
        ----------
        keep : ndarray of shape (n_fits,), bool, or of int
            Which fits.

        Returns
        -------
        density.Parameters
            Of those fits.
        """
        parts = self.weights[keep], self.means[keep], self.covariances[keep]
        return Parameters(*parts, self.carried.take(keep))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of fits, components and features."""
        return self.means.shape


@dataclass(frozen=True)
class Whitening:
    """Square roots of the precisions.

    Attributes
    ----------
    factors : ndarray
        1 / standard deviation for diagonal families, else A with A S A' = I, in the layout of the
        covariances.
    logdet : ndarray of shape (n_fits, n_components or 1)
        Log-determinants of the covariances.
    valid : ndarray of shape (n_fits,), bool
        Whether every covariance of the fit is finite and positive definite.
    """

    factors: np.ndarray
    logdet: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class Coefficients:
    """What turns the products of a row's features into log-densities.

    Attributes
    ----------
    matrix : ndarray of shape (n_fits, n_components, n_products)
        Log of weight times density, but for `common`, is `matrix` times the products; zero for
        `direct` components.
    common : ndarray of shape (n_fits, n_features[, n_features]) or None
        Precision whose quadratic term all components share and `matrix` leaves out.
    direct : ndarray of shape (n_fits, n_components), bool
        Components too narrow for their distance from the centre: the products would cancel, so
        these are computed from differences to the mean.
    whitening : Whitening
        For the direct route.
    offset : ndarray of shape (n_fits, n_components)
        Log of weight and of the normalising constant.
    """

    matrix: np.ndarray
    common: np.ndarray | None
    direct: np.ndarray
    whitening: Whitening
    offset: np.ndarray

    def take(self, keep: np.ndarray) -> "Coefficients":
        """Keep some of the fits.

        Parameters
        ----------
        keep : ndarray of shape (n_fits,), bool, or of int
            Which fits.

        Returns
        -------
        Coefficients
            Of those fits.
        """
        whitening = self.whitening
        parts = whitening.factors[keep], whitening.logdet[keep], whitening.valid[keep]
        common = None if self.common is None else self.common[keep]
        return Coefficients(
            self.matrix[keep], common, self.direct[keep], Whitening(*parts), self.offset[keep]
        )


def whiten(covariances: np.ndarray, family: Family) -> Whitening:
    """Take the inverse square roots of the covariances, noting those that have none.

    Parameters
    ----------
    covariances : ndarray
        In the layout of the family.
    family : Family
        Covariance family.

    Returns
    -------
    Whitening
        Factors, log-determinants, and which fits are valid.
    """
    if family.diagonal:
        # Comparisons with nan are false. Below the least variance an inverse would overflow.
        valid = ((covariances > _LEAST_VARIANCE) & (covariances < np.inf)).all(axis=(1, 2))
        safe = np.where(valid[:, None, None], covariances, 1.0)
        return Whitening(1.0 / np.sqrt(safe), np.log(safe).sum(axis=-1), valid)
    variances = np.diagonal(covariances, axis1=-2, axis2=-1)
    valid = np.isfinite(covariances).all(axis=(1, 2, 3))
    valid &= (variances > _LEAST_VARIANCE).all(axis=(1, 2))
    identity = np.eye(covariances.shape[-1])
    safe = np.where(valid[:, None, None, None], covariances, identity)
    lower, positive = _cholesky(safe)
    factors = np.linalg.inv(lower)
    logdet = 2.0 * np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1)
    return Whitening(factors, logdet, valid & positive)


def _cholesky(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factor each fit's matrices; where one fails, mark the fit and put the identity."""
    try:
        lower = np.linalg.cholesky(matrices)
        return lower, _well_posed(lower, matrices)
    except np.linalg.LinAlgError:
        lower = np.broadcast_to(np.eye(matrices.shape[-1]), matrices.shape).copy()
    positive = np.zeros(len(matrices), dtype=bool)
    for fit, stack in enumerate(matrices):
        try:
            lower[fit] = np.linalg.cholesky(stack)
            positive[fit] = True
        except np.linalg.LinAlgError:
            continue
    return lower, positive & _well_posed(lower, matrices)


def _well_posed(lower: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Say whether what is left of each variance exceeds rounding."""
    left = np.diagonal(lower, axis1=-2, axis2=-1) ** 2
    variance = np.diagonal(matrices, axis1=-2, axis2=-1)
    return (left > 1e-15 * variance).all(axis=(1, 2))


def _precision(whitening: Whitening, family: Family) -> np.ndarray:
    factors = whitening.factors
    return factors**2 if family.diagonal else np.swapaxes(factors, -1, -2) @ factors


def coefficients(parameters: Parameters, family: Family) -> Coefficients:
    """Expand the log-densities into coefficients of products of features.

    Parameters
    ----------
    parameters : Parameters
        Mixtures of one family.
    family : Family
        Covariance family.

    Returns
    -------
    Coefficients
        For all fits.

    Notes
    -----
    log w_k N(x; m_k, S_k) = offset_k - m'Pm / 2 + (Pm)'x - x'Px / 2 with P the inverse of S_k is
    linear in (1, x, products of two features). A diagonal P needs squares alone, and a P that all
    components share adds the same x'Px / 2 to each, so it can stay out of the responsibilities.
    """
    whitening = whiten(parameters.covariances, family)
    precision = _precision(whitening, family)
    means, n_features = parameters.means, parameters.means.shape[-1]
    with np.errstate(divide="ignore"):
        offset = np.log(parameters.weights) - (n_features * _LOG_TWO_PI + whitening.logdet) / 2
    # What overflows here is wider than any cancellation allowed, and left out.
    with np.errstate(over="ignore", invalid="ignore"):
        if family.diagonal:
            pulled = precision * means
            spread = (precision * means**2).sum(axis=-1)
        else:
            pulled = (precision @ means[..., None])[..., 0]
            size = np.abs(precision) @ np.abs(means)[..., None]
            spread = np.einsum("...i,...i->...", np.abs(means), size[..., 0])
        constant = offset - np.einsum("...i,...i->...", pulled, means) / 2
    parts = [constant[..., None], pulled]
    if not family.pooled:
        parts.append(-precision / 2 if family.diagonal else _pack(precision))
    direct = ~(spread <= _LARGEST_CANCELLATION)
    if family.pooled:
        direct = np.broadcast_to(direct.any(axis=1, keepdims=True), direct.shape)
    common = precision[:, 0] if family.pooled else None
    # What is computed otherwise is left out: its coefficients may be too large to multiply.
    matrix = np.where(direct[..., None], 0.0, np.concatenate(parts, axis=-1))
    return Coefficients(matrix, common, direct, whitening, offset)


@cache
def upper_triangle(n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the row and column numbers of the products x_i x_j with i <= j, in their order.

    Parameters
    ----------
    n_features : int
        Number of features d.

    Returns
    -------
    rows, columns : ndarray of shape (d * (d + 1) / 2,)
        Shared between calls: not to be written to.
    """
    return np.triu_indices(n_features)


def _pack(precision: np.ndarray) -> np.ndarray:
    """Lay out -P / 2 over the products x_i x_j with i <= j, off-diagonal terms once for both."""
    upper = upper_triangle(precision.shape[-1])
    factor = np.where(upper[0] == upper[1], -0.5, -1.0)
    return precision[..., upper[0], upper[1]] * factor


def exponential(logs: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Take the exponential of logs of shares, none below exp(-700).

    Smaller results would be denormal or zero, on which processors take a path ten times as long;
    no sum of shares can tell the difference.

    Parameters
    ----------
    logs : ndarray
        Logs of shares, at most about 0.
    out : ndarray, optional
        Where to put the result; may be `logs` itself.

    Returns
    -------
    ndarray
        Of the same shape.
    """
    return np.exp(np.maximum(logs, _LOWEST_LOG, out=out), out=out)


def whitened_distance(values: np.ndarray, mean: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Square the distances of columns of `values` to a mean, in units of the covariance.

    Parameters
    ----------
    values : ndarray of shape (n_features, n_rows)
    mean : ndarray of shape (n_features,)
    factor : ndarray of shape (n_features,) or (n_features, n_features)
        One of `Whitening.factors`.

    Returns
    -------
    ndarray of shape (n_rows,)
        Squared Mahalanobis distances.
    """
    apart = values - mean[:, None]
    scaled = factor[:, None] * apart if factor.ndim == 1 else factor @ apart
    return np.einsum("ij,ij->j", scaled, scaled)


def log_densities(values: np.ndarray, parameters: Parameters, family: Family) -> np.ndarray:
    """Compute log(weight times density) of one fit from differences to the means.

    Parameters
    ----------
    values : ndarray of shape (n_features, n_rows)
        Rows in the coordinates of the parameters.
    parameters : Parameters
        One fit.
    family : Family
        Covariance family.

    Returns
    -------
    ndarray of shape (n_components, n_rows)
        Log of weight times density.
    """
    whitening = whiten(parameters.covariances, family)
    n_components, n_features = parameters.means.shape[1:]
    with np.errstate(divide="ignore"):
        weights = np.log(parameters.weights[0])
    offset = weights - (n_features * _LOG_TWO_PI + whitening.logdet[0]) / 2
    result = np.empty((n_components, values.shape[1]))
    for component in range(n_components):
        factor = whitening.factors[0, 0 if family.pooled else component]
        distance = whitened_distance(values, parameters.means[0, component], factor)
        result[component] = offset[component] - distance / 2
    return result


def expand(parameters: Parameters, family: Family) -> np.ndarray:
    """Give the covariances of one fit as full matrices.

    Parameters
    ----------
    parameters : Parameters
        One fit.
    family : Family
        Covariance family.

    Returns
    -------
    ndarray of shape (n_components, n_features, n_features)
        Covariances.
    """
    _, n_components, n_features = parameters.means.shape
    covariances = parameters.covariances[0]
    if family.diagonal:
        covariances = covariances[..., None] * np.eye(n_features)
    covariances = (covariances + np.swapaxes(covariances, -1, -2)) / 2
    return np.broadcast_to(covariances, (n_components, n_features, n_features)).copy()


def compact(
    weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, family: Family
) -> Parameters:
    """Pack one fit with full matrices into the layout of a family; the inverse of `expand`.

    Parameters
    ----------
    weights : ndarray of shape (n_components,)
        Mixing proportions.
    means : ndarray of shape (n_components, n_features)
        Means.
    covariances : ndarray of shape (n_components, n_features, n_features)
        Of the form of the family: only the part that it keeps is read.
    family : Family
        Covariance family.

    Returns
    -------
    density.Parameters
        One fit, with no state of an M-step.
    """
    if family.pooled:
        covariances = covariances[:1]
    if family.diagonal:
        covariances = np.diagonal(covariances, axis1=-2, axis2=-1)
    return Parameters(weights[None], means[None], covariances[None].copy(), Carried())


def shift(parameters: Parameters, offset: np.ndarray) -> Parameters:
    """Move the means by `offset`.

    Parameters
    ----------
    parameters : Parameters
        Any number of fits.
    offset : ndarray of shape (n_features,)
        Added to every mean.

    Returns
    -------
    density.Parameters
        In the moved coordinates.
    """
    return replace(parameters, means=parameters.means + offset)
