"""Network flows for tests: settings of a small generated log, and what detectors see of one."""

import copy
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from cohortlab import anomalies
from cohortlab.features import flows as of
from cohortlab.sources import read_flows
from cohortlab.synthetic import generate_flow_log

CURVES = {
    "total_bytes": "log1p",
    "total_packets": "log1p",
    "bytes_per_packet": "log1p",
    "send_receive_ratio": "log",
    "duration_sec": "log1p",
}
SERVICES = {
    "web": (0.6, 2500, 40_000, 1.0, 700, 3.0, 1.0),
    "names": (0.25, 75, 160, 0.3, 110, 0.03, 0.6),
    "backup": (0.15, 5_000_000, 90_000, 0.8, 1100, 60.0, 0.6),
}
KEYS = (
    "share",
    "bytes_sent",
    "bytes_received",
    "bytes_spread",
    "packet_bytes",
    "duration_sec",
    "duration_spread",
)
#: A small log of one day, as `generate_flow_log` takes it.
DAY = {
    "days": 1,
    "start": "2024-03-04",
    "flows_per_day": 4000,
    "n_addresses": 100,
    "peak_hour": 14.0,
    "day_swing": 0.8,
    "services": {name: dict(zip(KEYS, values, strict=True)) for name, values in SERVICES.items()},
    "attacks": {
        "port_scan": {"campaigns": 2, "flows": 20, "difficulty": 0.0},
        "flood": {"campaigns": 1, "flows": 30, "difficulty": 0.0},
        "exfiltration": {"campaigns": 2, "flows": 4, "difficulty": 0.0},
        "beaconing": {"campaigns": 1, "flows": 30, "difficulty": 0.0},
        "slow_drip": {"campaigns": 1, "flows": 20, "difficulty": 0.0},
    },
    "faults": dict.fromkeys(
        (
            "missing_value",
            "infinite_value",
            "not_a_number",
            "negative_value",
            "unreadable_time",
            "malformed_line",
        ),
        0.0,
    ),
}


def settings(**changes):
    """Copy the settings of the day, with some of them changed."""
    return copy.deepcopy(DAY) | changes


def with_difficulty(difficulty):
    """Change how hard every attack is to see."""
    attacks = copy.deepcopy(DAY["attacks"])
    for attack in attacks.values():
        attack["difficulty"] = difficulty
    return attacks


def write(folder, seed=1, **changes):
    """Write a log; its file, its truth and the generator's counts."""
    counts = generate_flow_log(
        folder / "raw", folder / "truth", rng=np.random.default_rng(seed), **settings(**changes)
    )
    return folder / "raw" / "flows.csv", folder / "truth", counts


def seen(seed, **changes):
    """Generate, read and prepare flows: rows, labels, and rows of the day without attacks."""
    with tempfile.TemporaryDirectory() as name:
        path, truth, _ = write(Path(name), seed, **changes)
        log = read_flows(str(path), scratch=Path(name)).tables["flows"].to_pandas()
        quiet = pd.read_parquet(truth / "null_day.parquet")
    features, medians, _ = of.fill(of.flow_features(log))
    preparation = anomalies.learn_preparation(features, CURVES)
    later, _, _ = of.fill(of.flow_features(quiet), medians)
    return preparation.apply(features), log["label"], preparation.apply(later)
