"""How well two partitions of the same rows agree, from the table of their counts."""

from math import fsum, log

import numpy as np
from sklearn.metrics.cluster import expected_mutual_information


def adjusted_rand_index(counts: np.ndarray) -> float:
    """Share of the pairs of rows on which two partitions agree, corrected for chance.

    Parameters
    ----------
    counts : ndarray of int, shape (n_types, n_clusters)
        Rows of each type in each cluster; no empty row or column.

    Returns
    -------
    float
        1 for the same partition, 0 by chance.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions, equation 5.

    Examples
    --------
    >>> adjusted_rand_index(np.array([[2, 0], [0, 2]]))
    1.0
    """
    together = _pairs(counts)
    by_type, by_cluster = _pairs(counts.sum(axis=1)), _pairs(counts.sum(axis=0))
    everything = _pairs(counts.sum())
    # In whole numbers: nothing is rounded before the end.
    numerator = 2 * (together * everything - by_type * by_cluster)
    denominator = (by_type + by_cluster) * everything - 2 * by_type * by_cluster
    return numerator / denominator if denominator else 1.0


def _pairs(sizes: np.ndarray) -> int:
    return sum(n * (n - 1) // 2 for n in np.ravel(sizes).tolist())


def adjusted_mutual_information(counts: np.ndarray) -> float:
    """Information that two partitions share, corrected for chance, over their mean entropy.

    Parameters
    ----------
    counts : ndarray of int, shape (n_types, n_clusters)
        Rows of each type in each cluster; no empty row or column.

    Returns
    -------
    float
        1 for the same partition, 0 by chance.

    References
    ----------
    Vinh, Epps and Bailey (2010), Information theoretic measures for clusterings comparison: AMI_sum
    of table 2, its expectation equation 24a.

    Examples
    --------
    >>> adjusted_mutual_information(np.array([[2, 0], [0, 2]]))
    1.0
    """
    if 1 in counts.shape:
        return float(counts.shape == (1, 1))
    # In order of size, so that the names of types and clusters change no last digit.
    ordered = counts[np.argsort(counts.sum(axis=1))][:, np.argsort(counts.sum(axis=0))]
    by_chance = expected_mutual_information(ordered, int(counts.sum()))
    shared = _mutual_information(counts) - by_chance
    most = _mean_entropy(counts) - by_chance
    return _not_zero(shared) / _not_zero(most)


def _not_zero(value: float) -> float:
    # Partitions into single rows share by chance all that there is: they agree, up to rounding.
    return float(np.copysign(max(abs(value), np.finfo(float).eps), value))


def v_measure(counts: np.ndarray) -> float:
    """Information that two partitions share over their mean entropy.

    Parameters
    ----------
    counts : ndarray of int, shape (n_types, n_clusters)
        Rows of each type in each cluster; no empty row or column.

    Returns
    -------
    float
        1 for the same partition; not corrected for chance.

    Notes
    -----
    It is defined as the harmonic mean of homogeneity and completeness, the shared information over
    the one and over the other entropy.

    References
    ----------
    Rosenberg and Hirschberg (2007), V-measure: a conditional entropy-based external cluster
    evaluation measure.

    Examples
    --------
    >>> v_measure(np.array([[1, 1], [1, 1]]))
    0.0
    """
    most = _mean_entropy(counts)
    return _mutual_information(counts) / most if most else 1.0


def _mutual_information(counts: np.ndarray) -> float:
    # Summed without rounding, so that the order of types and clusters changes no last digit.
    total = int(counts.sum())
    by_chance = np.outer(counts.sum(axis=1), counts.sum(axis=0)).ravel().tolist()
    cells = zip(counts.ravel().tolist(), by_chance, strict=True)
    return max(0.0, fsum(n / total * log(n * total / product) for n, product in cells if n))


def _mean_entropy(counts: np.ndarray) -> float:
    sides = (counts.sum(axis=axis) for axis in (0, 1))
    return sum(_mutual_information(np.diag(sizes)) for sizes in sides) / 2
