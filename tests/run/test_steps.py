import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import pytest

from cohortlab.run.__main__ import main

WRITE = """
# papermill_description=write_table
import pandas as pd
from cohortlab.notebook import Results
results = Results(study)
results.write("table.parquet", pd.DataFrame({"value": range(n)}))
results.write("count.json", {"n": n})
"""


@pytest.fixture
def run(monkeypatch, caplog):
    """Run a step inside a project; return its exit code and what it said."""

    def run_inside(project, step="count", study="toy"):
        monkeypatch.chdir(project)
        code = main([step, study])
        return code, caplog.text

    return run_inside


def edit_params(project, old, new):
    text = (project / "params.yaml").read_text()
    assert old in text
    (project / "params.yaml").write_text(text.replace(old, new))


def test_a_step_writes_its_results_its_notebook_and_a_digest(make_project, run):
    project = make_project(WRITE)
    assert run(project)[0] == 0
    assert json.loads((project / "results/toy/count.json").read_text()) == {"n": 3}
    executed = nbformat.read(project / "reports/toy/count.ipynb", as_version=4)
    assert [c.id for c in executed.cells if c.metadata.get("tags")][1] == "injected-parameters"
    digest = json.loads((project / "reports/toy/count.tables.json").read_text())
    assert digest["table.parquet"]["rows"] == 3
    assert digest["table.parquet"]["columns"]["value"]["sum"] == 3


def test_parameters_reach_the_notebook(make_project, run):
    project = make_project(WRITE)
    edit_params(project, "n: 3", "n: 5")
    assert run(project)[0] == 0
    assert json.loads((project / "results/toy/count.json").read_text()) == {"n": 5}


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("n: 3", "m: 3", ["unknown parameter `studies.toy.count.m`", "`studies.toy.count.n`"]),
        ("n: 3", "n: '3'", ["mistyped parameter `studies.toy.count.n`", "int", "'3'"]),
        ("count: {n: 3}", "other: {n: 3}", ["`studies.toy.count`"]),
        ("seed: 1\n", "", ["mistyped parameter `seed`"]),
    ],
)
def test_wrong_parameters_stop_the_step_before_it_runs(make_project, run, old, new, named):
    project = make_project(WRITE)
    edit_params(project, old, new)
    code, said = run(project)
    assert code == 2
    assert all(name in said for name in named)
    assert not (project / "results").exists()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "holds nothing"),
        ("[1, 2]", "holds list"),
        ("seed: 1\nstudies:\n", "there are: none"),
        ("studies: [toy]", "there are: none"),
        ("seed: 1\nstudies: {toy: }", "`studies.toy.log` should name"),
        ("studies: [1", "params.yaml, line 1 cannot be read as YAML: expected"),
        ("seed: 1\n=======\nseed: 2\n", "params.yaml, line 3 cannot be read as YAML"),
        ("seed: 1\nseed: 2", 'line 2 cannot be read as YAML: found duplicate key "seed"'),
        (b"\xff\xfe", "params.yaml cannot be read as YAML: 'utf-8' codec"),
    ],
)
def test_a_file_of_parameters_that_holds_none_is_told_in_one_message(
    make_project, run, text, named
):
    project = make_project(WRITE)
    (project / "params.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    code, said = run(project)
    assert code == 2
    assert named in said


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "count.ipynb cannot be read as a notebook"),
        ('{"cells": ', "count.ipynb cannot be read as a notebook"),
        ("{}", "count.ipynb cannot be read as a notebook"),
        ("[]", "count.ipynb cannot be read as a notebook"),
    ],
)
def test_a_file_that_is_no_notebook_is_told_in_one_message(make_project, run, text, named):
    project = make_project(WRITE)
    (project / "notebooks/count.ipynb").write_text(text)
    code, said = run(project)
    assert code == 2
    assert named in said


def test_a_folder_that_cannot_be_written_is_told_in_one_message(make_project, run):
    project = make_project(WRITE)
    (project / "results").write_text("a file where a folder should be")
    code, said = run(project)
    assert code == 2
    assert "results" in said


FOLDER = """
import pandas as pd
from cohortlab.notebook import Results
results = Results(study)
results.write("log/table.parquet", pd.DataFrame({"value": range(n)}))
results.write("count.json", {"n": n})
"""


@pytest.mark.parametrize("was_there", ["a file", "a link", "a broken link"])
def test_results_take_the_place_of_whatever_was_there(make_project, run, tmp_path, was_there):
    project = make_project(FOLDER)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    results = project / "results/toy"
    results.mkdir(parents=True)
    (results / "count.json").mkdir()  # a folder where a file goes
    if was_there == "a file":
        (results / "log").write_text("a file where a folder goes")
    else:
        (results / "log").symlink_to(elsewhere if was_there == "a link" else tmp_path / "nowhere")
    assert run(project)[0] == 0
    assert sorted(path.name for path in results.iterdir()) == ["count.json", "log"]
    assert (results / "count.json").is_file()
    assert [path.name for path in (results / "log").iterdir()] == ["table.parquet"]
    assert (elsewhere / "mine.txt").read_text() == "mine"


