"""Random bipartite graphs with the degrees of a given one."""

import numpy as np
from scipy import sparse, stats


def swap_edges(
    incidence: sparse.sparray, *, n_rounds: int = 20, rng: np.random.Generator
) -> sparse.csr_array:
    """Shuffle the edges of a bipartite graph; every degree stays, no pair is joined twice.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        Zeros and ones.
    n_rounds : int
        In each round every edge is paired with another one, and half of the pairs exchange their
        items where they can.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    csr_array of shape (n_people, n_items)
        Another graph of the same degrees.

    Raises
    ------
    ValueError
        If a value is neither 0 nor 1.

    Notes
    -----
    A round deals all edges into random pairs. A pair is exchanged where the four edges that it
    would remove and add belong to it alone, and are neither there already nor touched by another
    pair. This condition reads the same from the other side of the exchange, so the chain is
    symmetric and its limit gives all graphs with these degrees the same chance.

    References
    ----------
    Gionis et al. (2007), Assessing data mining results via swap randomization.
    """
    person, item, n_items = simple_edges(incidence)
    item = shuffled_ends(person, item, n_items, n_rounds=n_rounds, rng=rng)
    ones = np.ones(len(item), dtype=incidence.dtype)
    return sparse.coo_array((ones, (person, item)), shape=incidence.shape).tocsr()


def simple_edges(incidence: sparse.sparray) -> tuple[np.ndarray, np.ndarray, int]:
    """List the edges of an incidence of zeros and ones.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        Zeros and ones.

    Returns
    -------
    person, item : ndarray of int, shape (n_edges,)
        Both ends of every edge.
    n_items : int
        Number of items.

    Raises
    ------
    ValueError
        If a value is neither 0 nor 1.
    """
    matrix = sparse.csr_array(incidence)
    if matrix.nnz and (set(np.unique(matrix.data)) - {0, 1}):
        raise ValueError(
            "edges can be swapped where a pair has one or none; this incidence holds counts: take "
            "their ends anew (`random_tables`), or pass incidence > 0"
        )
    person, item = matrix.nonzero()
    return person.astype(np.int64), item.astype(np.int64), matrix.shape[1]


def shuffled_ends(
    person: np.ndarray, item: np.ndarray, n_items: int, *, n_rounds: int, rng: np.random.Generator
) -> np.ndarray:
    """Shuffle the item ends of edges as `swap_edges` does.

    Parameters
    ----------
    person, item : ndarray of int, shape (n_edges,)
        Both ends of every edge, from `simple_edges`.
    n_items : int
        Number of items.
    n_rounds : int
        In each round every edge is offered one swap.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int, shape (n_edges,)
        The new item of each edge.
    """
    for _ in range(n_rounds if len(item) > 1 else 0):
        item = _swap_round(person, item, n_items, rng)
    return item


def _swap_round(
    person: np.ndarray, item: np.ndarray, n_items: int, rng: np.random.Generator
) -> np.ndarray:
    order = rng.permutation(len(item))
    half = len(order) // 2
    first, second, rest = order[:half], order[half : 2 * half], order[2 * half :]
    old = [person[e] * n_items + item[e] for e in (first, second)]
    new = [person[first] * n_items + item[second], person[second] * n_items + item[first]]
    spare = person[rest] * n_items + item[rest]
    # A key that comes once belongs to one pair alone; an edge left without a partner counts too.
    keys = np.concatenate([*old, *new, spare])
    ranked = np.argsort(keys, kind="stable")
    same = keys[ranked][1:] == keys[ranked][:-1]
    shared = np.zeros(len(keys), dtype=bool)
    shared[ranked[1:][same]] = True
    shared[ranked[:-1][same]] = True
    free = ~shared[: 4 * half].reshape(4, half).any(axis=0)
    # Not every exchange that may be made is made, so that no graph is passed in turn only.
    free &= rng.random(half) < 0.5
    swapped = item.copy()
    swapped[first[free]], swapped[second[free]] = item[second[free]], item[first[free]]
    return swapped


def random_tables(observed: np.ndarray, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """Tables of clusters when the item ends of all edges are dealt anew, pairs joined twice or not.

    Parameters
    ----------
    observed : ndarray of shape (n_person_clusters, n_item_clusters)
        Whole numbers of edges.
    n : int
        Number of tables.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int, shape (n, n_person_clusters, n_item_clusters)
        Tables with the margins of the observed one.

    Notes
    -----
    Dealing ends keeps the degree of every person and item, and the table that results depends on
    the margins of the clusters alone: it is hypergeometric, and drawn as such at any number of
    edges.

    References
    ----------
    Patefield (1981), Algorithm AS 159: an efficient method of generating random R x C tables.
    """
    rows, columns = observed.sum(axis=1).astype(int), observed.sum(axis=0).astype(int)
    if min(observed.shape) == 0 or rows.sum() == 0:
        return np.zeros((n, *observed.shape), dtype=int)
    return np.asarray(stats.random_table.rvs(rows, columns, size=n, random_state=rng)).astype(int)
