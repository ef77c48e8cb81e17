"""The figure of the publish step: what a reader of the database sees."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from cohortlab.plots.style import plain, shorten


def shares_by_group(customers: pd.DataFrame, group: str, value: str) -> Figure:
    """Draw each group's share of the customers beside its share of what they bring.

    Parameters
    ----------
    customers : pandas.DataFrame
        Table `published_customers`.
    group : str
        Column of text that names the groups.
    value : str
        Column of numbers to be added up, not all of them 0.

    Returns
    -------
    matplotlib.figure.Figure
        Two points a group and a line between them, groups by falling share of the value.
    """
    groups = customers.groupby(group)
    shares = pd.DataFrame(
        {"customers": groups.size(), value: groups[value].sum()}, dtype=float
    ).sort_values(value)
    shares /= shares.sum()
    # Two names may be alike once they are shortened, so groups stand at numbers.
    places = range(len(shares))
    figure, axes = plt.subplots(figsize=(7.5, 1.2 + 0.34 * len(shares)), layout="constrained")
    axes.hlines(places, shares.min(axis=1), shares.max(axis=1), color="0.75", linewidth=2)
    looks = zip(shares, "os", sns.color_palette("colorblind", 2), strict=True)
    for column, marker, colour in looks:
        label = f"of {column.replace('_', ' ')}"
        axes.plot(shares[column], places, marker, color=colour, label=label, zorder=3)
    axes.set_yticks(places, [plain(shorten(name, 60)) for name in shares.index])
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set(xlabel="share of the whole (%)", ylabel="")
    axes.set_xlim(left=min(0.0, shares.to_numpy().min()))
    axes.tick_params(axis="y", labelsize=8)
    axes.legend(loc="lower right", fontsize=8)
    return figure
