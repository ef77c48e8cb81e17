"""Profiles of clusters: their order, their tables, their names, and which of them to choose.

Cluster numbers that a method gives are arbitrary. Everything here hangs on what the clusters
hold, so giving the same clusters other numbers changes nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
import pandas as pd


def order_clusters(
    features: pd.DataFrame, labels: np.ndarray, *, by: str | Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Renumber clusters 0 .. n_clusters - 1 by ascending mean of features.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_features)
        Unscaled features.
    labels : array of shape (n_rows,)
        Cluster of each row, by any ids.
    by : str or sequence of str
        Columns to order by; later ones break ties, then the remaining numeric columns do, then
        the first row of the cluster.

    Returns
    -------
    labels : ndarray of int, shape (n_rows,)
        The new numbers.
    old_ids : ndarray of shape (n_clusters,)
        `old_ids[new]` is the id that the cluster had.

    Notes
    -----
    Means are exactly rounded sums, so neither the old ids nor the order of rows moves a tie.

    Examples
    --------
    >>> import pandas as pd
    >>> visits = pd.DataFrame({"visits": [9, 1, 9]})
    >>> order_clusters(visits, ["a", "b", "a"], by="visits")[0].tolist()
    [1, 0, 1]
    """
    by = [by] if isinstance(by, str) else list(by)
    _require_columns(features, by)
    _require_one_label_a_row(features, labels)
    by += [name for name in _numeric(features).columns if name not in by]
    old_ids, first, groups = np.unique(np.asarray(labels), return_index=True, return_inverse=True)
    members = [np.flatnonzero(groups == c) for c in range(len(old_ids))]
    values = {name: features[name].to_numpy(dtype=float) for name in by}
    keys = [
        (*(fsum(values[name][rows]) / len(rows) for name in by), start)
        for rows, start in zip(members, first, strict=True)
    ]
    order = sorted(range(len(old_ids)), key=keys.__getitem__)
    return np.argsort(order)[groups], old_ids[order]


