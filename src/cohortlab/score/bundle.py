"""All that assigning a new customer needs, fitted once: scaling, trees, and who is in a leaf."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from cohortlab.arrays import pack_arrays, unpack_arrays
from cohortlab.embedding.forest import LeafForest
from cohortlab.intervals import check_number
from cohortlab.run.project import to_json
from cohortlab.scaling import Scaling
from cohortlab.score.checks import (
    demand_array,
    demand_different,
    demand_numbers,
    demand_shares,
    demand_text,
    read_inputs,
    read_scaling,
)
from cohortlab.score.kept import Scored, notes_on
from cohortlab.score.votes import leaf_counts, vote, vote_without_self
from cohortlab.segments.rfm import FEATURES as SEGMENTED_BY
from cohortlab.segments.rfm import measures_of_features
from cohortlab.segments.segmentation import Segmentation


@dataclass(frozen=True)
class Bundle(Scored):
    """Fitted clusters with what assigns new customers to them.

    Attributes
    ----------
    study : str
        Study that they were fitted for.
    id_name : str
        Name of the column that says who a row is.
    inputs : DataFrame
        What is asked for: `name`, `lowest` and `highest` value seen while fitting.
    scaling : Scaling
        Of these columns.
    forest : LeafForest
        Fitted trees.
    shares : ndarray of float64, shape (n_leaves, n_clusters)
        Of each leaf's training customers in each cluster.
    clusters : DataFrame
        `cluster` (its id), `name`, `size`, and the mean of every feature, in the order of the
        columns of `shares`.
    members : Series of int
        Cluster of every training customer, by id as text.
    agreement : dict of str to float
        Share of the training customers who are assigned to the cluster they were fitted into:
        `training`, and `left_out`, where a customer's own cluster had no say.
    next_id : int
        Id of the next new cluster: larger than every id that this fit or an earlier one gave.
    segmentation : Segmentation, optional
        Edges of scores, and named segments, of the same study.
    past_names : tuple of str
        Names of clusters of earlier fits that are gone, which no other cluster is to get.
    """

    FORMAT: ClassVar[str] = "cohortlab clusters 1"
    PARTS: ClassVar[tuple[str, ...]] = (
        "scaling.json", "clusters.json", "forest.npz", "members.npz",
    )  # fmt: skip
    MADE_BY: ClassVar[str] = "features step"
    SUMMARY: ClassVar[str] = (
        "%(rows)d customers: %(assigned)d assigned (%(noted)d with a note), %(not_assigned)d not, "
        "because a value is missing"
    )
    NUMBERED: ClassVar[bool] = False

    study: str
    id_name: str
    inputs: pd.DataFrame
    scaling: Scaling
    forest: LeafForest
    shares: np.ndarray
    clusters: pd.DataFrame
    members: pd.Series
    agreement: dict[str, float]
    next_id: int
    segmentation: Segmentation | None = None
    past_names: tuple[str, ...] = ()

    @property
    def optional(self) -> list[str]:
        """Columns that segments need and clusters do not."""
        if self.segmentation is None:
            return []
        return [name for name in SEGMENTED_BY.values() if name not in self.needed]

    def score(self, columns: Mapping[str, np.ndarray]) -> pa.Table:
        """Assign customers; nothing is fitted, and no row hangs on another.

        Parameters
        ----------
        columns : mapping of str to ndarray of float64, shape (n_rows,)
            The inputs, and what is there of the optional ones; NaN where there is no number.

        Returns
        -------
        pyarrow.Table
            `cluster`, `name`, `probability` (mean share of the cluster in the customer's leaves),
            `segment` where the bundle knows segments (missing without all that they need), and
            `note`: inputs that are missing, in which case there is no cluster, or outside of what
            was seen while fitting.
        """
        values = np.column_stack([columns[name] for name in self.needed])
        known = np.isfinite(values).all(axis=1)
        votes = vote(self.forest, self.shares, self.scaling.transform(values[known]))
        best, share = np.zeros(len(known), dtype=int), np.full(len(known), np.nan)
        best[known], share[known] = votes.argmax(axis=1), votes.max(axis=1)
        best = pa.array(best, mask=~known)
        said = {
            "cluster": pa.array(self.clusters["cluster"], pa.int64()).take(best),
            "name": pa.array(self.clusters["name"], pa.string()).take(best),
            "probability": pa.array(share, from_pandas=True),
        }
        if self.segmentation is not None:
            said["segment"] = _segments(self.segmentation, columns, len(known))
        return pa.table(said | {"note": notes_on(self._limits(columns), columns)})

    def _limits(self, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Give the limits of the inputs; what only segments need has none, for edges are ranks."""
        further = [name for name in self.optional if name in columns]
        without = pd.DataFrame({"name": further, "lowest": -np.inf, "highest": np.inf})
        return pd.concat([self.inputs, without]) if further else self.inputs

    def summary(self, totals: Mapping[str, int]) -> str:
        """Tell what has become of a file, by the totals of `score_file`."""
        told = super().summary(totals)
        if self.segmentation is None:
            return told
        if "segmented" in totals:
            return f"{told}; {totals['segmented']} with a segment"
        return f"{told}; no segments, which need the columns {list(SEGMENTED_BY.values())}"

    def parts(self) -> dict[str, bytes]:
        """Give the content of the files that it is stored in."""
        members = {
            "id": self.members.index.to_numpy(dtype=str),
            "cluster": self.members.to_numpy(dtype=np.int64),
        }
        return {
            "scaling.json": to_json(self.scaling.parameters()).encode(),
            "clusters.json": to_json(self.clusters.to_dict("list")).encode(),
            "forest.npz": pack_arrays(self.forest.arrays() | {"shares": self.shares}),
            "members.npz": pack_arrays(members),
        }

    def about(self) -> dict[str, Any]:
        """Tell what else is to stand in the manifest."""
        kept = None if self.segmentation is None else self.segmentation.kept()
        return {
            "agreement": self.agreement,
            "next_id": self.next_id,
            "past_names": list(self.past_names),
            "segmentation": kept,
        }

    @classmethod
    def from_parts(cls, manifest: dict[str, Any], content: dict[str, bytes]) -> "Bundle":
        """Read what `parts` gave, or raise an error where it does not fit."""
        arrays = unpack_arrays(content["forest.npz"])
        shares = arrays.pop("shares")
        members = unpack_arrays(content["members.npz"])
        scaling, forest = read_scaling(json.loads(content["scaling.json"])), LeafForest(**arrays)
        inputs = read_inputs(manifest["inputs"])
        if list(inputs["name"]) != scaling.columns_ or manifest["id"] in scaling.columns_:
            raise ValueError("its parts do not fit each other")
        forest.check(len(scaling.columns_))
        clusters = _read_clusters(json.loads(content["clusters.json"]), scaling.columns_)
        largest = int(clusters["cluster"].max())
        # A bundle of an earlier version tells neither this nor segments.
        next_id = manifest.get("next_id", largest + 1)
        check_number(next_id, where="next_id", low=largest + 1, whole=True)
        agreement = demand_numbers(manifest["agreement"], "agreement", low=0, high=1)
        kept = manifest.get("segmentation")
        past_names = manifest.get("past_names", [])
        for name in past_names:
            demand_text(name, "a past name")
        return cls(
            study=manifest["study"],
            id_name=demand_text(manifest["id"], "the id column"),
            inputs=inputs,
            scaling=scaling,
            forest=forest,
            shares=demand_shares(shares, "shares", shape=(forest.is_leaf.sum(), len(clusters))),
            clusters=clusters,
            members=_read_members(members, manifest["id"], clusters["cluster"]),
            agreement={name: agreement[name] for name in ("training", "left_out")},
            next_id=next_id,
            segmentation=None if kept is None else _read_segmentation(kept),
            past_names=tuple(past_names),
        )


def _read_segmentation(kept: dict[str, Any]) -> Segmentation:
    segmentation = Segmentation.from_kept(kept)
    for name in segmentation.table.names:
        demand_text(name, "the name of a segment")
    return segmentation


def _segments(
    segmentation: Segmentation, columns: Mapping[str, np.ndarray], n_rows: int
) -> pa.Array:
    """Name segments; none where a measure is missing, or its column is."""
    if not set(SEGMENTED_BY.values()) <= set(columns):
        return pa.nulls(n_rows, pa.string())
    rfm = measures_of_features(columns)
    known = np.isfinite(rfm.to_numpy()).all(axis=1)
    found = np.full(n_rows, None, dtype=object)
    found[known] = segmentation.assign(rfm[known])["segment"]
    return pa.array(found, pa.string())


def _read_clusters(told: dict[str, list], columns: list[str]) -> pd.DataFrame:
    clusters = pd.DataFrame(told)
    if not len(clusters):
        raise ValueError("there is no cluster")
    for cluster, name in zip(told["cluster"], told["name"], strict=True):
        check_number(cluster, where="the id of a cluster", low=-(2**53), high=2**53, whole=True)
        demand_text(name, f"the name of cluster {cluster}")
    demand_different(told["cluster"], "ids of clusters")
    for size in told["size"]:
        check_number(size, where="size of a cluster", low=1, whole=True)
    for column in columns:
        for value in told[column]:
            check_number(value, where=f"{column} of a cluster")
    return clusters


def _read_members(members: dict[str, np.ndarray], id_name: str, known: pd.Series) -> pd.Series:
    ids, cluster = members["id"], members["cluster"]
    if ids.dtype.kind != "U" or ids.ndim != 1:
        raise ValueError("ids of members should be texts")
    demand_different(ids, "ids of members")
    demand_array(cluster, "clusters of members", shape=ids.shape, dtype=np.int64)
    if not np.isin(cluster, known).all():
        raise ValueError("a member belongs to no cluster that is there")
    return pd.Series(cluster, index=pd.Index(ids, name=id_name), name="cluster")


def fit_bundle(
    features: pd.DataFrame,
    labels: np.ndarray,
    names: dict[int, str],
    *,
    study: str,
    scaling: Scaling,
    forest: LeafForest,
    next_id: int = 0,
    segmentation: Segmentation | None = None,
    past_names: Iterable[str] = (),
) -> Bundle:
    """Keep what assigns new customers to clusters, however those were found.

    Parameters
    ----------
    features : pandas.DataFrame
        First column the id, then numbers; the forest's columns among them.
    labels : ndarray of int, shape (n_rows,)
        Ids of the clusters.
    names : dict of int to str
        Names by id.
    study : str
        What the clusters belong to.
    scaling : Scaling
        Of the forest's columns.
    forest : LeafForest
        Fitted on the scaled columns.
    next_id : int, default 0
        Smallest id that no earlier fit gave, from `keep_ids`; ids of this fit count by themselves.
    segmentation : Segmentation, optional
        Named segments of the same study, to be kept beside the clusters.
    past_names : iterable of str
        Names of clusters that are gone, from `keep_ids`.

    Returns
    -------
    Bundle
        With its agreement measured.

    Notes
    -----
    A customer votes by the leaves that they share with those whose clusters are known: the mean,
    over the trees, of each cluster's share in the customer's leaf. That needs no plane.
    """
    id_name = features.columns[0]
    labels = np.asarray(labels)
    ids, positions = np.unique(labels, return_inverse=True)
    leaves = forest.apply(scaling.transform(features))
    counts = leaf_counts(forest, leaves, positions, len(ids))
    shares = counts / counts.sum(axis=1, keepdims=True)
    own = vote(forest, shares, scaling.transform(features)).argmax(axis=1)
    blind = vote_without_self(counts, forest.leaf_number[leaves], positions).argmax(axis=1)
    seen = features[scaling.columns_]
    inputs = pd.DataFrame({"name": scaling.columns_})
    inputs["lowest"], inputs["highest"] = seen.min().to_numpy(float), seen.max().to_numpy(float)
    clusters = pd.DataFrame({"cluster": ids, "name": [names[c] for c in ids]})
    clusters["size"] = np.bincount(positions)
    centres = features.drop(columns=id_name).groupby(labels).mean().reset_index(drop=True)
    return Bundle(
        study=study,
        id_name=id_name,
        inputs=inputs,
        scaling=scaling,
        forest=forest,
        shares=shares,
        clusters=clusters.join(centres),
        members=pd.Series(labels, index=features[id_name].astype(str), name="cluster"),
        agreement={
            "training": float((own == positions).mean()),
            "left_out": float((blind == positions).mean()),
        },
        next_id=max(next_id, int(ids.max()) + 1),
        segmentation=segmentation,
        past_names=tuple(past_names),
    )
