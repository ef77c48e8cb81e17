import io
import os
import pty
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cohortlab.notebook import look
from cohortlab.notebook.look import escape_markdown, hint, palette_png, terminal
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


def test_a_figure_that_was_shown_is_closed(figure):
    palette_png(figure)
    assert not plt.fignum_exists(figure.number)


@pytest.mark.parametrize("text", ["<script>x</script>", "*a* _b_ `c` [d](e) # f | g $h$ ~i~"])
def test_no_markup_of_a_text_is_left(text):
    escaped = escape_markdown(text)
    assert "<" not in escaped
    assert all(escaped[i - 1] == "\\" for i, c in enumerate(escaped) if c in "*_`[]()#|$~")


class Kernel(io.StringIO):
    """An error stream as a notebook's kernel has it, over the one that was there before."""

    def __init__(self, copy):
        super().__init__()
        self._original_stdstream_copy = copy


def test_progress_goes_to_the_terminal_below_the_kernel(monkeypatch):
    reader, writer = pty.openpty()
    monkeypatch.setattr(sys, "stderr", Kernel(writer))
    with terminal() as stream:
        stream.write("half way")
    assert os.read(reader, 100) == b"half way"
    assert sys.stderr.getvalue() == ""


def test_without_a_terminal_nobody_watches(monkeypatch, tmp_path):
    assert terminal() is None
    with open(tmp_path / "log", "w") as stream:
        monkeypatch.setattr(sys, "stderr", Kernel(stream.fileno()))
        assert terminal() is None


def test_a_table_without_rows_becomes_a_sentence(monkeypatch):
    shown = []
    monkeypatch.setattr(look, "display", shown.append)
    table = pd.DataFrame({"x": [1]})
    look.show_table(table, "There is none.")
    look.show_table(table.head(0), "There is none.")
    assert shown[0] is table
    assert shown[1].data == "There is none."


def test_a_hint_goes_to_the_terminal_once_and_not_into_the_notebook(monkeypatch, capsys, tmp_path):
    class Stream(io.StringIO):
        def close(self):
            """Keep what was written."""

    stream = Stream()
    monkeypatch.setattr("cohortlab.notebook.look.terminal", lambda: stream)
    hint("")
    assert stream.getvalue() == ""
    hint("install dot")
    assert stream.getvalue() == "\ninstall dot\n"
    monkeypatch.setenv("COHORTLAB_SAID", str(tmp_path))
    hint("once a run")
    hint("once a run")
    assert stream.getvalue() == "\ninstall dot\n\nonce a run\n"
    monkeypatch.setattr("cohortlab.notebook.look.terminal", lambda: None)
    hint("install dot")
    assert capsys.readouterr() == ("", "")
