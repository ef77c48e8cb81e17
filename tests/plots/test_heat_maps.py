import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cohortlab.plots.bipartite import lift_heat_map
from cohortlab.plots.clusters import attribute_heat_map


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def columns_of(figure):
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


def colours_of(figure):
    return np.ma.getmaskarray(figure.axes[0].collections[0].get_array()).ravel()


def relations(q):
    return pd.DataFrame(
        {
            "person_cluster": [0, 0, 1, 1],
            "item_cluster": [0, 1, 0, 1],
            "lift": [0.0, 1.0, 2.0, 1.0],
            "q": q,
        }
    )


@pytest.mark.parametrize(
    ("q", "drawn"),
    [
        ([0.01, np.nan, 0.5, np.nan], ["0: tea"]),
        ([0.01, 0.5, np.nan, np.nan], ["0: tea", "1: milk"]),
        ([np.nan] * 4, ["0: tea", "1: milk"]),
    ],
)
def test_groups_of_items_without_a_tested_pair_are_not_drawn(q, drawn):
    figure = lift_heat_map(relations(q), {0: "a", 1: "b"}, {0: "tea", 1: "milk"})
    assert columns_of(figure) == drawn


def test_a_lift_of_zero_has_a_colour():
    figure = lift_heat_map(relations([0.1] * 4), {0: "a", 1: "b"}, {0: "tea", 1: "milk"})
    assert not colours_of(figure).any()


def test_cells_with_few_people_stay_grey():
    shares = pd.DataFrame(
        {
            "attribute": ["home"] * 4,
            "value": ["own", "own", "rent", "rent"],
            "cluster": [0, 1, 0, 1],
            "expected": [9.0, 9.0, 1.0, 9.0],
            "share": [0.5] * 4,
            "residual": [1.0] * 4,
        }
    )
    figure = attribute_heat_map(shares, {0: "a", 1: "b"})
    assert colours_of(figure).tolist() == [False, False, True, False]
    assert columns_of(figure) == ["0: a", "1: b"]


def test_without_any_known_value_a_figure_says_so():
    figure = attribute_heat_map(pd.DataFrame({"value": []}), {})
    assert "No value" in figure.axes[0].texts[0].get_text()
