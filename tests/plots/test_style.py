"""Colours are told apart, by colour-blind eyes too, and labels do not lie on each other."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from seaborn.utils import relative_luminance

from cohortlab.plots.style import EMPTY, cluster_colours, ink_on, logarithmic, spread_labels

# Linear RGB to XYZ (IEC 61966-2-1) over the white of D65, and what protan and deutan eyes see of
# linear RGB (Machado, Oliveira and Fernandes 2009, table 1, severity 1).
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
EYES = {
    "normal": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.01182, 0.04294, 0.968881],
    ],
}


def lab(colours, eyes):
    """CIE L*a*b* of colours, as those eyes see them."""
    colours = np.asarray(colours)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(EYES[eyes]), 0, 1) @ TO_XYZ.T / WHITE
    root = np.where(seen > 0.008856, np.cbrt(seen), 7.787 * seen + 16 / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


# A just noticeable difference is about 2.3; orange and vermilion, the nearest two, are 25.6 apart
# to most eyes and 12.6 to protan ones.
@pytest.mark.parametrize(("eyes", "least"), [("normal", 25.0), ("protan", 12.0), ("deutan", 12.0)])
@pytest.mark.parametrize("n_clusters", [2, 7, 8, 10])
def test_the_colours_of_groups_are_told_apart(n_clusters, eyes, least):
    seen = lab(cluster_colours(n_clusters), eyes)
    assert len(seen) == n_clusters
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) >= least


def test_many_groups_have_as_many_colours():
    assert len(set(cluster_colours(14))) == 14


def contrast(one, other):
    """WCAG 2.2, contrast ratio, of opaque colours of shape (n, 3)."""
    darker, lighter = np.sort([relative_luminance(one), relative_luminance(other)], axis=0)
    return (lighter + 0.05) / (darker + 0.05)


# 4.5 is what WCAG 2.2 (1.4.3) asks for; black and white can always give 4.58.
@pytest.mark.parametrize("under", ["white", EMPTY, "black", "#d55e00"])
@pytest.mark.parametrize("opacity", [1.0, 0.75, 0.4, 0.0])
def test_text_can_be_read_on_any_ground(opacity, under):
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 18)] * 3), axis=-1)
    inks = ink_on(np.insert(grid, 3, opacity, axis=-1), under=under)
    assert inks.shape == grid.shape[:-1]
    ground = np.clip(opacity * grid + (1 - opacity) * np.array(to_rgb(under)), 0, 1).reshape(-1, 3)
    text = np.array([to_rgb(ink) for ink in inks.ravel()])
    assert contrast(text, ground).min() >= 4.5


@pytest.mark.parametrize("seed", range(5))
def test_labels_end_apart_and_those_that_lie_free_stay(seed):
    rng = np.random.default_rng(seed)
    places = np.concatenate([rng.normal(size=(8, 2)), [[50.0, 50.0], [-50.0, 0.0]]])
    size = np.array([0.8, 0.3])
    moved = spread_labels(places, tuple(size))
    gaps = np.abs(moved[:, None] - moved[None]) / size
    gaps = gaps.max(axis=2)[np.triu_indices(10, 1)]
    assert gaps.min() >= 1 - 1e-6
    np.testing.assert_allclose(moved[-2:], places[-2:])


def test_labels_of_one_place_are_spread():
    moved = spread_labels(np.zeros((3, 2)), (1.0, 1.0))
    assert len({tuple(place) for place in moved.round(6)}) == 3


@pytest.mark.parametrize(
    ("ends", "labels"),
    [
        ((0.004, 0.12), ["0.005", "0.01", "0.02", "0.05", "0.1"]),
        ((0.019, 0.039), ["0.02", "0.025", "0.03", "0.035"]),
        ((0.9, 300), ["1", "10", "100"]),
    ],
)
def test_a_logarithmic_axis_has_labels_that_it_has_room_for(ends, labels):
    figure, axes = plt.subplots()
    axes.set_xlim(*ends)
    logarithmic(axes.xaxis)
    axes.set_xlim(*ends)
    labels_of = axes.xaxis.get_major_formatter().format_ticks(axes.get_xticks())
    within = [ends[0] <= place <= ends[1] for place in axes.get_xticks()]
    assert [text for text, seen in zip(labels_of, within, strict=True) if seen] == labels
    plt.close(figure)
