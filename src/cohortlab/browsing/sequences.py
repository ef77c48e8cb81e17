"""
Sequences of visits: where one sitting ends and the next begins.

Every function takes and returns Ibis expressions; nothing is computed until a table is written.
"""

import ibis
import ibis.expr.types as ir

GAP_SEC = 3600
MERGE_SEC = 60
_PERSON = "person_id"
_SEQUENCE = (_PERSON, "sequence_number")


def make_sequences(
    visits: ir.Table, *, gap_sec: float = GAP_SEC, merge_sec: float = MERGE_SEC
) -> ir.Table:
    """
    Cut each person's visits into sequences, and join what is one visit in several records.

    Parameters
    ----------
    visits : ibis.Table
        Columns `person_id`, `start_ms` (a time, milliseconds), `domain` and `active_ms` (for how
        long the page was in use, milliseconds, whole); in any order.
    gap_sec : float, default 3600
        A sequence ends where the person's next visit starts more than this many seconds after the
        end of the visit before.
    merge_sec : float, default 60
        Neighbouring visits to one domain are one visit where the gap between them is at most this
        many seconds; their times of use are summed. At most `gap_sec`.

    Returns
    -------
    ibis.Table
        One row a visit: `person_id`, `sequence_number` (from 1, in the order of time), `position`
        (from 1 in each sequence), `start_ms`, `end_ms`, `domain`, `active_ms` and `n_records`
        (how many were joined).

    Raises
    ------
    ValueError
        If a gap is negative, or `merge_sec` exceeds `gap_sec`.

    Notes
    -----
    The gap is counted from the end of the record before; it is negative where records overlap.
    Records of one moment are taken in the order of their domains, then of their length, so that
    the result does not depend on the order of rows.
    """
    if not 0 <= merge_sec <= gap_sec:
        raise ValueError(
            f"expected 0 <= merge_sec <= gap_sec, but they are {merge_sec!r} and {gap_sec!r}"
        )
    marked = _marked(visits, round(gap_sec * 1000), round(merge_sec * 1000))
    so_far = ibis.cumulative_window(group_by=_PERSON, order_by=["start_ms", "domain", "active_ms"])
    numbered = marked.mutate(
        sequence_number=marked.starts_sequence.sum().over(so_far).cast("int64"),
        visit_number=marked.starts_visit.sum().over(so_far).cast("int64"),
    )
    joined = numbered.group_by(*_SEQUENCE, "visit_number").agg(
        start_ms=numbered.start_ms.min(),
        end_ms=numbered.end_ms.max(),
        domain=numbered.domain.min(),
        active_ms=numbered.active_ms.sum(),
        n_records=numbered.count(),
    )
    in_sequence = ibis.window(group_by=_SEQUENCE, order_by="visit_number")
    placed = joined.mutate(position=(ibis.row_number().over(in_sequence) + 1).cast("int64"))
    return placed.select(
        *_SEQUENCE, "position", "start_ms", "end_ms", "domain", "active_ms", "n_records"
    )


def _marked(visits: ir.Table, gap_ms: int, merge_ms: int) -> ir.Table:
    """Mark the records that start a sequence, and those that start a visit."""
    ended = visits.mutate(end_ms=visits.start_ms + visits.active_ms)
    by_time = ibis.window(group_by=_PERSON, order_by=["start_ms", "domain", "active_ms"])
    pause = ended.start_ms - ended.end_ms.lag().over(by_time)
    starts = pause.isnull() | (pause > gap_ms)
    goes_on = ~starts & (ended.domain == ended.domain.lag().over(by_time)) & (pause <= merge_ms)
    return ended.mutate(starts_sequence=starts.cast("int64"), starts_visit=(~goes_on).cast("int64"))
