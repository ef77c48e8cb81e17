"""Figures of the features step: distributions, how features go together, and colours."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from cohortlab.plots.style import heat_map, panels, plain, shorten


def distributions(features: pd.DataFrame) -> Figure:
    """Draw a histogram of every feature, long tails on a logarithmic count.

    Parameters
    ----------
    features : pandas.DataFrame
        Numeric columns only.

    Returns
    -------
    matplotlib.figure.Figure
        One panel a feature; the title says how many rows hold the most frequent value, because
        such points of mass are what mixtures stumble over.
    """
    figure, axes = panels(features.shape[1], columns=4, width=2.6, height=2.1)
    for panel, (name, values) in zip(axes, features.items(), strict=True):
        panel.hist(values[np.isfinite(values)], bins=40, color="#0173b2")
        counts = values.value_counts()
        known = f"{counts.iloc[0] / len(values):.0%} at one value" if len(counts) else "no value"
        panel.set_title(f"{plain(shorten(name))}\n{known}", fontsize=8)
        panel.set_yscale("symlog", linthresh=1)
        panel.tick_params(labelsize=7)
    figure.supylabel("rows (logarithmic)", fontsize=9)
    return figure


def correlations(features: pd.DataFrame) -> Figure:
    """Draw Spearman's rank correlation of every pair of features.

    Parameters
    ----------
    features : pandas.DataFrame
        Numeric columns only; a constant one has no correlation and stays grey.

    Returns
    -------
    matplotlib.figure.Figure
        A heat map from -1 to 1.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = features.rank().corr().to_numpy()
    names = list(features.columns)
    # Long names need room of their own.
    longest = min(max(map(len, names), default=0), 40)
    size = 1.8 + 0.5 * len(names) + 0.09 * max(longest - 20, 0)
    figure, axes = plt.subplots(figsize=(size + 1, size), layout="constrained")
    heat_map(axes, matrix, names, names, label="rank correlation", limit=1.0)
    return figure


def hue_plane(features: pd.DataFrame, *, most: int, rng: np.random.Generator) -> Figure:
    """Draw colours where OKLab puts them: hue around the centre, lightness beside.

    Parameters
    ----------
    features : pandas.DataFrame
        `red, green, blue, lightness, green_red, blue_yellow, n_pixels`; a row a colour.
    most : int
        Colours drawn at most.
    rng : numpy.random.Generator
        Where there are more, chooses them: by chance, in proportion to their pixels. Of photographs
        most colours have a pixel or two, and none of these goes before the others.

    Returns
    -------
    matplotlib.figure.Figure
        Every point in its own colour; its area grows with the root of its pixels.
    """
    # The first to come, where each pixel waits for a time of its own: drawn without replacement.
    waited = rng.exponential(size=len(features)) / features["n_pixels"].to_numpy()
    top = features.iloc[np.argsort(waited, kind="stable")[:most]]
    top = top.sort_values("n_pixels", ascending=False, kind="stable")
    own = top[["red", "green", "blue"]].to_numpy() / 255
    area = np.clip(3 * np.sqrt(top["n_pixels"]), 3, 120)
    figure, axes = plt.subplots(1, 2, figsize=(8.0, 3.8), layout="constrained", sharex=True)
    labels = {"blue_yellow": "blue - yellow", "lightness": "lightness (0 black, 1 white)"}
    for panel, (name, label) in zip(axes, labels.items(), strict=True):
        panel.scatter(top["green_red"], top[name], s=area, c=own, linewidths=0)
        panel.set(xlabel="green - red", ylabel=label, facecolor="0.93")
    return figure
