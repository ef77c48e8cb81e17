"""The site, built once for all tests, and what a browser sees on each of its pages."""

import json
import os
import subprocess
import sys
import time

import pytest
from browser import CHROMIUM, chromium, look_at
from conftest import REPOSITORY


def once(tmp_path_factory, name, make):
    """Let one of the test processes make a folder; the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    try:
        folder.mkdir()
    except FileExistsError:
        while not any((folder / mark).exists() for mark in ("done", "failed")):
            time.sleep(0.2)
    else:
        try:
            make(folder)
            (folder / "done").touch()
        except BaseException as problem:
            (folder / "failed").write_text(repr(problem))
            raise
    assert not (folder / "failed").exists(), (folder / "failed").read_text()
    return folder


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the site of this project; the folder of its pages."""

    def build(folder):
        command = [sys.executable, "-m", "cohortlab.report", "--out", str(folder)]
        ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr

    return once(tmp_path_factory, "report", build) / "site"


@pytest.fixture(scope="session")
def seen(site, tmp_path_factory):
    """Open every page in a browser; what was seen on each, by its path below the site."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the path: apt-get install chromium")

    def look(folder):
        pages = sorted(p for p in site.rglob("*.html") if "_static" not in p.parts)
        with chromium() as browser:
            found = {p.relative_to(site).as_posix(): s for p, s in look_at(browser, pages)}
        (folder / "seen.json").write_text(json.dumps(found))

    return json.loads((once(tmp_path_factory, "seen", look) / "seen.json").read_text())
