"""Figures of the embedding step: the plane, what drives clusters, how many there are."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cohortlab.plots.style import MUTED, heat_map, panels, plain, shorten, signed_log

MAX_POINTS = 4000


def plane_with_clusters(
    places: np.ndarray,
    clusterings: Mapping[str, np.ndarray],
    values: pd.Series,
    *,
    rng: np.random.Generator,
) -> Figure:
    """Draw the plane by each of several clusterings, and by the value that the forest learnt.

    Parameters
    ----------
    places : ndarray of shape (n_rows, 2)
        From `cohortlab.embedding.draw_plane`.
    clusterings : mapping of str to ndarray of int, shape (n_rows,)
        By title, clusters, made in the plane or elsewhere. Their numbers stand in a free place near
        their centres, a line between.
    values : pandas.Series
        Shown as log(1 + value), and below 0 as `signed_log`.
    rng : numpy.random.Generator
        Draws the rows shown where there are more than 4,000.

    Returns
    -------
    matplotlib.figure.Figure
        A panel each. The axes of such a plane have no unit.
    """
    shown = np.arange(len(places))
    if len(shown) > MAX_POINTS:
        shown = np.sort(rng.choice(shown, MAX_POINTS, replace=False))
    n_panels = len(clusterings) + 1
    figure, grid = panels(n_panels, columns=3, width=4.6 if n_panels < 3 else 4.2, height=4.0)
    for axes, (title, labels) in zip(grid, clusterings.items(), strict=False):
        _draw_clusters(axes, places, labels, shown)
        axes.set_title(plain(shorten(title, 44)), fontsize=11)
    x, y = places[shown].T
    points = grid[-1].scatter(x, y, c=signed_log(values.to_numpy()[shown]), cmap="cividis", s=6)
    figure.colorbar(points, ax=grid[-1], label=f"log(1 + {plain(values.name)})")
    grid[-1].set_title("by what the forest learnt", fontsize=11)
    for axes in grid:
        axes.set(xlabel="plane, first axis (no unit)", ylabel="plane, second axis (no unit)")
    return figure


def _draw_clusters(axes: Axes, places: np.ndarray, labels: np.ndarray, shown: np.ndarray) -> None:
    x, y = places[shown].T
    axes.scatter(x, y, c=labels[shown] % 20, cmap="tab20", vmin=0, vmax=19, s=6, linewidths=0)
    taken = places[shown]
    for cluster in np.unique(labels):
        own = places[labels == cluster]
        # The member nearest to the middle, which may itself lie between islands.
        centre = own[np.argmin(np.linalg.norm(own - np.median(own, axis=0), axis=1))]
        spot = _free_spot(centre, taken)
        line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.8, "shrinkA": 6, "shrinkB": 0}
        axes.annotate(
            str(cluster), centre, spot, ha="center", va="center", fontsize=9, arrowprops=line
        )
        # The next number keeps away from this one as from an island.
        taken = np.vstack([taken, np.repeat(spot[None], 50, axis=0)])


def _free_spot(centre: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Find the place near a centre where a number hides fewest points, the nearest of several."""
    unit = np.ptp(taken, axis=0) / 30
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    around = np.column_stack([np.cos(angles), np.sin(angles)])
    spots = centre + unit * np.vstack([radius * around for radius in (1.5, 2.5, 3.5, 4.5)])
    hidden = (np.abs(spots[:, None] - taken) < unit).all(axis=2).sum(axis=1)
    inside = ((spots >= taken.min(axis=0)) & (spots <= taken.max(axis=0))).all(axis=1)
    return spots[np.argmin(np.where(inside, hidden, len(taken)))]


def drivers(table: pd.DataFrame, names: Mapping[int, str]) -> Figure:
    """Draw the probability that a member exceeds a non-member, cluster by feature.

    Parameters
    ----------
    table : pandas.DataFrame
        From `cohortlab.embedding.exceedance`.
    names : mapping of int to str
        What to call the clusters.

    Returns
    -------
    matplotlib.figure.Figure
        Cells say the probability; colours run from blue (0) over white (0.5) to red (1).
    """
    size = (4.6 + 0.6 * table.shape[1], 1.6 + 0.36 * len(table))
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    rows = [f"{c}: {names[c]}" for c in table.index]
    notes = table.map("{:.2f}".format).to_numpy()
    colours = {"label": "P(member > non-member)", "limit": 0.5, "centre": 0.5}
    heat_map(axes, table.to_numpy(), rows, list(table), notes=notes, **colours)
    axes.figure.axes[-1].yaxis.label.set_size(8)
    axes.set(xlabel="", ylabel="")
    return figure


def numbers_of_clusters(spaces: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> Figure:
    """Draw the four criteria by number of clusters, a colour each space.

    Parameters
    ----------
    spaces : mapping of str to pair of DataFrame
        By name of the space, `number_table` and `gap_statistic` of it.

    Returns
    -------
    matplotlib.figure.Figure
        Four panels.
    """
    criteria = {
        "within": "sum of squares, share of that at k = 2 (elbow)",
        "silhouette": "silhouette (larger is better)",
        "davies_bouldin": "Davies-Bouldin (smaller is better)",
    }
    figure, axes = panels(4, columns=2, width=4.3, height=2.6)
    for marker, (space, (table, gap)) in zip("osD^", spaces.items(), strict=False):
        for panel, (name, label) in zip(axes, criteria.items(), strict=False):
            values = table[name] / table[name].iloc[0] if name == "within" else table[name]
            panel.plot(table["k"], values, marker=marker, markersize=4, label=space)
            panel.set_ylabel(label, fontsize=8)
        axes[3].errorbar(
            gap["k"], gap["gap"], gap["error"], marker=marker, markersize=4, capsize=2, label=space
        )
    axes[3].set_ylabel("gap, with its standard error", fontsize=8)
    for panel in axes:
        panel.set_xlabel("number of clusters k")
    axes[0].legend(fontsize=8)
    return figure


def beside_null(table: pd.DataFrame) -> Figure:
    """Draw each route's own silhouette beside that of customers whose columns were shuffled.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by route: `silhouette`, and `null_low` and `null_high`, the range over the nulls.

    Returns
    -------
    matplotlib.figure.Figure
        A dot for the customers, a bar for the nulls.
    """
    figure, axes = plt.subplots(figsize=(6.6, 1.2 + 0.4 * len(table)), layout="constrained")
    y = np.arange(len(table))
    span = table["null_high"] - table["null_low"]
    axes.barh(
        y,
        span.clip(lower=0.006),
        left=table["null_low"],
        color=MUTED,
        height=0.5,
        label="columns shuffled",
    )
    axes.plot(table["silhouette"], y, "o", color="C0", label="customers")
    # Bars claim the edge where they begin, and the first would lie on the frame.
    axes.use_sticky_edges = False
    axes.set_yticks(y, [plain(shorten(name)) for name in table.index])
    axes.invert_yaxis()
    axes.set_xlabel("mean silhouette in the route's own space")
    axes.legend(fontsize=8)
    return figure
