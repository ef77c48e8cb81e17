"""What changed between two commits of a small project, on a page and in words."""

import base64
import io
import json
import re
import subprocess
from html.parser import HTMLParser

import nbformat
import pytest
from PIL import Image

from cohortlab.review import Snapshot, review, to_markdown, to_page
from cohortlab.review.__main__ import main
from cohortlab.review.files import compare_stored
from cohortlab.review.notebooks import compare_notebook
from cohortlab.review.series import TableChange, compare_series
from cohortlab.review.words import counts
from cohortlab.verify.values import Difference

HOSTILE = '<script>alert(1)</script>|"x"'
DIGEST = {"rows": 3, "columns": {"id": {"type": "str"}, "x": {"type": "float", "sum": 1.5}}}


def lines(*rows):
    """Write JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def tables(digest):
    """Write a step's digests: of a table that changes, and of two in folders that do not."""
    return json.dumps({"t.parquet": digest, "log/t.parquet": DIGEST, "truth/t.parquet": DIGEST})


def locked(outs):
    """Write what DVC locks: one stage, and its outputs."""
    return json.dumps({"schema": "2.0", "stages": {"count@toy": {"outs": outs}}})


def folder(name, md5, n_files):
    return {"path": f"results/toy/{name}", "md5": f"{md5}.dir", "nfiles": n_files}


SVG = "<svg xmlns='http://www.w3.org/2000/svg'><text>{}</text></svg>"
ALERT = {"rank": 1, "score": 2.5, "why": [{"feature": "bytes", "share": 0.5}]}
#: Files of every other kind, before and now; None where there is none.
OTHERS = {
    "results/toy/alerts.jsonl": (
        lines(ALERT, {"rank": 2, "score": 1.0}),
        lines(
            ALERT | {"score": 2.50000001, "why": [{"feature": "bytes", "share": 0.75}]},
            {"rank": 3, "score": 1.0, "note": "new"},
        ),
    ),
    "results/toy/rules.svg": (SVG.format("a"), SVG.format("b")),
    "results/toy/rules.dot": ('a -> b [label="0.50"]', 'a -> b [label="0.75"]'),
    "results/toy/page.html": ("<p>1.00000001</p>", "<p>1.00000002</p>"),
    "results/toy/limits.toml": ("k = 1\n", "k = 2\n"),
    "results/toy/limits.yaml": (None, "k: 2\n"),
    "results/toy/notes.txt": ("gone", None),
    "results/toy/model.bin": (b"\xff\x00", b"\xff\x01"),
    "dvc.lock": tuple(
        locked(
            [
                *({"path": f"results/toy/{name}", "md5": md5} for name, md5 in files.items()),
                folder("model", md5, 2),
                folder("raw", "same", 1),
                folder("truth", md5, 2),
                folder("log", md5, 1),
            ]
        )
        for md5, files in (
            ("1", {"t.parquet": "2", "count.json": "3"}),
            ("5", {"t.parquet": "6", "count.json": "7"}),
        )
    ),
}


def figure(colour):
    """Draw a picture of one colour; PNG in base64."""
    file = io.BytesIO()
    Image.new("RGB", (8, 4), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def notebook(*, text="12 people", colour="white", run=1, source="show(x)", lineage="a"):
    """Make an executed notebook of two cells."""
    data = {"text/plain": text, "text/html": f"<b>{text}</b>", "image/png": figure(colour)}
    outputs = [nbformat.v4.new_output("display_data", data), _output(text)]
    shown = nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=run, id="shown")
    made = nbformat.v4.new_code_cell(
        "show_lineage(results)", outputs=[_output(lineage)], execution_count=run + 1, id="made"
    )
    written = nbformat.v4.new_notebook(cells=[shown, made], metadata={"run": run})
    return nbformat.writes(written)


