"""Files of new customers: how they are read, in parts, and what is written."""

import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from score.making import customers

from cohortlab.score.__main__ import main
from cohortlab.score.reading import read_parts
from cohortlab.score.stream import score_file


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".csv.gz"])
def test_files_are_scored_in_order_and_in_parts(bundle, tmp_path, ending):
    table, kind = customers(seed=5)
    source = tmp_path / f"new{ending}"
    table.to_parquet(source) if ending == ".parquet" else table.to_csv(source, index=False)
    outputs = []
    for part_rows in (7, 1000):
        target = tmp_path / f"out{part_rows}.csv"
        totals = score_file(bundle, source, target, part_rows=part_rows)
        assert totals["rows"] == totals["assigned"] == len(table)
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]
    found = pd.read_csv(tmp_path / "out7.csv")
    assert found["customer_id"].tolist() == table["customer_id"].tolist()
    assert found["cluster"].tolist() == kind.tolist()
    assert sorted(p.name for p in tmp_path.glob(".*")) == []


def test_text_in_a_column_of_numbers_concerns_its_row_alone(bundle, tmp_path):
    table = customers()[0].iloc[:3].astype(str)
    table.loc[1, "pieces"] = "many"
    table.loc[2, "customer_id"] = "=1+1"
    table.to_csv(tmp_path / "new.csv", index=False)
    totals = score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")
    assert totals == {"rows": 3, "assigned": 2, "not_assigned": 1, "noted": 0}
    found = pd.read_csv(tmp_path / "out.csv", dtype=str)
    assert found["cluster"].isna().tolist() == [False, True, False]
    assert found.loc[2, "customer_id"] == "'=1+1"


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_marks_of_the_encoding_and_line_ends_are_read(bundle, tmp_path, separator):
    table = customers()[0].iloc[:5].assign(remark='a, b "c"\nd')
    text = "\r\n" + table.to_csv(index=False, sep=separator, lineterminator="\r\n")
    (tmp_path / "new.csv").write_bytes(text.encode("utf-8-sig"))
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["assigned"] == 5


@pytest.mark.parametrize(
    "header",
    [
        'remark,customer_id , money,"recency", pieces\n',
        '"a note,\nin ""two"" lines",customer_id,money,recency,pieces\n',
        "x" * 100_000 + ",customer_id,money,recency,pieces\n",
    ],
)
def test_headers_with_blanks_line_ends_and_long_names_are_read(bundle, tmp_path, header):
    table, kind = customers()
    rows = table.assign(remark="").reindex(columns=["remark", *table])
    text = header + rows.to_csv(index=False, header=False)
    (tmp_path / "new.csv").write_text(text, "utf-8")
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["assigned"] == len(kind)
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["customer_id"].tolist() == table["customer_id"].tolist()
    assert found["cluster"].tolist() == kind.tolist()


def test_the_separator_is_the_one_that_gives_the_wanted_names(bundle, tmp_path):
    table = customers()[0].iloc[:3].assign(**{"a,b,c,d,e,f": "1,2,3,4,5,6"})
    table.to_csv(tmp_path / "new.csv", index=False, sep=";")
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["assigned"] == 3


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r"])
def test_a_header_alone_gives_an_empty_table(bundle, tmp_path, end):
    (tmp_path / "new.csv").write_bytes(f"customer_id,recency,pieces{end}".encode())
    assert score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")["rows"] == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 0


