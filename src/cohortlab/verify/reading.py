"""The rows of a file of CSV or JSON lines, whatever stands in it."""

import csv
import io
import json
from typing import Any

from nbformat import ValidationError
from ruamel.yaml.error import YAMLError

# What readers raise of a file that is not what its ending says: cut short, or with marks of a merge
# in it. Then it can be compared as a text still.
UNREADABLE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    csv.Error,
    YAMLError,
    ValidationError,
    RecursionError,  # brackets within brackets, by the thousand
)
# What stands beyond the header's columns, and what stands in a line of JSON that is no object.
BEYOND, VALUE = "(beyond the header)", "(value)"


def read_csv(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    r"""Read a file of CSV.

    Parameters
    ----------
    text : str
        The file.

    Returns
    -------
    columns : list of str
        The names in its header, each with a number from the second time on that it comes, and
        `BEYOND` where a row is longer.
    rows : list of dict
        Texts by column; None where a row is shorter.

    Examples
    --------
    >>> read_csv("a,b\n1,2,3\n")
    (['a', 'b', '(beyond the header)'], [{'a': '1', 'b': '2', '(beyond the header)': ['3']}])
    """
    stream = io.StringIO(text, newline="")
    columns = _told_apart(next(csv.reader(stream), []))
    rows = list(csv.DictReader(stream, columns, restkey=BEYOND))
    longer = [BEYOND] if any(BEYOND in row for row in rows) else []
    return [*columns, *longer], rows


def _told_apart(names: list[str]) -> list[str]:
    """Add a number to each name that was there before."""
    before = [names[:place].count(name) for place, name in enumerate(names)]
    return [f"{name} ({n + 1})" if n else name for name, n in zip(names, before, strict=True)]


def read_json_lines(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    r"""Read a file of JSON lines.

    Parameters
    ----------
    text : str
        The file. Lines end with a line feed; blank ones are passed over.

    Returns
    -------
    keys : list of str
        Those of all lines, in the order in which they come first.
    rows : list of dict
        The lines; one that is no object has its value under `VALUE`.

    Raises
    ------
    ValueError
        If a line is no JSON.

    Examples
    --------
    >>> read_json_lines('{"a": 1}\n\n[2]\n')
    (['a', '(value)'], [{'a': 1}, {'(value)': [2]}])
    """
    # `splitlines` would cut at U+2028 and others, which may stand within a text of JSON.
    values = [json.loads(line) for line in text.split("\n") if line.strip()]
    rows = [value if isinstance(value, dict) else {VALUE: value} for value in values]
    return list(dict.fromkeys(key for row in rows for key in row)), rows
