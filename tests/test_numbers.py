"""Numbers in prose come from code, or say where they come from.

A number that could be a result is one with a decimal point, a per cent sign or thousands set apart.
Results of the pipeline itself are never typed: they stand in executed notebooks, which compute
them. A page of `docs/` may quote a benchmark, a test on public data or a publication; its section
then says which, in a comment that this module checks.
"""

import re
import subprocess

import nbformat
import pytest
from conftest import REPOSITORY

RESULT = re.compile(
    r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+(?=\s?%))(?![\w]|\.\d)"
)
SOURCE = re.compile(r"<!-- numbers: (.+?) -->", re.DOTALL)
#: What a comment may name beside files of this repository, each with words that say more.
KINDS = ("published", "chosen", "measured")
# The log of changes tells which numbers moved, from what to what: it is history.
HISTORY = {"CHANGES.md"}
# Made by code from the schemas, and held to them by `tests/test_dictionary.py`.
GENERATED = {"tables.md"}
#: Numbers in the prose of source notebooks that are no results, by notebook, with the reason.
CONSTANTS = {
    (
        "embedding",
        "34,056.5",
    ): "of an earlier analysis, which ours is held against",
    ("embedding", "0.586"): "of an earlier analysis, which ours is held against",
    ("embedding", "0.5"): "a probability of superiority where two groups are alike",
    ("laboratory", "95"): "the level of the intervals",
    ("laboratory", "5"): "the level of the tests",
    ("lesson", "5"): "the level of the tests",
    ("mixture", "1"): "the share of the rows that makes a component small",
    ("mixture", "0.5"): "Hennig's limits of stability",
    ("mixture", "0.75"): "Hennig's limits of stability",
    ("mixture", "0.85"): "Hennig's limits of stability",
}


def prose(text):
    """Take out what is no prose: code, formulas, where links lead, comments."""
    for pattern in (
        r"^```.*?^```",
        r"<!--.*?-->",
        r"`[^`\n]*`",
        r"\$\$.*?\$\$",
        r"\$[^$\n]+\$",
        r"\]\([^)]*\)",
        r"Python 3\.\d+",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL | re.MULTILINE)
    return text


def committed(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [REPOSITORY / name for name in listed.stdout.splitlines()]


PAGES = [p for p in committed("*.md") if p.name not in HISTORY | GENERATED]
NOTEBOOKS = committed("notebooks/*.ipynb", "exercises/*.ipynb")


def sections(text):
    """Split a page at its headings; a line of code that begins with # is none."""
    parts, fenced = [""], False
    for line in text.splitlines(keepends=True):
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            parts.append("")
        parts[-1] += line
    return parts


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_a_section_that_quotes_results_says_where_they_come_from(page):
    for section in sections(page.read_text(encoding="utf-8")):
        title, sources = section.split("\n")[0], SOURCE.findall(section)
        if title == "## References":  # pages and numbers of what is cited
            continue
        assert sources or not (found := RESULT.findall(prose(section))), (title, found)
        for source in (part.strip() for text in sources for part in text.split(";")):
            kind, _, more = source.partition(":")
            assert not source.startswith("results/"), f"{title}: let code write it"
            assert (kind in KINDS and more.strip()) or (REPOSITORY / source).is_file(), source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_no_cell_of_prose_carries_a_typed_result(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(prose(cell.source) for cell in cells if cell.cell_type == "markdown")
    assert [n for n in RESULT.findall(text) if (path.stem, n) not in CONSTANTS] == []


def test_every_constant_that_is_let_through_is_there():
    for stem, number in CONSTANTS:
        path = REPOSITORY / "notebooks" / f"{stem}.ipynb"
        cells = nbformat.read(path, as_version=4).cells
        assert number in RESULT.findall("\n".join(prose(cell.source) for cell in cells)), stem


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("found 13,471 people, 12.5 % of them", ["13,471", "12.5"]),
        ("an index of 0.93, at 95 % or 95% sure", ["0.93", "95", "95"]),
        ("two of 24 groups; version 1.2.3; in 2011; `0.5`; $x = 0.5$; Python 3.11", []),
        ("```\n0.93\n```\n[0.9](page-0.5.md)", ["0.9"]),
        ("the index is 0.93.", ["0.93"]),
    ],
)
def test_what_could_be_a_result_is_seen(text, found):
    assert RESULT.findall(prose(text)) == found
