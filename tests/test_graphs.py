import re
import stat
import xml.etree.ElementTree as ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cohortlab.graphs import (
    GRAPHVIZ_HINT,
    member_names,
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


def texts_of(graph):
    root = ElementTree.fromstring(to_svg(graph, program=MISSING).svg)
    return [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]


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


@pytest.mark.parametrize(
    ("counts", "lines", "said"),
    [
        ((6, 1), (6, 1), "a line: an edge"),
        ((8, 3), (8, 3), "a line: an edge"),
        ((9, 2), (4, 1), "a line: about 2 edges"),
        ((400, 30), (8, 1), "a line: about 50 edges"),
    ],
)
def test_counts_become_parallel_lines_in_proportion(counts, lines, said):
    rows = [(0, i, n, 1.0, n + 1.0, 9.0, 0.0, 0.01) for i, n in enumerate(counts)]
    graph = relation_graph(table([*rows, (0, 2, 1, 1, 1.0, 0.0, 1.0, 1.0)]), parallel=True)
    assert tuple(edge.n_lines for edge in graph.edges) == lines
    assert said in graph.caption
    read = tokens(to_dot(graph))
    assert sum(token == "penwidth" for token in read) == sum(e.n_lines for e in graph.edges)
    assert to_dot(graph).count("fontsize=10") == len(graph.edges), "one text a relation"


@pytest.mark.parametrize(("smallest", "n_lines"), [(25, [1, 5]), (24, [1, 1])])
def test_counts_of_a_wide_range_become_widths_of_single_lines(smallest, n_lines):
    rows = [(0, 0, smallest, 5, 2.0, 3.0, 0.0, 0.01), (0, 1, 1000, 500, 2.0, 3.0, 0.0, 0.01)]
    graph = relation_graph(table(rows), parallel=True)
    assert [edge.n_lines for edge in graph.edges] == n_lines
    assert [edge.text for edge in graph.edges] == [f"{smallest}, 2.00x", "1000, 2.00x"]
    widths = [edge.width for edge in graph.edges]
    if n_lines == [1, 1]:
        assert widths == pytest.approx([1 + 5 * np.log1p(24) / np.log1p(1000), 6])
        assert "width: logarithm of the count" in graph.caption
    else:
        assert widths[0] == widths[1]


def drawn_lines(graph):
    root = ElementTree.fromstring(to_svg(graph, program=MISSING).svg)
    groups = root.iter("{http://www.w3.org/2000/svg}g")
    return sum(group.get("id", "").startswith("line2d_") for group in groups)


def test_matplotlib_draws_every_parallel_line():
    rows = [(0, 0, 5, 1.0, 5.0, 9.0, 0.0, 0.01), (0, 1, 3, 1.0, 3.0, 9.0, 0.0, 0.01)]
    assert drawn_lines(relation_graph(table(rows), parallel=True)) == 8
    assert drawn_lines(relation_graph(table(rows))) == 2


def test_all_pairs_with_edges_are_shown_and_the_significant_ones_marked():
    rows = [
        (0, 0, 9, 3.0, 3.0, 4.0, 0.001, 0.01),
        (0, 1, 1, 7.0, 1 / 7, -4.0, 0.001, 0.01),
        (1, 0, 4, 5.0, 0.8, -0.4, 0.6, 0.6),
        (1, 1, 0, 1.0, 0.0, -1.0, 0.3, 0.4),
        (1, 2, 2, 1.0, 2.0, 1.0, float("nan"), float("nan")),
    ]
    graph = relation_graph(table(rows), show_all=True)
    looks = {edge.text: edge.colour for edge in graph.edges}
    assert list(looks) == ["3.00x*", "0.14x*", "0.80x", "2.00x"]
    assert looks["0.80x"] == looks["2.00x"]
    assert len(set(looks.values())) == 3
    assert all(colour in to_dot(graph) for colour in looks.values())
    few = relation_graph(table(rows), show_all=True, max_edges=2)
    assert [edge.text for edge in few.edges] == ["3.00x*", "0.14x*"]
    assert "2 weaker relations not drawn" in few.caption


def test_items_stand_where_their_people_do():
    rows = [(a, b, 5, 1.0, 5.0, 9.0, 0.0, 0.01) for a, b in [(0, 3), (1, 2), (1, 3), (2, 0)]]
    rows.insert(0, (0, 1, 1, 1.0, 1.0, 0.0, 1.0, 1.0))
    graph = relation_graph(table(rows))
    assert [n.text for n in graph.nodes if n.side == "right"] == ["3", "2", "0", "1"]
    ends = {n.key: n.text for n in graph.nodes}
    assert {(ends[e.start], ends[e.end]) for e in graph.edges} == {
        ("0", "3"),
        ("1", "2"),
        ("1", "3"),
        ("2", "0"),
    }


def test_a_note_and_a_long_caption_are_read_whole():
    graph = relation_graph(table(), note="shown: " + "many words " * 20)
    assert graph.caption.strip() in " ".join(texts_of(graph))
    caption = tokens(to_dot(graph))[tokens(to_dot(graph)).index("label") + 2]
    assert caption[1:-1].replace("\\n", " ") == graph.caption.strip()


def test_long_names_are_broken_into_lines():
    name = "few pieces, low revenue, rather few returns, rather comes rarely"
    graph = relation_graph(table(), person_names={0: name})
    assert max(len(text) for text in texts_of(graph)) < len(name)
    assert name in " ".join(texts_of(graph))
    assert r'label="few pieces, low revenue, rather few\nreturns' in to_dot(graph)


def test_small_clusters_are_named_by_their_members():
    labels, members = ["a"] * 2 + ["b"] * 5, list("vwxyz12")
    named = member_names(labels, members, {"a": "never seen", "b": "many"}, at_most=2)
    assert named == {"a": "v, w", "b": "many"}
    assert member_names(labels, members, at_most=5)["b"] == "x, y, z, 1, 2"
    assert member_names(labels, members)["b"] == "b"
    with pytest.raises(ValueError, match="2 labels but 1 members"):
        member_names([0, 1], ["a"])


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


def test_graphviz_that_is_not_configured_is_done_without(tmp_path):
    message = """'Format: "svg" not recognized. Use one of:'"""
    program = fake_dot(tmp_path, f"cat > /dev/null; echo {message} >&2; exit 1")
    picture = to_svg(hostile_graph(), program=program)
    assert picture.svg == to_svg(hostile_graph(), program=MISSING).svg
    assert "dot -c" in picture.message


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\tb\r\nc", "a b c"),
        ("x" * 120, "x" * 99 + "…"),
        ("", "(no name)"),
        (12, "12"),
        ("\x07", "(no name)"),
    ],
)
def test_names_are_one_line_of_visible_text(name, shown):
    assert plain_name(name) == shown


