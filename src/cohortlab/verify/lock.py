"""Does `dvc.lock` belong to the files at hand? Nothing is run to find out."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from dvc.repo import Repo


def stale_stages(root: Path) -> list[str]:
    """Find the stages whose lock is not that of the files at hand.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.

    Returns
    -------
    list of str
        One line for each changed dependency, parameter or command, and for each stage that has
        never been run. Outputs that are merely not there, as in a fresh clone, are no fault.
    """
    with Repo(str(root)) as repo:
        status = repo.status()
    return [f"{stage}: {fault}" for stage, found in status.items() for fault in _faults(found)]


def _faults(found: list) -> Iterator[str]:
    for item in found:
        if not isinstance(item, Mapping):
            yield str(item)
            continue
        for path, change in item.get("changed deps", {}).items():
            if isinstance(change, Mapping):  # parameters of a file, each with its own state
                yield from (f"{state}: {key} in {path}" for key, state in change.items())
            elif change != "deleted":
                yield f"{change}: {path}"
