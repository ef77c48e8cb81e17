import json
import shutil
import subprocess
import sys

import nbformat
import pytest

from cohortlab.run.machine import fingerprint
from cohortlab.verify import __main__ as command
from cohortlab.verify import changed_results, compare_texts, stale_stages
from cohortlab.verify.clone import clone_commit
from cohortlab.verify.committed import compare_files

STAGES = """
stages:
  count:
    cmd: cp log.json results/toy/count.json
    deps: [log.json]
    params: [n, other]
    outs:
      - results/toy/count.json: {cache: false, persist: true}
"""


def compare(before, now, name="x.json", tolerance=1e-6):
    return texts(name, json.dumps(before), json.dumps(now), tolerance=tolerance)


def texts(*arguments, **options):
    return [str(difference) for difference in compare_texts(*arguments, **options)]


def test_equal_files_have_no_differences():
    values = {"a": [1, 2.5, None, "x", True, 10**400, float("nan")]}
    assert compare(values, values) == []


def test_the_last_digits_of_a_number_may_differ():
    assert compare({"a": 1.0}, {"a": 1.0 + 1e-9}) == []
    assert compare({"a": 1.0}, {"a": 1.0 + 1e-3}) == [
        "x.json: a: committed 1.0, now 1.001 (1.0e-03 apart)"
    ]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"rows": 1_000_000_000}, {"rows": 1_000_000_001}),
        ({"a": "x"}, {"a": "y"}),
        ({"a": 1}, {"a": None}),
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": 1.5}, {"a": float("nan")}),
        ({"a": 1}, {"a": True}),
        ({"a": 10**400}, {"a": 10**400 + 1}),
        ({"a": 10**400}, {"a": 1.5}),
        # Ids, though Python would read them as numbers.
        ({"a": "1234567_1"}, {"a": "1234567_2"}),
    ],
)
def test_counts_texts_and_shapes_are_compared_exactly(before, now):
    assert len(compare(before, now, tolerance=1e-3)) == 1


def test_of_long_texts_the_part_that_differs_is_told():
    [told] = compare({"a": "x" * 500 + "before"}, {"a": "x" * 500 + "now" + "y" * 500})
    assert "xbefore'" in told
    assert "xnowyyy" in told
    assert len(told) < 250


def test_of_a_long_number_that_goes_on_its_end_is_told():
    [told] = compare({"a": 7 * 10**200}, {"a": 7 * 10**202})
    assert f"committed …{'0' * 20}, now …{'0' * 22} (" in told


def test_the_way_to_an_optimum_is_not_compared_but_the_optimum_is():
    before = "model,n_iter,bic\nVVV,56,10.0\n"
    assert texts("bic.csv", before, "model,n_iter,bic\nVVV,66,10.0\n", tolerance=1e-3) == []
    other = texts("bic.csv", before, "model,n_iter,bic\nVVV,56,11.0\n", tolerance=1e-3)
    assert other == ["bic.csv: [0].bic: committed '10.0', now '11.0' (9.1e-02 apart)"]
    assert len(texts("bic.csv", before, "model,n_iter\nVVV,56\n", tolerance=1e-3)) == 1


def test_what_comes_from_a_drawn_plane_may_differ_but_must_be_there():
    before = {"plane": {"within": 1.0}, "routes": {"plane_cluster": 3, "proximity": 0.5}}
    now = {"plane": {"within": 2.0}, "routes": {"plane_cluster": 4, "proximity": 0.5}}
    assert compare(before, now) == []
    now["routes"]["proximity"] = 0.6
    assert len(compare(before, now)) == 1
    assert len(compare(before, {"routes": before["routes"]})) == 1


def test_csv_files_are_compared_cell_by_cell():
    before, now = "a,b\n1,2.50000001\n", "a,b\n1,2.5\n"
    assert texts("x.csv", before, now, tolerance=1e-6) == []
    assert texts("x.csv", before, "a,b\n2,2.5\n", tolerance=1e-6) == [
        "x.csv: [0].a: committed '1', now '2' (5.0e-01 apart)"
    ]


def test_a_row_longer_than_the_header_is_compared_beside_one_that_is_not():
    assert texts("x.csv", "a,b\n1,2\n", "a,b\n1,2,3\n", tolerance=1e-6) == [
        "x.csv: [0].(beyond the header): committed '(absent)', now ['3']"
    ]


def test_json_lines_are_compared_one_by_one():
    before = '{"a": 1, "plane_x": 1.0}\n{"a": 2, "plane_x": 1.0}\n'
    assert texts("x.jsonl", before, before.replace("1.0", "2.0"), tolerance=1e-6) == []
    now = '{"a": 1, "plane_x": 1.0, "b": null}\n{"a": 2}\n'
    assert texts("x.jsonl", before, now, tolerance=1e-6) == [
        "x.jsonl: [0].b: committed '(absent)', now None",
        "x.jsonl: [1].plane_x: committed 1.0, now '(absent)'",
    ]
    without = '{"a": 1}\n{"a": 2}\n'
    assert len(texts("x.jsonl", before, without, tolerance=1e-6)) == 2


