"""Whether descriptions tell apart the sequences of people whom no describer saw."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import pandas as pd

#: Up to so many clusters all permutations are taken: 8! = 40,320.
MAX_EXACT = 8


@dataclass(frozen=True)
class Identifiability:
    """
    How well descriptions are recognised, and how well without any meaning.

    Attributes
    ----------
    table : pandas.DataFrame, shape (n_clusters, n_clusters)
        Share of a cluster's sequences (rows) given to each description (columns); rows sum to 1.
    accuracy : float
        Mean of the diagonal: the share given to the right description, clusters counting alike.
    chance : float
        The mean accuracy over all permutations of the descriptions, 1 / n_clusters.
    p_descriptions : float
        Share of the permutations of the descriptions that are at least as accurate.
    n_permutations : int
        How many permutations that is; with all of them, no p is below 1 / n_permutations.
    exact : bool
        Whether these are all there are.
    p_people : float
        Share of the shuffles of people between clusters that are at least as accurate.
    n_shuffles : int
        How many shuffles that is, the data among them.
    """

    table: pd.DataFrame
    accuracy: float
    chance: float
    p_descriptions: float
    n_permutations: int
    exact: bool
    p_people: float
    n_shuffles: int


def identifiability(
    assigned: pd.DataFrame | Sequence[pd.DataFrame],
    held_out: pd.DataFrame,
    *,
    n_shuffles: int = 999,
    seed: int,
) -> Identifiability:
    """
    Test whether held-out sequences find the description of their cluster.

    Parameters
    ----------
    assigned : pandas.DataFrame of shape (n_sequences, n_clusters), or a sequence of them
        From `assign_by_similarity` or a model: to which descriptions each sequence went, rows
        summing to 1, columns the clusters. Several, one for each seed, are averaged.
    held_out : pandas.DataFrame
        The sequences, from `draw_sample` of people held out: `person_id` and `cluster`.
    n_shuffles : int, default 999
        Random permutations where there are too many for all, and shuffles of people.
    seed : int
        Seed of these.

    Returns
    -------
    Identifiability
        Accuracy, its null and the table behind it.

    Raises
    ------
    ValueError
        If rows or columns do not belong to the sequences and clusters.

    Notes
    -----
    A person's sequences are averaged, then a cluster's people. Descriptions are permuted among the
    clusters, those of all seeds alike: if they say nothing about whom they describe, each order is
    as likely as the one at hand. With k clusters there are k! orders, so that two or three
    clusters can never give a p below 1/2 or 1/6. Shuffling people between clusters resolves finer:
    it asks whether the clusters' people differ in anything that the descriptions speak of.

    References
    ----------
    Phipson and Smyth (2010), Permutation p-values should never be zero.
    """
    tables = [assigned] if isinstance(assigned, pd.DataFrame) else list(assigned)
    clusters = sorted(held_out["cluster"].unique())
    for table in tables:
        _check(table, held_out, clusters)
    mean = np.mean([table[clusters].to_numpy(float) for table in tables], axis=0)
    people = pd.DataFrame(mean).groupby(held_out["person_id"].to_numpy()).mean()
    code = held_out["cluster"].map({c: i for i, c in enumerate(clusters)}).to_numpy()
    codes = pd.Series(code).groupby(held_out["person_id"].to_numpy()).first().to_numpy()
    shares, rng = people.to_numpy(), np.random.default_rng(seed)
    found = _by_cluster(shares, codes)
    orders, exact = _orders(len(clusters), n_shuffles, rng)
    by_order = found[np.arange(len(clusters)), orders].mean(axis=1)
    by_shuffle = [
        np.trace(_by_cluster(shares, rng.permutation(codes))) / len(clusters)
        for _ in range(n_shuffles)
    ]
    accuracy = np.trace(found) / len(clusters)
    return Identifiability(
        table=pd.DataFrame(found, index=clusters, columns=clusters),
        accuracy=float(accuracy),
        chance=1 / len(clusters),
        p_descriptions=_as_good(by_order, accuracy),
        n_permutations=len(orders),
        exact=exact,
        p_people=_as_good([accuracy, *by_shuffle], accuracy),
        n_shuffles=n_shuffles + 1,
    )


def _check(table: pd.DataFrame, held_out: pd.DataFrame, clusters: list[Hashable]) -> None:
    if len(table) != len(held_out):
        raise ValueError(
            f"expected a row for each of {len(held_out)} held-out sequences, got {len(table)}"
        )
    if sorted(table.columns) != clusters:
        raise ValueError(
            f"expected a description of each of the clusters {', '.join(map(str, clusters))}, got "
            f"{', '.join(map(str, table.columns))}"
        )
    if not np.allclose(table.sum(axis=1), 1):
        raise ValueError("the shares of a sequence must sum to 1; give each to a description")


def _by_cluster(shares: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Average people's shares by cluster, shape (n_clusters, n_clusters)."""
    sums = np.zeros((shares.shape[1], shares.shape[1]))
    np.add.at(sums, codes, shares)
    return sums / np.bincount(codes, minlength=len(sums))[:, None]


def _orders(n: int, n_random: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """List all orders of the descriptions, or the one at hand and random ones."""
    if n <= MAX_EXACT:
        return np.array(list(permutations(range(n)))), True
    drawn = [rng.permutation(n) for _ in range(n_random)]
    return np.array([np.arange(n), *drawn]), False


def _as_good(values: Sequence[float], accuracy: float) -> float:
    # Equal accuracies differ by the rounding of their sums.
    return float(np.mean(np.asarray(values) >= accuracy - 1e-12))