def _output(text):
    return nbformat.v4.new_output("display_data", {"text/markdown": text})


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Make a repository of two commits; the first is tagged `before`."""
    root = tmp_path_factory.mktemp("project")
    write(root, "params.yaml", "seed: 1\nstudies: {toy: {log: events, count: {n: 3, old: 1}}}\n")
    write(root, "dvc.yaml", "stages: {}\n")
    write(root, "results/toy/count.json", json.dumps({"n": 3, "mean": 0.5, "n_iter": 7}))
    write(root, "results/toy/series.csv", "model,k,bic\nA,1,10.0\nA,2,8.0\nB,1,9.0\n")
    write(root, "reports/toy/count.tables.json", tables(DIGEST))
    write(root, "reports/toy/count.ipynb", notebook())
    write(root, "reports/toy/same.ipynb", notebook())
    for name, (text, _) in OTHERS.items():
        write(root, name, text)
    git(root, "init", "-q")
    commit(root, "before")
    git(root, "tag", "before")
    write(root, "params.yaml", "seed: 1\nstudies: {toy: {log: events, count: {n: 5, new: [2]}}}\n")
    write(root, "results/toy/count.json", json.dumps({"n": 5, "mean": 0.5000001, "n_iter": 9}))
    write(root, "results/toy/series.csv", "model,k,bic\nA,1,10.0\nA,2,8.8\nC,1,9.0\n")
    other = DIGEST | {"rows": 4, "columns": {"x": {"type": "float", "sum": 3.0}, "y": {}}}
    write(root, "reports/toy/count.tables.json", tables(other))
    write(root, "reports/toy/count.ipynb", notebook(text=f"13 {HOSTILE}", colour="red", run=5))
    write(root, "reports/toy/same.ipynb", notebook(run=8))
    for name, (_, text) in OTHERS.items():
        write(root, name, text)
    commit(root, "now")
    return root


def write(root, name, text):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    if text is None:
        (root / name).unlink(missing_ok=True)
    else:
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def git(root, *arguments):
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(root), *author, *arguments], check=True, capture_output=True)


def commit(root, message):
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)


@pytest.fixture(scope="module")
def found(project):
    return review(Snapshot(project, "before"), Snapshot(project, "HEAD"))


def test_parameters_that_were_added_removed_and_changed_are_told(found):
    told = [(d.place, d.before, d.now) for d in found.parameters]
    block = "studies.toy.count"
    assert told == [
        (f"{block}.n", 3, 5),
        (f"{block}.old", 1, "(absent)"),
        (f"{block}.new", "(absent)", [2]),
    ]


def test_metrics_beyond_tolerance_are_told_and_others_are_not(found):
    assert [(d.place, d.before, d.now) for d in found.metrics] == [("n", 3, 5)]


def test_rows_columns_and_values_of_tables_are_told(found):
    digest, _, series = found.tables
    assert digest.name == "reports/toy/count.tables.json: t.parquet"
    assert digest.rows == (3, 4)
    assert (digest.columns_added, digest.columns_removed) == (["y"], ["id"])
    assert [(d.place, d.before, d.now) for d in digest.values] == [("x / sum", 1.5, 3.0)]
    assert (series.rows_added, series.rows_removed) == (["C, 1"], ["B, 1"])
    assert [(d.place, d.before, d.now) for d in series.values] == [("A, 2 / bic", "8.0", "8.8")]


def test_tables_in_json_lines_are_compared_row_by_row_and_within_a_value(found):
    _, alerts, _ = found.tables
    assert alerts.name == "results/toy/alerts.jsonl"
    assert (alerts.rows_added, alerts.rows_removed) == (["3"], ["2"])
    assert alerts.columns_added == ["note"]
    told = [(d.place, d.before, d.now) for d in alerts.values]
    assert told == [("1 / why[0].share", 0.5, 0.75)]


def test_drawings_among_the_results_stand_side_by_side(found):
    (drawing,) = found.drawings
    assert drawing.cell == "results/toy/rules.svg"
    assert (drawing.before, drawing.now) == (SVG.format("a"), SVG.format("b"))
    assert "- results/toy/rules.svg: changed" in to_markdown(found)


def test_a_file_of_any_other_kind_is_compared_as_text_or_named(found):
    told = {d.file: (d.place, d.before, d.now) for d in found.files}
    # What DVC stores is told by its hash, except what is compared by itself.
    stored = ("(MD5 in dvc.lock)", "1.dir", "5.dir")
    # Of two files of `truth` one has a digest, of one in `log` that one.
    assert told.pop("results/toy/model") == told.pop("results/toy/truth") == stored
    assert told.pop("results/toy/model.bin")[0] == "(hash)"
    assert told == {
        "results/toy/rules.dot": ("text", "0.50", "0.75"),
        "results/toy/limits.toml": ("text", "1", "2"),
        "results/toy/limits.yaml": ("(file)", "(absent)", "(a file)"),
        "results/toy/notes.txt": ("(file)", "(a file)", "(absent)"),
    }
    text = to_markdown(found)
    assert "- results/toy/limits.yaml: added" in text
    assert "- results/toy/notes.txt: removed" in text


@pytest.mark.parametrize(
    ("before", "now", "is_told"),
    [
        (["a", "b"], ["a", "b"], False),  # every file of it is compared by itself
        (["a"], ["a"], True),
        ([], [], True),
        (["a", "b"], ["a"], True),
        (["a"], ["a", "b"], True),
    ],
)
def test_a_folder_is_told_unless_all_of_its_files_are_compared_by_themselves(before, now, is_told):
    locks = [locked([folder("truth", md5, 2), folder("truth2", "same", 1)]) for md5 in "12"]
    told = tuple({f"results/toy/truth/{name}" for name in names} for names in (before, now))
    expected = [("results/toy/truth", "1.dir", "2.dir")] if is_told else []
    assert [(d.file, d.before, d.now) for d in compare_stored(*locks, told=told)] == expected


def test_files_of_a_folder_beside_it_do_not_stand_for_its_own():
    locks = [locked([folder("truth", md5, 1)]) for md5 in "12"]
    told = {"results/toy/truth_of_all.csv"}
    assert [d.file for d in compare_stored(*locks, told=(told, told))] == ["results/toy/truth"]


@pytest.mark.parametrize(("n_files", "is_told"), [(1, False), (2, True)])
def test_a_folder_that_came_or_went_is_told_unless_its_files_are(n_files, is_told):
    versions = "", locked([folder("log", "1", n_files)])
    told = set(), {"results/toy/log/t.parquet"}
    for locks, files in ((versions, told), (versions[::-1], told[::-1])):
        assert len(list(compare_stored(*locks, told=files))) == is_told


def test_noise_of_a_notebook_is_no_change(found):
    assert [change.file for change in found.notebooks] == ["reports/toy/count.ipynb"]
    (change,) = found.notebooks
    assert "execution_count" not in change.cells
    assert "metadata" not in change.cells
    assert "text/html" not in change.cells
    assert f"text/plain: 13 {HOSTILE}" in change.cells
    (shown,) = change.figures
    assert (shown.before, shown.now) == (figure("white"), figure("red"))
    assert shown.difference == pytest.approx(2 * 255 / 3, abs=1e-3)


def test_a_notebook_of_which_only_the_inputs_changed_says_so():
    change = compare_notebook("x.ipynb", notebook(), notebook(lineage="b"))
    assert change.only_lineage
    assert not compare_notebook("x.ipynb", notebook(), notebook(text="b")).only_lineage


def test_new_and_removed_notebooks_are_named():
    assert compare_notebook("x.ipynb", "", notebook()).state == "added"
    assert compare_notebook("x.ipynb", notebook(), "").state == "removed"


def test_the_working_tree_is_compared_where_no_revision_is_named(project):
    assert review(Snapshot(project, "HEAD"), Snapshot(project)).parameters == []
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("n: 5", "n: 6"))
    try:
        (difference,) = review(Snapshot(project, "HEAD"), Snapshot(project)).parameters
    finally:
        (project / "params.yaml").write_text(text)
    assert (difference.before, difference.now) == (5, 6)


def test_a_project_in_a_folder_of_a_repository_is_compared(tmp_path):
    root = tmp_path / "project"
    write(root, "results/toy/count.json", '{"n": 3}')
    git(tmp_path, "init", "-q")
    commit(tmp_path, "before")
    write(root, "results/toy/count.json", '{"n": 5}')
    (told,) = review(Snapshot(root, "HEAD"), Snapshot(root)).metrics
    assert (told.file, told.before, told.now) == ("results/toy/count.json", 3, 5)
    commit(tmp_path, "now")
    assert review(Snapshot(root, "HEAD~"), Snapshot(root, "HEAD")).metrics == [told]


def test_rows_that_no_column_names_are_matched_by_position():
    change = compare_series("x.csv", "a\n1\n1\n", "a\n1\n2\n", tolerance=1e-6)
    assert [(d.place, d.before, d.now) for d in change.values] == [("row 2 / a", "1", "2")]


def test_every_difference_is_told_where_the_tolerance_is_zero(project):
    exact = review(Snapshot(project, "before"), Snapshot(project, "HEAD"), tolerance=0)
    assert {d.place for d in exact.metrics} == {"n", "mean", "n_iter"}


def changes_in_lines(before, now):
    """Compare JSON lines; what was told of columns, and of values."""
    change = compare_series("x.jsonl", before, now, tolerance=1e-6)
    values = [(d.place, d.before, d.now) for d in change.values]
    return change.columns_added, change.columns_removed, values


def test_a_key_that_one_line_lacks_is_told_beside_null_and_at_the_end():
    before = lines({"k": 1, "a": 2}, {"k": 2}, {"k": 3, "a": None})
    now = lines({"k": 1, "a": None}, {"k": 2, "a": None}, {"k": 3}, {"k": 4, "b": None})
    values = [("1 / a", 2, None), ("2 / a", "(absent)", None), ("3 / a", None, "(absent)")]
    assert changes_in_lines(before, now) == (["b"], [], values)


def test_what_comes_from_a_drawn_plane_may_differ_in_a_line_but_must_be_there():
    before = lines({"k": 1, "plane_x": 1.0}, {"k": 2, "plane_x": 1.0})
    now = lines({"k": 1, "plane_x": 2.0}, {"k": 2})
    assert changes_in_lines(before, now) == ([], [], [("2 / plane_x", 1.0, "(absent)")])
    assert changes_in_lines(before, lines({"k": 1}, {"k": 2})) == ([], ["plane_x"], [])


def test_lines_end_at_line_feeds_alone_and_need_be_neither_full_nor_objects():
    before = json.dumps({"k": 1, "a": "x\u2028y\x85z"}, ensure_ascii=False) + "\n\n[1]\r\n"
    now = before.replace("y", "w").replace("[1]", "[2]")
    values = [("1 / a", "x\u2028y\x85z", "x\u2028w\x85z"), ("(absent) / (value)[0]", 1, 2)]
    assert changes_in_lines(before, now) == ([], [], values)


def test_columns_of_one_name_are_all_compared():
    change = compare_series("x.csv", "k,a,a\n1,2,3\n", "k,a,a\n1,4,5\n", tolerance=1e-6)
    told = [(d.place, d.before, d.now) for d in change.values]
    assert told == [("1 / a", "2", "4"), ("1 / a (2)", "3", "5")]


def test_what_stands_beyond_the_header_is_compared():
    change = compare_series("x.csv", "k,a\n1,2,3\n", "k,a\n1,2,4\n", tolerance=1e-6)
    assert [(d.place, d.before, d.now) for d in change.values] == [
        ("1 / (beyond the header)[0]", "3", "4")
    ]


class Page(HTMLParser):
    """What a page is made of: its tags, its ids, and where it points to."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.points = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note the tag and what it points to."""
        values = dict(attrs)
        self.tags.add(tag)
        self.ids.add(values.get("id"))
        self.points += [values[key] for key in ("src", "href") if key in values]


