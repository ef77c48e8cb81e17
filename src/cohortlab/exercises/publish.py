"""Checks of the exercise on publishing."""

import sqlite3
from collections.abc import Iterator

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def statement(customers: pd.DataFrame, statement: str) -> Iterator[tuple[bool, str]]:
    """Expect a text of SQL."""
    marks = statement.count("?") or statement.count(":")
    yield (
        marks == customers.shape[1],
        ("values should not stand in the text: the database has a sign for each, to be filled in"),
    )
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE customers (id, name, segment, revenue)")
        database.executemany(statement, customers.to_numpy().tolist())
        arrived = database.execute("SELECT name FROM customers ORDER BY id").fetchall()
    except sqlite3.Error as error:
        yield False, f"the database says: {error}"
    finally:
        database.close()
    yield [name for (name,) in arrived] == customers["name"].tolist(), "names have changed"


@question
def totals(customers: pd.DataFrame, totals: pd.DataFrame) -> Iterator[tuple[bool, str]]:
    """Expect a row a segment, with the columns `rows` and `revenue`."""
    yield list(totals.columns) == ["rows", "revenue"], "expected the columns `rows`, `revenue`"
    yield totals["rows"].sum() == len(customers), "the rows do not add up to all customers"
    yield (
        np.isclose(totals["revenue"].sum(), customers["revenue"].sum()),
        ("the revenues do not add up to that of all customers"),
    )
    own = customers.loc[customers["segment"] == "best", "revenue"]
    yield np.isclose(totals.loc["best", "revenue"], own.sum()), "a segment has another's revenue"


@question
def differing(
    totals: pd.DataFrame, arrived: pd.DataFrame, differing: list
) -> Iterator[tuple[bool, str]]:
    """Expect a list of names of segments."""
    yield set(differing) <= set(totals.index), "there is no such segment"
    lost = {
        name
        for name in totals.index
        if (arrived["segment"] == name).sum() != totals.loc[name, "rows"]
    }
    yield lost <= set(differing), "a segment has lost rows, although some of it is there"
    yield set(differing) == lost, "a segment is whole, and is called incomplete"


@question
def harmless(customers: pd.DataFrame, harmless: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a name for every customer."""
    yield len(harmless) == len(customers), "expected a name for every customer"
    yield not harmless.str[0].isin(list("=+-@")).any(), "a name would still be run as a formula"
    inside = [old in new for old, new in zip(customers["name"], harmless, strict=True)]
    yield all(inside), "a name has lost letters: nobody could find that customer again"
    changed = (harmless != customers["name"]).sum()
    yield (
        changed == customers["name"].str[0].isin(list("=+-@")).sum(),
        ("a name that was harmless has changed too"),
    )
