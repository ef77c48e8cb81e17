"""The parameter reference: what each key of `params.yaml` means, taken from its comment."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node

from cohortlab.report.markdown import cell, table
from cohortlab.run.project import PARAMS_FILE

LONGEST_VALUE = 120


@dataclass(frozen=True)
class Entry:
    """One key of `params.yaml`.

    Attributes
    ----------
    path : tuple of str
        The keys that lead to it, from the top of the file.
    value : str or None
        As the file has it, on one line; None where keys follow that have entries of their own.
    meaning : str
        Its comment, on one line: the lines right above it, then what stands behind it.
    """

    path: tuple[str, ...]
    value: str | None
    meaning: str


def read_entries(root: Path) -> list[Entry]:
    """Read every key of `params.yaml` with its comment.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.

    Returns
    -------
    list of Entry
        In the order of the file. A key without a comment has that of the earlier key of the same
        name in a block beside its own, as in a list of alike blocks whose first one explains.
    """
    text = (root / PARAMS_FILE).read_text(encoding="utf-8")
    entries = list(_entries(YAML(typ="safe", pure=True).compose(text), text))
    explained: dict[tuple[str, ...], str] = {}
    complete = []
    for entry in entries:
        kin = (*entry.path[:-2], entry.path[-1])
        meaning = entry.meaning or explained.get(kin, "")
        explained.setdefault(kin, meaning)
        complete.append(Entry(entry.path, entry.value, meaning))
    return complete


def _entries(block: MappingNode, text: str, above: tuple[str, ...] = ()) -> Iterator[Entry]:
    lines = text.splitlines()
    for key, value in block.value:
        path = (*above, str(key.value))
        nested = isinstance(value, MappingNode) and not value.flow_style
        written = None if nested else _on_one_line(value, text)
        yield Entry(path, written, _comment(lines, key, value))
        if nested:
            yield from _entries(value, text, path)


def _on_one_line(value: Node, text: str) -> str:
    raw = text[value.start_mark.index : value.end_mark.index]
    without_comments = re.sub(r"(^|\s)#.*", "", raw)
    return re.sub(r"\s+", " ", without_comments).strip()


def _comment(lines: list[str], key: Node, value: Node) -> str:
    """Join the comment lines above a key, as far in as the key, and the comment behind it."""
    first = key.start_mark.line
    indent = " " * key.start_mark.column
    above = []
    while first > 0 and re.match(rf"{indent}# (?!-+$)", lines[first - 1]):
        first -= 1
        above.insert(0, lines[first].strip(" #"))
    on_key_line = value.end_mark.line == key.start_mark.line
    end = value.end_mark.column if on_key_line else key.end_mark.column
    behind = re.search(r"(?:^|\s)#\s*(.*)", lines[key.start_mark.line][end:])
    if not on_key_line and getattr(value, "flow_style", False):
        behind = re.search(r"\s#\s*(.*)", lines[value.end_mark.line][value.end_mark.column :])
    return " ".join([*above, *([behind[1]] if behind else [])])


def parameter_page(study: str, entries: list[Entry], steps: tuple[str, ...]) -> str:
    """Write the reference of one study's parameters.

    Parameters
    ----------
    study : str
        Its name.
    entries : list of Entry
        Of the whole file.
    steps : tuple of str
        The steps with an executed notebook, which the headings lead to.

    Returns
    -------
    str
        A Markdown page: a section a step, a row a parameter.
    """
    own = [e for e in entries if e.path[:2] == ("studies", study) and len(e.path) > 2]
    page = f"# Parameters of {study}\n\nAs `params.yaml` has them, under `studies.{study}`.\n"
    for block in (e for e in own if len(e.path) == 3):
        name = block.path[2]
        inside = [e for e in own if e.path[2] == name and e is not block]
        page += f"\n## {name}\n\n"
        page += f"{cell(block.meaning)}\n\n" if inside and block.meaning else ""
        if name in steps:
            page += f"The step that takes them: [{name}](../reports/{study}/{name}.ipynb)\n\n"
        page += _rows(inside or [block], 3 if inside else 2)
    return page


def top_page(entries: list[Entry], studies: list[str]) -> str:
    """Write the reference of the parameters that belong to no study, with a list of the others.

    Parameters
    ----------
    entries : list of Entry
        Of the whole file.
    studies : list of str
        The studies that have a page.

    Returns
    -------
    str
        A Markdown page.
    """
    shared = [e for e in entries if e.path[0] != "studies" and e.value is not None]
    return (
        "# Parameters\n\nEvery choice is a line of `params.yaml`, and its comment says what it "
        "means, in which unit, and what is allowed. Change a line, run `make repro`, and what "
        "depends on it runs again, nothing else. These belong to no single study:\n\n"
        + _rows(shared, 0)
        + "\n```{toctree}\n:maxdepth: 1\n\n"
        + "\n".join(studies)
        + "\n```\n"
    )


def _rows(entries: list[Entry], depth: int) -> str:
    return table(
        ("parameter", "value", "meaning"),
        [
            (f"`{'.'.join(e.path[depth:])}`", _shown(e.value), cell(e.meaning))
            for e in entries
            if e.value is not None or e.meaning
        ],
    )


def _shown(value: str | None) -> str:
    if value is None:
        return ""
    short = value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE].rstrip() + " …"
    return "`` " + short.replace("|", "\\|") + " ``"
