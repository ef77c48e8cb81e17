"""Figures of the bipartite step."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import empty_figure, heat_map


def lift_heat_map(
    relations: pd.DataFrame,
    people: Mapping[int, str],
    items: Mapping[int, str],
    *,
    alpha: float = 0.05,
    note: str = "",
) -> Figure:
    """Draw the lift of every pair of clusters, marked where it is more than chance.

    Parameters
    ----------
    relations : pandas.DataFrame
        Columns `person_cluster, item_cluster, lift, q`.
    people, items : mapping of int to str
        Cluster names.
    alpha : float, default 0.05
        Pairs whose corrected p-value `q` is at most this carry a star.
    note : str
        A title, such as what `cohortlab.bipartite.thin_relations` left out.

    Returns
    -------
    matplotlib.figure.Figure
        Colours show the lift on a logarithmic scale, capped at a quarter and at four; numbers are
        the lift itself. Item clusters without a tested pair are not drawn, where others have one.
    """
    if relations.empty:
        return empty_figure("No edge between people and items.")
    tested = relations.loc[relations["q"].notna(), "item_cluster"]
    if len(tested):
        relations = relations[relations["item_cluster"].isin(tested)]
    lift = relations.pivot(index="person_cluster", columns="item_cluster", values="lift")
    q = relations.pivot(index="person_cluster", columns="item_cluster", values="q")
    # A lift of 0 has no logarithm, and is beyond the colours' end like any below a quarter.
    log_lift = np.log2(lift.to_numpy().clip(min=2.0**-10))
    notes = np.array(
        [
            ["" if np.isnan(v) else f"{v:.2f}" + ("*" if s <= alpha else "") for v, s in row]
            for row in np.stack([lift.to_numpy(), q.to_numpy()], axis=-1)
        ]
    )
    figure, axes = plt.subplots(
        figsize=(3.6 + 0.75 * lift.shape[1], 1.6 + 0.42 * len(lift)), layout="constrained"
    )
    rows = [f"{c}: {people[c]}" for c in lift.index]
    columns = [f"{c}: {items[c]}" for c in lift.columns]
    heat_map(axes, log_lift, rows, columns, label="lift", limit=2.0, notes=notes)
    bar = figure.axes[-1]
    bar.set_yticks([-2, -1, 0, 1, 2], ["¼ or less", "½", "1", "2", "4 or more"])
    axes.set(xlabel="", ylabel="")
    axes.set_title(note, fontsize=9)
    return figure
