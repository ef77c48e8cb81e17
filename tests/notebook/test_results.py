import json

import ibis
import numpy as np
import pandas as pd
import pytest

from cohortlab.notebook.results import Results
from cohortlab.run.project import project_root, to_json


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.delenv("COHORTLAB_STAGING", raising=False)
    return Results("toy", root=tmp_path)


FRAME = pd.DataFrame({"id": ["a", "b"], "value": [0.5, 2.0]})


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_a_frame_comes_back_as_it_was_written(results, name):
    results.write(name, FRAME)
    pd.testing.assert_frame_equal(results.read(name), FRAME)


def test_an_ibis_table_is_written_like_a_frame(results):
    results.write("table.parquet", ibis.memtable(FRAME).order_by("id"))
    pd.testing.assert_frame_equal(results.read("table.parquet"), FRAME)
    assert results.table("table.parquet").count().execute() == 2


def test_nothing_but_the_finished_file_is_left(results):
    results.write("a/note.txt", "text")
    assert [p.name for p in results.folder.rglob("*")] == ["a", "note.txt"]


def test_the_staging_folder_takes_what_is_written_and_nothing_is_read_from_it(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("COHORTLAB_STAGING", str(tmp_path / "staging"))
    results = Results("toy", root=tmp_path)
    results.write("count.json", {"n": 1})
    assert (tmp_path / "staging" / "count.json").exists()
    with pytest.raises(FileNotFoundError, match="dvc repro"):
        results.read("count.json")


def test_an_output_folder_starts_empty(results):
    (results.output_folder("log") / "old").touch()
    assert list(results.output_folder("log").iterdir()) == []


def test_json_takes_numpy_values_and_writes_no_nan():
    value = {"a": np.int64(3), 2: np.array([1.5, np.nan]), "c": (True, None, float("inf"))}
    assert json.loads(to_json(value)) == {"a": 3, "2": [1.5, None], "c": [True, None, None]}


def test_the_project_is_found_from_below_and_missed_with_a_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match="inside the project"):
        project_root(tmp_path)
    (tmp_path / "params.yaml").touch()
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "notebooks").mkdir()
    assert project_root(tmp_path / "notebooks") == tmp_path
