from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sources.writing import rejected, rows, write_events, write_form

from cohortlab.sources import SourceError, read_events
from cohortlab.sources.events import COLUMNS

EVERYONE = {"visitor_quantile": None}
GOOD = "1433193132535,1,view,5,"


def read(path, tmp_path, **options):
    where = {"events": path} if isinstance(path, str) else path
    options = {"cleaning": EVERYONE, "threads": 1} | options
    return read_events(where, scratch=tmp_path / "scratch", study="shop", **options)


def assert_counts_add_up(log):
    listed = rows(log.rejects)["table"].value_counts()
    for name, count in log.counts.items():
        parts = count["rows_kept"], count["rows_rejected"], count["rows_not_used"]
        assert count["rows_read"] == sum(parts)
        assert count["rows_rejected"] == sum(count["reasons"].values()) == listed.get(name, 0)
        assert count["rows_kept"] == len(rows(log.tables[name]))


FAULTS = {
    "x,1,view,5,": "timestamp is not a whole number",
    ",1,view,5,": "timestamp is not a whole number",
    "1.5,1,view,5,": "timestamp is not a whole number",
    "2015-06-01,1,view,5,": "timestamp is not a whole number",
    "0,1,view,5,": "timestamp out of range",
    "-4,1,view,5,": "timestamp out of range",
    "253402300800000,1,view,5,": "timestamp out of range",
    "99999999999999999999,1,view,5,": "timestamp out of range",
    "1e300,1,view,5,": "timestamp out of range",
    "7,,view,5,": "visitor id missing",
    "7,  ,view,5,": "visitor id missing",
    "7,1,VIEW,5,": "unknown event",
    "7,1,,5,": "unknown event",
    "7,1,view,,": "item id missing",
    "7,1,transaction,5,": "transaction without transaction id",
    "7,1,view,5": "4 fields where the header has 5",
    "7,1,view,5,,6": "6 fields where the header has 5",
    '7,"1,view,5,': "4 fields where the header has 5",
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.items())
def test_a_faulty_row_is_set_apart_with_its_line(tmp_path, line, reason):
    log = read(write_events(tmp_path, GOOD, line, GOOD), tmp_path)
    found = rows(log.rejects)
    if reason.startswith("4 fields") and '"' in line:
        reason = "a quote never closed"
    assert rejected(log) == [("events", 3, reason)]
    assert found["record"].tolist() == [line]
    assert found["file"].tolist() == ["events.csv"]
    assert log.counts["events"]["rows_kept"] == 2
    assert_counts_add_up(log)


def test_all_faults_in_one_file_keep_their_lines(tmp_path):
    lines = [text for fault in FAULTS for text in (GOOD, fault)]
    log = read(write_events(tmp_path, *lines), tmp_path)
    found = rows(log.rejects)
    in_file = [None, "header", *lines]
    assert [in_file[line] for line in found["line"]] == found["record"].tolist() == list(FAULTS)
    assert_counts_add_up(log)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "before",
    [[], [""], [GOOD, "", ""], ["1,1,view,5"], ['1,"a\nb",view,5,'], ['1,"a""b",view,5,']],
)
def test_lines_are_those_of_the_file_whatever_comes_before(tmp_path, before, end):
    lines = [*before, "7,,view,5,", GOOD]
    path = write_events(tmp_path, *lines, end=end)
    expected = Path(path).read_bytes().decode().split("\n").index(f"7,,view,5,{end[:-1]}") + 1
    log = read(path, tmp_path)
    assert ("events", expected, "visitor id missing") in rejected(log)
    assert rows(log.rejects)["record"].tolist()[-1] == "7,,view,5,"
    assert_counts_add_up(log)


def test_a_row_over_two_lines_stands_where_it_starts(tmp_path):
    log = read(write_events(tmp_path, GOOD, '7,"a\nb",click,5,', GOOD), tmp_path)
    assert rejected(log) == [("events", 3, "unknown event")]
    assert rows(log.rejects)["record"].tolist() == ['7,"a\nb",click,5,']


def test_records_after_a_row_over_two_lines_are_their_own(tmp_path):
    lines = ['7,"a\nb",click,5,', "8,,view,5,", GOOD, '9,"c\n\nd",click,5,', "6,1,view,,"]
    found = rows(read(write_events(tmp_path, *lines), tmp_path).rejects)
    assert found["line"].tolist() == [2, 4, 6, 9]
    assert found["record"].tolist() == [lines[0], lines[1], lines[3], lines[4]]


