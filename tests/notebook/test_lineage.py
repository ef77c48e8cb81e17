"""The last cell of every notebook: versions, settings, inputs with their hashes, parameters."""

import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest

from cohortlab.notebook import Results, lineage
from cohortlab.notebook.lineage import hash_path, parameters_of_cells
from cohortlab.run.machine import versions
from cohortlab.run.steps import run_step
from cohortlab.sources.files import local_files

READ = """
# papermill_description=read
from cohortlab.notebook import Results, show_lineage
results = Results(study)
rows = results.read("rows.json")
results.note_input(results.root / "data" / "log.csv")
n = n + len(rows)  # no parameter any more
"""


def said(executed):
    """Return the tables of the last cell: value by name, one dictionary a table."""
    outputs = nbformat.read(executed, as_version=4).cells[-1].outputs
    texts = [output.data["text/markdown"] for output in outputs]
    return [dict(re.findall(r"^(\S+) {2,}(.*)$", text, re.MULTILINE)) for text in texts]


def test_a_notebook_ends_with_what_made_it(make_project, monkeypatch):
    for name, value in {"TZ": "Pacific/Chatham", "PYTHONHASHSEED": "7"}.items():
        monkeypatch.setenv(name, value)
    params = "seed: 1\nstudies: {toy: {log: events, count: {n: 5}}}\n"
    project = make_project(READ, "show_lineage(results)", params=params)
    (project / "results" / "toy").mkdir(parents=True)
    (project / "results" / "toy" / "rows.json").write_text("[1, 2]")
    (project / "data").mkdir()
    (project / "data" / "log.csv").write_text("a\n")
    made_with, inputs, parameters = said(run_step("count", "toy", project, progress=False))
    assert versions().items() <= made_with.items()
    pinned = {name: made_with[name] for name in ("PYTHONHASHSEED", "TZ", "LC_ALL")}
    assert pinned == {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8"}
    assert list(inputs.items()) == [
        (name, hash_path(project / name)) for name in ("data/log.csv", "results/toy/rows.json")
    ]
    assert list(parameters.items()) == [("study", '"toy"'), ("seed", "1"), ("n", "5")]


def test_no_text_of_a_parameter_is_markup(monkeypatch):
    shown = []
    monkeypatch.setattr(lineage, "say", shown.append)
    cell = "text: str = '''```\n<b>x</b> **y**'''"
    monkeypatch.setattr(lineage, "_cells_run", lambda: [cell])
    lineage.show_lineage(SimpleNamespace(inputs={}))
    title, block = shown[-1].split("\n\n")
    assert "<b>" not in title
    # One fence opens the block, one closes it, and the text stands between on a line of its own.
    assert block.splitlines() == ["```text", r'text  "```\n<b>x</b> **y**"', "```"]
    assert "(none)" in shown[1]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["n: int = 3"], {"n": 3}),
        (["n: int = 3", "# Parameters\nn = 5\nm = 1"], {"n": 5}),
        # Run again by hand, the cell counts that was run last.
        (["n: int = 3", "n = 5", "n: int = 4"], {"n": 4}),
        (["n: int = 3", "n = 5\nn = n + 1", "%time", "import os", "n += 2"], {"n": 3}),
        (["", "s: dict = {'a': [1, None]}\nt: float = -0.5"], {"s": {"a": [1, None]}, "t": -0.5}),
    ],
)
def test_parameters_are_those_of_the_cells_that_were_run(cells, expected):
    assert parameters_of_cells(cells) == expected


def test_a_hash_is_that_of_dvc(tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    for name in ("b.txt", "inner/z.txt", "inner-a.txt", "é.txt"):
        (folder / name).write_text(name)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "-q", "--no-scm"], cwd=tmp_path, check=True)
    subprocess.run([*dvc, "add", "-q", "folder"], cwd=tmp_path, check=True)
    assert f"md5: {hash_path(folder)}\n" in (tmp_path / "folder.dvc").read_text()


def test_a_file_from_elsewhere_is_named_without_its_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("COHORTLAB_STAGING", raising=False)
    results = Results("toy", root=tmp_path / "project")
    results.note_input(tmp_path / "elsewhere" / "log.csv")
    assert list(results.inputs) == ["log.csv"]


def test_files_of_a_source_are_those_on_this_machine(tmp_path):
    for name in ("a1.csv", "a2.csv", "b.zip"):
        (tmp_path / name).write_text("x")
    path = {"a": str(tmp_path / "a*.csv"), "b": str(tmp_path / "b.zip"), "c": None}
    path["d"] = "memory://far/away.csv"
    assert [file.name for file in local_files(path)] == ["a1.csv", "a2.csv", "b.zip"]


def test_the_kind_of_machine_is_written_down_once_for_equal_runs(make_project):
    project = make_project("1 + 1")
    kinds = [
        nbformat.read(run_step("count", "toy", project, progress=False), 4).metadata["machine"]
        for _ in range(2)
    ]
    assert kinds[0] == kinds[1]
    assert set(kinds[0]) == {"processor", "instructions", "system", "libraries", "draws"}
    assert all(kinds[0].values())
