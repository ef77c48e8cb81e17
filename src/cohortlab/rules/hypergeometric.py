"""The hypergeometric distribution for many rules at once, to full precision in the tail."""

import numpy as np
from scipy.special import gammaln, xlogy


def log_mass(k: np.ndarray, n: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logarithm of the probability of k baskets with both sides.

    Parameters
    ----------
    k : ndarray
        Baskets with both sides.
    n, left, right : ndarray
        All baskets, those with the left and those with the right side.

    Returns
    -------
    ndarray
        Logarithms; -inf where k is impossible.

    Notes
    -----
    Three binomial probabilities by Loader's saddle-point expansion, as in R's `dhyper`: factorials
    of 100,000 would cost five digits.

    References
    ----------
    Loader (2000), Fast and accurate computation of binomial probabilities.
    """
    k, n, left, right = np.broadcast_arrays(*(np.asarray(v, float) for v in (k, n, left, right)))
    possible = (k >= 0) & (k <= left) & (k <= right) & (right - k <= n - left)
    inside = np.where(possible, k, np.minimum(left, right))
    share = np.divide(right, n, out=np.zeros_like(right), where=n > 0)
    parts = (
        _log_binomial(inside, left, share)
        + _log_binomial(right - inside, n - left, share)
        - _log_binomial(right, n, share)
    )
    return np.where(possible, parts, -np.inf)


def _log_binomial(k: np.ndarray, n: np.ndarray, share: np.ndarray) -> np.ndarray:
    rest = 1.0 - share
    inner = (k > 0) & (k < n)
    k_, n_ = np.where(inner, k, 1.0), np.where(inner, n, 2.0)
    p, q = np.where(inner, share, 0.5), np.where(inner, rest, 0.5)
    stirling = _stirling_error(n_) - _stirling_error(k_) - _stirling_error(n_ - k_)
    body = stirling - _deviance(k_, n_ * p) - _deviance(n_ - k_, n_ * q)
    body += 0.5 * np.log(n_ / (2 * np.pi * k_ * (n_ - k_)))
    edge = np.where(k == 0, xlogy(n, rest), xlogy(n, share))
    return np.where(inner, body, np.where(n == 0, 0.0, edge))


def _stirling_error(n: np.ndarray) -> np.ndarray:
    # log(n!) less Stirling's formula: by factorials where they are small, else by its series.
    small = np.where(n <= 15, n, 1.0)
    exact = gammaln(small + 1) - (small + 0.5) * np.log(small) + small - 0.5 * np.log(2 * np.pi)
    m = np.where(n > 15, n, 16.0)
    squared = m * m
    terms = 1 / 1260 - (1 / 1680 - (1 / 1188 - 691 / 360360 / squared) / squared) / squared
    return np.where(n > 15, (1 / 12 - (1 / 360 - terms / squared) / squared) / m, exact)


def _deviance(x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    # x log(x / mean) + mean - x, by its series where x is near the mean.
    ratio = (x - mean) / (x + mean)
    near = np.abs(ratio) < 0.1
    v = np.where(near, ratio, 0.0)
    total, power = (x - mean) * v, 2 * x * v
    for j in range(1, 12):
        power = power * v * v
        total = total + power / (2 * j + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        direct = x * np.log(x / mean) + mean - x
    return np.where(near, total, direct)


def tail(k: np.ndarray, n: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Probability of k or more baskets with both sides: Fisher's exact test, one-sided.

    Parameters
    ----------
    k, n, left, right
        As for `log_mass`.

    Returns
    -------
    ndarray
        Probabilities, to about twelve digits however small.

    References
    ----------
    Fisher (1935), The logic of inductive inference.

    Examples
    --------
    >>> float(tail(2, 4, 2, 2).round(6))
    0.166667
    """
    k, n, left, right = np.broadcast_arrays(*(np.asarray(v, float) for v in (k, n, left, right)))
    lowest = np.maximum(0.0, left + right - n)
    mean = np.divide(left * right, n, out=np.zeros(k.shape), where=n > 0)
    # Below the mean the other tail is the smaller one, and what is left of 1 is exact enough.
    upper = k > mean
    over = _sum(np.where(upper, k, k - 1), n, left, right, np.where(upper, 1, -1))
    return np.clip(np.where(k <= lowest, 1.0, np.where(upper, over, 1.0 - over)), 0.0, 1.0)


def _sum(start: np.ndarray, n: np.ndarray, left: np.ndarray, right: np.ndarray, step: np.ndarray):
    """Sum probabilities from a start outwards, until nothing is added any more."""
    shape = start.shape
    start, n, left, right, step = (np.ravel(v) for v in (start, n, left, right, step))
    first = np.exp(log_mass(start, n, left, right))
    total, term = np.ones_like(first), np.ones_like(first)
    k, active = start.astype(float), np.flatnonzero(first > 0)
    while len(active):
        here, l_, r_, n_ = k[active], left[active], right[active], n[active]
        up = (l_ - here) * (r_ - here) / np.maximum((here + 1) * (n_ - l_ - r_ + here + 1), 1.0)
        down = here * (n_ - l_ - r_ + here) / ((l_ - here + 1) * (r_ - here + 1))
        term[active] *= np.where(step[active] > 0, up, down)
        total[active] += term[active]
        k[active] += step[active]
        active = active[term[active] > 1e-17 * total[active]]
    return (first * total).reshape(shape)


def quantile(level: float, n: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Smallest number of baskets with both sides that chance stays at or below at this level.

    Parameters
    ----------
    level : float
        Probability, 0 to 1.
    n, left, right
        As for `log_mass`.

    Returns
    -------
    ndarray
        Whole numbers as floats.
    """
    n, left, right = np.broadcast_arrays(*(np.asarray(v, float) for v in (n, left, right)))
    guess = np.floor(np.divide(left * right, n, out=np.zeros(n.shape), where=n > 0))
    guess = np.maximum(guess, np.maximum(0.0, left + right - n))
    above = tail(guess + 1, n, left, right)
    # A millionth of a millionth: sums of floats do not settle ties any better.
    reached = (1.0 - level) * (1 + 1e-12)
    active = above > reached
    while active.any():
        guess = guess + active
        above = above - np.where(active, np.exp(log_mass(guess, n, left, right)), 0.0)
        active &= above > reached
    return guess
