"""Starting points for EM: partitions of a sample of the rows."""

from dataclasses import replace

import numpy as np
from scipy.cluster.hierarchy import linkage

from cohortlab.mixture.collapse import Rows, subset_rows
from cohortlab.mixture.covariance import Carried
from cohortlab.mixture.density import Parameters, compact, expand
from cohortlab.mixture.em import Moments, maximise, moments_of
from cohortlab.mixture.models import Family

METHODS = ("kmeans++", "random", "hierarchical")

_SAMPLE_ROWS = 10_000
_WARD_ROWS = 2_000
_LLOYD_ITERATIONS = 10
_BLEND = 0.01


# Starts that all end in one basin are one start, so they take turns: distances between features
# divided by their standard deviations or in raw units, with and without rounds of k-means.
_TURNS = ((True, _LLOYD_ITERATIONS), (False, _LLOYD_ITERATIONS), (True, 0), (False, 0))


def partition(
    rows: Rows, n_components: int, method: str, rng: np.random.Generator, *, turn: int = 0
) -> tuple[Rows, np.ndarray]:
    """Cut a sample of the rows into groups.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows, at least `n_components` of them.
    n_components : int
        Number of groups.
    method : {"kmeans++", "random", "hierarchical"}
        `kmeans++` seeds by squared distance; `random` takes distinct rows as seeds; `hierarchical`
        is Ward's agglomeration of up to 2,000 rows, which uses no randomness.
    rng : numpy.random.Generator
        Source of randomness.
    turn : int
        Number of the start. Distances are taken between standardised features in even turns and in
        raw units in odd ones; two of every four `kmeans++` starts improve their seeds by rounds of
        k-means.

    Returns
    -------
    sample : Rows
        The rows that were cut.
    labels : ndarray of shape (n_sample,)
        Group of each, every group present.

    References
    ----------
    Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding.
    """
    if method == "hierarchical":
        return _ward(rows, n_components)
    sample = subset_rows(rows, max(_SAMPLE_ROWS, 20 * n_components), rng)
    if sample.n_distinct < n_components:
        sample = rows
    standardised, n_rounds = _TURNS[turn % len(_TURNS)]
    points = (sample.values / rows.scales()[:, None] if standardised else sample.values).T
    if method == "random":
        share = sample.weights / sample.weights.sum()
        chosen = rng.choice(len(points), n_components, replace=False, p=share)
        return sample, _nearest(points, points[chosen])
    seeds = _spread_seeds(points, sample.weights, n_components, rng)
    return sample, _lloyd(points, sample.weights, points[seeds], n_rounds)


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the nearest centre of each point."""
    return ((centres**2).sum(axis=1) / 2 - points @ centres.T).argmin(axis=1)


def _spread_seeds(
    points: np.ndarray, weights: np.ndarray, n_components: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose seeds by k-means++, the best of a few candidates each time."""
    n_trials = 2 + int(np.log(n_components))
    seeds = [int(rng.choice(len(points), p=weights / weights.sum()))]
    nearest = ((points - points[seeds[0]]) ** 2).sum(axis=1)
    while len(seeds) < n_components:
        mass = np.cumsum(nearest * weights)
        drawn = rng.random(n_trials) * mass[-1]
        candidates = np.minimum(np.searchsorted(mass, drawn, side="right"), len(points) - 1)
        distance = ((points[None] - points[candidates][:, None]) ** 2).sum(axis=2)
        after = np.minimum(distance, nearest)
        best = int((after @ weights).argmin())
        seeds.append(int(candidates[best]))
        nearest = after[best]
    return np.array(seeds)


def _lloyd(
    points: np.ndarray, weights: np.ndarray, centres: np.ndarray, n_rounds: int
) -> np.ndarray:
    """Improve centres by k-means; a round that would empty a group is not taken."""
    n_components = len(centres)
    labels = _nearest(points, centres)
    for _ in range(n_rounds):
        size = np.bincount(labels, weights, n_components)
        moved = [np.bincount(labels, weights * column, n_components) for column in points.T]
        centres = np.stack(moved, axis=1) / size[:, None]
        updated = _nearest(points, centres)
        if np.bincount(updated, minlength=n_components).min() == 0:
            break
        if (updated == labels).all():
            break
        labels = updated
    return labels


