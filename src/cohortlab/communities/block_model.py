"""A degree-corrected block model of people and items, and its number of blocks."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.special import gammaln

from cohortlab.communities.starts import spectral_labels, spectral_vectors

_MOST_STEPS = 60


@dataclass(frozen=True)
class BlockModel:
    """Blocks of people and items.

    Attributes
    ----------
    person_labels, item_labels : ndarray of int
        Block of each person and item, from 0, every number in use.
    icl : float
        From `integrated_likelihood`.
    n_starts : int
        Starts that it is the best of.
    """

    person_labels: np.ndarray
    item_labels: np.ndarray
    icl: float
    n_starts: int = 1

    @property
    def sizes(self) -> tuple[int, int]:
        """Number of blocks of people and of items."""
        return int(self.person_labels.max()) + 1, int(self.item_labels.max()) + 1


def integrated_likelihood(table: np.ndarray, n_people: np.ndarray, n_items: np.ndarray) -> float:
    """Integrated complete-data log-likelihood (ICL) of blocks, less that of a single block.

    Parameters
    ----------
    table : ndarray of shape (n_person_blocks, n_item_blocks)
        Edges between the blocks.
    n_people, n_items : ndarray of int
        People and items of each block.

    Returns
    -------
    float
        In nats. Above 0 where the blocks say more about the edges than they cost; 0 for one block
        of people and one of items.

    Notes
    -----
    Every person and item keeps its number of edges. Given the table O with margins d and k, all
    ways to join the ends within it are alike, which gives the edges the probability
    ``prod O_rs! / (prod d_r! prod k_s!)`` against ``1 / T!`` for a single block. The table is one
    of the N(d, k) with these margins, alike too (N by Good's approximation), and the labels of n
    things in g blocks cost ``log C(n - 1, g - 1) + log(n! / prod n_r!)``. Because all of it is a
    probability, edges without blocks get a value above t with a chance of e^-t at most (up to the
    approximation of N), however many labels were tried.

    References
    ----------
    Biernacki, Celeux and Govaert (2000), Assessing a mixture model for clustering with the
    integrated completed likelihood. Peixoto (2017), Nonparametric Bayesian inference of the
    microcanonical stochastic block model. Good (1976), On the application of symmetric Dirichlet
    distributions and their mixtures to contingency tables.

    Examples
    --------
    >>> import numpy as np
    >>> integrated_likelihood(np.array([[9]]), np.array([3]), np.array([4]))
    0.0
    """
    return float(_likelihoods(table, n_people, n_items))


def _likelihoods(table: np.ndarray, n_people: np.ndarray, n_items: np.ndarray) -> np.ndarray:
    """Return the likelihood of every table of a stack, whose last two axes are the blocks."""
    rows, columns, total = table.sum(axis=-1), table.sum(axis=-2), table.sum(axis=(-2, -1))
    edges = gammaln(table + 1).sum(axis=(-2, -1)) + gammaln(total + 1)
    edges -= gammaln(rows + 1).sum(axis=-1) + gammaln(columns + 1).sum(axis=-1)
    g, m = table.shape[-2:]
    tables = _log_choose(rows + m - 1, m - 1).sum(axis=-1)
    tables += _log_choose(columns + g - 1, g - 1).sum(axis=-1)
    tables -= _log_choose(total + g * m - 1, g * m - 1)
    return edges - np.maximum(tables, 0.0) - _label_cost(n_people) - _label_cost(n_items)


def _log_choose(n: np.ndarray, k: int) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _label_cost(sizes: np.ndarray) -> np.ndarray:
    n = sizes.sum(axis=-1)
    arrangements = gammaln(n + 1) - gammaln(sizes + 1).sum(axis=-1)
    return arrangements + _log_choose(n - 1, sizes.shape[-1] - 1)


def fit_block_model(
    incidence: sparse.sparray,
    n_person_blocks: int,
    n_item_blocks: int,
    *,
    n_init: int = 5,
    random_state: int = 0,
) -> BlockModel:
    """Fit a block model of a given size.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        Whole numbers of edges, at least one for every person and item.
    n_person_blocks, n_item_blocks : int
        Blocks of both sides; fewer may come out where a block loses all its members.
    n_init : int
        Starts, of which the best by `integrated_likelihood` is kept.
    random_state : int
        Seed.

    Returns
    -------
    BlockModel
        The best fit.

    Notes
    -----
    w_ij is Poisson with mean d_i k_j lambda_rs for a person of block r and an item of block s.
    Given the items' blocks, a person's edges to them are multinomial with the shares of the
    person's own block, so people are put where these make their edges most likely, then items
    likewise, in turn. This raises the mutual information of the blocks, as co-clustering by
    information theory does.

    References
    ----------
    Karrer and Newman (2011), Stochastic blockmodels and community structure in networks. Dhillon,
    Mallela and Modha (2003), Information-theoretic co-clustering.
    """
    matrix = sparse.csr_array(incidence, dtype=float)
    vectors = spectral_vectors(matrix, max(n_person_blocks, n_item_blocks), random_state)
    fits = []
    for start in range(n_init):
        people, items = spectral_labels(
            vectors, n_person_blocks, n_item_blocks, random_state=random_state + start
        )
        fits.append(_alternate(matrix, people, items, weigh_sizes=False))
    return replace(max(fits, key=lambda fit: fit.icl), n_starts=n_init)


def choose_block_model(
    incidence: sparse.sparray,
    *,
    max_blocks: int = 8,
    n_init: int = 2,
    random_state: int = 0,
) -> BlockModel:
    """Fit block models of many sizes and keep the one of the largest ICL, a single block included.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        Whole numbers of edges, at least one for every person and item.
    max_blocks : int
        Most blocks of either side that a start has.
    n_init : int
        Starts for every number of blocks.
    random_state : int
        Seed.

    Returns
    -------
    BlockModel
        The best by `integrated_likelihood`.

    Notes
    -----
    A person who repeats own purchases joins the same ends again and again; the model has no word
    for that but more blocks. Pass `incidence > 0` where people return to what they know.

    Every start has as many blocks of people as of items. Blocks of either side are then merged,
    best pair first, as long as the ICL rises, so both numbers are found apart from each other.
    """
    matrix = sparse.csr_array(incidence, dtype=float)
    single = BlockModel(*(np.zeros(n, dtype=int) for n in matrix.shape), icl=0.0)
    most = min(max_blocks, *matrix.shape)
    fits = [single]
    vectors = spectral_vectors(matrix, most, random_state) if most > 1 else None
    for n_blocks in range(2, most + 1):
        for start in range(n_init):
            labels = spectral_labels(vectors, n_blocks, n_blocks, random_state=random_state + start)
            merged = _merge(matrix, _alternate(matrix, *labels, weigh_sizes=True))
            fits.append(_merge(matrix, _better(matrix, merged)))
    return replace(max(fits, key=lambda fit: fit.icl), n_starts=len(fits) - 1)


def _better(matrix: sparse.csr_array, model: BlockModel) -> BlockModel:
    again = _alternate(matrix, model.person_labels, model.item_labels, weigh_sizes=True)
    return max(model, again, key=lambda fit: fit.icl)


def _alternate(
    matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray, *, weigh_sizes: bool
) -> BlockModel:
    best = _model(matrix, people, items)
    for _ in range(_MOST_STEPS):
        before = people, items
        people = _reassign(matrix, people, items, weigh_sizes)
        items = _reassign(matrix.T.tocsr(), items, people, weigh_sizes)
        best = max(best, _model(matrix, people, items), key=lambda fit: fit.icl)
        if all(np.array_equal(a, b) for a, b in zip(before, (people, items), strict=True)):
            break
    return best


def _reassign(
    matrix: sparse.csr_array, own: np.ndarray, other: np.ndarray, weigh_sizes: bool
) -> np.ndarray:
    edges = matrix @ _member(other)
    table = _member(own).T @ edges
    # A small count in every cell, so that one odd edge does not forbid a block.
    smooth = table + 0.1 * table.sum(axis=0) / table.sum()
    log_share = np.log(smooth) - np.log(smooth.sum(axis=1, keepdims=True))
    fit = edges @ log_share.T
    if weigh_sizes:
        fit = fit + np.log(np.bincount(own) / len(own))
    return np.unique(fit.argmax(axis=1), return_inverse=True)[1]


def _member(labels: np.ndarray) -> np.ndarray:
    return np.eye(int(labels.max()) + 1)[labels]


def _model(matrix: sparse.csr_array, people: np.ndarray, items: np.ndarray) -> BlockModel:
    table = _member(people).T @ (matrix @ _member(items))
    icl = integrated_likelihood(table, np.bincount(people), np.bincount(items))
    return BlockModel(people, items, icl)


def _merge(matrix: sparse.csr_array, model: BlockModel) -> BlockModel:
    people, items = model.person_labels, model.item_labels
    table = _member(people).T @ (matrix @ _member(items))
    sizes = np.bincount(people), np.bincount(items)
    icl = model.icl
    while True:
        # Seen from the items' side a table is transposed, and as likely.
        of_people = _best_merge(table, *sizes)
        of_items = _best_merge(table.T, *sizes[::-1])
        best = max(of_people[0], of_items[0])
        if best <= icl:
            return BlockModel(people, items, icl, model.n_starts)
        icl = best
        if of_people[0] == best:
            people = _relabelled(people, of_people[1])
        else:
            items = _relabelled(items, of_items[1])
        table = _member(people).T @ (matrix @ _member(items))
        sizes = np.bincount(people), np.bincount(items)


def _best_merge(
    table: np.ndarray, own: np.ndarray, other: np.ndarray
) -> tuple[float, tuple[int, int]]:
    """Return the largest likelihood after two rows of a table became one, and which two."""
    if len(table) < 2:
        return -np.inf, (0, 0)
    kept, gone = np.triu_indices(len(table), k=1)
    every = np.arange(len(kept))
    tables, sizes = (np.repeat(values[None], len(kept), axis=0) for values in (table, own))
    tables[every, kept] += table[gone]
    sizes[every, kept] += own[gone]
    stays = np.arange(len(table)) != gone[:, None]
    tables = tables[stays].reshape(len(kept), len(table) - 1, -1)
    sizes = sizes[stays].reshape(len(kept), -1)
    values = _likelihoods(tables, sizes, other)
    best = int(values.argmax())
    return float(values[best]), (int(kept[best]), int(gone[best]))


def _relabelled(labels: np.ndarray, pair: tuple[int, int]) -> np.ndarray:
    kept, gone = pair
    labels = np.where(labels == gone, kept, labels)
    return labels - (labels > gone)