def test_a_stray_quote_costs_only_its_own_line(tmp_path):
    lines = [GOOD, '7,"1,view,5,', *[GOOD] * 20, '8,1,"view,5,', GOOD]
    log = read(write_events(tmp_path, *lines), tmp_path)
    assert log.counts["events"]["rows_kept"] == 22
    assert [line for _, line, _ in rejected(log)] == [3, 24]
    assert_counts_add_up(log)


def test_an_endless_field_costs_only_its_own_line(tmp_path):
    lines = [GOOD, f"7,{'9' * 200_000},view,5", GOOD]
    log = read(write_events(tmp_path, *lines), tmp_path)
    assert log.counts["events"]["rows_kept"] == 2
    assert [line for _, line, _ in rejected(log)] == [3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path, end, last, mark):
    text = end.join(["timestamp,visitorid,event,itemid,transactionid", GOOD, GOOD])
    path = write_form(mark + text + end * last, tmp_path / "events.csv")
    log = read(path, tmp_path)
    assert rows(log.tables["events"])["visitor_id"].tolist() == [1, 1]
    assert_counts_add_up(log)


@pytest.mark.parametrize("other", [GOOD, "7,1,view,5"])
def test_empty_fields_beyond_the_header_are_passed_over(tmp_path, other):
    log = read(write_events(tmp_path, GOOD, f"{GOOD},,", other), tmp_path)
    assert log.counts["events"]["rows_kept"] == 2 + (other == GOOD)


def test_mixed_line_ends_are_read(tmp_path):
    text = f"timestamp,visitorid,event,itemid,transactionid\r\n{GOOD}\n{GOOD}\r\n"
    log = read(write_form(text, tmp_path / "events.csv"), tmp_path)
    assert log.counts["events"]["rows_kept"] == 2


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found_from_the_header(tmp_path, delimiter):
    text = f"timestamp,visitorid,event,itemid,transactionid\n{GOOD}\n7,,view,5,\n"
    path = write_form(text.replace(",", delimiter), tmp_path / "events.csv")
    log = read(path, tmp_path)
    assert rejected(log) == [("events", 3, "visitor id missing")]


def test_nul_bytes_are_text_like_any_other(tmp_path):
    log = read(write_events(tmp_path, GOOD, "7,a\x00b,view,5,"), tmp_path)
    assert sorted(rows(log.tables["events"])["visitor_id"]) == ["1", "a\x00b"]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["1", "2"], [1, 2]),
        (["-1", "0"], [-1, 0]),
        (["1.0", "2.0"], [1, 2]),
        ([" 1", "2 "], [1, 2]),
        (["007", "7"], ["007", "7"]),
        (["1e5", "2"], ["1e5", "2"]),
        (["1.5", "2"], ["1.5", "2"]),
        (["1_0", "2"], ["1_0", "2"]),
        (["+1", "2"], ["+1", "2"]),
        (["99999999999999999999", "2"], ["2", "99999999999999999999"]),
        (['"a,b"', '"say ""hi"""'], ["a,b", 'say "hi"']),
        (["O'Brien", "Ünal"], ["O'Brien", "Ünal"]),
    ],
)
def test_ids_are_numbers_only_where_all_are_whole(tmp_path, ids, expected):
    log = read(write_events(tmp_path, *[f"7,{name},view,5," for name in ids]), tmp_path)
    assert rows(log.tables["events"])["visitor_id"].tolist() == expected


def test_items_have_one_type_in_both_tables(tmp_path):
    path = {
        "events": write_events(tmp_path, GOOD),
        "item_properties": write_form(
            "timestamp,itemid,property,value\n1,A5,categoryid,3\n1,5,available,1\n",
            tmp_path / "p.csv",
        ),
    }
    tables = read(path, tmp_path).tables
    assert rows(tables["events"])["item_id"].tolist() == ["5"]
    assert rows(tables["item_properties"])["item_id"].tolist() == ["5", "A5"]


def test_a_transaction_id_stays_only_with_transactions(tmp_path):
    log = read(write_events(tmp_path, "1,1,view,5,9", "2,1,transaction,5,9"), tmp_path)
    found = rows(log.tables["events"])
    assert found["transaction_id"].isna().tolist() == [True, False]


def test_of_item_properties_only_two_are_kept_and_the_others_counted(tmp_path):
    lines = ["1,5,categoryid,3", "1,5,790,n12", "1,5,available,1", "1,,available,1", "1,5,888,"]
    path = {
        "events": write_events(tmp_path, GOOD),
        "item_properties": write_form(
            "\n".join(["timestamp,itemid,property,value", *lines, "1,5,,7", "x,5,available,1"]),
            tmp_path / "p.csv",
        ),
    }
    log = read(path, tmp_path)
    count = log.counts["item_properties"]
    assert count["rows_read"] == 7
    assert count["rows_kept"] == 2
    assert count["rows_not_used"] == 2
    assert "property not used" not in count["reasons"]
    assert [line for _, line, _ in rejected(log)] == [5, 7, 8]
    assert_counts_add_up(log)


