"""From nearest rows to the weighted graph that UMAP lays out."""

import numpy as np
from scipy import sparse

_HALVINGS = 64
_EXACT = 1e-5
#: A bandwidth is at least this share of a row's mean distance.
_NARROWEST = 1e-3


def fuzzy_ties(indices: np.ndarray, distances: np.ndarray) -> sparse.coo_matrix:
    """Tie every row to its nearest ones, the more strongly the nearer, by each row's own measure.

    Parameters
    ----------
    indices : ndarray of int, shape (n_rows, n_neighbours)
        From `nearest_rows`: a row itself first.
    distances : ndarray of shape (n_rows, n_neighbours)
        Their distances, ascending.

    Returns
    -------
    scipy.sparse.coo_matrix of float32, shape (n_rows, n_rows)
        Symmetric weights, 0 to 1; none on the diagonal.

    Notes
    -----
    A row ties another by exp(-(d - r) / s), where r is the distance of its nearest row that is not
    equal to it, and s is such that its ties sum to log2(n_neighbours). Two ties a and b of one pair
    become a + b - a b. UMAP's own function does the same, and compiles for six seconds first.

    References
    ----------
    McInnes, Healy and Melville (2018), UMAP, sections 3.1 and 4.1, algorithms 2 and 3.
    """
    distances = np.asarray(distances, dtype=np.float32).astype(float)
    unequal = np.where(distances > 0, distances, np.inf).min(axis=1)
    nearest = np.where(np.isfinite(unequal), unequal, 0.0)
    beyond = np.maximum(distances - nearest[:, None], 0.0)
    width = _bandwidths(beyond[:, 1:], np.log2(distances.shape[1]))
    mean = np.where(nearest > 0, distances.mean(axis=1), distances.mean())
    width = np.maximum(width, _NARROWEST * mean)
    # Where all distances are zero, so is the width, and every tie is whole.
    ties = np.exp(-beyond / np.where(width > 0, width, 1.0)[:, None])
    ties[indices == np.arange(len(indices))[:, None]] = 0.0
    starts = np.arange(0, indices.size + 1, indices.shape[1])
    shape = (len(indices), len(indices))
    one_way = sparse.csr_matrix((ties.astype(np.float32).ravel(), indices.ravel(), starts), shape)
    other_way = one_way.T.tocsr()
    both = (one_way + other_way - one_way.multiply(other_way)).tocoo()
    both.eliminate_zeros()
    return both


def _bandwidths(beyond: np.ndarray, target: float) -> np.ndarray:
    """Find, for every row, the s at which the sum of exp(-beyond / s) is the target."""
    low, high = np.zeros(len(beyond)), np.full(len(beyond), np.inf)
    width = np.ones(len(beyond))
    open_rows = np.arange(len(beyond))
    for _ in range(_HALVINGS):
        total = np.exp(-beyond[open_rows] / width[open_rows, None]).sum(axis=1)
        too_wide = total > target
        rest = np.abs(total - target) >= _EXACT
        high[open_rows[rest & too_wide]] = width[open_rows[rest & too_wide]]
        low[open_rows[rest & ~too_wide]] = width[open_rows[rest & ~too_wide]]
        open_rows = open_rows[rest]
        bounded = np.isfinite(high[open_rows])
        doubled = 2 * width[open_rows]
        middle = (low[open_rows] + np.where(bounded, high[open_rows], 0.0)) / 2
        width[open_rows] = np.where(bounded, middle, doubled)
    return width
