"""Which features set a cluster apart, whatever their units and tails."""

import numpy as np
import pandas as pd
from scipy.stats import rankdata


def exceedance(features: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:
    """Probability that a member of a cluster exceeds a non-member, by feature.

    Parameters
    ----------
    features : pandas.DataFrame of shape (n_rows, n_features)
        In any unit; only order counts.
    labels : array of shape (n_rows,)
        Clusters, at least two.

    Returns
    -------
    pandas.DataFrame of shape (n_clusters, n_features)
        0.5 where the cluster is like the others, 1 where every member exceeds every non-member;
        ties count half.

    Raises
    ------
    ValueError
        If there is only one cluster.

    Notes
    -----
    With midranks, n members whose ranks sum to R, and m others: (R - n (n + 1) / 2) / (n m), which
    is the area under the curve of the feature as a classifier of the cluster.

    References
    ----------
    Mann and Whitney (1947), On a test of whether one of two random variables is stochastically
    larger than the other. Hanley and McNeil (1982), The meaning and use of the area under a
    receiver operating characteristic (ROC) curve.

    Examples
    --------
    >>> exceedance(pd.DataFrame({"x": [1, 2, 3, 4]}), [0, 0, 1, 1])["x"].tolist()
    [0.0, 1.0]
    """
    labels = np.asarray(labels)
    clusters, sizes = np.unique(labels, return_counts=True)
    if len(clusters) < 2:
        raise ValueError("only one cluster: there are no others to compare its members with")
    ranks = pd.DataFrame(rankdata(features, axis=0), columns=features.columns)
    sums = ranks.groupby(labels).sum()
    size = pd.Series(sizes, index=clusters)
    least = size * (size + 1) / 2
    return sums.sub(least, axis=0).div(size * (len(labels) - size), axis=0).rename_axis("cluster")


def driver_words(table: pd.DataFrame, *, strong: float = 0.75, most: int = 3) -> dict[int, str]:
    """Say which features drive each cluster, the strongest first.

    Parameters
    ----------
    table : pandas.DataFrame
        From `exceedance`.
    strong : float
        A feature counts from this probability on, or up to one minus it; 0.5 to 1.
    most : int
        At most so many are named.

    Returns
    -------
    dict of int to str
        By cluster.

    Examples
    --------
    >>> driver_words(pd.DataFrame({"money": [0.9, 0.5], "returns": [0.5, 0.4]}))
    {0: 'high money (0.90)', 1: 'nothing stands out'}
    """
    words = {}
    for cluster, row in table.iterrows():
        by_strength = row.loc[(row - 0.5).abs().sort_values(ascending=False, kind="stable").index]
        found = [
            f"{'high' if value > 0.5 else 'low'} {name} ({value:.2f})"
            for name, value in by_strength.items()
            if abs(value - 0.5) >= strong - 0.5
        ]
        words[cluster] = ", ".join(found[:most]) or "nothing stands out"
    return words
