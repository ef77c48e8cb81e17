"""Figures of the truth step: what was planted beside what was found."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import empty_figure, heat_map, logarithmic, panels, plain, shorten


def confusion_heat_map(shares: pd.DataFrame) -> Figure:
    """Draw which share of each planted type went to which cluster.

    Parameters
    ----------
    shares : pandas.DataFrame of shape (n_types, n_clusters)
        Rows sum to one; rows and columns in matched order.

    Returns
    -------
    matplotlib.figure.Figure
        A heat map; a perfect recovery is a diagonal of ones.
    """
    figure, axes = plt.subplots(
        figsize=(2.6 + 0.62 * shares.shape[1], 1.8 + 0.42 * len(shares)), layout="constrained"
    )
    notes = np.where(shares.to_numpy() >= 0.005, shares.round(2).astype(str).to_numpy(), "")
    heat_map(
        axes,
        shares.to_numpy(),
        [str(r) for r in shares.index],
        [str(c) for c in shares.columns],
        label="share of the planted type",
        notes=notes,
    )
    axes.set(xlabel="found cluster", ylabel="planted type")
    return figure


def planted_against_found(compared: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the lift of every planted pair against the lift that was found, a panel a comparison.

    Parameters
    ----------
    compared : mapping of str to pandas.DataFrame
        By title the cells, with columns `planted_person, planted_item, planted_lift, found_lift`.

    Returns
    -------
    matplotlib.figure.Figure
        A point a pair on logarithmic axes; a perfect recovery lies on the diagonal. The three
        pairs furthest from it carry their names.
    """
    cells = {
        title: frame[(frame["planted_lift"] > 0) & (frame["found_lift"] > 0)]
        for title, frame in compared.items()
    }
    lifts = pd.concat(cells.values())[["planted_lift", "found_lift"]].to_numpy()
    if not lifts.size:
        return empty_figure("No pair of clusters to compare.")
    span = [lifts.min() / 1.2, lifts.max() * 1.2]
    figure, axes = panels(len(cells), columns=2, width=4.2, height=3.8)
    for panel, (title, own) in zip(axes, cells.items(), strict=True):
        panel.plot(span, span, color="0.6", linewidth=1)
        panel.scatter(own["planted_lift"], own["found_lift"], s=26)
        distance = (np.log(own["found_lift"]) - np.log(own["planted_lift"])).abs()
        for row in own.loc[distance.nlargest(3).index].itertuples():
            panel.annotate(
                plain(f"{shorten(str(row.planted_person))}, {shorten(str(row.planted_item))}"),
                (row.planted_lift, row.found_lift),
                fontsize=7,
                xytext=(4, 4),
                textcoords="offset points",
            )
        logarithmic(panel.xaxis)
        logarithmic(panel.yaxis)
        panel.set(xlim=span, ylim=span, title=plain(shorten(title, 50)))
        panel.set(xlabel="planted lift", ylabel="found lift")
    return figure
