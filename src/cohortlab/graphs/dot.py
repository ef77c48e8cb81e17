"""Graphs as DOT text, and as SVG by graphviz or, without it, by matplotlib."""

import shutil
import subprocess
import textwrap
from dataclasses import dataclass

from cohortlab.graphs.drawing import drawn_svg
from cohortlab.graphs.model import BOX_WIDTH, CAPTION_WIDTH, COLOURS, Edge, TwoSidedGraph

#: What to tell a reader whose machine has no graphviz.
GRAPHVIZ_HINT = (
    "The program `dot` is not installed, so the graph was drawn by matplotlib. Graphviz draws it "
    "more neatly: `apt install graphviz`, `brew install graphviz`, `conda install graphviz`."
)


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
    lines += [f"  label={_quoted_lines(graph.caption, CAPTION_WIDTH)};", '  fontname="sans-serif";']
    for side, colour in COLOURS.items():
        lines.append(f"  subgraph {side} {{")
        lines += ["    rank=same;", f'    node [fillcolor="{colour}", fontname="sans-serif"];']
        lines += [
            f"    {n.key} [label={_quoted_lines(n.text, BOX_WIDTH)}];"
            for n in graph.nodes
            if n.side == side
        ]
        lines.append("  }")
    lines += _order_lines(graph)
    lines += [line for edge in graph.edges for line in _edge_lines(edge)]
    return "\n".join([*lines, "}"]) + "\n"


# What `dot` says between its installation and its first `dot -c`, which makes its list of formats.
_CANNOT_DRAW = 'Format: "svg" not recognized'
_CONFIGURE = "run `dot -c` once, as root, for nicer graphs."


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
        return Picture(drawn_svg(graph), "matplotlib", GRAPHVIZ_HINT)
    done = subprocess.run(
        [found, "-Tsvg"], input=to_dot(graph).encode(), capture_output=True, timeout=timeout_sec
    )
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0 and _CANNOT_DRAW in said:
        return Picture(drawn_svg(graph), "matplotlib", f"{found} knows no SVG yet: {_CONFIGURE}")
    if done.returncode != 0:
        raise RuntimeError(f"{found} failed: {said}")
    return Picture(done.stdout, "dot", "")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _quoted_lines(text: str, width: int) -> str:
    return '"' + "\\n".join(_quoted(line)[1:-1] for line in textwrap.wrap(text, width)) + '"'


def _edge_lines(edge: Edge) -> list[str]:
    look = f'penwidth={edge.width:.2f}, color="{edge.colour}", arrowhead=none'
    said = f'label={_quoted(edge.text)}, fontname="sans-serif", fontsize=10'
    ends = f"  {edge.start} -> {edge.end}"
    # Of parallel lines one carries the text, in the middle.
    texts = [f", {said}" if k == edge.n_lines // 2 else "" for k in range(edge.n_lines)]
    return [f"{ends} [{look}{text}];" for text in texts]


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
