"""Figures of the step anomalies: where distances turn, what is flagged, when, and how well."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import (
    MUTED,
    empty_figure,
    heat_map,
    logarithmic,
    panels,
    plain,
    shorten,
)

_FLAGGED = "#d55e00"
_COLOURS = {"usual": MUTED, "flagged": _FLAGGED}
#: Most points that a scatter plot shows.
_MOST_POINTS = 4000


def reach_curve(reach: np.ndarray, eps: float, *, min_samples: int) -> Figure:
    """Draw the distances to the k-th flow in ascending order, and the distance chosen.

    Parameters
    ----------
    reach : ndarray of shape (n_distinct,)
        Of every different flow the distance to the `min_samples`-th.
    eps : float
        The distance that parts dense from thin.
    min_samples : int
        The k.

    Returns
    -------
    matplotlib.figure.Figure
        The whole curve, and its end on a logarithmic axis of ranks from the right.
    """
    ordered = np.sort(reach[np.isfinite(reach)])
    if not len(ordered):
        return empty_figure(f"There are fewer than {min_samples} flows.")
    figure, (left, right) = panels(2, columns=2, width=3.7, height=2.9)
    rank = np.arange(1, len(ordered) + 1)
    for axes, across in ((left, rank), (right, rank[::-1])):
        axes.plot(across, ordered, color="#0173b2")
        axes.axhline(eps, color=_FLAGGED, linestyle="--", label=f"knee: eps = {eps:.3g}")
        axes.set_ylabel(f"distance to flow {min_samples}, scaled units", fontsize=9)
    left.set_xlabel("different flows, nearest first", fontsize=9)
    left.legend(fontsize=8)
    right.set_xlabel("the same from the other end (logarithmic)", fontsize=9)
    right.set_xscale("log")
    right.invert_xaxis()
    return figure


def flagged_plane(features: pd.DataFrame, flagged: Mapping[str, np.ndarray], across: str, up: str):
    """Draw flows by two features, a panel a detector, the flagged ones coloured.

    Parameters
    ----------
    features : pandas.DataFrame
        Features in their own units.
    flagged : mapping of str to ndarray of bool, shape (n_flows,)
        By detector what it flags.
    across, up : str
        The features.

    Returns
    -------
    matplotlib.figure.Figure
        Panels with logarithmic axes; of many flows evenly taken ones.
    """
    figure, axes = panels(len(flagged), columns=3, width=2.9, height=2.6)
    for panel, (name, chosen) in zip(axes, flagged.items(), strict=True):
        for word, rows in (("usual", np.flatnonzero(~chosen)), ("flagged", np.flatnonzero(chosen))):
            shown = rows[:: max(1, len(rows) // _MOST_POINTS + 1)]
            # One is added, as zero has no logarithm.
            x, y = (
                features[n].to_numpy()[shown] + (n != "send_receive_ratio") for n in (across, up)
            )
            panel.scatter(x, y, s=5, alpha=0.5, linewidths=0, color=_COLOURS[word], label=word)
        panel.set(xscale="log", yscale="log")
        panel.set_title(f"{plain(name)}: {chosen.mean():.1%}", fontsize=9)
        panel.tick_params(labelsize=7)
    axes[0].legend(fontsize=7, markerscale=2)
    figure.supxlabel(_axis(across), fontsize=9)
    figure.supylabel(_axis(up), fontsize=9)
    return figure


def _axis(name: str) -> str:
    return name if name == "send_receive_ratio" else f"{name} + 1"


def flagged_by_hour(times: pd.Series, flagged: np.ndarray) -> Figure:
    """Draw flows and flagged flows by hour.

    Parameters
    ----------
    times : pandas.Series of datetime64
        When each flow began.
    flagged : ndarray of bool, shape (n_flows,)
        What is flagged.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels above each other, on one axis of time.
    """
    if times.dropna().empty:
        return empty_figure("The log gives no times of flows.")
    hours = times.dt.floor("h")
    figure, axes = plt.subplots(2, 1, figsize=(7.0, 3.4), sharex=True, layout="constrained")
    for panel, rows, word, colour in (
        (axes[0], hours, "flows", "#0173b2"),
        (axes[1], hours[flagged], "flagged", _FLAGGED),
    ):
        counts = rows.value_counts().sort_index()
        every = pd.date_range(hours.min(), hours.max(), freq="h")
        panel.bar(every, counts.reindex(every, fill_value=0), width=1 / 26, color=colour)
        panel.set_ylabel(f"{word} an hour", fontsize=9)
    axes[1].set_xlabel("hour of the log")
    figure.autofmt_xdate()
    return figure


def _percent(share: float) -> str:
    """Write a share so that few false alarms do not look like none, nor nearly all like all."""
    rest = min(share, 1 - share)
    if 0 < rest < 0.0001:
        return "<0.01%" if share < 0.5 else ">99.99%"
    digits = int(rest < 0.1) + int(rest < 0.01) if rest else 0
    return f"{share:.{digits}%}"


def recall_heat_map(recall: pd.DataFrame) -> Figure:
    """Draw the share of each kind of flow that each detector flags.

    Parameters
    ----------
    recall : pandas.DataFrame of shape (n_labels, n_detectors)
        Shares, what is normal last.

    Returns
    -------
    matplotlib.figure.Figure
        A heat map from 0 to 1; shares near either end are written with decimals.
    """
    size = (3.2 + 0.95 * recall.shape[1], 1.6 + 0.34 * len(recall))
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    rows, columns = ([shorten(str(n)) for n in names] for names in (recall.index, recall.columns))
    notes = recall.map(_percent).to_numpy()
    heat_map(
        axes, recall.to_numpy(), rows, columns, label="share flagged", span=(0, 1), notes=notes
    )
    axes.set_ylabel("label")
    return figure


def false_alarms(shares: pd.DataFrame, expected_share: float) -> Figure:
    """Draw the shares that detectors flag beside the one that was expected.

    Parameters
    ----------
    shares : pandas.DataFrame of shape (n_detectors, n_logs)
        Share flagged of each log, a column a log.
    expected_share : float
        What was expected.

    Returns
    -------
    matplotlib.figure.Figure
        Points on a logarithmic axis, what is flagged nowhere at its left end; a line at what was
        expected.
    """
    figure, axes = plt.subplots(figsize=(7.0, 1.4 + 0.4 * len(shares)), layout="constrained")
    lowest = min(expected_share, shares[shares > 0].min().min(skipna=True)) / 3
    for number, (name, column) in enumerate(shares.items()):
        places = np.arange(len(shares)) + 0.16 * (number - (shares.shape[1] - 1) / 2)
        marker = "osD^"[number % 4]
        axes.plot(column.clip(lower=lowest), places, marker, color=f"C{number}", label=plain(name))
    axes.axvline(expected_share, color=MUTED, linestyle="--", label="expected")
    logarithmic(axes.xaxis)
    axes.set_yticks(np.arange(len(shares)), [plain(n) for n in shares.index])
    axes.invert_yaxis()
    axes.set_xlabel("share flagged (logarithmic)")
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
