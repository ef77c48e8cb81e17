"""Everything that changed between two states of the project."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML

from cohortlab.review.files import LOCK, compare_file, compare_stored
from cohortlab.review.notebooks import FigureChange, NotebookChange, compare_notebook
from cohortlab.review.series import TableChange, compare_digests, compare_series
from cohortlab.review.snapshots import Snapshot
from cohortlab.run.project import leaves
from cohortlab.verify.reading import UNREADABLE
from cohortlab.verify.values import ABSENT, Difference, compare_texts, tolerance_of

PARAMS = "params.yaml"
DIGESTS = ".tables.json"
SERIES = (".csv", ".jsonl")
DRAWING = "image/svg+xml"


@dataclass(frozen=True)
class Review:
    """What changed from one state of the project to another.

    Attributes
    ----------
    base, head : str
        What the two states are called.
    tolerance : float or None
        The relative difference of two numbers that counts as none; None where it is that of
        `cohortlab.verify.tolerance_of`.
    parameters : list of Difference
        By full key.
    metrics : list of Difference
        By file and place, of every JSON file under `results/`.
    tables : list of TableChange
        Of every file of CSV or JSON lines under `results/`, and of every digest of a table.
    drawings : list of FigureChange
        Of every SVG file under `results/`.
    notebooks : list of NotebookChange
        Sources and executed ones.
    files : list of Difference
        Of every other file under `results/` and `reports/`, and of what only DVC stores.
    """

    base: str
    head: str
    tolerance: float | None
    parameters: list[Difference] = field(default_factory=list)
    metrics: list[Difference] = field(default_factory=list)
    tables: list[TableChange] = field(default_factory=list)
    drawings: list[FigureChange] = field(default_factory=list)
    notebooks: list[NotebookChange] = field(default_factory=list)
    files: list[Difference] = field(default_factory=list)


def review(base: Snapshot, head: Snapshot, *, tolerance: float | None = None) -> Review:
    """Compare two states of the project.

    Parameters
    ----------
    base, head : Snapshot
        Before and now.
    tolerance : float, optional
        The relative difference of two numbers that counts as none, for every file.

    Returns
    -------
    Review
        In the order of the files' names.
    """
    found = Review(base.name, head.name, tolerance)
    differing = {
        path
        for path in base.files.keys() | head.files.keys()
        if base.files.get(path) != head.files.get(path)
    }
    for path in sorted(differing, key=_reading_order):
        nearly = tolerance_of(path) if tolerance is None else tolerance
        try:
            _compare(found, path, base, head, nearly)
        except UNREADABLE:
            found.files.extend(compare_file(path, base, head, tolerance=nearly))
    return found


def _compare(found: Review, path: str, base: Snapshot, head: Snapshot, tolerance: float) -> None:
    """Add what changed in one file, in the way that its ending asks for."""
    if path == PARAMS:
        found.parameters.extend(_parameters(base.read(path), head.read(path)))
    elif path == LOCK:
        told = _told(base), _told(head)
        found.files.extend(compare_stored(base.read(path), head.read(path), told=told))
    elif path.endswith(DIGESTS):
        pair = base.read(path), head.read(path)
        found.tables.extend(filter(None, compare_digests(path, *pair, tolerance=tolerance)))
    elif path.endswith(".json"):
        pair = base.read(path) or "{}", head.read(path) or "{}"
        found.metrics.extend(compare_texts(path, *pair, tolerance=tolerance))
    elif path.endswith(SERIES):
        change = compare_series(path, base.read(path), head.read(path), tolerance=tolerance)
        found.tables.extend(filter(None, [change]))
    elif path.endswith(".svg"):
        pair = base.read(path) or None, head.read(path) or None
        found.drawings.append(FigureChange(path, DRAWING, *pair))
    elif path.endswith(".ipynb"):
        change = compare_notebook(path, base.read(path), head.read(path))
        found.notebooks.extend(filter(None, [change]))
    else:
        found.files.extend(compare_file(path, base, head, tolerance=tolerance))


def _told(state: Snapshot) -> set[str]:
    """Name what is compared by itself: the files of a state, and the tables that have a digest."""
    told = set(state.files)
    for path in state.files:
        if path.endswith(DIGESTS):
            study = path.split("/")[1]
            told |= {f"results/{study}/{table}" for table in json.loads(state.read(path))}
    return told


def _reading_order(path: str) -> tuple:
    """Put key figures before other metrics of their study, and sources before what they made."""
    folder, _, name = path.rpartition("/")
    return folder, name != "key_figures.json", name


def _parameters(before: str, now: str) -> Iterator[Difference]:
    yaml = YAML(typ="safe", pure=True)
    old, new = (dict(leaves(yaml.load(text) or {})) for text in (before, now))
    for key in [*old, *(key for key in new if key not in old)]:
        pair = old.get(key, ABSENT), new.get(key, ABSENT)
        # Compared as they are written: 1 and 1.0 may mean a count and a share.
        if repr(pair[0]) != repr(pair[1]):
            yield Difference(PARAMS, key, *pair)
