"""What a review says in words, on the page and in the summary alike."""

import json
from collections.abc import Iterable, Sequence

from cohortlab.review.changes import Review
from cohortlab.review.notebooks import FigureChange, NotebookChange
from cohortlab.review.series import TableChange
from cohortlab.verify.values import (
    ABSENT,
    FITTED_TOLERANCE,
    RELATIVE_TOLERANCE,
    WIDEST,
    Difference,
    from_where_they_differ,
)

WIDEST_NAME = 300


def counts(review: Review) -> dict[str, int]:
    """Count what changed, by kind.

    Parameters
    ----------
    review : Review
        What changed between two revisions.

    Returns
    -------
    dict of str to int
        Parameters, metrics, tables, figures, notebooks and other files.
    """
    return {
        "parameters": len(review.parameters),
        "metrics": len(review.metrics),
        "tables": len(review.tables),
        "figures": sum(len(c.figures) for c in review.notebooks) + len(review.drawings),
        "notebooks": len(review.notebooks),
        "files": len(grouped(review.files)),
    }


def about_tolerance(review: Review) -> str:
    """Say which differences are not told.

    Parameters
    ----------
    review : Review
        What changed between two revisions.

    Returns
    -------
    str
        Sentences.
    """
    if review.tolerance == 0:
        return "Every difference is told."
    size = (
        f"{RELATIVE_TOLERANCE:g} ({FITTED_TOLERANCE:g} for what an iterative fit ends in)"
        if review.tolerance is None
        else f"{review.tolerance:g}"
    )
    return (
        f"Not told: numbers that are at most {size} apart, relative to the larger one; counts of "
        "iterations and simulations; what comes from a drawn plane. Metadata, ids and execution "
        "counts of notebooks never count."
    )


def apart(difference: Difference) -> str:
    """Say how far two numbers are apart; nothing for anything else.

    Parameters
    ----------
    difference : Difference
        Of two values.

    Returns
    -------
    str
        To three digits, relative to the larger number; empty where one is no number.
    """
    return "" if difference.apart is None else f"{difference.apart:.3g}"


def written(value: object) -> str:
    """Write a value as `params.yaml` and JSON would; a text as it is.

    Parameters
    ----------
    value : object
        Any; what JSON does not know is written as its text.

    Returns
    -------
    str
        Not escaped.
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def both_written(difference: Difference, *, widest: int = WIDEST) -> tuple[str, str]:
    """Write both values of a difference; of long ones, from where they begin to differ.

    Parameters
    ----------
    difference : Difference
        Of two values.
    widest : int, default 120
        The most characters of each.

    Returns
    -------
    tuple of str
        Not escaped.
    """
    both = written(difference.before), written(difference.now)
    return from_where_they_differ(*both, widest=widest)


def shortened(text: str, *, widest: int = WIDEST_NAME) -> str:
    r"""Write a name from the data in one line that is not too long.

    Parameters
    ----------
    text : str
        Any.
    widest : int, default 300
        The most characters.

    Returns
    -------
    str
        Not escaped.

    Examples
    --------
    >>> shortened("a\nb", widest=2)
    'a …'
    """
    line = " ".join(text[: widest + 1].splitlines())
    return line if len(text) <= widest else f"{line[:widest]}…"


def grouped(differences: Iterable[Difference]) -> dict[str, list[Difference]]:
    """Group differences by their file.

    Parameters
    ----------
    differences : iterable of Difference
        In any order.

    Returns
    -------
    dict of str to list of Difference
        By path, in the order of the first of each.
    """
    found: dict[str, list[Difference]] = {}
    for difference in differences:
        found.setdefault(difference.file, []).append(difference)
    return found


def about_table(change: TableChange) -> str:
    """Say what changed in a table.

    Parameters
    ----------
    change : TableChange
        Of a table that is in both revisions.

    Returns
    -------
    str
        A sentence: rows, columns and values; of added and removed ones five are named.
    """
    before, now = change.rows
    parts = [f"{before} rows" if before == now else f"{before} rows before, {now} now"]
    for what, names in (
        ("rows added", change.rows_added),
        ("rows removed", change.rows_removed),
        ("columns added", change.columns_added),
        ("columns removed", change.columns_removed),
    ):
        if names:
            more = ", …" if len(names) > 5 else ""
            parts.append(f"{len(names)} {what} ({', '.join(map(shortened, names[:5]))}{more})")
    if change.values:
        parts.append(f"values beyond tolerance: {len(change.values)}")
    return "; ".join(parts) + "."


def about_notebook(change: NotebookChange) -> str:
    """Say what changed in a notebook.

    Parameters
    ----------
    change : NotebookChange
        Of an executed notebook.

    Returns
    -------
    str
        A few words.
    """
    if change.state != "changed":
        return change.state
    if change.only_lineage:
        return "only what made it (versions, or hashes of inputs)"
    n_cells = sum(line.startswith("## ") for line in change.cells.splitlines())
    return f"changes in cells: {n_cells}, figures that differ: {len(change.figures)}"


def about_drawing(figure: FigureChange) -> str:
    """Say what became of a drawing.

    Parameters
    ----------
    figure : FigureChange
        Before and now.

    Returns
    -------
    str
        One word.
    """
    if None in (figure.before, figure.now):
        return "added" if figure.before is None else "removed"
    return "changed"


def about_file(differences: Sequence[Difference]) -> str:
    """Say what became of a file that is neither table, notebook nor drawing.

    Parameters
    ----------
    differences : sequence of Difference
        All of one file, at least one.

    Returns
    -------
    str
        A few words.
    """
    first = differences[0]
    if ABSENT in (first.before, first.now):
        return "added" if first.before == ABSENT else "removed"
    return f"changed, in {len(differences)} places" if len(differences) > 1 else "changed"
