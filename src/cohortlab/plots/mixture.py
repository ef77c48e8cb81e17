"""Figures of the mixture step: the criterion over the search."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from cohortlab.plots.style import heat_map

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
