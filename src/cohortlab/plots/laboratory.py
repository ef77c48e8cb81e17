"""Figures of the laboratory: scores of algorithms over conditions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cohortlab.laboratory import FINDERS
from cohortlab.plots.style import SEQUENTIAL, cluster_colours, ink_on, panels, plain

# Yellow, the faintest, goes to single linkage, which is at the bottom of most figures anyway.
_COLOURS = [*(cluster_colours(10)[k] for k in (0, 1, 2, 3, 8, 5, 6, 7, 4, 9)), "0.1"]
#: Algorithm -> colour and marker, the same in every figure.
_LOOKS = dict(zip(FINDERS, zip(_COLOURS, "osD^vP*X<>p", strict=True), strict=True))


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
        Columns `algorithm` (names of `FINDERS`), `x`, `score` and `panel`; and `low`, `high` for
        intervals.
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
        Each algorithm has one colour and one marker in all panels and all figures; lines are set
        off by a little, so that they do not hide each other.
    """
    parts = [("", scores)] if panel is None else list(scores.groupby(panel, sort=False))
    figure, axes = panels(len(parts), columns=columns, width=3.7, height=2.5)
    algorithms = list(dict.fromkeys(scores["algorithm"]))
    places = {value: k for k, value in enumerate(sorted(scores[x].unique()))}
    shifts = np.linspace(-0.18, 0.18, len(algorithms))
    styles = [(name, *_LOOKS[name], shift) for name, shift in zip(algorithms, shifts, strict=True)]
    for part, (title, rows) in zip(axes, parts, strict=True):
        for name, colour, marker, shift in styles:
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
    trials: pd.DataFrame,
    algorithms: Sequence[str],
    *,
    score: str,
    down: str = "strength",
    across: str = "overlap",
    label: str,
    less_is_better: bool = False,
    limits: tuple[float, float] | None = None,
    marks: Mapping[float, str] | None = None,
    columns: int = 4,
) -> Figure:
    """Draw the phase diagram: a mean score over two conditions, a map an algorithm.

    Parameters
    ----------
    trials : pandas.DataFrame
        Columns `algorithm`, `score` and both conditions.
    algorithms : sequence of str
        In the order in which they are drawn.
    score : str
        Whose mean over all trials of a cell is shown.
    down, across : str
        The conditions.
    label : str
        What the score is called.
    less_is_better : bool
        Whether bright cells are small.
    limits : tuple of float, optional
        Where the colours end; means beyond look like the nearer end, which the bar shows by an
        arrow. From 0 (or the lowest mean) to 1 (or the highest) by default.
    marks : mapping of float to str, optional
        Values that are marked on the bar of the colours, and what to call them; its ends by
        default.
    columns : int
        Maps beside each other.

    Returns
    -------
    matplotlib.figure.Figure
        All maps have the same colours, which the bar explains; bright is good.
    """
    figure, axes = panels(len(algorithms), columns=columns, width=2.1, height=1.7)
    means = trials.astype({score: float}).groupby(["algorithm", down, across])[score].mean()
    low, high = limits or (min(0.0, means.min()), max(1.0, means.max()))
    # In steps: a figure of few colours is a small file.
    steps = colormaps[SEQUENTIAL + "_r" * less_is_better].resampled(20)
    colours = ScalarMappable(Normalize(low, high), steps)
    for place, (panel, name) in enumerate(zip(axes, algorithms, strict=True)):
        cells = means[name].unstack(across).sort_index(ascending=False)
        _draw_cells(panel, cells, colours)
        panel.set_title(name, fontsize=10)
        if place % columns == 0:
            panel.set_ylabel(down.removeprefix("n_"))
        if place + columns >= len(algorithms):
            panel.set_xlabel(across.removeprefix("n_"))
    figure.suptitle(label, fontsize=11)
    beyond = {(False, False): "neither", (True, False): "min", (False, True): "max"}
    extend = beyond.get((bool(means.min() < low), bool(means.max() > high)), "both")
    bar = figure.colorbar(colours, ax=list(axes), extend=extend, aspect=40, pad=0.01)
    marks = {low: f"{low:.2g}", high: f"{high:.2g}"} if marks is None else marks
    bar.set_ticks(list(marks), labels=list(marks.values()))
    bar.ax.hlines(list(marks), 0, 1, color="red", linewidth=1.5)
    bar.ax.tick_params(labelsize=8)
    return figure


def _draw_cells(panel: Axes, cells: pd.DataFrame, colours: ScalarMappable) -> None:
    values = cells.to_numpy()
    image = panel.imshow(values, cmap=colours.cmap, norm=colours.norm, aspect="auto")
    panel.grid(visible=False)
    panel.set_xticks(range(len(cells.columns)), [f"{value:g}" for value in cells.columns], size=8)
    panel.set_yticks(range(len(cells)), [f"{value:g}" for value in cells.index], size=8)
    inks = ink_on(image.to_rgba(values))
    for (row, column), value in np.ndenumerate(values):
        text = "" if np.isnan(value) else f"{round(value, 2) + 0.0:.2f}"
        panel.text(column, row, text, color=inks[row, column], size=8, ha="center", va="center")
