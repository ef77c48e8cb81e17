import copy
import json

import duckdb
import numpy as np
import pandas as pd
import pytest
from visits import PANEL

from cohortlab.sources.domains import registrable_domains
from cohortlab.synthetic.visit_log import generate_visit_log

SMALL = {"n_users": 40, "records": {"median": 60, "mean": 90, "maximum": 500}}
NAMES = ["panelist_id", "used_at", "domain", "active_seconds"]


def write(folder, seed=1, **changes):
    counts = generate_visit_log(
        folder / "raw",
        folder / "truth",
        rng=np.random.default_rng(seed),
        **(copy.deepcopy(PANEL) | changes),
    )
    return folder / "raw" / "visits.csv", folder / "truth", counts


def read(path):
    log = pd.read_csv(path, parse_dates=["used_at"])
    return log.assign(domain=registrable_domains(log["domain"]))


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    first, second = (write(tmp_path / name, **SMALL) for name in ("a", "b"))
    assert first[0].read_bytes() == second[0].read_bytes()
    names = sorted(p.name for p in first[1].iterdir())
    assert names == ["domains.parquet", "faults.json", "relation.csv", "users.parquet"]
    for name in names:
        assert (first[1] / name).read_bytes() == (second[1] / name).read_bytes()
    assert write(tmp_path / "c", seed=2, **SMALL)[0].read_bytes() != first[0].read_bytes()


def test_the_log_has_the_figures_of_the_panel_it_is_made_after(tmp_path):
    path, _, counts = write(tmp_path)
    query = f"""select count(*) n,
        count(distinct regexp_replace(domain, '^(www|m|login)[.]', '')) k,
        avg((hour(used_at) < 6)::int) night, avg((dayofweek(used_at) in (0, 6))::int) weekend
        from read_csv('{path}') group by panelist_id"""
    with duckdb.connect() as connection:
        users = connection.sql(query).df()
    assert len(users) == PANEL["n_users"]
    assert users["n"].sum() == counts["visits"]
    # The logarithm of a user's records varies by 1.25; the others are means over users.
    assert np.log(users["n"].median() / 1937) == pytest.approx(0, abs=4 * 1.25 * 1.25 / 150**0.5)
    assert users["k"].mean() == pytest.approx(106, rel=0.1)
    assert (1 - users["k"] / users["n"]).mean() == pytest.approx(0.90, abs=0.02)
    assert users["night"].mean() == pytest.approx(0.048, abs=0.015)
    assert users["weekend"].mean() == pytest.approx(0.247, abs=0.02)


def test_domains_are_heavy_tailed_with_portals_on_top(tmp_path):
    path, _, _ = write(tmp_path, n_users=60)
    counts = read(path)["domain"].value_counts()
    portals = {p for c in PANEL["categories"].values() for p in c["portals"]}
    assert len(set(counts.index[:8]) & portals) >= 5
    assert counts.iloc[:20].sum() > 0.25 * counts.sum()
    assert len(counts) > 500


def test_users_visit_what_their_type_is_interested_in(tmp_path):
    path, truth, _ = write(tmp_path, individuality=0.0)
    log = read(path)
    category = pd.read_parquet(truth / "domains.parquet").set_index("domain")["category"]
    kind = pd.read_parquet(truth / "users.parquet").set_index("person_id")["user_type"]
    found = pd.crosstab(
        log["panelist_id"].map(kind), log["domain"].map(category), normalize="index"
    )
    planted = pd.read_csv(truth / "relation.csv").pivot(
        index="user_type", columns="category", values="propensity"
    )
    assert np.abs(found - planted).to_numpy().max() < 0.02


def test_individual_users_differ_within_their_type(tmp_path):
    spreads = []
    for individuality in (0.0, 0.3):
        path, truth, _ = write(tmp_path / str(individuality), individuality=individuality)
        category = pd.read_parquet(truth / "domains.parquet").set_index("domain")["category"]
        kind = pd.read_parquet(truth / "users.parquet").set_index("person_id")["user_type"]
        log = read(path)
        share = log["domain"].map(category).eq("search").groupby(log["panelist_id"]).mean()
        spreads.append(share.groupby(kind).std().mean())
    assert spreads[1] > 3 * spreads[0]


def test_sequences_are_apart_and_hold_together(tmp_path):
    path, _, counts = write(tmp_path, **SMALL)
    log = read(path).sort_values(["panelist_id", "used_at"], kind="stable")
    end = log["used_at"] + pd.to_timedelta(log["active_seconds"], unit="s")
    pause = log["used_at"] - end.groupby(log["panelist_id"]).shift()
    assert (pause.isna() | (pause > pd.Timedelta(hours=1))).sum() == counts["sequences"]
    assert log["active_seconds"].min() >= 1


def test_faulty_lines_are_added_and_counted(tmp_path):
    faults = dict.fromkeys(PANEL["faults"], 0.02)
    path, truth, counts = write(tmp_path, **SMALL, faults=faults)
    clean, _, whole = write(tmp_path / "clean", **SMALL)
    planted = json.loads((truth / "faults.json").read_text())
    assert planted == counts["faults"]
    assert min(planted.values()) > 0
    lines = path.read_text().splitlines()[1:]
    assert len(lines) == counts["visits"] == whole["visits"] + sum(planted.values())
    assert set(clean.read_text().splitlines()) <= {",".join(NAMES), *lines}


def test_the_size_of_a_chunk_changes_no_distribution(tmp_path):
    sizes = [
        write(tmp_path / str(chunk), chunk_users=chunk, n_users=200, records=SMALL["records"])[2]
        for chunk in (7, 200)
    ]
    assert sizes[0]["visits"] == pytest.approx(sizes[1]["visits"], rel=0.2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_users": 0}, "n_users: expected a whole number from 1"),
        ({"records": {"median": 10, "mean": 5, "maximum": 50}}, "records.mean"),
        ({"individuality": 1.5}, "individuality: expected a number from 0 to 1"),
        ({"preferences": {"worker": "search"}}, "preferences.networker: missing key"),
        (
            {"categories": {"a": {"share": 1.0, "domains": 0, "portals": []}}},
            "categories.a.domains",
        ),
        (
            {"categories": {"a": {"share": 1.0, "domains": 1, "portals": ["b.de", "c.de"]}}},
            "categories.a.domains: expected a whole number from 2",
        ),
        ({"faults": {"typo": 0.1}}, "faults"),
    ],
)
def test_impossible_settings_are_named_and_nothing_is_written(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path, **changes)
    assert not (tmp_path / "raw").exists()
