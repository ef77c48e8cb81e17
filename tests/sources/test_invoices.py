import numpy as np
import pandas as pd
import pytest
from sources.writing import INVOICE_HEADER, rejected, rows, write_form, write_invoices

from cohortlab.features.invoices import customer_features
from cohortlab.sources import SourceError, read_invoices

GOOD = "536365,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,United Kingdom"


def read(path, tmp_path, **options):
    options = {"threads": 1} | options
    return read_invoices(path, scratch=tmp_path / "scratch", study="shop", **options)


FAULTS = {
    ",85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,France": "invoice id missing",
    "1,,LANTERN,6,12/1/2010 8:26,2.55,17850,France": "stock code missing",
    "1,85123A,LANTERN,6.5,12/1/2010 8:26,2.55,17850,France": "quantity is not a whole number",
    "1,85123A,LANTERN,six,12/1/2010 8:26,2.55,17850,France": "quantity is not a whole number",
    "1,85123A,LANTERN,nan,12/1/2010 8:26,2.55,17850,France": "quantity is not a whole number",
    "1,85123A,LANTERN,inf,12/1/2010 8:26,2.55,17850,France": "quantity is not a whole number",
    "1,85123A,LANTERN,1e300,12/1/2010 8:26,2.55,17850,France": "quantity out of range",
    "1,85123A,LANTERN,9223372036854775807,12/1/2010 8:26,0,17850,France": "quantity out of range",
    "1,85123A,LANTERN,-1000000000000,12/1/2010 8:26,0,17850,France": "quantity out of range",
    "1,85123A,LANTERN,0,12/1/2010 8:26,2.55,17850,France": "quantity is zero",
    "1,85123A,LANTERN,6,31/12/2010 8:26,2.55,17850,France": "date cannot be read",
    "1,85123A,LANTERN,6,,2.55,17850,France": "date cannot be read",
    "1,85123A,LANTERN,6,12/1/10 8:26,2.55,17850,France": "date out of range",
    "1,85123A,LANTERN,6,2201-01-01,2.55,17850,France": "date out of range",
    '1,85123A,LANTERN,6,12/1/2010 8:26,"2,55",17850,France': "unit price is not a number",
    "1,85123A,LANTERN,6,12/1/2010 8:26,nan,17850,France": "unit price is not a number",
    "1,85123A,LANTERN,6,12/1/2010 8:26,inf,17850,France": "unit price is not a number",
    "1,85123A,LANTERN,99999999999,12/1/2010 8:26,11.5,17850,France": "value out of range",
    "1,85123A,LANTERN,-99999999999,12/1/2010 8:26,11.5,17850,France": "value out of range",
    "1,85123A,LANTERN,6,12/1/2010 8:26,1e13,17850,France": "value out of range",
    "1,85123A,LANTERN,2,12/1/2010 8:26,1e308,17850,France": "value out of range",
    "1,85123A,,6,12/1/2010 8:26,2.55,17850,France": "no description",
    "1,POST,POSTAGE,6,12/1/2010 8:26,2.55,17850,France": "stock code of letters only",
    "1,m,Manual,6,12/1/2010 8:26,2.55,17850,France": "stock code of letters only",
    "1,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850,Unspecified": "country removed",
    "1,85123A,LANTERN,6,12/1/2010 8:26,0.039,17850,France": "unit price under 0.04",
    "1,85123A,LANTERN,6,12/1/2010 8:26,-5,17850,France": "unit price under 0.04",
    "1,85123A,LANTERN,6,12/1/2010 8:26,2.55,16446,France": "customer removed",
    "1,85123A,LANTERN,6": "4 fields where the header has 8",
}


@pytest.mark.parametrize(("line", "reason"), FAULTS.items())
def test_a_row_that_cannot_be_used_is_set_apart_with_its_line(tmp_path, line, reason):
    log = read(write_invoices(tmp_path, GOOD, line, GOOD), tmp_path)
    assert rejected(log) == [("invoices", 3, reason)]
    assert rows(log.rejects)["record"].tolist() == [line]
    count = log.counts["invoices"]
    assert (count["rows_read"], count["rows_kept"], count["rows_rejected"]) == (3, 2, 1)


def test_quantities_that_pass_can_be_added_up(tmp_path):
    # Free of charge, so that only the quantities are large.
    lines = [f"{i},85123A,LANTERN,{10**12 - 1},12/1/2010 8:26,0,5,France" for i in range(2000)]
    log = read(write_invoices(tmp_path, *lines), tmp_path, cleaning={"min_unit_price": None})
    features = rows(customer_features(log.tables["invoices"]))
    assert features["quantity_of_products"].tolist() == [2000 * (10**12 - 1)]


