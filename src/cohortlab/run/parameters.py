"""What a notebook's `parameters` cell declares, and what `params.yaml` gives for it."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from pydantic import TypeAdapter, ValidationError

from cohortlab.intervals import is_within
from cohortlab.run.project import PARAMS_FILE, ParameterError
from cohortlab.run.ranges import RANGES

#: What a study says of itself, for all its steps.
OF_STUDY = ("log", "question")
# In a URL before the host, in its query, or among the options of a connection.
_PASSWORD = re.compile(
    r"://[^/:@\n]*:[^@\n]+@|(?:password|passwd|pwd)\s*=\s*[^\s&;]", flags=re.IGNORECASE
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OF_VARIABLE = re.compile(r"\.url_variable(\.\d+)*$")


@dataclass(frozen=True)
class Parameter:
    """One parameter as its notebook declares it: a name, a type and the default study's value."""

    name: str
    annotation: str
    default: Any


def declared_parameters(notebook: Path) -> dict[str, Parameter]:
    """Read the parameters that a notebook declares in the cell tagged `parameters`.

    Parameters
    ----------
    notebook : pathlib.Path
        A source notebook. Every statement of its tagged cell is `name: type = literal`.

    Returns
    -------
    dict of str to Parameter
        In the order of the cell.

    Raises
    ------
    ParameterError
        If the file is no notebook, there is not exactly one such cell, or a statement in it has
        another form.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    # By how much it is no notebook.
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise ParameterError(f"{notebook.name} cannot be read as a notebook: {error}") from error
    sources = [cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])]
    if len(sources) != 1:
        raise ParameterError(
            f"{notebook.name} has {len(sources)} cells tagged `parameters`, expected one."
        )
    try:
        statements = ast.parse(sources[0]).body
    except SyntaxError as error:
        raise ParameterError(
            f"{notebook.name}: the parameters cell is no Python: {error}"
        ) from None
    return {p.name: p for p in (_declaration(s, notebook) for s in statements)}


def _declaration(statement: ast.stmt, notebook: Path) -> Parameter:
    try:
        assert isinstance(statement, ast.AnnAssign)
        assert isinstance(statement.target, ast.Name)
        assert statement.value is not None
        value = ast.literal_eval(statement.value)
    except (AssertionError, ValueError):
        raise ParameterError(
            f"{notebook.name}: `{ast.unparse(statement)}` in the parameters cell should read "
            "`name: type = literal`."
        ) from None
    return Parameter(statement.target.id, ast.unparse(statement.annotation), value)


def check_studies(params: Mapping, studies: Iterable[str]) -> None:
    """Demand that studies exist.

    Parameters
    ----------
    params : mapping
        All of `params.yaml`.
    studies : iterable of str
        Their names.

    Raises
    ------
    ParameterError
        If one is not there; it names those that are.
    """
    known = params.get("studies")
    if not isinstance(known, Mapping):
        known = {}
    for study in studies:
        if study not in known:
            raise ParameterError(
                f"No study `{study}` under `studies` in {PARAMS_FILE}; there are: {_names(known)}."
            )


def study_log(params: Mapping, study: str) -> str:
    """Return the kind of log that a study reads.

    Parameters
    ----------
    params : mapping
        All of `params.yaml`.
    study : str
        The study's name.

    Returns
    -------
    str
        `log` of the study's block, for instance `events` or `invoices`.

    Raises
    ------
    ParameterError
        If there is no such study, or it does not say its kind of log.
    """
    check_studies(params, [study])
    block = params["studies"][study]
    if not isinstance(block, Mapping) or not isinstance(log := block.get("log"), str):
        raise ParameterError(f"{PARAMS_FILE}: `studies.{study}.log` should name the kind of log.")
    return log


def resolve(params: Mapping, step: str, study: str, declared: Mapping[str, Parameter]) -> dict:
    """Give each declared parameter its value, and demand that nothing is left over.

    `study` and `seed` come from the runner, `log` and `question` from the study; every other value
    comes from the step's block. The block must hold exactly what the notebook declares.

    Parameters
    ----------
    params : mapping
        All of `params.yaml`.
    step, study : str
        Their names.
    declared : mapping of str to Parameter
        What the step's notebook declares.

    Returns
    -------
    dict
        Values by name, in the order of the declaration.

    Raises
    ------
    ParameterError
        One message that names every unknown, missing and mistyped parameter by its full key, and
        every number out of its range (`RANGES`); or those that hold a password, or something else
        than a variable's name as `url_variable`, whose values are not repeated.

    Notes
    -----
    A whole number given for a `float` becomes one: to a step, 1 and 1.0 may mean a count and a
    share. A mapping whose values are of several kinds has the keys that the notebook gives it, and
    each the kind of value that it has there.
    """
    of_study = {"log": study_log(params, study), "question": None} | params["studies"][study]
    context = {"study": study, "seed": params.get("seed")}
    context |= {name: of_study[name] for name in OF_STUDY}
    if not isinstance(block := of_study.get(step), Mapping):
        raise ParameterError(
            f"{PARAMS_FILE}: `studies.{study}.{step}` should be a block with the parameters "
            f"{_names(name for name in declared if name not in context)}."
        )
    where = f"studies.{study}.{step}"
    _require_no_secret(
        [*_texts(block, where), *_texts(context["question"], f"studies.{study}.question")]
    )
    faults = [
        f"unknown parameter `{where}.{name}`; the notebook declares: {_names(declared)}"
        for name in block
        if name not in declared or name in context
    ]
    values = context | block
    for name, parameter in declared.items():
        if name not in values:
            faults.append(
                f"missing parameter `{where}.{name}` ({parameter.annotation}, "
                f"for instance {parameter.default!r})"
            )
        elif fault := _type_fault(values[name], parameter):
            key = f"{where}.{name}"
            if name in context:
                key = f"studies.{study}.{name}" if name in OF_STUDY else name
            faults.append(f"mistyped parameter `{key}`: {fault}")
        else:
            values[name] = _as_declared(values[name], parameter)
            faults += _faults_inside(values[name], parameter, f"{where}.{name}")
            if interval := RANGES.get(step, {}).get(name):
                faults += _out_of_range(values[name], interval, f"{where}.{name}")
    if faults:
        raise ParameterError(f"{PARAMS_FILE}: " + "; ".join(faults) + ".")
    return {name: values[name] for name in declared}


def _require_no_secret(texts: Iterable[tuple[str, str]]) -> None:
    """Refuse passwords: an executed notebook shows its parameters, and DVC writes them down."""
    named = [(key, text) for key, text in texts if _OF_VARIABLE.search(key)]
    if urls := [key for key, text in named if not _VARIABLE.fullmatch(text)]:
        raise ParameterError(
            f"{PARAMS_FILE}: {_names(urls)} should be the name of an environment variable, such as "
            "`COHORTLAB_DATABASE_URL`, but is something else. A URL belongs into the environment."
        )
    if secrets := [key for key, text in texts if _PASSWORD.search(f"{key}={text}")]:
        raise ParameterError(
            f"{PARAMS_FILE}: {_names(secrets)} should not hold a password. Put the URL that has it "
            "into an environment variable."
        )


def _texts(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """List every text inside a value with its full key."""
    if isinstance(value, str):
        yield key, value
    for name in _keys(value):
        yield from _texts(value[name], f"{key}.{name}")


def _type_fault(value: Any, parameter: Parameter) -> str | None:
    """Say what is wrong with a value, None where it has the declared type."""
    # The annotation is a line of our own source notebooks, as trusted as the notebook itself.
    adapter = TypeAdapter(eval(parameter.annotation, {}, {}))
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        inside = "".join(f"[{part!r}]" for part in first["loc"] if part in _keys(value))
        return f"expected {parameter.annotation}, got {value!r}" + (
            f" (at {inside}: {first['msg']})" if inside else ""
        )
    return None


def _as_declared(value: Any, parameter: Parameter) -> Any:
    kinds = parameter.annotation.split(" | ")
    return float(value) if type(value) is int and "float" in kinds and "int" not in kinds else value


def _faults_inside(value: Any, parameter: Parameter, key: str) -> Iterator[str]:
    """Say what is wrong inside a mapping whose values are of several kinds."""
    if not re.match(r"dict\[str, .+\|", parameter.annotation):
        return
    there = _names(parameter.default)
    for name in sorted(value.keys() - parameter.default.keys()):
        yield f"unknown parameter `{key}.{name}`; `{key}` has: {there}"
    for name, default in parameter.default.items():
        if name not in value:
            yield f"missing parameter `{key}.{name}`; `{key}` has: {there}"
        elif default is not None:
            inner = Parameter(name, type(default).__name__, default)
            if fault := _type_fault(value[name], inner):
                yield f"mistyped parameter `{key}.{name}`: {fault}"


def _out_of_range(value: Any, interval: str, key: str) -> Iterator[str]:
    for number in value if isinstance(value, list) else [value]:
        if number is not None and not is_within(number, interval):
            yield f"parameter `{key}` should lie in {interval}, but is {number!r}"


def _keys(value: Any) -> list:
    if isinstance(value, Mapping):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def _names(names) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
