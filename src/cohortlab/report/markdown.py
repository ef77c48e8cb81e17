"""Small pieces of Markdown that the generated pages are made of."""

import re
from collections.abc import Iterable

from cohortlab.notebook.look import escape_markdown


def cell(text: str) -> str:
    r"""Make prose safe inside a table's cell; code between single backticks stays code.

    Parameters
    ----------
    text : str
        One line.

    Returns
    -------
    str
        Markdown in which nothing but the code is markup.

    Examples
    --------
    >>> print(cell("a | b; `x_1` to *x*"))
    a \| b; `x_1` to \*x\*
    """
    parts = re.split(r"(`[^`]+`)", text)
    return "".join(
        part.replace("|", "\\|")
        if part.startswith("`") and len(part) > 2
        else escape_markdown(part)
        for part in parts
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table.

    Parameters
    ----------
    head : iterable of str
        Names of the columns.
    rows : iterable of iterables of str
        Cells, Markdown without a line break.

    Returns
    -------
    str
        Markdown, ending in a newline.

    Examples
    --------
    >>> print(table(["a", "b"], [["1", "2"]]), end="")
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    names = list(head)
    lines = [names, ["---"] * len(names), *rows]
    text = "".join("| " + " | ".join(line) + " |\n" for line in lines)
    return text.replace("| --- " * len(names) + "|", "|---" * len(names) + "|", 1)


def plain(markdown: str) -> str:
    """Take the markup out of a line of Markdown, for places that show text as it is.

    Parameters
    ----------
    markdown : str
        Prose with emphasis, code and links.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> plain("**All** of [it](x.md), with `code`")
    'All of it, with code'
    """
    words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    words = re.sub(r"\*\*|`|\$|(?<![\w\\])[*_]|(?<!\\)[*_](?!\w)", "", words)
    return re.sub(r"\\(\W|_)", r"\1", words)
