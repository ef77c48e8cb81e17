"""Two versions of a metrics file, a series or a digest, compared value by value."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cohortlab.verify.reading import read_csv, read_json_lines

# Counts and texts must agree exactly; a number may differ in its last digits, because another
# processor adds in another order. What an iterative fit ends in carries that further.
RELATIVE_TOLERANCE = 1e-6
FITTED_TOLERANCE = 1e-3
FITTED_STEPS = (
    *("mixture", "clusters", "bipartite", "truth", "rules", "segment", "embedding"),
    *("quantise", "palettes"),
)
# On another processor a fit may take more steps to the same optimum, and a few simulations may
# count one more; these two were seen to differ. The verdict that rests on them is compared.
THE_WAY = {"likelihood_ratio", "n_iter"}
# UMAP's layout is compiled for the processor at hand and may sum in any order; over hundreds of
# passes that draws another plane. What comes from it is named so, in objects and in columns.
FROM_A_PLANE = "plane"
ABSENT = "(absent)"
# Of longer values so many characters are shown, some of them before the first that differs.
WIDEST, LEAD = 120, 20


@dataclass(frozen=True)
class Difference:
    """One value that differs: in which file and where in it, what it was and what it is now."""

    file: str
    place: str
    before: Any
    now: Any

    @property
    def apart(self) -> float | None:
        """Return the difference of two numbers relative to the larger one, None for all else."""
        before, now = _number(self.before), _number(self.now)
        if before is None or now is None or not math.isfinite(before - now):
            return None
        return abs(before - now) / max(abs(before), abs(now)) if before != now else 0.0

    def __str__(self) -> str:
        """Write the difference in one line; of long values, from where they begin to differ."""
        apart = "" if self.apart is None else f" ({self.apart:.1e} apart)"
        before, now = from_where_they_differ(repr(self.before), repr(self.now))
        return f"{self.file}: {self.place}: committed {before}, now {now}{apart}"


def from_where_they_differ(before: str, now: str, *, widest: int = WIDEST) -> tuple[str, str]:
    """Shorten two long texts to the part in which they begin to differ.

    Parameters
    ----------
    before, now : str
        The two.
    widest : int, default 120
        So many characters of each are kept, some of them before the first that differs.

    Returns
    -------
    tuple of str
        Both, with an ellipsis where something is left out.

    Examples
    --------
    >>> from_where_they_differ("x" * 50 + "before", "now", widest=10)
    ('xxxxxxxxxx…', 'now')
    """
    pairs = enumerate(zip(before, now, strict=False))
    differs = next((i for i, (old, new) in pairs if old != new), min(len(before), len(now)))
    return _excerpt(before, differs, widest), _excerpt(now, differs, widest)


def _excerpt(text: str, place: int, widest: int) -> str:
    if len(text) <= widest:
        return text
    start = max(place - LEAD, 0)
    end = start + widest
    return "…" * (start > 0) + text[start:end] + "…" * (len(text) > end)


def tolerance_of(file: str) -> float:
    """Give the largest relative difference that counts as none on another kind of machine.

    Parameters
    ----------
    file : str
        A file's name, which tells the step that writes it.

    Returns
    -------
    float
        1e-3 for what an iterative fit ends in, 1e-6 for anything else.
    """
    fitted = any(step in file for step in FITTED_STEPS) or file.endswith(("bic.csv", "ns.csv"))
    return FITTED_TOLERANCE if fitted else RELATIVE_TOLERANCE


def compare_texts(file: str, committed: str, present: str, *, tolerance: float) -> list[Difference]:
    """Compare two versions of a file of JSON, JSON lines or CSV, value by value.

    Parameters
    ----------
    file : str
        The file's name; its ending says how to read it.
    committed, present : str
        The two versions.
    tolerance : float
        The largest relative difference of two numbers that counts as none. Where it is 0 every
        value is compared; else not those that were seen to hang on the processor.

    Returns
    -------
    list of Difference
        In the order of the file.
    """
    versions = (_read(file, text) for text in (committed, present))
    return [
        Difference(file, place, before, now)
        for place, before, now in differences(*versions, tolerance)
    ]


def _read(file: str, text: str) -> Any:
    if file.endswith(".json"):
        return json.loads(text)
    _, rows = read_json_lines(text) if file.endswith(".jsonl") else read_csv(text)
    return rows


def differences(before: Any, now: Any, tolerance: float, place: str = "") -> Iterator[tuple]:
    """Compare two values of JSON, and what they hold, one by one.

    Parameters
    ----------
    before, now : object
        The two versions: objects, lists, or single values.
    tolerance : float
        As in `compare_texts`.
    place : str, default ""
        Where they stand.

    Yields
    ------
    tuple
        Place, value before and value now; of lists that are not equally long, their lengths.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*before, *(key for key in now if key not in before)]:
            both = key in before and key in now
            if tolerance and hangs_on_processor(key) and (both or key in THE_WAY):
                continue
            inner = before.get(key, ABSENT), now.get(key, ABSENT)
            yield from differences(*inner, tolerance, f"{place}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(now, list):
        if len(before) != len(now):
            yield f"{place} (length)".lstrip(), len(before), len(now)
            return
        for i, inner in enumerate(zip(before, now, strict=True)):
            yield from differences(*inner, tolerance, f"{place}[{i}]")
    elif not equal_values(before, now, tolerance):
        yield place, before, now


def hangs_on_processor(name: str) -> bool:
    """Say whether a value of this name was seen to differ between processors.

    Parameters
    ----------
    name : str
        A key of an object, or a column.

    Returns
    -------
    bool
        True for the way to an optimum, and for what comes from a drawn plane.
    """
    return name in THE_WAY or name.startswith(FROM_A_PLANE)


def equal_values(before: Any, now: Any, tolerance: float) -> bool:
    """Say whether two values are the same: texts and whole numbers exactly, others nearly.

    Parameters
    ----------
    before, now : object
        Numbers, or texts that may be numbers.
    tolerance : float
        The largest relative difference that counts as none.

    Returns
    -------
    bool
        True where they are the same.
    """
    if isinstance(before, bool) != isinstance(now, bool):  # to Python, True is 1
        return False
    if before == now or (before != before and now != now):  # NaN alone is not itself
        return True
    numbers = _number(before), _number(now)
    # A CSV file's whole numbers are counts and labels: exact.
    whole = all(str(value).lstrip("-").isdigit() for value in (before, now))
    if None in numbers or whole or not tolerance or not all(map(math.isfinite, numbers)):
        return False
    return math.isclose(*numbers, rel_tol=tolerance, abs_tol=1e-12)


def _number(value: Any) -> float | None:
    """Read a number; truth values and ids such as `12_1` are none, though Python reads them."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