def test_a_number_is_read_alike_whatever_else_is_in_its_column(bundle, tmp_path):
    table = customers()[0].iloc[:7].astype(str)
    table["pieces"] = ["0.1", " 3 ", "1e3", "7.000000000000001", "123456789.123456789", "inf", ""]
    read = []
    for fault in ([], ["many"], ["1,5"]):
        faulty = table.iloc[: len(fault)].assign(pieces=fault)
        pd.concat([table, faulty]).to_csv(tmp_path / "new.csv", index=False)
        [(_, columns)] = read_parts(bundle, tmp_path / "new.csv", part_rows=100)
        read.append(columns["pieces"])
        assert np.isnan(read[-1][7:]).all()
    expected = np.array([0.1, 3, 1e3, 7.000000000000001, 123456789.123456789, np.inf, np.nan])
    for found in read:
        np.testing.assert_array_equal(found[:7], expected)


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_an_id_stays_as_it_is_beside_a_missing_one_in_any_part(bundle, tmp_path, ending):
    table = customers()[0].iloc[:6]
    ids = [2**60 + 1, 2, 3, None, 5, 6]
    table.assign(customer_id=pd.array(ids, dtype="Int64")).to_parquet(tmp_path / "new.parquet")
    target = tmp_path / f"out{ending}"
    assert score_file(bundle, tmp_path / "new.parquet", target, part_rows=2)["rows"] == 6
    if ending == ".parquet":
        found = pq.read_table(target)["customer_id"]
        assert found.type == "int64"
        assert found.to_pylist() == ids
    else:
        found = pd.read_csv(target, dtype=str, keep_default_na=False)["customer_id"]
        assert found.tolist() == [str(2**60 + 1), "2", "3", "", "5", "6"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_coded_ids_are_those_that_they_stand_for(bundle, tmp_path, ending):
    plain = pa.array(["b", "a", None, "b", "=1"])
    coded = pa.Table.from_pandas(customers()[0].iloc[:5].drop(columns="customer_id"))
    coded = coded.append_column("customer_id", plain.dictionary_encode())
    pq.write_table(coded, tmp_path / "new.parquet")
    assert pa.types.is_dictionary(pq.read_schema(tmp_path / "new.parquet").field(-1).type)
    target = tmp_path / f"out{ending}"
    assert score_file(bundle, tmp_path / "new.parquet", target, part_rows=2)["assigned"] == 5
    if ending == ".parquet":
        found = pq.read_table(target)["customer_id"]
        assert found.combine_chunks().equals(plain)
    else:
        found = pd.read_csv(target, dtype=str, keep_default_na=False)["customer_id"]
        assert found.tolist() == ["b", "a", "", "b", "'=1"]


def test_signs_truth_values_and_coded_texts_are_numbers_too(bundle, tmp_path):
    table = (
        customers()[0]
        .iloc[:3]
        .assign(pieces=pd.Categorical(["+5", "-5", "five"]), recency=[True, False, True])
    )
    table.to_parquet(tmp_path / "new.parquet")
    [(_, columns)] = read_parts(bundle, tmp_path / "new.parquet", part_rows=100)
    np.testing.assert_array_equal(columns["pieces"], [5, -5, np.nan])
    np.testing.assert_array_equal(columns["recency"], [1, 0, 1])


def test_a_column_that_stands_twice_is_refused(bundle, tmp_path):
    table = customers()[0]
    pd.concat([table, table[["pieces"]]], axis=1).to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(ValueError, match=r"columns \['pieces'\] stand in it more than once"):
        score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")


def test_an_empty_file_gives_an_empty_table(bundle, tmp_path):
    customers()[0].iloc[:0].to_parquet(tmp_path / "new.parquet")
    assert score_file(bundle, tmp_path / "new.parquet", tmp_path / "out.parquet")["rows"] == 0
    assert list(pd.read_parquet(tmp_path / "out.parquet")) == [
        "customer_id", "cluster", "name", "probability", "note",
    ]  # fmt: skip


def test_memory_does_not_grow_with_the_file(bundle, tmp_path):
    table = pd.concat([customers()[0]] * 40, ignore_index=True)
    peaks = []
    for copies in (1, 8):
        source = tmp_path / f"{copies}.parquet"
        pd.concat([table] * copies).to_parquet(source, index=False)
        tracemalloc.start()
        score_file(bundle, source, tmp_path / "out.parquet", part_rows=2000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2 * peaks[0]


def test_the_command_scores_or_says_what_is_wrong(folder, tmp_path, caplog):
    table, _ = customers()
    table.to_csv(tmp_path / "new.csv", index=False)
    arguments = ["shop", str(tmp_path / "new.csv"), str(tmp_path / "out.parquet")]
    assert main([*arguments, "--bundle", str(folder)]) == 0
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == len(table)
    (folder / "forest.npz").write_bytes(b"")
    assert main([*arguments, "--bundle", str(folder)]) == 2
    assert "was changed" in caplog.text


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("absent.csv", "out.csv", "there is no such file"),
        ("manifest.json", "out.csv", "expected a table that ends in"),
        ("new.csv", "out.xlsx", "expected an output, a file that ends in"),
        ("new.csv", "folder.csv", "expected an output, a file that ends in"),
        ("new.csv", "no/out.csv", "there is no folder"),
        ("new.csv", "manifest.json/out.csv", "there is no folder"),
        (
            "dates.parquet",
            "out.csv",
            r"dates.parquet: column 'pieces' is of type timestamp\[.s\]; expected numbers",
        ),
        ("new.csv", "out.csv", r"columns \['recency'\] are missing: needed are"),
    ],
)
def test_a_file_that_cannot_be_scored_is_named_and_nothing_is_written(
    bundle, folder, source, target, message
):
    table = customers()[0]
    table.drop(columns="recency").to_csv(folder / "new.csv", index=False)
    table.assign(pieces=pd.Timestamp("2026-01-01")).to_parquet(folder / "dates.parquet")
    (folder / "folder.csv").mkdir()
    with pytest.raises(ValueError, match=message):
        score_file(bundle, folder / source, folder / target)
    assert not (folder / target).is_file()
    assert list(folder.glob(".*")) == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("short.csv", "1,2", "Row #50002: Expected 4 columns, got 2: 1,2"),
        ("latin.csv", "M\xfcller,1,1,1", "invalid UTF8"),
        ("no.parquet", "", "Parquet"),
        ("cut.csv.gz", "", "zlib inflate failed"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_line(bundle, tmp_path, name, content, message):
    table = pd.concat([customers()[0]] * 500, ignore_index=True).head(50_000)
    # The fault comes at the end, when parts were written already.
    text = table.to_csv(index=False) + content + "\n"
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=message) as caught:
        score_file(bundle, tmp_path / name, tmp_path / "out.csv", part_rows=10_000)
    assert name in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "kind",
    [
        pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
        pa.binary(4), pa.dictionary(pa.int8(), pa.string()),
    ],
    ids=str,
)  # fmt: skip
def test_text_ids_are_harmless_in_whatever_form_arrow_holds_them(bundle, tmp_path, kind):
    text = pa.array(["=1+1", "-2+3"])
    if pa.types.is_fixed_size_binary(kind):
        text = text.cast(pa.binary())
    ids = text.dictionary_encode() if pa.types.is_dictionary(kind) else text.cast(kind)
    inputs = {"recency": [10, 300], "pieces": [900.0, 5.0]}
    pq.write_table(pa.table({"customer_id": ids, **inputs}), tmp_path / "new.parquet")
    score_file(bundle, tmp_path / "new.parquet", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["customer_id"].tolist() == ["'=1+1", "'-2+3"]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (
            pa.array([[1], [2]]),
            r"column 'customer_id' is of type list<.*>; expected text or number",
        ),
        (pa.array([b"\xff", b"a"]), "column 'customer_id' holds what is no text in UTF-8"),
    ],
)
def test_ids_that_cannot_be_written_are_named(bundle, tmp_path, ids, message):
    inputs = {"recency": [10, 300], "pieces": [900.0, 5.0]}
    pq.write_table(pa.table({"customer_id": ids, **inputs}), tmp_path / "new.parquet")
    with pytest.raises(ValueError, match=f"new.parquet: {message}"):
        score_file(bundle, tmp_path / "new.parquet", tmp_path / "out.csv")


def test_the_input_is_not_written_over_and_endings_may_be_capitals(bundle, tmp_path):
    source = tmp_path / "new.CSV"
    customers()[0].to_csv(source, index=False)
    before = source.read_bytes()
    with pytest.raises(ValueError, match="this is the input"):
        score_file(bundle, source, source)
    assert source.read_bytes() == before
    assert score_file(bundle, source, tmp_path / "out.CSV")["assigned"] == 150
    assert len(pd.read_csv(tmp_path / "out.CSV")) == 150
