"""How far rows are from the nearest cluster, by mutual reach."""

import numpy as np

from cohortlab.compiled import compiled


def least_reach(
    X: np.ndarray,
    core: np.ndarray,
    members: np.ndarray,
    member_core: np.ndarray,
    limits: np.ndarray,
    *,
    skip_equal: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Find for each row the member of a cluster that it reaches at the smallest part of a limit.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows.
    core : ndarray of shape (n_rows,)
        Distance of each to its `min_samples`-th neighbour.
    members : ndarray of shape (n_members, n_features)
        Members of clusters.
    member_core, limits : ndarray of shape (n_members,)
        The same distance of each, and the limit of its cluster.
    skip_equal : bool, default False
        Pass over members at distance zero: where `X` are the members themselves.

    Returns
    -------
    reach : ndarray of shape (n_rows,)
        The largest of both core distances and the distance, over the limit; the smallest of all
        members. Zero where there is no member to look at.
    which : ndarray of int64, shape (n_rows,)
        That member.
    """
    arrays = (np.ascontiguousarray(a, dtype=float) for a in (X, core, members, member_core, limits))
    return search_members(*arrays, skip_equal)


@compiled()
def search_members(rows, core, members, member_core, limits, skip_equal):
    """Look at every member for every row.

    Parameters
    ----------
    rows, core, members, member_core, limits, skip_equal
        As `X` and the others of `least_reach`; contiguous arrays of floats.

    Returns
    -------
    reach, which : ndarray of shape (n_rows,)
        As of `least_reach`.
    """
    reach, which = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    for row in range(len(rows)):
        least, found = np.inf, 0
        for member in range(len(members)):
            squared = 0.0
            for axis in range(rows.shape[1]):
                squared += (rows[row, axis] - members[member, axis]) ** 2
            if skip_equal and squared == 0.0:
                continue
            own = max(core[row], member_core[member])
            part = max(own, np.sqrt(squared)) / limits[member]
            if part < least:
                least, found = part, member
        if least < np.inf:
            reach[row], which[row] = least, found
    return reach, which