def test_item_properties_of_which_none_is_used_stop_with_the_first_of_them(tmp_path):
    lines = [f"{time},5,790,n{time}" for time in range(1, 9)]
    path = {
        "events": write_events(tmp_path, GOOD),
        "item_properties": write_form(
            "\n".join(["timestamp,itemid,property,value", "1,,available,1", *lines]),
            tmp_path / "p.csv",
        ),
    }
    first = r"8 of 9 left out because: property not used; first records: '1,5,790,n1', '2,.*'3,"
    with pytest.raises(SourceError, match=first):
        read(path, tmp_path)


def test_a_category_is_listed_once(tmp_path):
    path = {
        "events": write_events(tmp_path, GOOD),
        "category_tree": write_form("categoryid,parentid\n1,\n2,1\n2,3\n,3\n", tmp_path / "t.csv"),
    }
    log = read(path, tmp_path)
    assert rejected(log) == [
        ("category_tree", 4, "category listed before"),
        ("category_tree", 5, "category id missing"),
    ]
    assert rows(log.tables["category_tree"])["parent_id"].isna().tolist() == [True, False]


def test_absent_tables_have_columns_and_no_rows(tmp_path):
    log = read({"events": write_events(tmp_path, GOOD), "item_properties": None}, tmp_path)
    for name in ("item_properties", "category_tree"):
        assert list(rows(log.tables[name]).columns) == list(COLUMNS[name])
        assert log.counts[name]["rows_read"] == 0


@pytest.mark.parametrize("path", [{"event": "x"}, {}, {"events": None}, "events.csv", None])
def test_a_path_of_another_shape_is_an_error(tmp_path, path):
    with pytest.raises(SourceError, match=r"studies\.shop\.data\.path"):
        read_events(path, scratch=tmp_path, study="shop")


def busy_log(seed=0):
    rng = np.random.default_rng(seed)
    visitors = np.repeat(np.arange(400), rng.zipf(1.7, 400).clip(max=300))
    times = rng.integers(1, 10**12, len(visitors))
    return pd.DataFrame(
        {"time": times, "visitor": visitors, "item": rng.integers(0, 50, len(times))}
    )


@pytest.mark.parametrize("quantile", [0.5, 0.99, 0.999, 1.0])
def test_visitors_over_the_quantile_go_as_numpy_counts_it(tmp_path, quantile):
    made = busy_log()
    lines = [f"{time},{visitor},view,{item}," for time, visitor, item in made.to_numpy()]
    log = read(write_events(tmp_path, *lines), tmp_path, cleaning={"visitor_quantile": quantile})
    per_visitor = made["visitor"].value_counts()
    gone = per_visitor.index[per_visitor > np.quantile(per_visitor, quantile)]
    expected = made[~made["visitor"].isin(gone)]
    assert log.counts["events"]["rows_kept"] == len(expected)
    assert log.counts["events"]["busy_visitors"] == len(gone)
    assert set(rows(log.tables["events"])["visitor_id"]) == set(expected["visitor"])
    lines_gone = (np.flatnonzero(made["visitor"].isin(gone)) + 2).tolist()
    assert [line for _, line, _ in rejected(log)] == lines_gone
    assert_counts_add_up(log)


def test_repeated_events_are_counted_and_on_request_dropped(tmp_path):
    lines = [GOOD, GOOD, "7,1,transaction,5,1", GOOD, "7,1,transaction,5,2", "7,1,transaction,5,2"]
    path = write_events(tmp_path, *lines)
    kept = read(path, tmp_path)
    assert kept.counts["events"]["repeated_events"] == 3
    assert kept.counts["events"]["rows_kept"] == 6
    dropped = read(path, tmp_path, cleaning=EVERYONE | {"repeated_events": "drop"})
    assert dropped.counts["events"]["repeated_events"] == 3
    assert rejected(dropped) == [("events", line, "repeated event") for line in (3, 5, 7)]
    assert_counts_add_up(dropped)


def test_several_files_are_one_table_with_lines_of_their_own(tmp_path):
    write_events(tmp_path, GOOD, "7,,view,5,", name="part_1.csv")
    write_events(tmp_path, "7,a,view,5,", "", "7,1,click,5,", name="part_2.csv")
    log = read(f"{tmp_path}/part_*.csv", tmp_path)
    found = rows(log.rejects)
    assert found[["file", "line"]].to_numpy().tolist() == [["part_1.csv", 3], ["part_2.csv", 4]]
    assert rows(log.tables["events"])["visitor_id"].tolist() == ["1", "a"]
    assert_counts_add_up(log)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "csv.xz", "zip", "parquet", "xlsx"])
