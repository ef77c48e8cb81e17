"""Figures of the lesson: populations that overlap, and an incidence put in order."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import sparse

from cohortlab.plots.style import cluster_colours, panels, plain


def population_views(
    populations: Mapping[str, pd.DataFrame], *, x: str, y: str, cluster: str, columns: int = 3
) -> Figure:
    """Draw populations by two features, coloured by their true cluster, a panel each.

    Parameters
    ----------
    populations : mapping of str to pandas.DataFrame
        By title.
    x, y : str
        Columns of the features.
    cluster : str
        Column of the true cluster.
    columns : int
        Panels beside each other.

    Returns
    -------
    matplotlib.figure.Figure
        The panels, each with its own axes: where clusters are made wider, so is the picture.
    """
    figure, axes = panels(len(populations), columns=columns, width=2.7, height=2.3)
    kinds = sorted({kind for rows in populations.values() for kind in rows[cluster]})
    for panel, (title, rows) in zip(axes, populations.items(), strict=True):
        for kind, colour in zip(kinds, cluster_colours(len(kinds)), strict=True):
            own = rows[rows[cluster] == kind]
            panel.scatter(own[x], own[y], s=8, color=colour, alpha=0.7, linewidths=0, label=kind)
        panel.set(title=plain(title), xlabel=plain(x), ylabel=plain(y))
    handles = [
        plt.Line2D([], [], marker="o", linestyle="", color=colour, label=plain(kind))
        for kind, colour in zip(kinds, cluster_colours(len(kinds)), strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=6, fontsize=8, frameon=False)
    return figure


def incidence_in_order(
    incidence: sparse.sparray, orders: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> Figure:
    """Draw who bought what as dots, people down and items across, in several orders.

    Parameters
    ----------
    incidence : sparse array of shape (n_people, n_items)
        Edges.
    orders : mapping of str to tuple of ndarray
        By title the labels of the people and of the items: those of one label stand together,
        between lines.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each order.
    """
    figure, axes = panels(len(orders), columns=4, width=2.0, height=2.2)
    for panel, (title, labels) in zip(axes, orders.items(), strict=True):
        codes = [np.unique(side, return_inverse=True)[1] for side in labels]
        rows, columns = (np.argsort(side, kind="stable") for side in codes)
        ordered = sparse.csr_array(incidence)[rows][:, columns].toarray() > 0
        panel.imshow(~ordered, cmap="gray", aspect="auto", interpolation="nearest", vmin=0, vmax=1)
        for side, line in zip(codes, (panel.axhline, panel.axvline), strict=True):
            for border in np.bincount(side).cumsum()[:-1]:
                line(border - 0.5, color="#d55e00", linewidth=1)
        panel.set(title=plain(title), xlabel="items", ylabel="people", xticks=[], yticks=[])
        panel.grid(visible=False)
    return figure
