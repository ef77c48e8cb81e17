import ibis
import numpy as np
import pandas as pd
import pytest

from cohortlab.schemas import KINDS, TABLES, TableError, validate

CLUSTERS = pd.DataFrame(
    {"id": ["a_1", "b_1"], "cluster": [0, 1], "probability": [1.0, 0.75], "uncertainty": [0, 0.25]}
)


def test_a_good_table_comes_back_itself():
    assert validate("clusters", CLUSTERS) is CLUSTERS


@pytest.mark.parametrize("rows", [0, 1])
def test_short_tables_are_good(rows):
    short = CLUSTERS.head(rows)
    assert validate("clusters", short) is short


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("probability", [0.5, 1.5], r"clusters: column probability: not in \[0, 1\].*1\.5"),
        ("cluster", [0.0, 1.5], "column cluster: not is integer"),
        ("cluster", ["x", "y"], "column cluster"),
        ("id", ["a_1", "a_1"], "column id.*a_1"),
        ("probability", [0.5, np.nan], "column probability"),
    ],
)
def test_a_bad_value_is_named_with_its_table_and_column(column, values, message):
    with pytest.raises(TableError, match=message):
        validate("clusters", CLUSTERS.assign(**{column: values}))


@pytest.mark.parametrize(
    "table",
    [CLUSTERS.drop(columns="cluster"), CLUSTERS.assign(other=1), CLUSTERS[CLUSTERS.columns[::-1]]],
)
def test_missing_surplus_and_disordered_columns_are_named(table):
    with pytest.raises(TableError, match=r"columns are .* expected"):
        validate("clusters", table)


def test_columns_that_need_item_properties_may_be_absent():
    optional = [c.name for c in TABLES["session_features"] if c.optional]
    assert optional == [
        "unique_categories_viewed",
        "avg_item_availability",
        "category_spread_ratio",
    ]


def test_an_ibis_table_is_checked_for_names_and_missing_values():
    tree = pd.DataFrame({"category_id": ["1", None], "parent_id": [None, "1"]})
    with pytest.raises(TableError, match=r"category_tree.*'category_id': 1"):
        validate("category_tree", ibis.memtable(tree))
    good = ibis.memtable(tree.dropna(subset="category_id"))
    assert validate("category_tree", good) is good


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_described_and_of_a_known_kind(name):
    columns = TABLES[name]
    assert len({c.name for c in columns}) == len(columns)
    assert all(c.kind in KINDS and c.description and c.description[-1] != "." for c in columns)
