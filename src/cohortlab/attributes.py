"""What is known of people beside their behaviour, held against their clusters."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.stats import false_discovery_control


def worded(attributes: pd.DataFrame) -> list[str]:
    """List the columns whose values are words, such as a kind of household.

    Parameters
    ----------
    attributes : DataFrame
        Attributes of people.

    Returns
    -------
    list of str
        Columns that a profile of means cannot show.
    """
    return [
        name
        for name, values in attributes.items()
        if not types.is_numeric_dtype(values) and not types.is_datetime64_any_dtype(values)
    ]


def attribute_shares(attributes: pd.DataFrame, labels: np.ndarray) -> pd.DataFrame:
    """Compare the shares of each value between clusters.

    Parameters
    ----------
    attributes : DataFrame of shape (n_people, n_attributes)
        Worded columns; a missing value is not known and not counted.
    labels : array of shape (n_people,)
        Cluster of each person.

    Returns
    -------
    DataFrame
        `attribute, value, cluster, n, expected, share, overall, residual`: people of the cluster
        with the value, how many there would be were clusters alike, their share of those whose
        value is known, the share over all clusters, and the adjusted residual: where clusters and
        values are independent, about standard normal, unless few are expected.

    References
    ----------
    Haberman (1973), The analysis of residuals in cross-classified tables, Biometrics 29.

    Examples
    --------
    >>> homes = pd.DataFrame({"home": ["own", "own", "rent", None]})
    >>> attribute_shares(homes, np.array([0, 0, 1, 1]))[["value", "cluster", "share"]].to_numpy()
    array([['own', 0, 1.0],
           ['own', 1, 0.0],
           ['rent', 0, 0.0],
           ['rent', 1, 1.0]], dtype=object)
    """
    columns = ["attribute", "value", "cluster", "n", "expected", "share", "overall", "residual"]
    rows = [row for name, values in attributes.items() for row in _shares(name, values, labels)]
    return pd.DataFrame(rows, columns=columns)


def attribute_tests(
    attributes: pd.DataFrame,
    labels: np.ndarray,
    *,
    n_permutations: int = 999,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Test for each attribute whether clusters differ in it.

    Parameters
    ----------
    attributes : DataFrame of shape (n_people, n_attributes)
        Worded columns; people whose value is missing are left out.
    labels : array of shape (n_people,)
        Cluster of each person.
    n_permutations : int
        Permutations of the labels behind each p-value; from 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    DataFrame
        `attribute, n_known, chi_squared, cramers_v, p, q`: Pearson's statistic, Cramer's V (0: no
        association, 1: one determines the other), the share of permutations that reach the
        statistic, and p corrected over the attributes (Benjamini-Hochberg). An attribute with one
        value, or known in one cluster only, has no test: null.
    """
    rows = []
    for name, values in attributes.items():
        counts, codes, groups = _cross(values, labels)
        n_known, smaller = len(codes), min(counts.shape) - 1
        statistic = v = p = np.nan
        if smaller > 0:
            statistic = _chi_squared(counts)
            v = float(np.sqrt(statistic / (n_known * smaller)))
            drawn = [
                _chi_squared(_table(codes, rng.permutation(groups), counts.shape))
                for _ in range(n_permutations)
            ]
            # Equal tables may differ in the last digit of their sums.
            reached = np.sum(np.array(drawn) >= statistic * (1 - 1e-9))
            p = float(1 + reached) / (1 + n_permutations)
        rows.append((name, n_known, statistic, v, p))
    table = pd.DataFrame(rows, columns=["attribute", "n_known", "chi_squared", "cramers_v", "p"])
    tested = table["p"].notna()
    table["q"] = np.nan
    if tested.any():
        table.loc[tested, "q"] = false_discovery_control(table.loc[tested, "p"])
    return table


def _cross(values: pd.Series, labels: np.ndarray) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Count people by value (rows) and cluster (columns), and give the codes of both."""
    labels, known = np.asarray(labels), values.notna().to_numpy()
    if len(labels) != len(values):
        raise ValueError(f"{len(values)} people but {len(labels)} labels: pass one label per row")
    words = values[known].astype(str)
    names = sorted(words.unique(), key=_natural)
    codes = pd.Index(names).get_indexer(words)
    clusters, groups = np.unique(labels[known], return_inverse=True)
    counts = _table(codes, groups, (len(names), len(clusters)))
    return pd.DataFrame(counts, index=names, columns=clusters), codes, groups


def _natural(word: str) -> tuple:
    """Order words by the first number in them, so that 100 comes after 75; then by letters."""
    number = re.search(r"\d+", word)
    return (float(number[0]) if number else np.inf, word)


def _table(codes: np.ndarray, groups: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.bincount(codes * shape[1] + groups, minlength=shape[0] * shape[1]).reshape(shape)


def _chi_squared(counts: pd.DataFrame | np.ndarray) -> float:
    observed = np.asarray(counts, dtype=float)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    return float(((observed - expected) ** 2 / expected).sum())


def _shares(name: str, values: pd.Series, labels: np.ndarray) -> Iterator[tuple]:
    counts, codes, _ = _cross(values, labels)
    if not len(codes):
        return
    observed = counts.to_numpy(dtype=float)
    in_value, in_cluster = observed.sum(axis=1) / len(codes), observed.sum(axis=0) / len(codes)
    expected = np.outer(in_value, in_cluster) * len(codes)
    spread = np.sqrt(expected * np.outer(1 - in_value, 1 - in_cluster))
    residual = np.divide(observed - expected, spread, np.zeros_like(spread), where=spread > 0)
    for i, value in enumerate(counts.index):
        for j, cluster in enumerate(counts.columns):
            share = observed[i, j] / (in_cluster[j] * len(codes))
            counted = int(observed[i, j]), expected[i, j]
            yield name, value, cluster, *counted, share, in_value[i], residual[i, j]
