"""Named segments: boxes in the grid of scores that must fill it without gap or overlap."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from cohortlab.segments.rfm import MEASURES
from cohortlab.segments.scores import N_SCORES

_KEYS = (*MEASURES, "action")
#: At most so many cells are named in an error.
_NAMED = 4


@dataclass(frozen=True)
class SegmentTable:
    """Segments by name, and which one each cell of the score grid belongs to.

    Attributes
    ----------
    names : tuple of str
        In the order of the table.
    actions : tuple of str
        What to do with each segment.
    grid : ndarray of int, shape (5, 5, 5)
        Number of the segment by recency, frequency and monetary score, each less one.
    """

    names: tuple[str, ...]
    actions: tuple[str, ...]
    grid: np.ndarray

    def assign(self, scores: pd.DataFrame) -> np.ndarray:
        """Name the segment of each customer; the table leaves exactly one.

        Parameters
        ----------
        scores : pandas.DataFrame
            `recency`, `frequency` and `monetary`, whole numbers from 1 to 5.

        Returns
        -------
        ndarray of str, shape (n_customers,)
            Names of segments.

        Raises
        ------
        ValueError
            If a score is out of range.
        """
        cells = scores[list(MEASURES)].to_numpy()
        if not np.isin(cells, np.arange(1, N_SCORES + 1)).all():
            raise ValueError(f"expected whole scores from 1 to {N_SCORES}")
        where = tuple(cells.astype(int).T - 1)
        return np.array(self.names, dtype=object)[self.grid[where]]


def read_segments(block: Mapping[str, Mapping]) -> SegmentTable:
    """Read a table of segments, and demand that every customer has exactly one.

    Parameters
    ----------
    block : mapping of str to mapping
        Name -> `recency`, `frequency`, `monetary`: the lowest and highest score, both included,
        any of them left out for all scores; and `action`, text.

    Returns
    -------
    SegmentTable
        The segments in the order of the block.

    Raises
    ------
    ValueError
        If a key or an interval is not as it must be, a cell of the grid belongs to no segment,
        or to two; the message names the cells and the segments.

    Examples
    --------
    >>> table = read_segments(
    ...     {"lost": {"recency": [1, 2], "action": "let go"},
    ...      "here": {"recency": [3, 5], "action": "thank"}}
    ... )
    >>> str(table.assign(pd.DataFrame({"recency": [2], "frequency": [5], "monetary": [1]}))[0])
    'lost'
    """
    if not isinstance(block, Mapping) or not block:
        raise ValueError(f"segments: expected at least one named segment, got {block!r}")
    owners = {cell: [] for cell in product(range(1, N_SCORES + 1), repeat=len(MEASURES))}
    for name, segment in block.items():
        for cell in product(*_box(name, segment)):
            owners[cell].append(name)
    _refuse(owners)
    names = list(block)
    shape = (N_SCORES,) * len(MEASURES)
    grid = np.array([names.index(own) for (own,) in owners.values()]).reshape(shape)
    return SegmentTable(tuple(names), tuple(block[name]["action"] for name in names), grid)


def _box(name: str, segment: Mapping) -> list[range]:
    if not isinstance(segment, Mapping) or "action" not in segment:
        raise ValueError(f"segments.{name}: expected score intervals and an action")
    unknown = [key for key in segment if key not in _KEYS]
    if unknown:
        raise ValueError(f"segments.{name}.{unknown[0]}: unknown key; there are {list(_KEYS)}")
    if not isinstance(segment["action"], str):
        raise ValueError(f"segments.{name}.action: expected text, got {segment['action']!r}")
    return [_interval(segment.get(key, (1, N_SCORES)), f"{name}.{key}") for key in MEASURES]


def _interval(ends: object, where: str) -> range:
    whole = isinstance(ends, list | tuple) and len(ends) == 2
    whole = whole and all(isinstance(e, int) and not isinstance(e, bool) for e in ends)
    if not whole or not 1 <= ends[0] <= ends[1] <= N_SCORES:
        raise ValueError(
            f"segments.{where}: expected [lowest, highest] score, whole numbers from 1 to "
            f"{N_SCORES}, got {ends!r}"
        )
    return range(ends[0], ends[1] + 1)


def _refuse(owners: Mapping[tuple, list[str]]) -> None:
    faults = []
    if gaps := [cell for cell, names in owners.items() if not names]:
        faults.append(f"no segment holds {_listed(gaps)}: widen an interval")
    shared = {}
    for cell, names in owners.items():
        if len(names) > 1:
            shared.setdefault(" and ".join(names), []).append(cell)
    faults += [f"{names} overlap in {_listed(cells)}" for names, cells in shared.items()]
    if faults:
        raise ValueError(f"segments: scores ({', '.join(MEASURES)}): " + "; ".join(faults))


def _listed(cells: list[tuple]) -> str:
    named = ", ".join(str(cell) for cell in cells[:_NAMED])
    rest = len(cells) - _NAMED
    return f"{named} and {rest} more" if rest > 0 else named
