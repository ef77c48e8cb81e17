"""Figures of the rules step."""

from collections.abc import Iterable, Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.cluster.hierarchy import fcluster, linkage

from cohortlab.plots.style import (
    MUTED,
    SEQUENTIAL,
    empty_figure,
    logarithmic,
    panels,
    plain,
    shorten,
)
from cohortlab.titles import titled


def support_and_confidence(rules: pd.DataFrame) -> Figure:
    """Draw every rule by support and confidence, its lift as colour, a panel for each scope.

    Parameters
    ----------
    rules : pandas.DataFrame
        With columns `scope, support, confidence, lift`.

    Returns
    -------
    matplotlib.figure.Figure
        One colour scale for all panels, so that they compare.
    """
    if rules.empty:
        return empty_figure("No rule reached the thresholds.")
    scopes = list(rules["scope"].drop_duplicates())
    figure, axes = plt.subplots(
        1, len(scopes), figsize=(1.2 + 3.6 * len(scopes), 3.4), sharey=True, layout="constrained"
    )
    shade = {"vmin": 0.0, "vmax": float(np.quantile(rules["lift"], 0.98)), "cmap": SEQUENTIAL}
    for panel, scope in zip(np.atleast_1d(axes), scopes, strict=True):
        own = rules[rules["scope"] == scope].sort_values("lift")
        points = panel.scatter(
            own["support"], own["confidence"], c=own["lift"], s=14, linewidths=0, **shade
        )
        logarithmic(panel.xaxis)
        title = f"{plain(shorten(scope))}: {len(own)} rules"
        panel.set(xlabel="support (logarithmic)", title=title)
    np.atleast_1d(axes)[0].set_ylabel("confidence")
    # The few highest lifts are beyond the scale, else they alone would have a colour of their own.
    figure.colorbar(points, ax=axes, label="lift", extend="max")
    return figure


def most_frequent_items(
    itemsets: pd.DataFrame, titles: dict[str, str], *, n_items: int = 15
) -> Figure:
    """Draw the most frequent single items.

    Parameters
    ----------
    itemsets : pandas.DataFrame
        With columns `itemsets, support`, over all baskets.
    titles : dict of str to str
        What to call an item.
    n_items : int, default 15
        How many bars.

    Returns
    -------
    matplotlib.figure.Figure
        Bars, the most frequent on top.
    """
    single = itemsets[itemsets["itemsets"].map(len) == 1].head(n_items)
    if single.empty:
        return empty_figure("No item reached the smallest support.")
    names = [_set_title(items, titles) for items in single["itemsets"]]
    figure, axes = plt.subplots(figsize=(7.0, 0.8 + 0.26 * len(single)), layout="constrained")
    axes.barh(range(len(names)), single["support"], color="#0173b2")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="support (share of baskets)")
    return figure


def discovery_and_confirmation(table: pd.DataFrame) -> Figure:
    """Draw the lift of every rule where it was found against that where it was judged.

    Parameters
    ----------
    table : pandas.DataFrame
        From `cohortlab.rules.confirm_rules`.

    Returns
    -------
    matplotlib.figure.Figure
        Logarithmic axes; bars reach over the interval of the lift in the second part, the dashed
        line is where both lifts are equal. Rules found by luck lie below it, near 1.
    """
    known = table[(table["discovery lift"] > 0) & (table["lift"] > 0)]
    if known.empty:
        return empty_figure("No rule was found, or none occurs in the other part.")
    figure, axes = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
    kinds = {
        "not confirmed": (~known["confirmed"], MUTED, "o"),
        "confirmed, but a shorter rule explains it": (
            known["confirmed"] & known["redundant"],
            "#de8f05",
            "s",
        ),
        "confirmed": (known["confirmed"] & ~known["redundant"], "#0173b2", "^"),
    }
    for label, (rows, colour, marker) in kinds.items():
        own = known[rows]
        if own.empty:
            continue
        low = own["lift"] - np.maximum(own["lift_low"], own["lift"] / 20)
        axes.errorbar(
            own["discovery lift"],
            own["lift"],
            yerr=[low, own["lift_high"] - own["lift"]],
            fmt=marker,
            color=colour,
            ecolor=colour,
            elinewidth=0.5,
            alpha=0.7,
            markersize=4,
            label=f"{label}: {len(own)}",
        )
    _equal_lifts(axes, known["discovery lift"], known["lift"])
    axes.set(xlabel="lift in the baskets of discovery", ylabel="lift in the other baskets")
    axes.legend(fontsize=7, loc="upper left")
    return figure


