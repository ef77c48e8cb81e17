"""Starting points for EM: partitions of a sample of the rows."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.cluster.hierarchy import linkage

from cohortlab.mixture.collapse import Rows, subset_rows
from cohortlab.mixture.covariance import Carried
from cohortlab.mixture.density import Parameters, compact, expand
from cohortlab.mixture.em import Moments, maximise, moments_of_groups
from cohortlab.mixture.models import Family

METHODS = ("kmeans++", "random", "hierarchical")

_SAMPLE_ROWS = 10_000
_WARD_ROWS = 2_000
_LLOYD_ITERATIONS = 10
_BLEND = 0.01


# Starts that all end in one basin are one start, so they take turns: distances between features
# divided by their standard deviations, or in raw units.
_TURNS = (True, False)


@dataclass(frozen=True)
class Samples:
    """What starts and short runs see of the rows, drawn once for all sizes of a search.

    Attributes
    ----------
    rows : Rows
        All distinct rows.
    explored : Rows
        What short runs of EM see: all rows, or a weighted sample of many.
    cut : tuple of Rows
        What starts are cut from, in turn; several samples, so that a rare group is in some.
    """

    rows: Rows
    explored: Rows
    cut: tuple[Rows, ...]

    @cached_property
    def scales(self) -> np.ndarray:
        """Standard deviation of each feature."""
        return self.rows.scales()

    @cached_property
    def ward(self) -> tuple[Rows, np.ndarray]:
        """The heaviest rows and the first others, in the rows' own order, and their Ward tree."""
        rows = self.rows
        chosen = np.arange(rows.n_distinct)
        if rows.n_distinct > _WARD_ROWS:
            heaviest = np.argsort(-rows.weights, kind="stable")[: _WARD_ROWS // 2]
            rest = np.setdiff1d(chosen, heaviest)[: _WARD_ROWS - len(heaviest)]
            chosen = np.sort(np.concatenate((heaviest, rest)))
        values = np.ascontiguousarray(rows.values[:, chosen])
        points = (values / self.scales[:, None]).T
        tree = linkage(points, method="ward") if len(points) > 1 else np.empty((0, 4))
        return Rows(values, rows.weights[chosen], rows.centre), tree


def draw_samples(rows: Rows, n_samples: int, seed: np.random.SeedSequence) -> Samples:
    """Draw what starts and short runs see.

    Parameters
    ----------
    rows : Rows
        Distinct weighted rows.
    n_samples : int
        Samples to cut starts from.
    seed : numpy.random.SeedSequence
        Each sample has a stream of its own.

    Returns
    -------
    Samples
        The rows themselves in every place where there are few of them.
    """
    drawn = [
        subset_rows(rows, _SAMPLE_ROWS, generator(seed, 0, place))
        for place in range(n_samples + 1 if rows.n_distinct > _SAMPLE_ROWS else 1)
    ]
    return Samples(rows, drawn[0], tuple(drawn[1:]) or (rows,))


def generator(seed: np.random.SeedSequence, *key: int) -> np.random.Generator:
    """Derive an independent stream from a seed and a key, whatever else has been drawn.

    Parameters
    ----------
    seed : numpy.random.SeedSequence
        Root.
    *key : int
        What the stream is for, such as a size and the number of a start.

    Returns
    -------
    numpy.random.Generator
        The same for the same seed and key.
    """
    return np.random.default_rng(
        np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))
    )


def partition(
    samples: Samples, n_components: int, method: str, rng: np.random.Generator, *, turn: int = 0
) -> tuple[Rows, np.ndarray]:
    """Cut a sample of the rows into groups.

    Parameters
    ----------
    samples : Samples
        The rows, at least `n_components` of them, and samples of them.
    n_components : int
        Number of groups.
    method : {"kmeans++", "random", "hierarchical"}
        `kmeans++` seeds by squared distance; `random` takes distinct rows as seeds; `hierarchical`
        is Ward's agglomeration of up to 2,000 rows, which uses no randomness.
    rng : numpy.random.Generator
        Source of randomness.
    turn : int
        Number of the start. Distances are taken between standardised features in even turns and in
        raw units in odd ones.

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
    rows = samples.rows
    if method == "hierarchical":
        sample, tree = samples.ward
        if sample.n_distinct >= n_components:
            return sample, _cut(tree, n_components)
        method = "kmeans++"
    sample = samples.cut[turn // len(_TURNS) % len(samples.cut)]
    if sample.n_distinct < n_components:
        sample = rows
    standardised = _TURNS[turn % len(_TURNS)]
    values = sample.values / samples.scales[:, None] if standardised else sample.values
    points = np.ascontiguousarray(values.T)
    if method == "random":
        share = sample.weights / sample.weights.sum()
        chosen = rng.choice(len(points), n_components, replace=False, p=share)
        return sample, _around(points, chosen)
    seeds = _spread_seeds(points, sample.weights, n_components, rng)
    return sample, _lloyd(points, sample.weights, _around(points, seeds), n_components)


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the nearest centre of each point."""
    return ((centres**2).sum(axis=1) / 2 - points @ centres.T).argmin(axis=1)