@pytest.mark.parametrize(
    "line",
    [
        "1,BANK CHARGES,Bank Charges,6,12/1/2010 8:26,2.55,17850,France",
        "1,C2,CARRIAGE,6,12/1/2010 8:26,0.04,17850,France",
        "1,85123A,LANTERN,-6,12/1/2010 8:26,2.55,17850,",
        "1,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,France",
        "1,85123A,LANTERN,6,12/1/2010 8:26,2.55,17850.0,France",
    ],
)
def test_a_row_at_the_edge_of_a_rule_stays(tmp_path, line):
    log = read(write_invoices(tmp_path, GOOD, line), tmp_path)
    assert log.counts["invoices"]["rows_kept"] == 2


def test_every_rule_can_be_switched_off(tmp_path):
    off = {
        "drop_missing_description": False,
        "drop_letter_only_codes": False,
        "drop_countries": [],
        "min_unit_price": None,
        "drop_customers": [],
    }
    first = list(FAULTS.values()).index("no description")
    lines = list(FAULTS)[first:-1]
    log = read(write_invoices(tmp_path, *lines), tmp_path, cleaning=off)
    assert log.counts["invoices"]["rows_kept"] == len(lines)


def anonymous(invoice, price=2.55):
    return f"{invoice},85123A,LANTERN,6,12/1/2010 8:26,{price},,France"


def test_each_invoice_without_a_customer_becomes_one(tmp_path):
    lines = [anonymous(9), GOOD, anonymous(7), anonymous(9), anonymous(8, price=0)]
    found = rows(read(write_invoices(tmp_path, *lines), tmp_path).tables["invoices"])
    nameless = found[found["is_anonymous"]]
    # Invoice 8 has the number between the others, though none of its rows is kept.
    assert dict(zip(nameless["invoice_id"], nameless["customer_id"], strict=True)) == {
        7: 19000,
        9: 19002,
    }
    assert found.loc[~found["is_anonymous"], "customer_id"].tolist() == [17850]


def test_rows_without_a_customer_are_dropped_on_request(tmp_path):
    path = write_invoices(tmp_path, GOOD, anonymous(9))
    log = read(path, tmp_path, cleaning={"anonymous": "drop"})
    assert rejected(log) == [("invoices", 3, "no customer")]


def test_numbers_for_those_without_one_must_be_free(tmp_path):
    path = write_invoices(tmp_path, GOOD, anonymous(9))
    with pytest.raises(
        SourceError, match=r"17850.*studies\.shop\.data\.cleaning\.anonymous_ids_from"
    ):
        read(path, tmp_path, cleaning={"anonymous_ids_from": 17850})
    assert read(path, tmp_path, cleaning={"anonymous_ids_from": 17851})


def test_text_customers_and_numbered_ones_live_side_by_side(tmp_path):
    path = write_invoices(tmp_path, GOOD.replace("17850", "A17"), anonymous(9))
    found = rows(read(path, tmp_path, cleaning={"drop_customers": ["B"]}).tables["invoices"])
    assert sorted(found["customer_id"]) == ["19000", "A17"]


@pytest.mark.parametrize("other", ["17850", "A17"])
def test_one_customer_has_one_id_however_it_is_written(tmp_path, other):
    # One id that is no number makes a text column of all of them.
    ids = ["17850", "17850.0", " 17850.00 ", other, "16446", "16446.0", "nan", "NaN", ""]
    path = write_invoices(tmp_path, *(GOOD.replace("17850", written) for written in ids))
    log = read(path, tmp_path)
    found = rows(log.tables["invoices"])
    named = found.loc[~found["is_anonymous"], "customer_id"].astype(str)
    assert set(named) == {"17850", other}
    assert found["is_anonymous"].sum() == 3
    assert log.counts["invoices"]["reasons"] == {"customer removed": 2}


@pytest.mark.parametrize(
    ("cleaning", "message"),
    [
        ({"drop_contries": []}, "cleaning.drop_contries is no cleaning rule"),
        ({"drop_countries": ["France", 3]}, "cleaning.drop_countries.1 is 3"),
        ({"drop_countries": "France"}, "cleaning.drop_countries is 'France'"),
        ({"min_unit_price": "0.04"}, "cleaning.min_unit_price is '0.04'"),
        ({"drop_missing_description": 1}, "cleaning.drop_missing_description is 1"),
        ({"date_format": "%Q"}, "cleaning.date_format is '%Q': failed to parse"),
        ({"anonymous": "keep"}, "cleaning.anonymous is 'keep'"),
        ({"anonymous_ids_from": -1}, "cleaning.anonymous_ids_from is -1"),
        ({"anonymous_ids_from": 10**30}, "cleaning.anonymous_ids_from is 1000"),
        ({"min_unit_price": float("nan")}, "cleaning.min_unit_price is nan"),
    ],
)
def test_a_mistyped_rule_is_named(tmp_path, cleaning, message):
    with pytest.raises(SourceError) as caught:
        read(write_invoices(tmp_path, GOOD), tmp_path, cleaning=cleaning)
    assert f"studies.shop.data.{message}" in str(caught.value)


