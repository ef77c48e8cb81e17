"""The commands of `docs/sweeps.md`, one after another, on a small study."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY
from projects import make_project
from ruamel.yaml import YAML

from cohortlab.run.warm import WARM_VARIABLE

pytestmark = pytest.mark.pipeline

STAGE = "mixture@sessions"
GRID = {"grid-1": "EEE", "grid-2": "EEE", "grid-3": "VVI", "grid-4": "VVI"}


def documented():
    """Return the commands of the page, in their order."""
    text = (REPOSITORY / "docs" / "sweeps.md").read_text()
    return [
        line
        for block in re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL)
        for line in block.splitlines()
    ]


@pytest.fixture
def shell(tmp_path):
    """Make a small study whose mixture has run and is committed; what runs a command in it."""
    changes = {
        "studies.sessions.data.synthetic.n_visitors": 400,
        "studies.sessions.mixture.models": ["EEE"],
        "studies.sessions.mixture.n_components": [1],
        "studies.sessions.mixture.n_bootstrap": 0,
        "studies.sessions.mixture.n_stability": 0,
    }
    project = make_project(tmp_path / "project", changes)
    yaml = YAML()
    params = yaml.load((project / "params.yaml").read_text())
    params["studies"] = {"sessions": params["studies"]["sessions"]}
    params["steps"] = {step: [] for step in params["steps"]} | {"mixture": ["sessions"]}
    yaml.dump(params, project / "params.yaml")
    for name in ("src", "data/sessions", ".dvc/plots"):
        shutil.copytree(REPOSITORY / name, project / name)
    for name in ("Makefile", ".gitignore", ".dvcignore", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, project)
    here = Path(sys.executable).parent
    # The queue's worker outlives these tests' server of warm starts.
    variables = {k: v for k, v in os.environ.items() if k != WARM_VARIABLE} | {
        "PATH": f"{here}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(project / "src"),
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.org",
    }

    def run(command):
        # To a file: the queue's worker keeps a pipe open for longer than the command lasts.
        with (tmp_path / "said").open("w+") as said:
            done = subprocess.run(
                command,
                shell=True,
                cwd=project,
                env=variables,
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
            said.seek(0)
            text = said.read()
        assert done.returncode == 0, f"{command}\n{text}"
        return text

    run("git init -q && dvc init -q -f && git add -A && git commit -qm start")
    run(f"dvc repro -q {STAGE} && git add -A && git commit -qm made")
    yield project, run
    run("dvc queue stop --kill")


def test_a_grid_is_queued_run_compared_applied_and_removed(shell):
    project, run = shell
    said = {}
    for command in documented():
        # The environment is there already: `-o setup` takes it for new enough.
        done = command.replace("make ", "make -o setup ")
        if command == "git checkout params.yaml":
            applied = YAML(typ="safe").load((project / "params.yaml").read_text())
        said[command] = run(done)
        if command == "dvc exp run --run-all":
            table = csv.DictReader(io.StringIO(run("dvc exp show --csv 2>/dev/null")))
            ran = {row["Experiment"]: row for row in table if row["Experiment"] in GRID}
    (queued,) = [text for command, text in said.items() if "--queue" in command]
    assert all(name in queued for name in GRID)
    models = "studies.sessions.mixture.models"
    assert {name: row[models] for name, row in ran.items()} == {
        name: f"['{model}']" for name, model in GRID.items()
    }
    assert all(row["State"] == "Success" for row in ran.values())
    compared = {command.split()[1]: text for command, text in said.items() if " diff " in command}
    assert "['VVI']" in compared["params"]
    assert re.search(r"mixture.json\s+bic\s", compared["metrics"])
    assert "index.html" in compared["plots"]
    reviewed = said["make review BASE=HEAD HEAD=candidate"]
    assert (
        r"| studies.sessions.mixture.models | \[\"EEE\"\] | \[\"VVI\"\] |".replace(r"\"", '"')
        in reviewed
    )
    block = applied["studies"]["sessions"]["mixture"]
    assert (block["models"], block["n_components"]) == (["VVI"], [1, 2, 3])
    chosen = json.loads((project / "results" / "sessions" / "mixture.json").read_text())
    assert chosen["certificate"]["criteria"]["bic"]["model"] == "VVI"
    assert run("dvc exp list --name-only 2>/dev/null").strip() in ("", "master:", "main:")
