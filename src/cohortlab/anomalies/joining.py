"""Points that are linked over steps of at most a distance, found without a list of all pairs."""

import numpy as np
from sklearn.neighbors import KDTree

from cohortlab.compiled import compiled

_LEAF_ROWS = 16
#: A tree of so many levels has more leaves than memory has bytes.
_MOST_LEVELS = 64
_MIXED = -1


def linked(points: np.ndarray, reach: float, links: np.ndarray) -> np.ndarray:
    """Find the groups of points that are linked over steps of at most `reach`.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_features)
        Different points.
    reach : float
        Longest step.
    links : ndarray of int, shape (n_links, 2)
        Pairs known to be within reach; the more, the faster. No result depends on them.

    Returns
    -------
    ndarray of int64, shape (n_points,)
        For every point the lowest number of a point of its group.

    Notes
    -----
    The known pairs join most of a group. What they leave apart is looked for in a tree of boxes:
    for each point any point of another group within reach, boxes too far away or of the same
    group being passed over, until a round finds none. Within a dense group nearly all boxes are of
    one group, so a round takes little more than a look-up a point; memory is that of the points.

    References
    ----------
    March, Ram and Gray (2010), Fast Euclidean minimum spanning tree: algorithm, analysis, and
    applications, section 3: boxes of one component are pruned.
    """
    parent = np.arange(len(points))
    if len(points) == 0:
        return parent
    join_links(parent, np.asarray(links, dtype=np.int64))
    tree = KDTree(points, leaf_size=_LEAF_ROWS)
    _, order, nodes, bounds = (np.asarray(part) for part in tree.get_arrays())
    starts, ends = nodes["idx_start"].astype(np.int64), nodes["idx_end"].astype(np.int64)
    leaves = nodes["is_leaf"].astype(np.bool_)
    boxes = np.ascontiguousarray(bounds), np.ascontiguousarray(order).astype(np.int64)
    placed = np.ascontiguousarray(points[boxes[1]])
    while join_round(parent, placed, boxes[1], starts, ends, leaves, boxes[0], reach * reach):
        pass
    return _flatten(parent)


@compiled()
def _find(parent, point):
    """Follow a point to the head of its group, shortening the way."""
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


@compiled()
def _join(parent, one, other):
    """Put two groups under the lower of their heads; say whether they were two."""
    one, other = _find(parent, one), _find(parent, other)
    if one == other:
        return False
    parent[max(one, other)] = min(one, other)
    return True


@compiled()
def join_links(parent, links):
    """Join the known pairs.

    Parameters
    ----------
    parent : ndarray of int64, shape (n_points,)
        For every point another of its group, the head's own number for a head; changed in place.
    links : ndarray of int64, shape (n_links, 2)
        Pairs of points.

    Returns
    -------
    None
    """
    for number in range(len(links)):
        _join(parent, links[number, 0], links[number, 1])


@compiled()
def _flatten(parent):
    """Point everything at the head of its group."""
    for point in range(len(parent)):
        parent[point] = _find(parent, point)
    return parent


@compiled()
def _box_groups(parent, order, starts, ends, leaves):
    """Give each box the one group of its points, or `_MIXED`."""
    groups = np.empty(len(starts), np.int64)
    for node in range(len(starts) - 1, -1, -1):
        if leaves[node]:
            groups[node] = parent[order[starts[node]]]
            for place in range(starts[node] + 1, ends[node]):
                if parent[order[place]] != groups[node]:
                    groups[node] = _MIXED
                    break
        else:
            left, right = groups[2 * node + 1], groups[2 * node + 2]
            groups[node] = left if left == right else _MIXED
    return groups


@compiled()
def _squared_gap(point, bounds, node):
    """Give the squared distance from a point to a box."""
    total = 0.0
    for axis in range(len(point)):
        below = bounds[0, node, axis] - point[axis]
        above = point[axis] - bounds[1, node, axis]
        outside = max(below, above, 0.0)
        total += outside * outside
    return total


@compiled()
def _squared_distance(one, other):
    """Give the squared distance of two points."""
    total = 0.0
    for axis in range(len(one)):
        total += (one[axis] - other[axis]) ** 2
    return total


@compiled()
def join_round(parent, placed, order, starts, ends, leaves, bounds, most):
    """Join each point's group with those of others within reach; say whether any were two.

    Parameters
    ----------
    parent : ndarray of int64, shape (n_points,)
        As for `join_links`; changed in place.
    placed : ndarray of float, shape (n_points, n_features)
        The points in the order of the tree.
    order : ndarray of int64, shape (n_points,)
        The number of each of these.
    starts, ends : ndarray of int64, shape (n_boxes,)
        Which of them lie in a box; box k holds the boxes 2 k + 1 and 2 k + 2.
    leaves : ndarray of bool, shape (n_boxes,)
        Whether a box holds no other.
    bounds : ndarray of float, shape (2, n_boxes, n_features)
        Lower and upper corners.
    most : float
        The square of the longest step.

    Returns
    -------
    bool
        Whether another round may join more.
    """
    groups = _box_groups(_flatten(parent), order, starts, ends, leaves)
    own = parent.copy()
    stack = np.empty(2 * _MOST_LEVELS, np.int64)
    joined = False
    for place in range(len(order)):
        point, mine = placed[place], own[order[place]]
        stack[0], height = 0, 1
        while height:
            height -= 1
            node = stack[height]
            if groups[node] == mine or _squared_gap(point, bounds, node) > most:
                continue
            if not leaves[node]:
                stack[height], stack[height + 1] = 2 * node + 1, 2 * node + 2
                height += 2
                continue
            for other in range(starts[node], ends[node]):
                if own[order[other]] == mine or _find(parent, order[other]) == _find(parent, mine):
                    continue
                if _squared_distance(point, placed[other]) <= most:
                    joined = _join(parent, order[other], mine) or joined
    return joined
