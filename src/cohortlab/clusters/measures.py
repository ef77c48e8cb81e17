"""How good a clustering is, without a truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
)

from cohortlab.clusters.checks import checked_matrix
from cohortlab.threads import one_thread

#: Parts of the jackknife behind the standard error of the silhouette.
_PARTS = 20


@dataclass(frozen=True)
class Quality:
    """Measures of a clustering that know nothing of a truth.

    Attributes
    ----------
    silhouette : float
        Mean silhouette, -1 .. 1, larger is better; NaN where it has no meaning.
    silhouette_error : float
        Its standard error from sampling rows; 0 where all rows were used.
    silhouette_rows : int
        Rows it was computed on.
    davies_bouldin : float
        Smaller is better.
    calinski_harabasz : float
        Larger is better.
    n_clusters, n_singletons : int
        Number of clusters, and of clusters that hold one row.
    reasons : dict
        For each measure that is NaN, why.
    """

    silhouette: float
    silhouette_error: float
    silhouette_rows: int
    davies_bouldin: float
    calinski_harabasz: float
    n_clusters: int
    n_singletons: int
    reasons: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """All values as JSON knows them: a NaN becomes None."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in values.items()}


def quality(
    X: np.ndarray, labels: np.ndarray, *, max_rows: int = 5000, random_state: int = 0
) -> Quality:
    """Silhouette, Davies-Bouldin and Calinski-Harabasz of a clustering.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows as they were clustered.
    labels : array of shape (n_rows,)
        Cluster of each row.
    max_rows : int
        The silhouette needs all pairs of rows: above this number it is computed on a sample
        stratified by cluster.
    random_state : int
        Seed of the sample.

    Returns
    -------
    Quality
        The measures; NaN with a reason where one has no meaning, never an exception for it.

    Notes
    -----
    A sample holds rows of each cluster in proportion to its size, but at least 50 where it has
    them. Distances to a cluster are means over its sampled rows, so any allocation estimates
    them; the cluster means of the silhouette are then weighted by the true shares. The standard
    error is a jackknife that leaves out one of 20 parts at a time, from the rows and from the
    distances alike, with the correction for a finite population.

    References
    ----------
    Rousseeuw (1987), Silhouettes. Davies and Bouldin (1979), A cluster separation measure.
    Calinski and Harabasz (1974), A dendrite method for cluster analysis. Cochran (1977), Sampling
    Techniques, sections 5.3 and 6.17 (stratified means, jackknife).
    """
    X = checked_matrix(X)
    labels = np.unique(np.asarray(labels), return_inverse=True)[1]
    if len(labels) != len(X):
        raise ValueError(f"{len(X)} rows but {len(labels)} labels: pass one label per row")
    sizes = np.bincount(labels)
    shared = {"n_clusters": len(sizes), "n_singletons": int((sizes == 1).sum())}
    reason = _why_undefined(X, sizes)
    if reason:
        reasons = dict.fromkeys(["silhouette", "davies_bouldin", "calinski_harabasz"], reason)
        return Quality(np.nan, np.nan, 0, np.nan, np.nan, reasons=reasons, **shared)
    with one_thread():
        mean, error, n_used = _stratified_silhouette(X, labels, sizes, max_rows, random_state)
        davies_bouldin, reasons = _davies_bouldin(X, labels)
        calinski_harabasz = float(calinski_harabasz_score(X, labels))
    if _within_scatter(X, labels) == 0:
        calinski_harabasz = np.nan
        reasons["calinski_harabasz"] = "all rows of each cluster are equal: the ratio is infinite"
    return Quality(
        mean, error, n_used, davies_bouldin, calinski_harabasz, reasons=reasons, **shared
    )


def _davies_bouldin(X: np.ndarray, labels: np.ndarray) -> tuple[float, dict[str, str]]:
    centres = np.array([X[labels == c].mean(axis=0) for c in range(labels.max() + 1)])
    if len(np.unique(centres, axis=0)) < len(centres):
        reason = "two clusters have the same centre: the ratio is infinite"
        return np.nan, {"davies_bouldin": reason}
    return float(davies_bouldin_score(X, labels)), {}