TEXT = "\n".join(
    [
        INVOICE_HEADER,
        '536365,85123A,"LANTERN, ""WHITE""",6,12/1/2010 8:26,2.55,17850,United Kingdom',
        "C536366,22752,SET 7,-2,12/31/2010 18:05,7.65,,France",
        "536367,22752,Ünder the £,3,1/2/2011 0:00,1,17851,EIRE",
    ]
)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "csv.xz", "zip", "parquet", "xlsx"])
def test_every_form_gives_the_same_table(tmp_path, form):
    path = write_form(TEXT, tmp_path / f"data.{form}", encoding="windows-1252")
    log = read(path, tmp_path)
    expected = pd.DataFrame(
        {
            "invoice_id": ["536365", "536367", "C536366"],
            "stock_code": ["85123A", "22752", "22752"],
            "description": ['LANTERN, "WHITE"', "Ünder the £", "SET 7"],
            "quantity": [6, 3, -2],
            "invoice_date": pd.to_datetime(
                ["2010-12-01 08:26", "2011-01-02 00:00", "2010-12-31 18:05"]
            ).as_unit("us"),
            "unit_price": [2.55, 1.0, 7.65],
            "customer_id": [17850, 17851, 19000],
            "country": ["United Kingdom", "EIRE", "France"],
            "is_anonymous": [False, False, True],
        }
    )
    pd.testing.assert_frame_equal(rows(log.tables["invoices"]), expected)


def test_another_form_of_dates_is_a_rule(tmp_path):
    path = write_invoices(tmp_path, GOOD.replace("12/1/2010 8:26", "31.12.2010"))
    log = read(path, tmp_path, cleaning={"date_format": "%d.%m.%Y"})
    assert rows(log.tables["invoices"])["invoice_date"].tolist() == [pd.Timestamp("2010-12-31")]


@pytest.mark.parametrize(
    ("written", "date_format"),
    [
        ("2010-12-01T08:26:00+02:00", None),
        ("2010-12-01 08:26:00.000+02", None),
        ("2010-12-01T06:26:00Z", None),
        ("2010-12-01 07:26 Europe/Berlin", None),
        ("2010-12-01 01:26:00-0500", None),
        ("2010-12-01 06:26:00", None),
        ("1.12.2010 08:26 +0200", "%d.%m.%Y %H:%M %z"),
        ("1.12.2010 06:26", "%d.%m.%Y %H:%M"),
    ],
)
@pytest.mark.parametrize("machine", ["UTC", "America/New_York"])
def test_dates_with_a_zone_are_read_in_utc(tmp_path, monkeypatch, machine, written, date_format):
    monkeypatch.setenv("TZ", machine)
    path = write_invoices(tmp_path, GOOD.replace("12/1/2010 8:26", written))
    cleaning = {"date_format": date_format} if date_format else None
    log = read(path, tmp_path, cleaning=cleaning)
    assert rows(log.tables["invoices"])["invoice_date"].tolist() == [
        pd.Timestamp("2010-12-01 06:26")
    ]


def test_dates_that_none_can_be_read_stop_with_the_first_records(tmp_path):
    path = write_invoices(tmp_path, GOOD.replace("12/1/2010", "2010.12.1"))
    with pytest.raises(SourceError, match=r"date cannot be read.*536365,85123A.*cleaning"):
        read(path, tmp_path)


def test_the_order_of_lines_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    lines = [
        f"{rng.integers(1, 40)},S{rng.integers(9)},TEA,{rng.integers(1, 9)},12/1/2010 8:26,"
        f"{rng.integers(1, 99) / 100},{rng.choice(['', '5', '6'])},France"
        for _ in range(300)
    ]
    first = read(write_invoices(tmp_path, *lines), tmp_path)
    shuffled = rng.permutation(lines)
    second = read(write_invoices(tmp_path, *shuffled, name="b.csv"), tmp_path, threads=2)
    pd.testing.assert_frame_equal(rows(first.tables["invoices"]), rows(second.tables["invoices"]))
    assert first.counts == second.counts


@pytest.mark.parametrize("columns", [["Quantity"], "Quantity", 3])
def test_columns_that_are_no_mapping_are_an_error(tmp_path, columns):
    with pytest.raises(SourceError, match=r"studies\.shop\.data\.columns must be a mapping"):
        read(write_invoices(tmp_path, GOOD), tmp_path, columns=columns)


def test_a_missing_column_is_looked_for_among_those_that_are_free(tmp_path):
    path = write_invoices(tmp_path, GOOD)
    text = (tmp_path / "data.csv").read_bytes().replace(b"CustomerID", b"Client")
    (tmp_path / "data.csv").write_bytes(text)
    with pytest.raises(SourceError, match=r"no column 'CustomerID'.*'customer_id: Client'"):
        read(path, tmp_path)
