"""Figures of the segments step: the score grid, views, revenue, movement, and predictions."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from cohortlab.plots.style import (
    EMPTY,
    MUTED,
    cluster_colours,
    few_ticks,
    heat_map,
    ink_on,
    logarithmic,
    panels,
    plain,
    shorten,
)

MAX_POINTS = 500
_SCORES = range(1, 6)
_MEASURES = {
    "recency": "days since the last purchase",
    "frequency": "invoices",
    "monetary": "money spent, currency",
}


def score_grid(assigned: pd.DataFrame, monetary: pd.Series, names: list[str]) -> Figure:
    """Draw the grid of recency and frequency scores: whose it is, how many, and their money.

    Parameters
    ----------
    assigned : pandas.DataFrame
        `segment, recency_score, frequency_score` by customer.
    monetary : pandas.Series
        Money by customer, the same index.
    names : list of str
        All segments, which fixes their colours.

    Returns
    -------
    matplotlib.figure.Figure
        Left the most frequent segment of each cell with its number of customers, right the mean
        money of each cell; a cell without customers is grey.
    """
    cells = [assigned["recency_score"], assigned["frequency_score"]]
    counts, money = (_grid(monetary.groupby(cells).agg(how)) for how in ("size", "mean"))
    owner = assigned["segment"].groupby(cells).agg(lambda own: names.index(own.mode()[0]))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.2), layout="constrained")
    colours = ListedColormap(cluster_colours(len(names)))
    limits = {"vmin": -0.5, "vmax": len(names) - 0.5}
    owners = np.ma.masked_invalid(_grid(owner))
    mesh = left.pcolormesh(owners, cmap=colours, edgecolors="white", alpha=0.75, **limits)
    inks = ink_on(mesh.to_rgba(owners, alpha=0.75), under=EMPTY)
    look = {"ha": "center", "va": "center", "fontsize": 9}
    for (row, column), count in np.ndenumerate(np.nan_to_num(counts)):
        left.text(column + 0.5, row + 0.5, f"{count:,.0f}", color=inks[row, column], **look)
    present = [n for n in names if n in set(assigned["segment"])]
    _legend(figure, present, names, marker="s", markersize=9, alpha=0.75)
    left.set_title("customers, coloured by segment")
    right.set_title("mean money of a customer, currency")
    notes = np.vectorize(lambda value: "" if np.isnan(value) else f"{value:,.0f}")(money)
    # What is no money has no logarithm; it has the colour of a hundredth.
    money, scores = np.maximum(money, 0.01), list("12345")
    heat_map(right, np.log10(money), scores, scores, label="", notes=notes)
    right.figure.axes[-1].set_ylabel("its logarithm, base 10", fontsize=8)
    for axes in (left, right):
        axes.set(xlabel="frequency score", ylabel="recency score (5: lately)", facecolor=EMPTY)
        axes.set_xticks(np.arange(5) + 0.5, list("12345"), rotation=0, ha="center")
        axes.set_yticks(np.arange(5) + 0.5, list("12345"))
        axes.tick_params(labelsize=10)
        axes.set_ylim(0, 5)
        axes.grid(visible=False)
    return figure


def _grid(values: pd.Series) -> np.ndarray:
    return values.unstack().reindex(index=_SCORES, columns=_SCORES).to_numpy(dtype=float)


def _legend(
    figure: Figure, shown: list[str], names: list[str], place: dict | None = None, **look: object
) -> None:
    colours = dict(zip(names, cluster_colours(len(names)), strict=True))
    look = {"marker": "o", "linestyle": ""} | look
    texts = [plain(shorten(name, 40)) for name in shown]
    handles = [plt.Line2D([], [], color=colours[name], **look) for name in shown]
    place = place or {"loc": "outside lower center", "ncols": 5}
    figure.legend(handles, texts, fontsize=8, frameon=False, **place)


def plane_views(
    rfm: pd.DataFrame, segments: pd.Series, names: list[str], *, rng: np.random.Generator
) -> Figure:
    """Draw the customers in the plane, two measures at a time.

    Parameters
    ----------
    rfm : pandas.DataFrame
        `recency`, `frequency` and `monetary`.
    segments : pandas.Series of str
        Segment by customer, the same index.
    names : list of str
        All segments, which fixes their colours.
    rng : numpy.random.Generator
        Draws the points shown where there are more than 500, and moves counts by at most a
        third of a unit, without which equal points hide each other.

    Returns
    -------
    matplotlib.figure.Figure
        Two views; frequency and money on logarithmic scales.
    """
    values, point = _points(rfm, segments, names, rng)
    figure, axes = panels(2, columns=2, width=3.9, height=3.1)
    for panel, up in zip(axes, ("frequency", "monetary"), strict=True):
        panel.scatter(values["recency"], values[up], **point)
        panel.set(xlabel=_MEASURES["recency"], ylabel=_MEASURES[up], yscale="log")
    logarithmic(axes[0].yaxis)
    _legend(figure, [n for n in names if n in set(segments)], names)
    return figure


def space_view(
    rfm: pd.DataFrame, segments: pd.Series, names: list[str], *, rng: np.random.Generator
) -> Figure:
    """Draw the customers in space, by all three measures.

    Parameters
    ----------
    rfm, segments, names, rng
        As for `plane_views`.

    Returns
    -------
    matplotlib.figure.Figure
        A view in space, with a legend; frequency and money on logarithmic scales.
    """
    values, point = _points(rfm, segments, names, rng)
    # Axes in space know no logarithmic scale: logarithms are drawn, and ticks say the values.
    logs = np.log10(values[["frequency", "monetary"]])
    figure = plt.figure(figsize=(6.4, 4.2))
    axes = figure.add_axes((0.0, 0.06, 0.66, 0.94), projection="3d")
    axes.scatter(values["recency"], logs["frequency"], logs["monetary"], **point)
    for axis, name in ((axes.yaxis, "frequency"), (axes.zaxis, "monetary")):
        ticks = few_ticks(max(values[name].min(), rfm[name].min()), values[name].max())
        axis.set_ticks(np.log10(ticks), [f"{tick:,.12g}" for tick in ticks])
    for axis, name in zip((axes.xaxis, axes.yaxis, axes.zaxis), _MEASURES.values(), strict=True):
        axis.set_label_text(name, fontsize=8)
    axes.tick_params(labelsize=7)
    present = [name for name in names if name in set(segments)]
    _legend(figure, present, names, {"loc": "center right"})
    axes.view_init(elev=22, azim=-50)
    return figure


def _points(
    rfm: pd.DataFrame, segments: pd.Series, names: list[str], rng: np.random.Generator
) -> tuple[pd.DataFrame, dict]:
    """Choose and move the points that are drawn, and say how."""
    shown = np.arange(len(rfm))
    if len(shown) > MAX_POINTS:
        shown = np.sort(rng.choice(shown, MAX_POINTS, replace=False))
    values = rfm.iloc[shown].astype(float)
    for name in ("recency", "frequency"):
        values[name] += rng.uniform(-0.33, 0.33, len(values))
    # A purchase for nothing has no logarithm; it is drawn at a hundredth.
    values["monetary"] = values["monetary"].clip(lower=0.01)
    colours = dict(zip(names, cluster_colours(len(names)), strict=True))
    seen = [colours[name] for name in segments.iloc[shown]]
    return values, {"c": seen, "s": 6, "alpha": 0.7, "linewidths": 0}


def revenue_bars(summary: pd.DataFrame) -> Figure:
    """Draw each segment's share of the customers beside its share of the revenue.

    Parameters
    ----------
    summary : pandas.DataFrame
        `segment, share, revenue_share, customers`, from the best segment.

    Returns
    -------
    matplotlib.figure.Figure
        Two bars a segment.
    """
    figure, axes = plt.subplots(figsize=(7.6, 1.2 + 0.42 * len(summary)), layout="constrained")
    rows = np.arange(len(summary))
    for move, column, label, colour in (
        (-0.2, "share", "of the customers", MUTED),
        (0.2, "revenue_share", "of the revenue", cluster_colours(1)[0]),
    ):
        bars = axes.barh(rows + move, 100 * summary[column], 0.38, label=label, color=colour)
        axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    labels = [plain(shorten(name)) for name in summary["segment"]]
    axes.set_yticks(rows, labels, fontsize=9)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    axes.set_xlabel("share, %")
    axes.legend(fontsize=8, loc="best")
    axes.grid(visible=False, axis="y")
    return figure


def lorenz(curves: dict[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Draw Lorenz curves.

    Parameters
    ----------
    curves : dict of str to (customers, total)
        By label the cumulative shares, as from `segments.lorenz_curve`.

    Returns
    -------
    matplotlib.figure.Figure
        The curves below the line of equality.
    """
    figure, axes = plt.subplots(figsize=(4.8, 4.4), layout="constrained")
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=1, linestyle="--", label="equality")
    colours = cluster_colours(len(curves))
    for (label, (customers, total)), colour, style in zip(
        curves.items(), colours, ["-", "-.", ":"], strict=False
    ):
        axes.plot(100 * customers, 100 * total, color=colour, linestyle=style, label=plain(label))
    axes.set(xlabel="customers, from those who spend least, %", ylabel="revenue, %")
    axes.set_aspect("equal")
    axes.legend(fontsize=8)
    return figure


