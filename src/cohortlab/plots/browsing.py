"""Figures of the steps on browsing: pauses, the week, silhouettes, and limits of what is found."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.browsing.sentences import WEEKDAYS
from cohortlab.plots.style import (
    MUTED,
    cluster_colours,
    empty_figure,
    heat_map,
    logarithmic,
    panels,
    plain,
    shorten,
)


def pauses(sequences: pd.DataFrame, *, gap_sec: float) -> Figure:
    """Draw how long users pause between visits, within sequences and between them.

    Parameters
    ----------
    sequences : pandas.DataFrame
        From `cohortlab.browsing.make_sequences`, in the order of time.
    gap_sec : float
        The pause that ends a sequence, seconds.

    Returns
    -------
    matplotlib.figure.Figure
        Histograms on a logarithmic axis; pauses below a second, overlaps among them, count as one.
    """
    own = sequences["person_id"].eq(sequences["person_id"].shift())
    seconds = (sequences["start_ms"] - sequences["end_ms"].shift()) / 1000
    ends = sequences["position"] == 1
    if not own.any():
        return empty_figure("No user has a second visit.")
    figure, axes = plt.subplots(figsize=(7.0, 3.2), layout="constrained")
    # Logs count whole seconds: between two of them lies an edge, and no bin is without one.
    longest = max(seconds[own].max(), 10 * gap_sec)
    edges = np.unique(np.round(np.logspace(0, np.log10(longest), 60))) - 0.5
    for rows, name, colour in ((own & ~ends, "within", 0), (own & ends, "between", 1)):
        axes.hist(
            seconds[rows].clip(lower=1),
            bins=edges,
            label=f"{name} sequences",
            color=cluster_colours(2)[colour],
        )
    axes.axvline(gap_sec, color="0.2", linewidth=1)
    logarithmic(axes.xaxis)
    axes.set_xticks(*_times(edges[-1]))
    axes.set_yscale("symlog", linthresh=1)
    axes.set(xlabel="pause from the end of a visit to the start of the next", ylabel="pauses")
    axes.legend()
    return figure


def _times(longest_sec: float) -> tuple[list[int], list[str]]:
    marks = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h"}
    marks |= {86_400: "1 day", 604_800: "1 week", 31_536_000: "1 year"}
    shown = {sec: text for sec, text in marks.items() if sec <= longest_sec}
    return list(shown), list(shown.values())


def week(features: pd.DataFrame) -> Figure:
    """Draw when sequences start, by weekday and hour.

    Parameters
    ----------
    features : pandas.DataFrame
        From `cohortlab.browsing.engineered_features`.

    Returns
    -------
    matplotlib.figure.Figure
        A heat map of 7 by 24 cells, in percent of the sequences.
    """
    counts = np.zeros((7, 24))
    at = features["weekday"].astype(int), features["start_hour"].astype(int)
    np.add.at(counts, at, 1)
    share = 100 * counts / counts.sum()
    figure, axes = plt.subplots(figsize=(9.0, 2.8), layout="constrained")
    hours = [str(hour) for hour in range(24)]
    notes = np.full(share.shape, "")
    heat_map(axes, share, WEEKDAYS, hours, label="% of the sequences", notes=notes)
    axes.tick_params(axis="x", rotation=0)
    axes.set(xlabel="hour in which the sequence starts")
    return figure


def search(
    table: pd.DataFrame, chosen: tuple[str, int], null: pd.DataFrame, *, representation: str
) -> Figure:
    """Draw the silhouettes of a search over methods and numbers of clusters, with their spread.

    Parameters
    ----------
    table : pandas.DataFrame
        `table` of `cohortlab.browsing.Choice`.
    chosen : (str, int)
        Method and number of clusters that were chosen.
    null : pandas.DataFrame
        From `cohortlab.browsing.null_choices`.
    representation : str
        What was searched, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        A line a method (median over the starts that are allowed, bars from the lowest to the
        highest), crosses where most starts are not allowed (median over all), a ring around what
        was chosen, and level lines where nothing is to be found: dashed where clusters are
        separated, dotted where they are not.
    """
    figure, axes = plt.subplots(figsize=(7.0, 3.8), layout="constrained")
    shifts = np.linspace(-0.15, 0.15, table["method"].nunique())
    groups = table.groupby("method", sort=False)
    for (method, rows), shift, colour in zip(groups, shifts, cluster_colours(10), strict=False):
        reach = rows[["lowest", "highest"]].sub(rows["silhouette"], axis=0).abs().T.to_numpy()
        axes.errorbar(
            rows["k"] + shift, rows["silhouette"], yerr=reach, label=method, color=colour,
            marker="o", markersize=4, linewidth=1,
        )  # fmt: skip
        against = rows[rows["silhouette"].isna()]
        axes.plot(
            against["k"] + shift, against["silhouette_any"], "x", color=colour, markersize=4
        )  # fmt: skip
        if method == chosen[0]:
            best = rows.loc[rows["k"] == chosen[1], "silhouette"]
            axes.plot(chosen[1] + shift, best, "o", markersize=13, color="0.2", fillstyle="none")
    for separated, style, text in (
        (True, "--", "sequences shuffled between users"),
        (False, ":", "shuffled, into clusters that are not separated"),
    ):
        rows = null.loc[null["separated"] == separated, "silhouette"].dropna()
        for number, value in enumerate(rows):
            label = None if number else text
            axes.axhline(value, color=MUTED, linestyle=style, linewidth=1, label=label)
    if table["silhouette"].isna().any():
        axes.plot([], [], "x", color="0.3", markersize=4, label="most starts break a rule")
    axes.set(xlabel="number of clusters asked for", ylabel="silhouette", title=representation)
    axes.set_xticks(sorted(table["k"].unique()))
    axes.legend(fontsize=8)
    return figure


def plane(places: np.ndarray, labels: np.ndarray, names: Mapping[int, str]) -> Figure:
    """Draw users in a plane, coloured by their cluster.

    Parameters
    ----------
    places : ndarray of shape (n_users, 2)
        Two principal components.
    labels : ndarray of int, shape (n_users,)
        Cluster of each user, -1 for those set apart.
    names : mapping of int to str
        What to call the clusters.

    Returns
    -------
    matplotlib.figure.Figure
        Those set apart are crosses.
    """
    figure, axes = plt.subplots(figsize=(6.4, 4.4), layout="constrained")
    colours = cluster_colours(int(labels.max()) + 1)
    for cluster in np.unique(labels):
        rows = labels == cluster
        look = {"marker": "x", "color": "0.3"} if cluster < 0 else {"color": colours[cluster]}
        name = shorten(names[cluster], 70)
        text = plain(f"{cluster}: {name}" if cluster >= 0 else name)
        axes.scatter(*places[rows].T, s=18, alpha=0.8, label=text, **look)
    axes.set(xlabel="first principal component", ylabel="second principal component")
    axes.set_aspect("equal", "datalim")
    figure.legend(fontsize=8, loc="outside lower center", ncols=2)
    return figure


def limits(table: pd.DataFrame) -> Figure:
    """Draw how well planted types are found where users are harder to tell.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `question`, `value`, `representation` and `adjusted_rand_index`.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a question, a line a representation.
    """
    questions = table["question"].unique()
    figure, axes = panels(len(questions), columns=2, width=4.2, height=3.4)
    for panel, question in zip(axes, questions, strict=True):
        asked = table[table["question"] == question]
        for name, rows in asked.groupby("representation", sort=False):
            panel.plot(rows["value"], rows["adjusted_rand_index"], marker="o", label=plain(name))
        if asked["value"].max() > 1:
            logarithmic(panel.xaxis)
        panel.axhline(0, color=MUTED, linestyle=":")
        panel.set(xlabel=question, ylabel="adjusted Rand index", ylim=(-0.1, 1.05))
        panel.legend(fontsize=8)
    return figure


def taken_for(table: pd.DataFrame, names: Mapping[int, str]) -> Figure:
    """Draw to which descriptions held-out sequences went.

    Parameters
    ----------
    table : pandas.DataFrame of shape (n_clusters, n_clusters)
        `table` of `cohortlab.interpretation.Identifiability`.
    names : mapping of int to str
        What to call the clusters.

    Returns
    -------
    matplotlib.figure.Figure
        A heat map; where descriptions fit, its diagonal is bright.
    """
    size = 1.2 * len(table)
    figure, axes = plt.subplots(figsize=(3.4 + size, 1.6 + size / 2), layout="constrained")
    rows = [f"{cluster}: {names[cluster]}" for cluster in table.index]
    columns = [f"of {cluster}" for cluster in table]
    heat_map(axes, table.to_numpy(), rows, columns, label="share of sequences", span=(0, 1))
    axes.set(xlabel="description", ylabel="cluster of the sequence")
    return figure
