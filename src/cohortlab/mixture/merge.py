"""From components to clusters: merging by entropy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohortlab.mixture.checks import check_shares, check_weights

# Share of the entropy of guessing. A row that is 95 % sure between two clusters carries 0.29 of it,
# so this is seven such rows in a hundred and the others certain: few enough to speak of clusters.
NEGLIGIBLE = 0.02


@dataclass(frozen=True)
class MergeTree:
    """The order in which components merge into clusters.

    Attributes
    ----------
    steps : DataFrame
        One row a number of clusters, from all components down to one: `n_clusters`, `entropy` of
        the assignments, `doubt`, the entropy as a share of that of guessing among so many
        clusters (0 for one cluster), `drop` from the step before, `weight` of the rows that were
        merged, and `first`, `second`: the components that lead the two clusters merged, -1 in the
        first row.
    labels : ndarray of shape (n_components, n_components)
        Row i gives the cluster of each component when there are n_components - i clusters.
    """

    steps: pd.DataFrame
    labels: np.ndarray

    def clusters(self, n_clusters: int) -> np.ndarray:
        """Give the cluster of each component.

        Parameters
        ----------
        n_clusters : int
            From 1 to the number of components.

        Returns
        -------
        ndarray of shape (n_components,)
            Cluster numbers, from 0.
        """
        n_components = len(self.labels)
        if not 1 <= n_clusters <= n_components:
            raise ValueError(f"n_clusters={n_clusters}; expected 1 to {n_components}.")
        return self.labels[n_components - n_clusters]

    def n_apart(self) -> int:
        """Give the largest number of clusters whose assignments leave negligible doubt.

        Returns
        -------
        int
            All components where they lie apart already, else as many clusters as are left when
            merging has brought `doubt` down to `NEGLIGIBLE`.
        """
        return int(self.steps.loc[self.steps["doubt"] <= NEGLIGIBLE, "n_clusters"].max())


def merge_components(responsibilities: np.ndarray, sample_weight=None) -> MergeTree:
    """Merge the two components whose union lowers the entropy most, again and again.

    Parameters
    ----------
    responsibilities : ndarray of shape (n_samples, n_components)
        From `predict_proba`.
    sample_weight : array-like of shape (n_samples,), optional
        Weights.

    Returns
    -------
    MergeTree
        Entropies and clusters at every number of clusters. A bend in the entropy, where a merge
        lowers it by little, is where clusters lie apart.

    Raises
    ------
    ValueError
        If the responsibilities are no table of shares, or a weight is wrong.

    Notes
    -----
    Entropy is -sum_i w_i sum_k r_ik log r_ik; the shares of merged components add up, so the
    density is unchanged.

    References
    ----------
    Baudry, Raftery, Celeux, Lo and Gottardo (2010), Combining mixture components for clustering,
    Section 3.

    Examples
    --------
    >>> shares = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    >>> merge_components(shares).clusters(2).tolist()
    [0, 0, 1]
    """
    given = np.array(responsibilities, dtype=np.float64)
    if given.ndim != 2 or not given.size:
        raise ValueError(
            f"responsibilities of shape {given.shape}; expected (n_samples, n_components), as "
            "predict_proba gives them."
        )
    shares = check_shares(given).T
    weight = check_weights(sample_weight, given)
    weight = np.ones(len(given)) if weight is None else weight
    members = [[component] for component in range(len(shares))]
    before = float(_entropy(shares, weight).sum())
    rows = [{"n_clusters": len(shares), "entropy": before, "drop": 0.0, "weight": 0.0}]
    rows[0] |= {"first": -1, "second": -1}
    labels = [_label(members)]
    while len(members) > 1:
        first, second = _best_pair(shares, weight)
        merged = float(weight @ (shares[first] + shares[second]))
        names = {"first": members[first][0], "second": members[second][0]}
        shares[first] += shares[second]
        shares = np.delete(shares, second, axis=0)
        members[first] = members[first] + members.pop(second)
        after = float(_entropy(shares, weight).sum())
        rows.append(
            {"n_clusters": len(members), "entropy": after, "drop": before - after}
            | {"weight": merged, **names}
        )
        labels.append(_label(members))
        before = after
    steps = pd.DataFrame(rows)
    most = np.log(steps["n_clusters"].clip(lower=2)) * weight.sum()
    # One cluster has no entropy, and no entropy is below zero, but for rounding.
    doubt = (steps["entropy"] / most).clip(lower=0.0)
    steps.insert(2, "doubt", doubt.where(steps["n_clusters"] > 1, 0.0))
    return MergeTree(steps, np.array(labels))


def explain_merges(tree: MergeTree) -> list[str]:
    """Put a merge tree into sentences: each merge, then how many clusters lie apart.

    Parameters
    ----------
    tree : MergeTree
        From `merge_components`.

    Returns
    -------
    list of str
        One a merge, with the components of both clusters that it joins, and one on what is left.

    Examples
    --------
    >>> shares = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    >>> explain_merges(merge_components(shares))[0]
    'to 2: components 0 and 1, 1 less entropy'
    """
    merges = [
        f"to {step.n_clusters}: components {_members(before, step.first)} and "
        f"{_members(before, step.second)}, {step.drop:,.0f} less entropy"
        for before, step in zip(tree.labels[:-1], tree.steps[1:].itertuples(), strict=True)
    ]
    return [*merges, _what_is_left(tree)]


def _members(labels: np.ndarray, leader: int) -> str:
    """List the components of the cluster that a component leads."""
    return " + ".join(map(str, np.flatnonzero(labels == labels[leader])))


def _what_is_left(tree: MergeTree) -> str:
    doubt = tree.steps.set_index("n_clusters")["doubt"]
    apart, asked = tree.n_apart(), f"at most {NEGLIGIBLE:.0%} is asked of clusters that lie apart"
    if len(doubt) == 1:
        return "There is one component, so nothing to merge."
    if apart > 1:
        return (
            f"{apart} clusters can be told apart, with {doubt[apart]:.1%} of full doubt: {asked}."
        )
    least = doubt.drop(1).idxmin()
    return (
        f"No two groups can be told apart: the least doubt, with {least} clusters, is "
        f"{doubt[least]:.1%} of full doubt, and {asked}."
    )


def _entropy(shares: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Give each component's part of the entropy."""
    safe = np.where(shares > 0, shares, 1.0)
    return -(shares * np.log(safe)) @ weight


def _best_pair(shares: np.ndarray, weight: np.ndarray) -> tuple[int, int]:
    own = _entropy(shares, weight)
    best, largest = (0, 1), -np.inf
    for first in range(len(shares) - 1):
        joint = _entropy(shares[first] + shares[first + 1 :], weight)
        drops = own[first] + own[first + 1 :] - joint
        place = int(drops.argmax())
        if drops[place] > largest:
            best, largest = (first, first + 1 + place), float(drops[place])
    return best


def _label(members: list[list[int]]) -> list[int]:
    """Give each component the number of its cluster, counted by first component."""
    ordered = sorted(members, key=min)
    found = {one: number for number, group in enumerate(ordered) for one in group}
    return [found[one] for one in range(len(found))]
