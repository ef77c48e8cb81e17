"""Found clusters beside planted types: matching and agreement."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from cohortlab.recovery.agreement import (
    adjusted_mutual_information,
    adjusted_rand_index,
    v_measure,
)


@dataclass(frozen=True)
class Matching:
    """The one matching of planted types to found clusters that every comparison uses.

    Attributes
    ----------
    planted_to_found : dict
        Planted type -> found cluster, one to one; types without a partner are absent.
    confusion : DataFrame of shape (n_types, n_clusters)
        Rows counted by planted type and found cluster, matched clusters on the diagonal first.
    """

    planted_to_found: dict[Any, Any]
    confusion: pd.DataFrame

    @property
    def found_to_planted(self) -> dict[Any, Any]:
        """Found cluster -> planted type."""
        return {found: planted for planted, found in self.planted_to_found.items()}


def match_labels(planted: np.ndarray, found: np.ndarray) -> Matching:
    """Match planted types to found clusters so that most rows agree (Hungarian method).

    Parameters
    ----------
    planted, found : array of shape (n_rows,)
        Labels of the same rows, of any kind; their numbers of values may differ.

    Returns
    -------
    Matching
        Pairs that share at least one row, and the confusion matrix in their order.

    Raises
    ------
    ValueError
        If the lengths differ or there is no row.

    References
    ----------
    Kuhn (1955), The Hungarian method for the assignment problem.

    Examples
    --------
    >>> match_labels(["a", "a", "b"], [1, 1, 0]).planted_to_found
    {'a': 1, 'b': 0}
    """
    planted, found = np.asarray(planted), np.asarray(found)
    if len(planted) != len(found) or not len(planted):
        raise ValueError(
            f"{len(planted)} planted and {len(found)} found labels: join them by id first, and "
            "keep at least one row"
        )
    types, clusters, counts = _contingency(planted, found)
    rows, columns = linear_sum_assignment(counts, maximize=True)
    pairs = [(r, c) for r, c in zip(rows, columns, strict=True) if counts[r, c] > 0]
    row_order = _partners_first([r for r, _ in pairs], len(types))
    column_order = _partners_first([c for _, c in pairs], len(clusters))
    confusion = pd.DataFrame(
        counts[row_order][:, column_order],
        index=pd.Index(types[row_order], name="planted"),
        columns=pd.Index(clusters[column_order], name="found"),
    )
    return Matching({_plain(types[r]): _plain(clusters[c]) for r, c in pairs}, confusion)


def label_recovery(
    planted: np.ndarray, found: np.ndarray, matching: Matching | None = None
) -> dict[str, Any]:
    """Agreement of found clusters with planted types: the scores of `label_scores`, and by type.

    Parameters
    ----------
    planted, found : array of shape (n_rows,)
        Labels of the same rows.
    matching : Matching, optional
        The matching, where it was made already.

    Returns
    -------
    dict
        `n_rows, n_planted, n_found`, what `label_scores` returns, `accuracy` (share of rows in
        their type's matched cluster), `recall` (per planted type; 0 where a type has no cluster)
        and `precision` (per planted type, of its matched cluster; None without one).

    """
    matching = match_labels(planted, found) if matching is None else matching
    table = matching.confusion
    hits = {t: int(table.loc[t, c]) for t, c in matching.planted_to_found.items()}
    by_type, by_cluster = table.sum(axis=1), table.sum(axis=0)
    return {
        "n_rows": int(by_type.sum()),
        "n_planted": len(by_type),
        "n_found": len(by_cluster),
        **label_scores(planted, found, matching),
        "accuracy": sum(hits.values()) / int(by_type.sum()),
        "recall": {str(t): hits.get(_plain(t), 0) / int(n) for t, n in sorted(by_type.items())},
        "precision": {
            str(t): hits[_plain(t)] / int(by_cluster[matching.planted_to_found[_plain(t)]])
            if _plain(t) in hits
            else None
            for t in sorted(by_type.index)
        },
    }


def label_scores(
    planted: np.ndarray, found: np.ndarray, matching: Matching | None = None
) -> dict[str, float]:
    """Score found clusters against planted types, whatever the clusters are called.

    Parameters
    ----------
    planted, found : array of shape (n_rows,)
        Labels of the same rows.
    matching : Matching, optional
        The matching, where it was made already.

    Returns
    -------
    dict
        `adjusted_rand_index` and `adjusted_mutual_information` (0 by chance, 1 for the same
        partition), `v_measure` (0 to 1, not corrected for chance) and `hamming_distance` (share of
        rows that are not in their type's matched cluster: 0 is best).

    References
    ----------
    Hubert and Arabie (1985), Comparing partitions. Vinh, Epps and Bailey (2010), Information
    theoretic measures for clusterings comparison. Rosenberg and Hirschberg (2007), V-measure: a
    conditional entropy-based external cluster evaluation measure.

    Examples
    --------
    >>> scores = label_scores(["a", "a", "b", "b"], [1, 1, 0, 1])
    >>> scores["hamming_distance"]
    0.25
    """
    matching = match_labels(planted, found) if matching is None else matching
    table = matching.confusion
    hits = sum(int(table.loc[t, c]) for t, c in matching.planted_to_found.items())
    counts = table.to_numpy()
    n_rows = int(counts.sum())
    return {
        "adjusted_rand_index": adjusted_rand_index(counts),
        "adjusted_mutual_information": adjusted_mutual_information(counts),
        "v_measure": v_measure(counts),
        "hamming_distance": (n_rows - hits) / n_rows,
    }


def _contingency(
    planted: np.ndarray, found: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    types, rows = np.unique(planted, return_inverse=True)
    clusters, columns = np.unique(found, return_inverse=True)
    flat = np.bincount(rows * len(clusters) + columns, minlength=len(types) * len(clusters))
    return types, clusters, flat.reshape(len(types), len(clusters))


def _partners_first(matched: list[int], n: int) -> list[int]:
    taken = set(matched)
    return [int(i) for i in matched] + [i for i in range(n) if i not in taken]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
