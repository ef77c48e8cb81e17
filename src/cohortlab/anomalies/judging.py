"""How well flags find what was labelled, and what is wrong where they cannot be trusted."""

from collections.abc import Collection

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, roc_auc_score

NEARLY_ALL = 0.5
SWALLOWED = 0.95
#: Flags that differ from what is expected by more than this factor are told.
FAR_FROM_EXPECTED = 5.0
#: An attack of which a detector flags a smaller share is missed.
MISSED = 0.5
_DAY = pd.Timedelta(days=1)


def warnings_of(
    flagged: np.ndarray, expected_share: float, clusters: np.ndarray | None = None
) -> list[str]:
    """Say what speaks against trusting a detector.

    Parameters
    ----------
    flagged : ndarray of bool, shape (n_flows,)
        Which flows of the training it flags.
    expected_share : float
        Share of flows that are expected to be strange.
    clusters : ndarray of int, shape (n_flows,), optional
        Cluster of each, -1 for none.

    Returns
    -------
    list of str
        Sentences; none where nothing was found.

    Examples
    --------
    >>> warnings_of(np.array([False, False]), 0.5)
    ['flags nothing']
    """
    share, found = float(np.mean(flagged)) if len(flagged) else 0.0, []
    if share == 0:
        found.append("flags nothing")
    elif share >= NEARLY_ALL:
        found.append(f"flags nearly everything ({share:.0%})")
    elif not expected_share / FAR_FROM_EXPECTED <= share <= expected_share * FAR_FROM_EXPECTED:
        found.append(f"flags {share:.2%} where {expected_share:.2%} are expected")
    if clusters is not None and (clusters >= 0).any():
        largest = np.bincount(clusters[clusters >= 0]).max() / len(clusters)
        if largest >= SWALLOWED:
            found.append(f"one cluster swallows all ({largest:.0%} of the flows)")
    return found


def days_of(times: pd.Series) -> float | None:
    """Count the days that a log covers.

    Parameters
    ----------
    times : pandas.Series of datetime64
        Times of its flows.

    Returns
    -------
    float or None
        From the first midnight to the last; None where no time is known.
    """
    known = times.dropna()
    if known.empty:
        return None
    return float((known.max().floor("D") + _DAY - known.min().floor("D")) / _DAY)


def quality(
    scores: np.ndarray, flagged: np.ndarray, is_attack: np.ndarray, *, days: float | None
) -> dict[str, float | None]:
    """Measure how well scores and flags find attacks.

    Parameters
    ----------
    scores : ndarray of shape (n_flows,)
        Larger is stranger.
    flagged : ndarray of bool, shape (n_flows,)
        What is called an anomaly.
    is_attack : ndarray of bool, shape (n_flows,)
        What is one.
    days : float or None
        Days that the flows cover.

    Returns
    -------
    dict
        `precision` and `recall` of the flags, `average_precision` and `roc_auc` of the scores, and
        `false_alarms_a_day` (flows); None where it is not defined: no flag, no attack or nothing
        but attacks, no time.
    """
    hits, n_flagged, n_attacks = (int(v.sum()) for v in (flagged & is_attack, flagged, is_attack))
    ranked = 0 < n_attacks < len(is_attack)
    # Both measures hang on the order alone, and a score may be infinite, which they refuse.
    scores = np.unique(scores, return_inverse=True)[1]
    return {
        "precision": hits / n_flagged if n_flagged else None,
        "recall": hits / n_attacks if n_attacks else None,
        "average_precision": float(average_precision_score(is_attack, scores)) if ranked else None,
        "roc_auc": float(roc_auc_score(is_attack, scores)) if ranked else None,
        "false_alarms_a_day": (n_flagged - hits) / days if days else None,
    }


def recall_by_label(
    labels: pd.Series, flagged: np.ndarray, normal: Collection[str]
) -> pd.DataFrame:
    """Give the share of each attack that is flagged, and of what is normal.

    Parameters
    ----------
    labels : pandas.Series of str
        What each flow was; missing ones are left out.
    flagged : ndarray of bool, shape (n_flows,)
        What is called an anomaly.
    normal : collection of str
        Labels of what is no attack.

    Returns
    -------
    pandas.DataFrame
        `label`, `is_attack`, `flows`, `flagged` and `share`; the most frequent first.
    """
    counted = pd.DataFrame({"label": labels.to_numpy(), "flagged": flagged})
    table = counted.groupby("label")["flagged"].agg(flows="size", flagged="sum").reset_index()
    table.insert(1, "is_attack", ~table["label"].isin(normal))
    table["share"] = table["flagged"] / table["flows"]
    return table.sort_values(["flows", "label"], ascending=[False, True], ignore_index=True)


def missed_attacks(recall: pd.DataFrame) -> dict[str, float]:
    """List the attacks of which less than half of the flows are flagged.

    Parameters
    ----------
    recall : pandas.DataFrame
        From `recall_by_label`.

    Returns
    -------
    dict of str to float
        Attacks and the share flagged of each, the least found first.

    Examples
    --------
    >>> label = pd.Series(["scan", "flood", "normal"])
    >>> missed_attacks(recall_by_label(label, np.array([False, True, False]), ["normal"]))
    {'scan': 0.0}
    """
    missed = recall[recall["is_attack"] & (recall["share"] < MISSED)]
    return missed.sort_values(["share", "label"]).set_index("label")["share"].to_dict()