def test_every_form_gives_the_same_table(tmp_path, form):
    text = (
        "timestamp,visitorid,event,itemid,transactionid\n"
        "1433193132535,7,view,5,\n1433193132536,7,transaction,5,12\n1433193132537,8,addtocart,6,\n"
    )
    log = read(write_form(text, tmp_path / f"events.{form}"), tmp_path)
    expected = pd.DataFrame(
        {
            "timestamp_ms": [1433193132535, 1433193132536, 1433193132537],
            "visitor_id": [7, 7, 8],
            "event": ["view", "transaction", "addtocart"],
            "item_id": [5, 5, 6],
            "transaction_id": [np.nan, 12, np.nan],
        }
    )
    pd.testing.assert_frame_equal(rows(log.tables["events"]), expected)
    assert log.counts["events"]["rows_rejected"] == 0


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_typed_files_number_their_rows(tmp_path, form):
    text = "timestamp,visitorid,event,itemid,transactionid\n1,2,view,5,\n3,4,click,6,\n"
    log = read(write_form(text, tmp_path / f"events.{form}"), tmp_path)
    line = {"parquet": 2, "xlsx": 3}[form]
    assert rejected(log) == [("events", line, "unknown event")]
    assert rows(log.rejects)["record"].tolist()[0].startswith("3,4,click,6")


def test_every_sheet_of_a_workbook_is_read(tmp_path):
    table = pd.DataFrame([[1, 2, "view", 5, None]], columns=list(COLUMNS["events"].values()))
    with pd.ExcelWriter(tmp_path / "log.xlsx", engine="openpyxl") as book:
        table.to_excel(book, sheet_name="one", index=False)
        table.assign(event="click").to_excel(book, sheet_name="two", index=False)
    log = read(f"{tmp_path}/log.xlsx", tmp_path)
    assert log.counts["events"]["rows_read"] == 2
    assert rows(log.rejects)["file"].tolist() == ["log.xlsx[two]"]


def test_columns_are_mapped_by_name(tmp_path):
    path = write_form("who,when,what,on,basket\n7,5,view,3,\n", tmp_path / "events.csv")
    names = {"visitor_id": "who", "timestamp_ms": "when", "event": "what", "item_id": "on"}
    log = read(path, tmp_path, columns={"events": names | {"transaction_id": "basket"}})
    assert rows(log.tables["events"])["visitor_id"].tolist() == [7]


@pytest.mark.parametrize(
    "columns", [{"events": {"visitor": "x"}}, {"event": {}}, {"events": {"event": 3}}]
)
def test_a_wrong_mapping_is_an_error(tmp_path, columns):
    with pytest.raises(SourceError, match=r"studies\.shop\.data\.columns"):
        read(write_events(tmp_path, GOOD), tmp_path, columns=columns)


def test_without_one_usable_row_the_first_records_are_shown(tmp_path):
    path = write_events(tmp_path, "2015-06-01,1,view,5,", "2015-06-02,1,view,5,")
    with pytest.raises(SourceError, match=r"timestamp is not a whole number.*'2015-06-01,1") as e:
        read(path, tmp_path)
    assert "studies.shop.data.columns.events" in str(e.value)


def test_the_order_of_lines_and_the_number_of_threads_change_nothing(tmp_path):
    made = busy_log()
    lines = [f"{time},{visitor},view,{item}," for time, visitor, item in made.to_numpy()]
    shuffled = np.random.default_rng(1).permutation(lines)
    first = read(write_events(tmp_path, *lines), tmp_path, threads=1)
    second = read(write_events(tmp_path, *shuffled, name="other.csv"), tmp_path, threads=2)
    pd.testing.assert_frame_equal(rows(first.tables["events"]), rows(second.tables["events"]))
    assert first.counts == second.counts


@pytest.mark.parametrize(
    ("cleaning", "message"),
    [
        ({"quantile": 1}, r"studies\.shop\.data\.cleaning\.quantile is no cleaning rule"),
        ({"visitor_quantile": "0.9"}, r"cleaning\.visitor_quantile is '0\.9'"),
        ({"visitor_quantile": 1.5}, r"cleaning\.visitor_quantile is 1\.5"),
        ({"repeated_events": "kep"}, r"cleaning\.repeated_events is 'kep'.*'keep' or 'drop'"),
    ],
)
def test_a_mistyped_rule_is_named(tmp_path, cleaning, message):
    with pytest.raises(SourceError, match=message):
        read(write_events(tmp_path, GOOD), tmp_path, cleaning=cleaning)