def _ward(rows: Rows, n_components: int) -> tuple[Rows, np.ndarray]:
    """Agglomerate the heaviest rows and the first others, in the rows' own order."""
    size = max(_WARD_ROWS, n_components)
    chosen = np.arange(rows.n_distinct)
    if rows.n_distinct > size:
        heaviest = np.argsort(-rows.weights, kind="stable")[: size // 2]
        rest = np.setdiff1d(chosen, heaviest)[: size - len(heaviest)]
        chosen = np.sort(np.concatenate((heaviest, rest)))
    sample = Rows(np.ascontiguousarray(rows.values[:, chosen]), rows.weights[chosen], rows.centre)
    if n_components == 1:
        return sample, np.zeros(len(chosen), dtype=int)
    points = (sample.values / rows.scales()[:, None]).T
    return sample, _cut(linkage(points, method="ward"), n_components)


def _cut(tree: np.ndarray, n_groups: int) -> np.ndarray:
    """Take merges until exactly so many groups are left, whatever ties there are."""
    n_points = len(tree) + 1
    parent = np.arange(2 * n_points - 1)
    for merge in range(n_points - n_groups):
        parent[tree[merge, :2].astype(int)] = n_points + merge
    while (parent != parent[parent]).any():
        parent = parent[parent]
    return np.unique(parent[:n_points], return_inverse=True)[1]


def start_from_labels(
    sample: Rows,
    labels: np.ndarray,
    n_components: int,
    family: Family,
    reg_covar: float,
) -> Parameters:
    """Estimate a start from a partition, with covariances drawn slightly to the pooled one.

    A group of few rows would give a singular covariance; a hundredth of the pooled within-group
    variances keeps the start regular and leaves no trace in what EM converges to.

    Parameters
    ----------
    sample : Rows
        Rows that were cut.
    labels : ndarray of shape (n_sample,)
        Their groups.
    n_components : int
        Number of groups.
    family : Family
        Covariance family.
    reg_covar : float
        Added to every variance.

    Returns
    -------
    density.Parameters
        The start, as one fit.
    """
    shares = (labels == np.arange(n_components)[:, None]).astype(float)[None]
    moments = moments_of(sample, shares, family)
    if not family.pooled:
        within = moments.scatter.sum(axis=1, keepdims=True) / sample.total_weight
        total = sample.scatter(diagonal=family.diagonal) / sample.total_weight
        extra = _BLEND * (within + _BLEND * total)
        if not family.diagonal:
            extra = extra * np.eye(sample.n_features)
        sizes = moments.counts.reshape(moments.counts.shape + (1,) * (moments.scatter.ndim - 2))
        scatter = moments.scatter + sizes * extra
        moments = Moments(moments.loglik, moments.counts, moments.means, scatter)
    return maximise(moments, family, reg_covar=reg_covar)[0]


def stack(parts: list[Parameters]) -> Parameters:
    """Put starts of one family side by side; iterative M-steps start afresh."""
    fresh = parts[0].carried
    joined = type(fresh)(
        *(
            None
            if getattr(fresh, name) is None
            else np.concatenate([getattr(part.carried, name) for part in parts])
            for name in ("volume", "orientation")
        )
    )
    return Parameters(
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.means for part in parts]),
        np.concatenate([part.covariances for part in parts]),
        joined,
    )


def split_starts(parameters: Parameters, family: Family) -> list[Parameters]:
    """Split each component of a fit in two along its longest axis, one start a component.

    Parameters
    ----------
    parameters : Parameters
        One fit with one component fewer.
    family : Family
        Covariance family.

    Returns
    -------
    list of Parameters
        As many starts as the fit has components.
    """
    full = expand(parameters, family)
    values, vectors = np.linalg.eigh(full)
    steps = vectors[..., -1] * np.sqrt(np.maximum(values[..., -1:], 0.0)) / 2
    starts = []
    for component, step in enumerate(steps):
        weights = np.append(parameters.weights[0], parameters.weights[0, component] / 2)
        weights[component] /= 2
        means = np.vstack([parameters.means[0], parameters.means[0, component] + step])
        means[component] -= step
        covariances = np.concatenate([full, full[component : component + 1]])
        start = compact(weights, means, covariances, family)
        starts.append(replace(start, carried=carried_by(family, covariances)))
    return starts


def carried_by(family: Family, covariances: np.ndarray) -> Carried:
    """Read off the state of an iterative M-step from the covariances it led to."""
    if family.name in ("VEI", "VEE", "VEV"):
        logdet = np.linalg.slogdet(covariances)[1]
        return Carried(volume=np.exp(logdet / covariances.shape[-1])[None])
    if family.name in ("EVE", "VVE"):
        return Carried(orientation=np.linalg.eigh(covariances.sum(axis=0))[1][None])
    return Carried()
