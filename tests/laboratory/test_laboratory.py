import json

import numpy as np
import pandas as pd
import pytest

from cohortlab.laboratory import (
    FINDERS,
    Condition,
    advice,
    conditions,
    estimate_n_clusters,
    leaderboard,
    phase_table,
    run_grid,
    run_trial,
)

EASY = Condition(overlap=0.005, strength=0.95, density=20, n_people=200)
GRID = {"overlap": [0.02], "strength": [0.2, 0.9], "density": [10], "n_people": [120]}


@pytest.mark.parametrize("algorithm", ["kmeans", "mixture", "spectral", "louvain", "block_model"])
def test_an_easy_truth_is_found(algorithm):
    (row,) = run_trial(EASY, [algorithm], seed=1)
    assert row["person_ari"] > 0.85
    assert row["item_ari"] > 0.7
    assert row["relation_error"] < 0.2
    assert row["n_missed"] == 0
    assert row["looks_at"] == FINDERS[algorithm][0]


@pytest.mark.parametrize("algorithm", ["ward", "block_model", "louvain"])
def test_a_null_has_no_scores_and_hardly_a_relation(algorithm):
    n_found = 0
    for seed in range(6):
        (row,) = run_trial(EASY, [algorithm], seed=seed, null=True)
        assert row["person_ari"] is None
        assert row["n_planted"] == 0
        n_found += row["n_significant"] > 0
    # Binomial with n = 6 and p = .05: more than 2 has probability .002.
    assert n_found <= 2


def test_scaling_matters_where_one_feature_has_the_larger_range():
    scaled, plain = (run_trial(EASY, ["ward"], seed=2, scale=s)[0] for s in (True, False))
    assert scaled["person_ari"] > plain["person_ari"] + 0.3


def test_the_number_of_clusters_is_estimated():
    rng = np.random.default_rng(0)
    centres = np.array([[0, 0], [9, 0], [0, 9], [9, 9]])
    X = centres[rng.integers(4, size=200)] + rng.normal(size=(200, 2))
    assert estimate_n_clusters(X, "ward") == 4
    assert estimate_n_clusters(X, "mixture", max_clusters=5) == 4
    assert estimate_n_clusters(rng.normal(size=(200, 2)), "mixture", max_clusters=3) == 1


def test_a_run_that_was_cut_off_goes_on_to_the_same_table(tmp_path):
    path = tmp_path / "trials.jsonl"
    whole = run_grid(GRID, ["kmeans", "spectral"], n_seeds=1, seed=1, checkpoint=path)
    lines = path.read_text().splitlines()
    assert len(lines) == 4
    path.write_text("\n".join(lines[:2]) + "\n" + lines[2][:40])
    again = run_grid(GRID, ["kmeans", "spectral"], n_seeds=1, seed=1, checkpoint=path)
    pd.testing.assert_frame_equal(whole, again)
    finished = [json.loads(v)["key"] for v in path.read_text().splitlines() if v.endswith("}")]
    assert len(set(finished)) == len(finished) == 4
    assert whole.duplicated(["strength", "is_null", "replicate", "algorithm"]).sum() == 0


def test_a_larger_grid_changes_no_number_of_a_smaller_one():
    small = run_grid(GRID | {"strength": [0.9]}, ["kmeans"], n_seeds=1, seed=1)
    large = run_grid(GRID, ["kmeans"], n_seeds=2, seed=1)
    same = large[(large["strength"] == 0.9) & (large["replicate"] == 0)]
    pd.testing.assert_frame_equal(small, same.reset_index(drop=True))


def made_up():
    rows = []
    for strength in (0.1, 0.9):
        for replicate in range(4):
            for name, value in [("ward", 0.8), ("leiden", strength)]:
                shared = {"overlap": 0.1, "strength": strength, "density": 5, "n_people": 50}
                shared |= {"algorithm": name, "replicate": replicate, "looks_at": "x"}
                scores = {"person_ari": value + 0.01 * replicate, "item_ari": 0.5}
                scores |= {"relation_error": 1 - value, "n_missed": 1, "n_planted": 4}
                rows.append(shared | scores | {"is_null": False, "n_significant": 3})
                rows.append(shared | {"is_null": True, "n_significant": int(replicate == 0)})
    return pd.DataFrame(rows)


def test_intervals_are_students():
    table = phase_table(made_up()).set_index(["strength", "algorithm"])
    row = table.loc[(0.9, "ward")]
    values = 0.8 + 0.01 * np.arange(4)
    half = 3.182446305 * values.std(ddof=1) / 2
    assert row["mean"] == pytest.approx(values.mean())
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half)
    with pytest.raises(ValueError, match="score is 'beauty'"):
        phase_table(made_up(), score="beauty")


def test_the_leaderboard_counts_wins_misses_and_relations_of_the_null():
    table = leaderboard(made_up()).set_index("algorithm")
    assert table.index.tolist() == ["ward", "leiden"]
    assert table["wins"].tolist() == [0.5, 0.5]
    assert table["missed"].tolist() == [0.25, 0.25]
    assert table["null_relations"].tolist() == [0.25, 0.25]


@pytest.mark.parametrize("score", ["person_ari", "relation_error"])
def test_advice_names_the_best_for_every_case(score):
    table = advice(made_up(), score=score, by=["strength"]).set_index("strength")
    assert table["best"].to_dict() == {0.1: "ward", 0.9: "leiden"}
    assert table["as_good"].tolist() == ["", ""]
    assert table["is_useful"].all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid": {"overlap": [0.1]}}, "grid: expected values for each of"),
        ({"algorithms": ["magic"]}, r"algorithms: expected names .* got \['magic'\]"),
        ({"n_seeds": 0}, "n_seeds is 0"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    sound = {"grid": GRID, "algorithms": ["ward"], "n_seeds": 1}
    with pytest.raises(ValueError, match=message):
        run_grid(**(sound | arguments), seed=1)


def test_conditions_are_all_combinations():
    found = conditions({"overlap": [0.1, 0.2], "strength": [0], "density": [5], "n_people": [9, 8]})
    assert len(found) == len(set(found)) == 4
