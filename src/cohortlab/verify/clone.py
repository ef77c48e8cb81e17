"""A commit cloned into an empty folder, set up, run from nothing, and compared with itself."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from cohortlab.run.parameters import check_studies
from cohortlab.run.project import read_params
from cohortlab.verify.committed import (
    FOLDERS,
    Verdict,
    differing_files,
    git,
    is_same_kind,
    machines_of,
)

logger = logging.getLogger("cohortlab")


def differences_in_a_clone(
    root: Path,
    revision: str = "HEAD",
    *,
    studies: Sequence[str] = (),
    set_up: bool = True,
    into: Path | None = None,
) -> Verdict:
    """Clone a commit, run all of it from nothing, and compare with what it holds.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder. What is not committed in it plays no part.
    revision : str, default "HEAD"
        The commit.
    studies : sequence of str
        Only these; all where none is named.
    set_up : bool, default True
        Make an environment in the clone, by `make setup`; else run with this process's own.
    into : pathlib.Path, optional
        An empty folder for the clone, which stays; by default a temporary one.

    Returns
    -------
    Verdict
        Compared byte by byte where this machine is of the kind that made the commit's results
        (`cohortlab.run.machine.fingerprint`), and by tolerances elsewhere.

    Raises
    ------
    subprocess.CalledProcessError
        If setting up or a stage fails; its own words are on the terminal.
    ParameterError
        If the commit has no such study.
    """
    commit = git(root, "rev-parse", "--verify", f"{revision}^{{commit}}").strip()
    exact = is_same_kind(machines_of(root, commit, studies))
    with _folder(into) as clone:
        folder = clone_commit(root, commit, clone)
        check_studies(read_params(folder), studies)
        _forget_results(folder, studies)
        _run(folder, studies, set_up=set_up)
        found = differing_files(root, folder, commit, studies=studies, exact=exact)
    return Verdict(found, exact)


@contextmanager
def _folder(into: Path | None) -> Iterator[Path]:
    if into is None:
        with TemporaryDirectory(prefix="cohortlab-verify-") as folder:
            yield Path(folder)
        return
    into.mkdir(parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise FileExistsError(f"{into} is not empty: name a folder that is, or none.")
    yield into


def clone_commit(root: Path, commit: str, folder: Path) -> Path:
    """Put one commit, and nothing that is not committed, into an empty folder.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder in a repository, even a shallow one.
    commit : str
        The commit's full name.
    folder : pathlib.Path
        Where it goes.

    Returns
    -------
    pathlib.Path
        The project's folder there; the repository may hold more than the project.
    """
    repository, below = git(root, "rev-parse", "--show-toplevel", "--show-prefix").splitlines()
    git(folder, "init", "-q")
    git(folder, "fetch", "-q", "--depth", "1", repository, commit)
    git(folder, "checkout", "-q", "FETCH_HEAD")
    return folder / below


def _forget_results(folder: Path, studies: Sequence[str]) -> None:
    """Remove what is to be made; a stage whose results are all there would not run."""
    for top in FOLDERS:
        for study in studies or [p.name for p in (folder / top).glob("*") if p.is_dir()]:
            shutil.rmtree(folder / top / study, ignore_errors=True)


def _run(folder: Path, studies: Sequence[str], *, set_up: bool) -> None:
    variables = dict(os.environ)
    python = Path(sys.executable)
    if set_up:
        # An environment that is active here must not shine through there.
        variables = {k: v for k, v in variables.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
        _command(["make", "setup", f"PYTHON={python}"], folder, variables)
        python = folder / ".venv" / "bin" / "python"
    else:
        paths = (str(folder / "src"), variables.get("PYTHONPATH"))
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    variables["PATH"] = os.pathsep.join([str(python.parent), variables["PATH"]])
    which = [f"--study={study}" for study in studies]
    _command([str(python), "-m", "cohortlab.run.studies", *which], folder, variables)


def _command(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    logger.info("%s", " ".join(command))
    subprocess.run(command, cwd=folder, env=variables, check=True)
