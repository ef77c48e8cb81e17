"""Steps that start from a warm process: the same results, the same ends."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from cohortlab.run import warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")

WRITE = """
import os, sys
from cohortlab.notebook import Results
results = Results(study)
print(os.getcwd().rsplit("/", 1)[1], os.environ["PYTHONHASHSEED"], hash("equal"), sys.path[0] == "")
print("an error", file=sys.stderr)
results.write("count.json", {"n": n})
"""
STARTED = "import os, pathlib; pathlib.Path('../started').write_text(str(os.getpid()))"
SLEEP = "import time; time.sleep(60)"


@pytest.fixture(scope="module")
def variables():
    with warm.warm_server() as named:
        yield {**os.environ, **named}


@pytest.fixture
def short_folder():
    """Make a folder whose path leaves room for sockets, which that of `tmp_path` may not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def cold():
    """Give this process's environment without the server that other tests may have in it."""
    return {name: value for name, value in os.environ.items() if name != warm.WARM_VARIABLE}


def start(project, variables, study="toy"):
    command = [sys.executable, "-m", "cohortlab.run", "count", study]
    return subprocess.Popen(command, cwd=project, env=variables, stderr=subprocess.PIPE, text=True)


def files(project):
    return {p.name: p.read_bytes() for p in project.glob("re*/toy/*")}


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_warm_step_gives_the_bytes_of_one_that_starts_by_itself(make_project, variables):
    # What was imported beforehand tells which kernel was which.
    imported = 'import sys\nresults.write("imported.json", "numba" in sys.modules)'
    project = make_project(WRITE, imported)
    versions = []
    for environment in (cold(), variables):
        process = start(project, environment)
        process.communicate()
        assert process.returncode == 0
        versions.append(files(project))
    assert [version.pop("imported.json") for version in versions] == [b"false\n", b"true\n"]
    assert versions[0] == versions[1]
    assert {"count.json", "count.ipynb"} <= versions[0].keys()


def test_steps_that_start_at_one_time_have_kernels_of_their_own(make_project, variables):
    project = make_project(WRITE)
    text = (project / "params.yaml").read_text()
    studies = {f"toy{k}": f"toy{k}: {{log: events, count: {{n: {k}}}}}" for k in range(4)}
    (project / "params.yaml").write_text(
        text.replace("toy: {log: events, count: {n: 3}}", ", ".join(studies.values()))
    )
    started = [start(project, variables, study=study) for study in studies]
    assert [process.communicate()[1] and process.returncode for process in started] == [0] * 4
    counts = [(project / f"results/{study}/count.json").read_text() for study in studies]
    assert [json.loads(count)["n"] for count in counts] == [0, 1, 2, 3]
    assert not list(project.rglob("*ipc*"))


@pytest.mark.parametrize(
    ("cell", "status", "said"),
    [
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os._exit(9)", 1, "the kernel died"),
        ("n: str", 0, ""),
    ],
)
def test_a_warm_step_ends_as_any_other(make_project, variables, cell, status, said):
    process = start(make_project(WRITE, cell), variables)
    _, errors = process.communicate()
    assert process.returncode == status
    assert said in errors


def test_a_step_that_cannot_start_says_so(make_project, variables):
    project = make_project(WRITE)
    text = (project / "params.yaml").read_text().replace("n: 3", "m: 3")
    (project / "params.yaml").write_text(text)
    process = start(project, variables)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "unknown parameter `studies.toy.count.m`" in errors


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_step_that_is_stopped_leaves_no_kernel_behind(make_project, variables, number):
    project = make_project(WRITE, STARTED, SLEEP)
    process = start(project, variables)
    wait_for((project / "started").exists)
    time.sleep(0.2)
    kernel = int((project / "started").read_text())
    process.send_signal(number)
    process.communicate()
    assert process.returncode != 0
    wait_for(lambda: not is_running(kernel))
    assert not (project / "results/toy/count.json").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_warm", [True, False])
