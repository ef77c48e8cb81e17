"""Graphs of relations between clusters of people and clusters of items."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cohortlab.graphs.model import Edge, Node, TwoSidedGraph, line_widths, plain_name

#: Lines of relations that hold more or fewer edges than chance explains, and of the others: red is
#: more, as in the heat map of the lift.
MORE, FEWER, NEITHER = "#B2182B", "#2166AC", "#999999"
#: Most parallel lines of one relation.
_MOST_LINES = 8
#: Largest count over the smallest, up to which parallel lines tell them apart.
_WIDEST_RANGE = 40
#: What the width of a line shows -> how much of it.
_AMOUNTS = {
    "lift": lambda drawn: np.abs(np.log2(drawn["lift"])),
    "observed": lambda drawn: drawn["observed"],
    "count": lambda drawn: np.log1p(drawn["observed"]),
}


def relation_graph(
    relations: pd.DataFrame,
    *,
    person_names: Mapping[Any, str] | None = None,
    item_names: Mapping[Any, str] | None = None,
    alpha: float = 0.05,
    width: str = "lift",
    parallel: bool = False,
    show_all: bool = False,
    max_edges: int = 40,
    note: str = "",
) -> TwoSidedGraph:
    """Choose what to draw of a table of relations.

    Parameters
    ----------
    relations : DataFrame
        From `cohortlab.bipartite.relations`; a large one first through
        `cohortlab.bipartite.thin_relations`.
    person_names, item_names : mapping of cluster to name, optional
        Names shown in the boxes; the cluster's id by default. See `member_names`.
    alpha : float
        A relation is significant where q is at most this.
    width : {'lift', 'observed'}
        What the width of a line shows: the logarithm of the lift, or the count.
    parallel : bool
        Draw the count as parallel lines instead, as one does by hand: a line an edge or, where
        that were more than eight, a line for each 2, 5, 10, 20 ... edges. Every relation has at
        least one line; its text is the count, then the lift. Where the largest count is over 40
        times the smallest, most relations would be a single line each: then all are, and the width
        shows the logarithm of the count.
    show_all : bool
        Draw every pair with edges, the significant ones marked by a star and by colour. Without
        it only those are drawn that are significant with a lift above 1.
    max_edges : int
        At most so many relations, the significant first, then by the size of z; the caption says
        how many were left out.
    note : str
        What else the caption says, such as what was thinned before.

    Returns
    -------
    TwoSidedGraph
        Boxes and lines in a fixed order. Clusters of items stand at the mean place of the people
        that they have lines to, so that fewer lines cross; those without a line come last.

    Raises
    ------
    ValueError
        If `width` is unknown.

    References
    ----------
    Sugiyama, Tagawa and Toda (1981), Methods for visual understanding of hierarchical system
    structures (the barycentre rule).

    Examples
    --------
    >>> row = [0, 7, 6, 2.0, 3.0, 4.0, 0.001, 0.01]
    >>> names = ["person_cluster", "item_cluster", "observed", "expected", "lift", "z", "p", "q"]
    >>> graph = relation_graph(pd.DataFrame([row], columns=names), parallel=True)
    >>> [(edge.n_lines, edge.text) for edge in graph.edges]
    [(6, '6, 3.00x')]
    """
    if width not in ("lift", "observed"):
        raise ValueError(f"width is {width!r}: choose 'lift' or 'observed'")
    marked = relations.assign(significant=relations["q"] <= alpha, size=relations["z"].abs())
    stands_out = marked["significant"] & (marked["lift"] > 1)
    chosen = marked[marked["observed"] > 0 if show_all else stands_out]
    ranked = chosen.sort_values(["significant", "size"], ascending=False, kind="stable")
    drawn = ranked.head(max_edges).sort_index()
    width = "count" if parallel and len(drawn) else width
    unit = _edges_a_line(drawn["observed"]) if width == "count" else None
    people = {c: f"p{i}" for i, c in enumerate(pd.unique(relations["person_cluster"]))}
    items = {c: f"i{i}" for i, c in enumerate(pd.unique(relations["item_cluster"]))}
    nodes = [Node(key, _name(c, person_names), "left") for c, key in people.items()]
    ordered = _ordered(items, people, drawn)
    nodes += [Node(items[c], _name(c, item_names), "right") for c in ordered]
    edges = _edges(drawn, people, items, width, unit, show_all)
    caption = [_caption(len(drawn), width, unit, show_all, alpha), note]
    left_out = len(chosen) - len(drawn)
    caption.insert(1, f"{left_out} weaker relations not drawn" if left_out else "")
    return TwoSidedGraph(tuple(nodes), tuple(edges), "; ".join(part for part in caption if part))


def member_names(
    labels: Sequence[Any],
    members: Sequence[Any],
    names: Mapping[Any, str] | None = None,
    *,
    at_most: int = 4,
) -> dict[Any, str]:
    """Name small clusters by their members, and large ones by their own name.

    Parameters
    ----------
    labels : sequence of shape (n,)
        Cluster of each person, or of each item.
    members : sequence of shape (n,)
        What to call each.
    names : mapping of cluster to name, optional
        Names of the large clusters; the cluster's id by default.
    at_most : int
        Clusters with at most so many members list them.

    Returns
    -------
    dict
        Cluster -> text for its box.

    Raises
    ------
    ValueError
        If there is not one name for each label.

    Examples
    --------
    >>> member_names([0, 1, 0, 1, 1], ["Ann", "Bob", "Cleo", "Dan", "Eve"], {1: "often"}, at_most=2)
    {0: 'Ann, Cleo', 1: 'often'}
    """
    if len(labels) != len(members):
        raise ValueError(f"{len(labels)} labels but {len(members)} members: give one name for each")
    texts = pd.Series(np.asarray(members, dtype=object)).astype(str)
    clusters = texts.groupby(np.asarray(labels), sort=True)
    small = {c: ", ".join(own) for c, own in clusters if len(own) <= at_most}
    return {c: small.get(c) or str((names or {}).get(c, c)) for c in clusters.groups}


def _ordered(items: dict, people: dict, drawn: pd.DataFrame) -> list:
    place = {cluster: number for number, cluster in enumerate(people)}
    weighted = drawn["person_cluster"].map(place) * drawn["observed"]
    sums = weighted.groupby(drawn["item_cluster"]).sum()
    means = sums / drawn.groupby("item_cluster")["observed"].sum()
    return sorted(items, key=lambda cluster: means.get(cluster, np.inf))


def _edges(
    drawn: pd.DataFrame, people: dict, items: dict, width: str, unit: float | None, show_all: bool
) -> list[Edge]:
    amount = _AMOUNTS[width](drawn).to_numpy(dtype=float)
    widths = line_widths(amount) if unit is None else [1.2] * len(drawn)
    edges = []
    for row, size in zip(drawn.itertuples(), widths, strict=True):
        text = f"{row.lift:.2f}x" + "*" * (show_all and row.significant)
        n_lines, colour = 1, MORE if row.lift > 1 else FEWER
        if width == "count":
            text = f"{row.observed:g}, {text}"
            n_lines = max(1, round(row.observed / unit)) if unit else 1
        if not row.significant:
            colour = NEITHER
        ends = people[row.person_cluster], items[row.item_cluster]
        edges.append(Edge(*ends, size, text, n_lines, colour))
    return edges


def _edges_a_line(counts: pd.Series) -> float | None:
    if counts.max() > _WIDEST_RANGE * counts.min():
        return None
    steps = (step * 10**power for power in range(20) for step in (1, 2, 5))
    return next(step for step in steps if counts.max() / step <= _MOST_LINES)


def _name(cluster: Any, names: Mapping[Any, str] | None) -> str:
    return plain_name((names or {}).get(cluster, cluster))


def _caption(n_drawn: int, width: str, unit: float | None, show_all: bool, alpha: float) -> str:
    if show_all:
        what = f"* q at most {alpha:g}: red more edges than expected, blue fewer"
    elif n_drawn == 0:
        return f"No relation stands out (lift above 1, q at most {alpha:g})"
    else:
        what = f"Lift above 1, q at most {alpha:g}"
    if n_drawn == 0:
        return "No edge"
    if unit is None:
        said = {"lift": "lift", "observed": "observed count"}
        said["count"] = "logarithm of the count; numbers: edges, lift"
        return f"{what}; width: {said[width]}"
    each = "an edge" if unit == 1 else f"about {unit:g} edges"
    return f"{what}; a line: {each}; numbers: edges, lift"
