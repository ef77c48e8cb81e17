"""Executed notebooks made ready for reading as pages: code folded away, alt text, no leftovers."""

import re

import nbformat

from cohortlab.report.markdown import plain
from cohortlab.run.executed import describe_cell

DESCRIPTION = re.compile(r"^# papermill_description=.*\n?", flags=re.MULTILINE)
STYLE = re.compile(r"<style[^>]*>.*?</style>\s*", flags=re.DOTALL)
LONGEST_ALT = 300


def prepare(notebook: nbformat.NotebookNode, *, show_code: bool = False) -> nbformat.NotebookNode:
    """Return a copy of an executed notebook as the site shows it.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed.
    show_code : bool, default False
        Leave the code open; otherwise it is folded under a line that says what the cell does.

    Returns
    -------
    nbformat.NotebookNode
        Without the values of the default study where those of the run stand below, without the
        progress bar's descriptions, and with alt text for pictures in the cells' metadata.
    """
    page = nbformat.from_dict(notebook)
    injected = any("injected-parameters" in tags(cell) for cell in page.cells)
    page.cells = [c for c in page.cells if not (injected and "parameters" in tags(c))]
    texts = alt_texts(page)
    for cell in page.cells:
        if cell.cell_type == "code":
            _prepare_code(cell, texts[cell.id], show_code)
    return page


def _prepare_code(cell: nbformat.NotebookNode, alt: str, show_code: bool) -> None:
    prompt = f"Code: {words_of(cell)}"
    cell.metadata["mystnb"] = {"code_prompt_show": prompt, "code_prompt_hide": prompt}
    cell.metadata["mystnb"]["image"] = {"alt": alt}
    if not show_code:
        cell.metadata["tags"] = [*tags(cell), "hide-input"]
    cell.source = DESCRIPTION.sub("", cell.source)
    for output in cell.outputs:
        if "text/html" in output.get("data", {}):
            output.data["text/html"] = STYLE.sub("", output.data["text/html"])


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return the tags of a cell.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        Of any type.

    Returns
    -------
    list of str
        Perhaps none.
    """
    return list(cell.metadata.get("tags", []))


def words_of(cell: nbformat.NotebookNode) -> str:
    """Say in words what a code cell does.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        A code cell.

    Returns
    -------
    str
        Its description with spaces; for the parameters of a run so named.
    """
    if {"parameters", "injected-parameters"} & set(tags(cell)):
        return "parameters of this run"
    return describe_cell(cell.source).replace("_", " ")


def alt_texts(notebook: nbformat.NotebookNode) -> dict[str, str]:
    """Describe the pictures of each code cell for who cannot see them.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed.

    Returns
    -------
    dict of str to str
        By the cell's id: the heading above, what the cell does, and the prose right before it,
        which tells how to read the picture.
    """
    heading, prose, texts = "", "", {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading, prose = _heading_and_prose(cell.source, heading)
        elif cell.cell_type == "code":
            drawn = words_of(cell).removeprefix("draw ")
            texts[cell.id] = _shortened(f"Figure of {drawn}, section {heading}. {prose}".strip())
    return texts


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_ALT else text[:LONGEST_ALT].rsplit(" ", 1)[0] + " …"


def _heading_and_prose(source: str, heading: str) -> tuple[str, str]:
    headings = re.findall(r"^#+ (.+)", source, flags=re.MULTILINE)
    below = re.split(r"^#+ .+\n?", source, flags=re.MULTILINE)[-1]
    paragraph = " ".join(below.strip().split("\n\n")[-1].split())
    return plain(headings[-1] if headings else heading), plain(paragraph)
