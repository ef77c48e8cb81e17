"""`make hooks`: Git shows and merges notebooks by nbdime, and strips sources, in one clone."""

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
from conftest import REPOSITORY

SOURCE, EXECUTED = "notebooks/count.ipynb", "reports/toy/count.ipynb"


def write(path, *sources, output=""):
    """Write a notebook of code cells, each with an output where one is given."""
    cells = [nbformat.v4.new_code_cell(s, id=f"cell-{i}") for i, s in enumerate(sources)]
    if output:
        for cell in cells:
            cell.outputs = [nbformat.v4.new_output("stream", text=output)]
            cell.execution_count = 1
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a repository with the project's set-up of Git; the user's own is a small file."""
    root, home = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("home")
    for name in ("Makefile", ".gitattributes", ".gitignore", ".pre-commit-config.yaml"):
        shutil.copy(REPOSITORY / name, root)
    (home / "gitconfig").write_text("[user]\n\tname = a\n\temail = a@example.org\n")
    variables = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def run(*command, folder=root, code=0):
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("git", "init", "-q", "-b", "main")
    run("make", "-o", "setup", "hooks")
    # The hook of a commit checks the whole project, which is not here.
    (root / ".git" / "hooks" / "pre-commit").unlink()
    write(root / SOURCE, "a = 1", "b = 1", "c = 1")
    run("git", "add", "-A")
    run("git", "commit", "-q", "-m", "first")
    return root, home, run


@pytest.fixture
def clone(made, tmp_path):
    """Give a copy of the repository, and what runs a command in it."""
    root, _, run = made
    copy = shutil.copytree(root, tmp_path / "clone")
    return copy, partial(run, folder=copy)


def test_nothing_outside_of_the_clone_is_set(made):
    root, home, run = made
    assert (root / ".gitattributes").read_bytes() == (REPOSITORY / ".gitattributes").read_bytes()
    assert (home / "gitconfig").read_text().count("\n") == 3
    assert "nbmergedriver" in run("git", "config", "--local", "merge.jupyternotebook.driver")


def test_a_diff_is_told_by_cells(clone):
    root, run = clone
    write(root / SOURCE, "a = 1", "b = 2", "c = 1")
    told = run("git", "diff")
    assert "nbdiff" in told
    assert "## modified /cells/1/source" in told


def test_a_source_is_committed_without_outputs_and_an_executed_notebook_with_them(clone):
    root, run = clone
    exercise = "exercises/count.ipynb"
    for name in (SOURCE, exercise, EXECUTED):
        write(root / name, "a = 1", output="42 people")
    run("git", "add", "-A")
    assert "42 people" not in run("git", "show", f":{SOURCE}", f":{exercise}")
    assert "42 people" in run("git", "show", f":{EXECUTED}")
    assert "42 people" in (root / SOURCE).read_text()


def test_changes_of_different_cells_are_merged(clone):
    root, run = clone
    run("git", "checkout", "-q", "-b", "other")
    write(root / SOURCE, "a = 1", "b = 1", "c = 3")
    run("git", "commit", "-qam", "other")
    run("git", "checkout", "-q", "main")
    write(root / SOURCE, "a = 1", "b = 2", "c = 1")
    run("git", "commit", "-qam", "ours")
    run("git", "merge", "-q", "other")
    merged = nbformat.read(root / SOURCE, as_version=4)
    assert [cell.source for cell in merged.cells] == ["a = 1", "b = 2", "c = 3"]


def test_a_merge_left_open_and_a_large_executed_notebook_are_refused(clone):
    root, run = clone
    write(root / EXECUTED, "a = 1", output="x" * 250_000)
    run("git", "add", "-A")
    check = ("pre-commit", "run")
    run(*check, "executed-notebooks", code=1)
    write(root / EXECUTED, "a = 1", output="x")
    run("git", "add", "-A")
    run(*check, "executed-notebooks")
    run(*check, "merged-notebooks")
    write(root / EXECUTED, "<<<<<<< local\na = 1\n=======\na = 2\n>>>>>>> remote")
    run("git", "add", "-A")
    run(*check, "merged-notebooks", code=1)
