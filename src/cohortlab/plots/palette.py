"""Figures of pictures in few colours: curves over sizes, pictures side by side, palettes."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import cluster_colours, panels, plain, shorten

_MARKS = "osD^vPX<>*"
#: Most that a panel is higher than wide.
_TALLEST = 4
#: Letters that stand above a panel.
_TITLE = 28


def curves(figures: pd.DataFrame, measures: Mapping[str, str]) -> Figure:
    """Draw measures against the size of the palette, a line a method.

    Parameters
    ----------
    figures : pandas.DataFrame
        Of one picture: `method, asked` and the measures.
    measures : mapping of str to str
        Column to label.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a measure, the size on a logarithmic axis.
    """
    methods = list(dict.fromkeys(figures["method"]))
    figure, axes = panels(len(measures), columns=3, width=2.2, height=2.0)
    sizes = sorted(set(figures["asked"]))
    for panel, (name, label) in zip(axes, measures.items(), strict=True):
        looks = zip(methods, cluster_colours(len(methods)), cycle(_MARKS), strict=False)
        for method, colour, mark in looks:
            rows = figures[figures["method"].eq(method)].sort_values("asked")
            look = {"color": colour, "marker": mark, "markersize": 3.5, "linewidth": 1.2}
            panel.plot(rows["asked"], rows[name], label=method, **look)
        panel.set(xlabel="colours asked for", xscale="log")
        panel.set_title(label, fontsize=9)
        panel.xaxis.label.set_size(8)
        panel.set_xticks(sizes, [str(size) for size in sizes])
        panel.tick_params(labelsize=8, pad=1)
        panel.minorticks_off()
    known = axes[0].get_legend_handles_labels()
    figure.legend(*known, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def side_by_side(name: str, shown: Sequence[tuple[str, np.ndarray]]) -> Figure:
    """Draw a picture beside what methods make of it.

    Parameters
    ----------
    name : str
        The picture's.
    shown : sequence of (str, ndarray)
        Titles and pixels, uint8.

    Returns
    -------
    matplotlib.figure.Figure
        A panel each, up to four beside each other.
    """
    # Of a very tall picture only a thin line would be seen, however tall the panel.
    tall = np.mean([pixels.shape[0] / pixels.shape[1] for _, pixels in shown])
    height = 1.9 * min(tall, _TALLEST) + 0.25
    columns = -(-len(shown) // -(-len(shown) // 4))
    figure, axes = panels(len(shown), columns=columns, width=1.9, height=height)
    for panel, (title, pixels) in zip(axes, shown, strict=True):
        panel.imshow(pixels, interpolation="nearest")
        own = shorten(name, max(_TITLE - len(title), 9))
        panel.set_title(plain(f"{own}: {title}"), fontsize=8)
        panel.set_axis_off()
    return figure


def strips(palettes: pd.DataFrame) -> Figure:
    """Draw palettes as strips, each colour as wide as its share of the pixels.

    Parameters
    ----------
    palettes : pandas.DataFrame
        `picture, method, position, red, green, blue, share`, in the order in which to draw them.

    Returns
    -------
    matplotlib.figure.Figure
        A strip a picture and method, the colour of most pixels first.
    """
    groups = palettes.groupby(["picture", "method"], sort=False)
    figure, axes = plt.subplots(figsize=(7.0, 0.5 + 0.25 * len(groups)), layout="constrained")
    for place, (_, rows) in enumerate(groups):
        rows = rows.sort_values("position")
        own = rows[["red", "green", "blue"]].to_numpy() / 255
        left = np.cumsum(rows["share"]) - rows["share"]
        axes.barh(place, rows["share"], left=left, color=own, height=0.85, linewidth=0)
        # White ends somewhere too.
        axes.barh(place, 1, height=0.85, fill=False, edgecolor="0.4", linewidth=0.6, clip_on=False)
    names = [plain(f"{shorten(picture, 40)}: {method}") for picture, method in groups.groups]
    axes.set_yticks(range(len(groups)), names, fontsize=8)
    axes.set(xlabel="share of the pixels", xlim=(0, 1))
    axes.invert_yaxis()
    axes.grid(visible=False)
    return figure


def distortions(by_picture: Mapping[str, np.ndarray], chosen: Mapping[str, int | None]) -> Figure:
    """Draw how the error falls with the number of colours, and which number stands out.

    Parameters
    ----------
    by_picture : mapping of str to ndarray
        Mean squared error a channel with 1, 2, ... colours.
    chosen : mapping of str to (int or None)
        The number that stands out, marked by a ring; None where none does.

    Returns
    -------
    matplotlib.figure.Figure
        A line a picture, on a logarithmic scale.
    """
    figure, axes = plt.subplots(figsize=(6.6, 3.0), layout="constrained")
    colours, lines = cluster_colours(len(by_picture)), []
    looks = zip(by_picture.items(), colours, cycle(_MARKS), strict=False)
    for (picture, values), colour, mark in looks:
        numbers, name = np.arange(1, len(values) + 1), plain(shorten(picture, 40))
        look = {"color": colour, "linestyle": "-", "ms": 4, "lw": 1.2, "label": name}
        lines += axes.plot(numbers, values, mark, **look)
        if (best := chosen[picture]) is not None:
            axes.plot(best, values[best - 1], "o", ms=13, mfc="none", mec=colour, mew=1.5)
    axes.set(yscale="log", xlabel="colours", ylabel="mean squared error, levels²")
    # Told which, the legend leaves out no name for an underscore at its beginning.
    figure.legend(handles=lines, loc="outside right upper", fontsize=8)
    return figure
