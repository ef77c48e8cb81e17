"""Which sequences a describer is shown, and which people it never sees."""

import numpy as np
import pandas as pd

from cohortlab.browsing.sentences import count_tokens

KEYS = ["person_id", "sequence_number"]


def hold_out(labels: pd.Series, *, share: float = 0.3, seed: int) -> pd.Series:
    """
    Choose the people on whom descriptions will be tried.

    Parameters
    ----------
    labels : pandas.Series, shape (n_people,)
        Cluster of each person, indexed by person; people set aside are not in it.
    share : float, default 0.3
        Share of each cluster's people to hold out, between 0 and 1; at least one person is held
        out and one is shown.
    seed : int
        Seed of the choice.

    Returns
    -------
    pandas.Series of bool, shape (n_people,)
        True for people held out, indexed as `labels`.

    Raises
    ------
    ValueError
        If the share is out of range, a person occurs twice, there are fewer than two clusters, or
        a cluster has fewer than two people.

    Notes
    -----
    Whole people are held out. Sequences of people of whom others were shown would be recognised by
    the habits of the person, and then even the descriptions of random clusters seem to fit.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, but is {share!r}")
    if labels.index.has_duplicates:
        twice = labels.index[labels.index.duplicated()][0]
        raise ValueError(f"expected one label a person, but {twice} has several")
    sizes = labels.value_counts()
    if len(sizes) < 2:
        raise ValueError(f"expected two clusters or more to tell apart, got {len(sizes)}")
    if sizes.min() < 2:
        raise ValueError(
            f"cluster {sizes.idxmin()} has one person, who cannot be both shown and held out; "
            "set small clusters aside first"
        )
    ordered = labels.dropna().sort_index()
    order = np.random.default_rng(seed).permutation(len(ordered))
    place = ordered.iloc[order].groupby(ordered.iloc[order]).cumcount()
    size = ordered.map(sizes)
    n_held = (share * size).round().clip(1, size - 1)
    return (place.reindex(ordered.index) < n_held).reindex(labels.index, fill_value=False)


def draw_sample(sentences: pd.Series, labels: pd.Series, *, budget: int, seed: int) -> pd.DataFrame:
    """
    Draw sentences of every cluster until the budget is spent.

    Parameters
    ----------
    sentences : pandas.Series of str, shape (n_sequences,)
        From `cohortlab.browsing.sentences`, indexed by person and sequence.
    labels : pandas.Series
        Cluster of each person, indexed by person. Sentences of other people are left out.
    budget : int
        Tokens of all sentences drawn together, as `cohortlab.browsing.sentences.count_tokens`
        counts them. Clusters have equal parts of it; what a small one leaves goes to the others.
    seed : int
        Seed of the draw.

    Returns
    -------
    pandas.DataFrame
        `person_id`, `sequence_number`, `cluster`, `sentence`, `n_tokens`; ordered by cluster, then
        as drawn: every person of a cluster once before anybody twice.

    Raises
    ------
    ValueError
        If no sentence belongs to one of the clusters, or the budget might leave a cluster without
        a sentence.
    """
    table = _labelled(sentences, labels)
    missing = sorted(set(labels.dropna()) - set(table["cluster"]), key=str)
    if missing:
        raise ValueError(f"no sentence belongs to cluster {missing[0]}; look at the ids of both")
    table = table.assign(n_tokens=table["sentence"].map(count_tokens))
    n_clusters, longest = table["cluster"].nunique(), int(table["n_tokens"].max())
    if budget < n_clusters * longest:
        raise ValueError(
            f"a budget of {budget} tokens is too small for {n_clusters} clusters and sentences of "
            f"up to {longest}; give {n_clusters * longest} at least, or shorten the sentences"
        )
    table = _shuffled(table, np.random.default_rng(seed))
    spent = table.groupby("cluster")["n_tokens"].cumsum()
    parts = _parts(table.groupby("cluster")["n_tokens"].sum(), budget)
    columns = [*KEYS, "cluster", "sentence", "n_tokens"]
    return table.loc[spent <= table["cluster"].map(parts), columns].reset_index(drop=True)


def _labelled(sentences: pd.Series, labels: pd.Series) -> pd.DataFrame:
    table = sentences.rename("sentence").rename_axis(KEYS).sort_index().reset_index()
    # Only those with a label are looked up, so that whole numbers stay whole.
    known = labels.dropna()
    table = table[table["person_id"].isin(known.index)]
    return table.assign(cluster=table["person_id"].map(known))


def _shuffled(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Order each cluster's sentences by chance, but a person's second after all first ones."""
    shuffled = table.iloc[rng.permutation(len(table))]
    turn = shuffled.groupby("person_id").cumcount()
    return (
        shuffled.assign(turn=turn)
        .sort_values(["cluster", "turn"], kind="stable", ignore_index=True)
        .drop(columns="turn")
    )


def _parts(wanted: pd.Series, budget: int) -> pd.Series:
    """Share the budget out equally, what a cluster cannot use among those that can."""
    parts, left, n_left = {}, budget, len(wanted)
    for cluster, tokens in wanted.sort_values(kind="stable").items():
        parts[cluster] = min(tokens, left // n_left)
        left, n_left = left - parts[cluster], n_left - 1
    return pd.Series(parts)
