import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cohortlab.plots.anomalies import recall_heat_map
from cohortlab.plots.bipartite import lift_heat_map
from cohortlab.plots.clusters import attribute_heat_map
from cohortlab.plots.style import heat_map


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


@pytest.mark.parametrize(("centre", "span"), [(0.0, (-0.5, 0.5)), (0.5, (0.0, 1.0))])
def test_the_colour_bar_reads_what_the_cells_say(centre, span):
    figure, axes = plt.subplots()
    values = np.array([[0.1, 0.5], [np.nan, 0.9]])
    heat_map(axes, values, ["a", "b"], ["x", "y"], label="P", limit=0.5, centre=centre)
    assert figure.axes[1].get_ylim() == span
    assert figure.axes[1].get_ylabel() == "P"
    assert [text.get_text() for text in axes.texts] == ["0.1", "0.5", "0.9"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    assert axes.yaxis_inverted()


def test_notes_are_white_on_dark_cells_and_black_on_light_ones():
    axes = plt.subplots()[1]
    # Black stands out more than white on the middling blue, 4.9 to 4.3.
    heat_map(axes, np.array([[-1.0, -0.68, 0.0, 1.0]]), ["a"], list("wxyz"), label="", limit=1.0)
    assert [text.get_color() for text in axes.texts] == ["#fff", "#000", "#000", "#fff"]


def test_few_false_alarms_do_not_look_like_none():
    shares = pd.DataFrame(
        {"one": [0.00122, 0.0, 0.00001, 0.0126], "two": [0.9996, 1.0, 0.5, 0.99999]}
    )
    axes = recall_heat_map(shares).axes[0]
    notes = [text.get_text() for text in axes.texts]
    assert notes == ["0.12%", "99.96%", "0%", "100%", "<0.01%", "50%", "1.3%", ">99.99%"]
