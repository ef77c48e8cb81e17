"""Which description fits a sequence best, by a similarity that needs no model."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from cohortlab.browsing import represent
from cohortlab.interpretation.consistency import Embedder
from cohortlab.interpretation.describing import Description
from cohortlab.interpretation.sampling import KEYS
from cohortlab.interpretation.terms import find_terms

#: What `embedder` knows: representations that were made of other texts, and so compare any two.
EMBEDDERS = ("sentence_transformer", "endpoint")


def embedder(likeness: str) -> Embedder | None:
    """
    Give what turns texts into vectors, by name.

    Parameters
    ----------
    likeness : {'terms', 'sentence_transformer', 'endpoint'}
        `terms` compares what is counted in texts; the others are representations of
        `cohortlab.browsing`, with their own defaults.

    Returns
    -------
    callable or None
        Takes texts, gives a matrix with a row each; None for `terms`, which needs no model.

    Raises
    ------
    ValueError
        If the name is another one.
    """
    if likeness == "terms":
        return None
    if likeness not in EMBEDDERS:
        raise ValueError(f"likeness is {likeness!r}: choose terms, {' or '.join(EMBEDDERS)}")
    return lambda texts: represent(pd.Series(list(texts), dtype="str"), method=likeness)


def assign_by_terms(
    held_out: pd.DataFrame,
    descriptions: Sequence[Description],
    *,
    terms: pd.DataFrame,
    shown: pd.Index,
) -> pd.DataFrame:
    """
    Give each sequence to the description whose terms are most like its own.

    Parameters
    ----------
    held_out : pandas.DataFrame
        From `draw_sample` of people held out.
    descriptions : sequence of Description
        One a cluster.
    terms : pandas.DataFrame
        From `sequence_terms`, of all sequences.
    shown : pandas.Index
        The people who were not held out; they alone give vocabulary and frequencies.

    Returns
    -------
    pandas.DataFrame, shape (n_sequences, n_clusters)
        1 where a sequence goes, columns the clusters; divided equally where descriptions tie, so
        that a sequence without any term of theirs counts as chance.

    Raises
    ------
    ValueError
        If a person is both held out and shown.

    Notes
    -----
    Kind by kind (domains, categories, times, habits), sequences are vectors of the weights of their
    terms, descriptions of the terms that they use (`find_terms`), once each. Both are multiplied by
    the inverse document frequency of the terms in the sequences of people shown, never fitted on
    what is to be assigned, and compared by their cosine; the sum of the kinds' cosines decides, so
    that a sequence's three or four times and habits do not drown its many domains. Terms that
    nobody shown has are unknown.
    """
    both = set(held_out["person_id"]) & set(shown)
    if both:
        raise ValueError(f"person {min(both)} is both held out and shown; see hold_out")
    known = terms[terms["person_id"].isin(shown)]
    vocabulary = known["term"].unique()
    used = [_terms_of(one, vocabulary) for one in descriptions]
    similarity = sum(
        _cosines(held_out, terms[terms["kind"] == kind], known[known["kind"] == kind], used)
        for kind in known["kind"].unique()
    )
    return _nearest(similarity, descriptions)


def _cosines(
    held_out: pd.DataFrame, terms: pd.DataFrame, known: pd.DataFrame, used: Sequence[set[str]]
) -> np.ndarray:
    """Compare sequences and descriptions by terms of one kind, shape (n_sequences, n_clusters)."""
    vocabulary = pd.Index(sorted(known["term"].unique()))
    weighing = TfidfTransformer().fit(_matrix(known, known[KEYS].drop_duplicates(), vocabulary))
    written = sparse.csr_array([vocabulary.isin(found).astype(float) for found in used])
    sequences = weighing.transform(_matrix(terms, held_out, vocabulary))
    return (sequences @ weighing.transform(written).T).toarray()


def _matrix(terms: pd.DataFrame, sequences: pd.DataFrame, vocabulary: pd.Index) -> sparse.csr_array:
    """Lay the weights of known terms out, shape (n_sequences, n_terms)."""
    row = pd.MultiIndex.from_frame(sequences[KEYS]).get_indexer(
        pd.MultiIndex.from_frame(terms[KEYS])
    )
    column = vocabulary.get_indexer(terms["term"])
    use = (row >= 0) & (column >= 0)
    entries = (terms["weight"].to_numpy()[use], (row[use], column[use]))
    return sparse.csr_array(entries, shape=(len(sequences), len(vocabulary)))


def _terms_of(description: Description, vocabulary: Sequence[str]) -> set[str]:
    exact = set(description.keywords) & set(vocabulary)
    return exact | find_terms(description.text, vocabulary)


def assign_by_embedding(
    held_out: pd.DataFrame, descriptions: Sequence[Description], *, embed: Embedder
) -> pd.DataFrame:
    """
    Give each sequence to the description whose text is most like its sentence.

    Parameters
    ----------
    held_out, descriptions
        As for `assign_by_terms`.
    embed : callable
        Turns texts into vectors that compare by their cosine; fitted on other texts.

    Returns
    -------
    pandas.DataFrame, shape (n_sequences, n_clusters)
        As of `assign_by_terms`.
    """
    sentences = normalize(np.asarray(embed(held_out["sentence"].tolist()), dtype=float))
    texts = normalize(np.asarray(embed([one.text for one in descriptions]), dtype=float))
    return _nearest(sentences @ texts.T, descriptions)


def _nearest(similarity: np.ndarray, descriptions: Sequence[Description]) -> pd.DataFrame:
    best = similarity >= similarity.max(axis=1, keepdims=True) - 1e-12
    shares = best / best.sum(axis=1, keepdims=True)
    return pd.DataFrame(shares, columns=[one.cluster for one in descriptions])
