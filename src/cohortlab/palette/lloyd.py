"""The loops of k-means, compiled: points in cells, k-means++, and Lloyd's passes.

Points have four columns, so that no loop over columns stands within those over points and centres,
which compilers turn into code many times faster; where points have fewer, the rest are zeros.
"""

from typing import NamedTuple

import numpy as np

from cohortlab.compiled import compiled

N_COLUMNS = 4
# Points whose nearest centres are looked for together: what is known of them stays in the cache.
_TOGETHER = 256
# Margins are this much wider, so that rounding leaves out no centre that is as near as another.
_ROUNDING = 1 + 1e-9


class Cells(NamedTuple):
    """Points sorted into cubic cells.

    Attributes
    ----------
    points : ndarray of float64, shape (n_points, 4)
        Those of one cell after those of another.
    weights : ndarray of float64, shape (n_points,)
        Of each.
    begins : ndarray of int64, shape (n_cells + 1,)
        Where each cell begins, and after the last its end.
    middles : ndarray of float64, shape (n_cells, 4)
        Of the cubes.
    width : float
        Of every cube.
    means : ndarray of float64, shape (4, n_cells)
        Of the points of each, weighted.
    mass : ndarray of float64, shape (n_cells,)
        Sum of their weights.
    scatter : ndarray of float64, shape (n_cells,)
        Weighted sum of the squared distances of the points of each to their mean.
    """

    points: np.ndarray
    weights: np.ndarray
    begins: np.ndarray
    middles: np.ndarray
    width: float
    means: np.ndarray
    mass: np.ndarray
    scatter: np.ndarray


@compiled()
def box_of(points):
    """Find the box that holds points.

    Parameters
    ----------
    points : ndarray of float64, shape (n_points, n_dimensions)
        At least one point, of 1 to 4 dimensions.

    Returns
    -------
    low, sides : ndarray of float64, shape (4,)
        Its lowest corner and its sides; 0 in columns that points do not have.
    """
    low, high = np.zeros(N_COLUMNS), np.zeros(N_COLUMNS)
    for d in range(points.shape[1]):
        low[d] = high[d] = points[0, d]
        for i in range(1, len(points)):
            low[d] = min(low[d], points[i, d])
            high[d] = max(high[d], points[i, d])
    return low, high - low


@compiled()
def sort_into_cells(points, weights, low, width, n_along):
    """Sort points into cells.

    Parameters
    ----------
    points : ndarray of float64, shape (n_points, n_dimensions)
        Of 1 to 4 dimensions.
    weights : ndarray of float64, shape (n_points,)
        How often each stands, above 0.
    low : ndarray of float64, shape (4,)
        Lowest corner of the first cell.
    width : float
        Of each cell, above 0.
    n_along : ndarray of int64, shape (4,)
        Cells along each side; 1 along columns that points do not have.

    Returns
    -------
    tuple
        The fields of `Cells`.
    """
    n_points, n_dimensions = points.shape
    per_width, n_cells = 1 / width, 0
    number = np.full(np.prod(n_along), -1, dtype=np.int32)
    cell_of, middles = np.empty(n_points, dtype=np.int32), np.empty((n_points, N_COLUMNS))
    sizes, along = np.zeros(n_points + 1, dtype=np.int64), np.zeros(N_COLUMNS, dtype=np.int64)
    for i in range(n_points):
        place = 0
        for d in range(n_dimensions):
            along[d] = min(int((points[i, d] - low[d]) * per_width), n_along[d] - 1)
            place = place * n_along[d] + along[d]
        if number[place] < 0:
            for d in range(N_COLUMNS):
                middles[n_cells, d] = low[d] + (along[d] + 0.5) * width
            number[place] = n_cells
            n_cells += 1
        cell_of[i] = number[place]
        sizes[cell_of[i] + 1] += 1
    begins = np.cumsum(sizes[: n_cells + 1])
    ends = begins[:-1].copy()
    in_order, weights_in_order = np.zeros((n_points, N_COLUMNS)), np.empty(n_points)
    means, mass, scatter = np.zeros((n_cells, N_COLUMNS)), np.zeros(n_cells), np.zeros(n_cells)
    for i in range(n_points):
        cell, weight = cell_of[i], weights[i]
        to = ends[cell]
        ends[cell] = to + 1
        weights_in_order[to] = weight
        mass[cell] += weight
        for d in range(n_dimensions):
            value = points[i, d]
            in_order[to, d] = value
            means[cell, d] += weight * value
    means /= mass.reshape(-1, 1)
    for cell in range(n_cells):
        for i in range(begins[cell], begins[cell + 1]):
            at = in_order[i]
            scatter[cell] += weights_in_order[i] * _apart(at[0], at[1], at[2], at[3], means[cell])
    means, middles = np.ascontiguousarray(means.T), middles[:n_cells].copy()
    return in_order, weights_in_order, begins, middles, width, means, mass, scatter


