"""Draws that both generators share: counts, gaps, heavy tails and popularity."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr, ndtri

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys

COUNT_KEYS = ("distribution", "minimum", "mean", "maximum")


def check_counts(block: object, *, where: str) -> None:
    """Check the description of a count: its distribution, minimum, mean and maximum.

    Parameters
    ----------
    block : object
        A mapping with the keys ``distribution`` (constant, poisson or geometric), ``minimum`` (at
        least 1), ``mean`` and ``maximum``.
    where : str
        Path of the block, for messages.

    Raises
    ------
    ValueError
        If a key is missing or unknown or a value impossible.

    Examples
    --------
    >>> check_counts({"distribution": "poisson", "minimum": 1, "mean": 2.5, "maximum": 9}, where="")
    """
    check_keys(block, COUNT_KEYS, where=where)
    if block["distribution"] not in DRAWS:
        raise ValueError(
            f"{where}.distribution: expected one of {list(DRAWS)}, got {block['distribution']!r}"
        )
    check_number(block["minimum"], where=f"{where}.minimum", low=1, whole=True)
    check_number(block["maximum"], where=f"{where}.maximum", low=block["minimum"], whole=True)
    low, high = block["minimum"], block["maximum"]
    check_number(block["mean"], where=f"{where}.mean", low=low, high=high)
    if block["distribution"] == "constant" and block["mean"] != low:
        raise ValueError(
            f"{where}.mean: a constant has mean equal to minimum ({low}), got {block['mean']!r}"
        )


def draw_counts(size: int, block: Mapping, *, rng: np.random.Generator) -> np.ndarray:
    """Draw whole numbers: the minimum plus a constant 0, a Poisson or a geometric excess.

    Parameters
    ----------
    size : int
        How many.
    block : mapping
        As in `check_counts`. ``mean`` is the mean before values over ``maximum`` are set to it.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int64, shape (size,)
        Counts from ``minimum`` to ``maximum``.
    """
    excess = DRAWS[block["distribution"]](size, block["mean"] - block["minimum"], rng)
    return np.minimum(block["minimum"] + excess, block["maximum"]).astype(np.int64)


def _constant(size: int, excess: float, rng: np.random.Generator) -> np.ndarray:
    return np.zeros(size, dtype=np.int64)


def _poisson(size: int, excess: float, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(excess, size)


def _geometric(size: int, excess: float, rng: np.random.Generator) -> np.ndarray:
    # numpy counts trials from 1; the excess counts failures from 0.
    return rng.geometric(1 / (1 + excess), size) - 1


DRAWS = {"constant": _constant, "poisson": _poisson, "geometric": _geometric}


def popularity(n_items: int, *, exponent: float) -> np.ndarray:
    """Popularity of the items of a list by their rank: Zipf's law.

    Parameters
    ----------
    n_items : int
        Number of items, the most popular first.
    exponent : float
        0 makes all equally popular; about 1 is a typical shop.

    Returns
    -------
    ndarray, shape (n_items,)
        Shares that sum to one.

    Examples
    --------
    >>> popularity(2, exponent=1.0).round(3).tolist()
    [0.667, 0.333]
    """
    weights = np.arange(1, n_items + 1, dtype=float) ** -exponent
    return weights / weights.sum()


def draw_zipf(size: int, *, exponent: float, maximum: int, rng: np.random.Generator) -> np.ndarray:
    """Draw from the heavy-tailed law P(k) proportional to k^-exponent, k from 1 to maximum.

    Parameters
    ----------
    size : int
        Number of draws.
    exponent : float
        From 0, where all k are alike.
    maximum : int
        Largest k, from 1.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray of int64, shape (size,)
        The draws.
    """
    cumulative = np.cumsum(popularity(maximum, exponent=exponent))
    return 1 + np.minimum(np.searchsorted(cumulative, rng.random(size), "right"), maximum - 1)


def draw_gaps_ms(
    median_sec: np.ndarray, spread: np.ndarray, *, limit_sec: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw lognormal gaps that stay under a limit, by inversion, so that none heaps up at it.

    Parameters
    ----------
    median_sec : ndarray, shape (n,)
        Median of the law before the cut, seconds.
    spread : ndarray, shape (n,)
        Standard deviation of the logarithm.
    limit_sec : float
        Every gap is shorter.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int64, shape (n,)
        Gaps from 1 ms to 1 ms under the limit.
    """
    limit_ms = int(limit_sec * 1000)
    below = ndtr(np.log(limit_sec / median_sec) / spread)
    # 1 - u is never 0, where the inverse would be minus infinity.
    quantile = below * (1 - rng.random(len(median_sec)))
    gaps = np.exp(np.log(median_sec) + spread * ndtri(quantile)) * 1000
    return np.clip(gaps, 1, limit_ms - 1).astype(np.int64)
