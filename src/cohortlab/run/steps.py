"""Running one step of one study: papermill around its notebook, results put in place whole."""

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import papermill
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from cohortlab.run.digests import digest_tables
from cohortlab.run.executed import clean_notebook, describe_cell
from cohortlab.run.parameters import ParameterError, declared_parameters, resolve, study_log
from cohortlab.run.project import PINNED, STAGING_VARIABLE, read_params, to_json
from cohortlab.run.warm import kernel_command, socket_folder


class StepError(RuntimeError):
    """A step that did not come to its end."""


class KernelManager(AsyncKernelManager):
    """Starts kernels warm where there is a server for that."""

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """Give the command that starts the kernel.

        Parameters
        ----------
        extra_arguments : list of str, optional
            Added at its end.

        Returns
        -------
        list of str
            The command.
        """
        return kernel_command(super().format_kernel_cmd(extra_arguments))


def find_notebook(step: str, log: str, root: Path) -> Path:
    """Find the notebook of a step; `features` has one for each kind of log.

    Parameters
    ----------
    step : str
        The step's name.
    log : str
        The kind of log that the study reads, `log` in its block of `params.yaml`.
    root : pathlib.Path
        The project's folder.

    Returns
    -------
    pathlib.Path
        `notebooks/<step>_<log>.ipynb` where it exists, else `notebooks/<step>.ipynb`.

    Raises
    ------
    ParameterError
        If there is neither.
    """
    folder = root / "notebooks"
    for name in (f"{step}_{log}.ipynb", f"{step}.ipynb"):
        if (folder / name).is_file():
            return folder / name
    known = ", ".join(sorted(path.stem for path in folder.glob("*.ipynb")))
    raise ParameterError(f"No notebook for step `{step}`; notebooks/ has: {known}.")


def run_step(step: str, study: str, root: Path, *, progress: bool = True) -> Path:
    """Execute the notebook of a step and put its results in place, all or none.

    Parameters
    ----------
    step, study : str
        Their names.
    root : pathlib.Path
        The project's folder.
    progress : bool, default True
        Show papermill's progress bar.

    Returns
    -------
    pathlib.Path
        The executed notebook, `reports/<study>/<step>.ipynb`.

    Raises
    ------
    ParameterError
        If a parameter is unknown, missing or mistyped; nothing is run.
    StepError
        If a cell fails. The partial notebook is kept as `<step>.failed.ipynb` beside the target;
        earlier results are untouched.
    """
    params = read_params(root)
    notebook = find_notebook(step, study_log(params, study), root)
    values = resolve(params, step, study, declared_parameters(notebook))
    results, reports = root / "results" / study, root / "reports" / study
    results.mkdir(parents=True, exist_ok=True)
    reports.mkdir(parents=True, exist_ok=True)
    with _staging(results, step) as staging:
        partial = staging.with_suffix(".ipynb")
        try:
            _execute(notebook, partial, values, staging, progress)
        except (PapermillExecutionError, DeadKernelError) as error:
            kept = reports / f"{step}.failed.ipynb"
            _write_clean(partial, kept, root)
            raise StepError(_explain(error, step, study, kept.relative_to(root))) from error
        executed = reports / f"{step}.ipynb"
        digests = to_json(digest_tables(staging))
        _publish(staging, results)
        _write_clean(partial, executed, root)
        _write_whole(reports / f"{step}.tables.json", digests)
    (reports / f"{step}.failed.ipynb").unlink(missing_ok=True)
    return executed


@contextlib.contextmanager
def _staging(results: Path, step: str) -> Iterator[Path]:
    """Give a scratch folder for one run, and clear away what killed runs have left."""
    for left in results.glob(f".{step}-*"):
        number = left.stem.rpartition("-")[2]
        if not number.isdecimal():  # not ours
            continue
        process = int(number)
        # In a container the same process id comes again, so our own is that of a run long dead.
        if process == os.getpid() or not _alive(process):
            _remove(left)
    staging = results / f".{step}-{os.getpid()}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        staging.with_suffix(".ipynb").unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _execute(notebook: Path, target: Path, values: dict, staging: Path, progress: bool) -> None:
    """Run papermill with an environment in which equal inputs give equal outputs."""
    variables = {
        STAGING_VARIABLE: str(staging),
        **PINNED,
        # A user's own IPython start-up files must not reach the kernel.
        "IPYTHONDIR": str(staging / ".ipython"),
    }
    # Papermill's own check of parameters knows no `int | None`; ours was made before.
    logging.getLogger("papermill").setLevel(logging.ERROR)
    # Kernels that start at one time must not choose one socket, as they do by their default.
    with _environment(variables), socket_folder() as sockets:
        papermill.execute_notebook(
            notebook,
            target,
            values,
            kernel_name="python3",
            cwd=notebook.parent,
            progress_bar={"desc": notebook.stem, "ncols": 78} if progress else False,
            coalesce_streams=True,
            kernel_manager_class=KernelManager,
            # A kernel that ends may say that it was interrupted, and each is interrupted to end.
            extra_arguments=["--IPKernelApp.log_level=50"],
            config=Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/kernel"}}),
        )
    shutil.rmtree(staging / ".ipython", ignore_errors=True)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _publish(staging: Path, results: Path) -> None:
    """Move finished results into place, each by one rename."""
    for item in sorted(staging.iterdir()):
        target = results / item.name
        if not target.is_dir() and not item.is_dir():
            item.replace(target)
            continue
        aside = staging.with_suffix(".old")
        if target.exists() or target.is_symlink():
            target.replace(aside)
        item.replace(target)
        _remove(aside)


def _remove(path: Path) -> None:
    """Remove a folder or a file; of a link, the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_clean(source: Path, target: Path, root: Path) -> None:
    clean = clean_notebook(nbformat.read(source, as_version=4), root)
    _write_whole(target, nbformat.writes(clean) + "\n")


def _write_whole(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.part")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(target)


def _explain(error: Exception, step: str, study: str, kept: Path) -> str:
    if isinstance(error, PapermillExecutionError):
        cell = f"cell {error.cell_index + 1} ({describe_cell(error.source)})"
        reason = f"{error.ename}: {error.evalue}"
    else:
        cell, reason = "a cell", "the kernel died, often for want of memory"
    return f"{step}@{study} failed in {cell}: {reason}\nThe notebook up to there: {kept}"
