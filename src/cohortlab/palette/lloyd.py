"""The loops of k-means, compiled: a summary of points, k-means++, Lloyd's passes with bounds."""

import numpy as np

from cohortlab.compiled import compiled


@compiled()
def sum_up(points, weights, low, per_width, n_along):
    """Sum points up in cells: the cell of each, the cells' means and weights.

    Parameters
    ----------
    points : ndarray of float, shape (n_points, n_dimensions)
        What is clustered.
    weights : ndarray of float, shape (n_points,)
        How often each stands, above 0.
    low : ndarray of float, shape (n_dimensions,)
        Lower corner of the first cell.
    per_width : float
        Cells a unit.
    n_along : ndarray of int, shape (n_dimensions,)
        Cells along each dimension.

    Returns
    -------
    cell_of : ndarray of int32, shape (n_points,)
        Numbers of cells, in the order in which they are met.
    means : ndarray of float, shape (n_cells, n_dimensions)
        Weighted means; cells without a point are left out.
    mass : ndarray of float, shape (n_cells,)
        Sums of weights.
    """
    n_points, n_dimensions = points.shape
    number = np.full(np.prod(n_along), -1, dtype=np.int32)
    cell_of = np.empty(n_points, dtype=np.int32)
    sums = np.zeros((n_points, n_dimensions))
    mass = np.zeros(n_points)
    n_cells = 0
    for i in range(n_points):
        place = 0
        for d in range(n_dimensions):
            along = min(int((points[i, d] - low[d]) * per_width), n_along[d] - 1)
            place = place * n_along[d] + along
        if number[place] < 0:
            number[place] = n_cells
            n_cells += 1
        cell = number[place]
        cell_of[i] = cell
        mass[cell] += weights[i]
        for d in range(n_dimensions):
            sums[cell, d] += weights[i] * points[i, d]
    means = sums[:n_cells] / mass[:n_cells].reshape(-1, 1)
    return cell_of, means, mass[:n_cells].copy()


@compiled()
def plus_plus(points, weights, draws):
    """Draw centres by k-means++, of several candidates the best; the nearest centre of each point.

    Parameters
    ----------
    points : ndarray of float, shape (n_points, n_dimensions)
        What is clustered.
    weights : ndarray of float, shape (n_points,)
        How often each stands, above 0.
    draws : ndarray of float, shape (n_clusters, n_candidates)
        Uniform in [0, 1): which point each candidate becomes.

    Returns
    -------
    centres : ndarray of float, shape (n_clusters, n_dimensions)
        Points among `points`.
    labels : ndarray of int32, shape (n_points,)
        The nearest of them.

    References
    ----------
    Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding, with the several
    candidates that their last section suggests.
    """
    n_points = len(points)
    n_clusters, n_trials = draws.shape
    labels = np.zeros(n_points, dtype=np.int32)
    centres = np.empty((n_clusters, points.shape[1]))
    nearest = np.full(n_points, np.inf)
    chances = weights.copy()
    for cluster in range(n_clusters):
        cumulative = np.cumsum(chances)
        best, best_total = 0, np.inf
        for trial in range(n_trials if cluster else 1):
            drawn = np.searchsorted(cumulative, draws[cluster, trial] * cumulative[-1], "right")
            drawn = min(drawn, n_points - 1)
            total = 0.0
            for i in range(n_points):
                total += weights[i] * min(_squared(points, i, points, drawn), nearest[i])
            if total < best_total:
                best, best_total = drawn, total
        centres[cluster] = points[best]
        for i in range(n_points):
            away = _squared(points, i, centres, cluster)
            if away < nearest[i]:
                nearest[i], labels[i] = away, cluster
            chances[i] = weights[i] * nearest[i]
    return centres, labels


@compiled()
def lloyd(points, weights, centres, labels, tolerance, max_iter):
    """Move centres to the means of their points, until that lowers the error no more.

    Parameters
    ----------
    points : ndarray of float, shape (n_points, n_dimensions)
        What is clustered.
    weights : ndarray of float, shape (n_points,)
        How often each stands, above 0.
    centres : ndarray of float, shape (n_clusters, n_dimensions)
        Where they start; not changed.
    labels : ndarray of int, shape (n_points,)
        A centre for each point; any will do, good ones save time.
    tolerance : float
        Share of the first error: a pass that lowers the error by no more is the last.
    max_iter : int
        Most passes.

    Returns
    -------
    centres : ndarray of float, shape (n_clusters, n_dimensions)
        Where they end.
    labels : ndarray of int, shape (n_points,)
        The nearest of each point.
    error : float
        Weighted sum of squared distances, in squared units of `points`.
    n_iter : int
        Passes made.

    Notes
    -----
    Most points are skipped by bounds on the distances to the own and to the second centre, the
    others look only at centres near their own (exponion): what comes out is what looking at all
    centres would give.

    References
    ----------
    Hamerly (2010), Making k-means even faster. Newling and Fleuret (2016), Fast k-means with
    accurate bounds.
    """
    n_points, n_clusters = len(points), len(centres)
    centres, labels = centres.copy(), labels.copy()
    sums, mass = _sums_of(points, weights, labels, n_clusters)
    upper, lower = np.full(n_points, np.inf), np.zeros(n_points)
    enough, n_iter = 0.0, 0
    for n_iter in range(1, max_iter + 1):
        between, order = neighbours(centres)
        error = 0.0
        for i in range(n_points):
            own = labels[i]
            half = between[own, order[own, 1]] / 2 if n_clusters > 1 else np.inf
            if upper[i] <= max(half, lower[i]):
                continue
            upper[i] = np.sqrt(_squared(points, i, centres, own))
            if upper[i] > max(half, lower[i]):
                best, upper[i], lower[i] = _nearest(
                    points, i, centres, own, upper[i], between[own], order[own]
                )
                if best != own:
                    labels[i] = best
                    _change(sums, mass, points, weights, i, own, best)
            error += weights[i] * upper[i] ** 2
        moved, gain = _move(centres, sums, mass)
        # In the first pass every distance is looked at, so this is the whole error.
        enough = tolerance * error if n_iter == 1 else enough
        if gain <= enough:
            break
        _loosen(upper, lower, labels, moved)
    return centres, labels, _error(points, weights, centres, labels), n_iter