def lift_inside_and_outside(table: pd.DataFrame, names: Mapping[int, str]) -> Figure:
    """Draw the lift of every rule inside a cluster against that outside it.

    Parameters
    ----------
    table : pandas.DataFrame
        From `cohortlab.rules.contrast_rules`.
    names : mapping of int to str
        Cluster names.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a cluster, logarithmic axes; on the dashed line a rule is as strong inside as
        outside. Filled marks differ by the corrected test; a legend tells so.
    """
    known = table[(table["in lift"] > 0) & (table["out lift"] > 0)]
    if known.empty:
        return empty_figure("No rule occurs both inside a cluster and outside it.")
    clusters = sorted(known["cluster"].unique())
    figure, axes = panels(len(clusters), columns=3, width=3.2, height=3.0)
    for panel, cluster in zip(axes, clusters, strict=True):
        own = known[known["cluster"] == cluster]
        for rows, face in ((own["differs"], "#d55e00"), (~own["differs"], "none")):
            part = own[rows]
            panel.scatter(
                part["out lift"], part["in lift"], s=18, facecolors=face, edgecolors="#d55e00"
            )
        _equal_lifts(panel, own["out lift"], own["in lift"])
        name = plain(shorten(str(names.get(cluster, cluster)), 34))
        panel.set_title(f"{cluster}: {name}\n{int(own['differs'].sum())} differ", fontsize=8)
        panel.set(xlabel="lift outside", ylabel="lift inside")
    mark = {"marker": "o", "linestyle": "none", "color": "#d55e00", "markersize": 5}
    words = {"differs": "#d55e00", "does not differ": "none"}
    marks = [Line2D([], [], label=word, markerfacecolor=f, **mark) for word, f in words.items()]
    figure.legend(handles=marks, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure


def grouped_matrix(
    rules: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    n_groups: int = 12,
    n_consequents: int = 15,
) -> Figure:
    """Draw many rules as a matrix: groups of antecedents across, consequents down.

    Parameters
    ----------
    rules : pandas.DataFrame
        `antecedents, consequents, support, lift`.
    titles : mapping of str to str
        What to call an item.
    n_groups : int, default 12
        At most so many groups of antecedents, of like lift for the same consequents.
    n_consequents : int, default 15
        The consequents with the most rules are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        The size of a disc is the largest support of its rules, the colour their median lift.

    Notes
    -----
    Antecedents are joined by average linkage on the logarithms of their lifts, 0 where there is
    no rule. After Hahsler and Karpienko (2017), Visualizing association rules in hierarchical
    groups.
    """
    if rules.empty:
        return empty_figure("No rule reached the thresholds.")
    # Rules are grouped by their items; names are shortened, and two of them may look alike.
    named = rules.assign(
        left=[tuple(sorted(map(str, items))) for items in rules["antecedents"]],
        right=[tuple(sorted(map(str, items))) for items in rules["consequents"]],
    )
    kept = named["right"].value_counts(sort=True).head(n_consequents).index
    named = named[named["right"].isin(kept)]
    lifts = named.pivot_table(index="left", columns="right", values="lift", fill_value=1.0)
    groups = _groups(np.log2(np.maximum(lifts.to_numpy(), 2.0**-10)), n_groups)
    named = named.assign(group=named["left"].map(dict(zip(lifts.index, groups, strict=True))))
    cells = named.groupby(["group", "right"]).agg(
        lift=("lift", "median"), support=("support", "max")
    )
    strength = cells["lift"].groupby("group").max().sort_values(ascending=False, kind="stable")
    best = named.sort_values(["lift", "left"], ascending=[False, True]).groupby("group")["left"]
    counts = named.groupby("group")["left"].nunique()
    labels = [
        _set_title(best.first()[g], titles)
        + (f" (+{counts[g] - 1} like it)" if counts[g] > 1 else "")
        for g in strength.index
    ]
    return _discs(cells.reset_index(), list(strength.index), labels, titles)


def _discs(
    cells: pd.DataFrame, groups: list, labels: list[str], titles: Mapping[str, str]
) -> Figure:
    ranked = cells.groupby("right")["lift"].max().sort_values(ascending=False, kind="stable")
    across = {group: place for place, group in enumerate(groups)}
    down = {name: place for place, name in enumerate(ranked.index)}
    figure, axes = plt.subplots(
        figsize=(4.2 + 0.36 * len(across), 2.6 + 0.3 * len(down)), layout="constrained"
    )
    points = axes.scatter(
        cells["group"].map(across),
        cells["right"].map(down),
        s=20 + 180 * cells["support"] / cells["support"].max(),
        c=cells["lift"],
        cmap=SEQUENTIAL,
    )
    axes.set_xticks(range(len(labels)), labels, rotation=50, ha="right", fontsize=7)
    axes.xaxis.set_tick_params(rotation_mode="anchor")
    axes.set_yticks(range(len(down)), [_set_title(items, titles) for items in down], fontsize=7)
    axes.invert_yaxis()
    axes.margins(0.06)
    axes.set(xlabel="groups of antecedents", ylabel="consequent")
    figure.colorbar(points, ax=axes, label="median lift; size: support")
    return figure


def _groups(values: np.ndarray, n_groups: int) -> np.ndarray:
    if len(values) <= n_groups:
        return np.arange(len(values))
    return fcluster(linkage(values, method="average"), n_groups, criterion="maxclust")


def _equal_lifts(axes: plt.Axes, first: pd.Series, second: pd.Series) -> None:
    for axis in (axes.xaxis, axes.yaxis):
        logarithmic(axis)
    low = min(1.0, float(first.min()), float(second.min()))
    high = max(float(first.max()), float(second.max()))
    axes.plot([low, high], [low, high], "--", color="0.4", linewidth=1, zorder=0)
    axes.axhline(1.0, color="0.7", linewidth=0.8, zorder=0)


def _set_title(items: Iterable[str], titles: Mapping[str, str]) -> str:
    ordered = sorted(items, key=str)
    longest = 42 // len(ordered) - 2
    return plain(" + ".join(titled(item, titles, longest=longest) for item in ordered))