@compiled()
def plus_plus(columns, weights, draws):
    """Draw centres by k-means++, of several candidates the best.

    Parameters
    ----------
    columns : ndarray of float64, shape (4, n_points)
        The points.
    weights : ndarray of float64, shape (n_points,)
        How often each stands, above 0.
    draws : ndarray of float64, shape (n_clusters, n_candidates)
        Uniform in [0, 1): which point each candidate becomes.

    Returns
    -------
    ndarray of float64, shape (n_clusters, 4)
        Points among those given.

    References
    ----------
    Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding, with the several
    candidates that their last section suggests.
    """
    n_points = columns.shape[1]
    n_clusters, n_trials = draws.shape
    centres = np.empty((n_clusters, N_COLUMNS))
    nearest, away, kept = np.full(n_points, np.inf), np.empty(n_points), np.empty(n_points)
    chances = weights.copy()
    for cluster in range(n_clusters):
        cumulative = np.cumsum(chances)
        least = np.inf
        for trial in range(n_trials if cluster else 1):
            drawn = np.searchsorted(cumulative, draws[cluster, trial] * cumulative[-1], "right")
            drawn = min(drawn, n_points - 1)
            _squared(columns, 0, columns[:, drawn], away)
            total = 0.0
            for i in range(n_points):
                away[i] = min(away[i], nearest[i])
                total += weights[i] * away[i]
            if total < least:
                least = total
                centres[cluster] = columns[:, drawn]
                kept, away = away, kept
        nearest, kept = kept, nearest
        chances = weights * nearest
    return centres


@compiled()
def _squared(columns, begin, centre, away):
    """Write the squared distances to a centre into `away`, from a point on."""
    end = begin + len(away)
    x, y, z, t = (
        columns[0, begin:end],
        columns[1, begin:end],
        columns[2, begin:end],
        columns[3, begin:end],
    )
    at_x, at_y, at_z, at_t = centre[0], centre[1], centre[2], centre[3]
    for i in range(len(away)):
        away[i] = (x[i] - at_x) ** 2 + (y[i] - at_y) ** 2 + (z[i] - at_z) ** 2 + (t[i] - at_t) ** 2


@compiled()
def _apart(x, y, z, t, point):
    """Return the squared distance of one point, by its coordinates, to another."""
    return (x - point[0]) ** 2 + (y - point[1]) ** 2 + (z - point[2]) ** 2 + (t - point[3]) ** 2


@compiled()
def two_nearest(columns, centres):
    """Find the nearest centre of each point, and how far that and the second are.

    Parameters
    ----------
    columns : ndarray of float64, shape (4, n_points)
        The points.
    centres : ndarray of float64, shape (n_centres, 4)
        At least one.

    Returns
    -------
    nearest : ndarray of int32, shape (n_points,)
        Place of the nearest centre, the first of several.
    first, second : ndarray of float64, shape (n_points,)
        Squared distances to the nearest and to the second, infinite where there is one centre.
    """
    n_points = columns.shape[1]
    nearest = np.zeros(n_points, dtype=np.int32)
    first, second = np.full(n_points, np.inf), np.full(n_points, np.inf)
    away = np.empty(_TOGETHER)
    for begin in range(0, n_points, _TOGETHER):
        end = min(begin + _TOGETHER, n_points)
        own, least, next_least = nearest[begin:end], first[begin:end], second[begin:end]
        squared = away[: end - begin]
        for j in range(len(centres)):
            _squared(columns, begin, centres[j], squared)
            for i in range(len(own)):
                closer = squared[i] < least[i]
                next_least[i] = least[i] if closer else min(next_least[i], squared[i])
                least[i] = squared[i] if closer else least[i]
                own[i] = j if closer else own[i]
    return nearest, first, second


@compiled()
def lloyd_of_means(columns, weights, centres, tolerance, max_iter):
    """Move centres to the means of their points, until that lowers the error little more.

    Parameters
    ----------
    columns : ndarray of float64, shape (4, n_points)
        The points.
    weights : ndarray of float64, shape (n_points,)
        How often each stands, above 0.
    centres : ndarray of float64, shape (n_clusters, 4)
        Where to begin.
    tolerance : float
        A pass that lowers the error by no more than this part of it is the last.
    max_iter : int
        Passes at most.

    Returns
    -------
    centres : ndarray of float64, shape (n_clusters, 4)
        A centre without points stays where it is.
    error : float
        Weighted squared distances to them of the points that each had in the last pass.
    n_iter : int
        Passes.
    """
    centres = centres.copy()
    error, gain, n_iter = 0.0, np.inf, 0
    while gain > tolerance * error and n_iter < max_iter:
        nearest, away, _ = two_nearest(columns, centres)
        sums, mass, error = np.zeros(centres.shape), np.zeros(len(centres)), 0.0
        for i in range(len(weights)):
            own, weight = nearest[i], weights[i]
            mass[own] += weight
            error += weight * away[i]
            for d in range(N_COLUMNS):
                sums[own, d] += weight * columns[d, i]
        gain = _move(centres, sums, mass)
        error = max(error - gain, 0.0)
        n_iter += 1
    return centres, error, n_iter