def rules(sides):
    rows = [(frozenset(a), frozenset(c), lift) for a, c, lift in sides]
    return pd.DataFrame(rows, columns=["antecedents", "consequents", "lift"])


def test_rules_share_the_boxes_of_equal_sides():
    found = rules([("ab", "c", 8.0), ("a", "c", 4.0), ("ab", "d", 2.0)])
    graph = rule_graph(found, titles={"a": "apples", "b": "bread"})
    texts = {node.key: (node.text, node.side) for node in graph.nodes}
    assert sorted(texts.values()) == [
        ("apples [a]", "left"),
        ("apples [a] + bread [b]", "left"),
        ("c", "right"),
        ("d", "right"),
    ]
    assert [(texts[e.start][0], texts[e.end][0], e.text) for e in graph.edges] == [
        ("apples [a] + bread [b]", "c", "8.0x"),
        ("apples [a]", "c", "4.0x"),
        ("apples [a] + bread [b]", "d", "2.0x"),
    ]
    widths = [edge.width for edge in graph.edges]
    assert widths == sorted(widths, reverse=True)


def test_items_of_one_title_keep_boxes_of_their_own_told_apart_by_their_ids():
    title = "a title so long that it is cut in a box of several items, " * 3
    found = rules([(["1"], ["3"], 4.0), (["2"], ["3"], 2.0), (["1", "2"], ["4"], 3.0)])
    graph = rule_graph(found, titles=dict.fromkeys("1234", title))
    texts = {node.key: node.text for node in graph.nodes}
    ids = {key: re.findall(r"\[(\d)\]", text) for key, text in texts.items()}
    assert [(ids[edge.start], ids[edge.end]) for edge in graph.edges] == [
        (["1"], ["3"]),
        (["2"], ["3"]),
        (["1", "2"], ["4"]),
    ]
    assert all("…" in text for text in texts.values())


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
    shown = " ".join(texts_of(graph))
    assert all(node.text in shown for node in graph.nodes)
    assert any("<b>bold</b>" in node.text for node in graph.nodes)
