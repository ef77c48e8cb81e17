import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cohortlab.plots.label_table import label_table


class Reader(HTMLParser):
    """Collects tags and the cells' titles."""

    def __init__(self):
        super().__init__()
        self.tags, self.titles, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        self.titles += [value for name, value in attrs if name == "title"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(html):
    reader = Reader()
    reader.feed(html)
    assert not reader.open
    return reader


def marks(html):
    """The marks of the cells of both halves, found first."""
    found, true = html.split("<b>true</b>")
    return [re.findall(r'title="[^"]*">(\w)</td>', half) for half in (found, true)]


def test_every_person_is_a_cell_in_both_halves():
    found, true = marks(label_table([0, 1, 1, 0], ["b", "a", "a", "b"]))
    assert (len(found), len(true)) == (4, 4)


def test_matched_clusters_share_colour_and_number_whatever_they_are_called():
    true = np.repeat(["x", "y", "z"], 4)
    html = label_table(np.repeat([7, 3, 5], 4), true)
    found, planted = marks(html)
    assert found == planted == [*"111122223333"]
    colours = re.findall(r"background:(#\w+);color:#\w+\" title", html)
    assert colours[:12] == colours[12:]
    assert len(set(colours)) == 3
    assert "0 of 12 are not" in html


def test_a_confused_person_and_a_cluster_without_partner_stand_out():
    html = label_table([1, 1, 1, 2, 2, 9], ["a", "a", "a", "b", "b", "b"])
    found, true = marks(html)
    assert found == [*"11122a"]
    assert true == [*"111222"]
    assert "1 of 6 are not" in html


def test_markup_in_names_is_only_text():
    bad = '<script>alert("x")</script>'
    html = label_table([0, 1], [bad, "ok"], people=[bad, "'\">"], names={"ok": "<b>bold</b>"})
    reader = read(html)
    assert "script" not in reader.tags
    assert sorted(set(reader.titles)) == sorted({bad, "'\">"})
    assert "<b>bold" not in html
    assert "&lt;script&gt;" in html


def test_many_people_are_thinned_and_the_caption_says_so():
    labels = np.arange(5000) % 3
    html = label_table(labels, labels, max_people=120)
    assert "120 of 5000 people shown" in html
    assert len(marks(html)[0]) == 120
    assert len(html) < 25_000


def test_items_are_called_items():
    labels = np.arange(300) % 3
    assert "all items shown" in label_table(labels, labels, members="items")
    assert "9 of 300 items shown" in label_table(labels, labels, members="items", max_people=9)


def test_labels_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="2 planted and 1 found"):
        label_table([0], [0, 1])
    with pytest.raises(ValueError, match="1 names of people, but 2"):
        label_table([0, 1], [0, 1], people=["x"])
