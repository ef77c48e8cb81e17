"""Sequences as rows of numbers that distances can be taken of, by named representations."""

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from cohortlab.browsing.endpoint import embed_by_endpoint
from cohortlab.browsing.engineered import FEATURES
from cohortlab.browsing.sentence_models import embed_by_model
from cohortlab.scaling import Scaling
from cohortlab.threads import one_thread

#: The words of a sentence: hour, weekday, domains. How long a visit took is no word.
WORDS = r"(?<![\w.-])\d\d(?=:\d\d, visits:)|[a-z]+day(?= \d\d:)|[^\s()]+(?= \(\d+s\))"


def engineered(features: pd.DataFrame, *, scaling: str = "standard") -> np.ndarray:
    """
    Scale the 51 numbers.

    Parameters
    ----------
    features : pandas.DataFrame
        From `engineered_features`, a row a sequence.
    scaling : str, default "standard"
        A key of `cohortlab.scaling.SCALINGS`.

    Returns
    -------
    numpy.ndarray, shape (n_sequences, 51)
        Scaled columns, in the order of `FEATURES`.
    """
    return Scaling(scaling).fit_transform(features[list(FEATURES)])


def tfidf(sentences: pd.Series, *, min_df: int = 1, sublinear: bool = False) -> sp.csr_matrix:
    """
    Count the words of each sentence, those that few sentences have for more.

    Parameters
    ----------
    sentences : pandas.Series of str, shape (n_sequences,)
        From `sentences`.
    min_df : int, default 1
        Words in fewer sentences are left out.
    sublinear : bool, default False
        Whether a count n stands as 1 + log(n).

    Returns
    -------
    scipy.sparse.csr_matrix, shape (n_sequences, n_words)
        Rows of length 1.

    Raises
    ------
    ValueError
        If `min_df` is below 1, or no word is in so many sentences.

    Notes
    -----
    The words are weekday, hour and domains, a domain being one word; see `WORDS`. The weight of a
    word is its count times log((1 + n) / (1 + d)) + 1, where d of the n sentences have it.

    References
    ----------
    Sparck Jones (1972), A statistical interpretation of term specificity and its application in
    retrieval. scikit-learn's `TfidfVectorizer` computes it.

    Examples
    --------
    >>> told = pd.Series(["Monday 14:15, Visits: a.de (3s) -> b.de (9s) -> a.de (1s)"])
    >>> tfidf(told).toarray().round(2).tolist()
    [[0.38, 0.76, 0.38, 0.38]]
    """
    try:
        return _counter(min_df, sublinear).fit_transform(sentences)
    except ValueError as error:
        raise ValueError(
            f"min_df: expected a number from 1 to that of the sentences which share a word, got "
            f"{min_df!r} for {len(sentences)} sentences"
        ) from error


def _counter(min_df: int, sublinear: bool) -> TfidfVectorizer:
    return TfidfVectorizer(token_pattern=WORDS, min_df=min_df, sublinear_tf=sublinear)


def tfidf_svd(
    sentences: pd.Series,
    *,
    n_components: int = 50,
    random_state: int = 0,
    min_df: int = 1,
    sublinear: bool = False,
) -> np.ndarray:
    """
    Reduce the counts of words to few columns, words that go together sharing one.

    Parameters
    ----------
    sentences, min_df, sublinear
        As for `tfidf`.
    n_components : int, default 50
        Columns, fewer than there are sentences and words.
    random_state : int, default 0
        Seed of the randomised decomposition.

    Returns
    -------
    numpy.ndarray, shape (n_sequences, n_components)
        Places along the first singular vectors.

    Raises
    ------
    ValueError
        If there are too few sentences or words for so many columns.

    References
    ----------
    Deerwester et al. (1990), Indexing by latent semantic analysis. Halko, Martinsson and Tropp
    (2011), Finding structure with randomness, algorithm 4.4.
    """
    counts = tfidf(sentences, min_df=min_df, sublinear=sublinear)
    if n_components >= min(counts.shape):
        raise ValueError(
            f"n_components is {n_components}, but must be below the number of sentences and of "
            f"words, {counts.shape[0]} and {counts.shape[1]}: lower it, or take 'tfidf'"
        )
    with one_thread():
        return TruncatedSVD(n_components, random_state=random_state).fit_transform(counts)


def word_weights(sentences: pd.Series) -> np.ndarray:
    """
    Weigh each sentence by how rare its words are, for `user_vectors`.

    Parameters
    ----------
    sentences : pandas.Series of str, shape (n_sequences,)
        From `sentences`.

    Returns
    -------
    numpy.ndarray, shape (n_sequences,)
        Mean over its words, repeated ones counted each time, of log((1 + n) / (1 + d)) + 1, where
        d of the n sentences have the word.
    """
    counter = _counter(1, False).set_params(norm=None)
    weighted = counter.fit_transform(sentences).sum(axis=1)
    counts = counter.set_params(use_idf=False).fit_transform(sentences).sum(axis=1)
    return np.asarray(weighted / counts).ravel()


#: Representation -> function of the features or of the sentences, and its options.
REPRESENTATIONS = {
    "engineered": engineered,
    "tfidf": tfidf,
    "tfidf_svd": tfidf_svd,
    "sentence_transformer": embed_by_model,
    "endpoint": embed_by_endpoint,
}
#: Those that read the table of `engineered_features`; all others read sentences.
OF_FEATURES = ("engineered",)


def represent(
    source: pd.DataFrame | pd.Series,
    *,
    method: str = "tfidf",
    options: Mapping[str, Any] | None = None,
) -> np.ndarray | sp.csr_matrix:
    """
    Turn sequences into rows of numbers by a named representation.

    Parameters
    ----------
    source : pandas.DataFrame or pandas.Series
        What `engineered_features` gives for `OF_FEATURES`, what `sentences` gives for the others;
        both have one row a sequence, in the same order.
    method : str, default "tfidf"
        A key of `REPRESENTATIONS`.
    options : mapping, optional
        Further arguments of that function.

    Returns
    -------
    numpy.ndarray or scipy.sparse.csr_matrix, shape (n_sequences, n_columns)
        A row a sequence, in the order of the source.

    Raises
    ------
    ValueError
        If the representation or an option is unknown, or the source is that of another one.
    """
    if method not in REPRESENTATIONS:
        raise ValueError(f"unknown representation {method!r}: choose one of {[*REPRESENTATIONS]}")
    function, options = REPRESENTATIONS[method], dict(options or {})
    allowed = [*inspect.signature(function).parameters][1:]
    unknown = [name for name in options if name not in allowed]
    if unknown:
        raise ValueError(f"representation {method!r} has no option {unknown}: it takes {allowed}")
    expected = pd.DataFrame if method in OF_FEATURES else pd.Series
    if not isinstance(source, expected):
        raise ValueError(
            f"representation {method!r} reads a {expected.__name__} (what "
            f"{'engineered_features' if method in OF_FEATURES else 'sentences'} gives), "
            f"but got a {type(source).__name__}"
        )
    return function(source, **options)