@compiled()
def lloyd(cells, centres, tolerance, max_iter):
    """Move centres as `lloyd_of_means` does, faster, for points in cells.

    Parameters
    ----------
    cells : Cells
        The points.
    centres : ndarray of float64, shape (n_clusters, 4)
        Where to begin.
    tolerance : float
        A pass that lowers the error by no more than this part of it is the last.
    max_iter : int
        Passes at most.

    Returns
    -------
    centres : ndarray of float64, shape (n_clusters, 4)
        A centre without points stays where it is.
    error : float
        Weighted squared distances to them of the points that each had in the last pass.
    n_iter : int
        Passes.
    """
    centres = centres.copy()
    error, gain, n_iter = 0.0, np.inf, 0
    while gain > tolerance * error and n_iter < max_iter:
        sums, mass, error = _sums_of_nearest(cells, centres)
        gain = _move(centres, sums, mass)
        error = max(error - gain, 0.0)
        n_iter += 1
    return centres, error, n_iter


@compiled()
def _move(centres, sums, mass):
    """Put centres to the means of their points: what the error fell by, as Huygens has it."""
    gain = 0.0
    for j in range(len(centres)):
        if mass[j] > 0:
            for d in range(N_COLUMNS):
                mean = sums[j, d] / mass[j]
                gain += mass[j] * (mean - centres[j, d]) ** 2
                centres[j, d] = mean
    return gain


@compiled()
def _sums_of_nearest(cells, centres):
    """Sum up, for each centre, the points that it is the nearest to, and their weights.

    The error comes third: the weighted squared distances of all points to their nearest centre.
    What looking at every centre for every point would give, but a cell looks once for all of its
    points: a centre is out of question where no corner of the cell is nearer to it than to the one
    that is nearest to the middle (Kanungo et al. 2002). Where one is left, the mean of the cell
    stands for its points.
    """
    n_clusters, error = len(centres), 0.0
    sums, mass = np.zeros((n_clusters, N_COLUMNS)), np.zeros(n_clusters)
    margins, columns = _margins(centres, cells.width), np.ascontiguousarray(centres.T)
    x, y, z, t = columns[0], columns[1], columns[2], columns[3]
    away, left = np.empty(n_clusters), np.empty(n_clusters, dtype=np.int64)
    for cell in range(len(cells.mass)):
        _squared(columns, 0, cells.middles[cell], away)
        n_left = _not_out_of_question(away, margins, left)
        if n_left == 1:
            own, weight, squared = left[0], cells.mass[cell], 0.0
            mass[own] += weight
            for d in range(N_COLUMNS):
                mean = cells.means[d, cell]
                squared += (mean - centres[own, d]) ** 2
                sums[own, d] += weight * mean
            error += cells.scatter[cell] + weight * squared
            continue
        for i in range(cells.begins[cell], cells.begins[cell + 1]):
            at, weight = cells.points[i], cells.weights[i]
            own = left[0]
            least = _apart(x[own], y[own], z[own], t[own], at)
            for place in range(1, n_left):
                j = left[place]
                squared = _apart(x[j], y[j], z[j], t[j], at)
                own, least = (j if squared < least else own), min(squared, least)
            mass[own] += weight
            error += weight * least
            for d in range(N_COLUMNS):
                sums[own, d] += weight * at[d]
    return sums, mass, error


@compiled()
def _not_out_of_question(away, margins, left):
    """Write into `left` the centres that may be the nearest to a point of a cell: how many."""
    own = 0
    for j in range(1, len(away)):
        if away[j] < away[own]:
            own = j
    n_left, limit, margin = 0, away[own], margins[own]
    for j in range(len(away)):
        left[n_left] = j
        n_left += away[j] - limit <= margin[j]
    return n_left


@compiled()
def _margins(centres, width):
    """By how much the middle of a cell may be nearer to one centre than to another.

    The difference of the squared distances to two centres is linear in the point. From the middle
    of a cube to a corner it changes by at most the width times the sum of the differences of the
    centres' coordinates: where it is larger, all of the cube is nearer to the one.
    """
    n_clusters = len(centres)
    margins = np.zeros((n_clusters, n_clusters))
    for j in range(n_clusters):
        for other in range(n_clusters):
            for d in range(N_COLUMNS):
                margins[j, other] += abs(centres[j, d] - centres[other, d]) * width * _ROUNDING
    return margins
