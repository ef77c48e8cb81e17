"""A commit cloned, run from nothing and compared: nothing, a little and a lot changed."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import REPOSITORY

from cohortlab.verify import __main__ as command
from cohortlab.verify import compare_notebooks, differences_in_a_clone
from cohortlab.verify.executed import text_differences

CELL = """
# papermill_description=count
import pandas as pd
from cohortlab.notebook import Results, show_lineage
results = Results(study)
results.write("count.json", {"n": n, "mean": n / 7})
results.write("table.parquet", pd.DataFrame({"value": range(n)}))
print(f"{n} people, {n / 7:.4f} each")
"""
STAGES = """
stages:
  count:
    foreach: [toy]
    do:
      cmd: python -m cohortlab.run count ${item}
      deps: [notebooks/count.ipynb]
      params: ["studies.${item}.count"]
      outs:
        - results/${item}/table.parquet: {persist: true}
        - results/${item}/count.json: {cache: false, persist: true}
        - reports/${item}/count.ipynb: {cache: false, persist: true}
        - reports/${item}/count.tables.json: {cache: false, persist: true}
"""
METRICS, EXECUTED = "results/toy/count.json", "reports/toy/count.ipynb"


def run(folder, *command):
    here = Path(sys.executable).parent
    variables = os.environ | {"PATH": f"{here}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, cwd=folder, env=variables, check=True, capture_output=True)


def commit(folder):
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run(folder, "git", "add", "-A")
    run(folder, "git", *author, "commit", "-q", "-m", "made")


@pytest.fixture
def project(make_project, monkeypatch):
    """Make a project of one stage whose results are committed as they were made."""
    # The toy has no code of its own: a clone of it runs that of these tests.
    monkeypatch.setenv("PYTHONPATH", str(Path(command.__file__).parents[2]))
    root = make_project(CELL, "show_lineage(results)")
    (root / "dvc.yaml").write_text(STAGES)
    (root / "src").mkdir()
    run(root, "git", "init", "-q")
    run(root, "dvc", "init", "-q")
    run(root, "dvc", "repro", "-q")
    commit(root)
    return root


def edit(path, *changes):
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


def test_a_commit_is_proved_by_a_clone_or_what_differs_is_listed(project, monkeypatch, caplog):
    monkeypatch.chdir(project)
    caplog.set_level("INFO", logger="cohortlab")
    # What is not committed plays no part.
    (project / METRICS).write_text("{}")
    clone = ("clone", "--no-setup", "--study", "toy")
    assert command.main([*clone, "--into", str(project.parent / "kept")]) == 0
    assert "as committed, byte by byte" in caplog.text
    assert (project.parent / "kept" / "results" / "toy" / "table.parquet").is_file()
    # A digit that no tolerance would tell is told on the same kind of machine.
    mean = json.loads((project.parent / "kept" / METRICS).read_text())["mean"]
    (project / METRICS).write_text(f'{{"n": 3, "mean": {mean + 1e-12!r}}}\n')
    edit(project / EXECUTED, ("3 people", "4 people"))
    commit(project)
    assert command.main(list(clone)) == 1
    assert f"{METRICS}: mean: committed" in caplog.text
    assert "(2.3e-12 apart)" in caplog.text
    assert f"{EXECUTED}: cell 3 (count) output 1: committed '4', now '3'" in caplog.text
    assert command.main([*clone, "--into", str(project.parent / "kept")]) == 2
    assert command.main(["clone", "--no-setup", "--study", "joy"]) == 2
    assert "No study `joy`" in caplog.text


def test_on_another_kind_of_machine_the_last_digits_may_differ(project):
    edit(project / EXECUTED, ('"processor": "', '"processor": "another '), ("0.4286", "0.4287"))
    (project / METRICS).write_text('{"n": 3, "mean": 0.42857143}\n')
    commit(project)
    verdict = differences_in_a_clone(project, studies=["toy"], set_up=False)
    assert (verdict.exact, verdict.differences) == (False, [])
    edit(project / EXECUTED, ("0.4287", "0.4389"))
    commit(project)
    (told,) = differences_in_a_clone(project, studies=["toy"], set_up=False).differences
    assert (told.before, told.now) == ("0.4389", "0.4286")


def make(*arguments):
    command = ["make", "-n", "-o", "setup", "-C", str(REPOSITORY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_make_verifies_everything_or_one_study():
    assert "python -m cohortlab.verify clone\n" in make("verify").replace(" \n", "\n")
    assert "python -m cohortlab.verify clone --study sessions\n" in make("verify", "STUDY=sessions")


def test_make_runs_every_study_or_one_and_its_help_says_so():
    assert "python -m cohortlab.run.studies\n" in make("repro").replace(" \n", "\n")
    assert "cohortlab.run.studies --study sessions\n" in make("repro", "STUDY=sessions")
    listed = subprocess.run(
        ["make", "-C", str(REPOSITORY), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"^repro .*STUDY=sessions", listed, flags=re.MULTILINE)


def test_make_review_asks_for_a_revision():
    assert "python -m cohortlab.review main v1" in make("review", "BASE=main", "HEAD=v1")
    assert "Name the revision" in make("review")


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ("12 people", "13 people", [("12", "13")]),
        ("1,234.5 each", "1,234.6 each", []),
        ("1,234.5 each", "1,236.5 each", [("1,234.5", "1,236.5")]),
        ("mean   1.0\nmax  9", "mean 1.0\nmax 9", []),
        ("many", "few", [("many", "few")]),
        ("one\nline", "one\nnew\nline", [("2 lines", "new")]),
        ("p = 1.2e-05", "p = 1.3e-05", []),
        ("p = 1.2e-05", "p = 1.4e-05", [("1.2e-05", "1.4e-05")]),
        ("# a", "3 a", [("# a", "3 a")]),
        # Hashes that could be read as numbers larger than any.
        ("3e9842", "4e9842", [("3e9842", "4e9842")]),
        ("3e400", "4e401", [("3e400", "4e401")]),
    ],
)
def test_words_are_compared_as_words_and_numbers_as_they_are_shown(before, now, told):
    assert list(text_differences(before, now, 1e-6)) == told


def test_long_texts_are_compared_in_a_moment():
    before = "\n".join(f"line {n}" for n in range(40_000))
    began = time.process_time()
    (told,) = text_differences(before, before.replace("line 7\n", ""), 0)
    assert told == ("line 7", "39999 lines")
    assert time.process_time() - began < 2  # each line against all others takes many times as long


def notebook(source="x", run=1, **data):
    outputs = [nbformat.v4.new_output("display_data", data)]
    cell = nbformat.v4.new_code_cell(source, outputs=outputs, execution_count=run)
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell], metadata={"run": run}))


@pytest.mark.parametrize("tolerance", [0, 1e-6])
def test_metadata_and_ids_of_notebooks_never_count(tolerance):
    text = {"text/plain": "1.0"}
    pair = notebook(**text), notebook(run=2, **text)
    assert compare_notebooks("x.ipynb", *pair, tolerance=tolerance) == []
    other = notebook(source="y", **text)
    assert len(compare_notebooks("x.ipynb", pair[0], other, tolerance=tolerance)) == 1
    empty = nbformat.writes(nbformat.v4.new_notebook())
    assert len(compare_notebooks("x.ipynb", pair[0], empty, tolerance=tolerance)) == 1
