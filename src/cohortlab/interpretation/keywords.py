"""The describer that needs no model: what a cluster does more than the others, in words."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohortlab.interpretation.describing import Description
from cohortlab.interpretation.sampling import KEYS

N_KEYWORDS = 3
NOTHING = "Nothing sets it apart from the others."
#: How many terms of a kind the sentence names, and how, in the order of the sentence.
_SAID = {
    "category": (2, "{} sites"),
    "domain": (3, "{}"),
    "time": (1, "{}"),
    "habit": (1, "{}"),
}
_PHRASES = {
    "night": "at night",
    "morning": "in the morning",
    "afternoon": "in the afternoon",
    "evening": "in the evening",
    "weekend": "on weekends",
    "working hours": "during working hours",
}


@dataclass(frozen=True)
class KeywordDescriber:
    """
    Describe clusters by the terms that they have more of than the others.

    Parameters
    ----------
    terms : pandas.DataFrame
        From `cohortlab.interpretation.sequence_terms`, of all sequences that may be sampled.
    min_people : float, default 0.2
        A term is named where at least this share of a cluster's people in the sample have it, so
        that nobody's favourite stands for a cluster.
    min_lift : float, default 1.2
        And where it weighs at least so many times what it weighs in the mean of the others.

    Notes
    -----
    The same sample gives the same words. See `contrast` for how terms are weighed.
    """

    terms: pd.DataFrame
    min_people: float = 0.2
    min_lift: float = 1.2

    def __call__(self, sample: pd.DataFrame) -> list[Description]:
        """
        Describe each cluster of a sample.

        Parameters
        ----------
        sample
            As every `Describer` takes it.

        Returns
        -------
        list of Description
            As every `Describer` gives it; with fewer than three keywords, or none and a sentence
            that says so, where fewer terms pass.

        Raises
        ------
        ValueError
            If the sample has fewer than two clusters, or a sequence without terms.
        """
        table = contrast(self.terms, sample)
        told = (table["people_share"] >= self.min_people) & (table["score"] > 0)
        told &= table["weight"] >= self.min_lift * table["weight_elsewhere"]
        clusters = sorted(sample["cluster"].unique())
        return [_described(c, table[told & (table["cluster"] == c)]) for c in clusters]


def contrast(terms: pd.DataFrame, sample: pd.DataFrame) -> pd.DataFrame:
    """
    Weigh every term in every cluster of a sample against the other clusters.

    Parameters
    ----------
    terms : pandas.DataFrame
        From `sequence_terms`.
    sample : pandas.DataFrame
        From `draw_sample`.

    Returns
    -------
    pandas.DataFrame
        `cluster`, `kind`, `term`; `weight` (mean over the cluster's people of the mean over their
        sequences), `weight_elsewhere` (mean over the other clusters), `people_share` (of the
        cluster's people who have it) and `score`; by cluster and falling score.

    Raises
    ------
    ValueError
        If the sample has fewer than two clusters, or a sequence without terms.

    Notes
    -----
    Class-based TF-IDF gives a term t in a class c the weight tf(t, c) log(1 + A / f(t)), where f(t)
    is the sum of tf over classes and A the mean of a class's total. The score is this weight less
    its mean over the other classes, so that what is frequent everywhere scores nothing; A is taken
    within a kind of terms, as times and domains are different vocabularies. People count alike,
    however much they browse.

    References
    ----------
    Grootendorst (2022), BERTopic: Neural topic modeling with a class-based TF-IDF procedure,
    arXiv:2203.05794, equation 2.
    """
    weight, people = _weights(terms, sample)
    if weight.shape[1] < 2:
        raise ValueError(f"expected two clusters or more to contrast, got {weight.shape[1]}")
    total = weight.sum(axis=1)
    mean_of_kind = total.groupby("kind").transform("sum") / weight.shape[1]
    elsewhere = weight.rsub(total, axis=0) / (weight.shape[1] - 1)
    score = (weight - elsewhere).mul(np.log1p(mean_of_kind / total), axis=0)
    columns = {
        "weight": weight,
        "weight_elsewhere": elsewhere,
        "people_share": people,
        "score": score,
    }
    table = pd.DataFrame({name: _long(frame) for name, frame in columns.items()})
    # Rounded, so that terms that tie but for the last digit are ordered by name.
    table = table.round({"score": 12}).reset_index()
    order = ["cluster", "score", "kind", "term"]
    table = table.sort_values(order, ascending=[True, False, True, True], ignore_index=True)
    return table[["cluster", "kind", "term", *columns]]


def _long(table: pd.DataFrame) -> pd.Series:
    """Put the columns, one a cluster, below each other."""
    return table.melt(ignore_index=False).set_index("cluster", append=True)["value"]


def _weights(terms: pd.DataFrame, sample: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the weight of terms in clusters, and the share of people who have them."""
    known = terms.merge(sample[[*KEYS, "cluster"]], on=KEYS, validate="many_to_one")
    if known.groupby(KEYS).ngroups < len(sample):
        raise ValueError("a sequence of the sample has no terms; make terms of the same visits")
    n_sequences = sample.groupby("person_id").size()
    n_people = sample.groupby("cluster")["person_id"].nunique()
    known["weight"] /= known["person_id"].map(n_sequences)
    persons = known.groupby(["kind", "term", "cluster", "person_id"])["weight"].sum()
    clusters = persons.groupby(["kind", "term", "cluster"]).agg(["sum", "size"])
    table = clusters.unstack("cluster", fill_value=0)
    return table["sum"] / n_people, table["size"] / n_people


def _described(cluster: Hashable, table: pd.DataFrame) -> Description:
    """Put the terms of one cluster, the best first, into words."""
    parts = []
    for kind, (number, phrase) in _SAID.items():
        terms = table.loc[table["kind"] == kind, "term"].head(number)
        if len(terms):
            parts.append(phrase.format(_listed([_PHRASES.get(t, t) for t in terms])))
    sentence = f"More than the others: {'; '.join(parts)}." if parts else NOTHING
    return Description(cluster, tuple(table["term"].head(N_KEYWORDS)), sentence)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
