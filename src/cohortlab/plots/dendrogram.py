"""Dendrograms: which rows a linkage joins, and at what distance."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster import hierarchy

from cohortlab.plots.style import cluster_colours, plain, shorten

_BRANCH = "0.25"


def dendrogram(
    tree: np.ndarray,
    *,
    labels: Sequence[Any] | None = None,
    groups: Sequence[Any] | None = None,
    n_clusters: int | None = None,
    max_leaves: int = 60,
    distance: str = "distance at which clusters join",
) -> Figure:
    """Draw a linkage as a tree, root to the left, one line of text a leaf.

    Parameters
    ----------
    tree : ndarray of shape (n_rows - 1, 4)
        From `cohortlab.clusters.linkage_tree`.
    labels : sequence of shape (n_rows,), optional
        What to call the rows; their place from 1 by default.
    groups : sequence of shape (n_rows,), optional
        A known group of every row: a bar at each leaf shows them in colour.
    n_clusters : int, optional
        A dashed line marks where the tree is cut into so many clusters.
    max_leaves : int, default 60
        Of more rows only the last ``max_leaves - 1`` joins are drawn: a leaf then is a whole
        cluster, named by its number of rows. The title says so.
    distance : str
        What the axis measures.

    Returns
    -------
    matplotlib.figure.Figure
        The tree, and with `groups` the bars and their legend.

    Raises
    ------
    ValueError
        If the tree is none, or labels, groups or a number do not fit it.
    """
    n_rows = _checked_size(tree, labels, groups, n_clusters, max_leaves)
    n_leaves = min(n_rows, max_leaves)
    # Single linkage joins row by row: SciPy's recursion must not go below the leaves drawn.
    drawn = hierarchy.dendrogram(tree, p=n_leaves, truncate_mode="lastp", no_plot=True)
    members = leaf_members(tree, drawn["leaves"])
    figure, axes = plt.subplots(
        1,
        1 if groups is None else 2,
        figsize=(7.5, 1.2 + 0.17 * n_leaves),
        width_ratios=None if groups is None else (12, 1),
        layout="constrained",
        squeeze=False,
    )
    _draw_branches(axes[0, 0], drawn["dcoord"], drawn["icoord"])
    said = []
    if n_leaves < n_rows:
        said.append(f"the last {n_leaves - 1} of {n_rows - 1:,} joins")
    if n_clusters is not None:
        _mark_cut(axes[0, 0], tree, n_clusters)
        said.append(f"dashed: cut into {n_clusters}")
    axes[0, 0].set_title("; ".join(said), fontsize=9)
    axes[0, 0].set_xlabel(distance)
    names = np.arange(1, n_rows + 1) if labels is None else np.asarray(labels, dtype=object)
    _name_leaves(axes[0, -1], members, names)
    if groups is not None:
        axes[0, 0].set_yticks([])
        _draw_groups(axes[0, 1], members, np.asarray(groups))
    return figure


def leaf_members(tree: np.ndarray, leaves: Sequence[int]) -> list[list[int]]:
    """List the rows below each node of a tree.

    Parameters
    ----------
    tree : ndarray of shape (n_rows - 1, 4)
        As for `dendrogram`.
    leaves : sequence of int
        Nodes: a row, or n_rows + k for the k-th join.

    Returns
    -------
    list of list of int
        The rows of each node, ascending.

    Examples
    --------
    >>> leaf_members(np.array([[0, 2, 1.0, 2], [1, 3, 4.0, 3]]), [3, 1])
    [[0, 2], [1]]
    """
    n_rows = len(tree) + 1
    found = []
    for leaf in leaves:
        rows, waiting = [], [int(leaf)]
        while waiting:
            node = waiting.pop()
            if node < n_rows:
                rows.append(node)
            else:
                waiting += tree[node - n_rows, :2].astype(int).tolist()
        found.append(sorted(rows))
    return found


def _checked_size(
    tree: np.ndarray,
    labels: Sequence[Any] | None,
    groups: Sequence[Any] | None,
    n_clusters: int | None,
    max_leaves: int,
) -> int:
    hierarchy.is_valid_linkage(tree, throw=True, name="tree")
    n_rows = len(tree) + 1
    for name, values in (("labels", labels), ("groups", groups)):
        if values is not None and len(values) != n_rows:
            raise ValueError(f"{name}: expected one for each of {n_rows} rows, got {len(values)}")
    if max_leaves < 2:
        raise ValueError(f"max_leaves is {max_leaves}: a tree has at least 2")
    if n_clusters is not None and not 1 <= n_clusters <= n_rows:
        raise ValueError(f"n_clusters is {n_clusters}: expected 1 to {n_rows}")
    return n_rows


def _draw_branches(axes: Axes, distances: list, places: list) -> None:
    for across, up in zip(distances, places, strict=True):
        axes.plot(across, up, color=_BRANCH, linewidth=1)
    # SciPy puts the leaves at 5, 15, 25 and so on.
    axes.set_ylim(0, 10 * (len(places) + 1))
    axes.set_xlim(1.04 * np.max(distances) or 1.0, 0)
    axes.grid(visible=False)


def _mark_cut(axes: Axes, tree: np.ndarray, n_clusters: int) -> None:
    heights = np.concatenate([[0.0], tree[:, 2], [1.04 * tree[-1, 2]]])
    cut = heights[len(tree) + 1 - n_clusters : len(tree) + 3 - n_clusters].mean()
    axes.axvline(cut, color="#d55e00", linestyle="--", linewidth=1)


def _name_leaves(axes: Axes, members: list[list[int]], names: np.ndarray) -> None:
    texts = [
        plain(shorten(str(names[rows[0]]))) if len(rows) == 1 else f"({len(rows):,} rows)"
        for rows in members
    ]
    axes.yaxis.tick_right()
    axes.set_yticks(5 + 10 * np.arange(len(texts)), texts, fontsize=7)
    axes.tick_params(axis="y", length=0)


def _draw_groups(axes: Axes, members: list[list[int]], groups: np.ndarray) -> None:
    kinds, codes = np.unique(groups.astype(str), return_inverse=True)
    counts = np.array([np.bincount(codes[rows], minlength=len(kinds)) for rows in members])
    shares = counts / counts.sum(axis=1, keepdims=True)
    starts = shares.cumsum(axis=1) - shares
    places = 5 + 10 * np.arange(len(members))
    for k, colour in enumerate(cluster_colours(len(kinds))):
        axes.barh(places, shares[:, k], left=starts[:, k], height=8, color=colour, label=kinds[k])
    axes.set(xlim=(0, 1), ylim=(0, 10 * len(members)), xticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    handles, names = axes.get_legend_handles_labels()
    axes.figure.legend(
        handles,
        [plain(shorten(name)) for name in names],
        loc="outside lower center",
        ncols=4,
        fontsize=8,
        frameon=False,
    )
