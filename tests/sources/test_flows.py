import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from sources.writing import rejected, rows, write_form

from cohortlab.schemas import validate
from cohortlab.sources import SourceError, read_flows

HEADER = "time,address,bytes_sent,bytes_received,packets_sent,packets_received,duration,label"
GOOD = "2024-03-04 10:00:00,10.0.0.1,100,200,1,2,0.5,normal"
KDD = REPOSITORY.parent / "shared" / "data" / "kdd99" / "kddcup.data_10_percent.gz"


def read(tmp_path, *lines, header=HEADER, name="flows.csv", **options):
    text = "".join(f"{line}\n" for line in ([header] if header else []) + list(lines))
    path = write_form(text, tmp_path / name)
    return read_flows(path, scratch=tmp_path / "scratch", study="net", threads=1, **options)


FAULTS = {
    "2024-03-04 10:00:00,a,many,200,1,2,0.5,x": "an amount is not a number",
    "2024-03-04 10:00:00,a,100,200,1,2,-0.5,x": "an amount is negative",
    "2024-03-04 10:00:00,a,1e19,200,1,2,0.5,x": "an amount is above 1e+18",
    "2024-03-04 10:00:00,a,,nan,inf,,,x": "no amount at all",
    "yesterday,a,100,200,1,2,0.5,x": "time cannot be read",
    ",a,100,200,1,2,0.5,x": "time cannot be read",
    "2024-03-04 10:00:00,a,100": "3 fields where the header has 8",
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.items())
def test_a_faulty_row_is_set_apart_with_its_line(tmp_path, line, reason):
    log = read(tmp_path, GOOD, line, GOOD)
    assert rejected(log) == [("flows", 3, reason)]
    assert rows(log.rejects)["record"].tolist() == [line]
    counts = log.counts["flows"]
    assert (counts["rows_read"], counts["rows_kept"], counts["rows_rejected"]) == (3, 2, 1)


def test_missing_and_infinite_amounts_are_kept_for_the_features(tmp_path):
    line = "2024-03-04 10:00:00,a,100,inf,1,NaN,,normal"
    found = validate("flows", rows(read(tmp_path, GOOD, line).tables["flows"]))
    assert np.isposinf(found["bytes_received"].iloc[1])
    assert found[["packets_received", "duration"]].iloc[1].isna().all()
    assert found["flow_id"].tolist() == [0, 1]


@pytest.mark.parametrize("name", ["flows.csv", "flows.csv.gz"])
def test_a_file_without_header_loses_no_line(tmp_path, name):
    columns = {"names": ["s", "r", "what"], "bytes_sent": "s", "bytes_received": "r"}
    log = read(tmp_path, "1,2,a", "3,4,b", "5,x,c", header=None, name=name, columns=columns)
    found = rows(log.tables["flows"])
    assert found[["bytes_sent", "bytes_received"]].to_numpy().tolist() == [[1, 2], [3, 4]]
    assert found[["time", "address", "packets_sent", "label"]].isna().all(axis=None)
    assert rejected(log) == [("flows", 3, "an amount is not a number")]


def test_a_file_without_header_read_row_by_row_knows_its_lines(tmp_path):
    columns = {"names": ["bytes_sent", "bytes_received"]}
    log = read(tmp_path, "1,2", "", "3,4,5", "6,x", "7,8", header=None, columns=columns)
    assert rows(log.tables["flows"])["bytes_sent"].tolist() == [1, 7]
    assert [line for _, line, _ in rejected(log)] == [3, 4]


def test_columns_that_are_not_there_are_unknown_and_may_be_said_to_be(tmp_path):
    header = "bytes_sent,bytes_received,duration"
    log = read(tmp_path, "1,2,3", header=header, columns={"duration": None})
    assert rows(log.tables["flows"])["duration"].isna().all()


def test_repeated_flows_are_kept_unless_they_are_to_go(tmp_path):
    assert read(tmp_path, GOOD, GOOD).counts["flows"]["rows_kept"] == 2
    log = read(tmp_path, GOOD, GOOD, cleaning={"repeated_flows": "drop"})
    assert log.counts["flows"]["reasons"] == {"repeated flow": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"typo": "x"}}, "typo is no column"),
        ({"columns": {"bytes_sent": "absent"}}, "has no column 'absent'"),
        ({"columns": {"bytes_sent": None}}, "bytes_sent must be the name"),
        ({"columns": {"names": "a,b"}}, "columns.names must be a list"),
        ({"columns": {"names": ["a", "b"]}}, "8 fields in its first line.*names has 2"),
        ({"columns": ["a"]}, "must be a mapping"),
        ({"cleaning": {"typo": 1}}, "typo is no cleaning rule"),
    ],
)
def test_mistakes_in_the_parameters_are_named(tmp_path, options, message):
    with pytest.raises(SourceError, match=message):
        read(tmp_path, GOOD, **options)


def test_a_log_without_a_usable_row_says_why(tmp_path):
    with pytest.raises(SourceError, match="1 of 1 rejected because: time cannot be read"):
        read(tmp_path, GOOD.replace("2024", "year"))


def test_workbooks_and_parquet_carry_their_own_names(tmp_path):
    path = tmp_path / "flows.parquet"
    pd.DataFrame({"bytes_sent": [1.5], "bytes_received": [2]}).to_parquet(path)
    log = read_flows(str(path), columns={"names": ["a"]}, scratch=tmp_path / "scratch")
    assert rows(log.tables["flows"])["bytes_sent"].tolist() == [1.5]


@pytest.mark.skipif(not KDD.exists(), reason="real data kdd99 is not here")
def test_the_kdd_file_is_read_whole(tmp_path):
    names = [f"f{i}" for i in range(41)] + ["label"]
    columns = {"names": names, "bytes_sent": "f4", "bytes_received": "f5", "packets_sent": "f22"}
    log = read_flows(str(KDD), columns=columns, scratch=tmp_path)
    flows = rows(log.tables["flows"])
    assert log.counts["flows"]["rows_kept"] == len(flows) == 494_021
    assert flows["label"].value_counts().head(3).to_dict() == {
        "smurf.": 280_790,
        "neptune.": 107_201,
        "normal.": 97_278,
    }
    assert flows.loc[0, ["bytes_sent", "bytes_received", "packets_sent"]].tolist() == [181, 5450, 8]
