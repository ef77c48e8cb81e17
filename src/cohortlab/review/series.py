"""Two versions of a table, row by row: of a series in CSV or JSON lines, or of a table's digest."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cohortlab.verify.reading import read_csv, read_json_lines
from cohortlab.verify.values import (
    ABSENT,
    Difference,
    differences,
    equal_values,
    hangs_on_processor,
)


@dataclass(frozen=True)
class TableChange:
    """What changed in one table: its rows, its columns, and values beyond tolerance.

    Attributes
    ----------
    name : str
        The table's file, and for a digest the table in it.
    rows : tuple of int
        Before and now.
    rows_added, rows_removed : list of str
        Keys of rows that only one version has; empty for a digest, which has no rows.
    columns_added, columns_removed : list of str
        Columns that only one version has.
    values : list of Difference
        By row and column; for a digest by column and figure.
    """

    name: str
    rows: tuple[int, int]
    rows_added: list[str] = field(default_factory=list)
    rows_removed: list[str] = field(default_factory=list)
    columns_added: list[str] = field(default_factory=list)
    columns_removed: list[str] = field(default_factory=list)
    values: list[Difference] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        rows = self.rows[0] != self.rows[1] or self.rows_added or self.rows_removed
        return bool(rows or self.columns_added or self.columns_removed or self.values)


def compare_series(file: str, before: str, now: str, *, tolerance: float) -> TableChange:
    """Compare two versions of a file of CSV or JSON lines by the key of its rows.

    Parameters
    ----------
    file : str
        The file's name; its ending says how to read it.
    before, now : str
        Its two versions; an empty text where there is none.
    tolerance : float
        The largest relative difference of two numbers that counts as none.

    Returns
    -------
    TableChange
        Rows are matched by the first columns that together name every row once in both versions,
        and by their position where no columns do.
    """
    read = read_json_lines if file.endswith(".jsonl") else read_csv
    (columns, rows), (new_columns, new_rows) = read(before), read(now)
    shared = [name for name in columns if name in new_columns]
    old_by_key, new_by_key = _by_key(rows, new_rows, shared)
    return TableChange(
        name=file,
        rows=(len(rows), len(new_rows)),
        rows_added=[key for key in new_by_key if key not in old_by_key],
        rows_removed=[key for key in old_by_key if key not in new_by_key],
        columns_added=[name for name in new_columns if name not in columns],
        columns_removed=[name for name in columns if name not in new_columns],
        values=[
            Difference(file, f"{key} / {place}", *pair)
            for key, row in old_by_key.items()
            if key in new_by_key
            for place, *pair in differences(
                *({c: r[c] for c in shared if c in r} for r in (row, new_by_key[key])), tolerance
            )
        ],
    )


def _by_key(rows: list[dict], new_rows: list[dict], columns: Sequence[str]) -> tuple[dict, dict]:
    """Name the rows of both versions by as few first columns as tell them apart."""
    for width in range(1, len(columns) + 1):
        keys, new_keys = (
            [", ".join(str(row.get(c, ABSENT)) for c in columns[:width]) for row in table]
            for table in (rows, new_rows)
        )
        if len(set(keys)) == len(keys) and len(set(new_keys)) == len(new_keys):
            return dict(zip(keys, rows, strict=True)), dict(zip(new_keys, new_rows, strict=True))
    return tuple({f"row {n}": row for n, row in enumerate(t, 1)} for t in (rows, new_rows))


def compare_digests(file: str, before: str, now: str, *, tolerance: float) -> Iterator[TableChange]:
    """Compare two versions of a step's digests, table by table.

    Parameters
    ----------
    file : str
        The file's name, ``<step>.tables.json``.
    before, now : str
        Its two versions; an empty text where there is none.
    tolerance : float
        As in `compare_series`.

    Yields
    ------
    TableChange
        One for every table of either version, changed or not.
    """
    old, new = (json.loads(text or "{}") for text in (before, now))
    none = {"rows": 0, "columns": {}}
    for name in sorted(old.keys() | new.keys()):
        a, b = old.get(name, none), new.get(name, none)
        columns, new_columns = a["columns"], b["columns"]
        yield TableChange(
            name=f"{file}: {name}",
            rows=(a["rows"], b["rows"]),
            columns_added=[c for c in new_columns if c not in columns],
            columns_removed=[c for c in columns if c not in new_columns],
            values=[
                Difference(file, f"{column} / {figure}", *pair)
                for column in columns
                if column in new_columns and not (tolerance and hangs_on_processor(column))
                for figure, pair in _figures(columns[column], new_columns[column])
                if not equal_values(*pair, tolerance)
            ],
        )


def _figures(before: dict, now: dict) -> Iterator[tuple[str, tuple]]:
    for figure in [*before, *(name for name in now if name not in before)]:
        yield figure, (before.get(figure, ABSENT), now.get(figure, ABSENT))
