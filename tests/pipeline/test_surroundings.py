"""The same results under another time zone, locale, hash seed, number of threads and folder."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from projects import files_of, make_project

from cohortlab.run.steps import run_step
from cohortlab.run.warm import WARM_VARIABLE

pytestmark = pytest.mark.pipeline

STEPS = ("data", "features", "mixture", "clusters", "rules", "bipartite")
CHANGES = {
    "studies.sessions.data.synthetic.n_visitors": 400,
    "studies.sessions.mixture.models": ["EEE"],
    "studies.sessions.mixture.n_components": [1, 2, 3],
    "studies.sessions.mixture.n_bootstrap": 0,
    "studies.sessions.mixture.n_stability": 2,
    "studies.sessions.bipartite.n_label_shuffles": 19,
}
# A zone 12 hours and 45 minutes off, a language whose small I has a dot, and threads to sum by.
ELSEWHERE = {
    "TZ": "Pacific/Chatham",
    "LC_ALL": "tr_TR.UTF-8",
    "LANG": "tr_TR.UTF-8",
    "PYTHONHASHSEED": "4711",
    "OMP_NUM_THREADS": "3",
    "OPENBLAS_NUM_THREADS": "3",
    "NUMBA_NUM_THREADS": "3",
}
# The runner pins what it knows of; here it must not, so that the code itself is put to the test.
UNPINNED = """
    import locale, os, sys
    from pathlib import Path
    from cohortlab.run import steps
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    steps.PINNED = {}
    # An error where the locale is not there; the kernels have the same variables.
    assert locale.setlocale(locale.LC_ALL, "") == "tr_TR.UTF-8"
    for step in sys.argv[2:]:
        steps.run_step(step, "sessions", Path(sys.argv[1]), progress=False)
"""


LOCALE_SOURCE = Path("/usr/share/i18n/locales/tr_TR")


@pytest.fixture
def turkish(tmp_path):
    """Make the locale in a folder of its own; the variables by which it is found."""
    if not (shutil.which("localedef") and LOCALE_SOURCE.is_file()):
        pytest.skip(f"no localedef, or no {LOCALE_SOURCE}: apt-get install locales")
    made = tmp_path / "locales"
    made.mkdir()
    command = ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(made / "tr_TR.UTF-8")]
    subprocess.run(command, check=True)
    return {"LOCPATH": str(made)}


def cells_of(content):
    """Return what the cells of an executed notebook show, but for the last, on its making."""
    *cells, last = nbformat.reads(content.decode(), as_version=4).cells
    assert "show_lineage" in last.source
    return [(cell.source, cell.get("outputs")) for cell in cells], last.outputs[0]


def test_surroundings_change_no_result(tmp_path, turkish):
    here = make_project(tmp_path / "here", CHANGES)
    there = make_project(tmp_path / "a folder elsewhere", CHANGES)
    for step in STEPS:
        run_step(step, "sessions", here, progress=False)
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(UNPINNED), str(there), *STEPS],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if k != WARM_VARIABLE} | ELSEWHERE | turkish,
        check=True,
    )
    files, others = files_of(here), files_of(there)
    assert files.keys() == others.keys()
    notebooks = [path for path in files if path.suffix == ".ipynb"]
    assert len(notebooks) == len(STEPS)
    tables = files.keys() - set(notebooks)
    assert [str(path) for path in sorted(tables) if files[path] != others[path]] == []
    for path in notebooks:
        (shown, made), (shown_there, made_there) = map(cells_of, (files[path], others[path]))
        assert shown == shown_there, path
        # What the surroundings were is written down all the same.
        assert re.search(r"^TZ +UTC$", made.data["text/markdown"], re.MULTILINE)
        settings = made_there.data["text/markdown"]
        assert re.search(r"^TZ +Pacific/Chatham$", settings, re.MULTILINE)
        assert re.search(r"^LC_ALL +tr_TR.UTF-8$", settings, re.MULTILINE)
