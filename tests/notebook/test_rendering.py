import io
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

from cohortlab.notebook.rendering import compact_html, palette_png
from cohortlab.plots.style import cluster_colours


@pytest.fixture
def figure():
    rng = np.random.default_rng(0)
    figure, axes = plt.subplots(dpi=90)
    for colour in cluster_colours(8):
        axes.scatter(*rng.normal(size=(2, 500)), s=7, alpha=0.5, color=colour, label="x")
    axes.legend()
    return figure


def test_a_figure_gives_the_same_small_picture_twice(figure):
    first, second = palette_png(figure), palette_png(figure)
    assert first == second
    raw = io.BytesIO()
    figure.savefig(raw, format="png")
    assert len(first) < len(raw.getvalue()) / 2


def test_the_colours_of_a_legend_survive_the_palette(figure):
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=90, bbox_inches="tight")
    before = np.asarray(Image.open(raw).convert("RGB")).astype(int)
    now = np.asarray(Image.open(io.BytesIO(palette_png(figure))).convert("RGB")).astype(int)
    # The nearest two of Wong's colours are 49 apart in a channel.
    assert np.abs(before - now).max() < 25


def test_fewer_colours_make_a_smaller_file(figure):
    few = palette_png(figure, colours=32)
    assert len(few) < 0.9 * len(palette_png(figure))
    assert len(Image.open(io.BytesIO(few)).convert("RGB").getcolors()) <= 32


def test_a_figure_of_few_colours_gets_a_small_palette_and_any_other_a_larger_one(figure):
    plain, axes = plt.subplots()
    axes.plot([0, 1])
    pictures = [Image.open(io.BytesIO(palette_png(f))) for f in (plain, figure)]
    counts = [len(p.convert("RGB").getcolors()) for p in pictures]
    assert counts[0] <= 64 < counts[1]


def test_letters_that_no_font_has_are_boxes_and_no_warnings(figure):
    figure.axes[0].set_title("\U0010fffd")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        palette_png(figure)


def test_a_sky_keeps_its_gradient_beside_many_other_colours():
    picture = np.random.default_rng(0).integers(0, 255, (120, 256, 3)).astype(np.uint8)
    picture[:100] = 200
    picture[:100, :, 2] = np.linspace(160, 250, 256)
    figure, axes = plt.subplots(figsize=(3, 1.5))
    axes.imshow(picture)
    axes.set_axis_off()
    kept = np.asarray(Image.open(io.BytesIO(palette_png(figure))).convert("RGB")).reshape(-1, 3)
    sky = kept[(kept[:, :2] == 200).all(axis=1)]
    assert len(np.unique(sky[:, 2])) > 30


def test_no_palette_is_smaller_than_the_fewest_colours_asked_for():
    greys, axes = plt.subplots()
    axes.barh(range(200), 1, color=[str(grey) for grey in np.linspace(0, 1, 200)])
    counts = [
        len(Image.open(io.BytesIO(palette_png(greys, fewest=n))).convert("RGB").getcolors())
        for n in (64, 256)
    ]
    assert counts[0] <= 64 < 128 < counts[1]


def test_a_compact_table_reads_as_the_usual_one():
    columns = {"a<b": ["x > \n y", "</td>\n<td>"], "number": [0.5, None]}
    table = pd.DataFrame(columns, index=["first", "> <"])
    small, usual = compact_html(table), table._repr_html_()
    assert len(small) < 0.7 * len(usual)
    cells = [re.findall(r"<(t[dh])>(.*?)</t[dh]>", html, re.DOTALL) for html in (small, usual)]
    assert cells[0] == cells[1]
    assert len(cells[0]) == 3 + 2 * 3


def test_a_table_is_plain_text_where_pandas_is_told_to_write_no_html():
    formatter = DisplayFormatter()
    formatter.formatters["text/html"].for_type(pd.DataFrame, compact_html)
    table = pd.DataFrame({"x": [1]})
    with pd.option_context("display.notebook_repr_html", False):
        assert compact_html(table) is None
        assert formatter.format(table) == ({"text/plain": repr(table)}, {})
    assert formatter.format(table)[0]["text/html"] == compact_html(table)


def test_a_figure_that_was_shown_is_closed(figure):
    palette_png(figure)
    assert not plt.fignum_exists(figure.number)
