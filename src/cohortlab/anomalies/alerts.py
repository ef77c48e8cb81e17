"""Alerts for people: flagged flows in groups, ranked, each with its reasons."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cohortlab.anomalies.calibration import severities
from cohortlab.anomalies.distinct import distinct_rows
from cohortlab.anomalies.explaining import Difference
from cohortlab.anomalies.joining import linked

#: A feature with a smaller share in the difference is no reason.
SMALLEST_SHARE = 0.1
MOST_REASONS = 3
#: Flows of nobody known that lie no further apart are alike: a tenth of a quartile range.
ALIKE = 0.1


def make_alerts(
    flows: pd.DataFrame,
    features: pd.DataFrame,
    flagged: np.ndarray,
    found: Difference,
    *,
    rows: np.ndarray,
    names: Sequence[str],
    levels: Mapping[str, float],
    gap_sec: float,
) -> tuple[pd.DataFrame, pd.Series]:
    """Make alerts of flagged flows.

    Parameters
    ----------
    flows : pandas.DataFrame
        A row a flow: `flow_id, time, address, score, tail_share`.
    features : pandas.DataFrame
        Features of the same flows in their own units.
    flagged : ndarray of int, shape (n_flagged,)
        Positions of the flagged flows.
    found : Difference
        What sets these flows apart, in the same order.
    rows : ndarray of shape (n_flagged, n_features)
        The flagged flows as the detector sees them.
    names : sequence of str
        The features, as columns of `found` and `rows`.
    levels : mapping of str to float
        Largest tail share of each severity, the strictest first.
    gap_sec : float
        Longest time between one flagged flow of an address and its next in one alert, seconds.

    Returns
    -------
    alerts : pandas.DataFrame
        As `cohortlab.schemas.TABLES["alerts"]` says, and two columns of lists of dicts: `features`
        of the strangest flow of each alert, whose figures the alert has, and `reasons`: the main
        reasons of all its flows (feature, direction) with the share of the flows that have each.
    alert_of : pandas.Series of Int64
        For each flow the rank of its alert, missing where it is in none.

    Raises
    ------
    ValueError
        If `gap_sec` is no number of seconds.

    Notes
    -----
    Flows of one address are one alert from pause to pause, whatever their reasons: a campaign is
    strange in several ways. Without times, those of one address are one that are strange for the
    same main reason (a feature, too high or too low). Flows without an address are one alert where
    they are strange for the same main reason and lie within `ALIKE` of each other, or are linked by
    others that do.
    """
    if not gap_sec >= 0:
        raise ValueError(f"gap_sec should be seconds, from 0 on; got {gap_sec!r}. Try 3600")
    strange = flows.iloc[flagged].reset_index(drop=True)
    main = found.shares.argmax(axis=1) if len(rows) else np.empty(0, dtype=int)
    strange["main"], strange["higher"] = main, found.higher[np.arange(len(rows)), main]
    strange["group"] = _groups(strange, rows, gap_sec)
    order = strange.sort_values(["tail_share", "score", "flow_id"], ascending=[True, False, True])
    strangest = order.drop_duplicates("group")
    by_group = strange.groupby("group")
    groups = strangest["group"]
    alerts = pd.DataFrame(
        {
            "rank": np.arange(1, len(strangest) + 1),
            "severity": severities(strangest["tail_share"].to_numpy(), levels),
            "tail_share": strangest["tail_share"].to_numpy(),
            "score": strangest["score"].to_numpy(),
            "n_flows": by_group.size().loc[groups].to_numpy(),
            "flow_id": strangest["flow_id"].to_numpy(),
            "address": strangest["address"].to_numpy(),
            "first_time": by_group["time"].min().loc[groups].to_numpy(),
            "last_time": by_group["time"].max().loc[groups].to_numpy(),
        }
    ).astype({"address": "str", "severity": "str"})
    alerts["features"] = [_reasons(features, names, found, flagged[i], i) for i in strangest.index]
    alerts["reasons"] = groups.map(_main_reasons(strange, names)).to_numpy()
    alerts.insert(9, "reason", pd.Series(map(_told, alerts["features"]), dtype="str"))
    alerts.insert(10, "main_reasons", pd.Series(map(_listed, alerts["reasons"]), dtype="str"))
    rank = pd.Series(alerts["rank"].to_numpy(), index=groups.to_numpy(), dtype="Int64")
    alert_of = pd.Series(pd.NA, index=np.arange(len(flows)), dtype="Int64")
    alert_of.iloc[flagged] = rank.loc[strange["group"]].array
    return alerts, alert_of


def _groups(strange: pd.DataFrame, rows: np.ndarray, gap_sec: float) -> np.ndarray:
    """Give flows that belong into one alert one number."""
    key = strange[["address", "main", "higher"]].assign(burst=_bursts(strange, gap_sec), alike=-1)
    key.loc[key["burst"] >= 0, ["main", "higher"]] = [-1, False]
    nameless = np.flatnonzero(strange["address"].isna())
    different = distinct_rows(rows[nameless])
    alike = linked(different.values, ALIKE, np.empty((0, 2)))
    key.loc[nameless, "alike"] = alike[different.inverse]
    return key.groupby(list(key), sort=False, dropna=False).ngroup().to_numpy()


def _bursts(strange: pd.DataFrame, gap_sec: float) -> pd.Series:
    """Give flows of an address the number of their burst; -1 where it or the time is unknown."""
    known = strange[["address", "time"]].dropna().sort_values(["address", "time"], kind="stable")
    pauses = known.groupby("address")["time"].diff().dt.total_seconds() > gap_sec
    return pauses.cumsum().reindex(strange.index, fill_value=-1)


def _main_reasons(strange: pd.DataFrame, names: Sequence[str]) -> dict[int, list[dict]]:
    """Count the main reasons of the flows of each group, the most frequent first."""
    counts = strange.groupby(["group", "main", "higher"]).size().rename("n_flows").reset_index()
    counts = counts.sort_values("n_flows", ascending=False, kind="stable")
    reasons = {}
    for group, part in counts.groupby("group"):
        total = part["n_flows"].sum()
        reasons[group] = [
            {
                "feature": names[row.main],
                "direction": "high" if row.higher else "low",
                "n_flows": int(row.n_flows),
                "share": round(float(row.n_flows / total), 4),
            }
            for row in part.itertuples()
        ]
    return reasons


def _reasons(
    features: pd.DataFrame, names: Sequence[str], found: Difference, flow: int, place: int
) -> list[dict]:
    """List what sets one flow apart, the main reason first."""
    shares = found.shares[place]
    order = np.argsort(-shares, kind="stable")[:MOST_REASONS].tolist()
    kept = [i for i in order if shares[i] >= SMALLEST_SHARE or i == order[0]]
    value, usual = features.iloc[flow], features.iloc[found.usual[place]]
    return [
        {
            "feature": names[i],
            "direction": "high" if found.higher[place, i] else "low",
            "value": float(value[names[i]]),
            "usual": float(usual[names[i]]),
            "share": round(float(shares[i]), 4),
        }
        for i in kept
    ]


def _told(reasons: list[dict]) -> str:
    return "; ".join(
        f"{r['feature']} {r['direction']}: {r['value']:.4g}, usual {r['usual']:.4g} "
        f"({r['share']:.0%})"
        for r in reasons
    )


def _listed(reasons: list[dict]) -> str:
    return "; ".join(f"{r['feature']} {r['direction']} ({r['share']:.0%})" for r in reasons)


def json_lines(alerts: pd.DataFrame) -> str:
    """Write alerts for machines, a JSON object a line.

    Parameters
    ----------
    alerts : pandas.DataFrame
        From `make_alerts`.

    Returns
    -------
    str
        Lines with the columns of the table and both lists; times in ISO, what is unknown
        null, every line ended.
    """
    return "".join(
        json.dumps({name: _plain(value) for name, value in row.items()}, allow_nan=False) + "\n"
        for row in alerts.to_dict("records")
    )


def _plain(value: object) -> object:
    if isinstance(value, list):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    # JSON has no infinite numbers; a score may be one.
    return None if isinstance(value, float) and not np.isfinite(value) else value
