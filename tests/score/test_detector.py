"""New flows: a stored detector gives the scores of the training, whatever else is in the file."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from cohortlab import anomalies, score
from cohortlab.anomalies import preparation
from cohortlab.anomalies.distinct import distinct_rows
from cohortlab.arrays import pack_arrays, unpack_arrays
from cohortlab.features.flows import fill, flow_features
from cohortlab.score.__main__ import main
from cohortlab.score.detector import DetectorBundle, keep_detector
from cohortlab.score.storage import _digest
from cohortlab.score.stream import score_file

CURVES = {
    "total_bytes": "log1p",
    "total_packets": "log1p",
    "bytes_per_packet": "log1p",
    "send_receive_ratio": "log",
    "duration_sec": "log1p",
}
LEVELS = {"critical": 0.001, "high": 0.005, "medium": 0.02}
OPTIONS = {
    "dbscan": {"min_samples": 40},
    "hdbscan": {"min_cluster_size": 80, "max_rows": 600},
    "mixture": {"n_components": 3, "n_init": 1},
    "isolation_forest": {"n_trees": 30},
    "local_outlier_factor": {"n_neighbors": 60, "max_rows": 600},
}
AMOUNTS = ["bytes_sent", "bytes_received", "packets_sent", "packets_received", "duration"]
detectors = pytest.mark.parametrize("name", OPTIONS)


def flows(n=800, seed=0):
    """Make two kinds of flows, and a few without some amount."""
    rng = np.random.default_rng(seed)
    scale = np.where(np.arange(n) % 2, 2.0, 8.0)
    table = pd.DataFrame({"flow_id": np.arange(n)})
    for name in AMOUNTS:
        table[name] = np.round(np.exp(scale + rng.normal(0, 0.5, n)))
    if n > 9:
        table.loc[3, "bytes_sent"], table.loc[5, "packets_received"] = 1e9, np.nan
        table.loc[7, "duration"], table.loc[9, ["packets_sent", "packets_received"]] = np.inf, 0
    return table


def trained_on(log, name):
    features, medians, _ = fill(flow_features(log))
    preparation = anomalies.learn_preparation(features, CURVES)
    X = preparation.apply(features)
    trained = anomalies.train(name, X, expected_share=0.02, options=OPTIONS[name])
    bundle = keep_detector(trained, log, preparation, study="net", medians=medians, levels=LEVELS)
    return trained, bundle, X


@pytest.fixture(scope="module")
def kept():
    return trained_on(flows(), "dbscan")


@pytest.fixture
def folder(kept, tmp_path):
    path = tmp_path / "bundle"
    path.mkdir()
    score.save_bundle(kept[1], path)
    return path


def load(folder):
    return score.load_bundle(folder, study="net", kinds=(DetectorBundle,))


def forge(folder, part, content, **changes):
    """Change a bundle and make its digests fit, as a foreign file may."""
    (folder / part).write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    manifest.pop("sha256")
    manifest["parts"][part] = hashlib.sha256(content).hexdigest()
    manifest["sha256"] = _digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def forge_arrays(folder, arrays, changed):
    """Put arrays in place of those of the detector; None leaves one out."""
    kept = {name: a for name, a in (arrays | changed).items() if a is not None}
    forge(folder, "detector.npz", pack_arrays(kept))


@detectors
def test_a_stored_detector_gives_the_flows_of_the_training_their_scores(name, tmp_path):
    log = flows()
    trained, bundle, _ = trained_on(log, name)
    score.save_bundle(bundle, tmp_path)
    again = load(tmp_path)
    found = again.assign(log)
    np.testing.assert_array_equal(found["score"], trained.scores)
    np.testing.assert_array_equal(found["is_flagged"], trained.flags(trained.scores))
    shares = anomalies.tail_shares(trained.scores, trained.scores)
    np.testing.assert_array_equal(found["tail_share"], shares)
    assert found["severity"].tolist() == anomalies.severities(shares, LEVELS).tolist()
    pd.testing.assert_frame_equal(found, bundle.assign(log))


@detectors
def test_a_flow_is_scored_alike_whatever_else_is_there(name):
    _, bundle, _ = trained_on(flows(), name)
    new = flows(200, seed=1)
    whole = bundle.assign(new)
    pd.testing.assert_frame_equal(
        bundle.assign(new.sample(frac=1, random_state=0)).sort_index(), whole
    )
    # Alone, a flow without packets is all that its part knows of them.
    alone = pd.concat([bundle.assign(new.iloc[[i]]) for i in range(12)])
    pd.testing.assert_frame_equal(alone, whole.iloc[:12])


def test_the_isolation_forest_scores_as_scikit_learn_does():
    trained, _, X = trained_on(flows(), "isolation_forest")
    model = IsolationForest(n_estimators=30, max_samples=256, random_state=0).fit(X)
    np.testing.assert_allclose(trained.scores, -model.score_samples(X), rtol=1e-12)


@pytest.mark.parametrize("name", ["dbscan", "hdbscan"])
def test_a_detector_that_knows_no_dense_flow_calls_all_strange_when_it_is_stored_too(
    name, tmp_path
):
    log = flows(60)
    features, medians, _ = fill(flow_features(log))
    preparation = anomalies.learn_preparation(features, CURVES)
    options = {"dbscan": {"min_samples": 99}, "hdbscan": {"min_cluster_size": 59}}[name]
    trained = anomalies.train(name, preparation.apply(features), options=options)
    bundle = keep_detector(trained, log, preparation, study="net", medians=medians, levels=LEVELS)
    score.save_bundle(bundle, tmp_path)
    assert (load(tmp_path).assign(log)["score"] == trained.scores).all()


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("with_ids", [True, False])
def test_files_of_flows_are_scored_in_parts_and_numbered_where_they_have_no_ids(
    kept, tmp_path, ending, with_ids
):
    trained, bundle, _ = kept
    source = tmp_path / f"new{ending}"
    log = flows() if with_ids else flows().drop(columns="flow_id")
    log.to_parquet(source) if ending == ".parquet" else log.to_csv(source, index=False)
    outputs = []
    for part_rows in (70, 10_000):
        target = tmp_path / f"out{part_rows}.csv"
        totals = score_file(bundle, source, target, part_rows=part_rows)
        assert totals["rows"] == totals["assigned"] == len(log)
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1]
    found = pd.read_csv(tmp_path / "out70.csv")
    assert found["flow_id"].tolist() == list(range(len(log)))
    np.testing.assert_allclose(found["score"], trained.scores, rtol=1e-12)
    assert found["is_flagged"].tolist() == trained.flags(trained.scores).tolist()


def test_missing_amounts_get_the_median_and_impossible_flows_no_score(kept):
    _, bundle, _ = kept
    new = flows(6, seed=2).astype(float)
    new.loc[0, "duration"], new.loc[1, "bytes_sent"] = np.nan, -1
    new.loc[2, AMOUNTS], new.loc[3, "bytes_sent"] = np.nan, 1e15
    new.loc[4, "duration"] = np.inf
    found = bundle.assign(new)
    assert found["score"].isna().tolist() == [False, True, True, False, False, False]
    assert found["is_flagged"].isna().tolist() == found["score"].isna().tolist()
    assert found["severity"].isna().tolist() == found["score"].isna().tolist()
    assert found.loc[0, "note"] == "duration is missing or no number"
    assert found.loc[1, "note"].startswith("bytes_sent is outside ")
    assert found.loc[2, "note"].count("missing") == len(AMOUNTS)
    # Nothing was as strange, which is 1 of 801 and no critical share yet.
    assert found.loc[3, "tail_share"] == 1 / 801
    assert found.loc[3, "severity"] == "high"
    filled = new.assign(duration=new["duration"].mask([True] + [False] * 5))
    filled.loc[[0, 4], "duration"] = bundle.medians["duration_sec"]
    assert (bundle.assign(filled)["score"].iloc[[0, 4]] == found["score"].iloc[[0, 4]]).all()


def test_a_feature_without_a_logarithm_leaves_that_flow_alone_without_a_score():
    log = flows().assign(bytes_sent=lambda t: t["bytes_sent"] + 1)
    features, medians, _ = fill(flow_features(log))
    preparation = anomalies.learn_preparation(features, {"total_bytes": "log"})
    trained = anomalies.train("dbscan", preparation.apply(features))
    bundle = keep_detector(trained, log, preparation, study="net", medians=medians, levels=LEVELS)
    new = log.iloc[:3].copy()
    new.loc[1, ["bytes_sent", "bytes_received"]] = 0
    assert bundle.assign(new)["score"].isna().tolist() == [False, True, False]


def test_every_curve_is_computed_once(kept, monkeypatch):
    seen = []

    def counted(values):
        seen.append(len(values))
        return np.log1p(values)

    monkeypatch.setitem(preparation.CURVES, "log1p", counted)
    new = flows(20, seed=3)
    new.loc[1, "bytes_sent"] = -1
    kept[1].assign(new)
    assert seen == [19] * list(CURVES.values()).count("log1p")


@pytest.mark.parametrize("others", [np.inf, np.nan])
def test_an_amount_that_is_nowhere_finite_has_no_bounds_to_keep(kept, others):
    trained, bundle, _ = kept
    log = flows().assign(duration=others)
    log.loc[0, "duration"] = np.inf
    told = {"study": "net", "medians": bundle.medians, "levels": LEVELS}
    with pytest.raises(ValueError, match="some have a finite duration, but none has"):
        keep_detector(trained, log, bundle.preparation, **told)


def test_amounts_that_the_training_did_not_know_are_not_asked_for(kept):
    log = flows().assign(packets_received=np.nan, duration=np.nan)
    features, medians, _ = fill(flow_features(log))
    preparation = anomalies.learn_preparation(features, CURVES)
    trained = anomalies.train("dbscan", preparation.apply(features))
    bundle = keep_detector(trained, log, preparation, study="net", medians=medians, levels=LEVELS)
    assert bundle.inputs["name"].tolist() == AMOUNTS[:3]
    np.testing.assert_array_equal(bundle.assign(log[AMOUNTS[:3]])["score"], trained.scores)
    with pytest.raises(ValueError, match=r"\['duration'\] are missing: needed are .*data step"):
        kept[1].assign(log.drop(columns="duration"))


def test_a_missing_column_of_a_file_is_named_and_nothing_is_written(folder, tmp_path, caplog):
    flows().drop(columns="duration").to_csv(tmp_path / "new.csv", index=False)
    arguments = ["net", str(tmp_path / "new.csv"), str(tmp_path / "out.csv")]
    assert main([*arguments, "--bundle", str(folder)]) == 2
    assert "columns ['duration'] are missing" in caplog.text
    assert not (tmp_path / "out.csv").exists()


def test_the_command_scores_flows(folder, tmp_path, caplog):
    caplog.set_level("INFO")
    flows().to_csv(tmp_path / "new.csv", index=False)
    arguments = ["net", str(tmp_path / "new.csv"), str(tmp_path / "out.csv")]
    assert main([*arguments, "--bundle", str(folder)]) == 0
    assert "800 flows: 800 scored" in caplog.text
    columns = ["flow_id", "score", "tail_share", "severity", "is_flagged", "note"]
    assert list(pd.read_csv(tmp_path / "out.csv")) == columns


@pytest.mark.parametrize("part", ["manifest.json", *DetectorBundle.PARTS])
def test_a_detector_that_was_changed_is_refused(folder, part):
    path = folder / part
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(score.BundleError, match=part):
        load(folder)


def test_a_detector_is_no_bundle_of_clusters_and_belongs_to_its_study(folder):
    with pytest.raises(score.BundleError, match="not of the format 'cohortlab clusters 1'"):
        score.load_bundle(folder, study="net")
    with pytest.raises(score.BundleError, match="belongs to study 'net', not to 'bank'"):
        score.load_bundle(folder, study="bank", kinds=(DetectorBundle,))


@detectors
def test_what_was_learnt_must_fit_itself_where_a_foreign_bundle_has_the_right_digests(
    name, tmp_path
):
    _, bundle, _ = trained_on(flows(), name)
    score.save_bundle(bundle, tmp_path)
    arrays = unpack_arrays((tmp_path / "detector.npz").read_bytes())
    first = next(n for n, a in arrays.items() if n != "training" and a.ndim)
    narrower = arrays[first][:, :-1] if arrays[first].ndim == 2 else arrays[first][:-1]
    as_text = arrays[first].astype(str)
    number = next((n for n, a in arrays.items() if not a.ndim and a.dtype.kind in "if"), first)
    changes = [{first: narrower}, {first: None}, {"more": np.zeros(2)}, {first: as_text}]
    changes += [{number: np.empty(0)}, {number: np.array("much")}, {number: np.array(-1)}]
    for changed in changes:
        forge_arrays(tmp_path, arrays, changed)
        with pytest.raises(score.BundleError, match="no usable bundle"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("dbscan", {"eps": np.empty(0)}, "its eps should be a number above 0"),
        ("dbscan", {"eps": np.array(np.nan)}, "its eps should be finite"),
        ("isolation_forest", {"usual": np.array(0.0)}, "usual number of cuts"),
        ("local_outlier_factor", {"n_neighbors": np.array(2.5)}, "n_neighbors is no int"),
    ],
)
def test_numbers_that_no_training_gives_are_refused(name, changed, message, tmp_path):
    _, bundle, _ = trained_on(flows(), name)
    score.save_bundle(bundle, tmp_path)
    forge_arrays(tmp_path, unpack_arrays((tmp_path / "detector.npz").read_bytes()), changed)
    with pytest.raises(score.BundleError, match=message):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a[:-1], "scores of the training should be of shape"),
        (lambda a: a[:0], "scores of the training should be of shape"),
        (lambda a: a.astype(str), "scores of the training should be of shape"),
        (lambda a: np.append(a[:-1], np.nan), "scores of the training should be finite"),
        (lambda a: a[::-1], "should ascend"),
    ],
)
def test_foreign_scores_of_the_training_are_refused(folder, change, message):
    arrays = unpack_arrays((folder / "detector.npz").read_bytes())
    forge_arrays(folder, arrays, {"training": change(arrays["training"])})
    with pytest.raises(score.BundleError, match=message):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": {}}, "threshold: expected a number"),
        ({"threshold": float("nan")}, "threshold: expected a number"),
        ({"levels": 5}, "levels should be numbers by name"),
        ({"levels": {"critical": "few"}}, "levels of critical"),
        ({"levels": {"critical": 0.5, "high": 0.1}}, "rising shares"),
        ({"medians": None}, "no 'medians'"),
        ({"medians": {"total_bytes": 1.0}}, "parts do not fit"),
        ({"medians": CURVES}, "medians of total_bytes"),
        ({"curves": 5}, "not iterable"),
        ({"curves": dict.fromkeys(CURVES, "bent")}, "no 'bent'"),
        ({"scorer": "Guess"}, "no 'Guess'"),
        ({"scorer": ["NearestCore"]}, "unhashable"),
        ({"detector": 5}, "the detector should be a text"),
    ],
)
def test_what_a_foreign_detector_tells_of_itself_is_refused(folder, changes, message):
    told = json.loads((folder / "detector.json").read_text()) | changes
    told = {name: value for name, value in told.items() if value is not None}
    forge(folder, "detector.json", json.dumps(told).encode())
    with pytest.raises(score.BundleError, match=f"no usable bundle .*{message}"):
        load(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_training": None}, "n_training"),
        ({"inputs": [{"name": "weight", "lowest": 0, "highest": 1}]}, "bytes_sent"),
        ({"inputs": [{"name": AMOUNTS[0], "lowest": "few", "highest": 1}]}, "lowest value of"),
    ],
)
def test_a_foreign_manifest_of_a_detector_is_refused(folder, changes, message):
    forge(folder, "detector.json", (folder / "detector.json").read_bytes(), **changes)
    with pytest.raises(score.BundleError, match=message):
        load(folder)


def test_equal_flows_make_a_detector_that_can_be_stored(tmp_path):
    log = pd.concat([flows(1)] * 50, ignore_index=True)
    features, medians, _ = fill(flow_features(log))
    preparation = anomalies.learn_preparation(features, CURVES)
    for name in OPTIONS:
        trained = anomalies.train(name, preparation.apply(features))
        bundle = keep_detector(
            trained, log, preparation, study="net", medians=medians, levels=LEVELS
        )
        score.save_bundle(bundle, tmp_path)
        assert not load(tmp_path).assign(log)["is_flagged"].any()
    assert len(distinct_rows(preparation.apply(features)).values) == 1
