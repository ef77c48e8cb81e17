import pytest
from sources.writing import rejected, rows, write_form

from cohortlab.sources import SourceError, read_populations

PEOPLE = "person_id,age,town\n1,20,York\n2,30.5,Ely\n"
ITEMS = "item_id,price\n7,1.5\n8,2\n"
PURCHASES = "person_id,item_id,time\n1,7,2025-01-01 08:00:00\n2,8,2025-01-02\n"


def read(folder, *, people=PEOPLE, items=ITEMS, purchases=PURCHASES, end=".csv", **options):
    texts = {"people": people, "items": items, "purchases": purchases}
    path = {name: write_form(text, folder / f"{name}{end}") for name, text in texts.items()}
    options = {"threads": 1, "scratch": folder / "scratch", "study": "town"} | options
    return read_populations(path | options.pop("path", {}), **options)


@pytest.mark.parametrize("end", [".csv", ".csv.gz", ".zip", ".parquet", ".xlsx"])
def test_features_are_numbers_where_every_value_is_one(tmp_path, end):
    log = read(tmp_path, end=end)
    people = rows(log.tables["people"])
    assert people["age"].tolist() == [20.0, 30.5]
    assert people["town"].tolist() == ["York", "Ely"]
    assert people["person_id"].tolist() == [1, 2]
    assert rows(log.tables["items"])["price"].tolist() == [1.5, 2.0]
    bought = rows(log.tables["purchases"])
    assert bought["time"].astype(str).tolist() == ["2025-01-01 08:00:00", "2025-01-02 00:00:00"]
    assert all(c["rows_read"] == c["rows_kept"] == 2 for c in log.counts.values())


@pytest.mark.parametrize("value", ["nan", "inf", "twenty"])
def test_a_feature_with_a_value_that_is_no_number_is_text(tmp_path, value):
    log = read(tmp_path, people=PEOPLE + f"3,{value},Rye\n")
    assert rows(log.tables["people"])["age"].tolist() == ["20", "30.5", value]


@pytest.mark.parametrize(
    ("table", "line", "reason"),
    [
        ("people", ",20,York", "person id missing"),
        ("people", "3,,York", "a feature is missing"),
        ("people", "1,40,Ely", "id listed before"),
        ("items", ",3", "item id missing"),
        ("items", "7,3", "id listed before"),
        ("items", "9, ", "a feature is missing"),
        ("purchases", ",7,2025-01-01", "person id missing"),
        ("purchases", "1,,2025-01-01", "item id missing"),
        ("purchases", "1,7,yesterday", "time cannot be read"),
        ("purchases", "3,7,2025-01-01", "person not listed"),
        ("purchases", "1,9,2025-01-01", "item not listed"),
        ("purchases", "1,7", "2 fields where the header has 3"),
    ],
)
def test_a_row_that_cannot_be_used_is_set_apart_with_its_line(tmp_path, table, line, reason):
    whole = {"people": PEOPLE, "items": ITEMS, "purchases": PURCHASES}[table]
    log = read(tmp_path, **{table: whole + line + "\n"})
    assert rejected(log) == [(table, 4, reason)]
    assert rows(log.rejects)["record"].tolist() == [line]
    assert log.counts[table]["rows_rejected"] == 1
    assert log.counts[table]["rows_kept"] == 2


def test_purchases_of_a_person_who_was_rejected_are_rejected(tmp_path):
    log = read(tmp_path, people=PEOPLE.replace("30.5", ""))
    assert rejected(log) == [
        ("people", 3, "a feature is missing"),
        ("purchases", 3, "person not listed"),
    ]


def test_an_id_that_is_text_anywhere_is_text_everywhere(tmp_path):
    log = read(tmp_path, purchases=PURCHASES + "p3,7,2025-01-01\n", people=PEOPLE + "p3,1,Rye\n")
    assert rows(log.tables["people"])["person_id"].tolist() == ["1", "2", "p3"]
    assert rows(log.tables["purchases"])["person_id"].tolist() == ["1", "2", "p3"]
    assert rows(log.tables["purchases"])["item_id"].tolist() == [7, 8, 7]


def test_columns_may_have_other_names(tmp_path):
    columns = {"people": {"person_id": "who"}, "purchases": {"time": "when"}}
    log = read(
        tmp_path,
        people=PEOPLE.replace("person_id", "who"),
        purchases=PURCHASES.replace("time", "when"),
        columns=columns,
    )
    assert list(rows(log.tables["people"])) == ["person_id", "age", "town"]
    assert list(rows(log.tables["purchases"])) == ["person_id", "item_id", "time"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"people": "person_id\n1\n"}, r"people.csv \(table people\) has no column beside the id"),
        ({"people": PEOPLE.replace("person_id", "who")}, "no column 'person_id'.*columns.people"),
        ({"items": "item_id,price\n7,\n"}, "No row of 'items.csv'.*a feature is missing"),
        ({"purchases": "person_id,item_id,time\n"}, "purchases.csv.*no row below it"),
        ({"cleaning": {"drop": 1}}, "studies.town.data.cleaning: this kind of log has no rules"),
        ({"path": {"items": None}}, "studies.town.data.path.items names no file"),
        ({"path": {"shops": "x"}}, "path must be a mapping with the keys people, items, purchases"),
        ({"columns": {"people": {"age": "x"}}}, "columns.people.age is no column"),
    ],
)
def test_a_source_that_cannot_be_read_names_file_and_remedy(tmp_path, options, message):
    with pytest.raises(SourceError, match=message):
        read(tmp_path, **options)
