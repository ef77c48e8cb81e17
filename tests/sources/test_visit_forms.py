import lzma
from pathlib import Path

import pandas as pd
import pytest

from cohortlab.sources import SourceError, read_visits
from cohortlab.sources.visit_forms import usual_form

PLAIN = {"registrable": False, "repeated_visits": "keep"}
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def read(path, scratch):
    log = read_visits(path, cleaning=PLAIN, scratch=scratch, study="mine")
    return log.tables["visits"].to_pandas(), log.counts["visits"]


def test_downloads_stand_at_the_time_of_their_session(tmp_path):
    (tmp_path / "d").write_text("s_1;doc_1\ns_1;doc_2\ns_2;doc_1\ns_3;doc_1\n")
    (tmp_path / "t").write_text("s_1;Wed Jan  1 19:59:00 2003\ns_2;Thu Jan  2 06:46:01 2003\n")
    names = {"documents": str(tmp_path / "d"), "times": str(tmp_path / "t")}
    visits, counts = read(names, tmp_path)
    assert visits[["person_id", "domain"]].to_numpy().tolist() == [
        ["s_1", "doc_1"],
        ["s_1", "doc_2"],
        ["s_2", "doc_1"],
    ]
    assert pd.to_datetime(visits["start_ms"], unit="ms").astype(str).tolist() == [
        "2003-01-01 19:59:00",
        "2003-01-01 19:59:00",
        "2003-01-02 06:46:01",
    ]
    assert counts["reasons"] == {"time cannot be read": 1}


@pytest.mark.parametrize("packed", [True, False])
def test_areas_have_their_names_and_no_time(tmp_path, packed):
    text = 'I,4,"site"\nA,1287,1,"Auto, Route","/autoroute"\nC,"10001",10001\nV,1287,1\nV,9,1\n'
    path = tmp_path / ("a.xz" if packed else "a.data")
    path.write_bytes(lzma.compress(text.encode()) if packed else text.encode())
    visits, _ = read({"areas": str(path)}, tmp_path)
    assert visits.to_numpy().tolist() == [[10001, 0, "/autoroute", 0], [10001, 0, "9", 0]]


def test_a_form_that_is_none_and_a_file_that_is_not_there_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"mine\.data\.path names pages: expected one file, or"):
        usual_form({"pages": "a"}, tmp_path, study="mine")
    with pytest.raises(SourceError, match=r"path\.areas: there is no file"):
        usual_form({"areas": str(tmp_path / "none")}, tmp_path)
    assert usual_form("visits.csv", tmp_path) == "visits.csv"


@pytest.mark.parametrize(
    ("folder", "names", "n_rows", "n_people"),
    [
        ("epub", {"documents": "epub.dat.xz", "times": "epub.time.xz"}, 29_624, 15_732),
        ("msweb", {"areas": "anonymous-msweb.data.xz"}, 98_654, 32_711),
    ],
)
def test_public_logs_are_read_whole(tmp_path, folder, names, n_rows, n_people):
    if not (SHARED / folder).exists():
        pytest.skip(f"real data {folder} is not here")
    path = {name: str(SHARED / folder / file) for name, file in names.items()}
    visits, counts = read(path, tmp_path)
    assert counts["rows_kept"] == len(visits) == n_rows
    assert visits["person_id"].nunique() == n_people
