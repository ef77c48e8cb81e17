"""A synthetic log of network flows with attacks in it, and its truth beside it."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cohortlab.synthetic.checks import read_day
from cohortlab.synthetic.flow_profiles import (
    AMOUNTS,
    ATTACKS,
    DAY_SEC,
    NORMAL,
    draw_campaign,
    draw_campaign_times,
    draw_day_times,
    draw_services,
    round_amounts,
)
from cohortlab.synthetic.flow_settings import check_flow_settings
from cohortlab.synthetic.line_faults import Damage, Fields, cut_or_surplus, join_line, replaced
from cohortlab.synthetic.lines import as_text, stack, write_lines, write_table

NAMES = ("time", "address", *AMOUNTS, "label")
_TIME, _SENT, _RECEIVED, _DURATION = 0, 2, 3, 6
DAMAGES: dict[str, Damage] = {
    "missing_value": replaced(_DURATION, ("", "nan")),
    "infinite_value": replaced(_RECEIVED, ("Infinity", "inf")),
    "not_a_number": replaced(_SENT, ("unknown", "12kB")),
    "negative_value": replaced(_DURATION, ("-1", "-0.5")),
    "unreadable_time": replaced(_TIME, ("unknown", "2018-13-01 10:00:00")),
    "malformed_line": cut_or_surplus(3),
}
CAMPAIGN = ("attack", "difficulty", "address", "flows", "first_time", "last_time")


def generate_flow_log(
    folder: Path,
    truth_folder: Path,
    *,
    rng: np.random.Generator,
    days: int,
    start: str,
    flows_per_day: float,
    n_addresses: int,
    peak_hour: float,
    day_swing: float,
    services: Mapping[str, Mapping],
    attacks: Mapping[str, Mapping],
    faults: Mapping[str, float],
) -> dict:
    """Write a synthetic log of flows and its truth.

    Parameters
    ----------
    folder, truth_folder : Path
        Where ``flows.csv`` and the truth go; made where they do not exist.
    rng : numpy.random.Generator
        Source of chance. The same state and settings give the same bytes.
    days : int
        Length of the log, days.
    start : str
        Its first day.
    flows_per_day : float
        Mean number of everyday flows a day.
    n_addresses : int
        Addresses of the network; few have most of the flows.
    peak_hour, day_swing : float
        When most happens, and how much more than half a day from it: see
        `flow_profiles.draw_day_times`.
    services : mapping
        Everyday services by name, each with the keys of `flow_settings.SERVICE_KEYS`.
    attacks : mapping
        For every kind of `flow_profiles.ATTACKS`: ``campaigns``, ``flows`` of each, and
        ``difficulty`` (0 as easy as the kind is, 1 the same as everyday flows).
    faults : mapping of str to float
        Rate of each fault of `flow_settings.FLOW_FAULTS` for each true line.

    Returns
    -------
    dict
        Lines written: ``flows`` (faulty ones among them), ``attacks`` by kind, ``faults`` by name.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names it. Nothing is written then.

    Notes
    -----
    The truth is ``campaigns.csv``, ``faults.json`` and ``null_day.parquet``: the day after the log,
    with the same services and no attack. In the log itself the column `label` says what a flow is.
    """
    check_flow_settings(
        days=days, flows_per_day=flows_per_day, n_addresses=n_addresses, peak_hour=peak_hour,
        day_swing=day_swing, services=services, attacks=attacks, faults=faults,
    )  # fmt: skip
    first = read_day(start)
    everyday = {
        "flows_per_day": flows_per_day, "n_addresses": n_addresses, "peak_hour": peak_hour,
        "day_swing": day_swing, "services": services,
    }  # fmt: skip
    usual = [_everyday(day, **everyday, rng=rng) for day in range(days)]
    planted, campaigns = _attacks(attacks, services, n_addresses, days * DAY_SEC, rng)
    log = _in_time(pd.concat([*usual, *planted]), first)
    null_day = _in_time(_everyday(days, **everyday, rng=rng), first)
    folder, truth_folder = Path(folder), Path(truth_folder)
    for made in (folder, truth_folder):
        made.mkdir(parents=True, exist_ok=True)
    bad = _write_log(folder / "flows.csv", log, faults, rng)
    _write_truth(truth_folder, null_day, campaigns, first, bad)
    counts = log["label"].value_counts()
    found = {name: int(counts.get(name, 0)) for name in ATTACKS}
    return {"flows": len(log) + sum(bad.values()), "attacks": found, "faults": bad}


def _everyday(
    day: int,
    *,
    flows_per_day: float,
    n_addresses: int,
    peak_hour: float,
    day_swing: float,
    services: Mapping[str, Mapping],
    rng: np.random.Generator,
) -> pd.DataFrame:
    n_flows = max(1, rng.poisson(flows_per_day))
    times = draw_day_times(n_flows, peak_hour=peak_hour, day_swing=day_swing, rng=rng)
    # Squared, so that a tenth of the addresses has a third of the flows.
    host = (n_addresses * rng.random(n_flows) ** 2).astype(int)
    amounts = round_amounts(draw_services(n_flows, services, rng=rng))
    return _rows(day * DAY_SEC + times, _inside(host), amounts, NORMAL)


def _attacks(
    attacks: Mapping[str, Mapping],
    services: Mapping[str, Mapping],
    n_addresses: int,
    length_sec: float,
    rng: np.random.Generator,
) -> tuple[list[pd.DataFrame], list[dict]]:
    planted, campaigns = [], []
    for name, settings in attacks.items():
        n_flows, difficulty = settings["flows"], settings["difficulty"]
        for _ in range(settings["campaigns"] if n_flows else 0):
            kind = ATTACKS[name]
            normal = draw_services(n_flows, services, rng=rng)
            amounts = round_amounts(draw_campaign(kind, normal, difficulty, rng=rng))
            times = draw_campaign_times(kind, n_flows, length_sec, rng=rng)
            host = rng.integers(n_addresses if kind.inside else 250, size=1)
            address = (_inside if kind.inside else _outside)(host)[0]
            planted.append(_rows(times, np.repeat(address, n_flows), amounts, name))
            told = (name, difficulty, address, n_flows, times[0], times[-1])
            campaigns.append(dict(zip(CAMPAIGN, told, strict=True)))
    return planted, campaigns


def _rows(
    seconds: np.ndarray, address: np.ndarray, amounts: np.ndarray, label: str
) -> pd.DataFrame:
    columns = dict(zip(AMOUNTS, amounts.T, strict=True))
    return pd.DataFrame({"time": seconds, "address": address, **columns, "label": label})


def _inside(host: np.ndarray) -> np.ndarray:
    return np.array([f"10.0.{n // 250}.{n % 250 + 1}" for n in host], dtype=object)


def _outside(host: np.ndarray) -> np.ndarray:
    # 203.0.113.0/24 is kept free for examples (RFC 5737).
    return np.array([f"203.0.113.{n + 1}" for n in host], dtype=object)


def _in_time(rows: pd.DataFrame, first: pd.Timestamp) -> pd.DataFrame:
    """Put flows into the order of time, to the second, as a log has them."""
    ordered = rows.sort_values("time", kind="stable", ignore_index=True)
    return ordered.assign(time=first + pd.to_timedelta(ordered["time"].astype(int), unit="s"))


def _fields(log: pd.DataFrame) -> Fields:
    times = pc.strftime(pa.array(log["time"].astype("datetime64[s]")), "%Y-%m-%d %H:%M:%S")
    whole = [as_text(log[name].to_numpy().astype(np.int64)) for name in AMOUNTS[:4]]
    text = [pa.array(log[name], pa.large_string()) for name in ("address", "label")]
    duration = as_text(log["duration"].to_numpy())
    return [times.cast(pa.large_string()), text[0], *whole, duration, text[1]]


def _write_log(
    path: Path, log: pd.DataFrame, rates: Mapping[str, float], rng: np.random.Generator
) -> dict[str, int]:
    """Write the lines, and damaged copies of some of them, so that no true flow is lost."""
    fields = _fields(log)
    lines, places, counts = [join_line(fields)], [np.arange(len(log))], {}
    for name, damage in DAMAGES.items():
        counts[name] = int(rng.binomial(len(log), rates[name]))
        chosen = np.sort(rng.choice(len(log), counts[name], replace=False))
        lines.append(damage([field.take(pa.array(chosen)) for field in fields], rng))
        places.append(chosen)
    order = np.argsort(np.concatenate(places), kind="stable")
    with open(path, "wb") as handle:
        handle.write((",".join(NAMES) + "\n").encode())
        write_lines(handle, stack(lines).take(pa.array(order)))
    return counts


def _write_truth(
    folder: Path, null_day: pd.DataFrame, campaigns: list[dict], first: pd.Timestamp, bad: dict
) -> None:
    told = pd.DataFrame(campaigns, columns=CAMPAIGN)
    for name in CAMPAIGN[-2:]:
        told[name] = first + pd.to_timedelta(told[name].astype(float).astype(int), unit="s")
    write_table(folder / "campaigns.csv", told)
    null_day.insert(0, "flow_id", np.arange(len(null_day)))
    null_day.to_parquet(folder / "null_day.parquet", index=False)
    (folder / "faults.json").write_text(json.dumps(bad, indent=2) + "\n")
