"""Run all studies side by side, and then whatever is left: `python -m cohortlab.run.studies`."""

import argparse
import glob
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cohortlab.run.parameters import check_studies
from cohortlab.run.project import SAID_VARIABLE, ParameterError, project_root, read_params
from cohortlab.run.warm import warm_server

logger = logging.getLogger("cohortlab")


def run_studies(root: Path, *, studies: Sequence[str] = (), n_together: int | None = None) -> int:
    """Bring every stage of every study up to date, and say so where all are.

    Parameters
    ----------
    root : Path
        The project's folder.
    studies : sequence of str
        Only these; all, and what belongs to none, where none is named.
    n_together : int, optional
        Studies that run at one time; one more than the machine has cores where not given.

    Returns
    -------
    int
        0 where all is up to date, else the exit status of DVC.

    Raises
    ------
    ParameterError
        If a study does not exist. To DVC, no stage of that name would mean all of them.

    Notes
    -----
    Studies share no table, so they need not wait for each other: each gets a `dvc repro` of its
    own, and DVC's lock keeps them from writing `dvc.lock` at one time. Steps start warm, and now
    and then wait for a disk, so studies fill each other's pauses. The last `dvc repro` runs what
    belongs to no study, and says whether anything was left.
    """
    params = read_params(root)
    check_studies(params, studies)
    if subprocess.run(["dvc", "status", "--quiet"], cwd=root, check=False).returncode == 0:
        logger.info("Every stage of every study is up to date.")
        return 0
    names = list(studies or params.get("studies") or [])
    together = n_together or (os.cpu_count() or 1) + 1
    with (
        tempfile.TemporaryDirectory() as said,
        warm_server() as warm,
        ThreadPoolExecutor(together) as pool,
    ):
        variables = {**os.environ, SAID_VARIABLE: said, **warm}

        def repro(*which: str) -> int:
            command = ["dvc", "--wait-for-lock", "repro", *which]
            return subprocess.run(command, cwd=root, env=variables, check=False).returncode

        codes = list(pool.map(lambda study: repro("--glob", f"*@{glob.escape(study)}"), names))
        return max(codes, key=abs) or (0 if studies else repro())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 where all is up to date, 2 or more where it is not."""
    parser = argparse.ArgumentParser(prog="python -m cohortlab.run.studies", description=__doc__)
    parser.add_argument("--study", action="append", default=[], help="only this; more than once")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    try:
        return run_studies(project_root(), studies=options.study)
    except (ParameterError, OSError) as error:
        logger.error("%s", error)
        return 2
    except KeyboardInterrupt:
        logger.error("Stopped. What was finished stays, and the next run goes on from there.")
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
