"""Graphs of association rules."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.graphs.model import (
    COLOURS,
    LONGEST_NAME,
    Edge,
    Node,
    TwoSidedGraph,
    line_widths,
    plain_name,
)
from cohortlab.titles import titled


def rule_graph(
    rules: pd.DataFrame, *, titles: Mapping[Any, str] | None = None, max_edges: int = 20
) -> TwoSidedGraph:
    """Lay out association rules, antecedents left and consequents right.

    Parameters
    ----------
    rules : DataFrame
        `antecedents, consequents` (sets of items) and `lift`, the most important first.
    titles : mapping of item to text, optional
        What to call an item, as in `cohortlab.titles.titled`; the item itself by default.
    max_edges : int, default 20
        At most so many rules, the first; the caption says how many were left out.

    Returns
    -------
    TwoSidedGraph
        A line for each rule, its width the logarithm of the lift.
    """
    drawn = rules.head(max_edges)
    # A box is a set of items, by their ids: two items of one title are two boxes.
    left, right = (
        [tuple(sorted(items, key=str)) for items in drawn[side]]
        for side in ("antecedents", "consequents")
    )
    keys = {
        side: {items: f"{side[0]}{i}" for i, items in enumerate(dict.fromkeys(sets))}
        for side, sets in {"left": left, "right": right}.items()
    }
    nodes = [
        Node(key, _set_name(items, titles or {}), side)
        for side in COLOURS
        for items, key in keys[side].items()
    ]
    widths = line_widths(np.log2(np.maximum(drawn["lift"].to_numpy(dtype=float), 1.0)))
    ends = zip(left, right, drawn["lift"], widths, strict=True)
    edges = [
        Edge(keys["left"][a], keys["right"][b], size, f"{lift:.1f}x") for a, b, lift, size in ends
    ]
    caption = "Rules; width and number: lift" if len(drawn) else "No rule to draw"
    left_out = len(rules) - len(drawn)
    caption += f"; {left_out} further rules not drawn" if left_out else ""
    return TwoSidedGraph(tuple(nodes), tuple(edges), caption)


def _set_name(items: Iterable, titles: Mapping[Any, str]) -> str:
    ordered = list(items)
    longest = max(12, LONGEST_NAME // max(len(ordered), 1) - 3)
    return plain_name(" + ".join(titled(item, titles, longest=longest) for item in ordered))
