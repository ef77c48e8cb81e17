"""Weighted k-means, exact and fast: repeated starts on a summary, the best finished on all points.

Equal pixels are one point with a weight, which changes nothing but the time. Points that lie close
together are first summed up in cells, and these in blocks, on which a start costs little. The best
is improved on the cells, and then carried on over all points, so that summaries only choose where
to begin.
"""

from dataclasses import dataclass

import numpy as np

from cohortlab.palette import lloyd

MAX_ITER = 300
# So many centres are moved at once, at first: Fritzke (2020), The breathing k-means algorithm.
_BREATH = 3
# A pass that lowers the error by a smaller part of it is the last.
TOLERANCE = 1e-5
# Along the longest side of the points' box: some five thousand cells of a photograph; and of
# blocks, times the cube root of the clusters, so that each has as many.
_CELLS, _BLOCKS = 32, 8
# So many of the best starts on blocks are compared on cells.
_FINALISTS = 3


@dataclass(frozen=True)
class Centres:
    """What k-means found.

    Attributes
    ----------
    points : ndarray of shape (n_centres, n_dimensions)
        The centres, each the weighted mean of its points.
    labels : ndarray of int32, shape (n_points,)
        The nearest centre of each point.
    error : float
        Weighted sum of squared distances.
    n_iter : int
        Passes over all points.
    """

    points: np.ndarray
    labels: np.ndarray
    error: float
    n_iter: int


def weighted_kmeans(
    points: np.ndarray,
    weights: np.ndarray,
    n_clusters: int,
    *,
    rng: np.random.Generator,
    n_starts: int = 16,
    tolerance: float = TOLERANCE,
    max_iter: int = MAX_ITER,
) -> Centres:
    """Find centres that make the weighted sum of squared distances small.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_dimensions)
        Distinct points.
    weights : ndarray of shape (n_points,)
        Whole numbers from 1, such as the pixels of a colour.
    n_clusters : int
        Centres to place, at least 1; with no more points than that, each point is a centre.
    rng : numpy.random.Generator
        Of the starts.
    n_starts : int, default 16
        Starts by k-means++ on the summary, of which the best is carried on.
    tolerance : float, default 1e-5
        A pass that lowers the error by a smaller part of it is the last; 0: until none lowers it.
    max_iter : int, default 300
        Passes at most.

    Returns
    -------
    Centres
        A local optimum, to the tolerance.
    """
    points = np.ascontiguousarray(points, dtype=float)
    weights = np.ascontiguousarray(weights, dtype=float)
    if len(points) <= n_clusters:
        return Centres(points.copy(), np.arange(len(points), dtype=np.int32), 0.0, 0)
    cell_of, cells, mass = _summary(points, weights, n_clusters, _CELLS)
    n_blocks = min(_CELLS, round(_BLOCKS * n_clusters ** (1 / 3)))
    block_of, blocks, block_mass = _summary(cells, mass, n_clusters, n_blocks)
    limits = tolerance, max_iter
    shape = n_clusters, 2 + int(np.log(n_clusters))
    starts = (lloyd.plus_plus(blocks, block_mass, rng.random(shape)) for _ in range(n_starts))
    ends = (lloyd.lloyd(blocks, block_mass, *start, *limits) for start in starts)
    finalists = (
        lloyd.lloyd(cells, mass, centres, labels[block_of], *limits)
        for centres, labels, *_ in sorted(ends, key=_error_of)[:_FINALISTS]
    )
    centres, labels, *_ = _breathe(cells, mass, min(finalists, key=_error_of), limits)
    return Centres(*lloyd.lloyd(points, weights, centres, labels[cell_of], *limits))


def _error_of(end: tuple) -> float:
    return end[2]


def _summary(points: np.ndarray, weights: np.ndarray, n_clusters: int, n_along: int) -> tuple:
    """Sum points up in cubic cells: the cell of each point, the cells' means and weights.

    Where there would be no more cells than clusters, points stay as they are.
    """
    low = points.min(axis=0)
    span = points.max(axis=0) - low
    width = max(span.max() / n_along, np.finfo(float).tiny)
    found = lloyd.sum_up(points, weights, low, 1 / width, (span / width).astype(np.int64) + 1)
    return found if len(found[1]) > n_clusters else (np.arange(len(points)), points, weights)


def _breathe(points: np.ndarray, weights: np.ndarray, best: tuple, limits: tuple) -> tuple:
    """Move centres from where they are of little use to where they are missing.

    Some centres are added where the error is largest, and as many taken out where they are of
    least use. Where that does not help, one fewer is tried, down to none.
    """
    breath = min(_BREATH, len(best[0]) // 8)
    while breath > 0:
        wide = lloyd.lloyd(
            points, weights, _widened(points, weights, best, breath), best[1], *limits
        )
        narrow = _narrowed(points, weights, wide[0], breath)
        nobody = np.zeros(len(points), dtype=np.int32)
        tried = lloyd.lloyd(points, weights, narrow, nobody, *limits)
        if tried[2] < best[2] * (1 - limits[0]):
            best = tried
        else:
            breath -= 1
    return best


def _widened(points: np.ndarray, weights: np.ndarray, found: tuple, n_more: int) -> np.ndarray:
    """Add centres beside those of the largest error, half a standard deviation along each axis."""
    centres, labels, *_ = found
    own = weights * ((points - centres[labels]) ** 2).sum(axis=1)
    errors = np.bincount(labels, own, minlength=len(centres))
    mass = np.bincount(labels, weights, minlength=len(centres))
    worst = np.argsort(-errors, kind="stable")[:n_more]
    aside = np.sqrt(errors[worst] / np.maximum(mass[worst], 1))
    return np.vstack([centres, centres[worst] + aside[:, None] / 2])


def _narrowed(points: np.ndarray, weights: np.ndarray, centres: np.ndarray, n_less: int):
    """Take centres out that are of little use, but never two that are next to each other."""
    useful = lloyd.usefulness(points, weights, centres)
    nearest = lloyd.neighbours(centres)[1][:, 1]
    gone: list[int] = []
    for j in np.argsort(useful, kind="stable"):
        if len(gone) < n_less and j not in nearest[gone]:
            gone.append(j)
    return np.delete(centres, gone, axis=0)
