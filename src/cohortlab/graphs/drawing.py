"""The drawing of a graph by matplotlib, for machines without graphviz."""

import io
import textwrap
import warnings

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cohortlab.graphs.model import BOX_WIDTH, CAPTION_WIDTH, COLOURS, Edge, TwoSidedGraph

_LETTER_INCHES, _ROW_INCHES, _LEAST_BETWEEN, _LEAST_WIDTH = 0.085, 0.62, 3.0, 7.4
#: Where along its line a text may stand, the best places first.
_ALONG = (0.3, 0.5, 0.7, 0.4, 0.6)
#: Between parallel lines, where neighbouring boxes are 1 apart.
_LINE_GAP = 0.06


def drawn_svg(graph: TwoSidedGraph) -> bytes:
    """Draw a graph as SVG by matplotlib.

    Parameters
    ----------
    graph : TwoSidedGraph
        What to draw.

    Returns
    -------
    bytes
        The same for the same graph, whatever matplotlib is set to.
    """
    settings = {"svg.hashsalt": "cohortlab", "svg.fonttype": "none", "text.parse_math": False}
    # Every text of the file names its fonts: one and any other are enough.
    settings["font.sans-serif"] = ["DejaVu Sans"]
    buffer = io.BytesIO()
    with (
        mpl.rc_context({**mpl.rcParamsDefault, "backend": "agg", **settings}),
        warnings.catch_warnings(),
    ):
        # The letters stay text in the SVG, so the reader's own fonts show what this one lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = _figure(graph)
        figure.savefig(
            buffer, format="svg", metadata=dict.fromkeys(["Date", "Creator", "Format", "Type"])
        )
    return buffer.getvalue()


def _figure(graph: TwoSidedGraph) -> Figure:
    sides = {s: [n for n in graph.nodes if n.side == s] for s in COLOURS}
    tallest = max(1, *(len(nodes) for nodes in sides.values()))
    texts = {n.key: textwrap.wrap(n.text, BOX_WIDTH) for n in graph.nodes}
    # Inches for the longest name of each side, and between them room for the lines.
    left, right = (
        0.3 + _LETTER_INCHES * max((len(line) for n in nodes for line in texts[n.key]), default=0)
        for nodes in sides.values()
    )
    between = max(_LEAST_BETWEEN, _LEAST_WIDTH - left - right)
    caption = textwrap.wrap(graph.caption, CAPTION_WIDTH)
    bottom = -0.7 - 0.25 * len(caption)
    size = (left + between + right, _ROW_INCHES * (tallest - 0.3 - bottom))
    figure = Figure(figsize=size)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, size[0]), ylim=(bottom, tallest - 0.3))
    axes.axis("off")
    places = {}
    for side, x in [("left", left), ("right", left + between)]:
        for row, node in enumerate(sides[side]):
            y = (tallest - 1) * (1 - (row + 0.5) / len(sides[side])) if tallest > 1 else 0.0
            places[node.key] = (x, y)
            box = {"boxstyle": "round", "facecolor": COLOURS[side], "edgecolor": "black"}
            aside = "right" if side == "left" else "left"
            text = "\n".join(texts[node.key])
            axes.text(x, y, text, ha=aside, va="center", fontsize=9, bbox=box, zorder=3)
    _draw_edges(axes, graph.edges, places)
    axes.text(size[0] / 2, -0.6, "\n".join(caption), ha="center", va="top", fontsize=9)
    return figure


def _draw_edges(axes: Axes, edges: tuple[Edge, ...], places: dict) -> None:
    written: list[tuple[float, float]] = []
    for edge in edges:
        (x0, y0), (x1, y1) = places[edge.start], places[edge.end]
        for line in range(edge.n_lines):
            aside = _LINE_GAP * (line - (edge.n_lines - 1) / 2)
            axes.plot(
                [x0 + 0.1, x1 - 0.1],
                [y0 + aside, y1 + aside],
                color=edge.colour,
                linewidth=edge.width,
                zorder=1,
            )
        spot = _freest([(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in _ALONG], written)
        written.append(spot)
        axes.text(
            *spot,
            edge.text,
            ha="center",
            va="center",
            fontsize=8,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
            zorder=2,
        )


def _freest(
    spots: list[tuple[float, float]], taken: list[tuple[float, float]]
) -> tuple[float, float]:
    """Choose the spot furthest from the texts already written, the first of equals."""

    def distance(spot: tuple[float, float]) -> float:
        # A text is about an inch wide and a third of a row high. Beyond that all are equal.
        apart = [max(abs(spot[0] - x), abs(spot[1] - y) / 0.35) for x, y in taken]
        return min([1.0, *apart])

    return max(spots, key=distance)
