"""An example: a study that says only what differs from another one, and its complete block."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, YAMLError

from cohortlab.run.parameters import ParameterError
from cohortlab.run.project import PARAMS_FILE

HEAD_KEYS = ("study", "question", "like", "log", "steps")
QUESTION = "what groups of people and of items does the log of {study} hold?"
EVERY_STUDY = ("data", "features")
LONGEST_LINE = 100
_COMMENT = re.compile(r"  #.*$")

# By step and parameter: the lines that say it, comments above them among them.
Sections = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Example:
    """A study as its file describes it.

    Attributes
    ----------
    name, question : str
        Name of the study, and what it asks.
    like : str or None
        The study or example that gives what this one does not say.
    log : str or None
        Kind of log, where it is said.
    steps : tuple of str
        The steps that the study runs, `data` and `features` first.
    blocks : dict
        By step, the parameters that are said.
    path : pathlib.Path
        The file.
    """

    name: str
    question: str
    like: str | None
    log: str | None
    steps: tuple[str, ...]
    blocks: dict[str, dict[str, Any]]
    path: Path


def read_example(path: Path, *, folder: str | None = None) -> Example:
    """Read an example and check its form.

    Parameters
    ----------
    path : pathlib.Path
        A YAML file: `study`, `question`, `like` (or `log`, and then every parameter), `steps`, and
        a block for each step that differs. Where it asks nothing, it asks what groups there are.
    folder : str, optional
        Where the files of the log lie, in place of the example's ``data/<study>``.

    Returns
    -------
    Example
        What it says.

    Raises
    ------
    ParameterError
        If the file cannot be read, or a key is missing or not of its form.
    """
    found = load(_text(path), path)
    blocks = {key: value for key, value in found.items() if key not in HEAD_KEYS}
    name, steps = found.get("study"), found.get("steps")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ParameterError(
            f"{path}: `study` should be a name of small letters, digits and _, but is {name!r}."
        )
    if not isinstance(question := found.get("question", QUESTION.format(study=name)), str):
        raise ParameterError(f"{path}: `question` should be a text, but is {question!r}.")
    if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
        raise ParameterError(f"{path}: `steps` should be a list of steps, but is {steps!r}.")
    steps = tuple(dict.fromkeys([*EVERY_STUDY, *steps]))
    for step, block in blocks.items():
        if not isinstance(block, Mapping):
            raise ParameterError(f"{path}: `{step}` should be a block of parameters.")
        if step not in steps:
            raise ParameterError(f"{path}: `{step}` has parameters, but is not among its `steps`.")
    if not found.get("like") and not found.get("log"):
        raise ParameterError(f"{path}: `like` should name the study to start from.")
    if folder is not None and "path" in blocks.get("data", {}):
        old = f"data/{name}"
        blocks["data"] = blocks["data"] | {"path": _moved(blocks["data"]["path"], old, folder)}
    return Example(name, question, found.get("like"), found.get("log"), steps, blocks, path)


def load(text: str, path: Path) -> dict:
    """Read YAML as DVC reads it.

    Parameters
    ----------
    text : str
        The file's content.
    path : pathlib.Path
        Its name, for the message.

    Returns
    -------
    dict
        The mapping.

    Raises
    ------
    ParameterError
        If it is no YAML or no mapping.
    """
    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise ParameterError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(found, Mapping):
        raise ParameterError(f"{path} should hold `key: value`, but holds {str(found)[:60]!r}.")
    return found


def complete_block(example: Example, params_text: str) -> tuple[str, Sections]:
    """Complete an example by what it is like.

    Parameters
    ----------
    example : Example
        From `read_example`.
    params_text : str
        The text of `params.yaml`.

    Returns
    -------
    log : str
        Kind of log.
    sections : dict
        The study's complete block: by step and parameter the lines that say it, with the comments
        of the study that it is like.

    Raises
    ------
    ParameterError
        If there is nothing of the name that it is like.
    """
    lines, log = _base(example, params_text)
    base, values = _cut(lines), load("\n".join(lines), example.path)
    if example.log not in (None, log):
        base = {step: said for step, said in base.items() if step not in EVERY_STUDY}
        log = example.log
    sections = {}
    for step in example.steps:
        below, usual = base.get(step, {}), values.get(step, {})
        said = dict(example.blocks.get(step, {}))
        if said.get("source") == "path":
            said.setdefault("synthetic", {})  # nothing is generated, so no setting is needed
        said = {name: v for name, v in said.items() if name not in below or v != usual[name]}
        names = dict.fromkeys([*below, *said])
        sections[step] = {
            name: _written(name, said[name], below.get(name)) if name in said else below[name]
            for name in names
        }
    return log, sections


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path} cannot be read: {error}") from error


def _moved(value: Any, old: str, new: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _moved(inner, old, new) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith(f"{old}/"):
        return new.rstrip("/") + value.removeprefix(old)
    return value


def _base(example: Example, params_text: str) -> tuple[list[str], str]:
    """Find the lines of what the example is like, its steps at the left margin, and its log."""
    if example.like is None:
        return _text(example.path).splitlines(), example.log
    beside = example.path.parent / f"{example.like}.yaml"
    if beside.is_file():
        text = _text(beside)
        return text.splitlines(), load(text, beside).get("log")
    studies = load(params_text, Path(PARAMS_FILE))["studies"]
    if example.like not in studies:
        raise ParameterError(
            f"{example.path}: `like: {example.like}` is neither {beside} nor a study of "
            f"{PARAMS_FILE}; its studies are: {', '.join(studies)}."
        )
    return _study_lines(params_text, example.like), studies[example.like]["log"]


def _study_lines(params_text: str, study: str) -> list[str]:
    lines = params_text.splitlines()
    start = next(i for i, line in enumerate(lines) if re.match(rf"  {study}:", line))
    inside = lines[start + 1 :]
    end = next((i for i, line in enumerate(inside) if re.match(r" {0,2}[^ ]", line)), len(inside))
    return [line[4:] for line in inside[:end]]


def _cut(lines: list[str]) -> Sections:
    """Cut the lines of a block into steps and parameters."""
    sections: Sections = {}
    own: dict[str, list[str]] = {}
    above: list[str] = []
    name = ""
    for line in lines:
        if step := re.match(r"(\w+):\s*(#.*)?$", line):
            own = sections.setdefault(step[1], {})
            above = []
        elif line.startswith("  #"):
            above.append(line)
        elif found := re.match(r"  (\w+):", line):
            name = found[1]
            own[name], above = [*above, line], []
        elif line.startswith("   "):
            own[name] += [*above, line]
            above = []
    return sections


def _written(name: str, value: Any, below: list[str] | None) -> list[str]:
    """Write a parameter, with the comments of the lines that it replaces."""
    above = [line for line in below or [] if line.startswith("  #")]
    first = next((line for line in below or [] if not line.startswith("  #")), "")
    comment = _COMMENT.search(first)
    lines = [f"  {line}" for line in written_lines(name, value)]
    lines[0] += comment[0] if comment else ""
    return [*above, *lines]


def written_lines(name: str, value: Any) -> Iterator[str]:
    """Write `name: value` as YAML, a mapping too long for a line key by key.

    Parameters
    ----------
    name : str
        The key.
    value : object
        Plain dictionaries, lists, strings, numbers, booleans and None.

    Yields
    ------
    str
        A line, the first at the left margin.
    """
    line = f"{name}: {_flow(value)}"
    if len(line) <= LONGEST_LINE or not isinstance(value, Mapping):
        yield line
        return
    yield f"{name}:"
    for key, inner in value.items():
        for below in written_lines(str(key), inner):
            yield f"  {below}"


def _flow(value: Any) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width, yaml.sort_base_mapping_type_on_output = True, 10**6, False
    stream = io.StringIO()
    yaml.dump({"k": value}, stream)
    return stream.getvalue().strip().removeprefix("{k: ").removesuffix("}")
