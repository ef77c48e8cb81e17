"""What all that is kept of a fit has in common, whatever it says of new rows."""

from collections.abc import Collection
from typing import Any, ClassVar, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa


class Scored(Protocol):
    """What is kept of a fit to say something of new rows: storage and files ask for no more.

    Attributes
    ----------
    FORMAT : str
        Name of the form in which it is stored.
    PARTS : tuple of str
        Names of the files that it is stored in, the manifest aside.
    COLUMNS : dict of str to pyarrow.DataType
        What `assign` gives; the first is missing where nothing can be said of a row.
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
    COLUMNS: ClassVar[dict[str, pa.DataType]]
    MADE_BY: ClassVar[str]
    SUMMARY: ClassVar[str]
    NUMBERED: ClassVar[bool]
    study: str
    id_name: str
    inputs: pd.DataFrame

    def assign(self, table: pd.DataFrame) -> pd.DataFrame:
        """Say something of every row; nothing is fitted, and no row hangs on another."""

    def parts(self) -> dict[str, bytes]:
        """Give the content of the files that it is stored in."""

    def about(self) -> dict[str, Any]:
        """Tell what else is to stand in the manifest."""

    @classmethod
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


def notes_on(inputs: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Name what is missing, or outside of what was seen while fitting.

    Parameters
    ----------
    inputs : pandas.DataFrame
        `name`, `lowest` and `highest` value of each column.
    values : ndarray of shape (n_rows, n_columns)
        These columns of new rows.

    Returns
    -------
    ndarray of object, shape (n_rows,)
        Texts, empty where there is nothing to say.
    """
    notes = np.full(len(values), "", dtype=object)
    limits = inputs[["lowest", "highest"]].to_numpy()
    for name, column, (low, high) in zip(inputs["name"], values.T, limits, strict=True):
        missing = ~np.isfinite(column)
        outside = ~missing & ((column < low) | (column > high))
        notes[missing] += f"{name} is missing or no number; "
        notes[outside] += f"{name} is outside {low:g} to {high:g}; "
    for row in np.flatnonzero(notes != ""):
        notes[row] = notes[row].removesuffix("; ")
    return notes