def test_the_page_is_whole_in_itself_and_renders_no_text_as_markup(found):
    text = to_page(found)
    page = Page(text)
    assert "script" not in page.tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    inside = [point for point in page.points if point.startswith("#")]
    assert {point[1:] for point in inside} <= page.ids
    figures = [point for point in page.points if not point.startswith("#")]
    assert [point.partition(";")[0] for point in figures] == [
        *("data:image/png",) * 2,
        *("data:image/svg+xml",) * 2,
    ]


def test_a_vector_drawing_stands_in_the_page_as_an_image(found):
    drawing = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    outputs = [nbformat.v4.new_output("display_data", {"image/svg+xml": drawing})]
    cell = nbformat.v4.new_code_cell("draw()", outputs=outputs, id="shown")
    drawn = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
    change = compare_notebook("x.ipynb", notebook(source="draw()"), drawn)
    text = to_page(type(found)("a", "b", None, notebooks=[change]))
    assert {"script", "svg"} & Page(text).tags == set()
    assert "data:image/svg+xml;base64," in text
    assert "There is none." in text


def test_the_summary_counts_and_escapes(found):
    text = to_markdown(found)
    assert "parameters 3, metrics 1, tables 3, figures 2, notebooks 1, files 7." in text
    assert "| studies.toy.count.n | 3 | 5 | 0.4 |" in text
    assert not re.search(r"<script>", text)


