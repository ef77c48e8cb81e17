"""Whether descriptions of a cluster from different samples say the same."""

from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from cohortlab.interpretation.describing import Descriptions, jaccard

#: Takes texts, gives a matrix with a row each.
Embedder = Callable[[Sequence[str]], np.ndarray]
#: Words, of which a domain is one.
WORD = r"(?u)\w[\w.-]*\w|\w"


def consistency(descriptions: Descriptions, *, embed: Embedder | None = None) -> pd.DataFrame:
    """
    Compare each cluster's descriptions with one another, and with those of other clusters.

    Parameters
    ----------
    descriptions : Descriptions
        By two seeds or more.
    embed : callable, optional
        Turns sentences into vectors whose cosine says how alike they are. The default is TF-IDF of
        words, which needs no model and knows no synonyms.

    Returns
    -------
    pandas.DataFrame
        A row a cluster: `cluster`; `keyword_overlap` and `sentence_similarity`, means over pairs
        of seeds; `keyword_overlap_others` and `sentence_similarity_others`, the same between this
        cluster's descriptions and those of the others by another seed (NaN without others).

    Raises
    ------
    ValueError
        If there is only one seed.

    Notes
    -----
    The overlap is Jaccard's index of keywords in small letters. Similarities are cosines, with
    TF-IDF fitted on the sentences that are compared. Words that all sentences share make all of
    them alike: only what exceeds the columns of the others means anything.
    """
    made = list(descriptions.by_seed.values())
    if len(made) < 2:
        raise ValueError("expected descriptions by two seeds or more, got one; give more seeds")
    flat = [one for of_seed in made for one in of_seed]
    # Axes: seed, cluster, seed, cluster.
    shape = (len(made), len(made[0])) * 2
    keywords = [{word.lower() for word in one.keywords} for one in flat]
    overlap = np.array([[jaccard(a, b) for b in keywords] for a in keywords]).reshape(shape)
    similar = cosines([one.sentence for one in flat], embed=embed).reshape(shape)
    table = pd.DataFrame({"cluster": descriptions.clusters})
    for ending, of in (("", True), ("_others", False)):
        table["keyword_overlap" + ending] = _between_seeds(overlap, same_cluster=of)
        table["sentence_similarity" + ending] = _between_seeds(similar, same_cluster=of)
    return table


def _between_seeds(values: np.ndarray, *, same_cluster: bool) -> np.ndarray:
    """Average over pairs of seeds, by cluster: with itself, or with all others."""
    mean = np.mean([values[a, :, b, :] for a, b in permutations(range(len(values)), 2)], axis=0)
    if same_cluster:
        return np.diag(mean)
    n_others = len(mean) - 1
    return (mean.sum(axis=1) - np.diag(mean)) / n_others if n_others else np.full(1, np.nan)


def cosines(texts: Sequence[str], *, embed: Embedder | None = None) -> np.ndarray:
    """
    Say how alike texts are, each with each.

    Parameters
    ----------
    texts : sequence of str, length n
        Texts.
    embed : callable, optional
        As for `consistency`.

    Returns
    -------
    numpy.ndarray, shape (n, n)
        Cosines; 0 where a text has no word.
    """
    if embed is not None:
        vectors = normalize(np.asarray(embed(texts), dtype=float))
        return vectors @ vectors.T
    vectors = TfidfVectorizer(token_pattern=WORD).fit_transform(texts)
    return (vectors @ vectors.T).toarray()
