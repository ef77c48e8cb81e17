"""Where a step finds what earlier steps handed on, and where it puts what it hands on."""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cohortlab.run.project import STAGING_VARIABLE, project_root, to_json

if TYPE_CHECKING:
    import ibis
    from ibis.backends.duckdb import Backend


class Results:
    """The folder `results/<study>`, read by name and written whole.

    Reading always sees finished results. Writing goes to the runner's staging folder when a
    pipeline runs the notebook, and otherwise straight to the results, one whole file at a time.

    Parameters
    ----------
    study : str
        The study's name.
    root : pathlib.Path, optional
        The project's folder; found from the working folder by default.

    Attributes
    ----------
    inputs : dict of str to pathlib.Path
        What was read so far, by a name that is the same on every machine.

    Examples
    --------
    In a notebook::

        results = Results(study)
        features = results.read("features.parquet")
        results.write("clusters.parquet", clusters)
    """

    def __init__(self, study: str, root: Path | None = None):
        self.root = root or project_root()
        self.folder = self.root / "results" / study
        self.inputs: dict[str, Path] = {}
        self._target = Path(os.environ.get(STAGING_VARIABLE) or self.folder)

    def path(self, name: str) -> Path:
        """Return the path of a finished result, which must exist.

        Parameters
        ----------
        name : str
            File or folder name below `results/<study>`.

        Returns
        -------
        pathlib.Path
            Its absolute path.

        Raises
        ------
        FileNotFoundError
            If it is not there; the message says which command makes it.
        """
        path = self.folder / name
        if not path.exists():
            raise FileNotFoundError(
                f"{path.relative_to(self.root)} is not there: run `dvc repro`, or the earlier "
                "notebooks of this study, first."
            )
        self.note_input(path)
        return path

    def note_input(self, path: Path) -> None:
        """Remember a file that the notebook reads from elsewhere, such as a raw log.

        Parameters
        ----------
        path : pathlib.Path
            The file, named in `inputs` as it lies in the project, and outside of it by its own
            name alone.
        """
        for folder, shown in ((self._target, self.folder), (self.root, self.root)):
            if path.is_relative_to(folder):
                named = shown / path.relative_to(folder)
                self.inputs[named.relative_to(self.root).as_posix()] = path
                return
        self.inputs[path.name] = path

    def read(self, name: str) -> Any:
        """Read a finished result: a frame from `.parquet` or `.csv`, an object from `.json`.

        Parameters
        ----------
        name : str
            File name below `results/<study>`.

        Returns
        -------
        pandas.DataFrame or object
            What the file holds.
        """
        path = self.path(name)
        readers = {
            ".parquet": pd.read_parquet,
            ".csv": pd.read_csv,
            ".json": lambda p: json.loads(p.read_text(encoding="utf-8")),
        }
        return readers[path.suffix](path)

    def table(self, name: str) -> ibis.Table:
        """Open a finished Parquet result as an Ibis table, without reading it into memory.

        Parameters
        ----------
        name : str
            File name below `results/<study>`.

        Returns
        -------
        ibis.Table
            A table on DuckDB.
        """
        return self._connection.read_parquet(str(self.path(name)))

    @functools.cached_property
    def _connection(self) -> Backend:
        # Ibis takes a second to import, which most steps, reading frames, can do without.
        from cohortlab.engine import connect

        scratch = tempfile.mkdtemp(prefix="cohortlab-")
        weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
        return connect(Path(scratch))

    def output(self, name: str) -> Path:
        """Return the path to write a result to, its folder made.

        Parameters
        ----------
        name : str
            File name below `results/<study>`.

        Returns
        -------
        pathlib.Path
            Its absolute path, in the staging folder when a pipeline runs the notebook.
        """
        path = self._target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def output_folder(self, name: str) -> Path:
        """Return an empty folder to write results to; what an earlier run left there is gone.

        Parameters
        ----------
        name : str
            Folder name below `results/<study>`.

        Returns
        -------
        pathlib.Path
            Its absolute path.
        """
        path = self._target / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def write(self, name: str, value: Any) -> None:
        """Write a result whole: another reader sees the old file or the new one, never a part.

        Parameters
        ----------
        name : str
            File name below `results/<study>`: `.parquet`, `.csv`, `.json`, or any text.
        value : pandas.DataFrame, ibis.Table, str or JSON-ready object
            What to write. Frames are written without their index.
        """
        path = self.output(name)
        partial = path.with_name(f".{path.name}.part")
        if path.suffix == ".parquet" and isinstance(value, pd.DataFrame):
            value.to_parquet(partial, index=False)
        elif path.suffix == ".parquet":
            value.to_parquet(partial)
        elif path.suffix == ".csv":
            value.to_csv(partial, index=False, lineterminator="\n")
        elif path.suffix == ".json":
            partial.write_text(to_json(value), encoding="utf-8")
        else:
            partial.write_text(value, encoding="utf-8", newline="\n")
        partial.replace(path)
