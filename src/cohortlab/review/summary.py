"""A review in a few lines of Markdown, for a terminal or below a pull request."""

from collections.abc import Sequence

from cohortlab.notebook.look import escape_markdown as escape
from cohortlab.review.changes import Review
from cohortlab.review.words import (
    about_drawing,
    about_file,
    about_notebook,
    about_table,
    apart,
    both_written,
    counts,
    grouped,
    shortened,
)

LINES_SHOWN = 20


def to_markdown(review: Review) -> str:
    """Write a review as Markdown.

    Parameters
    ----------
    review : Review
        What changed.

    Returns
    -------
    str
        Counts, and the first lines of each kind; what comes from the data is escaped.
    """
    told = ", ".join(f"{name} {number}" for name, number in counts(review).items())
    lines = [f"## What changed from {escape(review.base)} to {escape(review.head)}", "", f"{told}."]
    changes = [("Parameters", review.parameters), ("Metrics", review.metrics)]
    for name, differences in changes:
        if differences:
            rows = [
                (
                    d.place if name == "Parameters" else f"{d.file}: {d.place}",
                    *both_written(d),
                    apart(d),
                )
                for d in differences
            ]
            lines += ["", f"### {name}", "", *_table(rows)]
    for name, items in (
        ("Tables", [(change.name, about_table(change)) for change in review.tables]),
        ("Drawings", [(drawing.cell, about_drawing(drawing)) for drawing in review.drawings]),
        ("Notebooks", [(change.file, about_notebook(change)) for change in review.notebooks]),
        ("Files", [(file, about_file(own)) for file, own in grouped(review.files).items()]),
    ):
        if items:
            shown = [f"- {_inline(own)}: {escape(words)}" for own, words in items[:LINES_SHOWN]]
            lines += ["", f"### {name}", "", *shown, *_left_out(items)]
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[tuple]) -> list[str]:
    lines = ["| " + " | ".join(map(_inline, row)) + " |" for row in rows[:LINES_SHOWN]]
    left_out = _left_out(rows)
    head = ["| where | before | now | apart |", "|---|---|---|---|"]
    return [*head, *lines, *([""] if left_out else []), *left_out]


def _inline(text: str) -> str:
    return escape(shortened(text))


def _left_out(items: Sequence) -> list[str]:
    n_more = len(items) - LINES_SHOWN
    return [f"and {n_more} more"] if n_more > 0 else []
