import json

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from flows import write
from ruamel.yaml import YAML

from cohortlab.anomalies import (
    days_of,
    differences,
    json_lines,
    learn_preparation,
    make_alerts,
    missed_attacks,
    quality,
    recall_by_label,
    severities,
    tail_shares,
    threshold_for,
    warnings_of,
)
from cohortlab.features import flows as of
from cohortlab.schemas import validate
from cohortlab.sources import read_flows

LEVELS = {"critical": 0.001, "high": 0.1, "medium": 0.5}
NAMES = ["total_bytes", "duration_sec"]


def alerts_of(address=("a", "a", None, "a", None, None), hours=range(6), gap_sec=3 * 3600):
    """Make alerts of six flows, five of which are strange, the second usual."""
    features = pd.DataFrame({"total_bytes": [9e6, 5.0, 7e6, 8e6, 7e6, 5.0]})
    features["duration_sec"] = [1.0, 1.0, 1.0, 1.0, 1.0, 900.0]
    X = np.log1p(features.to_numpy())
    flows = pd.DataFrame({"flow_id": range(6), "score": [9.0, 1.0, 7.0, 8.0, 7.0, 5.0]})
    flows["address"] = pd.Series(address, dtype="str")
    flows["time"] = pd.Timestamp("2024-03-04") + pd.to_timedelta(hours, unit="h")
    flows["tail_share"] = tail_shares(flows["score"], flows["score"])
    flagged = np.array([0, 2, 3, 4, 5])
    usual = np.isin(range(6), flagged, invert=True)
    found = differences(X[flagged], X, usual)
    options = {"rows": X[flagged], "names": NAMES, "levels": LEVELS, "gap_sec": gap_sec}
    return make_alerts(flows, features, flagged, found, **options)


def test_flows_of_one_address_within_the_pause_are_one_alert():
    alerts, alert_of = alerts_of()
    validate("alerts", alerts.drop(columns=["features", "reasons"]))
    assert alerts["n_flows"].tolist() == [2, 2, 1]
    assert alerts["flow_id"].tolist() == [0, 2, 5]
    assert alert_of.tolist() == [1, pd.NA, 2, 1, 2, 3]
    first = alerts.iloc[0]
    assert (first["first_time"].hour, first["last_time"].hour) == (0, 3)


def test_flows_of_several_addresses_are_several_alerts():
    alerts, _ = alerts_of(address=list("abcdef"))
    assert len(alerts) == 5


def test_flows_of_one_address_are_one_alert_whatever_their_reasons():
    alerts, alert_of = alerts_of(["a"] * 6)
    assert alert_of.tolist() == [1, pd.NA, 1, 1, 1, 1]
    assert alerts["main_reasons"].tolist() == ["total_bytes high (80%); duration_sec high (20%)"]
    assert alerts["reasons"].iloc[0] == [
        {"feature": "total_bytes", "direction": "high", "n_flows": 4, "share": 0.8},
        {"feature": "duration_sec", "direction": "high", "n_flows": 1, "share": 0.2},
    ]


@pytest.mark.parametrize(
    ("hours", "gap_sec", "groups"),
    [
        ([0, 1, 2, 3, 4, 5], 2 * 3600, [{0, 2, 3, 4, 5}]),  # a pause as long as allowed is none
        ([0, 1, 2, 3, 4, 5], 2 * 3600 - 1, [{0}, {2, 3, 4, 5}]),
        ([5, 4, 3, 2, 1, 0], 3600, [{0}, {2, 3, 4, 5}]),  # a log that runs backwards
        ([3, 0, 30, 3, 30, 54], 3600, [{0, 3}, {2, 4}, {5}]),  # the same address on three days
        ([3, 0, 30, 3, 30, 54], 0, [{0, 3}, {2, 4}, {5}]),  # flows of one moment
        ([3, 0, 30, 3, 30, 54], np.inf, [{0, 2, 3, 4, 5}]),
        ([np.nan] * 6, 3600, [{0, 2, 3, 4}, {5}]),  # without times: by the main reason
        ([0, 0, np.nan, 0, np.nan, np.nan], 3600, [{0, 3}, {2, 4}, {5}]),
    ],
)
def test_flows_of_one_address_are_parted_by_pauses(hours, gap_sec, groups):
    _, alert_of = alerts_of(["a"] * 6, hours=hours, gap_sec=gap_sec)
    flagged = alert_of.dropna()
    assert [set(part.index) for _, part in flagged.groupby(flagged)] == groups


def test_pauses_of_one_address_are_not_ended_by_another():
    _, alert_of = alerts_of(["a", "a", "b", "a", "b", "a"], hours=[0, 0, 1, 9, 1, 9], gap_sec=60)
    flagged = alert_of.dropna()
    assert {frozenset(part.index) for _, part in flagged.groupby(flagged)} == {
        frozenset(group) for group in ({0}, {2, 4}, {3, 5})
    }


