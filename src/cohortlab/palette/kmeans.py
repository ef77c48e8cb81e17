"""Weighted k-means, exact and fast: starts on a summary, the better half finished on all points.

Equal pixels are one point with a weight, which changes nothing but the time. Points that lie close
together are summed up in cells, on whose means a start costs little. The better half of the starts
is improved there and then carried on over all points, where the best is chosen: the summary says
no more than where to begin.
"""

from dataclasses import dataclass

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.palette import lloyd

N_STARTS, MAX_ITER = 8, 300
# A pass that lowers the error by a smaller part of it is the last; on the summary the part is this,
# or what is asked for where that is more.
TOLERANCE, _ROUGHLY = 2e-5, 1e-4
# So many centres are moved at once, at first: Fritzke (2020), The breathing k-means algorithm; and
# of a palette no more than this part.
_BREATH, _BREATH_PART = 5, 4
# Cells along the longest side of the points' box, times the cube root of the clusters, so that each
# has as many, but at first no more than would be 140 MB in four columns; then twice as many, until
# a cluster has enough, or there would be too many places: then the points are the summary.
_CELLS, _MOST_CELLS, _ENOUGH, _PLACES = 10, 76, 16, 1 << 22
# Sums of squares of what is no larger are numbers.
_LARGEST = 1e100


@dataclass(frozen=True)
class Centres:
    """What k-means found.

    Attributes
    ----------
    points : ndarray of shape (n_centres, n_dimensions)
        The centres, each the weighted mean of its points.
    error : float
        Weighted sum of squared distances.
    n_iter : int
        Passes over all points.
    """

    points: np.ndarray
    error: float
    n_iter: int


