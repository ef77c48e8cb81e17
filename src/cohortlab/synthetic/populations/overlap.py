"""How much clusters overlap: pairwise misclassification, and the width that gives a wanted one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit, ndtr, ndtri
from scipy.stats import qmc

from cohortlab.synthetic.populations.laws import is_point
from cohortlab.synthetic.populations.settings import ClusterLaw, FeatureLaw, spread_cluster

#: Widths tried, as factors of those given.
_NARROWEST, _WIDEST = 1e-3, 1e3
# Values at shares of exactly 0 or 1 may be infinite.
_EDGE = 1e-12


def pairwise_misclassification(
    clusters: Sequence[ClusterLaw], *, n_points: int = 4096
) -> pd.DataFrame:
    """Share of two clusters' rows that even the best classifier puts into the other one.

    Parameters
    ----------
    clusters : sequence of ClusterLaw
        From `read_clusters`.
    n_points : int
        Points a cluster for the integral; a power of two.

    Returns
    -------
    DataFrame
        One row a pair: `first, second, misclassification`, from 0 to the smaller of both shares.

    Notes
    -----
    For clusters of densities f, g and shares p + q = 1 between the two it is the Bayes error
    ``integral min(p f, q g)``, the mean of the smaller posterior probability over rows of both.
    The points are a scrambled Sobol sequence of a fixed seed, the same for every width.

    References
    ----------
    Maitra and Melnykov (2010), Simulating data to study performance of finite mixture modeling and
    clustering algorithms (whose overlap adds the two kinds of error).
    """
    clusters = [cluster for cluster in clusters if cluster.share > 0]
    points = [draw_features(cluster, _sobol(cluster, n_points)) for cluster in clusters]
    densities = [[_log_density(c, rows, clusters) for c in clusters] for rows in points]
    found = []
    for i in range(len(clusters)):
        for j in range(i + 1, len(clusters)):
            p = clusters[i].share / (clusters[i].share + clusters[j].share)
            inside = [_smaller(densities[k][i], densities[k][j], p) for k in (i, j)]
            error = p * inside[0] + (1 - p) * inside[1]
            found.append((clusters[i].name, clusters[j].name, float(error)))
    return pd.DataFrame(found, columns=["first", "second", "misclassification"])


def _smaller(first: np.ndarray, second: np.ndarray, p: float) -> float:
    difference = np.log(p) - np.log1p(-p) + first - second
    return float(np.mean(expit(-np.abs(difference))))


def spread_clusters(clusters: Sequence[ClusterLaw], overlap: float) -> list[ClusterLaw]:
    """Widen or narrow all clusters by one factor until they overlap as wanted.

    Parameters
    ----------
    clusters : sequence of ClusterLaw
        From `read_clusters`; at least two.
    overlap : float
        Wanted mean over all pairs of `pairwise_misclassification`.

    Returns
    -------
    list of ClusterLaw
        The clusters with other widths: the deviation of a normal, the spread of a lognormal law,
        the width of a uniform one. Other laws stay as they are.

    Raises
    ------
    ValueError
        If no factor gives the overlap; the message says what can be reached.
    """
    if sum(cluster.share > 0 for cluster in clusters) < 2:
        raise ValueError("overlap: there is nothing to overlap with; give two clusters with shares")

    def excess(log_factor: float) -> float:
        spread = [spread_cluster(c, float(np.exp(log_factor))) for c in clusters]
        # At the widest end lognormal values overflow to infinity, where nobody finds any cluster.
        with np.errstate(over="ignore"):
            return float(pairwise_misclassification(spread)["misclassification"].mean()) - overlap

    ends = np.log([_NARROWEST, _WIDEST])
    low, high = excess(ends[0]), excess(ends[1])
    if not low <= 0 <= high:
        raise ValueError(
            f"overlap: a mean misclassification of {overlap!r} cannot be reached by making "
            f"clusters narrower or wider; from {low + overlap:.4g} to {high + overlap:.4g} can: "
            "choose another value, or move the centres or shares of the clusters"
        )
    solved = brentq(excess, *ends, xtol=1e-6)
    return [spread_cluster(cluster, float(np.exp(solved))) for cluster in clusters]


def draw_features(cluster: ClusterLaw, u: np.ndarray) -> dict[str, np.ndarray]:
    """Turn independent uniforms into the features of a cluster, dependent where it says so.

    Parameters
    ----------
    cluster : ClusterLaw
        Its laws and its copula.
    u : ndarray, shape (n, n_features)
        Independent uniforms in [0, 1).

    Returns
    -------
    dict
        Feature -> values of shape (n,).

    References
    ----------
    Nelsen (2006), An Introduction to Copulas.
    """
    u = np.clip(u, _EDGE, 1 - _EDGE)
    if cluster.correlation is not None:
        scores = ndtri(u) @ np.linalg.cholesky(cluster.correlation).T
        u = np.clip(ndtr(scores), _EDGE, 1 - _EDGE)
    laws = cluster.features.items()
    return {name: law.draw(u[:, k]) for k, (name, law) in enumerate(laws)}


def _sobol(cluster: ClusterLaw, n_points: int) -> np.ndarray:
    return qmc.Sobol(len(cluster.features), rng=0).random_base2(int(np.log2(n_points)))


def _log_density(
    cluster: ClusterLaw, rows: dict[str, np.ndarray], clusters: Sequence[ClusterLaw]
) -> np.ndarray:
    total = 0.0
    for name, feature in cluster.features.items():
        total = total + _feature_density(feature, rows[name], [c.features[name] for c in clusters])
    return np.maximum(total + _copula_density(cluster, rows), -1e300)


def _feature_density(
    feature: FeatureLaw, values: np.ndarray, all_features: Sequence[FeatureLaw]
) -> np.ndarray:
    density = feature.law.log_density(values, feature.parameters)
    if feature.law.below is None or is_point(feature.law, feature.parameters):
        return density
    # Where another cluster has all its rows on one value, a density there counts as nothing.
    for other in all_features:
        if is_point(other.law, other.parameters):
            point = other.law.quantile(np.array([0.5]), other.parameters)[0]
            density = np.where(values == point, -np.inf, density)
    return density


def _copula_density(cluster: ClusterLaw, rows: dict[str, np.ndarray]) -> np.ndarray | float:
    if cluster.correlation is None:
        return 0.0
    jumping = [name for name, feature in cluster.features.items() if feature.law.below is None]
    if jumping:
        raise ValueError(
            f"clusters.{cluster.name}.{jumping[0]}: overlap is not computed where a correlation "
            "comes with a law that has jumps; leave one of the two out"
        )
    shares = [f.law.below(rows[name], f.parameters) for name, f in cluster.features.items()]
    scores = ndtri(np.clip(np.column_stack(shares), _EDGE, 1 - _EDGE))
    inverse = np.linalg.inv(cluster.correlation) - np.eye(len(shares))
    determinant = np.linalg.slogdet(cluster.correlation)[1]
    return -0.5 * np.einsum("ij,jk,ik->i", scores, inverse, scores) - 0.5 * determinant