NAME = "x\n\n- [a](http://example.org)"


def test_names_from_the_data_with_line_breaks_begin_no_new_line(found):
    tables = [TableChange(NAME, (1, 1), rows_added=[NAME])]
    told = [Difference(NAME, NAME, NAME, NAME + "!")]
    text = to_markdown(type(found)("a", "b", None, tables=tables, files=told, metrics=told))
    assert not [line for line in text.splitlines() if line.startswith("- \\[a")]
    assert "](http" not in text


def test_of_long_values_and_names_the_part_that_matters_is_shown(found):
    many = "n" * 10_000
    told = [Difference("x.json", many, f"{many}a", f"{many}b")]
    tables = [TableChange("x.csv", (1, 1), rows_added=[many] * 5)]
    long = type(found)("a", "b", None, tables=tables, files=told, metrics=told)
    for text, most in ((to_markdown(long), 3000), (to_page(long), 20_000)):
        assert len(text) < most
        assert "na" in text
        assert "nb" in text


def test_the_command_writes_the_page_and_says_what_changed(project, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(project)
    page = tmp_path / "page.html"
    assert main(["before", "HEAD", "--out", str(page)]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "## What changed from before" in capsys.readouterr().out
    assert main(["nowhere", "--out", str(tmp_path / "none.html")]) == 2
    assert not (tmp_path / "none.html").exists()


def test_where_the_page_cannot_be_written_or_there_is_no_project_one_message_says_so(
    project, tmp_path, monkeypatch, caplog
):
    monkeypatch.chdir(project)
    assert main(["before", "HEAD", "--out", str(tmp_path / "nowhere" / "page.html")]) == 2
    assert "nowhere" in caplog.text
    monkeypatch.chdir(tmp_path)
    assert main(["before"]) == 2
    assert "run this inside the project" in caplog.text


@pytest.mark.parametrize(
    "name",
    [
        "params.yaml",
        "dvc.lock",
        "results/toy/count.json",
        "results/toy/alerts.jsonl",
        "reports/toy/count.tables.json",
        "reports/toy/count.ipynb",
    ],
)
@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n[1, {\n=======\n", "[]", "\u2028", b"\xff"])
def test_a_file_that_is_not_what_its_ending_says_is_told(project, name, text):
    whole = (project / name).read_text()
    write(project, name, text)
    try:
        found = review(Snapshot(project, "HEAD"), Snapshot(project))
    finally:
        write(project, name, whole)
    assert sum(counts(found).values()) > 0
    assert name in to_page(found) or name == "params.yaml"
