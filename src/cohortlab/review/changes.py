"""Everything that changed between two states of the project."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ruamel.yaml import YAML

from cohortlab.review.notebooks import NotebookChange, compare_notebook
from cohortlab.review.series import TableChange, compare_digests, compare_series
from cohortlab.review.snapshots import Snapshot
from cohortlab.run.project import leaves
from cohortlab.verify.values import ABSENT, Difference, compare_texts, tolerance_of

PARAMS = "params.yaml"
DIGESTS = ".tables.json"


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
        Of every CSV file under `results/`, and of every digest of a table.
    notebooks : list of NotebookChange
        Sources and executed ones.
    """

    base: str
    head: str
    tolerance: float | None
    parameters: list[Difference] = field(default_factory=list)
    metrics: list[Difference] = field(default_factory=list)
    tables: list[TableChange] = field(default_factory=list)
    notebooks: list[NotebookChange] = field(default_factory=list)


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
        before, now = base.read(path), head.read(path)
        nearly = tolerance_of(path) if tolerance is None else tolerance
        if path == PARAMS:
            found.parameters.extend(_parameters(before, now))
        elif path.endswith(DIGESTS):
            found.tables.extend(filter(None, compare_digests(path, before, now, tolerance=nearly)))
        elif path.endswith(".json"):
            old, new = before or "{}", now or "{}"
            found.metrics.extend(compare_texts(path, old, new, tolerance=nearly))
        elif path.endswith(".csv"):
            change = compare_series(path, before, now, tolerance=nearly)
            found.tables.extend(filter(None, [change]))
        elif path.endswith(".ipynb"):
            found.notebooks.extend(filter(None, [compare_notebook(path, before, now)]))
    return found


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
