"""Large tables of relations made small enough to draw, by a rule that the reader is told."""

import pandas as pd


def thin_relations(relations: pd.DataFrame, *, max_clusters: int = 30) -> tuple[pd.DataFrame, str]:
    """Keep the clusters of either side that relate most clearly, if there are too many to draw.

    Parameters
    ----------
    relations : DataFrame
        From `cohortlab.bipartite.relations`.
    max_clusters : int
        At most so many clusters of people, and so many of items.

    Returns
    -------
    thinned : DataFrame
        All pairs of the kept clusters, as they were: nothing is computed anew.
    note : str
        What was left out and by which rule; empty where nothing was.

    Raises
    ------
    ValueError
        If `max_clusters` is not from 1.

    Notes
    -----
    A side with more clusters keeps those whose largest absolute z over all pairs is largest; of
    equals the first. A cluster none of whose pairs has a z comes last.

    Examples
    --------
    >>> z = [1.0, -5.0, 2.0]
    >>> table = pd.DataFrame({"person_cluster": [0, 1, 2], "item_cluster": 0, "z": z})
    >>> thinned, note = thin_relations(table, max_clusters=2)
    >>> thinned["person_cluster"].tolist()
    [1, 2]
    >>> note
    'shown: 2 of 3 clusters of people, those with the largest |z|'
    """
    if max_clusters < 1:
        raise ValueError(f"max_clusters is {max_clusters}: give a whole number from 1")
    kept, left_out = pd.Series(True, index=relations.index), []
    size = relations["z"].abs().fillna(-1.0)
    for side, who in (("person_cluster", "people"), ("item_cluster", "items")):
        largest = size.groupby(relations[side], sort=True).max()
        if len(largest) > max_clusters:
            best = largest.sort_values(ascending=False, kind="stable").index[:max_clusters]
            kept &= relations[side].isin(best)
            left_out.append(f"{max_clusters} of {len(largest):,} clusters of {who}")
    note = f"shown: {' and '.join(left_out)}, those with the largest |z|" if left_out else ""
    return relations[kept].reset_index(drop=True), note
