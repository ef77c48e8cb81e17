"""The parameter reference: every key of `params.yaml`, with its comment."""

import re

import pytest
from conftest import REPOSITORY

from cohortlab.report.parameters import parameter_page, read_entries, top_page
from cohortlab.run.project import read_params


def read(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    return {".".join(e.path): e for e in read_entries(tmp_path)}


def paths(block, above=()):
    for key, value in block.items():
        yield (*above, str(key))
        if isinstance(value, dict):
            yield from paths(value, (*above, str(key)))


def test_every_key_of_the_file_is_read():
    entries = {e.path for e in read_entries(REPOSITORY)}
    wanted = set(paths(read_params(REPOSITORY)))
    written_on_one_line = {path for path in wanted if path not in entries}
    values = {e.path for e in read_entries(REPOSITORY) if e.value is not None}
    assert all(any(p[: len(v)] == v for v in values) for p in written_on_one_line)
    assert entries <= wanted


@pytest.mark.parametrize("study", read_params(REPOSITORY)["studies"])
def test_the_page_of_a_study_holds_every_parameter(study):
    entries = read_entries(REPOSITORY)
    page = parameter_page(study, entries, ("data",))
    own = [e for e in entries if e.path[:2] == ("studies", study) and len(e.path) > 3]
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) >= sum(e.value is not None for e in own)
    for entry in own:
        if entry.value is not None:
            assert f"| `{'.'.join(entry.path[3:])}` |" in page
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {4}


@pytest.mark.parametrize("study", read_params(REPOSITORY)["studies"])
def test_every_parameter_of_a_step_has_a_meaning(study):
    steps = read_params(REPOSITORY)["studies"][study]
    blocks = {s for s, block in steps.items() if isinstance(block, dict) and s != "data"}
    without = [
        ".".join(e.path)
        for e in read_entries(REPOSITORY)
        if e.path[:2] == ("studies", study)
        and len(e.path) == 4
        and e.path[2] in blocks
        and not e.meaning
    ]
    assert without == []


def test_a_comment_stands_beside_or_above(tmp_path):
    entries = read(
        tmp_path,
        "# About a.\n# More of it.\na: 1  # unit\n"
        "b:  # of the block\n  # inside\n  c: {x: 1}  # set\n",
    )
    assert entries["a"].meaning == "About a. More of it. unit"
    assert entries["b"].meaning == "of the block"
    assert entries["b"].value is None
    assert entries["b.c"].meaning == "inside set"
    assert entries["b.c"].value == "{x: 1}"


def test_a_hash_in_a_value_is_no_comment(tmp_path):
    entries = read(tmp_path, 'a: "x # y"  # true\nb: p#q\n')
    assert entries["a"].meaning == "true"
    assert entries["b"].value == "p#q"
    assert entries["b"].meaning == ""


def test_a_value_on_several_lines_becomes_one(tmp_path):
    entries = read(
        tmp_path, "a:  # list\n  - {x: 1}  # one\n  - {x: 2}\nb: {p: 1,\n  q: 2}  # flow\n"
    )
    assert entries["a"].value == "- {x: 1} - {x: 2}"
    assert entries["a"].meaning == "list"
    assert entries["b"].value == "{p: 1, q: 2}"
    assert entries["b"].meaning == "flow"


def test_alike_blocks_are_explained_by_the_first(tmp_path):
    entries = read(tmp_path, "t:\n  one:\n    share: 1  # of all\n  two:\n    share: 2\n")
    assert entries["t.two.share"].meaning == "of all"


def test_nothing_in_a_comment_becomes_markup(tmp_path):
    read(tmp_path, "studies:\n  s:\n    data:\n      a: 1  # <b>x</b> | *y* {role}`z`\n")
    page = parameter_page("s", read_entries(tmp_path), ())
    assert "<b>" not in page
    assert r"\*y\*" in page
    assert r"\{role\}" in page


def test_the_first_page_has_what_belongs_to_no_study():
    page = top_page(read_entries(REPOSITORY), ["sessions"])
    assert "| `seed` |" in page
    assert "| `report.author` |" in page
