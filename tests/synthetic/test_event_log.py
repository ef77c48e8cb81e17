import hashlib
import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2_contingency

from cohortlab.synthetic import generate_event_log

GAP_MS = 1_800_000


def generate(folder, settings, *, seed=1):
    truth = folder / "truth"
    return generate_event_log(folder, truth, rng=np.random.default_rng(seed), **settings)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_of(folder):
    header, *lines = (folder / "events.csv").read_text(encoding="utf-8").split("\n")
    assert header == "timestamp,visitorid,event,itemid,transactionid"
    assert lines.pop() == ""
    return [line.split(",") for line in lines]


def fault_of(row):
    if len(row) != 5:
        return "malformed_line"
    timestamp, visitor, event, item, transaction = row
    if not timestamp.isdigit():
        return "unreadable_timestamp"
    if not visitor:
        return "missing_visitor"
    if not item:
        return "missing_item"
    if event not in ("view", "addtocart", "transaction"):
        return "unknown_event"
    if event == "transaction" and not transaction:
        return "transaction_without_id"
    return None


def sound_events(folder):
    """Read what no fault touches, in order of time, with sessions found the plain way."""
    sound = [row for row in rows_of(folder) if fault_of(row) is None]
    columns = ["timestamp", "visitorid", "event", "itemid", "transactionid"]
    events = pd.DataFrame(sound, columns=columns).drop_duplicates()
    numbers = ["timestamp", "visitorid", "itemid"]
    events[numbers] = events[numbers].astype("int64")
    events = events.sort_values(["visitorid", "timestamp"], kind="stable").reset_index(drop=True)
    gap = events.groupby("visitorid")["timestamp"].diff()
    number = (gap.isna() | (gap > GAP_MS)).groupby(events["visitorid"]).cumsum()
    events["gap"] = gap
    events["session_id"] = events["visitorid"].astype(str) + "_" + number.astype(str)
    truth = pd.read_parquet(folder / "truth" / "sessions.parquet")
    items = pd.read_parquet(folder / "truth" / "items.parquet").rename(
        columns={"item_id": "itemid"}
    )
    events = events.merge(truth, on="session_id", how="left", validate="many_to_one")
    return events.merge(items, on="itemid", how="left", validate="many_to_one")


@pytest.fixture
def log(tmp_path, session_settings):
    summary = generate(tmp_path, session_settings)
    return tmp_path, session_settings, summary


def test_plain_sessionisation_finds_exactly_the_planted_sessions(log):
    folder, settings, summary = log
    events = sound_events(folder)
    truth = pd.read_parquet(folder / "truth" / "sessions.parquet")
    assert truth["session_id"].is_unique
    assert set(events["session_id"]) == set(truth["session_id"])
    assert len(truth) == summary["sessions"]
    assert events["visitorid"].nunique() == settings["n_visitors"]
    assert summary["visitors"] == settings["n_visitors"]


def test_faulty_lines_kept_by_a_reader_change_no_session(log):
    folder, _, _ = log
    rows = [row for row in rows_of(folder) if len(row) == 5 and row[0].isdigit() and row[1]]
    lenient = pd.DataFrame([row[:2] for row in rows], columns=["time", "visitor"]).astype("int64")
    lenient = lenient.sort_values(["visitor", "time"])
    gap = lenient.groupby("visitor")["time"].diff()
    n_sessions = int((gap.isna() | (gap > GAP_MS)).sum())
    assert n_sessions == len(pd.read_parquet(folder / "truth" / "sessions.parquet"))


def test_faults_found_equal_faults_planted(log):
    folder, settings, summary = log
    rows = rows_of(folder)
    found = Counter(fault_of(row) for row in rows)
    sound = Counter(tuple(row) for row in rows if fault_of(row) is None)
    found["repeated"] = sum(count - 1 for count in sound.values())
    n_true = found.pop(None) - found["repeated"]
    planted = json.loads((folder / "truth" / "faults.json").read_text())
    assert dict(found) == planted == summary["faults"]
    assert len(rows) == summary["events"] == n_true + sum(planted.values())
    for name, rate in settings["faults"].items():
        base = n_true
        if name == "transaction_without_id":
            base = sum(row[2] == "transaction" for row in sound)
        assert binomtest(planted[name], base, rate).pvalue > 1e-4


def test_each_faulty_line_copies_a_true_one(log):
    folder, _, _ = log
    rows = rows_of(folder)
    sound = {tuple(row) for row in rows if fault_of(row) is None}
    keep = {
        "missing_visitor": (0, 2, 3, 4),
        "missing_item": (0, 1, 2, 4),
        "unknown_event": (0, 1, 3),
    }
    for fault, columns in keep.items():
        known = {tuple(row[i] for i in columns) for row in sound}
        copies = [tuple(row[i] for i in columns) for row in rows if fault_of(row) == fault]
        assert copies
        assert set(copies) <= known