@pytest.mark.parametrize("gap_sec", [-1, np.nan])
def test_an_impossible_pause_is_named(gap_sec):
    with pytest.raises(ValueError, match="gap_sec should be seconds"):
        alerts_of(gap_sec=gap_sec)


def test_each_planted_campaign_is_one_alert(tmp_path):
    yaml = YAML(typ="safe")
    study = yaml.load(REPOSITORY / "params.yaml")["studies"]["traffic"]
    path, truth, _ = write(tmp_path, attacks=study["data"]["synthetic"]["attacks"])
    log = read_flows(str(path), scratch=tmp_path).tables["flows"].to_pandas()
    features, _, _ = of.fill(of.flow_features(log))
    block = study["anomalies"]
    X = learn_preparation(features, block["curves"]).apply(features)
    # What a perfect detector flags: grouping is tested alone.
    attacks = (log["label"] != "normal").to_numpy()
    flagged = np.flatnonzero(attacks)
    found = differences(X[flagged], X, ~attacks)
    flows = log[["flow_id", "time", "address"]].assign(score=attacks * 1.0, tail_share=0.01)
    options = {"rows": X[flagged], "names": list(block["curves"]), "levels": block["levels"]}
    alerts, alert_of = make_alerts(
        flows, features, flagged, found, gap_sec=block["gap_sec"], **options
    )
    planted = pd.read_csv(truth / "campaigns.csv")
    table = log.assign(alert=alert_of)[attacks].groupby(["address", "label"])["alert"].nunique()
    campaigns = planted.groupby(["address", "attack"]).size().rename_axis(["address", "label"])
    # One address may have two campaigns at one time; pauses of a campaign may be long.
    assert set(planted["attack"]) == set(study["data"]["synthetic"]["attacks"])
    assert (table == campaigns).mean() >= 0.8
    assert len(alerts) <= 1.5 * len(planted)
    # Were reasons to part them, there would be many more.
    assert sum(len(reasons) > 1 for reasons in alerts["reasons"]) >= 3


def test_an_alert_says_which_feature_and_by_how_much():
    alerts, _ = alerts_of()
    reasons = alerts["features"].iloc[0]
    assert [r["feature"] for r in reasons] == ["total_bytes"]
    assert reasons[0] | {"share": 1.0} == {
        "feature": "total_bytes", "direction": "high", "value": 9e6, "usual": 5.0, "share": 1.0,
    }  # fmt: skip
    assert alerts["reason"].iloc[2] == "duration_sec high: 900, usual 1 (100%)"


def test_lines_for_machines_hold_the_whole_alert():
    alerts, _ = alerts_of()
    lines = json_lines(alerts).splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["rank"] for one in told] == [1, 2, 3]
    assert told[0]["first_time"] == "2024-03-04T00:00:00"
    assert told[1]["address"] is None
    assert told[0]["features"][0]["usual"] == 5.0


def test_no_flag_is_no_alert():
    flows = pd.DataFrame({"flow_id": [0], "score": [1.0], "tail_share": [1.0]})
    flows["address"], flows["time"] = pd.Series(["a"], dtype="str"), pd.Timestamp("2024-03-04")
    features, none = pd.DataFrame({"total_bytes": [1.0]}), np.empty(0, dtype=int)
    X = np.zeros((1, 1))
    found = differences(np.empty((0, 1)), X, np.array([True]))
    options = {"rows": np.empty((0, 1)), "names": ["total_bytes"], "levels": LEVELS, "gap_sec": 60}
    alerts, alert_of = make_alerts(flows, features, none, found, **options)
    assert (len(alerts), alert_of.isna().all(), json_lines(alerts)) == (0, True, "")
    validate("alerts", alerts.drop(columns=["features", "reasons"]))


def test_severity_comes_from_the_share_and_not_from_bytes():
    shares = np.array([0.0005, 0.05, 0.3, 0.9])
    assert severities(shares, LEVELS).tolist() == ["critical", "high", "medium", "low"]
    with pytest.raises(ValueError, match="rising"):
        severities(shares, {"critical": 0.5, "high": 0.1})


def test_tail_shares_are_calibrated_on_rows_of_the_same_kind():
    rng = np.random.default_rng(0)
    training, later = rng.exponential(size=2000), rng.exponential(size=20_000)
    shares = tail_shares(later, training)
    for level in (0.01, 0.05, 0.2):
        # Both samples vary: four standard errors of the training's quantile.
        assert (shares <= level).mean() == pytest.approx(
            level, abs=4 * (level * (1 - level) / 2000) ** 0.5
        )
    assert shares.min() > 0


