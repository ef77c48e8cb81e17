import pandas as pd
import pytest
from sources.writing import rejected, rows, write_form

from cohortlab.sources import SourceError, read_visits

HEADER = "panelist_id,used_at,domain,active_seconds"
GOOD = "1,2018-10-01 14:15:00,www.google.com,10"


def read(tmp_path, *lines, name="visits.csv", **options):
    path = write_form("\n".join([HEADER, *lines]) + "\n", tmp_path / name)
    return read_visits(path, scratch=tmp_path / "scratch", study="web", threads=1, **options)


FAULTS = {
    ",2018-10-01 14:15:00,a.de,10": "person id missing",
    "1,yesterday,a.de,10": "time cannot be read",
    "1,,a.de,10": "time cannot be read",
    "1,2018-10-01 14:15:00,,10": "domain missing",
    "1,2018-10-01 14:15:00,a.de,ten": "seconds are not a number",
    "1,2018-10-01 14:15:00,a.de,": "seconds are not a number",
    "1,2018-10-01 14:15:00,a.de,-1": "seconds out of range (0 to 86,400)",
    "1,2018-10-01 14:15:00,a.de,86401": "seconds out of range (0 to 86,400)",
    "1,2018-10-01 14:15:00,a.de,nan": "seconds out of range (0 to 86,400)",
    "1,2018-10-01 14:15:00,co.uk,10": "no registrable domain",
    GOOD: "repeated visit",
    "1,2018-10-01 14:15:00": "2 fields where the header has 4",
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.items())
def test_a_faulty_row_is_set_apart_with_its_line(tmp_path, line, reason):
    log = read(tmp_path, GOOD, line, GOOD.replace("google", "other"))
    assert rejected(log) == [("visits", 3, reason)]
    assert rows(log.rejects)["record"].tolist() == [line]
    counts = log.counts["visits"]
    assert (counts["rows_read"], counts["rows_kept"], counts["rows_rejected"]) == (3, 2, 1)
    assert counts["reasons"] == {reason: 1}


def test_hosts_become_domains_and_times_milliseconds(tmp_path):
    cleaning = {"content_hosts": {"ytimg.com": "youtube.com"}}
    lines = ["2,2018-10-01T00:00:01.5,i.ytimg.com,1.25", "1,1970-01-01 00:00:01,M.Web.DE,0"]
    found = rows(read(tmp_path, *lines, cleaning=cleaning).tables["visits"])
    assert found.to_dict("list") == {
        "person_id": [1, 2],
        "start_ms": [1000, 1_538_352_001_500],
        "domain": ["web.de", "youtube.com"],
        "active_ms": [0, 1250],
    }


def test_documents_keep_their_names(tmp_path):
    log = read(tmp_path, "1,2018-10-01 14:15:00,Doc_813,3", cleaning={"registrable": False})
    assert rows(log.tables["visits"])["domain"].tolist() == ["doc_813"]


def test_repeated_visits_can_be_kept(tmp_path):
    log = read(tmp_path, GOOD, GOOD, cleaning={"repeated_visits": "keep"})
    assert log.counts["visits"]["rows_kept"] == 2


def test_other_columns_times_and_ids(tmp_path):
    path = tmp_path / "log.parquet"
    pd.DataFrame(
        {"who": ["007"], "when": ["01.10.2018 14:15"], "host": ["a.de"], "s": [3]}
    ).to_parquet(path)
    log = read_visits(
        str(path),
        columns={"person_id": "who", "time": "when", "domain": "host", "active_seconds": "s"},
        cleaning={"time_format": "%d.%m.%Y %H:%M"},
        scratch=tmp_path / "scratch",
    )
    assert rows(log.tables["visits"]).iloc[0].tolist() == ["007", 1_538_403_300_000, "a.de", 3000]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cleaning": {"content_hosts": [1]}}, "studies.web.data.cleaning.content_hosts"),
        ({"cleaning": {"typo": 1}}, "typo is no cleaning rule"),
        ({"columns": {"typo": "x"}}, "typo is no column"),
        ({"columns": {"domain": "absent"}}, "absent"),
    ],
)
def test_mistakes_in_the_parameters_are_named(tmp_path, options, message):
    with pytest.raises(SourceError, match=message):
        read(tmp_path, GOOD, **options)


def test_a_log_without_a_usable_row_says_why(tmp_path):
    with pytest.raises(SourceError, match="1 of 1 rejected because: domain missing"):
        read(tmp_path, "1,2018-10-01 14:15:00,,10")