def test_what_others_left_beside_a_step_s_scratch_stays(make_project, run):
    project = make_project(WRITE)
    (project / "results/toy/.count-mine").mkdir(parents=True)
    assert run(project)[0] == 0
    assert (project / "results/toy/.count-mine").is_dir()


@pytest.mark.parametrize(
    ("step", "study", "named"),
    [("count", "joy", "No study `joy`"), ("cuont", "toy", "No notebook for step `cuont`")],
)
def test_unknown_names_are_answered_with_those_there_are(make_project, run, step, study, named):
    code, said = run(make_project(WRITE), step, study)
    assert code == 2
    assert named in said


def test_a_failing_cell_keeps_the_partial_notebook_and_the_old_results(make_project, run):
    project = make_project(WRITE, "# papermill_description=divide\n1 / (3 - n)")
    edit_params(project, "n: 3", "n: 4")
    assert run(project)[0] == 0
    before = {p: p.read_bytes() for p in project.rglob("results/toy/*")}
    report = (project / "reports/toy/count.ipynb").read_bytes()
    edit_params(project, "n: 4", "n: 3")

    code, said = run(project)

    assert code == 1
    assert "cell 4 (divide): ZeroDivisionError" in said
    assert {p: p.read_bytes() for p in project.rglob("results/toy/*")} == before
    assert (project / "reports/toy/count.ipynb").read_bytes() == report
    failed = nbformat.read(project / "reports/toy/count.failed.ipynb", as_version=4)
    errors = [o for c in failed.cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert [e.ename for e in errors] == ["ZeroDivisionError"]


def test_success_clears_away_the_notebook_of_an_earlier_failure(make_project, run):
    project = make_project(WRITE, "assert n == 3")
    edit_params(project, "n: 3", "n: 4")
    assert run(project)[0] == 1
    edit_params(project, "n: 4", "n: 3")
    assert run(project)[0] == 0
    assert not (project / "reports/toy/count.failed.ipynb").exists()


def test_a_dying_kernel_is_a_failed_step(make_project, run):
    code, said = run(make_project(WRITE, "import os; os._exit(9)"))
    assert code == 1
    assert "the kernel died" in said


def test_a_killed_run_leaves_old_results_whole_and_the_next_one_completes(make_project, run):
    wait = "import time, pathlib; pathlib.Path('../started').touch(); time.sleep(60 * (n == 4))"
    project = make_project(WRITE, wait)
    assert run(project)[0] == 0
    before = (project / "results/toy/table.parquet").read_bytes()
    (project / "started").unlink()
    edit_params(project, "n: 3", "n: 4")

    command = [sys.executable, "-m", "cohortlab.run", "count", "toy"]
    process = subprocess.Popen(command, cwd=project, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (project / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert (project / "results/toy/table.parquet").read_bytes() == before
    assert list(project.glob("results/toy/.count-*"))
    edit_params(project, "n: 4", "n: 5")
    assert run(project)[0] == 0
    assert json.loads((project / "results/toy/count.json").read_text()) == {"n": 5}
    assert not list(project.glob("results/toy/.count-*"))


def test_two_runs_give_the_same_bytes(make_project, run):
    draw = """
from cohortlab.notebook import setup, derive_rng
setup(study, "is *this* true?")
import matplotlib.pyplot as plt
print(object())
_ = plt.plot(derive_rng(seed, study, "draw").normal(size=20))
"""
    project = make_project(WRITE, draw)
    versions = []
    for _ in range(2):
        assert run(project)[0] == 0
        files = sorted(
            p for folder in ("results", "reports") for p in project.glob(f"{folder}/toy/*")
        )
        versions.append([(p.name, p.read_bytes()) for p in files])
    assert versions[0] == versions[1]
    assert b"image/png" in dict(versions[0])["count.ipynb"]
    assert rb"**Study toy**: is \\*this\\* true?" in dict(versions[0])["count.ipynb"]
    assert b"<object object at 0x\xe2\x80\xa6>" in dict(versions[0])["count.ipynb"]


def test_scratch_of_a_dead_run_with_the_same_process_id_is_cleared_away(make_project, run):
    project = make_project(WRITE)
    left = project / "results" / "toy" / f".count-{os.getpid()}"
    left.mkdir(parents=True)
    (left / "table.parquet").write_text("half a table")
    assert run(project)[0] == 0
    assert not left.exists()
    assert json.loads((project / "results/toy/count.json").read_text()) == {"n": 3}