def profile_table(features: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:
    """One row a cluster: size, share, and mean, median and z-score of every feature.

    Parameters
    ----------
    features : DataFrame of shape (n_rows, n_features)
        Unscaled features, and any attributes to show beside them. Numeric and true/false columns
        are used, others (dates, texts) are not.
    labels : array of shape (n_rows,)
        Cluster of each row.

    Returns
    -------
    DataFrame
        Columns `cluster, size, share`, then for each feature `<feature>_mean`,
        `<feature>_median` and `<feature>_z`: the cluster's mean less the overall mean, in overall
        standard deviations (0 where the feature is constant). Ordered by cluster.
    """
    _require_one_label_a_row(features, labels)
    values = _numeric(features)
    groups = values.groupby(np.asarray(labels), sort=True)
    sizes = groups.size()
    means, medians = groups.mean(), groups.median()
    spread = values.std(ddof=0).where(values.max() > values.min())
    z = ((means - values.mean()) / spread).fillna(0.0)
    table = {"cluster": sizes.index.to_numpy(), "size": sizes.to_numpy()}
    table["share"] = sizes.to_numpy() / len(values)
    for name in values.columns:
        table[f"{name}_mean"] = means[name].to_numpy()
        table[f"{name}_median"] = medians[name].to_numpy()
        table[f"{name}_z"] = z[name].to_numpy()
    return pd.DataFrame(table)


def z_scores(profile: pd.DataFrame) -> pd.DataFrame:
    """Z-scores of a profile as a matrix for a heat map: clusters down, features across.

    Parameters
    ----------
    profile : pandas.DataFrame
        From `profile_table`: one row a cluster, with a column ``<feature>_z`` for each feature.

    Returns
    -------
    pandas.DataFrame
        Shape (clusters, features), in standard deviations of the feature over all rows.
    """
    columns = [name for name in profile.columns if name.endswith("_z")]
    matrix = profile.set_index("cluster")[columns]
    return matrix.rename(columns={name: name.removesuffix("_z") for name in columns})


def name_clusters(
    profile: pd.DataFrame,
    *,
    features: Sequence[str] | None = None,
    words: Mapping[str, Sequence[str]] | None = None,
    threshold: float = 0.5,
    max_features: int = 2,
) -> dict[int, str]:
    """Name clusters by the features that set them apart most.

    Parameters
    ----------
    profile : DataFrame
        From `profile_table`.
    features : sequence of str, optional
        Features that may appear in a name; all by default.
    words : mapping of feature to (low, high), optional
        What to say for a low and for a high mean: `{"cart_count": ("few carts", "many carts")}`.
        Without it: `low cart count`, `high cart count`.
    threshold : float
        A feature is worth a mention where the mean is this many overall standard deviations
        from the overall mean.
    max_features : int
        At most so many features in a name, unless more are needed to tell two clusters apart.

    Returns
    -------
    dict
        Cluster -> name. All names differ. `typical` is a cluster that nothing sets apart.

    Notes
    -----
    Where two names agree, each takes in its next most distinguishing features (with `rather`
    below the threshold) until they differ; clusters alike in all features get the shortest name
    that no other cluster has, and are numbered by rising means.

    Examples
    --------
    >>> import pandas as pd
    >>> table = profile_table(pd.DataFrame({"visits": [1, 1, 9]}), [0, 0, 1])
    >>> name_clusters(table, words={"visits": ("few visits", "many visits")})
    {0: 'few visits', 1: 'many visits'}
    """
    matrix = z_scores(profile)
    if features is not None:
        _require_columns(matrix, list(features))
        matrix = matrix[list(features)]
    phrases = {
        cluster: _phrases(row, words or {}, threshold, max_features)
        for cluster, row in matrix.iterrows()
    }
    lengths = {cluster: strong for cluster, (_, strong) in phrases.items()}
    for _ in range(matrix.shape[1]):
        for cluster in _clashing(_said(phrases, lengths)):
            lengths[cluster] = min(lengths[cluster] + 1, matrix.shape[1])
    return _numbered(_shortened(phrases, _said(phrases, lengths)), matrix)


def _phrases(
    z: pd.Series, words: Mapping[str, Sequence[str]], threshold: float, max_features: int
) -> tuple[list[str], int]:
    ranked = sorted(z.items(), key=lambda item: -abs(round(item[1], 9)))
    phrases = []
    for feature, value in ranked:
        spoken = str(feature).replace("_", " ")
        low, high = words.get(feature, (f"low {spoken}", f"high {spoken}"))
        degree = "" if abs(value) >= threshold else "rather "
        phrases.append(degree + (high if value > 0 else low))
    strong = sum(abs(value) >= threshold for _, value in ranked)
    return phrases, min(strong, max_features)


def _said(phrases: dict, lengths: dict[int, int]) -> dict[int, list[str]]:
    return {c: texts[: lengths[c]] or ["typical"] for c, (texts, _) in phrases.items()}


def _clashing(said: dict[int, list[str]]) -> list[int]:
    """Find the clusters of which the same is said as of another, in whatever order."""
    counts = Counter(frozenset(texts) for texts in said.values())
    return [cluster for cluster, texts in said.items() if counts[frozenset(texts)] > 1]


def _shortened(phrases: dict, said: dict[int, list[str]]) -> dict[int, list[str]]:
    """Shorten what agrees with all features in it: the further ones told nothing apart."""
    possible = {
        cluster: [texts[:n] or ["typical"] for n in range(strong, len(texts) + 1)]
        for cluster, (texts, strong) in phrases.items()
    }
    shorter = dict(said)
    for cluster in _clashing(said):
        own = frozenset(said[cluster])
        others = {frozenset(t) for c in said if frozenset(said[c]) != own for t in possible[c]}
        shorter[cluster] = next(t for t in possible[cluster] if frozenset(t) not in others)
    return shorter


def _numbered(said: dict[int, list[str]], matrix: pd.DataFrame) -> dict[int, str]:
    """Give numbers by rising means where the same is said, so that nothing hangs on ids."""
    groups: dict[frozenset[str], list[int]] = {}
    for cluster in matrix.sort_values(list(matrix), kind="stable").index:
        groups.setdefault(frozenset(said[cluster]), []).append(cluster)
    names = {}
    for clusters in groups.values():
        name = ", ".join(said[clusters[0]])
        for number, cluster in enumerate(clusters, start=1):
            names[cluster] = f"{name} ({number})" if len(clusters) > 1 else name
    return {cluster: names[cluster] for cluster in said}


@dataclass(frozen=True)
class Selection:
    """Clusters chosen by their profile.

    Attributes
    ----------
    clusters : list
        The chosen clusters, ascending; empty where none qualifies.
    table : DataFrame
        All clusters: `cluster, size, mean, ratio, chosen, reason`.
    explanation : str
        One sentence: the rule and what it chose.
    """

    clusters: list
    table: pd.DataFrame
    explanation: str


def select_clusters(
    attributes: pd.DataFrame,
    labels: np.ndarray,
    *,
    column: str,
    min_ratio: float = 2.0,
    min_size: int = 30,
) -> Selection:
    """Choose the clusters whose mean of a column is well above the overall mean.

    Parameters
    ----------
    attributes : DataFrame of shape (n_rows, ...)
        Holds `column`.
    labels : array of shape (n_rows,)
        Cluster of each row.
    column : str
        A numeric or true/false column, such as `is_buyer` or `gross_revenue`.
    min_ratio : float
        A cluster is chosen where its mean is at least this many times the overall mean.
    min_size : int
        Smaller clusters are never chosen.

    Returns
    -------
    Selection
        The clusters, all figures behind the choice, and a sentence that tells it.
    """
    _require_columns(attributes, [column])
    _require_one_label_a_row(attributes, labels)
    values = attributes[column].astype(float)
    overall = float(values.mean())
    groups = values.groupby(np.asarray(labels), sort=True)
    table = pd.DataFrame({"size": groups.size(), "mean": groups.mean()})
    table = table.rename_axis("cluster").reset_index()
    table["ratio"] = table["mean"] / overall if overall > 0 else np.nan
    enough, large = table["ratio"] >= min_ratio, table["size"] >= min_size
    table["chosen"] = enough & large
    table["reason"] = np.select(
        [table["chosen"], enough], ["chosen", f"fewer than {min_size} rows"], "ratio too low"
    )
    if not overall > 0:
        table["reason"] = "overall mean is not positive"
    chosen = table.loc[table["chosen"], "cluster"].tolist()
    return Selection(chosen, table, _explain(column, overall, min_ratio, min_size, chosen, table))


def _explain(
    column: str,
    overall: float,
    min_ratio: float,
    min_size: int,
    chosen: list,
    table: pd.DataFrame,
) -> str:
    if not overall > 0:
        return f"No cluster chosen: the overall mean of {column} is {overall:.4g}, so no ratio."
    rule = f"mean {column} at least {min_ratio:g} times {overall:.4g}, {min_size} rows or more"
    if not chosen:
        best = table.loc[table["ratio"].idxmax()]
        return (
            f"No cluster chosen ({rule}): the highest ratio is {best['ratio']:.2f}, "
            f"in cluster {best['cluster']} of {best['size']} rows."
        )
    listed = ", ".join(
        f"{c} ({r:.2f} times)"
        for c, r in table.loc[table["chosen"], ["cluster", "ratio"]].itertuples(index=False)
    )
    return f"Chosen ({rule}): {listed}."


def _numeric(features: pd.DataFrame) -> pd.DataFrame:
    return features.select_dtypes(include=["number", "bool", "boolean"]).astype(float)


def _require_columns(table: pd.DataFrame, names: list[str]) -> None:
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise ValueError(f"no column {missing}: the table has {list(table.columns)}")


def _require_one_label_a_row(table: pd.DataFrame, labels: np.ndarray) -> None:
    if len(table) != len(labels):
        raise ValueError(f"{len(table)} rows but {len(labels)} labels: pass one label per row")
