"""Edges and segments together: what assigns a customer, and all that has to be kept for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

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
    """

    scores: Scores
    block: Mapping[str, Mapping]

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

    def save(self, path: Path) -> None:
        """Write edges and segments as JSON."""
        kept = {"edges": {k: list(v) for k, v in self.scores.edges.items()}}
        kept["segments"] = {name: dict(segment) for name, segment in self.block.items()}
        Path(path).write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path) -> "Segmentation":
        """Read what `save` wrote, and check it.

        Raises
        ------
        ValueError
            If the file holds no segmentation, or an impossible one.
        """
        kept = json.loads(Path(path).read_text("utf-8"))
        if not isinstance(kept, dict) or set(kept) != {"edges", "segments"}:
            raise ValueError(f"{path}: expected a segmentation with edges and segments")
        edges = {name: tuple(values) for name, values in kept["edges"].items()}
        segmentation = cls(Scores(edges), kept["segments"])
        read_segments(segmentation.block)
        return segmentation