def migration_heat_map(counts: pd.DataFrame) -> Figure:
    """Draw where the members of each segment went.

    Parameters
    ----------
    counts : pandas.DataFrame of int
        Segments before down, after across.

    Returns
    -------
    matplotlib.figure.Figure
        Colours are shares of the row, numbers are customers; a row without customers is grey.
    """
    figure, axes = plt.subplots(
        figsize=(3.4 + 0.62 * counts.shape[1], 2.0 + 0.38 * len(counts)), layout="constrained"
    )
    totals = counts.sum(axis=1)
    shares = counts.div(totals.where(totals > 0), axis=0).to_numpy(dtype=float)
    notes = np.where(counts.to_numpy() > 0, counts.map("{:,}".format).to_numpy(), "")
    heat_map(
        axes,
        100 * shares,
        [f"{name} ({n:,})" for name, n in totals.items()],
        list(counts),
        label="share of the earlier segment, %",
        notes=notes,
    )
    axes.set(xlabel="segment at the end of the log", ylabel="segment before")
    return figure


def predicted_against_actual(by_repeats: pd.DataFrame, tracking: pd.DataFrame, split: float):
    """Draw what a model of repeat buying foresaw beside what happened.

    Parameters
    ----------
    by_repeats : pandas.DataFrame
        Indexed by repeat purchases before the split; mean `actual`, `predicted` and `naive`
        purchases after it.
    tracking : pandas.DataFrame
        `week`, and cumulative `expected` and `actual` repeat purchases.
    split : float
        Week up to which the model saw the log.

    Returns
    -------
    matplotlib.figure.Figure
        Left by customers' history, right by week.
    """
    figure, (left, right) = panels(2, columns=2, width=4.6, height=3.6)
    looks = {"actual": ("o", "-"), "predicted": ("s", "--"), "naive": ("^", ":")}
    colours = dict(zip(looks, cluster_colours(3), strict=True))
    for name, (marker, line) in looks.items():
        label = "own rate carried on" if name == "naive" else name
        style = {"marker": marker, "linestyle": line, "color": colours[name], "label": label}
        left.plot(list(by_repeats.index), by_repeats[name], **style)
    left.set(xlabel="repeat purchases before the split", ylabel="mean purchases after it")
    left.legend(fontsize=8)
    for name, label in (("actual", "actual"), ("expected", "predicted")):
        colour = colours["actual" if name == "actual" else "predicted"]
        line = "-" if name == "actual" else "--"
        right.plot(tracking["week"], tracking[name], line, color=colour, label=label)
    right.axvline(split, color=MUTED, linewidth=1)
    right.annotate(
        "model saw the log up to here",
        (split, 0.03),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        fontsize=8,
    )
    right.set(xlabel="week of the log", ylabel="repeat purchases so far")
    right.legend(fontsize=8)
    return figure
