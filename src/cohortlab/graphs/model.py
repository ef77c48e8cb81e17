"""What is drawn, whoever draws it: boxes on two sides and lines between them."""

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Fill of the boxes of each side.
COLOURS = {"left": "#56B4E9", "right": "#E69F00"}
#: Longest line in a box and of a caption, characters.
BOX_WIDTH, CAPTION_WIDTH = 40, 100
#: Longest text of a box, which then has two lines or three.
LONGEST_NAME = 100


@dataclass(frozen=True)
class Node:
    """A box of the drawing.

    Attributes
    ----------
    key : str
        Its name in the DOT text.
    text : str
        What stands in it; broken into lines where it is drawn.
    side : {'left', 'right'}
        Its column.
    """

    key: str
    text: str
    side: str


@dataclass(frozen=True)
class Edge:
    """A line of the drawing, or several beside each other.

    Attributes
    ----------
    start, end : str
        Keys of the boxes at its ends.
    width : float
        Of each line, points.
    text : str
        What stands at it.
    n_lines : int
        How many parallel lines.
    colour : str
        Hexadecimal.
    """

    start: str
    end: str
    width: float
    text: str
    n_lines: int = 1
    colour: str = "#0072B2"


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


def plain_name(text: Any, longest: int = LONGEST_NAME) -> str:
    """Fit a name for a drawing: no line breaks or control characters, not too long.

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


def line_widths(amounts: np.ndarray) -> list[float]:
    """Turn amounts into widths of lines.

    Parameters
    ----------
    amounts : ndarray of shape (n_lines,)
        At least 0.

    Returns
    -------
    list of float
        Points, from 1 for nothing to 6 for the largest.

    Examples
    --------
    >>> line_widths(np.array([0.0, 2.0, 4.0]))
    [1.0, 3.5, 6.0]
    """
    if not len(amounts):
        return []
    return [float(value) for value in 1.0 + 5.0 * amounts / (amounts.max() or 1.0)]
