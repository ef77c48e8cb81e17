"""Clusters that keep their ids and names after a later fit."""

import re
from dataclasses import dataclass
from itertools import chain, count

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from cohortlab.score.bundle import Bundle


@dataclass(frozen=True)
class Kept:
    """Which new cluster is which old one.

    Attributes
    ----------
    ids : dict of int to int
        New number -> id to use.
    names : dict of int to str
        Id -> name to use.
    table : DataFrame
        One row a cluster: `cluster` (its id), `name`, `state` (`kept` or `new`), `by` (shared
        customers or centres) and `likeness` (Jaccard index, or 1 - distance over the distance to
        the next old centre); after them the ids that are gone, with state `gone`.
    next_id : int
        Smallest id that no fit has given so far, for `fit_bundle`.
    past_names : tuple of str
        Names of clusters that are gone, now or since an earlier fit, for `fit_bundle`.
    """

    ids: dict[int, int]
    names: dict[int, str]
    table: pd.DataFrame
    next_id: int
    past_names: tuple[str, ...]


def keep_ids(
    old: Bundle,
    features: pd.DataFrame,
    labels: np.ndarray,
    names: dict[int, str],
    *,
    least: float = 0.3,
) -> Kept:
    """Give clusters of a later fit the ids and names of the old ones that they match.

    Parameters
    ----------
    old : Bundle
        The earlier fit.
    features : pandas.DataFrame
        Of the later fit, first column the id.
    labels : ndarray of int, shape (n_rows,)
        Its clusters.
    names : dict of int to str
        Their own names, which the new ones keep, with another number behind where an old one has
        had it.
    least : float
        Likeness that a match needs, 0 to 1.

    Returns
    -------
    Kept
        Ids, names, and the account. New clusters get ids and names that no fit before has given.

    Notes
    -----
    Likeness is the Jaccard index of the customers whom both fits know. Where they share none, it
    hangs on the centres of the forest's columns, scaled as the old fit scaled them: 1 where they
    coincide, 0 where a new centre is as far as the old centres are from their nearest neighbours.

    References
    ----------
    Kuhn (1955), The Hungarian method for the assignment problem. Hennig (2007), Cluster-wise
    assessment of cluster stability.
    """
    later = pd.Series(np.asarray(labels), index=features.iloc[:, 0].astype(str))
    shared = later.index.intersection(old.members.index)
    old_ids, new_ids = old.clusters["cluster"].to_numpy(), np.unique(labels)
    by = "shared customers" if len(shared) else "centres"
    if len(shared):
        likeness = _jaccard(old.members[shared], later[shared], old_ids, new_ids)
    else:
        likeness = _nearness(old, features, labels)
    pairs = zip(*linear_sum_assignment(likeness, maximize=True), strict=True)
    match = {int(new_ids[j]): (int(old_ids[i]), likeness[i, j]) for i, j in pairs}
    match = {new: pair for new, pair in match.items() if pair[1] >= least}
    old_names = dict(zip(old.clusters["cluster"], old.clusters["name"], strict=True))
    rows, ids, fresh = [], {}, old.next_id
    taken = {*old_names.values(), *old.past_names}
    for new in map(int, new_ids):
        if new in match:
            ids[new], alike = match[new]
            rows.append((ids[new], old_names[ids[new]], "kept", by, alike))
        else:
            ids[new], fresh = fresh, fresh + 1
            name = _free_name(names[new], taken)
            taken.add(name)
            rows.append((ids[new], name, "new", by, np.nan))
    gone = sorted(set(map(int, old_ids)) - set(ids.values()))
    kept_names = {row[0]: row[1] for row in rows}
    rows += [(c, old_names[c], "gone", by, np.nan) for c in gone]
    columns = ["cluster", "name", "state", "by", "likeness"]
    past = tuple(sorted({*old.past_names, *(old_names[c] for c in gone)}))
    return Kept(ids, kept_names, pd.DataFrame(rows, columns=columns), fresh, past)


def _free_name(name: str, taken: set[str]) -> str:
    stem = re.sub(r" \d+$", "", name)
    numbered = (f"{stem} {number}" for number in count(2))
    return next(free for free in chain([name], numbered) if free not in taken)


def _jaccard(old: pd.Series, new: pd.Series, old_ids: np.ndarray, new_ids: np.ndarray):
    both = pd.crosstab(old.to_numpy(), new.to_numpy())
    both = both.reindex(index=old_ids, columns=new_ids, fill_value=0).to_numpy(float)
    union = both.sum(axis=1)[:, None] + both.sum(axis=0)[None, :] - both
    return both / np.maximum(union, 1)


def _nearness(old: Bundle, features: pd.DataFrame, labels: np.ndarray) -> np.ndarray:
    columns = old.scaling.columns_
    before = old.scaling.transform(old.clusters[columns])
    now = old.scaling.transform(features[columns].groupby(np.asarray(labels)).mean())
    apart = cdist(before, before)
    np.fill_diagonal(apart, np.inf)
    # A single old centre has no neighbour: the width of the scaled table stands for it.
    next_centre = np.where(len(before) > 1, apart.min(axis=1), 1.0)
    return np.clip(1 - cdist(before, now) / np.maximum(next_centre, 1e-12)[:, None], 0, 1)
