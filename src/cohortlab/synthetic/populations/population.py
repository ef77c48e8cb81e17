"""Populations: labelled rows drawn from clusters that settings describe."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike

import numpy as np
import pandas as pd

from cohortlab.intervals import check_number
from cohortlab.synthetic.populations.overlap import draw_features, spread_clusters
from cohortlab.synthetic.populations.settings import (
    ClusterLaw,
    Correlation,
    load_clusters,
    read_clusters,
)

#: The column of a population that holds the true cluster.
LABEL_COLUMN = "cluster"


def make_population(
    n: int,
    features: Sequence[str],
    generator: str | Callable[..., np.ndarray],
    clusters: Mapping[str, Mapping] | str | PathLike,
    random_state: int,
    *,
    correlation: Correlation | None = None,
    overlap: float | None = None,
) -> pd.DataFrame:
    """Draw a population with known clusters.

    Parameters
    ----------
    n : int
        Number of rows, from 1.
    features : sequence of str
        Names of the columns.
    generator : str or callable
        What a plain list of parameters means: the name of a distribution (``"uniform"`` makes
        ``[20, 35]`` the range), or a function ``generator(u, *parameters)`` that turns uniforms
        into values.
    clusters : mapping or path
        Name -> ``share`` (all sum to 1), one entry a feature, and perhaps ``correlation``; or the
        path of a YAML file that holds this. A feature is a plain list of parameters, or a mapping
        with ``distribution`` and its parameters: uniform (low, high), integers (low, high: whole
        numbers, both included, all alike), normal (mean, deviation), lognormal (median, spread of
        the logarithm), poisson (mean), categorical (shares, a mapping), constant (value).
    random_state : int
        Seed, from 0: the same one gives the same rows.
    correlation : float, mapping or matrix, optional
        Of the Gaussian copula, for clusters that give none: one number for all pairs, ``{feature:
        {other: number}}``, or a matrix in the order of the features. It is the correlation of the
        normal scores; that of the values is nearer to 0 where laws are skewed or have jumps.
    overlap : float, optional
        Mean over pairs of clusters of the share that even the best classifier confuses. All
        clusters are made wider or narrower by one factor until they overlap so much.

    Returns
    -------
    DataFrame
        The features and the true `cluster`; rows in random order.

    Raises
    ------
    ValueError
        If a setting is impossible, with the names of the cluster and the feature.

    Notes
    -----
    The clusters get ``n`` times their shares, rounded by largest remainder.

    Examples
    --------
    >>> clusters = {"low": {"share": 0.5, "x": [0, 1]}, "high": {"share": 0.5, "x": [5, 6]}}
    >>> rows = make_population(4, ["x"], "uniform", clusters, 0)
    >>> sorted(rows["cluster"])
    ['high', 'high', 'low', 'low']
    """
    check_number(n, where="n", low=1, whole=True)
    check_number(random_state, where="random_state", low=0, whole=True)
    read = read_clusters(features, generator, clusters, correlation=correlation)
    if overlap is not None:
        check_number(overlap, where="overlap", low=0, high=0.5)
        read = spread_clusters(read, float(overlap))
    return draw_population(n, read, random_state)


def draw_population(n: int, clusters: Sequence[ClusterLaw], random_state: int) -> pd.DataFrame:
    """Draw a population from clusters that were read and checked.

    Parameters
    ----------
    n : int
        Number of rows, from 1.
    clusters : sequence of ClusterLaw
        From `read_clusters` or `spread_clusters`.
    random_state : int
        Seed.

    Returns
    -------
    DataFrame
        As from `make_population`.
    """
    rng = np.random.default_rng(random_state)
    counts = largest_remainder(n, [cluster.share for cluster in clusters])
    parts = []
    for cluster, count in zip(clusters, counts, strict=True):
        u = rng.random((count, len(cluster.features)))
        rows = pd.DataFrame(draw_features(cluster, u))
        parts.append(rows.assign(**{LABEL_COLUMN: cluster.name}))
    whole = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return whole.iloc[rng.permutation(n)].reset_index(drop=True)


def largest_remainder(n: int, shares: Sequence[float]) -> np.ndarray:
    """Divide ``n`` into whole numbers in given shares: the largest remainders are rounded up.

    Parameters
    ----------
    n : int
        What to divide.
    shares : sequence of float
        At least 0, with a sum of one.

    Returns
    -------
    ndarray of int
        Counts that sum to ``n``; of equal remainders the first is rounded up.

    Examples
    --------
    >>> largest_remainder(10, [0.25, 0.5, 0.25]).tolist()
    [3, 5, 2]
    """
    exact = n * np.asarray(shares, dtype=float)
    # A product such as 0.29 * 100 falls short of its whole number by a rounding error.
    counts = np.floor(exact + 1e-9).astype(np.int64)
    remainder = np.round(exact - counts, 9)
    order = np.argsort(-remainder, kind="stable")
    counts[order[: n - counts.sum()]] += 1
    return counts


def null_clusters(clusters: Mapping[str, Mapping] | str | PathLike) -> dict[str, dict]:
    """Make the settings of a population without clusters: all follow the largest one's laws.

    Parameters
    ----------
    clusters : mapping or path
        As for `make_population`.

    Returns
    -------
    dict
        One cluster, ``everybody``, of share 1.

    Examples
    --------
    >>> null_clusters({"a": {"share": 0.3, "x": [0, 1]}, "b": {"share": 0.7, "x": [5, 6]}})
    {'everybody': {'share': 1.0, 'x': [5, 6]}}
    """
    largest = max(load_clusters(clusters).values(), key=lambda block: block["share"])
    return {"everybody": {**largest, "share": 1.0}}
