"""Longer steps for EM: extrapolation of its moments."""

import numpy as np

from cohortlab.mixture.em import Moments

_LONGEST = 100.0


def pack(moments: Moments, size: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Lay the moments of each fit out as one vector without units.

    Parameters
    ----------
    moments : Moments
        Of several fits.
    size : ndarray of shape (n_fits,)
        Total weight of each fit.
    scales : ndarray of shape (n_fits, n_features)
        Standard deviations of the features in the rows of each fit.

    Returns
    -------
    ndarray of shape (n_fits, n_terms)
        Shares, means and covariances of the components, in units of `scales`.
    """
    n_fits = len(size)
    share = moments.counts / size[:, None]
    squares = _squares(moments.scatter, scales)
    spread = moments.scatter / _sizes(moments, size) / squares
    parts = (share, moments.means / scales[:, None], spread)
    return np.concatenate([part.reshape(n_fits, -1) for part in parts], axis=1)


def unpack(vectors: np.ndarray, like: Moments, size: np.ndarray, scales: np.ndarray) -> Moments:
    """Turn vectors back into moments; the inverse of `pack`.

    Parameters
    ----------
    vectors : ndarray of shape (n_fits, n_numbers)
        From `pack`.
    like : Moments
        Gives the shapes and the log-likelihoods.
    size : ndarray of shape (n_fits,)
        Total weight of each fit.
    scales : ndarray of shape (n_fits, n_features)
        Standard deviations of the features, as for `pack`.

    Returns
    -------
    Moments
        Of all fits.
    """
    n_components, n_means = like.counts.shape[1], like.means[0].size
    counts = vectors[:, :n_components] * size[:, None]
    means = vectors[:, n_components : n_components + n_means].reshape(like.means.shape)
    means = means * scales[:, None]
    spread = vectors[:, n_components + n_means :].reshape(like.scatter.shape)
    found = Moments(like.loglik, counts, means, spread)
    scatter = spread * _sizes(found, size) * _squares(like.scatter, scales)
    return Moments(like.loglik, counts, means, scatter)


def _squares(scatter: np.ndarray, scales: np.ndarray) -> np.ndarray:
    if scatter.ndim == 3:
        return scales[:, None] ** 2
    return (scales[:, :, None] * scales[:, None])[:, None]


def _sizes(moments: Moments, size: np.ndarray) -> np.ndarray:
    """Give what each scatter is divided by: its component's size, or the total where pooled."""
    pooled = moments.scatter.shape[1] != moments.counts.shape[1]
    divisor = size[:, None] if pooled else np.maximum(moments.counts, np.finfo(float).tiny)
    return divisor.reshape(divisor.shape + (1,) * (moments.scatter.ndim - 2))


def extrapolate(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    """Step on from three successive iterates, as far as their change suggests.

    Parameters
    ----------
    first, second, third : ndarray of shape (n_fits, n_terms)
        Successive iterates of EM.

    Returns
    -------
    ndarray of shape (n_fits, n_terms)
        Extrapolated iterate; nothing promises that it is better, or even a valid mixture.

    Notes
    -----
    With r the first change and v the change of change, the step is x + 2 a r + a^2 v, where a is
    ``|r| / |v|``, at least 1; a = 1 gives the third iterate itself.

    References
    ----------
    Varadhan and Roland (2008), Simple and globally convergent methods for accelerating the
    convergence of any EM algorithm, scheme SqS3.
    """
    change = second - first
    bend = third - second - change
    with np.errstate(divide="ignore", invalid="ignore"):
        length = np.linalg.norm(change, axis=1) / np.linalg.norm(bend, axis=1)
    length = np.clip(np.nan_to_num(length, nan=1.0, posinf=_LONGEST), 1.0, _LONGEST)[:, None]
    return first + 2.0 * length * change + length**2 * bend
