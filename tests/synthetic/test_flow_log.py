import json

import numpy as np
import pandas as pd
import pytest
from flows import DAY, settings, with_difficulty, write

from cohortlab.sources import read_flows
from cohortlab.synthetic.flow_profiles import AMOUNTS, ATTACKS, draw_day_times

SMALL = {"flows_per_day": 600}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first, second = (write(tmp_path / name, **SMALL) for name in ("a", "b"))
    assert first[0].read_bytes() == second[0].read_bytes()
    names = sorted(path.name for path in first[1].iterdir())
    assert names == ["campaigns.csv", "faults.json", "null_day.parquet"]
    for name in names:
        assert (first[1] / name).read_bytes() == (second[1] / name).read_bytes()
    assert write(tmp_path / "c", seed=2, **SMALL)[0].read_bytes() != first[0].read_bytes()


def test_every_planted_flow_is_labelled_and_told_in_the_truth(tmp_path):
    path, truth, counts = write(tmp_path, **SMALL)
    log = pd.read_csv(path, parse_dates=["time"])
    campaigns = pd.read_csv(truth / "campaigns.csv", parse_dates=["first_time", "last_time"])
    planted = {name: a["campaigns"] * a["flows"] for name, a in DAY["attacks"].items()}
    assert counts["attacks"] == planted
    assert log.loc[log["label"] != "normal", "label"].value_counts().to_dict() == planted
    assert campaigns.groupby("attack")["flows"].sum().to_dict() == planted
    for campaign in campaigns.itertuples():
        own = log[(log["label"] == campaign.attack) & (log["address"] == campaign.address)]
        inside = own["time"].between(campaign.first_time, campaign.last_time)
        assert inside.sum() >= campaign.flows
    assert log["time"].is_monotonic_increasing


def test_everyday_flows_run_with_the_day(tmp_path):
    path, _, _ = write(tmp_path, flows_per_day=20_000)
    log = pd.read_csv(path, parse_dates=["time"]).query("label == 'normal'")
    hours = log["time"].dt.hour.value_counts(normalize=True).sort_index()
    expected = (1 + 0.8 * np.cos(2 * np.pi * (np.arange(24) + 0.5 - 14) / 24)) / 24
    # 20,000 flows: the share of an hour varies by 0.002; four of these.
    assert np.abs(hours - expected).max() < 0.008


def test_without_swing_the_day_is_even():
    times = draw_day_times(50_000, peak_hour=14, day_swing=0, rng=np.random.default_rng(1))
    shares = np.histogram(times, bins=24, range=(0, 86_400))[0] / 50_000
    assert np.abs(shares - 1 / 24).max() < 0.004
    assert (times >= 0).all()
    assert (times < 86_400).all()


def test_the_null_day_follows_the_log_and_has_no_attack(tmp_path):
    path, truth, _ = write(tmp_path, days=2, **SMALL)
    quiet = pd.read_parquet(truth / "null_day.parquet")
    assert set(quiet["label"]) == {"normal"}
    assert set(quiet["time"].dt.date.astype("str")) == {"2024-03-06"}
    assert len(quiet) == pytest.approx(600, abs=4 * 600**0.5)
    assert list(quiet.columns[1:]) == pd.read_csv(path, nrows=0).columns.tolist()


def medians(folder, difficulty):
    path, _, _ = write(folder, seed=3, attacks=with_difficulty(difficulty), **SMALL)
    log = pd.read_csv(path)
    return np.log1p(log[list(AMOUNTS)]).groupby(log["label"]).median()


def test_harder_attacks_are_nearer_to_everyday_flows(tmp_path):
    tables = [medians(tmp_path / str(d), d) for d in (0.0, 0.5, 1.0)]
    distances = [
        (table.drop("normal") - table.loc["normal"]).abs().sum(axis=1).mean() for table in tables
    ]
    assert distances[0] > 1.4 * distances[1] > 1.4 * distances[2]


@pytest.mark.parametrize(
    ("attack", "amount", "above"),
    [
        ("exfiltration", "bytes_sent", True),
        ("port_scan", "packets_sent", False),
        ("flood", "packets_sent", True),
        ("slow_drip", "duration", True),
    ],
)
def test_attacks_are_what_they_are_called(tmp_path, attack, amount, above):
    table = medians(tmp_path, 0.0)[amount]
    assert (table[attack] > table["normal"]) == above


def test_beacons_come_like_clockwork(tmp_path):
    path, _, _ = write(tmp_path, **SMALL)
    log = pd.read_csv(path, parse_dates=["time"]).query("label == 'beaconing'")
    gaps = log["time"].diff().dt.total_seconds().dropna()
    assert gaps.std() / gaps.mean() < 0.1
    assert ATTACKS["beaconing"].jitter < ATTACKS["port_scan"].jitter


def test_faulty_lines_are_added_and_counted(tmp_path):
    faults = dict.fromkeys(DAY["faults"], 0.02)
    path, truth, counts = write(tmp_path, **SMALL, faults=faults)
    planted = json.loads((truth / "faults.json").read_text())
    assert planted == counts["faults"]
    assert min(planted.values()) > 0
    log = read_flows(str(path), scratch=tmp_path / "scratch")
    found = log.counts["flows"]
    kept = ("missing_value", "infinite_value")
    assert found["rows_read"] == counts["flows"]
    assert found["rows_rejected"] == sum(n for name, n in planted.items() if name not in kept)
    flows = log.tables["flows"].to_pandas()
    assert flows["duration"].isna().sum() == planted["missing_value"]
    assert np.isinf(flows["bytes_received"]).sum() == planted["infinite_value"]


def test_a_log_may_have_no_attacks(tmp_path):
    attacks = {name: attack | {"campaigns": 0} for name, attack in DAY["attacks"].items()}
    path, truth, counts = write(tmp_path, **SMALL, attacks=attacks)
    assert set(pd.read_csv(path)["label"]) == {"normal"}
    assert sum(counts["attacks"].values()) == len(pd.read_csv(truth / "campaigns.csv")) == 0


def changed(block, name, **values):
    return {block: settings()[block] | {name: settings()[block][name] | values}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"days": 0}, "days: expected a whole number from 1"),
        ({"flows_per_day": 0}, "flows_per_day"),
        ({"day_swing": 1.5}, "day_swing: expected a number from 0 to 1"),
        (changed("services", "web", share=0.9), "share must sum to 1"),
        (changed("services", "web", packet_bytes=0), "services.web.packet_bytes"),
        (changed("attacks", "flood", difficulty=2), "attacks.flood.difficulty"),
        (changed("attacks", "flood", flows=1.5), "attacks.flood.flows"),
        ({"attacks": {}}, "attacks.port_scan: missing key"),
        ({"faults": {"typo": 0.1}}, "faults"),
        ({"start": "soon"}, "start: expected a date"),
    ],
)
def test_impossible_settings_are_named_and_nothing_is_written(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path, **changes)
    assert not (tmp_path / "raw").exists()
