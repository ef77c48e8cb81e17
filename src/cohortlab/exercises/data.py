"""Checks of the exercise on reading a log."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cohortlab.exercises.feedback import question


@question
def usable(lines: pd.DataFrame, usable: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a true or false for every line."""
    yield len(usable) == len(lines), f"there are {len(lines)} lines and {len(usable)} answers"
    yield not usable[lines["customer"].isna()].any(), "a line without a customer is called usable"
    yield not usable[lines["quantity"] <= 0].any(), "a line that sells nothing is called usable"
    n_good = len(lines.dropna().query("quantity > 0"))
    yield int(usable.sum()) == n_good, "a good line is called unusable"


@question
def reason(lines: pd.DataFrame, usable: pd.Series, reason: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect one reason for every rejected line, none for the others."""
    kept = lines.index[usable]
    yield not reason.index.isin(kept).any(), "a line that is kept has a reason too"
    yield reason.index.is_unique, "a line has two reasons: it is still one line"
    yield len(reason) == (~usable).sum(), "a rejected line has no reason"
    yield set(reason) <= {"no customer", "no quantity"}, "there are two reasons to choose from"
    nobody = lines["customer"].isna()[reason.index]
    yield (reason[nobody] == "no customer").all(), "the first reason goes before the second"
    yield (reason[~nobody] == "no quantity").all(), "a line with a customer is said to have none"


@question
def account(lines: pd.DataFrame, account: dict) -> Iterator[tuple[bool, str]]:
    """Expect the keys `read`, `kept` and `rejected`."""
    keys = {"read", "kept", "rejected"}
    yield set(account) == keys, f"expected the keys {sorted(keys)}"
    yield account["read"] == len(lines), "read are all the rows that the file had, good or bad"
    balanced = account["read"] == account["kept"] + account["rejected"]
    yield balanced, "it does not balance: a row is lost, or counted twice"


@question
def ids(lines: pd.DataFrame, usable: pd.Series, ids: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a text for every usable line."""
    yield len(ids) == usable.sum(), "expected an id for every usable line, and for no other"
    yield all(isinstance(name, str) for name in ids), "an id is a name: text, no number"
    yield not any("." in name for name in ids), "an id ends in the trace of a decimal number"
    same = np.array([float(name) for name in ids]) == lines["customer"][usable].to_numpy()
    yield same.all(), "an id is not that of its line"


@question
def times(stamps: pd.Series, times: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a time in UTC for every stamp."""
    yield str(times.dt.tz) == "UTC", "the times do not say that they are in UTC"
    hour = times.dt.hour + times.dt.minute / 60
    yield hour.iloc[1] == 8.75, "the second stamp was in UTC already and should not have moved"
    yield hour.iloc[0] < hour.iloc[1], "what the clock on the wall shows is not yet UTC"
    yield hour.iloc[2] > hour.iloc[1], "the third till lies west: its clock is behind UTC"
