"""How many clusters: elbow, silhouette, Davies-Bouldin and the gap statistic side by side."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from cohortlab.clusters import quality
from cohortlab.threads import one_thread


def _fit(X: np.ndarray, k: int, n_init: int, seed: int) -> KMeans:
    with one_thread():
        return KMeans(k, n_init=n_init, random_state=seed).fit(X)


def number_table(X: np.ndarray, k_values: Sequence[int], *, n_init: int, seed: int) -> pd.DataFrame:
    """Measure k-means for several numbers of clusters.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Places or scaled features.
    k_values : sequence of int
        Numbers of clusters, from 2.
    n_init : int
        Random starts each.
    seed : int
        Of the starts.

    Returns
    -------
    pandas.DataFrame
        `k`, `within` (sum of squares to the nearest centre; look for its elbow), `silhouette`
        (larger is better), `davies_bouldin` (smaller is better) and `smallest` (cluster's rows).
    """
    X = np.asarray(X, dtype=float)
    rows = []
    for k in k_values:
        model = _fit(X, k, n_init, seed)
        found = quality(X, model.labels_, max_rows=2000, random_state=seed)
        smallest = int(np.bincount(model.labels_).min())
        rows.append((k, model.inertia_, found.silhouette, found.davies_bouldin, smallest))
    return pd.DataFrame(rows, columns=["k", "within", "silhouette", "davies_bouldin", "smallest"])


def elbow(table: pd.DataFrame) -> int:
    """Find the number of clusters after which the sum of squares falls least like before.

    Parameters
    ----------
    table : pandas.DataFrame
        From `number_table`.

    Returns
    -------
    int
        The point furthest below the line from the first to the last, both axes from 0 to 1.

    References
    ----------
    Satopaa et al. (2011), Finding a "kneedle" in a haystack.

    Examples
    --------
    >>> elbow(pd.DataFrame({"k": [2, 3, 4, 5], "within": [9.0, 2.0, 1.5, 1.0]}))
    3
    """
    k, within = table["k"].to_numpy(float), table["within"].to_numpy(float)
    across = (k - k[0]) / (k[-1] - k[0])
    down = (within[0] - within) / (within[0] - within[-1])
    return int(k[np.argmax(down - across)])


def gap_statistic(
    X: np.ndarray,
    k_values: Sequence[int],
    *,
    n_references: int,
    n_init: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Compare the sum of squares with what k-means reaches where there are no clusters.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Places or scaled features.
    k_values : sequence of int
        Consecutive numbers of clusters, best from 1.
    n_references : int
        Sets without clusters, uniform over a box along the principal components of the rows;
        from 2.
    n_init : int
        Random starts each.
    rng : numpy.random.Generator
        Draws the references and the starts.

    Returns
    -------
    pandas.DataFrame
        `k`, `gap` (mean logarithm of the references' sum of squares minus that of the rows) and
        `error` (its standard error, simulation included).

    Notes
    -----
    With standard deviation sd over B references, the error is sd sqrt(1 + 1 / B). `choose_gap`
    takes the smallest k whose gap is at least that of k + 1 minus its error.

    References
    ----------
    Tibshirani, Walther and Hastie (2001), Estimating the number of clusters in a data set via the
    gap statistic, sections 3 and 4.
    """
    X = np.asarray(X, dtype=float)
    seed = int(rng.integers(2**31))
    centred = X - X.mean(axis=0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    along = centred @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    references = [rng.uniform(low, high, size=along.shape) for _ in range(n_references)]
    rows = []
    for k in k_values:
        own = np.log(_fit(X, k, n_init, seed).inertia_)
        others = np.log([_fit(R, k, n_init, seed).inertia_ for R in references])
        error = others.std() * np.sqrt(1 + 1 / n_references)
        rows.append((k, others.mean() - own, error))
    return pd.DataFrame(rows, columns=["k", "gap", "error"])


def choose_gap(table: pd.DataFrame) -> int | None:
    """Choose the number of clusters by the rule of one standard error.

    Parameters
    ----------
    table : pandas.DataFrame
        From `gap_statistic`.

    Returns
    -------
    int or None
        None where the gap still grows at the largest number tried.

    Examples
    --------
    >>> choose_gap(pd.DataFrame({"k": [1, 2, 3], "gap": [0.1, 0.8, 0.7], "error": [0.01] * 3}))
    2
    """
    gap, error = table["gap"].to_numpy(), table["error"].to_numpy()
    enough = gap[:-1] >= gap[1:] - error[1:]
    return int(table["k"].iloc[enough.argmax()]) if enough.any() else None
