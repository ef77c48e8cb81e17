"""Two incidences out of one: to find clusters on the first and test them on the second."""

import numpy as np
from scipy import sparse


def split_edges(
    incidence: sparse.sparray, *, share: float = 0.5, rng: np.random.Generator
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Deal every edge to one of two incidences at random.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        Whole numbers of edges.
    share : float
        Chance of the first, between 0 and 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    tuple of csr_array, each of shape (n_people, n_items)
        Two incidences that add up to the one given.

    Raises
    ------
    ValueError
        If a count is not whole or the share out of range.

    Notes
    -----
    Clusters that were found on edges fit the chance in these edges, so a test on the same edges
    finds relations where there are none. Where counts are Poisson both parts are independent, and
    a test on the second is honest about clusters found on the first.

    References
    ----------
    Neufeld et al. (2024), Inference after latent variable estimation for single-cell RNA
    sequencing data (count splitting).
    """
    matrix = sparse.csr_array(incidence)
    if not 0 < share < 1:
        raise ValueError(f"share is {share!r}: give a number between 0 and 1")
    if not np.all(matrix.data == np.round(matrix.data)) or matrix.data.min(initial=0) < 0:
        raise ValueError("edges are dealt one by one: the incidence must hold whole numbers from 0")
    counts = rng.binomial(matrix.data.astype(np.int64), share)
    first, second = matrix.copy(), matrix.copy()
    first.data, second.data = counts, matrix.data.astype(np.int64) - counts
    first.eliminate_zeros()
    second.eliminate_zeros()
    return first, second
