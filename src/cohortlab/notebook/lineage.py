"""What made a notebook: versions, settings, the files it read with their hashes, its parameters."""

import ast
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from IPython import get_ipython

from cohortlab.notebook.look import say
from cohortlab.notebook.results import Results
from cohortlab.run.machine import versions
from cohortlab.run.project import PINNED, leaves


def show_lineage(results: Results) -> None:
    """Show what made this notebook, at its end: the same whenever the same made it.

    Parameters
    ----------
    results : Results
        Through which the notebook read its inputs; each is shown with its hash.

    Returns
    -------
    None

    Notes
    -----
    Parameters are those of the cells that were run, the pipeline's or a reader's own. A hash is
    the MD5 that DVC takes, so that of a whole result is found again in ``dvc.lock``; of a file
    inside a result that is a folder, ``dvc.lock`` holds only the folder's.
    """
    inputs = {name: hash_path(path) for name, path in sorted(results.inputs.items())}
    parameters = dict(leaves(parameters_of_cells(_cells_run())))
    say("**Made with these versions and settings**\n\n" + _listing(versions() | settings()))
    say(
        "**from these files** (MD5; that of a whole result stands in `dvc.lock`)\n\n"
        + _listing(inputs)
    )
    say(
        "**and these parameters**\n\n"
        + _listing({name: json.dumps(value) for name, value in parameters.items()})
    )


def settings() -> dict[str, str]:
    """List what the runner pins of a notebook's surroundings, as this process has it.

    Returns
    -------
    dict of str to str
        Hash seed, locale, time zone and threads, by the variable that sets each, and ``not set``
        where there is none: a notebook run by hand has those of whoever runs it.
    """
    return {name: os.environ.get(name, "not set") for name in PINNED}


def parameters_of_cells(cells: Iterable[str]) -> dict[str, Any]:
    r"""Read the parameters that a notebook ran with from the cells that were run.

    Parameters
    ----------
    cells : iterable of str
        Sources in the order of their runs. A statement ``name: type = literal`` declares a
        parameter; a cell of nothing but ``name = literal``, as papermill adds it, gives new values.

    Returns
    -------
    dict of str to object
        The last value of each declared parameter, in the order of their declaration.

    Examples
    --------
    >>> parameters_of_cells(["n: int = 3", "# Parameters\nn = 5", "n = n + 1", "m = 2"])
    {'n': 5}
    """
    found: dict[str, Any] = {}
    for cell in cells:
        given = _literals(cell)
        found |= {
            name: value for name, (value, declares) in given.items() if declares or name in found
        }
    return found


def _literals(cell: str) -> dict[str, tuple[Any, bool]]:
    """Read a cell of assigned literals: value by name, and whether it declares the name."""
    try:
        return {
            statement.target.id
            if isinstance(statement, ast.AnnAssign)
            else statement.targets[0].id: (
                ast.literal_eval(statement.value),
                isinstance(statement, ast.AnnAssign),
            )
            for statement in ast.parse(cell).body
        }
    except (SyntaxError, ValueError, AttributeError):
        return {}  # a magic command, or code


def _cells_run() -> list[str]:
    shell = get_ipython()
    return list(shell.user_ns.get("In", [])) if shell else []


def _listing(rows: Mapping[str, str]) -> str:
    """List names and values as a block of code, in which no text is markup."""
    width = max(map(len, rows), default=0)
    lines = [f"{name.ljust(width)}  {value}" for name, value in rows.items()] or ["(none)"]
    return "\n".join(["```text", *lines, "```"])


def hash_path(path: Path) -> str:
    """Hash a file, or a folder with all that is in it, as DVC does.

    Parameters
    ----------
    path : pathlib.Path
        Either.

    Returns
    -------
    str
        The MD5 of a file's bytes. For a folder, that of the list of its files with their hashes,
        and the ending ``.dir``.
    """
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, _md5).hexdigest()
    files = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
    listed = json.dumps([{"md5": hash_path(p), "relpath": name} for name, p in files])
    return _md5(listed.encode()).hexdigest() + ".dir"


def _md5(content: bytes = b"") -> Any:
    # It tells versions of a file apart and guards nothing, which systems without MD5 want to hear.
    return hashlib.md5(content, usedforsecurity=False)
