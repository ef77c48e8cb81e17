"""A review as one self-contained page: nothing is fetched, and no text of the data is markup."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from importlib.resources import files

from cohortlab.review.changes import Review
from cohortlab.review.markup import Markup, element, join
from cohortlab.review.notebooks import FigureChange, NotebookChange
from cohortlab.review.series import TableChange
from cohortlab.review.words import (
    about_notebook,
    about_table,
    about_tolerance,
    apart,
    both_written,
    counts,
    grouped,
    shortened,
)
from cohortlab.verify.values import Difference

# Enough to see what a change does; the rest is counted.
ROWS_SHOWN, CHARACTERS_SHOWN = 60, 2000
_MARKS = {"+": "new", "-": "gone", "#": "told"}
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def to_page(review: Review) -> str:
    """Write a review as a page of HTML.

    Parameters
    ----------
    review : Review
        What changed.

    Returns
    -------
    str
        The whole page: style and figures are in it, and it asks nothing of any other host.
    """
    sections = {
        "Parameters": _differences(review.parameters, "key"),
        "Metrics": _by_file(review.metrics),
        "Tables": join(*map(_table, review.tables)),
        "Figures": _figures(review),
        "Notebooks": join(*map(_notebook, review.notebooks)),
        "Files": _by_file(review.files),
    }
    told = counts(review)
    links = [
        element("a", f"{name} ({told[name.lower()]})", href=f"#{name.lower()}") for name in sections
    ]
    body = join(
        element("h1", f"What changed from {review.base} to {review.head}"),
        element("p", about_tolerance(review), class_="note"),
        element("nav", *links),
        *(_section(name, content) for name, content in sections.items()),
    )
    style = element("style", Markup(files(__package__).joinpath("page.css").read_text("utf-8")))
    head = join(
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", f"Review: {review.base} to {review.head}"),
        style,
    )
    page = element("html", element("head", head), element("body", body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _section(name: str, content: Markup) -> Markup:
    shown = content or element("p", "Nothing changed.", class_="note")
    return element("section", element("h2", name), shown, id=name.lower())


def _differences(differences: Sequence[Difference], where: str) -> Markup:
    if not differences:
        return Markup("")
    rows = [(shortened(d.place), *_values(d), apart(d)) for d in differences[:ROWS_SHOWN]]
    return join(_rows((where, "before", "now", "apart"), rows), _left_out(differences))


def _values(difference: Difference) -> tuple[Markup, Markup]:
    before, now = both_written(difference, widest=CHARACTERS_SHOWN)
    return element("span", before, class_="gone"), element("span", now, class_="new")


def _rows(names: Iterable[str], rows: Iterable[Iterable[object]]) -> Markup:
    head = element("tr", *(element("th", name, scope="col") for name in names))
    body = [element("tr", *(element("td", value) for value in row)) for row in rows]
    return element("div", element("table", head, *body), class_="wide")


def _left_out(items: Sequence) -> Markup:
    n_more = len(items) - ROWS_SHOWN
    return element("p", f"and {n_more} more", class_="note") if n_more > 0 else Markup("")


def _by_file(differences: Iterable[Difference]) -> Markup:
    return join(
        *(
            join(element("h3", file), _differences(own, "place"))
            for file, own in grouped(differences).items()
        )
    )


def _table(change: TableChange) -> Markup:
    return join(
        element("h3", change.name),
        element("p", about_table(change)),
        _differences(change.values, "row or column / value"),
    )


def _figures(review: Review) -> Markup:
    shown = [
        (f"{change.file}: {figure.cell}", figure)
        for change in review.notebooks
        for figure in change.figures
    ]
    shown += [(drawing.cell, drawing) for drawing in review.drawings]
    return join(*(_pair(title, figure) for title, figure in shown))


def _pair(title: str, figure: FigureChange) -> Markup:
    sides = (
        _picture("before", figure, figure.before),
        _picture(_now(figure), figure, figure.now),
    )
    return join(element("h3", title), element("div", *sides, class_="pair"))


def _now(figure: FigureChange) -> str:
    if isinstance(figure.difference, float):
        return f"now (pixels differ by {figure.difference:.3g} of 255 on average)"
    return "now"


def _picture(when: str, figure: FigureChange, content: str | None) -> Markup:
    caption = element("figcaption", when)
    if content is None:
        return element("figure", caption, element("p", "There is none.", class_="note"))
    # As the source of an image, an SVG runs no script and fetches nothing.
    data = _as_base64(content, figure.form)
    alternative = f"Figure of {figure.cell}, {when.split()[0]}"
    picture = element("img", src=f"data:{figure.form};base64,{data}", alt=alternative)
    return element("figure", caption, picture)


def _as_base64(content: str, form: str) -> str:
    if form != "image/png":
        return base64.b64encode(content.encode()).decode()
    try:
        return base64.b64encode(base64.b64decode(content)).decode()
    except binascii.Error:
        return ""


def _notebook(change: NotebookChange) -> Markup:
    lines = [
        element("span", line + "\n", class_=_MARKS.get(line[:1], "same"))
        for line in change.cells.splitlines()
    ]
    told = element("summary", change.file, ": ", about_notebook(change))
    return element("details", told, element("pre", *lines))
