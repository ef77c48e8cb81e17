"""Figures of the mixture step: the criterion over the search."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.collections import PathCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from cohortlab.plots.style import cluster_colours, heat_map, spread_labels

MARKERS = "os^vD<>ph*XPd8"
_VETOED = {"fill": False, "hatch": "//", "edgecolor": (1.0, 1.0, 1.0, 0.35), "linewidth": 0}
_COLOURED = 0.875
_LABEL_INCHES = 0.2


def criterion_lines(
    table: pd.DataFrame, *, criterion: str = "bic", chosen: tuple[str, int] | None = None
) -> Figure:
    """Draw the criterion against the number of components, a line for each covariance model.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a cell: `model, n_components, verdict`, the criterion and its `sound_` figure.
    criterion : {"bic", "icl", "aic"}, default "bic"
        The column to draw; smaller is better.
    chosen : tuple of (str, int), optional
        Model and number of components of the choice, which gets a ring.

    Returns
    -------
    matplotlib.figure.Figure
        Left all cells, right the lower end. Lines are of the raw figure; filled marks are sound
        optima, hollow ones were vetoed; a missing one has no fit.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.0), layout="constrained")
    models = list(table["model"].drop_duplicates())
    colours = sns.color_palette("colorblind" if len(models) <= 10 else "husl", len(models))
    for axes in (left, right):
        for model, colour, marker in zip(models, colours, MARKERS, strict=False):
            own = table[table["model"] == model].sort_values("n_components")
            _line(axes, own, criterion, colour, marker)
        _ring(axes, table, criterion, chosen)
        axes.set_xlabel("number of components")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    left.set_ylabel(f"{criterion.upper()} (smaller is better)")
    left.legend(title="model", fontsize=7, title_fontsize=8, ncols=1 + (len(models) > 7))
    left.set_title("filled: sound; hollow: vetoed; ring: the choice", fontsize=9)
    low, high = table[criterion].min(), table[criterion].max()
    settled = table[f"sound_{criterion}"].min()
    top = (low if np.isnan(settled) else settled) + 0.06 * (high - low)
    if top > low:
        right.set_ylim(low - 0.1 * (top - low), top)
    right.set_title("the lower end", fontsize=9)
    return figure


def _line(axes: plt.Axes, own: pd.DataFrame, criterion: str, colour: tuple, marker: str) -> None:
    vetoed = own[own["verdict"] != "ok"]
    axes.plot(own["n_components"], own[criterion], color=colour, linewidth=1)
    hollow = {"markerfacecolor": "white", "markersize": 5, "color": colour}
    axes.plot(vetoed["n_components"], vetoed[criterion], marker, **hollow)
    axes.plot(
        own["n_components"],
        own[f"sound_{criterion}"],
        marker,
        color=colour,
        markersize=5,
        label=own["model"].iloc[0],
    )


def _ring(axes: plt.Axes, table: pd.DataFrame, criterion: str, chosen: tuple | None) -> None:
    if chosen is None:
        return
    cell = table[(table["model"] == chosen[0]) & (table["n_components"] == chosen[1])]
    values = cell[f"sound_{criterion}"].fillna(cell[criterion])
    axes.scatter(
        cell["n_components"], values, s=170, facecolors="none", edgecolors="black", zorder=3
    )


def criterion_heat_map(
    table: pd.DataFrame, *, criterion: str = "bic", chosen: tuple[str, int] | None = None
) -> Figure:
    """Draw how far every cell of the search is from the best sound one.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a cell: `model, n_components, verdict`, the criterion and its `sound_` figure.
    criterion : {"bic", "icl", "aic"}, default "bic"
        The column to draw.
    chosen : tuple of (str, int), optional
        Model and number of components of the choice, which gets a frame.

    Returns
    -------
    matplotlib.figure.Figure
        Differences to the lowest sound figure, or to the lowest of all where none is sound; `k`
        means thousands. Hatched cells with an `x` are vetoed, and may lie below: junk does. The
        colours run over the sound cells, but the farthest eighth.
    """
    models = list(table["model"].drop_duplicates())
    by = {"index": "model", "columns": "n_components"}
    values = table.pivot(values=criterion, **by).loc[models]
    sound = table.pivot(values="verdict", **by).loc[models] == "ok"
    settled = table[f"sound_{criterion}"].min()
    behind = values - (np.nanmin(values.to_numpy()) if np.isnan(settled) else settled)
    notes = behind.map(_short) + sound.map(lambda s: "" if s else " x")
    figure, axes = plt.subplots(
        figsize=(2.2 + 0.7 * values.shape[1], 1.4 + 0.34 * len(values)), layout="constrained"
    )
    heat_map(
        axes,
        behind.to_numpy(),
        models,
        [str(k) for k in values.columns],
        label=f"{criterion.upper()} above the\nlowest sound one",
        span=_middle(behind, sound),
        notes=notes.to_numpy(),
    )
    for row, column in np.argwhere((~sound & behind.notna()).to_numpy()):
        axes.add_patch(Rectangle((column, row), 1, 1, **_VETOED))
    if chosen is not None:
        corner = (list(values.columns).index(chosen[1]), models.index(chosen[0]))
        axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor="red", linewidth=2))
    axes.tick_params(axis="x", rotation=0)
    axes.set(xlabel="number of components", ylabel="covariance model")
    return figure


