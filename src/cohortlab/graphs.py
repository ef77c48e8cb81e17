"""Drawings of what leads to what: DOT text always, SVG by graphviz or, without it, matplotlib."""

import io
import shutil
import subprocess
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

#: What to tell a reader whose machine has no graphviz.
GRAPHVIZ_HINT = (
    "The program `dot` is not installed, so the graph was drawn by matplotlib. Graphviz draws it "
    "more neatly: `apt install graphviz`, `brew install graphviz`, `conda install graphviz`."
)
COLOURS = {"left": "#56B4E9", "right": "#E69F00"}
EDGE_COLOUR = "#0072B2"
_LONGEST_NAME = 40
_LETTER_INCHES = 0.085


@dataclass(frozen=True)
class Node:
    """A box of the drawing: its key in the DOT text, its text, and its side."""

    key: str
    text: str
    side: str


@dataclass(frozen=True)
class Edge:
    """A line of the drawing: the keys at its ends, its width in points, its text."""

    start: str
    end: str
    width: float
    text: str


@dataclass(frozen=True)
class TwoSidedGraph:
    """What is drawn, whoever draws it.

    Attributes
    ----------
    nodes : tuple of Node
        Those of side `left`, then those of side `right`, each in order.
    edges : tuple of Edge
        From left to right.
    caption : str
        What the lines mean and what was left out.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    caption: str


@dataclass(frozen=True)
class Picture:
    """A drawing as SVG.

    Attributes
    ----------
    svg : bytes
        The picture; the same bytes for the same graph on the same machine.
    engine : {'dot', 'matplotlib'}
        What drew it.
    message : str
        How to get graphviz, where it was missing; empty otherwise.
    """

    svg: bytes
    engine: str
    message: str


def relation_graph(
    relations: pd.DataFrame,
    *,
    person_names: Mapping[Any, str] | None = None,
    item_names: Mapping[Any, str] | None = None,
    alpha: float = 0.05,
    width: str = "lift",
    max_edges: int = 40,
) -> TwoSidedGraph:
    """Choose what to draw of a table of relations.

    Parameters
    ----------
    relations : DataFrame
        From `cohortlab.bipartite.relations`.
    person_names, item_names : mapping of cluster to name, optional
        Names shown in the boxes; the cluster's id by default.
    alpha : float
        A relation is drawn where its lift is above 1 and q at most this.
    width : {'lift', 'observed'}
        What the width of a line shows: the logarithm of the lift, or the count.
    max_edges : int
        At most so many lines, the largest z first; the caption says how many were left out.

    Returns
    -------
    TwoSidedGraph
        Boxes and lines in a fixed order.
    """
    if width not in ("lift", "observed"):
        raise ValueError(f"width is {width!r}: choose 'lift' or 'observed'")
    strong = relations[(relations["lift"] > 1) & (relations["q"] <= alpha)]
    ranked = strong.sort_values("z", ascending=False, kind="stable")
    drawn = ranked.head(max_edges).sort_index()
    people = {c: f"p{i}" for i, c in enumerate(pd.unique(relations["person_cluster"]))}
    items = {c: f"i{i}" for i, c in enumerate(pd.unique(relations["item_cluster"]))}
    nodes = [Node(key, _name(c, person_names), "left") for c, key in people.items()]
    nodes += [Node(key, _name(c, item_names), "right") for c, key in items.items()]
    amount = np.log2(drawn["lift"]) if width == "lift" else drawn["observed"]
    widths = _widths(amount.to_numpy(dtype=float))
    ends = zip(drawn["person_cluster"], drawn["item_cluster"], drawn["lift"], widths, strict=True)
    edges = [Edge(people[a], items[b], size, f"{lift:.2f}x") for a, b, lift, size in ends]
    caption = _caption(len(strong), len(drawn), width, alpha)
    return TwoSidedGraph(tuple(nodes), tuple(edges), caption)


def rule_graph(
    rules: pd.DataFrame, *, titles: Mapping[Any, str] | None = None, max_edges: int = 20
) -> TwoSidedGraph:
    """Lay out association rules, antecedents left and consequents right.

    Parameters
    ----------
    rules : DataFrame
        `antecedents, consequents` (sets of items) and `lift`, the most important first.
    titles : mapping of item to text, optional
        What to call an item; the item itself by default.
    max_edges : int, default 20
        At most so many rules, the first; the caption says how many were left out.

    Returns
    -------
    TwoSidedGraph
        A line for each rule, its width the logarithm of the lift.
    """
    drawn = rules.head(max_edges)
    sides = {
        "left": [_set_name(items, titles) for items in drawn["antecedents"]],
        "right": [_set_name(items, titles) for items in drawn["consequents"]],
    }
    keys = {
        side: {name: f"{side[0]}{i}" for i, name in enumerate(dict.fromkeys(names))}
        for side, names in sides.items()
    }
    nodes = [Node(key, name, side) for side in COLOURS for name, key in keys[side].items()]
    widths = _widths(np.log2(np.maximum(drawn["lift"].to_numpy(dtype=float), 1.0)))
    ends = zip(sides["left"], sides["right"], drawn["lift"], widths, strict=True)
    edges = [
        Edge(keys["left"][a], keys["right"][b], size, f"{lift:.1f}x") for a, b, lift, size in ends
    ]
    caption = "Rules; width and number: lift" if len(drawn) else "No rule to draw"
    left_out = len(rules) - len(drawn)
    caption += f"; {left_out} further rules not drawn" if left_out else ""
    return TwoSidedGraph(tuple(nodes), tuple(edges), caption)


def to_dot(graph: TwoSidedGraph) -> str:
    """Write a graph as DOT text, left boxes in one column and right ones in another.

    Parameters
    ----------
    graph : TwoSidedGraph
        What to draw.

    Returns
    -------
    str
        The same text for the same graph. Names are quoted, so no character of theirs is read as
        DOT or as markup.
    """
    lines = [
        "digraph {",
        "  rankdir=LR;",
        "  ranksep=2;",
        '  node [shape=box, style="rounded,filled"];',
    ]
    lines += [f"  label={_quoted(graph.caption)};", '  fontname="sans-serif";']
    for side, colour in COLOURS.items():
        lines.append(f"  subgraph {side} {{")
        lines += ["    rank=same;", f'    node [fillcolor="{colour}", fontname="sans-serif"];']
        lines += [f"    {n.key} [label={_quoted(n.text)}];" for n in graph.nodes if n.side == side]
        lines.append("  }")
    lines += _order_lines(graph)
    lines += [
        f'  {e.start} -> {e.end} [penwidth={e.width:.2f}, color="{EDGE_COLOUR}", '
        f'label={_quoted(e.text)}, fontname="sans-serif", fontsize=10, arrowhead=none];'
        for e in graph.edges
    ]
    return "\n".join([*lines, "}"]) + "\n"


def to_svg(graph: TwoSidedGraph, *, program: str = "dot", timeout_sec: float = 60.0) -> Picture:
    """Draw a graph as SVG, by graphviz where it is installed, by matplotlib elsewhere.

    Parameters
    ----------
    graph : TwoSidedGraph
        What to draw.
    program : str
        Name or path of graphviz's `dot`.
    timeout_sec : float
        How long `dot` may take.

    Returns
    -------
    Picture
        The SVG, what drew it, and what to tell the reader.

    Raises
    ------
    RuntimeError
        If `dot` is installed but fails; its own message is passed on.
    """
    found = shutil.which(program)
    if found is None:
        return Picture(_matplotlib_svg(graph), "matplotlib", GRAPHVIZ_HINT)
    done = subprocess.run(
        [found, "-Tsvg"], input=to_dot(graph).encode(), capture_output=True, timeout=timeout_sec
    )
    if done.returncode != 0:
        raise RuntimeError(f"{found} failed: {done.stderr.decode(errors='replace').strip()}")
    return Picture(done.stdout, "dot", "")


def plain_name(text: Any, longest: int = _LONGEST_NAME) -> str:
    """Fit a name for one line of a drawing: no line breaks or control characters, not too long.

    Parameters
    ----------
    text : object
        Any name.
    longest : int
        Longest result, in characters; longer names end in an ellipsis.

    Returns
    -------
    str
        At least one visible character.

    Examples
    --------
    >>> plain_name("tea   and milk", longest=8)
    'tea and…'
    """
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in str(text))
    words = " ".join(kept.split()) or "(no name)"
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def _name(cluster: Any, names: Mapping[Any, str] | None) -> str:
    return plain_name((names or {}).get(cluster, cluster))


def _set_name(items: Iterable, titles: Mapping[Any, str] | None) -> str:
    named = sorted(str((titles or {}).get(item, item)) for item in items)
    longest = max(12, 2 * _LONGEST_NAME // max(len(named), 1) - 3)
    return plain_name(" + ".join(plain_name(name, longest) for name in named), 2 * _LONGEST_NAME)


def _widths(amounts: np.ndarray) -> list[float]:
    if not len(amounts):
        return []
    return [float(value) for value in 1.0 + 5.0 * amounts / (amounts.max() or 1.0)]


def _caption(n_strong: int, n_drawn: int, width: str, alpha: float) -> str:
    if n_strong == 0:
        return f"No relation stands out (lift above 1, q at most {alpha:g})"
    what = "lift" if width == "lift" else "observed count"
    caption = f"Lift above 1, q at most {alpha:g}; width: {what}"
    left_out = n_strong - n_drawn
    return caption + (f"; {left_out} weaker relations not drawn" if left_out else "")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _order_lines(graph: TwoSidedGraph) -> list[str]:
    # Invisible lines keep the boxes of a side in order, and both sides apart without any relation.
    lines = []
    for side in COLOURS:
        keys = [node.key for node in graph.nodes if node.side == side]
        if len(keys) > 1:
            lines.append(f"  {' -> '.join(keys)} [style=invis];")
    firsts = [next((n.key for n in graph.nodes if n.side == s), None) for s in COLOURS]
    if all(firsts):
        lines.append(f"  {firsts[0]} -> {firsts[1]} [style=invis];")
    return lines


def _matplotlib_svg(graph: TwoSidedGraph) -> bytes:
    settings = {"svg.hashsalt": "cohortlab", "svg.fonttype": "none", "text.parse_math": False}
    buffer = io.BytesIO()
    with (
        mpl.rc_context({**mpl.rcParamsDefault, "backend": "agg", **settings}),
        warnings.catch_warnings(),
    ):
        # The letters stay text in the SVG, so the reader's own fonts show what this one lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = _figure(graph)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def _figure(graph: TwoSidedGraph) -> Figure:
    sides = {s: [n for n in graph.nodes if n.side == s] for s in COLOURS}
    tallest = max(1, *(len(nodes) for nodes in sides.values()))
    # Inches for the longest name of each side, and between them room for the lines.
    left, right = (
        max(3.3, 0.3 + _LETTER_INCHES * max((len(n.text) for n in nodes), default=0))
        for nodes in sides.values()
    )
    figure = Figure(figsize=(left + 2.4 + right, 1.2 + 0.62 * tallest))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, left + 2.4 + right), ylim=(-0.9, tallest - 0.3))
    axes.axis("off")
    places = {}
    for side, x in [("left", left), ("right", left + 2.4)]:
        for row, node in enumerate(sides[side]):
            y = (tallest - 1) * (1 - (row + 0.5) / len(sides[side])) if tallest > 1 else 0.0
            places[node.key] = (x, y)
            box = {"boxstyle": "round", "facecolor": COLOURS[side], "edgecolor": "black"}
            aside = "right" if side == "left" else "left"
            axes.text(x, y, node.text, ha=aside, va="center", fontsize=9, bbox=box, zorder=3)
    _draw_edges(axes, graph.edges, places)
    axes.text(left + 1.2, -0.75, graph.caption, ha="center", va="center", fontsize=9)
    return figure


def _draw_edges(axes: Any, edges: tuple[Edge, ...], places: dict) -> None:
    for number, edge in enumerate(edges):
        (x0, y0), (x1, y1) = places[edge.start], places[edge.end]
        axes.plot([x0 + 0.1, x1 - 0.1], [y0, y1], color=EDGE_COLOUR, linewidth=edge.width, zorder=1)
        # Texts take turns along their lines so that crossing lines do not stack them.
        part = (0.3, 0.5, 0.7)[number % 3]
        axes.text(
            x0 + part * (x1 - x0),
            y0 + part * (y1 - y0),
            edge.text,
            ha="center",
            va="center",
            fontsize=8,
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
            zorder=2,
        )
