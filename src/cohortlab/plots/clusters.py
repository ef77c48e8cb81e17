"""Figures of the clusters step: profiles, sizes, and scatter views."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import (
    cluster_colours,
    empty_figure,
    heat_map,
    panels,
    plain,
    shorten,
    signed_log,
)

MAX_POINTS = 4000
MIN_EXPECTED = 3  # below, an adjusted residual is far from normal


def profile_heat_map(z: pd.DataFrame, names: Mapping[int, str]) -> Figure:
    """Draw how far each cluster's mean of each feature is from the overall mean.

    Parameters
    ----------
    z : pandas.DataFrame of shape (n_clusters, n_features)
        In overall standard deviations, indexed by cluster.
    names : mapping of int to str
        Cluster names.

    Returns
    -------
    matplotlib.figure.Figure
        Blue below the mean, red above; colours are capped at 3, numbers are not.
    """
    figure, axes = plt.subplots(
        figsize=(3.5 + 0.55 * z.shape[1], 1.6 + 0.42 * len(z)), layout="constrained"
    )
    rows = [f"{c}: {names[c]}" for c in z.index]
    label = "cluster mean, in standard deviations from the overall mean"
    heat_map(axes, z.to_numpy(), rows, list(z), label=label, limit=3.0)
    axes.figure.axes[-1].yaxis.label.set_size(7)
    axes.set(xlabel="", ylabel="")
    return figure


def scatter_views(
    features: pd.DataFrame,
    labels: np.ndarray,
    names: Mapping[int, str],
    views: Sequence[Sequence[str]],
    *,
    rng: np.random.Generator,
) -> Figure:
    """Draw the clusters in several pairs of features.

    Parameters
    ----------
    features : pandas.DataFrame
        Unscaled.
    labels : ndarray of int, shape (n_rows,)
        Clusters.
    names : mapping of int to str
        Cluster names.
    views : sequence of pairs of str
        Columns across and up; `log <column>` draws log(1 + value), and below 0 as `signed_log`.
    rng : numpy.random.Generator
        Draws the points shown where there are more than 4,000, and a jitter of at most a third of
        a unit for counts, without which equal points hide each other.

    Returns
    -------
    matplotlib.figure.Figure
        One panel a view and one legend.
    """
    shown = np.arange(len(labels))
    if len(shown) > MAX_POINTS:
        shown = np.sort(rng.choice(shown, MAX_POINTS, replace=False))
    colours = cluster_colours(len(names))
    figure, axes = panels(len(views), columns=2, width=4.2, height=3.2)
    for panel, (across, up) in zip(axes, views, strict=True):
        x, y = (_values(features.iloc[shown], name, rng) for name in (across, up))
        for cluster, colour in zip(sorted(names), colours, strict=True):
            own = labels[shown] == cluster
            panel.scatter(x[own], y[own], s=7, alpha=0.5, color=colour, linewidths=0)
        panel.set(xlabel=_axis_name(across), ylabel=_axis_name(up))
    legend = [(cluster, shorten(names[cluster], 70)) for cluster in sorted(names)]
    handles = [
        plt.Line2D([], [], marker="o", linestyle="", color=colour, label=plain(f"{c}: {text}"))
        for (c, text), colour in zip(legend, colours, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, fontsize=7, frameon=False)
    return figure


def _values(features: pd.DataFrame, name: str, rng: np.random.Generator) -> np.ndarray:
    column = features[name.removeprefix("log ")]
    values = column.to_numpy(dtype=float)
    if pd.api.types.is_integer_dtype(column) and not name.startswith("log "):
        return values + rng.uniform(-0.33, 0.33, len(values))
    return signed_log(values) if name.startswith("log ") else values


def _axis_name(name: str) -> str:
    column = plain(shorten(name.removeprefix("log ")))
    return f"log(1 + {column})" if name.startswith("log ") else column


def sizes_and_certainty(labels: np.ndarray, probability: np.ndarray, names: Mapping) -> Figure:
    """Draw each cluster's size beside how sure the method is of its members.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Clusters.
    probability : ndarray of shape (n_rows,)
        Of each row's own cluster.
    names : mapping of int to str
        Cluster names.

    Returns
    -------
    matplotlib.figure.Figure
        Bars to the left, quartiles of the probability to the right.
    """
    clusters = sorted(names)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(8.6, 1.2 + 0.34 * len(clusters)), sharey=True, layout="constrained"
    )
    colours = cluster_colours(len(clusters))
    rows = [f"{c}: {plain(shorten(names[c], 40))}" for c in clusters]
    sizes = [int((labels == c).sum()) for c in clusters]
    bars = left.barh(rows, sizes, color=colours)
    left.bar_label(bars, labels=[f"{s:,}" for s in sizes], padding=3, fontsize=8)
    left.margins(x=0.18)
    left.set_xlabel("rows")
    boxes = [probability[labels == c] for c in clusters]
    right.boxplot(
        boxes, orientation="horizontal", positions=range(len(clusters)), sym="", widths=0.5
    )
    right.set(xlabel="probability of own cluster", xlim=(-0.02, 1.02))
    left.set_yticks(range(len(clusters)), rows, fontsize=8)
    left.invert_yaxis()
    return figure


def attribute_heat_map(shares: pd.DataFrame, names: Mapping[int, str]) -> Figure:
    """Draw in which clusters each value of an attribute is frequent.

    Parameters
    ----------
    shares : pandas.DataFrame
        From `cohortlab.attributes.attribute_shares`.
    names : mapping of int to str
        Cluster names.

    Returns
    -------
    matplotlib.figure.Figure
        Values down, clusters across. The cell says the share; its colour is the adjusted residual,
        red where the value is more frequent than in the other clusters; capped at 4. Where fewer
        than `MIN_EXPECTED` people are expected the cell stays grey.
    """
    if shares.empty:
        return empty_figure("No value of an attribute is known.")
    keyed = shares.assign(row=shares["attribute"] + ": " + shares["value"])
    order = keyed["row"].drop_duplicates()
    keyed["residual"] = keyed["residual"].where(keyed["expected"] >= MIN_EXPECTED)
    residual = keyed.pivot(index="row", columns="cluster", values="residual").loc[order]
    share = keyed.pivot(index="row", columns="cluster", values="share").loc[order]
    figure, axes = plt.subplots(
        figsize=(3.4 + 0.8 * residual.shape[1], 1.5 + 0.26 * len(residual)), layout="constrained"
    )
    columns = [f"{cluster}: {names[cluster]}" for cluster in residual]
    notes = share.map("{:.0%}".format).to_numpy()
    label = "adjusted residual (beyond 2: unlike the others)"
    heat_map(axes, residual.to_numpy(), order, columns, label=label, limit=4.0, notes=notes)
    axes.figure.axes[-1].yaxis.label.set_size(7)
    axes.set(xlabel="", ylabel="")
    return figure
