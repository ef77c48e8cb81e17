"""Finished cells on disk, so that a search that was cut off can go on."""

import hashlib
import json
from dataclasses import asdict, fields
from pathlib import Path

from cohortlab.mixture.cells import Cell, CellFit, Job


def fingerprint(job: Job, plan: list[tuple[int, str]]) -> str:
    """Digest the data and settings that a cell's result depends on.

    Parameters
    ----------
    job : Job
        What all cells of a search share.
    plan : list of (int, str)
        The cells in their order: those that came before one give it further starts.

    Returns
    -------
    str
        Hexadecimal digest.
    """
    digest = hashlib.sha256()
    for array in (job.rows.values, job.rows.weights, job.rows.centre):
        digest.update(array.tobytes())
    settings = {
        "settings": asdict(job.settings),
        "limits": asdict(job.limits),
        "init": job.init,
        "n_init": job.n_init,
        "entropy": job.seed.entropy,
        "plan": plan,
        "layout": [field.name for kind in (Cell, CellFit) for field in fields(kind)],
    }
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()


class Checkpoint:
    """A file with one line a finished cell.

    Parameters
    ----------
    path : str or Path
        The file; begun where it does not exist.
    key : str
        From `fingerprint`.

    Raises
    ------
    ValueError
        If the file belongs to another search, or is none.
    """

    def __init__(self, path: str | Path, key: str):
        self.path = Path(path)
        self.cells: dict[tuple[str, int], Cell] = {}
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise ValueError(
                f"checkpoint={str(path)!r}; expected a file in a folder that exists, such as "
                "'search.jsonl'."
            )
        if not self.path.exists():
            self.path.write_text(json.dumps({"search": key}) + "\n")
            return
        first, *lines = self.path.read_text(errors="replace").split("\n")
        if _parse(first) != {"search": key}:
            raise ValueError(
                f"{self.path} belongs to a search of other data, settings, sizes or models; "
                "give another checkpoint file, or delete this one."
            )
        for line in lines:
            self._read(line)
        # What was cut off in the middle of a line is dropped before anything is added after it.
        whole = [json.dumps(cell.to_dict()) for cell in self.cells.values()]
        self.path.write_text("\n".join([first, *whole]) + "\n")

    def _read(self, line: str) -> None:
        plain = _parse(line)
        if plain:
            cell = Cell.from_dict(plain)
            self.cells[cell.model, cell.n_components] = cell

    def add(self, cell: Cell) -> None:
        """Write a finished cell.

        Parameters
        ----------
        cell : Cell
            Added as a line at the end of the file, so that what is there already is safe.
        """
        self.cells[cell.model, cell.n_components] = cell
        with self.path.open("a") as file:
            file.write(json.dumps(cell.to_dict()) + "\n")


def _parse(line: str) -> dict | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None
