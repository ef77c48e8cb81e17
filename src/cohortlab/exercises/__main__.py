"""Make the copies with gaps from the solutions: `python -m cohortlab.exercises`."""

from pathlib import Path

import nbformat

from cohortlab.exercises.gaps import gapped
from cohortlab.run.project import project_root


def write_gapped(folder: Path) -> list[Path]:
    """Write the copy with gaps of every solution.

    Parameters
    ----------
    folder : pathlib.Path
        `exercises`; its folder `solutions` is read.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    written = []
    for solution in sorted((folder / "solutions").glob("*.ipynb")):
        target = folder / solution.name
        copy = gapped(nbformat.read(solution, as_version=4))
        target.write_text(nbformat.writes(copy) + "\n", encoding="utf-8")
        written.append(target)
    return written


if __name__ == "__main__":
    write_gapped(project_root() / "exercises")