def _why_undefined(X: np.ndarray, sizes: np.ndarray) -> str:
    if len(sizes) < 2:
        return "only one cluster: there is nothing to compare it with"
    if len(sizes) == len(X):
        return "every cluster holds a single row"
    if not (X - X[0]).any():
        return "all rows are equal"
    return ""


def _within_scatter(X: np.ndarray, labels: np.ndarray) -> float:
    first = np.unique(labels, return_index=True)[1]
    return float(np.abs(X - X[first][labels]).max())


def _stratified_silhouette(
    X: np.ndarray, labels: np.ndarray, sizes: np.ndarray, max_rows: int, random_state: int
) -> tuple[float, float, int]:
    rng = np.random.default_rng(random_state)
    sample = _stratified_sample(labels, sizes, max_rows, rng)
    groups = labels[sample]
    parts = _jackknife_parts(groups, sizes, rng)
    sums = _distance_sums(X[sample], groups * (_PARTS + 1) + parts, len(sizes) * (_PARTS + 1))
    sums = sums.reshape(len(sample), len(sizes), _PARTS + 1)
    mean = _weighted_silhouette(sums.sum(axis=2), groups, sizes)
    if len(sample) == len(labels):
        return mean, 0.0, len(sample)
    without = []
    for part in range(1, _PARTS + 1):
        kept = parts != part
        rest = sums[kept].sum(axis=2) - sums[kept, :, part]
        without.append(_weighted_silhouette(rest, groups[kept], sizes))
    partly = np.bincount(groups) < sizes
    left_out = 1 - np.isin(groups, np.flatnonzero(partly)).sum() / sizes[partly].sum()
    variance = left_out * (_PARTS - 1) * np.var(without)
    return mean, float(np.sqrt(variance)), len(sample)


def _jackknife_parts(groups: np.ndarray, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # Part 0 is never left out: clusters drawn completely add no error of sampling.
    parts = np.zeros(len(groups), dtype=int)
    for cluster, size in enumerate(sizes):
        members = np.flatnonzero(groups == cluster)
        if len(members) < size:
            parts[rng.permutation(members)] = 1 + np.arange(len(members)) % _PARTS
    return parts


def _distance_sums(X: np.ndarray, codes: np.ndarray, n_codes: int) -> np.ndarray:
    order = np.argsort(codes, kind="stable")
    used, starts = np.unique(codes[order], return_index=True)
    sums = np.zeros((len(X), n_codes))
    for start in range(0, len(X), 256):
        distances = cdist(X[start : start + 256], X[order])
        sums[start : start + 256, used] = np.add.reduceat(distances, starts, axis=1)
    return sums


def _weighted_silhouette(sums: np.ndarray, groups: np.ndarray, sizes: np.ndarray) -> float:
    drawn = np.bincount(groups, minlength=len(sizes))
    rows = np.arange(len(groups))
    own = sums[rows, groups] / np.maximum(drawn[groups] - 1, 1)
    others = sums / drawn
    others[rows, groups] = np.inf
    nearest = others.min(axis=1)
    larger = np.maximum(own, nearest)
    values = np.divide(nearest - own, larger, out=np.zeros(len(rows)), where=larger > 0)
    values[drawn[groups] == 1] = 0.0
    return float(np.sum(np.bincount(groups, values) / drawn * sizes) / sizes.sum())


def _stratified_sample(
    labels: np.ndarray, sizes: np.ndarray, max_rows: int, rng: np.random.Generator
) -> np.ndarray:
    if len(labels) <= max_rows:
        return np.arange(len(labels))
    proportional = np.floor(sizes / sizes.sum() * max_rows).astype(int)
    wanted = np.minimum(sizes, np.maximum(proportional, 50))
    members = [np.flatnonzero(labels == c) for c in range(len(sizes))]
    drawn = [rng.choice(m, n, replace=False) for m, n in zip(members, wanted, strict=True)]
    return np.sort(np.concatenate(drawn))
