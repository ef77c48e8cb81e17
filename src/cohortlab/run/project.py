"""The project's folder and parameters, and JSON as it is written everywhere.

Light, as the runner needs them before anything else.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

PARAMS_FILE = "params.yaml"

# The runner points this at a scratch folder, so that a failed or killed run changes no result.
STAGING_VARIABLE = "COHORTLAB_STAGING"
# A folder that lives as long as one run of all studies: what was said in it is not said again.
SAID_VARIABLE = "COHORTLAB_SAID"
# What a kernel takes from its surroundings and no result may depend on: the runner sets it, and
# the last cell of every notebook shows it.
PINNED = {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC", "OMP_NUM_THREADS": "1"}


class ParameterError(ValueError):
    """A parameter that is unknown, missing or of the wrong type, or a file that holds none."""


def project_root(start: Path | None = None) -> Path:
    """Find the project's folder: the nearest one upwards that holds `params.yaml` and `dvc.yaml`.

    Parameters
    ----------
    start : pathlib.Path, optional
        Where to begin; the working folder by default.

    Returns
    -------
    pathlib.Path
        The absolute path of the folder.

    Raises
    ------
    FileNotFoundError
        If no folder upwards holds both files.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
            return folder
    raise FileNotFoundError(
        f"No params.yaml and dvc.yaml in {start} or above it: run this inside the project."
    )


def read_params(root: Path) -> dict:
    """Read `params.yaml` as DVC reads it (YAML 1.2, so `1e-6` is a number).

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.

    Returns
    -------
    dict
        Plain dictionaries, lists, strings, numbers, booleans and None.

    Raises
    ------
    ParameterError
        If the file is no YAML, or holds something else than parameters by name.
    """
    try:
        params = YAML(typ="safe", pure=True).load((root / PARAMS_FILE).read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or error
        raise ParameterError(f"{PARAMS_FILE}{where} cannot be read as YAML: {why}") from error
    if not isinstance(params, dict):
        raise ParameterError(
            f"{PARAMS_FILE} should hold parameters by name, `seed` and `studies` among them, but "
            f"holds {'nothing' if params is None else type(params).__name__}."
        )
    return params


def leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Write nested mappings as dotted names, as ``dvc params`` does.

    Parameters
    ----------
    values : mapping
        Parameters, some of them mappings again.
    prefix : str
        What stands before every name.

    Yields
    ------
    tuple of str and object
        A name and its value, which is no mapping, or an empty one.

    Examples
    --------
    >>> dict(leaves({"a": {"b": 1, "c": {}}, "d": [2]}))
    {'a.b': 1, 'a.c': {}, 'd': [2]}
    """
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def to_json(value: Any) -> str:
    """Write an object as JSON for people and for `dvc metrics`: indented, never NaN.

    Parameters
    ----------
    value : object
        Dictionaries, lists, strings, numbers (NumPy's too), booleans and None. A number that is
        not finite becomes null, since JSON has none.

    Returns
    -------
    str
        The text, ending in a newline.

    Examples
    --------
    >>> print(to_json({"share": float("nan")}), end="")
    {
      "share": null
    }
    """
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # NumPy scalars and arrays
        return _plain(value.tolist())
    if isinstance(value, float) and not (float("-inf") < value < float("inf")):
        return None
    return value
