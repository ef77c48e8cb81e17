"""A study in one HTML file that needs no other: to hand in, to print, to keep."""

import base64
import re
from collections.abc import Mapping
from functools import cache
from html import escape
from pathlib import Path

import jinja2
import nbformat
from markdown_it import MarkdownIt
from markupsafe import Markup
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cohortlab.report.markdown import plain
from cohortlab.report.mathml import to_mathml
from cohortlab.report.notebooks import alt_texts, prepare
from cohortlab.report.studies import Study
from cohortlab.run.parameters import ParameterError
from cohortlab.run.project import PARAMS_FILE

TEMPLATE = "handin.html"  # under site/
CODE_STYLE = "a11y-high-contrast-light"
CODE = ("hidden", "shown")
KEYS = ("title", "author", "code")


def report_settings(params: Mapping) -> dict[str, str]:
    """Read the block `report` of `params.yaml`.

    Parameters
    ----------
    params : mapping
        All of `params.yaml`.

    Returns
    -------
    dict of str to str
        `title`, `author` and `code`.

    Raises
    ------
    ParameterError
        If a key is unknown or missing, or a value is none that is allowed.
    """
    block = params.get("report") or {}
    if sorted(block) != sorted(KEYS):
        raise ParameterError(
            f"{PARAMS_FILE}: `report` should have the keys {', '.join(KEYS)}, but has: "
            f"{', '.join(map(str, block)) or 'none'}."
        )
    for key, value in block.items():
        if not isinstance(value, str):
            raise ParameterError(
                f"{PARAMS_FILE}: `report.{key}` should be a text, but is {value!r}."
            )
    if block["code"] not in CODE:
        raise ParameterError(
            f"{PARAMS_FILE}: `report.code` is {block['code']!r}: choose one of {list(CODE)}."
        )
    return dict(block)


def handin_page(study: Study, settings: Mapping[str, str], root: Path) -> str:
    """Write a study as one page: every notebook, pictures within, no script and no request.

    Parameters
    ----------
    study : Study
        What to write.
    settings : mapping of str to str
        As `report_settings` gives them: `{study}` and `{question}` in the title are filled in.
    root : pathlib.Path
        The project's folder, whose `site` holds the template.

    Returns
    -------
    str
        HTML.
    """
    loader = jinja2.FileSystemLoader(root / "site")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    title = settings["title"].replace("{study}", study.name).replace("{question}", study.question)
    chapters = [
        (step, _title(notebook), Markup(_chapter(study, step, notebook, settings["code"])))
        for step, notebook in study.notebooks.items()
    ]
    return environment.get_template(TEMPLATE).render(
        title=title,
        author=settings["author"],
        question=study.question,
        figures=study.labelled(),
        chapters=chapters,
        code_style=Markup(HtmlFormatter(style=CODE_STYLE).get_style_defs(".highlight")),
    )


def _title(notebook: nbformat.NotebookNode) -> str:
    found = re.search(r"^# (.+)", notebook.cells[0].source, flags=re.MULTILINE)
    return plain(found[1]) if found else ""


def _chapter(study: Study, step: str, notebook: nbformat.NotebookNode, code: str) -> str:
    page = prepare(notebook)
    texts = alt_texts(notebook)
    parts = []
    for cell in page.cells:
        if cell.cell_type == "markdown":
            parts.append(_markdown(_within(cell.source, study, step), step))
        elif cell.cell_type == "code":
            if code == "shown" and cell.source.strip():
                parts.append(highlight(cell.source, PythonLexer(), HtmlFormatter()))
            parts += [_output(output, texts[cell.id], step) for output in cell.outputs]
    return "\n".join(parts)


def _within(source: str, study: Study, step: str) -> str:
    """Make links to notebooks of the study lead within the page, and others into their words."""

    def point(found: re.Match) -> str:
        other = found[2].removesuffix(".ipynb")
        return f"[{found[1]}](#{other})" if other in study.steps else found[1]

    # The page has one title, so each notebook's headings go down by one.
    lower = re.sub(r"^(#+ )", r"#\1", source, flags=re.MULTILINE)
    return re.sub(r"(?<!!)\[([^\]]+)\]\(((?!\w+:|#)[^)\s]+)\)", point, lower)


_TABLE = '<div class="table" tabindex="0">'


@cache
def _reader(step: str) -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    reader.use(dollarmath_plugin, renderer=_formula)
    # A table wider than the page scrolls by itself, as those of outputs do.
    reader.add_render_rule("table_open", lambda *_: f"{_TABLE}<table>\n")
    reader.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return reader.use(anchors_plugin, max_level=4, slug_func=lambda text: f"{step}-{_slug(text)}")


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower()).strip("-")


def _formula(tex: str, options: Mapping) -> str:
    return to_mathml(tex, block=options["display_mode"])


def _markdown(text: str, step: str) -> str:
    return _reader(step).render(text)


def _output(output: nbformat.NotebookNode, alt: str, step: str) -> str:
    """Write one output, in the richest of its forms that a page can hold."""
    data = output.get("data", {})
    for mime in ("image/svg+xml", "image/png"):
        if mime in data:
            raw = data[mime]
            packed = (
                raw.replace("\n", "")
                if mime == "image/png"
                else base64.b64encode(raw.encode()).decode()
            )
            return (
                f'<p class="figure"><img alt="{escape(alt)}" src="data:{mime};base64,{packed}"></p>'
            )
    if "text/html" in data:
        return f"{_TABLE}{data['text/html']}</div>"
    if "text/markdown" in data:
        return _markdown(data["text/markdown"], step)
    text = data.get("text/plain") or output.get("text") or "\n".join(output.get("traceback", []))
    return f"<pre>{escape(text)}</pre>" if text.strip() else ""