def test_a_step_that_is_stopped_tidies_up(make_project, variables, short_folder, number, is_warm):
    project, scratch = make_project(WRITE, STARTED, SLEEP), short_folder
    process = start(project, {**(variables if is_warm else cold()), "TMPDIR": str(scratch)})
    wait_for((project / "started").exists)
    assert list(scratch.glob("cohortlab-*"))
    assert list(project.glob("results/toy/.count-*"))
    process.send_signal(number)
    process.communicate()
    assert process.returncode in (128 + number, 128 + signal.SIGTERM)
    assert not list(scratch.glob("cohortlab-*"))
    assert not list(project.glob("re*/toy/*")) + list(project.glob("re*/toy/.*"))


TIDYING = """
try:
    print("started", flush=True)
    time.sleep(60)
finally:
    time.sleep(60)
"""
FINALISER = """
class Told:
    def __del__(self):
        print("started", flush=True)
        time.sleep(60)
del [Told()][0]
time.sleep(60)
"""


@pytest.mark.parametrize("code", [TIDYING, FINALISER])
def test_a_step_that_does_not_come_to_its_end_when_told_is_ended(code):
    code = f"import time; from cohortlab.run import warm; warm.end_in_order(grace_sec=1)\n{code}"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)  # who asks again does not interrupt the tidying
    time.sleep(0.3)
    assert process.poll() is None
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGALRM


@pytest.mark.parametrize("is_warm", [True, False])
def test_sockets_have_short_paths_whatever_the_folder_of_temporary_files(
    make_project, tmp_path, monkeypatch, is_warm
):
    scratch = tmp_path / ("a" * 120)
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    project = make_project(WRITE)
    with warm.warm_server() as named:
        variables = {**cold(), **(named if is_warm else {}), "TMPDIR": str(scratch)}
        process = start(project, variables)
        process.communicate()
    assert process.returncode == 0
    assert (project / "results/toy/count.json").exists()


@pytest.mark.parametrize("said", [b"", b"\0", (99).to_bytes(8, "big") + b'{"target": "st'])
def test_who_goes_before_all_is_said_does_not_end_the_server(make_project, variables, said):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(variables[warm.WARM_VARIABLE])
        connection.send(said)
    process = start(make_project("n: int"), variables)
    process.communicate()
    assert process.returncode == 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(variables[warm.WARM_VARIABLE])


def test_without_a_server_a_step_starts_by_itself(make_project, tmp_path):
    project = make_project(WRITE)
    process = start(project, {**os.environ, warm.WARM_VARIABLE: str(tmp_path / "gone")})
    process.communicate()
    assert process.returncode == 0
    assert (project / "results/toy/count.json").exists()


def test_a_server_ends_with_its_block_and_everything_that_it_started(make_project):
    project = make_project(WRITE, STARTED, SLEEP)
    with warm.warm_server() as named:
        process = start(project, {**os.environ, **named})
        wait_for((project / "started").exists)
    process.communicate()
    assert process.returncode == 1
    wait_for(lambda: not is_running(int((project / "started").read_text())))


def test_a_stand_in_that_goes_as_its_process_ends_does_not_end_the_server():
    served, stand_in = socket.socketpair()
    process = subprocess.Popen(["true"])
    children = {served: process.pid}
    selector = selectors.DefaultSelector()
    selector.register(served, selectors.EVENT_READ, "spoken")
    selector.register(os.pidfd_open(process.pid), selectors.EVENT_READ, served)
    stand_in.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    keys = {key.data == "spoken": key for key, _ in selector.select()}
    assert len(keys) == 2
    warm._report(keys[False], children, selector)
    warm._pass_on(keys[True].fileobj, children, selector)
    process.wait()  # so that it knows that it was waited for
    assert children == {}
    assert len(selector.get_map()) == 0


def test_a_kernel_of_another_language_is_left_alone(monkeypatch):
    monkeypatch.setenv(warm.WARM_VARIABLE, "anywhere")
    assert warm.kernel_command(["R", "--slave"]) == ["R", "--slave"]
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "file"]
    assert warm.kernel_command(command)[1:] == ["-m", "cohortlab.run.warm", "-f", "file"]
