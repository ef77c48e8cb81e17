"""Numbers in prose come from code, or say where they come from.

A number that could be a result is one with a decimal point, a per cent sign or thousands set apart;
a whole number of two digits or more that is no year; and a single digit before what the studies
count ("8 clusters"). Code, formulas, headings' numbers and references are no prose.

Results of the pipeline itself are never typed: they stand in executed notebooks, which compute
them. A page of `docs/` may quote a benchmark, a test on public data, a publication or a setting;
its section then says which, in a comment that this module checks. A paragraph on a default study
may quote nothing.
"""

import re
import subprocess

import nbformat
import pytest
from conftest import REPOSITORY

# What the studies count. One adjective may stand before it: "8 separated clusters".
COUNTED = (
    "people|persons|users|customers|visitors|sessions|visits|baskets|invoices|products|items|"
    "domains|sequences|sentences|flows|alerts|attacks|pictures|pixels|colours|rows|clusters|"
    "groups|segments|types|components|rules|itemsets|relations|edges|communities|modules|outliers"
)
RESULT = re.compile(
    rf"""(?<![\w.,^])(?<![A-Za-z][-+])(?:
        \d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?            # 13,471
        | \d+\.\d+                                # 0.93
        | \d+(?=\s?%)                             # 5 %
        | (?!(?:19|20)\d\d\b)\d\d+(?![.,]\d)      # 24, but no year
        | [2-9](?=\s+(?:[\w'-]{{4,}}\s+)?(?:{COUNTED})\b)
    )(?!\w|\.\d|\^)""",
    re.VERBOSE,
)
SOURCE = re.compile(r"<!-- numbers: (.+?) -->", re.DOTALL)
#: What a comment may name beside files of this repository, each with words that say more.
KINDS = ("published", "chosen", "measured")
# A paragraph on results that the pipeline makes anew on every run.
OF_THE_PIPELINE = re.compile(r"default stud(?:y|ies)")
PARAGRAPH = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.)\s)")
# The log of changes tells which numbers moved, from what to what: it is history.
HISTORY = {"CHANGES.md"}
# Made by code from the schemas, and held to them by `tests/test_dictionary.py`.
GENERATED = {"tables.md"}
#: Numbers in the prose of source notebooks that are no results, by notebook, with the reason.
CONSTANTS = {
    "notebooks/bipartite": {"30": "clusters of a side that are drawn at most, fixed in code"},
    "notebooks/embedding": {
        "34,056.5": "of an earlier analysis, which ours is held against",
        "0.586": "of an earlier analysis, which ours is held against",
        "0.5": "a probability of superiority where two groups are alike",
    },
    "notebooks/features_pictures": {"255": "the largest value of a channel"},
    "notebooks/fooled": {"17": "an example of an id"},
    "notebooks/laboratory": {"95": "the level of the intervals", "5": "the level of the tests"},
    "notebooks/lesson": {"5": "the level of the tests"},
    "notebooks/mixture": {
        "1": "the share of the rows that makes a component small",
        "0.5": "Hennig's limits of stability",
        "0.75": "Hennig's limits of stability",
        "0.85": "Hennig's limits of stability",
    },
    "notebooks/quantise": {
        "16": "the millions of colours that three bytes tell apart",
        "256": "the colours in which the notebook holds its figures, set in its code",
    },
    "notebooks/sequences": {"51": "the columns that the code makes, which a test counts"},
    "exercises/laboratory": {"95": "the level of the intervals"},
    "exercises/mixture": {"10": "given", "30": "given", "21": "given"},
    "exercises/quantise": {"4": "given", "255": "the largest value of a channel"},
    "exercises/sequences": {"23": "an hour"},
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
        r"^(?:#+ |\s*)\d+\. ",
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
            ours = source.startswith("results/") or OF_THE_PIPELINE.search(source)
            assert not ours, f"{title}: let code write it"
            assert (kind in KINDS and more.strip()) or (REPOSITORY / source).is_file(), source


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_no_page_types_what_a_default_study_finds(page):
    assert list(typed_of_the_pipeline(page.read_text(encoding="utf-8"))) == []


def typed_of_the_pipeline(text):
    """Find the numbers of paragraphs that speak of a default study."""
    for paragraph in PARAGRAPH.split(text):
        if OF_THE_PIPELINE.search(prose(paragraph)):
            yield from RESULT.findall(prose(paragraph))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: str(p.relative_to(REPOSITORY)))
def test_no_cell_of_prose_carries_a_typed_result(path):
    # An exercise and its solution have one prose.
    folder = path.relative_to(REPOSITORY).parts[0]
    let_through = CONSTANTS.get(f"{folder}/{path.stem}", {})
    assert [n for n in numbers_of_notebook(path) if n not in let_through] == []


def numbers_of_notebook(path):
    cells = nbformat.read(path, as_version=4).cells
    text = "\n\n".join(prose(cell.source) for cell in cells if cell.cell_type == "markdown")
    return RESULT.findall(text)


@pytest.mark.parametrize("name", CONSTANTS)
def test_every_constant_that_is_let_through_is_there(name):
    assert set(CONSTANTS[name]) <= set(numbers_of_notebook(REPOSITORY / f"{name}.ipynb"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("found 13,471 people, 12.5 % of them", ["13,471", "12.5"]),
        ("an index of 0.93, at 95 % or 95% sure", ["0.93", "95", "95"]),
        ("we found 8 clusters, 3 well separated groups and 2 strong rules", ["8", "2"]),
        ("two of 24 groups; 738 of them; clusters of 40 to 919", ["24", "738", "40", "919"]),
        ("version 1.2.3; in 2011 and 1972; `0.5`; $x = 0.5$; Python 3.11; 10^18; SHA-256", []),
        ("at strength 0 a kind of people; a lift of 1 is none; from 1 to 5; part 6", []),
        ("## 10. Strange flows\n11. One\n", []),
        ("```\n0.93\n```\n[0.9](page-0.5.md)", ["0.9"]),
        ("the index is 0.93.", ["0.93"]),
    ],
)
def test_what_could_be_a_result_is_seen(text, found):
    assert RESULT.findall(prose(text)) == found


def test_a_figure_of_a_default_study_is_seen_wherever_it_is_said_to_come_from():
    planted = "<!-- numbers: measured: once -->\nOf 9 seeds.\n\nThe default study has 8 clusters.\n"
    assert list(typed_of_the_pipeline(planted)) == ["8"]
