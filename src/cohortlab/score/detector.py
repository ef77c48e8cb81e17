"""All that scoring new flows needs: medians, curves, scaling, and what a detector has learnt."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from cohortlab.anomalies import (
    SCORERS,
    Preparation,
    Scorer,
    Trained,
    in_pieces,
    severities,
    tail_shares,
)
from cohortlab.arrays import pack_arrays, unpack_arrays
from cohortlab.features.flows import fill, flow_features, known_amounts
from cohortlab.intervals import check_number
from cohortlab.run.project import to_json
from cohortlab.score.checks import (
    demand_array,
    demand_numbers,
    demand_text,
    read_inputs,
    read_scaling,
)
from cohortlab.score.kept import Scored, notes_on


@dataclass(frozen=True)
class DetectorBundle(Scored):
    """A trained detector with what prepares new flows for it.

    Attributes
    ----------
    study : str
        Study that it was trained for.
    id_name : str
        Name of the column that says which flow a row is.
    inputs : DataFrame
        The amounts that are asked for: `name`, `lowest` and `highest` value of the training.
    medians : dict of str to float
        What takes the place of a missing or infinite value, by feature.
    preparation : Preparation
        Curves and scaling of the features.
    name : str
        A key of `cohortlab.anomalies.DETECTORS`.
    scorer : Scorer
        What it has learnt.
    threshold : float
        A flow is flagged where its score is above this.
    training : ndarray of shape (n_training,)
        Scores of the flows of the training, ascending: they turn a score into a tail share.
    levels : dict of str to float
        Largest tail share of each severity, the strictest first.
    """

    FORMAT: ClassVar[str] = "cohortlab detector 1"
    PARTS: ClassVar[tuple[str, ...]] = ("scaling.json", "detector.json", "detector.npz")
    MADE_BY: ClassVar[str] = "data step"
    SUMMARY: ClassVar[str] = (
        "%(rows)d flows: %(assigned)d scored (%(noted)d with an amount missing or outside of what "
        "was seen in training), %(not_assigned)d not, because no amount is known or one is negative"
    )
    NUMBERED: ClassVar[bool] = True

    study: str
    id_name: str
    inputs: pd.DataFrame
    medians: dict[str, float]
    preparation: Preparation
    name: str
    scorer: Scorer
    threshold: float
    training: np.ndarray
    levels: dict[str, float]

    def score(self, columns: Mapping[str, np.ndarray]) -> pa.Table:
        """Score flows; nothing is fitted, and no row hangs on another.

        Parameters
        ----------
        columns : mapping of str to ndarray of float64, shape (n_rows,)
            The amounts; NaN where there is none.

        Returns
        -------
        pyarrow.Table
            `score`, `tail_share` (share of the training flows at least as strange), `severity`,
            `is_flagged`, and `note`: amounts that are missing, so that their features have the
            median, or outside of what was seen in training. A flow without any amount, or with a
            negative one, has no score.
        """
        amounts = pd.DataFrame({name: columns[name] for name in self.needed})
        named = amounts.assign(flow_id=np.arange(len(amounts)))
        features, _, _ = fill(flow_features(named, known=self.needed), self.medians)
        usable = np.array(amounts.notna().any(axis=1) & ~(amounts < 0).any(axis=1))
        rows, accepted = self.preparation.apply_where_possible(features[usable])
        usable[usable] = accepted
        scores = np.full(len(amounts), np.nan)
        scores[usable] = in_pieces(self.scorer, rows)
        shares = np.where(usable, tail_shares(scores, self.training), np.nan)
        severity = severities(shares, self.levels)
        return pa.table(
            {
                "score": pa.array(scores, from_pandas=True),
                "tail_share": pa.array(shares, from_pandas=True),
                "severity": pa.array(severity, pa.string(), mask=~usable),
                "is_flagged": pa.array(scores > self.threshold, mask=~usable),
                "note": notes_on(self.inputs, columns),
            }
        )

    def parts(self) -> dict[str, bytes]:
        """Give the content of the files that it is stored in."""
        told = {
            "detector": self.name,
            "scorer": type(self.scorer).__name__,
            "threshold": self.threshold,
            "levels": self.levels,
            "medians": self.medians,
            "curves": self.preparation.curves,
        }
        return {
            "scaling.json": to_json(self.preparation.scaling.parameters()).encode(),
            "detector.json": to_json(told).encode(),
            "detector.npz": pack_arrays(self.scorer.arrays() | {"training": self.training}),
        }

    def about(self) -> dict[str, Any]:
        """Tell what else is to stand in the manifest."""
        return {"detector": self.name, "n_training": len(self.training)}

    @classmethod
    def from_parts(cls, manifest: dict[str, Any], content: dict[str, bytes]) -> "DetectorBundle":
        """Read what `parts` gave, or raise an error where it does not fit."""
        told = json.loads(content["detector.json"])
        arrays = unpack_arrays(content["detector.npz"])
        scaling = read_scaling(json.loads(content["scaling.json"]))
        medians = demand_numbers(told["medians"], "medians")
        if list(told["curves"]) != scaling.columns_ or set(told["curves"]) - set(medians):
            raise ValueError("its parts do not fit each other")
        training = _read_training(arrays.pop("training"), manifest["n_training"])
        scorer = SCORERS[told["scorer"]].from_arrays(arrays)
        scorer.check(len(scaling.columns_))
        check_number(told["threshold"], where="threshold")
        return cls(
            study=manifest["study"],
            id_name=demand_text(manifest["id"], "the id column"),
            inputs=read_inputs(manifest["inputs"]),
            medians=medians,
            preparation=Preparation(told["curves"], scaling),
            name=demand_text(told["detector"], "the detector"),
            scorer=scorer,
            threshold=told["threshold"],
            training=training,
            levels=demand_numbers(told["levels"], "levels", low=0, high=1),
        )


def _read_training(scores: np.ndarray, n_training: int) -> np.ndarray:
    check_number(n_training, where="n_training", low=1, whole=True)
    demand_array(scores, "scores of the training", shape=(n_training,))
    if (np.diff(scores) < 0).any():
        raise ValueError("scores of the training should ascend")
    return scores


def keep_detector(
    trained: Trained,
    flows: pd.DataFrame,
    preparation: Preparation,
    *,
    study: str,
    medians: Mapping[str, float],
    levels: Mapping[str, float],
) -> DetectorBundle:
    """Keep a trained detector with what prepares new flows for it.

    Parameters
    ----------
    trained : Trained
        The detector.
    flows : pandas.DataFrame
        Flows of the training as the data step writes them: `flow_id` and the amounts.
    preparation : Preparation
        What prepared their features.
    study : str
        What it belongs to.
    medians : mapping of str to float
        Medians of the features, from `cohortlab.features.flows.fill`.
    levels : mapping of str to float
        Largest tail share of each severity, the strictest first.

    Returns
    -------
    DetectorBundle
        It gives the flows of the training the scores of the training.

    Raises
    ------
    ValueError
        If an amount is known, but finite in no flow: it has no bounds.
    """
    names = known_amounts(flows)
    amounts = flows[names].astype(float)
    finite = amounts.where(np.isfinite(amounts))
    endless = [name for name in names if finite[name].isna().all()]
    if endless:
        raise ValueError(
            f"expected flows of which some have a finite {', '.join(endless)}, but none "
            "has: say in `data.columns` that the log does not have it"
        )
    inputs = pd.DataFrame({"name": names})
    inputs["lowest"], inputs["highest"] = finite.min().to_numpy(), finite.max().to_numpy()
    return DetectorBundle(
        study=study,
        id_name="flow_id",
        inputs=inputs,
        medians=dict(medians),
        preparation=preparation,
        name=trained.name,
        scorer=trained.scorer,
        threshold=trained.threshold,
        training=np.sort(trained.scores),
        levels=dict(levels),
    )
