"""Read Excel workbooks as text, so that they pass through the same checks as text files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cohortlab.headers import Header
from cohortlab.sources.cells import cell_text
from cohortlab.sources.delimited import ExactRows


def read_sheets(path: Path, scratch: Path, *, number: int) -> dict[str, tuple[Header, ExactRows]]:
    """
    Read every sheet that is not empty into a Parquet file of text columns.

    Parameters
    ----------
    path : Path
        A local ``.xlsx`` file.
    scratch : Path
        Folder for temporary files.
    number : int
        Number of the file, which keeps the names of temporary files apart.

    Returns
    -------
    dict of str to (Header, ExactRows)
        For each sheet the names in its first row and the rows below; the line of a row is its
        number in the sheet. Rows without any value are passed over.

    Notes
    -----
    Whole numbers are written without a decimal point and dates as ``YYYY-MM-DD HH:MM:SS``,
    because a workbook stores both as floating point.
    """
    sheets = pd.read_excel(path, sheet_name=None, header=None, dtype=object, engine="calamine")
    found = {}
    for position, (name, cells) in enumerate(sheets.items()):
        if cells.empty:
            continue
        target = scratch / f"sheet_{number}_{position}.parquet"
        found[name] = _sheet(cells, target)
    return found


def _sheet(cells: pd.DataFrame, target: Path) -> tuple[Header, ExactRows]:
    columns = [[cell_text(value) for value in cells[name].tolist()] for name in cells.columns]
    names = [(column[0] or "").strip() for column in columns]
    filled = np.array(
        [any(value is not None for value in row) for row in zip(*columns, strict=True)]
    )
    filled[0] = False
    rows = np.flatnonzero(filled)
    arrays = [pa.array([column[row] for row in rows], pa.string()) for column in columns]
    keys = [f"c{position}" for position in range(len(columns))]
    pq.write_table(pa.Table.from_arrays(arrays, names=keys), target)
    lines = rows.astype(np.int64) + 1
    return Header(names, ",", 1), ExactRows(target, lines, np.ones_like(lines), [])
