"""Executed notebooks made equal from run to run: what changes by itself is taken out."""

import re
from pathlib import Path

import nbformat

from cohortlab.run.machine import fingerprint

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def clean_notebook(notebook: nbformat.NotebookNode, root: Path) -> nbformat.NotebookNode:
    """Return a copy of an executed notebook without anything that differs between equal runs.

    Timings, execution dates, papermill's own block, the kernel's path and version, memory
    addresses and the place where the project lies are removed; sources and outputs stay. Written
    down is the kind of machine, `cohortlab.run.machine.fingerprint`, which is that of equal runs.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        As papermill wrote it.
    root : pathlib.Path
        The project's folder, written as `.` wherever it stands in an output.

    Returns
    -------
    nbformat.NotebookNode
        The clean copy.
    """
    clean = nbformat.from_dict(notebook)
    clean.metadata = nbformat.from_dict(
        {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "machine": fingerprint()}
    )
    for position, cell in enumerate(clean.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if "injected-parameters" in tags:
            cell.id = "injected-parameters"
        elif not cell.get("id") or any(tag.startswith("papermill") for tag in tags):
            cell.id = f"cell-{position}"
        for output in cell.get("outputs", []):
            _clean_output(output, root)
    return clean


def _clean_output(output: nbformat.NotebookNode, root: Path) -> None:
    if "text" in output:
        output.text = _scrub(output.text, root)
    if "traceback" in output:
        output.traceback = [_scrub(line, root) for line in output.traceback]
    for kind, content in output.get("data", {}).items():
        if isinstance(content, str) and not kind.startswith("image/png"):
            output.data[kind] = _scrub(content, root)


def _scrub(text: str, root: Path) -> str:
    return _ADDRESS.sub("0x…", text.replace(str(root), "."))


def describe_cell(source: str) -> str:
    r"""Name a code cell by its papermill description, or by its first line of code.

    Parameters
    ----------
    source : str
        The cell's source.

    Returns
    -------
    str
        A short name.

    Examples
    --------
    >>> describe_cell("# papermill_description=draw_profiles\nplot(x)")
    'draw_profiles'
    >>> describe_cell("plot(x)")
    'plot(x)'
    """
    described = re.search(r"^# papermill_description=(\S+)", source, flags=re.MULTILINE)
    if described:
        return described.group(1)
    return next((line for line in source.splitlines() if line.strip()), "(empty)")[:60]
