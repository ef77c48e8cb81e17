import pandas as pd
import pytest

from cohortlab.publishing import (
    PublishingError,
    customers_table,
    harmless_in_sheets,
    publish,
    read_run,
    run_id,
)

FEATURES = pd.DataFrame(
    {
        "customer_id": [3, 1],
        "gross_revenue": [30.0, 10.0],
        "recency_days": [3, 1],
        "quantity_of_products": [3, 1],
        "frequency": [0.3, 0.1],
        "returns": [0, 0],
    }
)
CLUSTERS = pd.DataFrame({"id": [1, 3], "cluster": [0, 1]})
NAMES = {0: "low", 1: "high"}
# What a database, a spreadsheet or a careless program could stumble over.
HOSTILE = [
    "O'Brien",
    '"quoted"',
    "a;b,c",
    "'); DROP TABLE published_customers; --",
    "nul\0inside",
    "back\\slash\\N",
    "\\.",
    "line\nbreak\r\n\\.\ntab\t",
    "%s %(x)s :name ${HOME} {0}",
    "λ, 猫, 🐈",
    "",
    " ",
    "=1+1",
]


def test_customers_are_joined_by_id_whatever_their_order():
    segments = pd.DataFrame({"customer_id": [1, 3], "score": [9, 9], "segment": ["new", "loyal"]})
    table = customers_table(FEATURES, CLUSTERS, NAMES, segments=segments)
    assert table["customer_id"].tolist() == ["1", "3"]
    assert table["gross_revenue"].tolist() == [10.0, 30.0]
    assert table["cluster_name"].tolist() == ["low", "high"]
    assert table["segment"].tolist() == ["new", "loyal"]
    without = customers_table(FEATURES, CLUSTERS, NAMES)
    assert without["segment"].isna().all()


@pytest.mark.parametrize(
    ("clusters", "names", "message"),
    [
        (CLUSTERS.iloc[:1], NAMES, r"not in the latter \['3'\]"),
        (pd.DataFrame({"id": [1, 3, 4], "cluster": 0}), NAMES, r"only there \['4'\]"),
        (pd.DataFrame({"id": [1, 3, 3], "cluster": 0}), NAMES, r"more than once \['3'\]"),
        (CLUSTERS, {0: "low"}, r"without a name: \[1\]"),
    ],
)
def test_tables_of_other_customers_are_refused(clusters, names, message):
    with pytest.raises(PublishingError, match=message):
        customers_table(FEATURES, clusters, names)


def test_segments_of_other_customers_are_refused():
    segments = pd.DataFrame({"customer_id": [1], "segment": ["new"]})
    with pytest.raises(PublishingError, match=r"`segment`; not in the latter \['3'\]"):
        customers_table(FEATURES, CLUSTERS, NAMES, segments=segments)


def test_nobody_is_not_published():
    with pytest.raises(PublishingError, match="no customer"):
        customers_table(FEATURES.iloc[:0], CLUSTERS.iloc[:0], NAMES)


def test_ids_that_only_nul_keeps_apart_are_refused():
    features = FEATURES.assign(customer_id=["a\0", "a␀"])
    clusters = pd.DataFrame({"id": ["a\0", "a␀"], "cluster": [0, 1]})
    with pytest.raises(PublishingError, match="same id"):
        customers_table(features, clusters, NAMES)


def test_a_run_is_named_by_its_rows_and_not_by_their_order():
    table = customers_table(FEATURES, CLUSTERS, NAMES)
    again = customers_table(FEATURES[::-1], CLUSTERS[::-1], NAMES)
    assert run_id(table, study="shop") == run_id(again, study="shop")


@pytest.mark.parametrize("column", ["customer_id", "cluster", "cluster_name", "segment", "returns"])
def test_a_run_is_another_where_one_value_is_another(column):
    table = customers_table(FEATURES, CLUSTERS, NAMES)
    other = table.copy()
    other.loc[0, column] = 7 if pd.api.types.is_numeric_dtype(table[column]) else "7"
    assert run_id(other, study="shop") != run_id(table, study="shop")


def test_a_missing_segment_is_not_an_empty_one():
    table = customers_table(FEATURES, CLUSTERS, NAMES)
    empty = table.assign(segment=pd.Series(["", ""], dtype="str"))
    assert run_id(empty, study="shop") != run_id(table, study="shop")


def test_hostile_text_comes_back_as_it_was_but_for_nul(engine, make_customers):
    customers = make_customers(names=HOSTILE[:2], ids=HOSTILE)
    expected = {text.replace("\0", "␀") for text in HOSTILE}
    assert set(customers["customer_id"]) == expected
    back = read_run(engine, publish(engine, customers, study="'; DROP TABLE published_runs; --"))
    pd.testing.assert_frame_equal(back, customers)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\t=1", "'\t'=1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("a;=1", "a;'=1"),
        ("a, -1", "a, '-1"),
        ('"=1', "\"'=1"),
        ("x\n=1", "x\n'=1"),
        ("=1;=2", "'=1;'=2"),
        ("Anna-Maria = Bob", "Anna-Maria = Bob"),
        ("e@mail", "e@mail"),
        ("", ""),
        ("'=1", "'=1"),
        ("a\0b", "a\N{SYMBOL FOR NULL}b"),
    ],
)
def test_formulas_are_made_harmless_for_spreadsheets(text, harmless):
    table = pd.DataFrame({"name": [text, None], "number": [-1.5, 2.0]})
    before = table.copy()
    safe = harmless_in_sheets(table)
    assert safe["name"].iloc[0] == harmless
    assert safe["name"].isna().tolist() == [False, True]
    assert safe["number"].tolist() == [-1.5, 2.0]
    pd.testing.assert_frame_equal(table, before)
    pd.testing.assert_frame_equal(harmless_in_sheets(safe), safe)
