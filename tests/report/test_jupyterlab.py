"""JupyterLab in a real browser runs a source notebook to its end, with the pipeline's results."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from browser import DESK, chromium, needs_chromium
from conftest import REPOSITORY

from cohortlab.run.steps import run_step

STEP, STUDY, TOKEN = "data", "sessions", "known-to-this-test"
PATIENCE = 120  # seconds

pytestmark = [pytest.mark.pipeline, needs_chromium]


@pytest.fixture
def project(tmp_path):
    """A project of its own with no result, run once through the pipeline."""
    folder = tmp_path / "project"
    shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks")
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(REPOSITORY / name, folder)
    run_step(STEP, STUDY, folder, progress=False)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def jupyterlab(project, own):
    """Run JupyterLab on loopback, with settings of its own, until the test is over."""
    port = free_port()
    folders = {name: str(own / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    folders |= {name: str(own / name) for name in ("IPYTHONDIR", "JUPYTERLAB_WORKSPACES_DIR")}
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": project,
        "IdentityProvider.token": TOKEN,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.news_url": "",
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{k}={v}" for k, v in options.items())]
    with (own / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | folders)
        try:
            await_server(server, port, own / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{STEP}.ipynb?token={TOKEN}"
        finally:
            server.terminate()
            server.wait(timeout=60)


def await_server(server, port, log):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            opener.open(f"http://127.0.0.1:{port}/api?token={TOKEN}", timeout=5).close()
            return
        time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start: {log.read_text()[-2000:]}")


def run_all_cells(address, path):
    """Click on Run All Cells as soon as the kernel waits, and save until it has run the last."""
    with chromium() as browser:
        page = browser.new_page(viewport=DESK)
        page.goto(address)
        idle = page.get_by_text("| Idle")
        idle.wait_for(timeout=PATIENCE * 1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
        end, ran = time.monotonic() + PATIENCE, False
        while not ran:
            assert time.monotonic() < end, f"cells that have run: {executed(path)}"
            waits = idle.is_visible()
            page.keyboard.press("Control+s")
            page.wait_for_timeout(1000)
            ran = waits and all(executed(path))


def executed(path):
    with contextlib.suppress(ValueError):
        cells = nbformat.read(path, as_version=4).cells
        return [cell.execution_count for cell in cells if cell.cell_type == "code"]
    return [None]


def shown(path):
    """Return what each cell but those of the parameters shows: its texts and pictures."""
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    own = [c for c in cells if not any("parameters" in t for t in c.metadata.get("tags", []))]
    return [
        [
            (o.output_type, o.get("text"), o.get("data", {}).get("image/png", "").strip())
            for o in cell.outputs
        ]
        for cell in own
    ]


def files_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_source_notebook_run_in_jupyterlab_gives_what_the_pipeline_gives(project, tmp_path):
    results = project / "results" / STUDY
    pipeline = files_of(results)
    assert pipeline
    shutil.rmtree(results)
    path = project / "notebooks" / f"{STEP}.ipynb"
    (tmp_path / "own").mkdir()
    with jupyterlab(project, tmp_path / "own") as address:
        run_all_cells(address, path)
    assert files_of(results) == pipeline
    assert shown(path) == shown(project / "reports" / STUDY / f"{STEP}.ipynb")
