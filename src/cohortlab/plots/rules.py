"""Figures of the rules step."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import SEQUENTIAL, empty_figure, logarithmic, plain, shorten


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
        points = panel.scatter(own["support"], own["confidence"], c=own["lift"], s=22, **shade)
        logarithmic(panel.xaxis)
        panel.set(xlabel="support (logarithmic)", title=f"{scope}: {len(own)} rules")
    np.atleast_1d(axes)[0].set_ylabel("confidence")
    figure.colorbar(points, ax=axes, label="lift")
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
    names = [_title(next(iter(items)), titles) for items in single["itemsets"]]
    figure, axes = plt.subplots(figsize=(7.0, 0.8 + 0.26 * len(single)), layout="constrained")
    axes.barh(range(len(names)), single["support"], color="#0173b2")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="support (share of baskets)")
    return figure


def _title(item: str, titles: dict[str, str]) -> str:
    return plain(shorten(titles.get(item, item), 40))
