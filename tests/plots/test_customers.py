"""Pictures of customers: the plane by several clusterings, and segments in space."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cohortlab.plots import embedding, segments

NAMES = ["champions", "loyal", "lost"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_every_clustering_has_a_panel_of_the_plane_before_what_was_learnt():
    rng = np.random.default_rng(0)
    places, money = rng.random((30, 2)), pd.Series(rng.random(30), name="money")
    clusterings = {"in the plane": np.arange(30) % 2, "by the leaves": np.arange(30) % 3}
    figure = embedding.plane_with_clusters(places, clusterings, money, rng=rng)
    first, second, learnt, _ = figure.axes
    for axes, (title, labels) in zip((first, second), clusterings.items(), strict=True):
        assert axes.get_title() == title
        (points,) = axes.collections
        assert points.get_array().tolist() == labels.tolist()
        assert points.get_offsets().tolist() == places.tolist()
        assert {text.get_text() for text in axes.texts} == set(map(str, labels))
    assert learnt.get_title() == "by what the forest learnt"


@pytest.mark.parametrize(("most", "shown"), [(14, ["1", "2", "5", "10"]), (1, ["1"])])
def test_the_view_in_space_has_a_legend_and_ticks_that_are_invoices(most, shown):
    rng = np.random.default_rng(0)
    rfm = pd.DataFrame(
        {
            "recency": rng.integers(1, 300, 60),
            "frequency": np.linspace(1, most, 60).round(),
            "monetary": np.geomspace(3, 4000, 60),
        }
    )
    of = pd.Series(np.array(NAMES)[np.arange(60) % 2])
    figure = segments.space_view(rfm, of, NAMES, rng=rng)
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.yaxis.get_ticklabels()] == shown
    assert [tick.get_text() for tick in axes.zaxis.get_ticklabels()] == ["10", "100", "1,000"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["champions", "loyal"]
    inches = figure.dpi_scale_trans.inverted()
    box = legend.get_window_extent().transformed(inches)
    assert not box.overlaps(axes.get_tightbbox().transformed(inches))
