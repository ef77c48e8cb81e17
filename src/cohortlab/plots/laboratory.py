"""Figures of the laboratory: scores of algorithms over conditions."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from cohortlab.plots.style import MUTED, SEQUENTIAL, cluster_colours, panels, plain

_MARKERS = "osD^vP*X<>p"


def score_lines(
    scores: pd.DataFrame,
    *,
    x: str,
    score: str = "mean",
    panel: str | None = None,
    label: str = "",
    limits: tuple[float, float] | None = None,
    columns: int = 2,
) -> Figure:
    """Draw a score over a condition, a line an algorithm, with its interval where there is one.

    Parameters
    ----------
    scores : pandas.DataFrame
        Columns `algorithm`, `x`, `score` and `panel`; and `low`, `high` for intervals.
    x : str
        The condition; its values are evenly spaced.
    score : str
        The score.
    panel : str, optional
        A column with a panel for each of its values, in order of appearance.
    label : str
        What the score is called on the axis.
    limits : tuple of float, optional
        Where the axis of the score ends; longer intervals are cut off there.
    columns : int
        Panels beside each other.

    Returns
    -------
    matplotlib.figure.Figure
        Each algorithm has one colour and one marker in all panels; lines are set off by a little,
        so that they do not hide each other.
    """
    parts = [("", scores)] if panel is None else list(scores.groupby(panel, sort=False))
    figure, axes = panels(len(parts), columns=columns, width=4.4, height=3.2)
    algorithms = list(dict.fromkeys(scores["algorithm"]))
    places = {value: k for k, value in enumerate(sorted(scores[x].unique()))}
    shifts = np.linspace(-0.18, 0.18, len(algorithms))
    styles = list(zip(algorithms, _colours(len(algorithms)), shifts, _MARKERS, strict=False))
    for part, (title, rows) in zip(axes, parts, strict=True):
        for name, colour, shift, marker in styles:
            own = rows[rows["algorithm"] == name].sort_values(x)
            across = own[x].map(places) + shift
            part.plot(across, own[score], color=colour, marker=marker, markersize=5, label=name)
            if "low" in own:
                part.vlines(across, own["low"], own["high"], color=colour, linewidth=1)
        part.set_xticks(list(places.values()), [f"{value:g}" for value in places])
        part.set(
            title=plain(str(title)), xlabel=x.replace("_", " "), ylabel=label or score, ylim=limits
        )
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(len(algorithms), 6),
        fontsize=8,
        frameon=False,
    )
    return figure


def phase_maps(
    table: pd.DataFrame,
    algorithms: Sequence[str],
    *,
    down: str = "strength",
    across: str = "overlap",
    label: str,
    less_is_better: bool = False,
    columns: int = 4,
) -> Figure:
    """Draw the phase diagram: a mean score over two conditions, a map an algorithm.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns `algorithm`, `mean` and both conditions, a row a cell.
    algorithms : sequence of str
        In the order in which they are drawn.
    down, across : str
        The conditions.
    label : str
        What the score is called.
    less_is_better : bool
        Whether bright cells are small.
    columns : int
        Maps beside each other.

    Returns
    -------
    matplotlib.figure.Figure
        All maps have the same colours, from 0 (or the lowest mean) to 1 (or the highest); bright is
        good.
    """
    figure, axes = panels(len(algorithms), columns=columns, width=2.5, height=2.1)
    low, high = min(0.0, table["mean"].min()), max(1.0, table["mean"].max())
    colours = SEQUENTIAL + "_r" * less_is_better
    for panel, name in zip(axes, algorithms, strict=True):
        own = table[table["algorithm"] == name]
        cells = own.pivot(index=down, columns=across, values="mean").sort_index(ascending=False)
        sns.heatmap(
            cells, ax=panel, vmin=low, vmax=high, cmap=colours, cbar=False, annot=True,
            fmt=".2f", annot_kws={"size": 8}, linewidths=0.5,
        )  # fmt: skip
        panel.set(title=name, xlabel=across.replace("_", " "), ylabel=down.replace("_", " "))
        panel.tick_params(axis="y", rotation=0)
    figure.suptitle(label, fontsize=11)
    return figure


def _colours(n: int) -> list:
    if n <= 10:
        return cluster_colours(n)
    return [*cluster_colours(10), *[MUTED] * (n - 10)]
