"""Digests of tables: what a reader, or another machine, compares without having the table."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq


def digest_tables(folder: Path) -> dict[str, dict]:
    """Digest every Parquet table in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Searched with all that lies below it.

    Returns
    -------
    dict of str to dict
        `digest_table` by file name relative to the folder, in alphabetical order.
    """
    return {
        path.relative_to(folder).as_posix(): digest_table(path)
        for path in sorted(folder.rglob("*.parquet"))
    }


def digest_table(path: Path) -> dict:
    """Summarise a Parquet table so that a change in any column shows.

    Parameters
    ----------
    path : pathlib.Path
        The file. Columns are read one at a time, so a large table is no burden.

    Returns
    -------
    dict
        `rows`, and `columns`: by name the type, the number of missing values, and minimum,
        maximum, sum and position-weighted mean for numbers (which sees a changed order), or the
        number of distinct values and a hash of all values in order for anything else.
    """
    file = pq.ParquetFile(path)
    return {
        "rows": file.metadata.num_rows,
        "columns": {
            name: _digest_column(file.read([name]).column(0).to_pandas())
            for name in file.schema_arrow.names
        },
    }


def _digest_column(column: pd.Series) -> dict:
    missing = column.isna().to_numpy()
    digest = {"type": str(column.dtype), "missing": int(missing.sum())}
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        position = np.linspace(0.5, 1.5, len(column))[~missing]
        values = column.to_numpy(dtype=float, na_value=np.nan)[~missing]
        finite = np.isfinite(values)
        if not finite.all():
            # Their sums would be infinite too, and say nothing of the others.
            digest["infinite"] = int((~finite).sum())
            values, position = values[finite], position[finite]
        return digest | (_digest_numbers(values, position) if len(values) else {})
    texts = ["" if absent else str(v) for v, absent in zip(column, missing, strict=True)]
    return digest | {
        "distinct": len(set(texts)),
        "sha256": hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16],
    }


def _digest_numbers(values: np.ndarray, position: np.ndarray) -> dict:
    return {
        "min": float(values.min()),
        "max": float(values.max()),
        "sum": float(values.sum()),
        "position_weighted_mean": float((values * position).mean()),
    }