@compiled()
def _squared(points, i, others, j):
    total = 0.0
    for d in range(points.shape[1]):
        total += (points[i, d] - others[j, d]) ** 2
    return total


@compiled()
def _sums_of(points, weights, labels, n_clusters):
    sums, mass = np.zeros((n_clusters, points.shape[1])), np.zeros(n_clusters)
    for i in range(len(points)):
        mass[labels[i]] += weights[i]
        for d in range(points.shape[1]):
            sums[labels[i], d] += weights[i] * points[i, d]
    return sums, mass


@compiled()
def _change(sums, mass, points, weights, i, old, new):
    mass[old] -= weights[i]
    mass[new] += weights[i]
    for d in range(points.shape[1]):
        part = weights[i] * points[i, d]
        sums[old, d] -= part
        sums[new, d] += part


@compiled()
def neighbours(centres):
    """Return the distances between centres, and for each all from the nearest on, itself first.

    Parameters
    ----------
    centres : ndarray of float, shape (n_clusters, n_dimensions)
        The centres.

    Returns
    -------
    between : ndarray of float, shape (n_clusters, n_clusters)
        Distances; -1 from a centre to itself, so that it comes first.
    order : ndarray of int64, shape (n_clusters, n_clusters)
        Centres by distance, a row for each.
    """
    n_clusters = len(centres)
    between = np.zeros((n_clusters, n_clusters))
    order = np.zeros((n_clusters, n_clusters), dtype=np.int64)
    for j in range(n_clusters):
        for other in range(n_clusters):
            between[j, other] = np.sqrt(_squared(centres, j, centres, other))
        between[j, j] = -1.0
        order[j] = np.argsort(between[j])
    return between, order


@compiled()
def _nearest(points, i, centres, own, away, between, order):
    """Find the nearest centre of a point, its distance, and that of the second.

    The own centre and the one next to it are at most `away + between` from the point; so are the
    two nearest, and by the triangle inequality these are within twice `away` and that of the own.
    """
    best, first, second = own, away, np.inf
    reach = 2 * away + between[order[1]] if len(order) > 1 else 0.0
    for place in range(1, len(order)):
        other = order[place]
        if between[other] > reach:
            break
        distance = np.sqrt(_squared(points, i, centres, other))
        if distance < first:
            best, first, second = other, distance, first
        elif distance < second:
            second = distance
    return best, first, second


@compiled()
def _move(centres, sums, mass):
    """Put centres to the means of their points: how far each went, and what the error fell by.

    A centre without points stays where it is.
    """
    moved, gain = np.zeros(len(centres)), 0.0
    for j in range(len(centres)):
        total = 0.0
        if mass[j] > 0.5:
            for d in range(centres.shape[1]):
                mean = sums[j, d] / mass[j]
                total += (mean - centres[j, d]) ** 2
                centres[j, d] = mean
        moved[j] = np.sqrt(total)
        gain += mass[j] * total
    return moved, gain


@compiled()
def _loosen(upper, lower, labels, moved):
    """Let bounds hold for the centres where they are now."""
    farthest, second = 0, 0.0
    for j in range(len(moved)):
        if moved[j] > moved[farthest]:
            farthest = j
    for j in range(len(moved)):
        if j != farthest:
            second = max(second, moved[j])
    for i in range(len(upper)):
        upper[i] += moved[labels[i]]
        lower[i] -= second if labels[i] == farthest else moved[farthest]


@compiled()
def _error(points, weights, centres, labels):
    total = 0.0
    for i in range(len(points)):
        total += weights[i] * _squared(points, i, centres, labels[i])
    return total


@compiled()
def usefulness(points, weights, centres):
    """Say how much the error would grow without each centre, its points going to the second.

    Parameters
    ----------
    points : ndarray of float, shape (n_points, n_dimensions)
        What is clustered.
    weights : ndarray of float, shape (n_points,)
        How often each stands, above 0.
    centres : ndarray of float, shape (n_clusters, n_dimensions)
        The centres.

    Returns
    -------
    ndarray of float, shape (n_clusters,)
        In squared units of `points`, times weight.
    """
    useful = np.zeros(len(centres))
    for i in range(len(points)):
        best, first, second = 0, np.inf, np.inf
        for j in range(len(centres)):
            away = _squared(points, i, centres, j)
            if away < first:
                best, first, second = j, away, first
            elif away < second:
                second = away
        useful[best] += weights[i] * (second - first)
    return useful


@compiled()
def nearest_of(points, centres):
    """Return the nearest centre of each point, the first of several.

    Parameters
    ----------
    points : ndarray of float, shape (n_points, n_dimensions)
        What is clustered.
    centres : ndarray of float, shape (n_clusters, n_dimensions)
        The centres.

    Returns
    -------
    ndarray of int32, shape (n_points,)
        Its number.
    """
    chosen = np.zeros(len(points), dtype=np.int32)
    for i in range(len(points)):
        best = np.inf
        for j in range(len(centres)):
            away = _squared(points, i, centres, j)
            if away < best:
                best = away
                chosen[i] = j
    return chosen
