import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cohortlab.plots.laboratory import phase_maps, score_lines
from cohortlab.plots.lesson import incidence_in_order, population_views


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def scores():
    rows = [
        (name, overlap, strength, overlap + strength)
        for name in ("ward", "louvain")
        for overlap in (0.1, 0.3)
        for strength in (0.2, 0.5)
    ]
    return pd.DataFrame(rows, columns=["algorithm", "overlap", "strength", "mean"])


def test_a_map_holds_the_means_at_their_conditions():
    twice = pd.concat([scores().assign(mean=scores()["mean"] + shift) for shift in (-0.1, 0.1)])
    figure = phase_maps(twice, ["louvain", "ward"], score="mean", label="index")
    assert [axes.get_title() for axes in figure.axes[:2]] == ["louvain", "ward"]
    texts = [text.get_text() for text in figure.axes[0].texts]
    # The strongest relation stands at the top, the least overlap to the left.
    assert texts == ["0.60", "0.80", "0.30", "0.50"]


def test_the_numbers_of_a_map_are_read_on_their_cells():
    # On the grey of 0.47 black stands out more than white, 4.7 to 4.5.
    rows = scores().assign(mean=[0.0, 0.47, 0.3, 1.0] * 2)
    axes = phase_maps(rows, ["ward"], score="mean", label="index").axes[0]
    inks = {text.get_text(): text.get_color() for text in axes.texts}
    assert inks == {"0.00": "#fff", "0.30": "#fff", "0.47": "#000", "1.00": "#000"}


def test_the_bar_of_a_map_marks_what_values_mean_and_says_that_some_lie_beyond():
    high = scores().assign(mean=lambda t: 10 * t["mean"])
    options = {"score": "mean", "label": "error", "limits": (0, 2), "marks": {1: "nothing known"}}
    *_, bar = phase_maps(high, ["louvain", "ward"], **options).axes
    assert [text.get_text() for text in bar.get_yticklabels()] == ["nothing known"]
    assert bar.get_ylim() == (0, 2)
    assert bar.get_ylim()[1] < high["mean"].max()
    assert len(bar.patches) == 1  # the arrow at the upper end


def test_lines_carry_intervals_and_one_look_an_algorithm():
    rows = scores().assign(low=lambda t: t["mean"] - 0.1, high=lambda t: t["mean"] + 0.1)
    figure = score_lines(rows, x="overlap", panel="strength", limits=(0, 1))
    assert [axes.get_title() for axes in figure.axes] == ["0.2", "0.5"]
    for axes in figure.axes:
        assert [line.get_label() for line in axes.lines] == ["ward", "louvain"]
        assert len(axes.collections) == 2
        assert axes.get_ylim() == (0, 1)
    looks = [{(line.get_color(), line.get_marker()) for line in a.lines} for a in figure.axes]
    assert looks[0] == looks[1]
    assert len(looks[0]) == 2
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [0.3, 0.5])


def test_an_algorithm_looks_the_same_whoever_else_is_drawn():
    both, alone = (
        score_lines(rows, x="overlap")
        for rows in (scores(), scores().query("algorithm=='louvain'"))
    )
    first, second = (
        {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines[-1:]}
        for figure in (both, alone)
    )
    assert first == second


def test_the_incidence_stands_in_the_order_of_the_labels():
    matrix = sparse.csr_array(np.array([[1, 0], [0, 1], [1, 0]]))
    figure = incidence_in_order(matrix, {"found": (np.array([1, 0, 1]), np.array([1, 0]))})
    (axes,) = figure.axes
    # An edge is dark: person 1 comes first, item 1 too.
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0, 1], [1, 0], [1, 0]])
    assert axes.lines[0].get_ydata()[0] == 0.5
    assert axes.lines[1].get_xdata()[0] == 0.5


def test_a_population_has_a_panel_and_a_kind_a_colour():
    rows = pd.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 3], "cluster": ["b", "a", "b"]})
    figure = population_views({"$one$": rows, "two": rows[:1]}, x="x", y="y", cluster="cluster")
    assert figure.axes[0].get_title() == r"\$one\$"
    assert [len(c.get_offsets()) for c in figure.axes[0].collections] == [1, 2]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
