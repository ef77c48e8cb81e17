"""Faulty lines of an event log: damaged copies of true lines, so that no true event is lost."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from cohortlab.synthetic.line_faults import Fields, cut_or_surplus, repeated, replaced, without

UNKNOWN_EVENTS = ("wishlist", "click", "removefromcart")
UNREADABLE_TIMES = ("unknown", "2015-06-31T25:61", "14331x2762117")


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


DAMAGES = {
    "missing_visitor": without(1),
    "missing_item": without(3),
    "unknown_event": replaced(2, UNKNOWN_EVENTS),
    "unreadable_timestamp": replaced(0, UNREADABLE_TIMES),
    "repeated": repeated(),
    "transaction_without_id": without(4),
    "malformed_line": cut_or_surplus(3),
}