@pytest.mark.parametrize("n_rows", [1, 10, 999, 1000])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_what_lies_above_the_threshold_has_the_expected_share(n_rows, share):
    scores = np.random.default_rng(1).random(n_rows)
    above = scores > threshold_for(scores, share)
    np.testing.assert_array_equal(above, tail_shares(scores, scores) <= share)


def test_equal_scores_are_all_above_the_threshold_or_none():
    assert not (np.ones(50) > threshold_for(np.ones(50), 0.1)).any()


def test_shares_of_the_difference_sum_to_one_and_a_usual_flow_has_equal_ones():
    rng = np.random.default_rng(2)
    training = rng.normal(size=(50, 3))
    found = differences(rng.normal(size=(9, 3)) + 4, training, np.ones(50, dtype=bool))
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    same = differences(training[:1], training, np.ones(50, dtype=bool))
    np.testing.assert_allclose(same.shares, 1 / 3)
    assert same.usual.tolist() == [0]


CLUSTERS = {"all": np.zeros(100, dtype=int), "two": np.repeat([0, 1], 50)}


@pytest.mark.parametrize(
    ("n_flagged", "clusters", "told"),
    [
        (0, "two", ["flags nothing"]),
        (90, "two", ["flags nearly everything (90%)"]),
        (1, "all", ["one cluster swallows all (100% of the flows)"]),
        (30, "two", ["flags 30.00% where 2.00% are expected"]),
        (2, "two", []),
    ],
)
def test_what_cannot_be_trusted_is_told(n_flagged, clusters, told):
    assert warnings_of(np.arange(100) < n_flagged, 0.02, CLUSTERS[clusters]) == told


def test_quality_is_that_of_the_definitions():
    is_attack = np.array([True, True, False, False])
    flagged = np.array([True, False, True, False])
    found = quality(np.array([4.0, 2.0, 3.0, 1.0]), flagged, is_attack, days=2.0)
    assert found == {
        "precision": 0.5,
        "recall": 0.5,
        "average_precision": pytest.approx((1 + 2 / 3) / 2),
        "roc_auc": 0.75,
        "false_alarms_a_day": 0.5,
    }


def test_a_score_without_end_is_a_score_like_any_other():
    is_attack = np.array([True, False, False])
    found = quality(np.array([np.inf, 2.0, 1.0]), is_attack, is_attack, days=1.0)
    assert (found["average_precision"], found["roc_auc"]) == (1.0, 1.0)


def test_what_is_not_defined_is_none():
    nothing = np.zeros(3, dtype=bool)
    assert set(quality(np.ones(3), nothing, nothing, days=None).values()) == {None}


def test_days_are_counted_from_midnight_to_midnight():
    times = pd.Series(pd.to_datetime(["2024-03-04 23:00", None, "2024-03-05 01:00"]))
    assert days_of(times) == 2.0
    assert days_of(times[:0]) is None


def test_recall_is_told_by_label():
    labels = pd.Series(["normal", "scan", "scan", None], dtype="str")
    table = recall_by_label(labels, np.array([True, True, False, True]), ["normal"])
    assert table.to_dict("list") == {
        "label": ["scan", "normal"],
        "is_attack": [True, False],
        "flows": [2, 1],
        "flagged": [1, 1],
        "share": [0.5, 1.0],
    }


def test_an_attack_is_missed_where_less_than_half_is_flagged():
    labels = pd.Series(["normal"] * 2 + ["scan"] * 2 + ["flood"] * 3 + ["drip"], dtype="str")
    flagged = np.array([False, False, True, False, True, False, False, False])
    table = recall_by_label(labels, flagged, ["normal"])
    assert missed_attacks(table) == {"drip": 0.0, "flood": pytest.approx(1 / 3)}
    assert missed_attacks(table[:0]) == {}


def test_preparation_is_learnt_once():
    features = pd.DataFrame({"total_bytes": [0.0, 9.0, 99.0, 999.0], "ratio": [0.1, 1, 1, 10]})
    preparation = learn_preparation(features, {"total_bytes": "log1p", "ratio": "log", "no": "log"})
    assert list(preparation.curves) == ["total_bytes", "ratio"]
    X = preparation.apply(features)
    np.testing.assert_allclose(np.median(X, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(X[0, 1], -X[3, 1])
    alone = preparation.apply(features[1:2])
    np.testing.assert_array_equal(alone, X[1:2])


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({"total_bytes": "root"}, "unknown curves.*root"),
        ({"typo": "log"}, "none of .* is a feature"),
        ({"total_bytes": "log"}, "total_bytes has a value without a log: 0"),
    ],
)
def test_impossible_preparations_are_named(curves, message):
    with pytest.raises(ValueError, match=message):
        learn_preparation(pd.DataFrame({"total_bytes": [0.0, 1.0]}), curves)
