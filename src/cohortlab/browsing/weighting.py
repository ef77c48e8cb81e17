"""How much each sequence counts among those of its user, by named weightings."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy.sparse as sp

from cohortlab.browsing.representations import word_weights
from cohortlab.browsing.users import attention_to_rare

Rows = np.ndarray | sp.csr_matrix
#: Weighting -> function of sentences and rows; None where all sequences count alike.
WEIGHTINGS: dict[str, Callable[[pd.Series, Rows], np.ndarray | None]] = {
    "none": lambda sentences, rows: None,
    "words": lambda sentences, rows: word_weights(sentences),
    "rare": lambda sentences, rows: attention_to_rare(rows),
}


def sequence_weights(
    sentences: pd.Series, rows: Rows, *, method: str = "none"
) -> np.ndarray | None:
    """
    Weigh sequences for `user_vectors` by a named weighting.

    Parameters
    ----------
    sentences : pandas.Series of str, shape (n_sequences,)
        From `sentences`.
    rows : numpy.ndarray or sparse matrix, shape (n_sequences, n_columns)
        From `represent`, in the same order.
    method : str, default "none"
        A key of `WEIGHTINGS`: "none", "words" (`word_weights`) or "rare" (`attention_to_rare`).

    Returns
    -------
    numpy.ndarray of shape (n_sequences,) or None
        Weights above 0; None where all count alike.

    Raises
    ------
    ValueError
        If the weighting is unknown.
    """
    if method not in WEIGHTINGS:
        raise ValueError(f"unknown weighting {method!r}: choose one of {[*WEIGHTINGS]}")
    return WEIGHTINGS[method](sentences, rows)