def test_no_faults_leave_a_clean_file(tmp_path, session_settings):
    session_settings["faults"] = dict.fromkeys(session_settings["faults"], 0)
    generate(tmp_path, session_settings)
    rows = rows_of(tmp_path)
    assert {fault_of(row) for row in rows} == {None}
    assert len({tuple(row) for row in rows}) == len(rows)


def test_types_have_their_shares_and_profiles(log):
    folder, settings, _ = log
    events = sound_events(folder)
    events = events[events["session_type"] != "robot"]
    first = events.drop_duplicates("session_id")
    start = pd.to_datetime(first["timestamp"], unit="ms")
    counts = first["session_type"].value_counts()
    for name, profile in settings["types"].items():
        assert binomtest(int(counts[name]), len(first), profile["share"]).pvalue > 1e-4
        own = start[first["session_type"] == name]
        # Sessions that were moved past another may change the day; hence a little room.
        weekend = (own.dt.day_of_week >= 5).mean()
        assert weekend == pytest.approx(profile["weekend_share"], abs=0.08)
        angle = 2 * np.pi * (own.dt.hour + own.dt.minute / 60) / 24
        mean = np.angle(np.exp(1j * angle).mean()) * 24 / (2 * np.pi) % 24
        assert abs((mean - profile["peak_hour"] + 12) % 24 - 12) < 0.6
    views = events[events["event"] == "view"].groupby(["session_type", "session_id"]).size()
    assert views["glance"].max() == 1
    assert views["research"].mean() == pytest.approx(9, rel=0.1)
    gaps = events[(events["session_type"] == "research") & (events["gap"] <= GAP_MS)]["gap"]
    # A lognormal of median 400 s and spread 1, cut at 1800 s, has its median at 346 s.
    assert gaps.median() / 1000 == pytest.approx(346, rel=0.1)


def test_only_types_that_buy_do_and_each_purchase_was_in_the_cart(log):
    folder, _, _ = log
    events = sound_events(folder)
    bought = events[events["event"] == "transaction"]
    assert set(bought["session_type"]) == {"buyer"}
    buyers = events.loc[events["session_type"] == "buyer", "session_id"].unique()
    assert set(bought["session_id"]) == set(buyers)
    carts = set(
        events.loc[events["event"] == "addtocart", ["session_id", "itemid"]].itertuples(index=False)
    )
    assert set(bought[["session_id", "itemid"]].itertuples(index=False)) <= carts
    tickets = bought[["session_id", "transactionid"]].drop_duplicates()
    assert tickets["session_id"].is_unique
    assert tickets["transactionid"].is_unique
    assert (events.loc[events["event"] != "transaction", "transactionid"] == "").all()


def test_visitors_have_a_heavy_tail_of_sessions(log):
    folder, _, _ = log
    events = sound_events(folder)
    sessions = events.groupby("visitorid")["session_id"].nunique()
    assert (sessions == 1).mean() > 0.4
    assert sessions.max() > 15


@pytest.mark.parametrize("n_visitors", [1000, 1500, 2000])
def test_robots_are_what_the_quantile_rule_drops(n_visitors, tmp_path, session_settings):
    summary = generate(tmp_path, session_settings | {"n_visitors": n_visitors})
    events = sound_events(tmp_path)
    per_visitor = events.groupby("visitorid").size()
    dropped = per_visitor[per_visitor > per_visitor.quantile(0.999)].index
    robots = events.loc[events["session_type"] == "robot", "visitorid"].unique()
    assert len(robots) == summary["robots"] == n_visitors // 1000
    assert set(robots) <= set(dropped)


def first_choices(folder):
    events = sound_events(folder)
    events = events[events["session_type"] != "robot"]
    first = events.drop_duplicates("session_id")
    return pd.crosstab(first["session_type"], first["item_group"])


def test_without_relation_types_choose_alike(tmp_path, session_settings):
    settings = session_settings | {"relation_strength": 0, "pairs": [], "n_visitors": 600}
    p_values = []
    for seed in range(12):
        generate(tmp_path, settings, seed=seed)
        p_values.append(chi2_contingency(first_choices(tmp_path)).pvalue)
    # Uniform values have mean 1/2 with standard error 0.083 over twelve.
    assert min(p_values) > 1e-4
    assert 0.2 < np.mean(p_values) < 0.8


def test_a_weak_relation_shows(tmp_path, session_settings):
    generate(tmp_path, session_settings | {"relation_strength": 0.2})
    assert chi2_contingency(first_choices(tmp_path)).pvalue < 1e-6


