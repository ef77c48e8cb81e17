"""Sequences of visits for tests, written by hand."""

import pandas as pd

MONDAY_MS = 345_600_000  # 1970-01-05


def visits(*rows, person=1, number=1, start=MONDAY_MS):
    """Build a sequence from (seconds since the start, domain, seconds of use)."""
    return pd.DataFrame(
        {
            "person_id": person,
            "sequence_number": number,
            "position": range(1, len(rows) + 1),
            "start_ms": [start + round(at * 1000) for at, _, _ in rows],
            "end_ms": [start + round((at + active) * 1000) for at, _, active in rows],
            "domain": [domain for _, domain, _ in rows],
            "active_ms": [round(active * 1000) for _, _, active in rows],
        }
    )
