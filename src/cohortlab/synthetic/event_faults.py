"""Faulty lines of an event log: damaged copies of true lines, so that no true event is lost."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from cohortlab.synthetic.lines import join_fields, pick, stack

UNKNOWN_EVENTS = ("wishlist", "click", "removefromcart")
UNREADABLE_TIMES = ("unknown", "2015-06-31T25:61", "14331x2762117")

# A line in five fields: timestamp, visitor, event, item, transaction.
Fields = list[pa.Array]


def fault_lines(
    fields: Fields,
    is_transaction: np.ndarray,
    rates: Mapping[str, float],
    *,
    rng: np.random.Generator,
) -> dict[str, pa.Array]:
    """Make the faulty lines to add to a chunk.

    Parameters
    ----------
    fields : list of five large-string arrays
        The true lines: timestamp, visitor, event, item, transaction.
    is_transaction : ndarray of bool
        Which lines are transactions.
    rates : mapping of str to float
        Faulty lines of each kind per true line; for ``transaction_without_id`` per transaction.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to array of large string
        Lines by fault.

    Notes
    -----
    Each is a copy of a true line of the same visitor, time and item, damaged in one place. A
    reader that keeps some of them still finds no session that was not planted.
    """
    lines = {}
    for name, damage in DAMAGES.items():
        sources = np.arange(len(is_transaction))
        if name == "transaction_without_id":
            sources = np.flatnonzero(is_transaction)
        count = rng.binomial(len(sources), rates[name])
        chosen = pa.array(rng.choice(sources, count, replace=False))
        lines[name] = damage([field.take(chosen) for field in fields], rng)
    return lines


def _line(fields: list[pa.Array | str]) -> pa.Array:
    return join_fields(fields, separator=",", end="\n")


def _without(position: int) -> Callable[[Fields, np.random.Generator], pa.Array]:
    def damage(fields: Fields, rng: np.random.Generator) -> pa.Array:
        return _line([*fields[:position], "", *fields[position + 1 :]])

    return damage


def _replaced(
    position: int, words: tuple[str, ...]
) -> Callable[[Fields, np.random.Generator], pa.Array]:
    def damage(fields: Fields, rng: np.random.Generator) -> pa.Array:
        word = pick(words, rng.integers(0, len(words), len(fields[0])))
        return _line([*fields[:position], word, *fields[position + 1 :]])

    return damage


def _repeated(fields: Fields, rng: np.random.Generator) -> pa.Array:
    return _line(fields)


def _malformed(fields: Fields, rng: np.random.Generator) -> pa.Array:
    is_short = rng.random(len(fields[0])) < 0.5
    short, long = pa.array(np.flatnonzero(is_short)), pa.array(np.flatnonzero(~is_short))
    cut = _line([field.take(short) for field in fields[:3]])
    return stack([cut, _line([*(field.take(long) for field in fields), "surplus"])])


DAMAGES = {
    "missing_visitor": _without(1),
    "missing_item": _without(3),
    "unknown_event": _replaced(2, UNKNOWN_EVENTS),
    "unreadable_timestamp": _replaced(0, UNREADABLE_TIMES),
    "repeated": _repeated,
    "transaction_without_id": _without(4),
    "malformed_line": _malformed,
}
