"""Checks of the exercise on features."""

from collections.abc import Iterator

import pandas as pd

from cohortlab.exercises.feedback import question

_PAUSE_SEC = 30 * 60


def _pauses(events: pd.DataFrame) -> pd.Series:
    """Return the seconds since the event before of the same visitor, none for the first."""
    own = (
        events["time"].astype("int64")
        / 10 ** {"s": 0, "ms": 3, "us": 6, "ns": 9}[events["time"].dt.unit]
    )
    return own - own.groupby(events["visitor"]).shift()


@question
def begins(events: pd.DataFrame, begins: pd.Series) -> Iterator[tuple[bool, str]]:
    """Expect a true or false for every event."""
    pauses = _pauses(events)
    yield len(begins) == len(events), "expected an answer for every event"
    yield begins[pauses.isna()].all(), "the first event of a visitor begins a session"
    yield (
        begins[pauses > _PAUSE_SEC].all(),
        ("a visitor paused for long and another one came in between: whose pauses are these?"),
    )
    yield not begins[pauses <= _PAUSE_SEC].any(), "an event soon after another begins a session"


@question
def number(
    events: pd.DataFrame, begins: pd.Series, number: pd.Series
) -> Iterator[tuple[bool, str]]:
    """Expect a whole number from 1 for every event."""
    yield (
        number.groupby(events["visitor"]).min().eq(1).all(),
        ("every visitor's first session is number 1"),
    )
    steps = number.groupby(events["visitor"]).diff().dropna()
    yield (
        steps.eq(begins[steps.index]).all(),
        ("the number should rise by one where a session begins, and nowhere else"),
    )


@question
def duration(
    events: pd.DataFrame, number: pd.Series, duration: pd.Series
) -> Iterator[tuple[bool, str]]:
    """Expect a number of seconds for every session."""
    n_sessions = len(set(zip(events["visitor"], number, strict=True)))
    yield len(duration) == n_sessions, f"there are {n_sessions} sessions, and {len(duration)} rows"
    yield pd.api.types.is_numeric_dtype(duration), "expected plain numbers, in seconds"
    pauses = _pauses(events)
    expected = pauses[pauses <= _PAUSE_SEC].sum()
    yield (
        duration.sum() == expected,
        ("together they do not last as long as the pauses inside them: which unit is this?"),
    )
    yield duration.min() == 0, "a session of one event has no duration"


@question
def incidence(events: pd.DataFrame, incidence: pd.DataFrame) -> Iterator[tuple[bool, str]]:
    """Expect a row for every pair of visitor and item, with the columns visitor, item, weight."""
    columns = ["visitor", "item", "weight"]
    yield list(incidence.columns) == columns, f"expected the columns {columns}"
    yield not incidence.duplicated(["visitor", "item"]).any(), "a pair stands in two rows"
    yield incidence["weight"].sum() == len(events), "the weights do not add up to all events"
    tea = events.query("visitor == 'a' and item == 'tea'")
    own = incidence.query("visitor == 'a' and item == 'tea'")["weight"]
    yield own.tolist() == [len(tea)], "a weight is not how often the pair occurs"