def test_json_lines_end_at_line_feeds_alone_and_need_be_neither_full_nor_objects():
    before = '{"a": "x\u2028y\x85z"}\n\n[1]\n7\r\n'
    assert texts("x.jsonl", before, before.replace("\n\n", "\n"), tolerance=1e-6) == []
    now = before.replace("y", "w").replace("[1]", "[2]")
    assert [
        told.partition(": committed")[0] for told in texts("x.jsonl", before, now, tolerance=0)
    ] == [
        "x.jsonl: [0].a",
        "x.jsonl: [1].(value)[0]",
    ]


def run(folder, *command):
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    """Make a project of one stage that has run, with its lock and its result committed."""
    folder = tmp_path_factory.mktemp("committed")
    (folder / "results" / "toy").mkdir(parents=True)
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "params.yaml").write_text("n: 3\nother: 5\nunused: 7\n")
    (folder / "log.json").write_text('{"rows": 12, "mean": 0.5}')
    run(folder, "git", "init", "-q")
    run(folder, sys.executable, "-m", "dvc", "init", "-q")
    run(folder, sys.executable, "-m", "dvc", "repro", "-q")
    commit(folder)
    return folder


def commit(folder):
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run(folder, "git", "add", "-A")
    run(folder, "git", *author, "commit", "-q", "--allow-empty", "-m", "all")


@pytest.fixture
def project(committed, tmp_path, monkeypatch):
    folder = shutil.copytree(committed, tmp_path / "project")
    monkeypatch.chdir(folder)  # DVC names stages from where one stands.
    return folder


@pytest.mark.parametrize(
    ("file", "before", "now", "stale"),
    [
        ("log.json", "12", "13", ["count: modified: log.json"]),
        ("params.yaml", "n: 3", "n: 4", ["count: modified: n in params.yaml"]),
        ("params.yaml", "other: 5\n", "", ["count: deleted: other in params.yaml"]),
        ("params.yaml", "unused: 7", "unused: 8", []),
        ("dvc.yaml", "cp log", "cp ./log", ["count: changed command"]),
        (
            "dvc.lock",
            "count:",
            "counted:",
            ["count: modified: log.json", "count: new: params.yaml"],
        ),
        # An output that changed is for the comparison of results.
        ("results/toy/count.json", "12", "13", []),
    ],
)
def test_a_stage_whose_lock_is_not_that_of_the_files_is_told(project, file, before, now, stale):
    assert stale_stages(project) == []
    text = (project / file).read_text()
    assert before in text
    (project / file).write_text(text.replace(before, now))
    assert stale_stages(project) == stale


def told(project):
    return [str(difference) for difference in changed_results(project).differences]


def test_results_that_are_not_those_committed_are_told(project):
    assert changed_results(project).differences == []
    metrics = project / "results" / "toy" / "count.json"
    metrics.write_text('{"rows": 13, "mean": 0.5000000001}')
    place = "results/toy/count.json"
    assert told(project) == [f"{place}: rows: committed 12, now 13 (7.7e-02 apart)"]
    (project / "results" / "toy" / "more.csv").write_text("a\n1\n")
    metrics.unlink()
    assert told(project) == [
        f"{place}: (file): committed '(a file)', now '(absent)'",
        "results/toy/more.csv: (file): committed '(absent)', now '(a file)'",
    ]


def test_the_command_fails_where_something_is_stale(project, monkeypatch):
    monkeypatch.setattr(command, "project_root", lambda: project)
    assert [command.main([what]) for what in ("lock", "results")] == [0, 0]
    (project / "log.json").write_text("{}")
    (project / "results" / "toy" / "count.json").write_text("{}")
    assert [command.main([what]) for what in ("lock", "results")] == [1, 1]


# What a step may leave beside JSON and CSV, and another version of each.
MADE = {
    "reports/toy/count.ipynb": ("0.4286 each", "0.4386 each"),
    "results/toy/alerts.jsonl": ('{"rows": 1}\n{"rows": 2}\n', '{"rows": 1}\n{"rows": 3}\n'),
    "results/toy/rules.dot": ('a -> b [label="2.5x"]', 'a -> b [label="2.7x"]'),
    "results/toy/words.html": ("<p>12 people</p>", "<p>13 people</p>"),
    "results/toy/rules.svg": ("<svg><!-- by matplotlib --></svg>", "<svg><!-- by dot --></svg>"),
}


