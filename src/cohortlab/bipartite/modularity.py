"""Barber's modularity of a bipartite graph."""

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from cohortlab.bipartite.incidence import checked_incidence


def modularity(
    incidence: sparse.sparray, person_labels: np.ndarray, item_labels: np.ndarray
) -> float:
    """Modularity of modules that hold people and items alike.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        How often each person acted on each item; no negative value.
    person_labels : array of shape (n_people,)
        Module of each person.
    item_labels : array of shape (n_items,)
        Module of each item, named as those of the people: an edge is inside where both labels are
        equal. (Clusters of both sides that were found apart are matched first.)

    Returns
    -------
    float
        From -1 to 1, 0 where edges are inside as often as chance would have it; NaN without edges.

    Notes
    -----
    ``sum over modules c of (w_cc / m - d_c k_c / m^2)`` with m the edges, w_cc those inside, and
    d_c, k_c the edges of the module's people and of its items.

    References
    ----------
    Barber (2007), Modularity and community detection in bipartite networks.

    Examples
    --------
    >>> modularity(sparse.eye_array(2), [0, 1], [0, 1])
    0.5
    """
    incidence = checked_incidence(incidence, person_labels, item_labels)
    labels = np.concatenate([np.asarray(person_labels), np.asarray(item_labels)])
    codes = np.unique(labels, return_inverse=True)[1]
    people, items = np.split(codes, [incidence.shape[0]])
    n_modules = int(codes.max(initial=-1)) + 1
    total = float(incidence.sum())
    if total == 0:
        return float("nan")
    rows = np.repeat(people, np.diff(incidence.indptr))
    inside = float(incidence.data[rows == items[incidence.indices]].sum())
    of_people = np.bincount(people, np.asarray(incidence.sum(axis=1)).ravel(), n_modules)
    of_items = np.bincount(items, np.asarray(incidence.sum(axis=0)).ravel(), n_modules)
    return inside / total - float(of_people @ of_items) / total**2


def matched_modularity(observed: np.ndarray) -> float:
    """Modularity of clusters that were found apart, matched so that it is largest.

    Parameters
    ----------
    observed : ndarray of shape (n_person_clusters, n_item_clusters)
        Edges between the clusters of both sides.

    Returns
    -------
    float
        `modularity` where each module is a cluster of people with one cluster of items, or a
        cluster without a partner; from 0, NaN without edges.

    Notes
    -----
    A pair adds its observed less its expected edges, over all edges; the pairs with the largest sum
    are an assignment, and those that would take away from it stay apart.

    References
    ----------
    Barber (2007), Modularity and community detection in bipartite networks. Kuhn (1955),
    The Hungarian method for the assignment problem.

    Examples
    --------
    >>> matched_modularity(np.array([[0, 5], [5, 0]]))
    0.5
    """
    total = float(observed.sum())
    if total == 0:
        return float("nan")
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / total
    gain = np.maximum(observed - expected, 0.0) / total
    return float(gain[linear_sum_assignment(gain, maximize=True)].sum())
