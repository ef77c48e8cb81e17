"""Two versions of a notebook: its cells by nbdime without the noise, its figures in pairs."""

import copy
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import nbformat

from cohortlab.run.executed import describe_cell
from cohortlab.verify.executed import picture_difference

PICTURES = ("image/png", "image/svg+xml")
_EMPTY = nbformat.writes(nbformat.v4.new_notebook())
# What nbdime is to tell: what a reader wrote or a cell showed, and nothing of a notebook's format.
_TOLD = SimpleNamespace(
    sources=True, outputs=True, attachments=True, metadata=False, id=False, details=False
)


@dataclass(frozen=True)
class FigureChange:
    """A figure of a cell, or a file, before and now: base64 or SVG, None where there is none."""

    cell: str
    form: str
    before: str | None
    now: str | None

    @property
    def difference(self) -> float | str | None:
        """Return the mean difference of the pixels, from 0 to 255, for two pictures of pixels."""
        if self.form != "image/png" or self.before is None or self.now is None:
            return None
        return picture_difference(self.before, self.now)


@dataclass(frozen=True)
class NotebookChange:
    """What changed in one notebook.

    Attributes
    ----------
    file : str
        Its path.
    state : {'changed', 'added', 'removed'}
        Whether both revisions have it.
    cells : str
        What nbdime tells, a line for each line; figures stand there by their hash.
    figures : list of FigureChange
        Those that differ.
    only_lineage : bool
        Whether nothing changed but the last cell: versions, and hashes of inputs.
    """

    file: str
    state: str
    cells: str
    figures: list[FigureChange]
    only_lineage: bool

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        return bool(self.cells or self.figures)


def compare_notebook(file: str, before: str, now: str) -> NotebookChange:
    """Compare two versions of a notebook, ignoring metadata, ids and execution counts.

    Parameters
    ----------
    file : str
        Its path.
    before, now : str
        Its two versions as JSON; an empty text where there is none.

    Returns
    -------
    NotebookChange
        Of a notebook that is new or gone, neither cells nor figures are told one by one.
    """
    if not before or not now:
        return NotebookChange(file, "removed" if before else "added", "(all)", [], False)
    old, new = (nbformat.reads(text or _EMPTY, as_version=4) for text in (before, now))
    cells = _diff(_quiet(old), _quiet(new))
    beside = cells and not _diff(_quiet(old, lineage=False), _quiet(new, lineage=False))
    return NotebookChange(file, "changed", cells, list(_figures(old, new)), bool(beside))


def _quiet(notebook: nbformat.NotebookNode, *, lineage: bool = True) -> nbformat.NotebookNode:
    """Return a copy in which a picture is its hash, and each output stands in one form."""
    quiet = copy.deepcopy(notebook)
    quiet.cells = [c for c in quiet.cells if lineage or "show_lineage(" not in c.source]
    for cell in quiet.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for form in PICTURES:
                if form in data:
                    data[form] = f"figure {hashlib.sha256(data[form].encode()).hexdigest()[:12]}"
            if "text/html" in data and len(data) > 1:
                del data["text/html"]
    return quiet


def _diff(before: nbformat.NotebookNode, now: nbformat.NotebookNode) -> str:
    # nbdime takes a second to import, with its servers; what makes no review can do without.
    from nbdime.diffing.notebooks import diff_notebooks
    from nbdime.prettyprint import PrettyPrintConfig, pretty_print_diff

    told = io.StringIO()
    config = PrettyPrintConfig(
        out=told, include=_TOLD, use_git=False, use_diff=False, use_color=False
    )
    pretty_print_diff(before, diff_notebooks(before, now), "", config)
    return told.getvalue().strip("\n")


def _figures(before: nbformat.NotebookNode, now: nbformat.NotebookNode) -> Iterator[FigureChange]:
    """Pair figures by their cell's id and their place in it."""
    old, new = (dict(_pictures(notebook)) for notebook in (before, now))
    for key in [*new, *(key for key in old if key not in new)]:
        cell = (new.get(key) or old[key])[0]
        pair = [version[key][1] if key in version else None for version in (old, new)]
        if pair[0] != pair[1]:
            yield FigureChange(cell, key[1], *pair)


def _pictures(notebook: nbformat.NotebookNode) -> Iterator[tuple[tuple, tuple[str, str]]]:
    for cell in notebook.cells:
        shown = [
            (form, output.data[form])
            for output in cell.get("outputs", [])
            for form in PICTURES
            if form in output.get("data", {})
        ]
        for place, (form, content) in enumerate(shown):
            yield (cell.id, form, place), (describe_cell(cell.source), content)
