"""Two versions of an executed notebook, compared cell by cell and output by output."""

import base64
import io
import math
import re
from collections.abc import Iterator

import nbformat
import numpy as np
from PIL import Image

from cohortlab.run.executed import describe_cell
from cohortlab.verify.values import Difference, equal_values

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
# What a cell shows in several forms is one text: the plain one is that of the others.
_FORMS = ("text/markdown", "text/plain", "text/html")
PICTURE = "image/png"


def compare_notebooks(
    file: str, committed: str, present: str, *, tolerance: float
) -> list[Difference]:
    """Compare sources and outputs of two executed notebooks.

    Parameters
    ----------
    file : str
        The notebook's name.
    committed, present : str
        The two versions, as JSON.
    tolerance : float
        As in `compare_texts`. Where it is not 0, a number may also differ by one in its last shown
        digit, the drawing of a picture is not compared, and neither is the last cell: versions and
        hashes are those of the machine.

    Returns
    -------
    list of Difference
        Cells by their number and name. Metadata, ids and execution counts never count.
    """
    before, now = (_cells(text, lineage=not tolerance) for text in (committed, present))
    if len(before) != len(now):
        return [Difference(file, "(cells)", len(before), len(now))]
    return [
        Difference(file, f"cell {number} ({describe_cell(old[0])}) {place}", *values)
        for number, (old, new) in enumerate(zip(before, now, strict=True), start=1)
        for place, *values in _cell_differences(old, new, tolerance)
    ]


def _cells(text: str, *, lineage: bool) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return source and outputs of each cell, an output as its form and its content."""
    cells = nbformat.reads(text, as_version=4).cells
    return [
        (cell.source, [_output(output) for output in cell.get("outputs", [])])
        for cell in cells
        if lineage or "show_lineage(" not in cell.source
    ]


def _output(output: nbformat.NotebookNode) -> tuple[str, str]:
    data = output.get("data", {})
    for form in (PICTURE, *_FORMS):
        if form in data:
            return form, data[form]
    return output.output_type, output.get("text") or "\n".join(output.get("traceback", []))


def _cell_differences(before: tuple, now: tuple, tolerance: float) -> Iterator[tuple]:
    (source, outputs), (new_source, new_outputs) = before, now
    if source != new_source:
        yield "source", source, new_source
    if [form for form, _ in outputs] != [form for form, _ in new_outputs]:
        yield "outputs", len(outputs), len(new_outputs)
        return
    for number, ((form, old), (_, new)) in enumerate(zip(outputs, new_outputs, strict=True), 1):
        place = f"output {number}"
        if form == PICTURE:
            if not tolerance and old != new:
                yield f"{place} (picture: mean difference of 255)", 0, picture_difference(old, new)
        else:
            yield from ((place, *pair) for pair in text_differences(old, new, tolerance))


def text_differences(before: str, now: str, tolerance: float) -> Iterator[tuple[str, str]]:
    """Compare two texts word by word, and their numbers as numbers.

    Parameters
    ----------
    before, now : str
        The two texts; how much white space stands between words does not count.
    tolerance : float
        As in `compare_notebooks`.

    Yields
    ------
    tuple of str
        The two versions of a number; or of the whole line, where its words differ; or, of texts
        that are not equally long, the lines that only one of them has.

    Examples
    --------
    >>> list(text_differences("12 people, 0.1234 each", "13 people, 0.1235 each", 1e-6))
    [('12', '13')]
    """
    if before == now:
        return
    lines, new_lines = before.splitlines(), now.splitlines()
    if len(lines) != len(new_lines):
        old_set, new_set = set(lines), set(new_lines)
        gone = "\n".join(line for line in lines if line not in new_set)
        come = "\n".join(line for line in new_lines if line not in old_set)
        yield gone or f"{len(lines)} lines", come or f"{len(new_lines)} lines"
        return
    for old, new in zip(lines, new_lines, strict=True):
        numbers, new_numbers = _NUMBER.findall(old), _NUMBER.findall(new)
        if _words(old) != _words(new) or len(numbers) != len(new_numbers):
            yield old.strip(), new.strip()
            continue
        pairs = zip(numbers, new_numbers, strict=True)
        yield from ((a, b) for a, b in pairs if not _equal_as_shown(a, b, tolerance))


def _words(line: str) -> list[str]:
    return _NUMBER.sub(" # ", line).split()


def _equal_as_shown(before: str, now: str, tolerance: float) -> bool:
    before, now = before.replace(",", ""), now.replace(",", "")
    if equal_values(before, now, tolerance):
        return True
    decimals = min(_decimals(before), _decimals(now))
    if not tolerance or decimals <= 0:
        return False
    # Rounded for the page, two numbers that nearly agree may fall on either side.
    step = 10.0**-decimals
    return math.isclose(float(before), float(now), rel_tol=0, abs_tol=1.001 * step)


def _decimals(number: str) -> int:
    digits, _, exponent = number.partition("e")
    return len(digits.partition(".")[2]) - int(exponent or 0)


def picture_difference(before: str, now: str) -> float | str:
    """Measure how far two pictures are apart.

    Parameters
    ----------
    before, now : str
        PNG files in base64.

    Returns
    -------
    float or str
        The mean absolute difference of their pixels' channels, from 0 to 255; where their sizes
        differ, the new size.
    """
    pixels = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB"), dtype=float)
        for picture in (before, now)
    ]
    if pixels[0].shape != pixels[1].shape:
        return f"{pixels[1].shape[1]} x {pixels[1].shape[0]} pixels"
    return round(float(np.abs(pixels[0] - pixels[1]).mean()), 4)
