import numpy as np
import pandas as pd
import pytest
from sources.writing import rejected, rows, write_form

from cohortlab.sources import SourceError, read_baskets

TABLE = "\n".join(
    [
        "basket_id,item,person_id,time,quantity,value",
        "1,tea,A,2024-01-01 10:00:00,1,2.5",
        "1,milk,A,2024-01-01 10:00:00,2,1.8",
        '2,"tea, green",B,2024-01-02 09:30:00,1.5,4',
        "",
    ]
)


def write(folder, text, name="baskets.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def read(baskets, tmp_path, *, items=None, people=None, **options):
    path = {"baskets": baskets, "items": items, "people": people}
    return read_baskets(path, scratch=tmp_path / "scratch", study="shop", threads=1, **options)


def read_lines(text, tmp_path, name="baskets.csv", **options):
    return read(write(tmp_path, text, name), tmp_path, columns={"baskets": "lines"}, **options)


def entries(log):
    found = rows(log.tables["baskets"])
    return list(zip(found["basket_id"], found["item"], strict=True))


@pytest.mark.parametrize("form", ["csv", "csv.gz", "csv.xz", "zip", "parquet", "xlsx"])
def test_every_form_gives_the_same_table(tmp_path, form):
    log = read(write_form(TABLE, tmp_path / f"baskets.{form}"), tmp_path)
    times = ["2024-01-01 10:00", "2024-01-01 10:00", "2024-01-02 09:30"]
    expected = pd.DataFrame(
        {
            "basket_id": ["1", "1", "2"],
            "item": ["milk", "tea", "tea, green"],
            "person_id": ["A", "A", "B"],
            "time": pd.to_datetime(times).as_unit("us"),
            "quantity": [2.0, 1.0, 1.5],
            "value": [1.8, 2.5, 4.0],
        }
    )
    pd.testing.assert_frame_equal(rows(log.tables["baskets"]), expected, check_dtype=False)
    assert log.counts["baskets"]["rows_rejected"] == 0


FAULTS = {
    ",tea,A,2024-01-01,1,1": "basket id missing",
    "1, ,A,2024-01-01,1,1": "item missing",
    "1,tea,,2024-01-01,1,1": "person id missing",
    "1,tea,A,yesterday,1,1": "time cannot be read",
    "1,tea,A,,1,1": "time cannot be read",
    "1,tea,A,2024-01-01,two,1": "quantity is not a number",
    "1,tea,A,2024-01-01,nan,1": "quantity is not a number",
    "1,tea,A,2024-01-01,0,1": "quantity is not above zero",
    "1,tea,A,2024-01-01,-1,1": "quantity is not above zero",
    '1,tea,A,2024-01-01,1,"1,5"': "value is not a number",
    "1,tea,A,2024-01-01,1,-1": "value is negative",
    "1,tea,B,2024-01-01,1,1": "basket of another person",
    "1,tea,A": "3 fields where the header has 6",
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.items())
def test_a_row_that_cannot_be_used_is_set_apart_with_its_line(tmp_path, line, reason):
    header, first, *_ = TABLE.splitlines()
    log = read(write(tmp_path, f"{header}\n{first}\n{line}\n{first}\n"), tmp_path)
    assert rejected(log) == [("baskets", 3, reason)]
    assert rows(log.rejects)["record"].tolist() == [line]
    count = log.counts["baskets"]
    assert (count["rows_read"], count["rows_kept"], count["rows_rejected"]) == (3, 2, 1)


def test_an_item_twice_in_a_basket_is_counted_and_kept(tmp_path):
    log = read(write(tmp_path, "basket_id,item\n1,tea\n1,tea\n2,tea\n"), tmp_path)
    assert log.counts["baskets"]["repeated_items"] == 1
    assert entries(log) == [("1", "tea"), ("1", "tea"), ("2", "tea")]


def test_a_basket_of_which_nothing_is_left_is_counted(tmp_path):
    log = read(write(tmp_path, "basket_id,item\n1,tea\n2,\n2,\n3,\n"), tmp_path)
    assert log.counts["baskets"]["lost_baskets"] == 2


def test_what_the_file_does_not_say_is_null(tmp_path):
    found = rows(read(write(tmp_path, "basket_id,item\n1,tea\n"), tmp_path).tables["baskets"])
    assert found[["person_id", "time", "quantity", "value"]].isna().all(axis=None)


def test_a_column_is_found_by_its_own_name_and_left_out_on_request(tmp_path):
    path = write(tmp_path, "no,product,person_id\n7,tea,\n")
    columns = {"baskets": {"basket_id": "no", "item": "product", "person_id": None}}
    log = read(path, tmp_path, columns=columns)
    assert entries(log) == [("7", "tea")]
    assert log.counts["baskets"]["rows_rejected"] == 0


def test_ids_stay_as_they_are_written(tmp_path):
    log = read(write(tmp_path, "basket_id,item\n007,1e5\n7,0012\n"), tmp_path)
    assert entries(log) == [("007", "1e5"), ("7", "0012")]


def test_another_form_of_times_is_a_rule(tmp_path):
    path = write(tmp_path, "basket_id,item,time\n1,tea,31.12.2023 18:05\n")
    log = read(path, tmp_path, cleaning={"time_format": "%d.%m.%Y %H:%M"})
    assert rows(log.tables["baskets"])["time"].tolist() == [pd.Timestamp("2023-12-31 18:05")]


LINES = {
    "tea,milk\nbread\n": [("1", "milk"), ("1", "tea"), ("2", "bread")],
    "tea;milk\nrice, white;tea\n": [
        ("1", "milk"),
        ("1", "tea"),
        ("2", "rice, white"),
        ("2", "tea"),
    ],
    '"tea, green","7"" plate"\n': [("1", '7" plate'), ("1", "tea, green")],
    "tea,milk,,,\nbread,,,,\n": [("1", "milk"), ("1", "tea"), ("2", "bread")],
    "\ufefftea\r\nmilk\r\n": [("1", "tea"), ("2", "milk")],
    "<b>tea</b>,$x$": [("1", "$x$"), ("1", "<b>tea</b>")],
}


@pytest.mark.parametrize(("text", "expected"), LINES.items())
def test_each_line_is_a_basket(tmp_path, text, expected):
    log = read_lines(text, tmp_path)
    assert entries(log) == expected
    assert log.counts["baskets"]["rows_rejected"] == 0


def test_faults_of_lines_stand_on_their_lines(tmp_path):
    log = read_lines('tea,milk\n\ntea,, ,rice\n"tea,milk\n,,\nbread\n', tmp_path)
    assert rejected(log) == [
        ("baskets", 2, "basket without items"),
        ("baskets", 3, "item missing"),
        ("baskets", 3, "item missing"),
        ("baskets", 4, "a quote never closed or misplaced"),
        ("baskets", 5, "basket without items"),
    ]
    records = rows(log.rejects)["record"].tolist()
    assert records == ["", "tea,, ,rice", "tea,, ,rice", '"tea,milk', ",,"]
    assert entries(log) == [
        ("1", "milk"),
        ("1", "tea"),
        ("3", "rice"),
        ("3", "tea"),
        ("6", "bread"),
    ]
    assert log.counts["baskets"]["lost_baskets"] == 2


def test_lines_of_several_files_are_counted_on(tmp_path):
    write(tmp_path, "tea\nmilk\n", "a.csv")
    write(tmp_path, "bread\n", "b.csv")
    log = read(str(tmp_path / "*.csv"), tmp_path, columns={"baskets": "lines"})
    assert entries(log) == [("1", "tea"), ("2", "milk"), ("3", "bread")]


def test_items_bring_their_levels_and_people_their_attributes(tmp_path):
    items = write(tmp_path, "code,words,aisle,shelf\n1,rye,bread,low\n1,oat,bread,low\n", "i.csv")
    people = write(tmp_path, "person_id,home,pets\nA,own,2\n,rent,1\n", "p.csv")
    columns = {"items": {"item": "code", "name": "words", "levels": ["shelf", "aisle"]}}
    log = read(write(tmp_path, TABLE), tmp_path, items=items, people=people, columns=columns)
    assert rows(log.tables["items"]).to_dict("list") == {
        "item": ["1"],
        "name": ["rye"],
        "shelf": ["low"],
        "aisle": ["bread"],
    }
    assert rows(log.tables["people"]).to_dict("list") == {
        "person_id": ["A"],
        "home": ["own"],
        "pets": ["2"],
    }
    assert rejected(log) == [("items", 3, "listed before"), ("people", 3, "person id missing")]


def test_absent_tables_have_no_rows(tmp_path):
    log = read(write(tmp_path, TABLE), tmp_path)
    assert list(log.tables) == ["baskets", "items", "people"]
    assert len(rows(log.tables["items"])) == len(rows(log.tables["people"])) == 0
    assert log.counts["people"] == {
        "rows_read": 0,
        "rows_kept": 0,
        "rows_rejected": 0,
        "rows_not_used": 0,
        "reasons": {},
    }


MISTAKES = {
    "unknown column of ours": ({"baskets": {"price": "value"}}, r"columns\.baskets\.price"),
    "no such column": ({"baskets": {"item": "product"}}, r"no column 'product'.*basket_id"),
    "named, but not there": ({"baskets": {"time": "when"}}, r"no column 'when'"),
    "required and null": ({"baskets": {"item": None}}, r"columns\.baskets\.item must be the name"),
    "no mapping": ({"baskets": "rows"}, r"mapping or the word `lines`, but is 'rows'"),
    "unknown table": ({"basket": {}}, r"data\.columns must be a mapping with the keys baskets"),
    "levels no list": ({"items": {"levels": "aisle"}}, r"columns\.items\.levels must be a list"),
    "level of our name": ({"items": {"levels": ["name"]}}, r"levels names 'name'"),
    "level twice": ({"items": {"levels": ["aisle", "aisle"]}}, r"levels names 'aisle'"),
    "no such level": ({"items": {"levels": ["shelf"]}}, r"no column 'shelf'.*aisle"),
}


@pytest.mark.parametrize(("columns", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_columns_is_named(tmp_path, columns, message):
    items = write(tmp_path, "item,name,aisle\n1,rye,bread\n", "items.csv")
    with pytest.raises(SourceError, match=message):
        read(write(tmp_path, TABLE), tmp_path, items=items, columns=columns)


def test_other_mistakes_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"studies\.shop\.data\.path\.baskets names no file"):
        read(None, tmp_path)
    with pytest.raises(SourceError, match=r"cleaning\.time is no cleaning rule"):
        read(write(tmp_path, TABLE), tmp_path, cleaning={"time": "x"})
    with pytest.raises(SourceError, match=r"is empty\. It needs a basket in each line"):
        read_lines("", tmp_path)
    with pytest.raises(SourceError, match=r"No row of 'baskets.csv'.*basket without items"):
        read_lines("\n\n", tmp_path)
    path = write_form(TABLE, tmp_path / "baskets.parquet")
    with pytest.raises(SourceError, match="no text, and one basket a line needs"):
        read(path, tmp_path, columns={"baskets": "lines"})


def test_lines_in_another_encoding_are_named(tmp_path):
    (tmp_path / "b.csv").write_bytes("tea\nrühr\n".encode("windows-1252"))
    path, lines = str(tmp_path / "b.csv"), {"baskets": "lines"}
    with pytest.raises(SourceError, match=r"b\.csv is not utf-8: line 2.*data\.encoding"):
        read(path, tmp_path, columns=lines)
    assert entries(read(path, tmp_path, columns=lines, encoding="windows-1252"))[1] == ("2", "rühr")


def test_the_order_of_rows_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"{b},I{rng.integers(9)},P{b % 7}" for b in rng.integers(60, size=300)]
    header = "basket_id,item,person_id\n"
    first = read(write(tmp_path, header + "\n".join(lines)), tmp_path)
    second = read(write(tmp_path, header + "\n".join(rng.permutation(lines)), "b.csv"), tmp_path)
    pd.testing.assert_frame_equal(rows(first.tables["baskets"]), rows(second.tables["baskets"]))
    assert first.counts == second.counts
