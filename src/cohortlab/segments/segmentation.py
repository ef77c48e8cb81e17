"""Edges and segments together: what assigns a customer, and all that has to be kept for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cohortlab.intervals import check_number
from cohortlab.segments.rfm import MEASURES
from cohortlab.segments.scores import Scores
from cohortlab.segments.table import SegmentTable, read_segments


@dataclass(frozen=True)
class Segmentation:
    """A fitted segmentation; assigning is transform-only.

    Attributes
    ----------
    scores : Scores
        Edges of the quintiles, fitted once.
    block : mapping
        Segments as score intervals with actions, as `read_segments` takes them.
    cluster_rules : sequence of mapping
        What clusters are called by their mean scores, as `name_centres` takes it.
    """

    scores: Scores
    block: Mapping[str, Mapping]
    cluster_rules: Sequence[Mapping] = ()

    @property
    def table(self) -> SegmentTable:
        """The segments, checked."""
        return read_segments(self.block)

    def assign(self, rfm: pd.DataFrame) -> pd.DataFrame:
        """Score customers and name their segments; each row by itself.

        Parameters
        ----------
        rfm : pandas.DataFrame
            `recency`, `frequency` and `monetary`, new customers or old.

        Returns
        -------
        pandas.DataFrame
            Same index: `segment`, `recency_score`, `frequency_score`, `monetary_score`.

        Raises
        ------
        ValueError
            If a measure is missing, or of a customer.
        """
        scores = self.scores.apply(rfm)
        assigned = scores.rename(columns={name: f"{name}_score" for name in MEASURES})
        assigned.insert(0, "segment", pd.Series(self.table.assign(scores), rfm.index, dtype="str"))
        return assigned

    def kept(self) -> dict[str, dict]:
        """Give edges and segments as JSON can hold them, for `from_kept`."""
        edges = {name: list(values) for name, values in self.scores.edges.items()}
        return {
            "edges": edges,
            "segments": {name: dict(segment) for name, segment in self.block.items()},
            "cluster_rules": [dict(rule) for rule in self.cluster_rules],
        }

    @classmethod
    def from_kept(cls, kept: Mapping) -> "Segmentation":
        """Read what `kept` gave, and check it.

        Raises
        ------
        ValueError
            If it is no segmentation, or an impossible one.
        """
        if not isinstance(kept, Mapping) or set(kept) - {"cluster_rules"} != {"edges", "segments"}:
            raise ValueError("expected a segmentation with edges and segments")
        for name, values in kept["edges"].items():
            for value in values:
                check_number(value, where=f"an edge of {name}")
        edges = {name: tuple(values) for name, values in kept["edges"].items()}
        segmentation = cls(Scores(edges), kept["segments"], kept.get("cluster_rules", []))
        read_segments(segmentation.block)
        return segmentation

    def save(self, path: Path) -> None:
        """Write edges and segments as JSON."""
        text = json.dumps(self.kept(), indent=2, ensure_ascii=False)
        Path(path).write_text(text + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> "Segmentation":
        """Read what `save` wrote, and check it.

        Raises
        ------
        ValueError
            If the file holds no segmentation, or an impossible one.
        """
        try:
            return cls.from_kept(json.loads(Path(path).read_text("utf-8")))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
