"""Sequences of visits for tests: written by hand, or by users whose types are known."""

import copy
import tempfile
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from cohortlab.browsing import make_sequences
from cohortlab.sources.domains import registrable_domains
from cohortlab.synthetic.visit_log import generate_visit_log

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


COMMON = {
    "visits": {"distribution": "geometric", "minimum": 1, "mean": 40, "maximum": 2000},
    "active_median_sec": 12,
    "active_spread": 1.0,
    "gap_median_sec": 4,
    "gap_spread": 1.5,
    "stay_probability": 0.4,
    "spread_hours": 2.2,
}
#: A small panel of four user types, as `generate_visit_log` takes it.
PANEL = {
    "n_users": 150,
    "days": 28,
    "start": "2018-10-01",
    "gap_sec": 3600,
    "records": {"median": 1937, "mean": 4260, "maximum": 60000},
    "types": {
        "worker": COMMON | {"share": 0.3, "peak_hour": 13, "weekend_share": 0.12},
        "networker": COMMON | {"share": 0.3, "peak_hour": 18, "weekend_share": 0.29},
        "shopper": COMMON | {"share": 0.2, "peak_hour": 17, "weekend_share": 0.33},
        "reader": COMMON | {"share": 0.2, "peak_hour": 10, "weekend_share": 0.29},
    },
    "categories": {
        "search": {"share": 0.2, "domains": 30, "portals": ["google.com", "bing.com"]},
        "social": {"share": 0.2, "domains": 60, "portals": ["facebook.com", "twitter.com"]},
        "video": {"share": 0.15, "domains": 80, "portals": ["youtube.com"]},
        "email": {"share": 0.1, "domains": 30, "portals": ["web.de", "gmx.net"]},
        "commerce": {"share": 0.15, "domains": 800, "portals": ["amazon.de"]},
        "news": {"share": 0.1, "domains": 500, "portals": ["spiegel.de"]},
        "other": {"share": 0.1, "domains": 3000, "portals": []},
    },
    "relation_strength": 0.6,
    "preferences": {
        "worker": {"search": 3, "email": 3, "other": 2},
        "networker": {"social": 5, "video": 3},
        "shopper": {"commerce": 5, "search": 2},
        "reader": {"news": 5, "other": 2},
    },
    "domains_per_user": 215,
    "repertoire_exponent": 0.05,
    "popularity_exponent": 1.0,
    "individuality": 0.05,
    "faults": dict.fromkeys(
        (
            "missing_person",
            "missing_domain",
            "unreadable_time",
            "negative_seconds",
            "repeated",
            "malformed_line",
        ),
        0.0,
    ),
    "chunk_users": 40,
}


def planted(seed, **changes):
    """Let few users of clear types browse: visits in sequences, types, domains' categories."""
    few = {
        "n_users": 80,
        "records": {"median": 300, "mean": 400, "maximum": 1500},
        "relation_strength": 0.8,
    }
    with tempfile.TemporaryDirectory() as name:
        raw, truth, table = (Path(name) / part for part in ("raw", "truth", "visits.parquet"))
        rng = np.random.default_rng(seed)
        generate_visit_log(raw, truth, rng=rng, **(copy.deepcopy(PANEL) | few | changes))
        log = pd.read_csv(raw / "visits.csv", parse_dates=["used_at"])
        milliseconds = log["used_at"].astype("datetime64[ms]").astype("int64")
        pd.DataFrame(
            {
                "person_id": log["panelist_id"],
                "start_ms": milliseconds,
                "domain": registrable_domains(log["domain"]),
                "active_ms": log["active_seconds"] * 1000,
            }
        ).to_parquet(table)
        backend = ibis.duckdb.connect()
        visits = make_sequences(backend.read_parquet(table)).to_pyarrow().to_pandas()
        backend.disconnect()
        types = pd.read_parquet(truth / "users.parquet").set_index("person_id")["user_type"]
        categories = pd.read_parquet(truth / "domains.parquet").set_index("domain")["category"]
    return visits, types, categories.to_dict()