def test_full_strength_leaves_each_type_its_group_only(tmp_path, session_settings):
    generate(tmp_path, session_settings | {"relation_strength": 1})
    events = sound_events(tmp_path)
    events = events[events["session_type"] != "robot"]
    assert (
        events["item_group"] == events["session_type"].map(session_settings["preferences"])
    ).all()


def test_choices_follow_the_written_relation(log):
    folder, _, _ = log
    relation = pd.read_csv(folder / "truth" / "relation.csv")
    assert relation.groupby("session_type")["propensity"].sum().to_numpy() == pytest.approx(1)
    found = first_choices(folder)
    for row in relation.itertuples():
        drawn = int(found.loc[row.session_type, row.item_group])
        n_sessions = int(found.loc[row.session_type].sum())
        assert binomtest(drawn, n_sessions, row.propensity).pvalue > 1e-4


def test_planted_pairs_have_their_probability(log):
    folder, settings, _ = log
    events = sound_events(folder)
    bought = events[events["event"] == "transaction"]
    baskets = bought.groupby("transactionid")["category_id"].agg(set)
    pairs = pd.read_csv(folder / "truth" / "pairs.csv")
    assert pairs["probability"].tolist() == [pair["probability"] for pair in settings["pairs"]]
    for pair in pairs.itertuples():
        with_antecedent = baskets[[pair.antecedent in basket for basket in baskets]]
        n_both = sum(pair.consequent in basket for basket in with_antecedent)
        assert len(with_antecedent) > 50
        assert binomtest(n_both, len(with_antecedent), pair.probability).pvalue > 1e-3


def test_properties_and_tree_lead_to_the_true_category_and_group(log):
    folder, settings, summary = log
    parts = [pd.read_csv(folder / f"item_properties_part{i}.csv") for i in (1, 2)]
    rows = pd.concat(parts)
    assert list(rows.columns) == ["timestamp", "itemid", "property", "value"]
    assert len(rows) == summary["item_properties"]
    of_category = rows[rows["property"] == "categoryid"].sort_values("timestamp")
    latest = of_category.groupby("itemid")["value"].last().astype(int)
    items = pd.read_parquet(folder / "truth" / "items.parquet").set_index("item_id")
    pd.testing.assert_series_equal(latest, items["category_id"], check_names=False)
    assert of_category.groupby("itemid")["value"].nunique().max() == 2
    tree = pd.read_csv(folder / "category_tree.csv").set_index("categoryid")["parentid"]
    truth = pd.read_parquet(folder / "truth" / "categories.parquet").set_index("category_id")
    pd.testing.assert_series_equal(
        tree.sort_index(), truth["parent_id"].astype(float), check_names=False
    )
    roots = tree[tree.isna()].index
    assert set(truth.loc[roots, "item_group"]) == set(settings["groups"])
    groups = truth.loc[tree[items["category_id"]].to_numpy(dtype=int), "item_group"]
    assert groups.tolist() == items["item_group"].tolist()


def test_availability_is_decided_at_every_time(log):
    folder, _, _ = log
    rows = pd.concat(pd.read_csv(folder / f"item_properties_part{i}.csv") for i in (1, 2))
    available = rows[rows["property"] == "available"]
    assert set(available["value"]) == {"0", "1"}
    assert not available.duplicated(["itemid", "timestamp"]).any()
    assert available["itemid"].nunique() == rows["itemid"].nunique()
    start_ms = pd.Timestamp("2015-05-03").value // 10**6
    is_late = available.groupby("itemid")["timestamp"].min() > start_ms
    assert binomtest(int(is_late.sum()), len(is_late), 0.1).pvalue > 1e-4


def test_same_seed_same_bytes_and_another_seed_others(tmp_path, session_settings):
    settings = session_settings | {"n_visitors": 300, "chunk_visitors": 70}
    for name, seed in (("first", 5), ("second", 5), ("other", 6)):
        generate(tmp_path / name, settings, seed=seed)
    first, second, other = (digest(tmp_path / name) for name in ("first", "second", "other"))
    assert first == second
    assert first["events.csv"] != other["events.csv"]
    assert first["sessions.parquet"] != other["sessions.parquet"]


def test_settings_are_left_as_they_were(tmp_path, session_settings):
    before = json.dumps(session_settings)
    generate(tmp_path, session_settings | {"n_visitors": 50})
    assert json.dumps(session_settings) == before


