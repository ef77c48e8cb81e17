"""Names and numbers that nobody hopes for: long, of markup, missing, infinite, negative, many."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cohortlab.plots import (
    browsing,
    clusters,
    embedding,
    features,
    lesson,
    palette,
    rules,
    segments,
    style,
    truth,
)
from cohortlab.plots.label_table import label_table

LONG = "a name that goes on " * 15
NAMES = [LONG, "cost $ per $", "_hidden", "two\nlines", "עברית"]
RGB = {"red": [1], "green": [2], "blue": [3]}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def cells(name):
    return pd.DataFrame(
        {"planted_person": [name], "planted_item": [name], "planted_lift": [2.0], "found_lift": 3.0}
    )


FIGURES = {
    "distributions": lambda name: features.distributions(pd.DataFrame({name: [1.0, 2.0]})),
    "correlations": lambda name: features.correlations(pd.DataFrame({name: [1.0, 2], "y": [2, 1]})),
    "scatter views": lambda name: clusters.scatter_views(
        pd.DataFrame({name: [1.0, 2.0]}),
        np.array([0, 1]),
        {0: name, 1: "b"},
        [(name, f"log {name}")],
        rng=np.random.default_rng(0),
    ),
    "plane": lambda name: browsing.plane(np.eye(2), np.array([0, 1]), {0: name, 1: "b"}),
    "strips": lambda name: palette.strips(
        pd.DataFrame({"picture": [name], "method": "m", "position": 0, "share": 1.0} | RGB)
    ),
    "distortions": lambda name: palette.distortions({name: np.array([3.0, 1.0])}, {name: 2}),
    "side by side": lambda name: palette.side_by_side(
        name, [("original", np.zeros((5, 5, 3), np.uint8))] * 3
    ),
    "score grid": lambda name: segments.score_grid(
        pd.DataFrame({"recency_score": [1], "frequency_score": [1], "segment": [name]}),
        pd.Series([5.0]),
        [name],
    ),
    "populations": lambda name: lesson.population_views(
        {name: pd.DataFrame({"x": [1.0], "y": [1.0], "c": ["k"]})}, x="x", y="y", cluster="c"
    ),
    "support": lambda name: rules.support_and_confidence(
        pd.DataFrame({"scope": [name], "support": [0.1], "confidence": [0.2], "lift": [1.0]})
    ),
    "truth": lambda name: truth.planted_against_found({name: cells(name)}),
}


def texts_of(figure):
    return [text for text in figure.findobj(plt.Text) if text.get_text()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)
def test_a_name_from_data_is_drawn_as_it_is_and_leaves_room_for_the_figure(draw, name):
    figure = draw(name)
    figure.canvas.draw()
    told = [text.get_text() for text in texts_of(figure) if name[:4] in text.get_text()]
    assert told
    assert all(text.count("$") == text.count(r"\$") for text in told)
    assert figure.axes[0].get_window_extent().width > 60


def test_a_column_without_numbers_and_one_with_infinite_ones_have_a_panel():
    table = pd.DataFrame({"none": [np.nan, np.nan], "some": [np.inf, 2.0]})
    titles = [axes.get_title() for axes in features.distributions(table).axes if axes.get_visible()]
    assert titles == ["none\nno value", "some\n50% at one value"]


@pytest.mark.parametrize("span", [None, (0.0, 1.0)])
def test_a_map_without_any_value_is_grey(span):
    axes = plt.subplots()[1]
    style.heat_map(axes, np.full((1, 2), np.nan), ["a"], ["x", "y"], label="", span=span)
    assert not axes.texts


def test_money_that_is_none_is_written_and_has_the_lowest_colour():
    assigned = pd.DataFrame({"recency_score": [1, 2, 3], "frequency_score": 1, "segment": "s"})
    figure = segments.score_grid(assigned, pd.Series([0.0, -5.0, 100.0]), ["s"])
    right = figure.axes[1]
    assert [text.get_text() for text in right.texts] == ["0", "-5", "100"]
    assert right.collections[0].get_array().compressed().tolist() == [-2.0, -2.0, 2.0]


def test_a_logarithm_goes_below_0_where_values_do():
    rng, money = np.random.default_rng(0), pd.Series([-3.0, 0.0, 3.0], name="money")
    one = {"one": np.zeros(3, int)}
    figure = embedding.plane_with_clusters(rng.random((3, 2)), one, money, rng=rng)
    expected = np.log(4) * np.array([-1, 0, 1])
    np.testing.assert_allclose(figure.axes[1].collections[0].get_array(), expected)
    views = [("log money", "log money")]
    labels, names = np.zeros(3, int), {0: "a"}
    figure = clusters.scatter_views(money.to_frame(), labels, names, views, rng=rng)
    drawn = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(drawn, np.column_stack([expected, expected]))


def test_every_picture_has_a_line_and_a_name():
    names = [f"_{number}" for number in range(12)]
    figure = palette.distortions(
        dict.fromkeys(names, np.array([3.0, 1.0])), dict.fromkeys(names, 2)
    )
    assert len(figure.axes[0].lines) == 2 * 12
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names


def test_a_very_tall_picture_makes_no_very_tall_figure():
    tall = np.zeros((3000, 1, 3), np.uint8)
    height = palette.side_by_side("tower", [("original", tall)] * 2).get_size_inches()[1]
    assert 5 < height < 10


def test_users_who_never_come_back_have_no_pauses():
    visits = {"person_id": ["a", "b"], "start_ms": [0, 5], "end_ms": [1, 6], "position": [1, 1]}
    figure = browsing.pauses(pd.DataFrame(visits), gap_sec=1800)
    assert figure.axes[0].texts[0].get_text() == "No user has a second visit."


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_label_that_is_missing_is_told(missing):
    with pytest.raises(ValueError, match="1 labels are missing"):
        label_table([0, 1], ["a", missing])
