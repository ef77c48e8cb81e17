"""Descriptions of clusters, made several times from several samples."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cohortlab.interpretation.sampling import KEYS, draw_sample

SEEDS = (42, 99, 1337)


@dataclass(frozen=True)
class Description:
    """What is said of a cluster.

    Attributes
    ----------
    cluster : hashable
        The cluster, as the labels name it.
    keywords : tuple of str
        Three keywords, the most telling first; fewer where a describer finds no more.
    sentence : str
        One sentence.
    """

    cluster: Hashable
    keywords: tuple[str, ...]
    sentence: str

    @property
    def text(self) -> str:
        """Keywords and sentence in one."""
        return ". ".join(filter(None, (", ".join(self.keywords), self.sentence)))


#: Takes a sample as `draw_sample` gives it, gives a description of each of its clusters, in order.
Describer = Callable[[pd.DataFrame], list[Description]]


@dataclass(frozen=True)
class Descriptions:
    """Descriptions of all clusters by several samples.

    Attributes
    ----------
    by_seed : mapping of int to list of Description
        For each seed every cluster's description, clusters always in the same order.
    overlap : float
        How far two samples are the same: the mean over pairs of the share of their sequences that
        both have (Jaccard). Near 1, agreement between seeds says nothing. NaN for one seed.
    """

    by_seed: Mapping[int, list[Description]]
    overlap: float

    @property
    def clusters(self) -> list[Hashable]:
        """The clusters, in order."""
        return [one.cluster for one in next(iter(self.by_seed.values()))]

    def table(self) -> pd.DataFrame:
        """Lay the descriptions out as a table.

        Returns
        -------
        pandas.DataFrame
            One row a cluster and seed, by cluster: `cluster`, `seed`, `keywords` (one text),
            `sentence`.
        """
        rows = [
            (one.cluster, seed, ", ".join(one.keywords), one.sentence)
            for seed, descriptions in self.by_seed.items()
            for one in descriptions
        ]
        table = pd.DataFrame(rows, columns=["cluster", "seed", "keywords", "sentence"])
        return table.sort_values("cluster", kind="stable", ignore_index=True)


def describe_clusters(
    describe: Describer,
    sentences: pd.Series,
    labels: pd.Series,
    *,
    budget: int = 4000,
    seeds: Sequence[int] = SEEDS,
) -> Descriptions:
    """
    Describe every cluster once for each seed.

    Parameters
    ----------
    describe : callable
        From a sample, as `draw_sample` gives it, to a list of `Description`:
        `cohortlab.interpretation.KeywordDescriber` or `LlmDescriber`.
    sentences : pandas.Series of str
        Indexed by person and sequence.
    labels : pandas.Series
        Cluster of each person who may be shown; none of those held out.
    budget : int, default 4000
        Tokens of each sample.
    seeds : sequence of int, default (42, 99, 1337)
        A sample each, all different.

    Returns
    -------
    Descriptions
        By seed.

    Raises
    ------
    ValueError
        If a seed is given twice, or `draw_sample` cannot draw.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"expected different seeds, at least one, got {list(seeds)}")
    samples = {s: draw_sample(sentences, labels, budget=budget, seed=s) for s in seeds}
    drawn = [set(sample[KEYS].itertuples(index=False, name=None)) for sample in samples.values()]
    return Descriptions({s: describe(sample) for s, sample in samples.items()}, _overlap(drawn))


def _overlap(sets: Sequence[set]) -> float:
    return pd.Series([jaccard(a, b) for i, a in enumerate(sets) for b in sets[:i]]).mean()


def jaccard(one: set, other: set) -> float:
    """
    Give the share of the elements of two sets that both have.

    Parameters
    ----------
    one, other : set
        Any sets.

    Returns
    -------
    float
        From 0 to 1; 1 for two empty sets, which are equal.

    References
    ----------
    Jaccard (1912), The distribution of the flora in the alpine zone.

    Examples
    --------
    >>> jaccard({"news", "morning"}, {"news", "evening"})
    0.3333333333333333
    """
    return len(one & other) / len(one | other) if one | other else 1.0
