"""Figures of the mixture step: the criterion over the search."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cohortlab.plots.style import cluster_colours, heat_map

MARKERS = "os^vD<>ph*XPd8"


def criterion_lines(
    table: pd.DataFrame, *, criterion: str = "bic", chosen: tuple[str, int] | None = None
) -> Figure:
    """Draw the criterion against the number of components, a line for each covariance model.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a cell: `model, n_components, verdict` and the criterion.
    criterion : {"bic", "icl", "aic"}, default "bic"
        The column to draw; smaller is better.
    chosen : tuple of (str, int), optional
        Model and number of components of the choice, which gets a ring.

    Returns
    -------
    matplotlib.figure.Figure
        Filled marks are sound cells, hollow ones were vetoed; a missing one has no fit.
    """
    figure, axes = plt.subplots(figsize=(7.6, 4.4), layout="constrained")
    models = list(table["model"].drop_duplicates())
    colours = sns.color_palette("colorblind" if len(models) <= 10 else "husl", len(models))
    for model, colour, marker in zip(models, colours, MARKERS, strict=False):
        own = table[table["model"] == model].sort_values("n_components")
        sound = own["verdict"] == "ok"
        axes.plot(own["n_components"], own[criterion], color=colour, linewidth=1)
        for rows, face in ((sound, colour), (~sound, "white")):
            axes.plot(
                own.loc[rows, "n_components"],
                own.loc[rows, criterion],
                marker,
                color=colour,
                markerfacecolor=face,
                markersize=5,
                label=model if rows is sound else None,
            )
    _ring(axes, table, criterion, chosen)
    axes.set(xlabel="number of components", ylabel=f"{criterion.upper()} (smaller is better)")
    axes.set_xticks(sorted(table["n_components"].unique()))
    axes.legend(title="model", fontsize=7, title_fontsize=8, ncols=1 + (len(models) > 7))
    axes.set_title("filled: sound; hollow: vetoed; ring: the choice", fontsize=9)
    return figure


def _ring(axes: plt.Axes, table: pd.DataFrame, criterion: str, chosen: tuple | None) -> None:
    if chosen is None:
        return
    cell = table[(table["model"] == chosen[0]) & (table["n_components"] == chosen[1])]
    axes.scatter(
        cell["n_components"],
        cell[criterion],
        s=170,
        facecolors="none",
        edgecolors="black",
        zorder=3,
    )


def criterion_heat_map(table: pd.DataFrame, *, criterion: str = "bic") -> Figure:
    """Draw how far every cell of the search is from the best one.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a cell: `model, n_components, verdict` and the criterion.
    criterion : {"bic", "icl", "aic"}, default "bic"
        The column to draw.

    Returns
    -------
    matplotlib.figure.Figure
        Differences to the smallest value of the table, in thousands; `x` marks a vetoed cell.
    """
    values = table.pivot(index="model", columns="n_components", values=criterion)
    sound = table.pivot(index="model", columns="n_components", values="verdict") == "ok"
    behind = (values - np.nanmin(values.to_numpy())) / 1000
    notes = behind.map(lambda v: "" if np.isnan(v) else f"{v:.1f}") + sound.map(
        lambda s: "" if s else " x"
    )
    figure, axes = plt.subplots(
        figsize=(2.2 + 0.7 * values.shape[1], 1.4 + 0.34 * len(values)), layout="constrained"
    )
    heat_map(
        axes,
        behind.to_numpy(),
        [str(m) for m in values.index],
        [str(k) for k in values.columns],
        label=f"{criterion.upper()} above the smallest, thousands",
        notes=notes.to_numpy(),
    )
    axes.tick_params(axis="x", rotation=0)
    axes.set(xlabel="number of components", ylabel="covariance model")
    return figure


def components_on_plane(
    rows: pd.DataFrame, outlines: pd.DataFrame, *, kind: str, max_points: int = 4000
) -> Figure:
    """Draw rows on a plane through the mixture: to which component, and how surely.

    Parameters
    ----------
    rows : pandas.DataFrame
        From `cohortlab.mixture.project`: `first, second, component, uncertainty`.
    outlines : pandas.DataFrame
        From `cohortlab.mixture.ellipses`: `component, first, second`.
    kind : {"discriminant", "principal"}
        The plane, named on the axes.
    max_points : int, default 4000
        Where there are more rows, every so-many-th is drawn.

    Returns
    -------
    matplotlib.figure.Figure
        Left, colours are components and ellipses reach one standard deviation; right, dark points
        are those that could as well belong elsewhere. Both have the same axes.
    """
    rows = rows.iloc[:: max(1, -(-len(rows) // max_points))]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9.0, 4.2), layout="constrained", sharex=True, sharey=True
    )
    components = sorted(outlines["component"].unique())
    for component, colour in zip(components, cluster_colours(len(components)), strict=True):
        own = rows[rows["component"] == component]
        left.scatter(own["first"], own["second"], s=5, color=colour, alpha=0.35, linewidths=0)
        line = outlines[outlines["component"] == component]
        left.plot(line["first"], line["second"], color="black", linewidth=2.4)
        left.plot(line["first"], line["second"], color=colour, linewidth=1.4, label=component)
    # The least certain rows are drawn last, on top.
    ordered = rows.sort_values("uncertainty", kind="stable")
    points = right.scatter(
        ordered["first"],
        ordered["second"],
        c=ordered["uncertainty"],
        s=5,
        # Few greys, and none of them white: a palette picture keeps each as it is.
        cmap=ListedColormap(sns.color_palette(["0.86", "0.72", "0.56", "0.38", "0.2", "0.0"])),
        vmin=0.0,
        vmax=0.6,
    )
    figure.colorbar(points, ax=right, label="uncertainty: 1 - largest probability", extend="max")
    left.legend(title="component", fontsize=7, title_fontsize=8, markerscale=2, loc="best")
    left.set(xlabel=f"first {kind} direction", ylabel=f"second {kind} direction")
    right.set(xlabel=f"first {kind} direction")
    left.set_title("components, with one standard deviation", fontsize=9)
    right.set_title("uncertainty of the assignment", fontsize=9)
    # A few far rows would squeeze all others into a corner.
    low, high = rows[["first", "second"]].quantile([0.002, 0.998]).to_numpy()
    reach = np.maximum(high - low, 1e-9) * 0.15
    left.xaxis.set_major_locator(MaxNLocator(6))
    left.set_xlim(low[0] - reach[0], high[0] + reach[0])
    left.set_ylim(low[1] - reach[1], high[1] + reach[1])
    return figure


def merge_entropy(steps: pd.DataFrame) -> Figure:
    """Draw how the entropy of the assignments falls as components merge into clusters.

    Parameters
    ----------
    steps : pandas.DataFrame
        `steps` of `cohortlab.mixture.merge_components`: `n_clusters, entropy, drop`.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the entropy; right, the drop of each merge. A merge that lowers the entropy by little
        joins components that were apart already.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.0), layout="constrained")
    left.plot(steps["n_clusters"], steps["entropy"], "o-", color="C0")
    left.set(xlabel="number of clusters", ylabel="entropy of the assignments")
    merges = steps.iloc[1:]
    right.bar(merges["n_clusters"], merges["drop"], color="C0")
    right.set(xlabel="number of clusters after the merge", ylabel="entropy that it removes")
    for axes in (left, right):
        axes.set_xticks(steps["n_clusters"])
        axes.invert_xaxis()
    return figure
