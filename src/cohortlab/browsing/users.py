"""Users as rows of numbers: what their sequences are like on the whole."""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

Block = Callable[[np.ndarray, np.ndarray | None], np.ndarray]


def _mean(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    return np.average(rows, axis=0, weights=weights)


def _sd(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    return np.sqrt(_mean((rows - _mean(rows, weights)) ** 2, weights))


def _quantile(share: float) -> Block:
    def of(rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
        if weights is None:
            return np.quantile(rows, share, axis=0)
        # The only definition that takes weights: the least value that reaches the share.
        return np.quantile(rows, share, axis=0, weights=weights, method="inverted_cdf")

    return of


#: What is told of each column of a user's sequences.
STATISTICS: dict[str, Block] = {
    "mean": _mean,
    "sd": _sd,
    "median": _quantile(0.5),
    "lower_quartile": _quantile(0.25),
    "upper_quartile": _quantile(0.75),
}


def user_vectors(
    people: Sequence,
    matrix: np.ndarray | sp.csr_matrix,
    *,
    statistics: Sequence[str] = ("mean",),
    weights: np.ndarray | None = None,
    normalise: bool = True,
) -> tuple[np.ndarray, np.ndarray | sp.csr_matrix]:
    """
    Describe each user by statistics of the user's sequences.

    Parameters
    ----------
    people : sequence, shape (n_sequences,)
        Whose sequence each row is.
    matrix : numpy.ndarray or sparse matrix, shape (n_sequences, n_columns)
        From `represent`.
    statistics : sequence of str, default ("mean",)
        Keys of `STATISTICS`; their columns stand side by side, those of the first one first.
    weights : numpy.ndarray, shape (n_sequences,), optional
        How much each sequence counts among those of its user, above 0: `word_weights` or
        `attention_to_rare`. None: all alike.
    normalise : bool, default True
        Whether each user's columns of one statistic get length 1, so that a distance compares what
        users do and not how varied it is. Rows of zeros stay.

    Returns
    -------
    people : numpy.ndarray, shape (n_users,)
        The users, sorted.
    vectors : numpy.ndarray or scipy.sparse.csr_matrix, shape (n_users, n_statistics * n_columns)
        A row a user; sparse where the matrix is.

    Raises
    ------
    ValueError
        If a statistic is unknown, there is no sequence, or the numbers of rows differ.

    Notes
    -----
    Standard deviations are over the number of sequences; quartiles lie between sequences, or where
    there are weights, on the first that reaches the share of the weight. Of a sparse matrix only
    the columns that a user has are looked at; in all others every statistic is 0.

    Examples
    --------
    >>> _, vectors = user_vectors(["b", "a", "b"], np.array([[3.0, 4], [0, 2], [3, 4]]))
    >>> vectors.tolist()
    [[0.0, 1.0], [0.6, 0.8]]
    """
    people = np.asarray(people)
    _check(people, matrix, statistics, weights)
    users, code = np.unique(people, return_inverse=True)
    order = np.argsort(code, kind="stable")
    rows_of = np.split(order, np.cumsum(np.bincount(code))[:-1])
    taken = _of_sparse if sp.issparse(matrix) else _of_dense
    matrix = sp.csr_matrix(matrix) if sp.issparse(matrix) else np.asarray(matrix, dtype=float)
    blocks = taken(matrix, rows_of, [STATISTICS[name] for name in statistics], weights)
    if normalise:
        blocks = [normalize(block) for block in blocks]
    stack = sp.hstack if sp.issparse(matrix) else np.hstack
    return users, sp.csr_matrix(stack(blocks)) if sp.issparse(matrix) else stack(blocks)


def _check(
    people: np.ndarray,
    matrix: np.ndarray | sp.csr_matrix,
    statistics: Sequence[str],
    weights: np.ndarray | None,
) -> None:
    unknown = [name for name in statistics if name not in STATISTICS]
    if unknown or not statistics or isinstance(statistics, str):
        raise ValueError(f"statistics: expected some of {[*STATISTICS]}, got {statistics!r}")
    if not len(people):
        raise ValueError("there is no sequence to describe users by; check the cleaning of the log")
    if len(people) != matrix.shape[0]:
        raise ValueError(f"{len(people)} people for {matrix.shape[0]} rows: pass one for each")
    if weights is not None and (np.shape(weights) != people.shape or np.min(weights) <= 0):
        raise ValueError(f"weights: expected {len(people)} numbers above 0, one for each row")


def _of_dense(
    matrix: np.ndarray, rows_of: list[np.ndarray], told: list[Block], weights: np.ndarray | None
) -> list[np.ndarray]:
    own = [None if weights is None else weights[rows] for rows in rows_of]
    return [
        np.array([tell(matrix[rows], w) for rows, w in zip(rows_of, own, strict=True)])
        for tell in told
    ]


def _of_sparse(
    matrix: sp.csr_matrix, rows_of: list[np.ndarray], told: list[Block], weights: np.ndarray | None
) -> list[sp.csr_matrix]:
    columns, values = [], []
    for rows in rows_of:
        part = matrix[rows]
        part.sum_duplicates()
        used, place = np.unique(part.indices, return_inverse=True)
        dense = np.zeros((len(rows), len(used)))
        dense[np.repeat(np.arange(len(rows)), np.diff(part.indptr)), place] = part.data
        own = None if weights is None else weights[rows]
        columns.append(used)
        values.append([tell(dense, own) for tell in told])
    ends = np.cumsum([0, *map(len, columns)])
    shape = (len(rows_of), matrix.shape[1])
    blocks = []
    for number in range(len(told)):
        data = np.concatenate([row[number] for row in values])
        block = sp.csr_matrix((data, np.concatenate(columns), ends), shape=shape)
        block.eliminate_zeros()
        blocks.append(block)
    return blocks


def attention_to_rare(matrix: np.ndarray | sp.csr_matrix, *, sharpness: float = 1.0) -> np.ndarray:
    """
    Weigh sequences by how unlike all others they are, for `user_vectors`.

    Parameters
    ----------
    matrix : numpy.ndarray or sparse matrix, shape (n_sequences, n_columns)
        From `represent`.
    sharpness : float, default 1
        0 weighs all alike; with 1, a sequence that is rarer by a standard deviation weighs 2.7
        times as much.

    Returns
    -------
    numpy.ndarray, shape (n_sequences,)
        exp(sharpness * z), z being the standardised cosine distance of the sequence from the mean
        of all; within a user these are the weights of a softmax.
    """
    rows = normalize(matrix)
    mean = np.asarray(rows.mean(axis=0)).ravel()
    distance = 1 - rows @ mean / max(np.linalg.norm(mean), np.finfo(float).tiny)
    spread = distance.std()
    return np.exp(sharpness * (distance - distance.mean()) / (spread if spread > 0 else 1))


def principal_plane(vectors: np.ndarray | sp.csr_matrix) -> np.ndarray:
    """
    Place users in the plane in which they spread most, to draw them.

    Parameters
    ----------
    vectors : numpy.ndarray or sparse matrix, shape (n_users, n_columns)
        From `user_vectors`; three users and three columns at least.

    Returns
    -------
    numpy.ndarray, shape (n_users, 2)
        The first two principal components; a sparse matrix stays sparse on the way.
    """
    return PCA(2, svd_solver="arpack", random_state=0).fit_transform(vectors)