def executed(text, picture="by matplotlib", **machine):
    """Write an executed notebook of one cell, which prints a text and draws a picture."""
    outputs = [
        nbformat.v4.new_output("stream", text=text),
        nbformat.v4.new_output("display_data", {"image/svg+xml": picture, "text/plain": "<SVG>"}),
    ]
    cell = nbformat.v4.new_code_cell("count()", id="counted", outputs=outputs)
    metadata = {"machine": fingerprint() | machine}
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell], metadata=metadata))


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Commit one file of each form that a step leaves, as made on this kind of machine."""
    for name, (before, _) in MADE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(executed(before) if name.endswith(".ipynb") else before)
    run(tmp_path, "git", "init", "-q")
    commit(tmp_path)
    monkeypatch.setattr(command, "project_root", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", MADE)
def test_a_file_of_any_form_that_was_edited_fails_the_command(made, name, caplog):
    assert command.main(["results"]) == 0
    text = (made / name).read_text()
    assert text.count(MADE[name][0]) == 1
    (made / name).write_text(text.replace(*MADE[name]))
    assert command.main(["results"]) == 1
    assert name in caplog.text


def test_on_another_kind_of_machine_drawings_and_last_digits_may_differ(made):
    notebook = made / "reports/toy/count.ipynb"
    notebook.write_text(executed("0.4286 each", draws="dot of another version"))
    commit(made)
    notebook.write_text(executed("0.4287 each", "by dot"))
    (made / "results/toy/rules.svg").write_text(MADE["results/toy/rules.svg"][1])
    (made / "results/toy/rules.dot").write_text('a -> b [label="2.6x"]')
    assert command.main(["results"]) == 0
    for name in ("alerts.jsonl", "rules.dot", "words.html"):
        (made / "results/toy" / name).write_text(MADE[f"results/toy/{name}"][1])
    notebook.write_text(executed("0.4386 each"))
    assert [line.split(":")[0] for line in told(made)] == [
        "reports/toy/count.ipynb",
        "results/toy/alerts.jsonl",
        "results/toy/rules.dot",
        "results/toy/words.html",
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("results/toy/count.json", '{"rows": 12'),
        ("results/toy/count.json", "[" * 100_000),
        ("results/toy/alerts.jsonl", '{"rows": 1}\n{"ro'),
        ("results/toy/series.csv", "a\n" + "1" * 200_000),  # longer than a field of CSV may be
        ("reports/toy/count.ipynb", ""),
        ("reports/toy/count.ipynb", "{}"),
        ("reports/toy/count.ipynb", "<<<<<<< HEAD\n{}\n"),
    ],
)
@pytest.mark.parametrize("is_committed", [True, False])
def test_a_file_that_is_not_what_its_ending_says_is_compared_as_text(
    made, name, text, is_committed
):
    (made / name).parent.mkdir(exist_ok=True)
    whole = MADE[name][0] if name in MADE else "a\n1\n"
    whole = executed(whole) if name.endswith(".ipynb") else whole
    versions = (text, whole) if is_committed else (whole, text)
    (made / name).write_text(versions[0])
    commit(made)
    assert told(made) == []
    (made / name).write_text(versions[1])
    assert {line.split(":")[0] for line in told(made)} == {name}
    assert command.main(["results"]) == 1


@pytest.mark.parametrize("name", ["results/toy/one.png", "results/toy/one.csv"])
def test_a_file_that_is_no_text_is_compared_byte_by_byte(made, name):
    (made / name).write_bytes(b"\x89PNG\xff")
    commit(made)
    assert told(made) == []
    (made / name).write_bytes(b"\x89PNG\xfe\x00")
    assert told(made) == [f"{name}: (bytes): committed 5, now 6 (1.7e-01 apart)"]


def test_a_project_in_a_folder_of_a_repository_is_compared_and_cloned(committed, tmp_path):
    project = shutil.copytree(committed, tmp_path / "course" / "project")
    shutil.rmtree(project / ".git")
    (tmp_path / "course" / "other.txt").write_text("of the course")
    run(tmp_path / "course", "git", "init", "-q")
    commit(tmp_path / "course")
    assert told(project) == []
    clone = tmp_path / "clone"
    clone.mkdir()
    assert clone_commit(project, head_of(project), clone) == clone / "project"
    assert (clone / "project" / "dvc.lock").read_bytes() == (project / "dvc.lock").read_bytes()
    (project / "results" / "toy" / "count.json").write_text('{"rows": 13, "mean": 0.5}')
    assert [line.partition(":")[0] for line in told(project)] == ["results/toy/count.json"]


def head_of(folder):
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("text", ["stages: [", "stages: {count: {cmd: 3, odd: 4}}"])
def test_stages_that_cannot_be_read_are_told_in_one_message(project, monkeypatch, caplog, text):
    monkeypatch.setattr(command, "project_root", lambda: project)
    (project / "dvc.yaml").write_text(text)
    assert command.main(["lock"]) == 2
    assert "dvc.yaml" in caplog.text


def test_outside_of_a_project_one_message_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    assert command.main(["results"]) == 2
    assert "run this inside the project" in caplog.text


@pytest.mark.parametrize("exact", [True, False])
def test_the_order_of_ignored_files_is_that_in_which_stages_ended(exact):
    name = "results/toy/.gitignore"
    assert compare_files(name, "/raw\n/log\n", "/log\n/raw\n", exact=exact) == []
    assert bool(compare_files(name, "/raw\n/log\n", "/log\n/row\n", exact=exact)) == exact
    assert bool(compare_files("results/toy/a.svg", "a\nb\n", "b\na\n", exact=exact)) == exact