def weighted_kmeans(
    points: np.ndarray,
    weights: np.ndarray,
    n_clusters: int,
    *,
    rng: np.random.Generator,
    n_starts: int = N_STARTS,
    tolerance: float = TOLERANCE,
    max_iter: int = MAX_ITER,
) -> Centres:
    """Find centres that make the weighted sum of squared distances small.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_dimensions)
        Points of 1 to 4 dimensions, at best distinct ones.
    weights : ndarray of shape (n_points,)
        How often each stands, above 0, such as the pixels of a colour.
    n_clusters : int
        Centres to place, at least 1; with no more points than that, each point is a centre.
    rng : numpy.random.Generator
        Of the starts.
    n_starts : int, default 8
        Starts by k-means++ on the summary, of which the better half is carried on.
    tolerance : float, default 2e-5
        A pass that lowers the error by a smaller part of it is the last; 0: until none lowers it.
    max_iter : int, default 300
        Passes at most.

    Returns
    -------
    Centres
        A local optimum, to the tolerance.

    Raises
    ------
    ValueError
        If points or weights are none, or there is no centre or no start.
    """
    points, weights = (np.ascontiguousarray(a, dtype=float) for a in (points, weights))
    _check(points, weights, n_clusters, n_starts)
    n_points, n_dimensions = points.shape
    if n_points <= n_clusters:
        return Centres(points.copy(), 0.0, 0)
    enough = min(_ENOUGH * n_clusters, n_points)
    cells = _cells(points, weights, n_clusters, enough)
    summary = cells.means, cells.mass
    if len(cells.mass) < enough:
        summary = np.ascontiguousarray(cells.points.T), cells.weights
    limits, shape = (max(tolerance, _ROUGHLY), max_iter), (n_clusters, 2 + int(np.log(n_clusters)))
    starts = (lloyd.plus_plus(*summary, rng.random(shape)) for _ in range(n_starts))
    ends = sorted((lloyd.lloyd_of_means(*summary, s, *limits) for s in starts), key=_error_of)
    improved = (_breathe(summary, end, limits)[0] for end in ends[: (n_starts + 1) // 2])
    finished = (lloyd.lloyd(cells, centres, tolerance, max_iter) for centres in improved)
    centres, error, n_iter = min(finished, key=_error_of)
    return Centres(centres[:, :n_dimensions], error, n_iter)


def nearest_of(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Find the nearest centre of each point.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_dimensions)
        Of 1 to 4 dimensions.
    centres : ndarray of shape (n_centres, n_dimensions)
        At least one.

    Returns
    -------
    ndarray of int32, shape (n_points,)
        Place of the centre, the first of several.
    """
    columns = np.zeros((lloyd.N_COLUMNS, len(points)))
    columns[: points.shape[1]] = points.T
    four = np.zeros((len(centres), lloyd.N_COLUMNS))
    four[:, : points.shape[1]] = centres
    return lloyd.two_nearest(columns, four)[0]


def _check(points: np.ndarray, weights: np.ndarray, n_clusters: int, n_starts: int) -> None:
    check_number(n_clusters, where="n_clusters", low=1, whole=True)
    check_number(n_starts, where="n_starts", low=1, whole=True)
    if points.ndim != 2 or not 1 <= points.shape[1] <= lloyd.N_COLUMNS:
        raise ValueError(f"points are of shape {points.shape}: expected (n_points, 1 to 4)")
    if weights.shape != points.shape[:1]:
        raise ValueError(f"weights are of shape {weights.shape}: expected ({len(points)},)")
    if len(points) and not (
        -_LARGEST <= points.min() <= points.max() <= _LARGEST
        and 0 < weights.min() <= weights.max() <= _LARGEST
    ):
        raise ValueError(f"expected numbers up to {_LARGEST:g}, and weights above 0")


def _error_of(end: tuple) -> float:
    return end[1]


def _cells(points: np.ndarray, weights: np.ndarray, n_clusters: int, enough: int) -> lloyd.Cells:
    """Sort points into cells, of which there are enough unless too small ones would be needed."""
    (low, sides), narrowest = lloyd.box_of(points), np.finfo(float).tiny
    n_along = min(_CELLS * n_clusters ** (1 / 3), _MOST_CELLS)
    while True:
        width = max(sides.max() / n_along, narrowest)
        shape = (sides / width).astype(np.int64) + 1
        cells = lloyd.Cells(*lloyd.sort_into_cells(points, weights, low, width, shape))
        # Equal points have one cell, however narrow.
        small = width == narrowest or np.prod(2 * shape) > _PLACES
        if len(cells.mass) >= enough or small:
            return cells
        n_along *= 2


def _breathe(summary: tuple, best: tuple, limits: tuple) -> tuple:
    """Move centres from where they are of little use to where they are missing.

    Some centres are added where the error is largest, and as many taken out where they are of
    least use. Where that does not help, one fewer is tried, down to none.
    """
    breath = min(_BREATH, len(best[0]) // _BREATH_PART)
    while breath > 0:
        wide = lloyd.lloyd_of_means(*summary, _widened(*summary, best[0], breath), *limits)
        narrow = _narrowed(*summary, wide[0], breath)
        tried = lloyd.lloyd_of_means(*summary, narrow, *limits)
        if tried[1] < best[1] * (1 - limits[0]):
            best = tried
        else:
            breath -= 1
    return best


def _widened(columns: np.ndarray, weights: np.ndarray, centres: np.ndarray, n_more: int):
    """Add centres beside those of the largest error, half a standard deviation along each axis."""
    nearest, squared, _ = lloyd.two_nearest(columns, centres)
    errors = np.bincount(nearest, weights * squared, minlength=len(centres))
    mass = np.bincount(nearest, weights, minlength=len(centres))
    worst = np.argsort(-errors, kind="stable")[:n_more]
    aside = np.sqrt(errors[worst] / np.maximum(mass[worst], 1))
    return np.vstack([centres, centres[worst] + aside[:, None] / 2])


def _narrowed(columns: np.ndarray, weights: np.ndarray, centres: np.ndarray, n_less: int):
    """Take centres out that are of little use, but never two that are next to each other.

    The use of a centre is by how much the error grows without it, its points going to the second.
    """
    nearest, first, second = lloyd.two_nearest(columns, centres)
    useful = np.bincount(nearest, weights * (second - first), minlength=len(centres))
    apart = ((centres[:, None] - centres[None]) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    beside = apart.argmin(axis=1)
    gone: list[int] = []
    for j in np.argsort(useful, kind="stable"):
        if len(gone) < n_less and j not in beside[gone]:
            gone.append(j)
    return np.delete(centres, gone, axis=0)
