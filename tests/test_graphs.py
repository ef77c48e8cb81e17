import re
import stat
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from cohortlab.graphs import (
    GRAPHVIZ_HINT,
    plain_name,
    relation_graph,
    rule_graph,
    to_dot,
    to_svg,
)

HOSTILE = {0: 'a "quoted" \\ name', 1: "line\nbreak -> b;", 2: "<b>bold</b> & $x$ 家電 \x00", 3: ""}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|->|[\[\]{};=,]|[A-Za-z_][A-Za-z_0-9]*|-?[0-9.]+|\s+')
MISSING = "no-such-program"


def table(rows=None):
    rows = rows or [
        (a, b, 10, 5.0, 2.0 + a - b / 6, 3.0, 0.01, 0.02) for a in (0, 1, 2) for b in (0, 3)
    ]
    names = ["person_cluster", "item_cluster", "observed", "expected", "lift", "z", "p", "q"]
    return pd.DataFrame(rows, columns=names)


def hostile_graph(**more):
    return relation_graph(table(), person_names=HOSTILE, item_names=HOSTILE, **more)


def tokens(text):
    assert "".join(TOKEN.findall(text)) == text, "a character outside quotes is no DOT"
    return [token for token in TOKEN.findall(text) if not token.isspace()]


def test_dot_reads_as_dot_whatever_the_names():
    read = tokens(to_dot(hostile_graph()))
    assert read[0] == "digraph"
    assert read.count("{") == read.count("}") == 3
    assert read.count("[") == read.count("]")
    assert all("\n" not in token and "\x00" not in token for token in read)
    labels = [read[i + 2] for i, token in enumerate(read) if token == "label"]
    shown = [re.sub(r"\\(.)", r"\1", label[1:-1]) for label in labels]
    assert shown[1:6] == [plain_name(HOSTILE[c]) for c in (0, 1, 2, 0, 3)]


def test_only_significant_lifts_above_one_are_drawn():
    rows = [
        (0, 0, 9, 3.0, 3.0, 4.0, 0.001, 0.01),
        (0, 1, 9, 3.0, 3.0, 1.0, 0.2, 0.3),
        (1, 0, 3, 9.0, 0.3, -4.0, 0.001, 0.01),
        (1, 1, 1, 0.2, 5.0, float("nan"), float("nan"), float("nan")),
    ]
    graph = relation_graph(table(rows))
    assert [(edge.start, edge.end) for edge in graph.edges] == [("p0", "i0")]
    assert len(graph.nodes) == 4
    assert to_dot(graph).count("penwidth") == 1


@pytest.mark.parametrize(("width", "thickest"), [("lift", "3.00x"), ("observed", "1.50x")])
def test_width_shows_what_was_asked_for(width, thickest):
    rows = [(0, 0, 9, 3.0, 3.0, 4.0, 0.0, 0.01), (0, 1, 90, 60.0, 1.5, 9.0, 0.0, 0.01)]
    graph = relation_graph(table(rows), width=width)
    assert max(graph.edges, key=lambda edge: edge.width).text == thickest


def test_unknown_width_is_named():
    with pytest.raises(ValueError, match="width is 'z'"):
        relation_graph(table(), width="z")


def test_weakest_lines_give_way_and_the_caption_says_so():
    graph = relation_graph(table(), max_edges=2)
    assert len(graph.edges) == 2
    assert "4 weaker relations not drawn" in graph.caption


@pytest.mark.parametrize("rows", [[(0, 0, 5, 5.0, 1.0, 0.0, 1.0, 1.0)], "empty"])
def test_no_relation_is_drawn_as_none(rows):
    graph = relation_graph(table().head(0) if rows == "empty" else table(rows))
    assert "No relation stands out" in graph.caption
    ElementTree.fromstring(to_svg(graph, program=MISSING).svg)
    tokens(to_dot(graph))


def test_without_graphviz_matplotlib_draws_the_same_graph():
    picture = to_svg(hostile_graph(), program=MISSING)
    assert (picture.engine, picture.message) == ("matplotlib", GRAPHVIZ_HINT)
    root = ElementTree.fromstring(picture.svg)
    shown = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    for node in hostile_graph().nodes:
        assert node.text in shown
    assert sum(text.endswith("x") for text in shown) == 6


def test_svg_is_the_same_from_run_to_run_and_ignores_settings():
    first = to_svg(hostile_graph(), program=MISSING).svg
    with plt.rc_context({"font.size": 30, "svg.hashsalt": "other", "text.usetex": True}):
        assert to_svg(hostile_graph(), program=MISSING).svg == first
    assert b"dc:date" not in first


def fake_dot(tmp_path, script):
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program)


def test_graphviz_gets_the_dot_text(tmp_path):
    program = fake_dot(tmp_path, 'test "$1" = -Tsvg && cat')
    picture = to_svg(hostile_graph(), program=program)
    assert picture.svg.decode() == to_dot(hostile_graph())
    assert (picture.engine, picture.message) == ("dot", "")


def test_failing_graphviz_is_not_hidden(tmp_path):
    program = fake_dot(tmp_path, "cat > /dev/null; echo syntax error in line 1 >&2; exit 1")
    with pytest.raises(RuntimeError, match="syntax error in line 1"):
        to_svg(hostile_graph(), program=program)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\tb\r\nc", "a b c"),
        ("x" * 50, "x" * 39 + "…"),
        ("", "(no name)"),
        (12, "12"),
        ("\x07", "(no name)"),
    ],
)
def test_names_fit_one_line(name, shown):
    assert plain_name(name) == shown


def rules(sides):
    rows = [(frozenset(a), frozenset(c), lift) for a, c, lift in sides]
    return pd.DataFrame(rows, columns=["antecedents", "consequents", "lift"])


def test_rules_share_the_boxes_of_equal_sides():
    found = rules([("ab", "c", 8.0), ("a", "c", 4.0), ("ab", "d", 2.0)])
    graph = rule_graph(found, titles={"a": "apples", "b": "bread"})
    texts = {node.key: (node.text, node.side) for node in graph.nodes}
    assert sorted(texts.values()) == [
        ("apples", "left"),
        ("apples + bread", "left"),
        ("c", "right"),
        ("d", "right"),
    ]
    assert [(texts[e.start][0], texts[e.end][0], e.text) for e in graph.edges] == [
        ("apples + bread", "c", "8.0x"),
        ("apples", "c", "4.0x"),
        ("apples + bread", "d", "2.0x"),
    ]
    widths = [edge.width for edge in graph.edges]
    assert widths == sorted(widths, reverse=True)


def test_rules_beyond_the_limit_are_counted():
    found = rules([("a", "b", 1.0), ("b", "a", 1.0), ("c", "a", 0.5)])
    graph = rule_graph(found, max_edges=2)
    assert [edge.width for edge in graph.edges] == [1.0, 1.0]
    assert "1 further rules not drawn" in graph.caption
    assert rule_graph(found.head(0)).nodes == ()


def test_hostile_items_of_rules_stay_text():
    graph = rule_graph(rules([(HOSTILE.values(), ["plain"], 3.0)]))
    read = tokens(to_dot(graph))
    assert read.count("{") == read.count("}") == 3
    root = ElementTree.fromstring(to_svg(graph, program=MISSING).svg)
    shown = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {node.text for node in graph.nodes} <= set(shown)
    assert any("<b>bold</b>" in node.text for node in graph.nodes)
