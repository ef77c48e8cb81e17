"""Run all studies side by side, and then whatever is left: `python -m cohortlab.run.studies`."""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cohortlab.run.parameters import read_params
from cohortlab.run.project import SAID_VARIABLE, project_root


def run_studies(root: Path, *, n_together: int | None = None) -> int:
    """Bring every stage of every study up to date.

    Parameters
    ----------
    root : Path
        The project's folder.
    n_together : int, optional
        Studies that run at one time; one more than the machine has cores where not given.

    Returns
    -------
    int
        0 where all is up to date, else the exit status of DVC.

    Notes
    -----
    Studies share no table, so they need not wait for each other: each gets a `dvc repro` of its
    own, and DVC's lock keeps them from writing `dvc.lock` at one time. A kernel's start keeps one
    core busy and then waits, so studies fill each other's pauses. The last `dvc repro`
    runs what belongs to no study, and says whether anything was left.
    """
    studies = list(read_params(root)["studies"])
    together = n_together or (os.cpu_count() or 1) + 1
    with tempfile.TemporaryDirectory() as said, ThreadPoolExecutor(together) as pool:
        codes = list(pool.map(lambda study: _repro(root, said, "--glob", f"*@{study}"), studies))
        return max(codes, key=abs) or _repro(root, said)


def _repro(root: Path, said: str, *which: str) -> int:
    command = ["dvc", "--wait-for-lock", "repro", *which]
    variables = {**os.environ, SAID_VARIABLE: said}
    return subprocess.run(command, cwd=root, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(run_studies(project_root()))
