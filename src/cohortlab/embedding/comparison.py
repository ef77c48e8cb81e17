"""Routes held against each other: agreement, stability, and one leaderboard."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from cohortlab.embedding.routes import Recipe, take_routes

#: From a sample of the features and a seed to clusters.
Refit = Callable[[pd.DataFrame, int], np.ndarray]


def agreement(labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Compare every pair of clusterings by the adjusted Rand index.

    Parameters
    ----------
    labels : mapping of str to array of shape (n_rows,)
        Clusters of the same rows, by route.

    Returns
    -------
    pandas.DataFrame of shape (n_routes, n_routes)
        0 by chance, 1 for the same partition.

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions.

    Examples
    --------
    >>> agreement({"a": [0, 0, 1, 1], "b": [1, 1, 0, 0]}).loc["a", "b"]
    np.float64(1.0)
    """
    names = list(labels)
    table = [[adjusted_rand_score(labels[a], labels[b]) for b in names] for a in names]
    return pd.DataFrame(table, index=names, columns=names)


def stability(
    table: pd.DataFrame,
    labels: Mapping[str, np.ndarray],
    recipe: Recipe,
    *,
    n_rows: int,
    n_replicates: int,
    n_init: int,
    rng: np.random.Generator,
    refits: Mapping[str, Refit] | None = None,
) -> pd.DataFrame:
    """Refit every route on the same bootstrap samples, to see whether the same rows stay together.

    Parameters
    ----------
    table : pandas.DataFrame
        Features.
    labels : mapping of str to array of shape (n_rows,)
        What each route found on all rows; every key of `cohortlab.embedding.ROUTES` or `refits`.
    recipe : Recipe
        The choices on all rows.
    n_rows : int
        Rows of a sample, drawn with replacement; at most those of the table.
    n_replicates : int
        Samples, from 2.
    n_init : int
        Starts of k-means in each.
    rng : numpy.random.Generator
        Draws samples and seeds.
    refits : mapping of str to callable, optional
        Further routes: from a sample and a seed to clusters.

    Returns
    -------
    pandas.DataFrame
        By route `stability`, the mean adjusted Rand index of the samples' clusters with `labels`,
        each drawn row once, and its `standard error` over the samples.

    References
    ----------
    Hennig (2007), Cluster-wise assessment of cluster stability.
    """
    n_rows = min(n_rows, len(table))
    part = recipe.for_part(n_rows / len(table), n_init=n_init)
    scores = []
    for _ in range(n_replicates):
        drawn = rng.integers(len(table), size=n_rows)
        sample = table.iloc[drawn].reset_index(drop=True)
        seed = int(rng.integers(2**31))
        found = {route: f.labels for route, f in take_routes(sample, part, seed=seed).items()}
        found |= {route: refit(sample, seed) for route, refit in (refits or {}).items()}
        rows, once = np.unique(drawn, return_index=True)
        scores.append(
            {
                r: adjusted_rand_score(np.asarray(own)[rows], found[r][once])
                for r, own in labels.items()
            }
        )
    scores = pd.DataFrame(scores)
    return pd.DataFrame(
        {"stability": scores.mean(), "standard error": scores.std() / np.sqrt(n_replicates)}
    )


def leaderboard(measures: pd.DataFrame, *, min_size: int) -> pd.DataFrame:
    """Rank routes by stability, and say which are out of the question and why.

    Parameters
    ----------
    measures : pandas.DataFrame
        One row a route: `clusters`, `smallest`, `stability`, and what else is to be shown.
    min_size : int
        A cluster of fewer rows is no group but an exception.

    Returns
    -------
    pandas.DataFrame
        With `rank`, accepted routes first, and `verdict`: `accepted`, or the reason why not.
        Rejected routes have no rank.

    Notes
    -----
    Silhouettes are taken in different spaces, so they cannot rank routes; stability can, because
    every route is refitted on the same number of rows and compared with itself.
    """

    def verdict(row: pd.Series) -> str:
        if row["clusters"] < 2:
            return "rejected: a single cluster"
        if row["smallest"] < min_size:
            return f"rejected: a cluster of {row['smallest']:.0f}, fewer than {min_size}"
        return "accepted"

    table = measures.assign(verdict=measures.apply(verdict, axis=1))
    table["accepted"] = table["verdict"] == "accepted"
    table = table.sort_values(
        ["accepted", "stability"], ascending=False, na_position="last", kind="stable"
    )
    position = np.arange(1, len(table) + 1)
    table.insert(0, "rank", pd.array(position, "Int64"))
    table.loc[~table["accepted"] | table["stability"].isna(), "rank"] = pd.NA
    return table.drop(columns="accepted")
