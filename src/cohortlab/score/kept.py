"""What all that is kept of a fit has in common, whatever it says of new rows."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

#: How columns of an answer become columns of a frame, where a value may be missing.
_IN_FRAMES = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


class Scored(ABC):
    """What is kept of a fit to say something of new rows: storage and files ask for no more.

    Attributes
    ----------
    FORMAT : str
        Name of the form in which it is stored.
    PARTS : tuple of str
        Names of the files that it is stored in, the manifest aside.
    MADE_BY : str
        Where the inputs come from, for messages.
    SUMMARY : str
        What is told at the end; it may name the totals of `score_file`.
    NUMBERED : bool
        Whether rows are numbered, from 0, where a file has no ids.
    study, id_name, inputs
        As in `Bundle`.
    """

    FORMAT: ClassVar[str]
    PARTS: ClassVar[tuple[str, ...]]
    MADE_BY: ClassVar[str]
    SUMMARY: ClassVar[str]
    NUMBERED: ClassVar[bool]
    study: str
    id_name: str
    inputs: pd.DataFrame

    @property
    def needed(self) -> list[str]:
        """Columns without which nothing can be said."""
        return list(self.inputs["name"])

    @property
    def optional(self) -> list[str]:
        """Further columns, of which more can be said; none, unless told otherwise."""
        return []

    @abstractmethod
    def score(self, columns: Mapping[str, np.ndarray]) -> pa.Table:
        """Say something of every row; nothing is fitted, and no row hangs on another.

        Parameters
        ----------
        columns : mapping of str to ndarray of float64, shape (n_rows,)
            All that is needed, and what is there of the optional; NaN where there is no number.

        Returns
        -------
        pyarrow.Table
            The same rows. The first column is missing where nothing can be said; the last is
            `note`, empty where there is nothing to note.
        """

    def assign(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say something of every row of a frame; nothing is fitted, and no row hangs on another.

        Parameters
        ----------
        table : pandas.DataFrame
            The inputs' columns as numbers, a missing or unreadable value as NaN; others are
            ignored.

        Returns
        -------
        pandas.DataFrame
            Same index: what `score` says.

        Raises
        ------
        ValueError
            If a column is missing; the message lists all that are needed.
        """
        require_inputs(self, self.needed, list(table))
        names = self.needed + [name for name in self.optional if name in table]
        found = self.score({name: table[name].to_numpy(float, na_value=np.nan) for name in names})
        return found.to_pandas(types_mapper=_IN_FRAMES.get).set_axis(table.index)

    def summary(self, totals: Mapping[str, int]) -> str:
        """Tell what has become of a file, by the totals of `score_file`."""
        return self.SUMMARY % totals

    @abstractmethod
    def parts(self) -> dict[str, bytes]:
        """Give the content of the files that it is stored in."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Tell what else is to stand in the manifest."""

    @classmethod
    @abstractmethod
    def from_parts(cls, manifest: dict[str, Any], content: dict[str, bytes]) -> "Scored":
        """Read what `parts` gave, or raise an error where it does not fit."""


def require_inputs(bundle: Scored, needed: list[str], found: Collection[str]) -> None:
    """Demand the columns that are needed.

    Parameters
    ----------
    bundle : Scored
        Who needs them, for the message.
    needed : list of str
        Columns.
    found : collection of str
        Columns that are there.

    Raises
    ------
    ValueError
        If one is missing; the message lists all.
    """
    absent = [name for name in needed if name not in found]
    if absent:
        raise ValueError(
            f"columns {absent} are missing: needed are {needed}, as the {bundle.MADE_BY} of study "
            f"{bundle.study!r} writes them; found {list(found)}"
        )


def notes_on(inputs: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pa.Array:
    """Name what is missing, or outside of what was seen while fitting.

    Parameters
    ----------
    inputs : pandas.DataFrame
        `name`, `lowest` and `highest` value of each column.
    columns : mapping of str to ndarray of shape (n_rows,)
        These columns of new rows.

    Returns
    -------
    pyarrow.Array of string, length n_rows
        Texts, empty where there is nothing to say.
    """
    notes = np.full(len(next(iter(columns.values()))), "", dtype=object)
    limits = inputs[["lowest", "highest"]].to_numpy()
    for name, (low, high) in zip(inputs["name"], limits, strict=True):
        missing = ~np.isfinite(columns[name])
        outside = ~missing & ((columns[name] < low) | (columns[name] > high))
        notes[missing] += f"{name} is missing or no number; "
        notes[outside] += f"{name} is outside {low:g} to {high:g}; "
    for row in np.flatnonzero(notes != ""):
        notes[row] = notes[row].removesuffix("; ")
    return pa.array(notes, pa.string())
