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

    Returns
    -------
    alerts : pandas.DataFrame
        As `cohortlab.schemas.TABLES["alerts"]` says, and a column `features`: a list of dicts. The
        figures are those of the strangest flow of each alert.
    alert_of : pandas.Series of Int64
        For each flow the rank of its alert, missing where it is in none.

    Notes
    -----
    Flows of one address that are strange for the same main reason (a feature, too high or too low)
    are one alert. Flows without an address are one alert where they are strange for the same main
    reason and lie within `ALIKE` of each other, or are linked by others that do.
    """
    strange = flows.iloc[flagged].reset_index(drop=True)
    strange["group"] = _groups(strange["address"], rows, found)
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
    alerts.insert(9, "reason", pd.Series(map(_told, alerts["features"]), dtype="str"))
    rank = pd.Series(alerts["rank"].to_numpy(), index=groups.to_numpy(), dtype="Int64")
    alert_of = pd.Series(pd.NA, index=np.arange(len(flows)), dtype="Int64")
    alert_of.iloc[flagged] = rank.loc[strange["group"]].array
    return alerts, alert_of


def _groups(address: pd.Series, rows: np.ndarray, found: Difference) -> np.ndarray:
    """Give flows that belong into one alert one number."""
    main = found.shares.argmax(axis=1) if len(rows) else np.empty(0, dtype=int)
    higher = found.higher[np.arange(len(rows)), main]
    key = pd.DataFrame({"main": main, "higher": higher, "address": address, "alike": -1})
    nameless = np.flatnonzero(address.isna())
    different = distinct_rows(rows[nameless])
    alike = linked(different.values, ALIKE, np.empty((0, 2)))
    key.loc[nameless, "alike"] = alike[different.inverse]
    return key.groupby(list(key), sort=False, dropna=False).ngroup().to_numpy()


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


def json_lines(alerts: pd.DataFrame) -> str:
    """Write alerts for machines, a JSON object a line.

    Parameters
    ----------
    alerts : pandas.DataFrame
        From `make_alerts`.

    Returns
    -------
    str
        Lines with the columns of the table and the list of features; times in ISO, what is unknown
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