def _middle(behind: pd.DataFrame, sound: pd.DataFrame) -> tuple[float, float]:
    """Choose where colours begin and end, so that one far cell does not flatten all others."""
    own = behind.where(sound).to_numpy()
    own = own[np.isfinite(own)]
    if not own.size:
        own = behind.to_numpy()[np.isfinite(behind.to_numpy())]
    low, high = float(own.min()), float(np.quantile(own, _COLOURED, method="higher"))
    return low, high if high > low else low + 1.0


def _short(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.0f}" if abs(value) < 1000 else f"{value / 1000:.1f}k"


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
    shown = rows.iloc[:: max(1, -(-len(rows) // max_points))]
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9.0, 4.2), layout="constrained", sharex=True, sharey=True
    )
    _show_most(left, rows)
    _components(left, shown, outlines)
    figure.colorbar(
        _uncertainty(right, shown),
        ax=right,
        label="uncertainty: 1 - largest probability",
        extend="max",
    )
    left.set(xlabel=f"first {kind} direction", ylabel=f"second {kind} direction")
    right.set(xlabel=f"first {kind} direction")
    left.set_title("components by number, with one standard deviation", fontsize=9)
    right.set_title("uncertainty of the assignment", fontsize=9)
    return figure


def _components(axes: plt.Axes, rows: pd.DataFrame, outlines: pd.DataFrame) -> None:
    components = sorted(outlines["component"].unique())
    colours = cluster_colours(len(components))
    for component, colour in zip(components, colours, strict=True):
        own = rows[rows["component"] == component]
        axes.scatter(own["first"], own["second"], s=5, color=colour, alpha=0.35, linewidths=0)
        line = outlines[outlines["component"] == component]
        axes.plot(line["first"], line["second"], color="black", linewidth=2.4)
        axes.plot(line["first"], line["second"], color=colour, linewidth=1.4)
    centres = outlines.groupby("component")[["first", "second"]].mean().loc[components].to_numpy()
    reach = [np.ptp(axes.get_xlim()), np.ptp(axes.get_ylim())]
    # Constrained layout leaves about 3.4 inches to each panel, both ways.
    places = spread_labels(centres, tuple(_LABEL_INCHES / 3.4 * side for side in reach))
    for component, colour, centre, place in zip(components, colours, centres, places, strict=True):
        _number(axes, str(component), colour, centre, place)


def _number(axes: plt.Axes, text: str, colour: tuple, centre: np.ndarray, place: np.ndarray):
    """Write a number at a place, with a line to the centre that it stands for."""
    axes.annotate(
        text,
        centre,
        place,
        ha="center",
        va="center",
        fontsize=8,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": colour},
        arrowprops={"arrowstyle": "-", "color": "black", "linewidth": 0.8, "shrinkB": 0},
    )


def _uncertainty(axes: plt.Axes, rows: pd.DataFrame) -> PathCollection:
    # The least certain rows are drawn last, on top.
    ordered = rows.sort_values("uncertainty", kind="stable")
    return axes.scatter(
        ordered["first"],
        ordered["second"],
        c=ordered["uncertainty"],
        s=5,
        # Few greys, and none of them white: a palette picture keeps each as it is.
        cmap=ListedColormap(sns.color_palette(["0.86", "0.72", "0.56", "0.38", "0.2", "0.0"])),
        vmin=0.0,
        vmax=0.6,
    )


def _show_most(axes: plt.Axes, rows: pd.DataFrame) -> None:
    """Leave out a few far rows, which would squeeze all others into a corner."""
    low, high = rows[["first", "second"]].quantile([0.002, 0.998]).to_numpy()
    reach = np.where(high > low, 0.15 * (high - low), 1.0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlim(low[0] - reach[0], high[0] + reach[0])
    axes.set_ylim(low[1] - reach[1], high[1] + reach[1])


def components_on_line(rows: pd.DataFrame, bells: pd.DataFrame, *, label: str) -> Figure:
    """Draw a mixture of one feature: rows as a histogram, components as bells over it.

    Parameters
    ----------
    rows : pandas.DataFrame
        `value, uncertainty`, one row a sample.
    bells : pandas.DataFrame
        From `cohortlab.mixture.bells`: `component, value, density`.
    label : str
        The feature, with its unit.

    Returns
    -------
    matplotlib.figure.Figure
        Above, the black line is the sum of the bells; below, how uncertain a row's component is.
    """
    figure, (upper, lower) = plt.subplots(
        2, 1, figsize=(7.0, 4.4), layout="constrained", sharex=True, height_ratios=[3, 1]
    )
    low, high = bells["value"].agg(["min", "max"])
    inside = rows["value"][rows["value"].between(low, high)]
    edges = np.histogram_bin_edges(inside, bins=min(60, 5 + len(rows) // 10))
    share = np.full(len(inside), 1 / len(rows))
    heights, _ = np.histogram(inside, edges, weights=share)
    upper.stairs(heights / np.diff(edges), edges, fill=True, color="0.8")
    upper.plot(bells.groupby("value")["density"].sum(), color="black", linewidth=1)
    components = bells.groupby("component")
    for colour, (component, own) in zip(cluster_colours(len(components)), components, strict=True):
        upper.plot(own["value"], own["density"], color=colour, linewidth=2, label=component)
    upper.set(ylabel="density")
    upper.legend(title="component", fontsize=8, title_fontsize=8)
    ordered = rows.sort_values("value")
    lower.plot(ordered["value"], ordered["uncertainty"], ".", color="0.2", markersize=3)
    lower.set(xlabel=label, ylabel="uncertainty", xlim=(low, high), ylim=(-0.03, None))
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
    for axes, ticks in ((left, steps["n_clusters"]), (right, merges["n_clusters"])):
        axes.set_xticks(ticks)
        axes.invert_xaxis()
    return figure
