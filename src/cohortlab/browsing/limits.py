"""Users made harder to tell, to see when their types can no longer be found."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score

from cohortlab.browsing.choice import NothingAllowedError, choose
from cohortlab.browsing.users import user_vectors


def exchange_sequences(people: Sequence, share: float, *, rng: np.random.Generator) -> np.ndarray:
    """
    Let users trade a share of their sequences, so that their types become weaker.

    Parameters
    ----------
    people : sequence, shape (n_sequences,)
        Whose sequence each row is.
    share : float
        Share of all sequences that are dealt out anew, 0 (none) to 1 (all: users are alike).
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    numpy.ndarray, shape (n_sequences,)
        Whose sequence each row is now; everybody has as many as before.

    Raises
    ------
    ValueError
        If the share is none.

    Examples
    --------
    >>> exchange_sequences(["a", "b"], 0.0, rng=np.random.default_rng(1)).tolist()
    ['a', 'b']
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, but is {share!r}")
    traded = np.array(people)
    rows = rng.permutation(len(traded))[: round(share * len(traded))]
    traded[rows] = traded[rng.permutation(rows)]
    return traded


def keep_sequences(people: Sequence, n: int, *, rng: np.random.Generator) -> np.ndarray:
    """
    Choose sequences so that no user has more than a number of them.

    Parameters
    ----------
    people : sequence, shape (n_sequences,)
        Whose sequence each row is.
    n : int
        Most sequences of a user, from 1.
    rng : numpy.random.Generator
        Draws them.

    Returns
    -------
    numpy.ndarray of int
        The rows that are kept, ascending.

    Raises
    ------
    ValueError
        If `n` is below 1.

    Examples
    --------
    >>> len(keep_sequences(["a", "a", "a", "b"], 2, rng=np.random.default_rng(1)))
    3
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, but is {n!r}")
    order = rng.permutation(len(people))
    turn = pd.Series(np.asarray(people)[order]).groupby(np.asarray(people)[order]).cumcount()
    return np.sort(order[turn.to_numpy() < n])


def types_found(
    people: Sequence,
    matrix: np.ndarray | sp.csr_matrix,
    types: pd.Series,
    *,
    statistics: Sequence[str] = ("mean",),
    **options,
) -> dict[str, Any]:
    """
    Choose a clustering of users, and score it against their planted types.

    Parameters
    ----------
    people : sequence, shape (n_sequences,)
        Whose sequence each row is.
    matrix : numpy.ndarray or sparse matrix, shape (n_sequences, n_columns)
        From `represent`.
    types : pandas.Series
        Planted type of each user, indexed by user.
    statistics : sequence of str
        As for `user_vectors`.
    **options
        Arguments of `choose`.

    Returns
    -------
    dict
        `n_clusters`, `n_apart`, `silhouette`, `separated` (as of `Choice`) and
        `adjusted_rand_index`, users set apart counting as one cluster. Where no clustering is
        allowed nothing is found: all users are one cluster, the index is 0 and there is no
        silhouette.
    """
    users, vectors = user_vectors(people, matrix, statistics=statistics)
    try:
        chosen = choose(vectors, **options)
    except NothingAllowedError:
        return dict.fromkeys(("n_clusters", "n_apart"), 0) | {
            "silhouette": np.nan,
            "separated": False,
            "adjusted_rand_index": 0.0,
        }
    index = adjusted_rand_score(types.loc[users], chosen.labels)
    return {
        "n_clusters": chosen.n_clusters,
        "n_apart": chosen.n_apart,
        "silhouette": chosen.silhouette,
        "separated": chosen.separated,
        "adjusted_rand_index": index,
    }
