"""The guided path, and what else a newcomer reads first: complete, and every command possible."""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from conftest import REPOSITORY
from ruamel.yaml import YAML

from cohortlab.picture import CELL, PICTURE, picture
from cohortlab.run.parameters import declared_parameters, resolve, study_log
from cohortlab.run.project import read_params
from cohortlab.run.steps import find_notebook

PARAMS = read_params(REPOSITORY)
BINDER = REPOSITORY / "binder"
PAGE = (REPOSITORY / "docs" / "teaching.md").read_text(encoding="utf-8")
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
yaml = YAML(typ="safe", pure=True)
# A stage with what DVC's cache holds, and what Git does.
TOY = """
stages:
  count:
    cmd: echo ${n} > results/large && echo ${n} > results/small
    params: [n]
    outs:
      - results/large: {persist: true}
      - results/small: {cache: false, persist: true}
"""


def commands(page):
    """Return the shell commands of a page, those on several lines joined."""
    blocks = re.findall(r"```bash\n(.*?)```", page, flags=re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.split("    #")[0].strip() for line in lines]


def changes(page):
    """Return the experiments of a page, each as values by their full key."""
    for command in commands(page):
        words = shlex.split(command)
        if words[:3] == ["dvc", "exp", "run"]:
            settings = [words[i + 1] for i, word in enumerate(words) if word == "-S"]
            yield pytest.param(dict(s.split("=", 1) for s in settings), id=settings[0])


@pytest.mark.parametrize("values", list(changes(PAGE)))
def test_an_experiment_of_the_path_is_one_that_its_step_accepts(values):
    params, changed = deepcopy(PARAMS), set()
    for key, text in values.items():
        root, study, step, *names = key.split(".")
        assert root == "studies"
        block = params["studies"][study][step]
        for name in names[:-1]:
            block = block[name]
        assert names[-1] in block, key
        value = yaml.load(text)
        assert value != block[names[-1]], f"{key} has that value already"
        block[names[-1]] = value
        changed.add((step, study))
    for step, study in changed:
        notebook = find_notebook(step, study_log(params, study), REPOSITORY)
        resolve(params, step, study, declared_parameters(notebook))


def test_a_step_that_the_path_runs_exists():
    run = [shlex.split(c)[3:] for c in commands(PAGE) if c.startswith("python -m cohortlab.run")]
    assert run
    for step, study in run:
        assert study in PARAMS["steps"][step]


def test_the_path_leads_through_every_step_and_every_exercise():
    for step in {"data", "features", *PARAMS["steps"]} - {"publish"}:
        assert re.search(rf"\(\.\./(reports/\w+|exercises)/{step}\.ipynb\)", PAGE), step
    for path in (REPOSITORY / "exercises").glob("*.ipynb"):
        assert f"(../exercises/{path.name})" in PAGE


def test_the_example_of_a_check_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(code, {})
    assert capsys.readouterr().out.startswith("n_both: ")


def test_the_first_screen_says_what_how_and_where():
    screen = "\n".join(README.splitlines()[:40])
    assert "make repro" in screen
    assert f"]({PICTURE})" in screen
    for study in PARAMS["studies"]:
        assert re.search(
            rf"^\| `{study}` .*\((?:reports/{study}/\w+\.ipynb|docs/{study}\.md)\)",
            screen,
            re.MULTILINE,
        )


def test_the_picture_is_the_one_of_the_executed_notebook():
    # After new results: python -m cohortlab.picture
    assert (REPOSITORY / PICTURE).read_text(encoding="utf-8") == picture(REPOSITORY)


def test_a_notebook_without_the_picture_is_named(tmp_path):
    target = tmp_path / "reports" / "sessions" / "bipartite.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    with pytest.raises(LookupError, match=f"`{CELL}`.*run `make repro` first"):
        picture(tmp_path)


def test_contributing_needs_five_commands():
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    found = [c.split()[1] for c in commands(CONTRIBUTING)]
    assert len(found) == 5
    for target in found:
        assert re.search(rf"^{target}:.*##", makefile, flags=re.MULTILINE), target
    for link in re.findall(r"\]\(([^)#:]+)\)", CONTRIBUTING):
        assert (REPOSITORY / link).exists(), link


def test_the_citation_is_complete_and_of_this_version():
    cited = yaml.load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    # What version 1.2.0 of the format demands, and what a citation needs beside it.
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["cff-version"] == "1.2.0"
    assert cited["version"] == project["version"]
    assert cited["license"] == project["license"]
    assert [author["name"] for author in cited["authors"]] == [
        author["name"] for author in project["authors"]
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", str(cited["date-released"]))


def test_binder_builds_a_python_that_the_lock_is_for():
    environment = yaml.load((BINDER / "environment.yml").read_text(encoding="utf-8"))
    assert environment["channels"] == ["conda-forge"]
    python, *others = environment["dependencies"]
    assert others == ["pip"]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == python.replace("=", ">=").removeprefix("python")
    assert "ipykernel==" in (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    # Other files of these names would be used in its place.
    for name in (".binder", "Dockerfile", "binder/Dockerfile", "binder/requirements.txt"):
        assert not (REPOSITORY / name).exists()


def test_binder_makes_the_locked_environment_the_kernel_of_every_notebook(tmp_path):
    """Run `postBuild` as repo2docker does, with this environment in the place of a new one."""
    script = BINDER / "postBuild"
    assert script.stat().st_mode & stat.S_IXUSR
    assert "://" not in script.read_text(encoding="utf-8")
    programs, prefix = tmp_path / "bin", tmp_path / "jupyter"
    programs.mkdir()
    made = f"""#!/bin/sh
        [ "$*" = "setup PYTHON=python" ] && ln -s "{sys.prefix}" .venv"""
    (programs / "make").write_text(made)
    (programs / "make").chmod(0o755)
    surroundings = {"PATH": f"{programs}:{os.environ['PATH']}", "NB_PYTHON_PREFIX": str(prefix)}
    subprocess.run([script], cwd=tmp_path, env=os.environ | surroundings, check=True)
    kernel = json.loads((prefix / "share/jupyter/kernels/python3/kernel.json").read_text())
    assert kernel["argv"][0] == str(tmp_path / ".venv/bin/python")
    for path in [*REPOSITORY.glob("notebooks/*.ipynb"), *REPOSITORY.glob("exercises/*.ipynb")]:
        assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3", path


def test_the_way_back_from_an_experiment_leads_to_the_last_commit(tmp_path):
    (way,) = {c for c in commands(PAGE) + commands(README) if c.startswith("git checkout")}
    (tmp_path / "dvc.yaml").write_text(TOY)
    (tmp_path / "params.yaml").write_text("n: 3  # as committed\n")
    for folder in ("results", "reports"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "README.md").write_text("Made.\n")
    author = "git -c user.name=a -c user.email=a@example.org"
    shell(
        f"git init -q && dvc init -q && dvc repro -q && git add -A && {author} commit -qm all",
        tmp_path,
    )
    shell("dvc exp run -q -S n=4", tmp_path)
    assert (tmp_path / "results" / "large").read_text() == "4\n"
    shell(way, tmp_path)
    assert [(tmp_path / "results" / name).read_text() for name in ("large", "small")] == ["3\n"] * 2
    assert shell("git status --short && dvc status -q", tmp_path) == ""


def shell(command, folder):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=os.environ | {"PATH": path},
        check=True,
        capture_output=True,
    )
    return ran.stdout.decode()