def test_chunks_change_nothing_in_distribution(tmp_path, session_settings):
    settings = session_settings | {"n_visitors": 3000}
    found = []
    for name, chunk in (("small", 97), ("whole", 3000)):
        generate(tmp_path / name, settings | {"chunk_visitors": chunk})
        events = sound_events(tmp_path / name)
        assert events["session_type"].notna().all()
        found.append(events)
    for measure in (
        lambda events: events.groupby("visitorid")["session_id"].nunique().clip(upper=8),
        lambda events: events.groupby("session_id").size().clip(upper=15),
        lambda events: events.drop_duplicates("session_id")["session_type"],
        lambda events: events.drop_duplicates("session_id")["item_group"],
    ):
        counts = [measure(events).value_counts() for events in found]
        assert chi2_contingency(pd.concat(counts, axis=1).fillna(0)).pvalue > 1e-4
    bought = found[0][found[0]["event"] == "transaction"]
    tickets = bought[["session_id", "transactionid"]].drop_duplicates()
    assert tickets["transactionid"].is_unique


@pytest.mark.parametrize("n_visitors", [1, 2])
def test_the_smallest_logs_are_whole(n_visitors, tmp_path, session_settings):
    generate(tmp_path, session_settings | {"n_visitors": n_visitors, "pairs": []})
    assert sound_events(tmp_path)["visitorid"].nunique() == n_visitors


def test_crowded_sessions_keep_their_distance(tmp_path, session_settings):
    crowded = {"days": 7, "sessions_per_visitor": {"exponent": 0.0, "maximum": 60}}
    generate(tmp_path, session_settings | crowded | {"n_visitors": 100})
    truth = pd.read_parquet(tmp_path / "truth" / "sessions.parquet")
    assert set(sound_events(tmp_path)["session_id"]) == set(truth["session_id"])


def changed(settings, path, value):
    *parents, key = path.split(".")
    block = settings
    for parent in parents:
        block = block[parent]
    if value == "REMOVE":
        del block[key]
    else:
        block[key] = value
    return settings


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("n_visitors", 0, "n_visitors.*got 0"),
        ("n_visitors", 10.5, "n_visitors.*whole"),
        ("days", 3, "days.*from 7"),
        ("start", "yesterdayish", "start.*'yesterdayish'"),
        ("start", None, "start"),
        ("chunk_visitors", 0, "chunk_visitors"),
        ("session_gap_sec", -1, "session_gap_sec"),
        ("sessions_per_visitor.exponent", "steep", "sessions_per_visitor.exponent.*'steep'"),
        ("sessions_per_visitor.mean", 2, "sessions_per_visitor.mean: unknown key"),
        ("types", {}, "types: expected a mapping"),
        ("types.buyer.share", 0.3, r"types.*sum to 1.*1\.1.*buyer 0\.3"),
        ("types.buyer.share", -0.2, "types.buyer.share"),
        ("types.buyer.colour", "red", "types.buyer.colour: unknown key"),
        ("types.buyer.peak_hour", "REMOVE", "types.buyer.peak_hour: missing key"),
        ("types.buyer.peak_hour", 25, "types.buyer.peak_hour.*from 0 to 24.*25"),
        ("types.buyer.gap_median_sec", 0, "types.buyer.gap_median_sec"),
        ("types.buyer.gap_median_sec", 1900, "types.buyer.gap_median_sec.*1900"),
        ("types.buyer.cart_required", "yes", "types.buyer.cart_required.*true or false"),
        ("types.buyer.cart_probability", float("nan"), "types.buyer.cart_probability.*nan"),
        ("types.buyer.views.maximum", 1, "types.buyer.views.maximum"),
        ("types.robot", {"share": 0}, "types.robot"),
        ("groups.toys.share", 0.1, "groups.*sum to 1"),
        ("groups.toys.items", 1, "groups.toys.items.*from 2"),
        ("groups.toys.categories", 0, "groups.toys.categories"),
        ("preferences.buyer", "cars", "preferences.buyer.*'cars'"),
        ("relation_strength", 2, "relation_strength"),
        ("popularity_exponent", -1, "popularity_exponent"),
        ("robots.share", 0.01, r"robots.share.*0\.001.*0\.01"),
        ("robots.views.mean", 5000, "robots.views.mean"),
        ("properties.moved_share", 2, "properties.moved_share"),
        ("properties.colour", 2, "properties.colour: unknown"),
        ("faults.repeated", 1.5, "faults.repeated"),
        ("faults.missing_item", "REMOVE", "faults.missing_item: missing"),
        ("faults.fire", 0.1, "faults.fire: unknown"),
    ],
)
def test_impossible_settings_are_named_and_nothing_is_written(
    path, value, message, tmp_path, session_settings
):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path / "log", changed(session_settings, path, value))
    assert not (tmp_path / "log").exists()
