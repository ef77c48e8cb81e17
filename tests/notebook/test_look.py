import io
import os
import pty
import sys

import pandas as pd
import pytest

from cohortlab.notebook import look
from cohortlab.notebook.look import escape_markdown, hint, terminal


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