def _around(points: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Group points by nearest seed; each seed leads its own group, whatever rounding says."""
    labels = _nearest(points, points[seeds])
    labels[seeds] = np.arange(len(seeds))
    return labels


def _spread_seeds(
    points: np.ndarray, weights: np.ndarray, n_components: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose seeds by k-means++, the best of a few candidates each time."""
    n_trials = 2 + int(np.log(n_components))
    size = (points**2).sum(axis=1)
    seeds = [int(rng.choice(len(points), p=weights / weights.sum()))]
    nearest = ((points - points[seeds[0]]) ** 2).sum(axis=1)
    while len(seeds) < n_components:
        left = nearest * weights
        if not left.any():  # as far as rounding can tell, all others lie on seeds
            left = weights.copy()
            left[seeds] = 0.0
        mass = np.cumsum(left)
        drawn = rng.random(n_trials) * mass[-1]
        candidates = np.minimum(np.searchsorted(mass, drawn, side="right"), len(points) - 1)
        distance = size + size[candidates][:, None] - 2.0 * (points[candidates] @ points.T)
        after = np.minimum(np.maximum(distance, 0.0), nearest)
        after[np.arange(n_trials), candidates] = 0.0  # whatever rounding says
        best = int((after @ weights).argmin())
        seeds.append(int(candidates[best]))
        nearest = after[best]
    return np.array(seeds)


def _lloyd(
    points: np.ndarray, weights: np.ndarray, labels: np.ndarray, n_components: int
) -> np.ndarray:
    """Improve groups by k-means; a round that would empty one is not taken."""
    for _ in range(_LLOYD_ITERATIONS):
        size = np.bincount(labels, weights, n_components)
        member = (labels == np.arange(n_components)[:, None]) * weights
        centres = member @ points / size[:, None]
        updated = _nearest(points, centres)
        if np.bincount(updated, minlength=n_components).min() == 0:
            break
        if (updated == labels).all():
            break
        labels = updated
    return labels


def _cut(tree: np.ndarray, n_groups: int) -> np.ndarray:
    """Take merges until exactly so many groups are left, whatever ties there are."""
    n_points = len(tree) + 1
    parent = np.arange(2 * n_points - 1)
    for merge in range(n_points - n_groups):
        parent[tree[merge, :2].astype(int)] = n_points + merge
    while (parent != parent[parent]).any():
        parent = parent[parent]
    return np.unique(parent[:n_points], return_inverse=True)[1]


def starts_from_labels(
    partitions: list[tuple[Rows, np.ndarray]],
    n_components: int,
    family: Family,
    reg_covar: float,
) -> Parameters:
    """Estimate a start from each partition, with covariances drawn slightly to the pooled one.

    Parameters
    ----------
    partitions : list of (Rows, ndarray)
        Rows that were cut, and their groups.
    n_components : int
        Number of groups.
    family : Family
        Covariance family.
    reg_covar : float
        Added to every variance.

    Returns
    -------
    density.Parameters
        The starts, one fit each. They share one M-step, which for common axes takes some ten
        thousand small steps whether for one fit or for many.
    """
    parts = [
        _regular_moments(sample, labels, n_components, family) for sample, labels in partitions
    ]
    names = ("loglik", "counts", "means", "scatter")
    moments = Moments(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))
    return maximise(moments, family, reg_covar=reg_covar)[0]


def start_from_labels(
    sample: Rows, labels: np.ndarray, n_components: int, family: Family, reg_covar: float
) -> Parameters:
    """Estimate a start from one partition, as `starts_from_labels` does from many.

    Parameters
    ----------
    sample : Rows
        Rows that were cut.
    labels : ndarray of shape (n_sample,)
        Their groups.
    n_components, family, reg_covar
        As for `starts_from_labels`.

    Returns
    -------
    density.Parameters
        The start, as one fit.
    """
    return starts_from_labels([(sample, labels)], n_components, family, reg_covar)


def _regular_moments(
    sample: Rows, labels: np.ndarray, n_components: int, family: Family
) -> Moments:
    """Sum up a partition so that no group of few rows has a singular covariance.

    A hundredth of the pooled within-group variances keeps the start regular and leaves no trace in
    what EM converges to.
    """
    moments = moments_of_groups(sample, labels, n_components, family)
    if family.pooled:
        return moments
    within = moments.scatter.sum(axis=1, keepdims=True) / sample.total_weight
    total = sample.scatter(diagonal=family.diagonal) / sample.total_weight
    extra = _BLEND * (within + _BLEND * total)
    if not family.diagonal:
        extra = extra * np.eye(sample.n_features)
    sizes = moments.counts.reshape(moments.counts.shape + (1,) * (moments.scatter.ndim - 2))
    scatter = moments.scatter + sizes * extra
    return Moments(moments.loglik, moments.counts, moments.means, scatter)


def stack(parts: list[Parameters]) -> Parameters:
    """Put starts of one family side by side; iterative M-steps start afresh.

    Parameters
    ----------
    parts : list of Parameters
        At least one, of equal shape but for the number of fits.

    Returns
    -------
    density.Parameters
        All fits, in the order of the parts.
    """
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
        starts.append(replace(start, carried=_carried_by(family, covariances)))
    return starts


def start_from_fit(
    weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, family: Family
) -> Parameters:
    """Make a start of a mixture of another family.

    Parameters
    ----------
    weights, means, covariances : ndarray
        Of one fit, covariances as full matrices.
    family : Family
        Covariance family of the start; its first M-step gives the covariances their form.

    Returns
    -------
    density.Parameters
        The start, as one fit.
    """
    if family.pooled:
        shared = (weights[:, None, None] * covariances).sum(axis=0) / weights.sum()
        covariances = np.broadcast_to(shared, covariances.shape)
    start = compact(weights, means, covariances, family)
    return replace(start, carried=_carried_by(family, covariances))


def _carried_by(family: Family, covariances: np.ndarray) -> Carried:
    """Read off the state of an iterative M-step from the covariances it led to."""
    if family.name in ("VEI", "VEE", "VEV"):
        logdet = np.linalg.slogdet(covariances)[1]
        return Carried(volume=np.exp(logdet / covariances.shape[-1])[None])
    if family.name in ("EVE", "VVE"):
        return Carried(orientation=np.linalg.eigh(covariances.sum(axis=0))[1][None])
    return Carried()
