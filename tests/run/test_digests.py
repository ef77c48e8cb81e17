import numpy as np
import pandas as pd
import pytest

from cohortlab.run.digests import digest_table, digest_tables

FRAME = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "value": [1.0, np.nan, 3.0],
        "count": [1, 2, 3],
        "flag": [True, False, True],
        "when": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
    }
)


def digest(frame, folder):
    frame.to_parquet(folder / "table.parquet", index=False)
    return digest_table(folder / "table.parquet")


@pytest.mark.parametrize("column", FRAME.columns)
def test_a_change_of_order_shows_in_every_column(tmp_path, column):
    swapped = FRAME.assign(**{column: FRAME[column].to_numpy()[[1, 0, 2]]})
    before, now = digest(FRAME, tmp_path), digest(swapped, tmp_path)
    changed = [c for c in FRAME if before["columns"][c] != now["columns"][c]]
    assert changed == [column]


def test_missing_values_and_rows_are_counted(tmp_path):
    found = digest(FRAME, tmp_path)
    assert found["rows"] == 3
    assert found["columns"]["value"]["missing"] == 1
    assert found["columns"]["value"]["sum"] == 4.0


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_and_single_row_tables_have_digests(tmp_path, rows):
    assert digest(FRAME.head(rows), tmp_path)["rows"] == rows


def test_tables_are_found_in_folders_below(tmp_path):
    (tmp_path / "log").mkdir()
    digest(FRAME, tmp_path / "log")
    assert list(digest_tables(tmp_path)) == ["log/table.parquet"]
