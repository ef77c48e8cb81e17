import io
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohortlab.bipartite import relations
from cohortlab.laboratory import (
    CASE,
    FINDERS,
    Condition,
    advice,
    case_table,
    conditions,
    estimate_n_clusters,
    find_clusters,
    leaderboard,
    paragraph,
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


@pytest.mark.parametrize(("algorithm", "n_searches"), [("kmeans", 1), ("louvain", 2)])
def test_labels_are_those_of_all_edges_and_relations_those_of_halves(
    algorithm, n_searches, monkeypatch
):
    seen, tested = [], []

    def find(sides, *arguments, **options):
        seen.append((sides.incidence, find_clusters(sides, *arguments, **options)))
        return seen[-1][1]

    def relate(edges, *labels):
        tested.append((edges, labels))
        return relations(edges, *labels)

    monkeypatch.setattr("cohortlab.laboratory.trial.find_clusters", find)
    monkeypatch.setattr("cohortlab.laboratory.trial.relations", relate)
    (row,) = run_trial(EASY, [algorithm], seed=1)
    assert len(seen) == n_searches
    (edges, labels), total = tested[0], seen[0][0].sum()
    assert row["n_person_clusters"] == len(np.unique(seen[0][1][0]))
    assert all(np.array_equal(*pair) for pair in zip(labels, seen[-1][1], strict=True))
    if n_searches == 2:
        assert seen[1][0].sum() + edges.sum() == total
    else:
        assert edges.sum() == total


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
    assert len(lines) == 3
    path.write_text("\n".join(lines[:1]) + "\n" + lines[1][:40])
    again = run_grid(GRID, ["kmeans", "spectral"], n_seeds=1, seed=1, checkpoint=path)
    pd.testing.assert_frame_equal(whole, again)
    finished = [json.loads(v)["key"] for v in path.read_text().splitlines() if v.endswith("}")]
    assert len(set(finished)) == len(finished) == 3
    assert whole.duplicated(["strength", "is_null", "replicate", "algorithm"]).sum() == 0


def test_a_larger_grid_changes_no_number_of_a_smaller_one():
    small = run_grid(GRID | {"strength": [0.9]}, ["kmeans"], n_seeds=1, seed=1)
    large = run_grid(GRID, ["kmeans"], n_seeds=2, seed=1)
    same = large[(large["strength"] != 0.2) & (large["replicate"] == 0)]
    pd.testing.assert_frame_equal(small, same.reset_index(drop=True))


def test_nulls_vary_by_density_and_size_only():
    grid = GRID | {"density": [5, 10]}
    table = run_grid(grid, ["kmeans"], n_seeds=1, n_null_seeds=3, seed=1)
    nulls = table[table["is_null"]]
    assert nulls.groupby("density").size().to_dict() == {5: 3, 10: 3}
    assert (nulls[["overlap", "strength"]] == 0).all(axis=None)
    assert len(table) - len(nulls) == 4


WHOLE = ["kmeans", "mixture", "hdbscan", "spectral", "louvain", "block_model"]


def test_processes_change_no_digit_of_the_table():
    alone, together = (run_grid(GRID, WHOLE, n_seeds=1, seed=1, n_workers=n) for n in (1, 2))
    pd.testing.assert_frame_equal(alone, together, check_exact=True)


def test_a_run_that_was_killed_leaves_no_worker_and_goes_on(tmp_path):
    path, pids = tmp_path / "trials.jsonl", tmp_path / "pids"
    code = (
        "from pathlib import Path\n"
        "from multiprocessing import active_children\n"
        "from cohortlab.laboratory import grid\n"
        "whole = grid._write\n"
        "def write(*arguments):\n"
        "    whole(*arguments)\n"
        f"    Path({str(pids)!r}).write_text(' '.join(str(p.pid) for p in active_children()))\n"
        "grid._write = write\n"
        "if __name__ == '__main__':\n"
        f"    grid.run_grid({GRID!r}, ['kmeans'], n_seeds=40, seed=1, n_workers=2,\n"
        f"                  checkpoint=Path({str(path)!r}))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, str(script)])
    wait_until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_running(int(pid)) for pid in pids.read_text().split()))
    n_before = len(path.read_text().splitlines())
    assert 0 < n_before < 120
    resumed = run_grid(GRID, ["kmeans"], n_seeds=40, seed=1, checkpoint=path)
    again = run_grid(GRID, ["kmeans"], n_seeds=40, seed=1, checkpoint=path)
    whole = run_grid(GRID, ["kmeans"], n_seeds=2, seed=1)
    pd.testing.assert_frame_equal(resumed, again)
    first = resumed[resumed["replicate"] < 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, whole)
    assert sum(v.endswith("}") for v in path.read_text().splitlines()) == 120


def wait_until(condition, timeout_sec=120):
    end = time.monotonic() + timeout_sec
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    # What has ended may wait to be collected by a parent that does not.
    return state != "Z"


def test_trials_of_other_code_are_run_again(tmp_path, monkeypatch):
    path = tmp_path / "trials.jsonl"
    grid = GRID | {"strength": [0.9]}
    run_grid(grid, ["kmeans"], n_seeds=1, seed=1, checkpoint=path)
    monkeypatch.setattr("cohortlab.laboratory.grid._code", lambda: "changed")
    run_grid(grid, ["kmeans"], n_seeds=1, seed=1, checkpoint=path)
    assert len(path.read_text().splitlines()) == 4


def test_a_bar_shows_on_the_stream_that_is_given():
    stream = io.StringIO()
    run_grid(GRID, ["kmeans"], n_seeds=1, seed=1, progress=stream)
    assert "3/3" in stream.getvalue()


def made_up():
    rows = []
    for strength in (0.1, 0.9):
        for replicate in range(4):
            for name, value in [("ward", 0.8), ("leiden", strength)]:
                shared = {"overlap": 0.1, "strength": strength, "density": 5, "n_people": 50}
                shared |= {"algorithm": name, "replicate": replicate, "looks_at": "x"}
                scores = {"person_ari": value + 0.01 * replicate, "item_ari": 0.5}
                scores |= {"relation_error": 1 - value, "relation_error_ratio": 1 - value}
                scores |= {"n_missed": 1, "n_planted": 4}
                rows.append(shared | scores | {"is_null": False, "n_significant": 3})
                rows.append(shared | {"is_null": True, "n_significant": int(replicate == 0)})
    return pd.DataFrame(rows)


def test_intervals_are_students():
    table = phase_table(made_up(), scores=["item_ari", "person_ari"])
    row = table.set_index(["score", "strength", "algorithm"]).loc[("person_ari", 0.9, "ward")]
    values = 0.8 + 0.01 * np.arange(4)
    half = 3.182446305 * values.std(ddof=1) / 2
    assert row["mean"] == pytest.approx(values.mean())
    assert (row["high"] - row["low"]) / 2 == pytest.approx(half)
    with pytest.raises(ValueError, match=r"scores .* not have \['beauty'\]"):
        phase_table(made_up(), scores=["beauty"])


def test_intervals_of_the_leaderboard_are_about_other_seeds_under_the_same_conditions():
    trials = made_up()
    shift = trials["replicate"].where(trials["strength"] == 0.9, 0) * 0.1
    trials["person_ari"] = trials["person_ari"] + shift
    row = leaderboard(trials).set_index("algorithm").loc["ward"]
    spread = np.std([0, 1, 2, 3], ddof=1)
    error = np.sqrt(((0.01 * spread) ** 2 + (0.11 * spread) ** 2) / 4) / 2
    half = 2.446911851 * error  # Student's, 2 * 3 degrees of freedom
    assert row["person_ari_high"] - row["person_ari"] == pytest.approx(half)
    assert row["person_ari"] - row["person_ari_low"] == pytest.approx(half)
    once = leaderboard(trials[trials["replicate"] == 0])
    assert once[["person_ari_low", "relation_error_ratio_high"]].isna().all(axis=None)


def test_phases_hold_the_labels_of_both_sides_and_the_relation_under_every_condition():
    table = phase_table(made_up())
    assert list(table)[:6] == ["score", *GRID, "algorithm"]
    names = ["person_ari", "item_ari", "relation_error", "relation_error_ratio"]
    assert list(dict.fromkeys(table["score"])) == names
    assert table.groupby("score").size().tolist() == [4] * 4
    means = table.set_index(["score", "strength", "algorithm"])["mean"]
    assert means["relation_error", 0.1, "leiden"] == pytest.approx(0.9)
    assert means["item_ari", 0.9, "ward"] == pytest.approx(0.5)


def test_the_leaderboard_counts_wins_misses_and_relations_of_the_null():
    table = leaderboard(made_up()).set_index("algorithm")
    assert table.index.tolist() == ["ward", "leiden"]
    assert table["wins"].tolist() == [0.5, 0.5]
    assert table["missed"].tolist() == [0.25, 0.25]
    assert table["null_relations"].tolist() == [0.25, 0.25]


def test_where_no_relation_was_planted_nobody_is_best_at_it():
    trials = made_up()
    trials.loc[trials["strength"] == 0.1, "relation_error_ratio"] = np.nan
    table = advice(trials, score="relation_error_ratio", by=["strength"])
    assert table["strength"].tolist() == [0.9]


@pytest.mark.parametrize("score", ["person_ari", "relation_error", "relation_error_ratio"])
def test_advice_names_the_best_for_every_case(score):
    table = advice(made_up(), score=score, by=["strength"]).set_index("strength")
    assert table["best"].to_dict() == {0.1: "ward", 0.9: "leiden"}
    assert table["as_good"].tolist() == ["", ""]
    assert table["is_useful"].all()


def with_differences(differences, noise=(-0.01, 0.0, 0.01)):
    """Trials in which leiden is better than ward by a difference and noise, by density."""
    rows = []
    for density, difference in differences.items():
        for replicate, shift in enumerate(noise):
            shared = {"overlap": 0.1, "strength": 0.5, "density": density, "n_people": 50}
            shared |= {"replicate": replicate, "is_null": False}
            rows.append(shared | {"algorithm": "ward", "person_ari": 0.5})
            rows.append(shared | {"algorithm": "leiden", "person_ari": 0.5 + difference + shift})
    return pd.DataFrame(rows)


def test_a_difference_that_changes_with_the_condition_is_no_chance():
    # Over both densities leiden is better by .05; trial by trial that varies by .1 and more, but
    # at one density, from seed to seed, by .01 only.
    trials = with_differences({4: -0.05, 16: 0.15})
    assert advice(trials)[["best", "as_good"]].to_numpy().tolist() == [["leiden", ""]]
    apart = advice(trials, by=["density"]).set_index("density")
    assert apart["best"].to_dict() == {4: "ward", 16: "leiden"}


@pytest.mark.parametrize(
    ("difference", "noise", "as_good"),
    # Student's interval with 2 degrees of freedom is the mean and 2.484 deviations about it.
    [(0.024, 0.01, "ward"), (0.026, 0.01, ""), (0.09, 0.1, "ward"), (0.11, 0.1, "")],
)
def test_as_good_is_what_is_neither_told_apart_nor_much_worse(difference, noise, as_good):
    trials = with_differences({5: difference}, noise=(-noise, 0.0, noise))
    assert advice(trials).loc[0, "as_good"] == as_good


def test_with_a_single_seed_only_equals_are_as_good():
    assert advice(with_differences({5: 1e-3}, noise=[0.0])).loc[0, "as_good"] == ""
    assert advice(with_differences({5: 0.0}, noise=[0.0])).loc[0, "as_good"] != ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid": {"overlap": [0.1]}}, "grid: expected values for each of"),
        ({"algorithms": ["magic"]}, r"algorithms: expected names .* got \['magic'\]"),
        ({"n_seeds": 0}, "n_seeds is 0"),
        ({"n_null_seeds": 0}, "n_null_seeds is 0"),
        ({"n_workers": 0}, "n_workers is 0"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    sound = {"grid": GRID, "algorithms": ["ward"], "n_seeds": 1}
    with pytest.raises(ValueError, match=message):
        run_grid(**(sound | arguments), seed=1)


def test_conditions_are_all_combinations():
    found = conditions({"overlap": [0.1, 0.2], "strength": [0], "density": [5], "n_people": [9, 8]})
    assert len(found) == len(set(found)) == 4


def cases(best):
    """Trials in which a named algorithm is best in every case of overlap and strength, else .1."""
    rows = []
    for (overlap, strength), (name, value) in best.items():
        for algorithm in ("kmeans", "block_model"):
            for replicate in range(3):
                shared = {"overlap": overlap, "strength": strength, "density": 5, "n_people": 50}
                shared |= {"algorithm": algorithm, "looks_at": FINDERS[algorithm][0]}
                ari = value if algorithm == name else 0.1
                scores = {"person_ari": ari, "item_ari": 0.5, "relation_error": 1 - ari}
                scores |= {"relation_error_ratio": 1.1 - ari}
                scores |= {"n_missed": 1, "n_planted": 4, "n_significant": 3}
                rows.append(shared | scores | {"is_null": False, "replicate": replicate})
    null = {"overlap": 0, "strength": 0, "density": 5, "n_people": 50, "is_null": True}
    for replicate in range(4):
        found = {"algorithm": "kmeans", "looks_at": "features", "n_significant": replicate == 0}
        rows.append(null | found | {"replicate": replicate})
    return pd.DataFrame(rows)


def test_the_paragraph_says_which_algorithm_when_and_when_none():
    best = {(0.01, 0.2): ("kmeans", 0.9), (0.01, 0.9): ("kmeans", 0.8)}
    best |= {(0.3, 0.2): ("kmeans", 0.3), (0.3, 0.9): ("block_model", 0.7)}
    text = " ".join(paragraph(cases(best), useful=0.5))
    assert "Over all conditions **kmeans**" in text
    assert (
        "With overlap 0.01 and 5 purchases a person: at strength 0.2 to 0.9 use features, by "
        in text
    )
    assert "**kmeans**, index 0.8 to 0.9." in text
    assert (
        "0.3 and 5 purchases a person: at strength 0.9 use edges, by **block_model**, index" in text
    )
    nobody = "with 5 purchases a person, overlap 0.3 and strength 0.2."
    assert f"**None helps** (mean index below 0.5) in 1 of 4 cases: {nobody}" in text
    assert "25.0% of 4 tables hold a relation" in text
    assert (
        f"in 3 of 4 cases, most often by **kmeans**. In the other 1 none finds it: {nobody}" in text
    )


def test_algorithms_that_are_as_good_are_named_with_what_they_look_at():
    trials = cases({(0.01, 0.9): ("kmeans", 0.9)})
    spread = trials["replicate"].map({0: -0.05, 1: 0.05, 2: 0.0})
    edges = trials["algorithm"] == "block_model"
    trials.loc[edges, "person_ari"] = 0.89 + spread[edges]
    same = trials[edges & ~trials["is_null"]].assign(algorithm="ward", looks_at="features")
    text = " ".join(paragraph(pd.concat([trials, same], ignore_index=True)))
    assert (
        "use features, by **kmeans**, or as good ward (as good by edges: block_model), index"
        in text
    )


def test_what_is_as_good_in_one_case_only_is_not_recommended_for_others():
    trials = cases({(0.01, 0.2): ("kmeans", 0.9), (0.01, 0.9): ("kmeans", 0.9)})
    at_one = (trials["algorithm"] == "block_model") & (trials["strength"] == 0.9)
    spread = trials["replicate"].map({0: -0.05, 1: 0.05, 2: 0.0})
    trials.loc[at_one, "person_ari"] = 0.89 + spread[at_one]
    text = " ".join(paragraph(trials))
    assert "at strength 0.2 to 0.9 use features, by **kmeans**, index 0.9." in text


def test_the_paragraph_says_what_the_number_of_purchases_decides():
    sparse = cases({(0.01, 0.2): ("kmeans", 0.6), (0.01, 0.9): ("kmeans", 0.3)})
    dense = cases({(0.01, 0.2): ("kmeans", 0.6), (0.01, 0.9): ("block_model", 0.95)})
    trials = pd.concat([sparse, dense.assign(density=20)], ignore_index=True)
    text = " ".join(paragraph(trials))
    assert "and 5 purchases a person: at strength 0.2 use features, by **kmeans**, index" in text
    assert "and 20 purchases a person: at strength 0.2 use features" in text
    assert "; at strength 0.9 use edges, by **block_model**, index 0.95." in text
    assert "(mean index below 0.5) in 1 of 4 cases: with 5 purchases a person, overlap 0.01" in text
    assert "20 purchases" not in text.split("None helps")[1].split(". ")[0]


def test_numbers_of_purchases_with_the_same_kind_of_winner_share_a_sentence():
    sparse = cases({(0.01, 0.2): ("kmeans", 0.6), (0.01, 0.9): ("block_model", 0.7)})
    dense = cases({(0.01, 0.2): ("kmeans", 0.6), (0.01, 0.9): ("block_model", 0.95)})
    text = " ".join(paragraph(pd.concat([sparse, dense.assign(density=20)], ignore_index=True)))
    assert "With overlap 0.01 and 5 to 20 purchases a person: at strength 0.2 use" in text
    assert "by **block_model**, index 0.7 to 0.95." in text


def test_cases_stand_in_a_table_and_where_none_helps_it_says_none():
    best = {(0.01, 0.2): ("kmeans", 0.9), (0.01, 0.9): ("block_model", 0.7)}
    best |= {(0.3, 0.2): ("kmeans", 0.3), (0.3, 0.9): ("kmeans", 0.5)}
    table = case_table(advice(cases(best), by=CASE))
    assert table.index.tolist() == [(0.01, 5), (0.3, 5)]
    words = [["kmeans 0.90", "block_model 0.70"], ["none (0.30)", "kmeans 0.50"]]
    assert table[[0.2, 0.9]].to_numpy().tolist() == words


def test_a_strength_at_which_none_helps_parts_the_strengths_at_which_one_does():
    best = {(0.01, 0.2): 0.9, (0.01, 0.5): 0.3, (0.01, 0.9): 0.8}
    text = " ".join(paragraph(cases({case: ("kmeans", value) for case, value in best.items()})))
    assert "at strength 0.2 use features" in text
    assert "at strength 0.9 use features" in text
    assert "overlap 0.01 and strength 0.5." in text


def test_what_the_intervals_do_not_tell_apart_is_named_together():
    trials = cases({(0.01, 0.9): ("kmeans", 0.9)})
    spread = trials["replicate"].map({0: -0.05, 1: 0.05, 2: 0.0})
    edges = trials["algorithm"] == "block_model"
    trials.loc[edges, "person_ari"] = 0.88 + spread[edges]
    text = paragraph(trials)[0]
    assert "**kmeans** and **block_model**, which the intervals do not tell apart, find" in text
    trials.loc[edges, "person_ari"] = 0.3 + spread[edges]
    assert "conditions **kmeans** finds people best" in paragraph(trials)[0]


def test_the_paragraph_says_where_all_is_well():
    text = " ".join(paragraph(cases({(0.01, 0.9): ("kmeans", 0.9)}), useful=0.5))
    assert "in all of 1 cases, most often by **kmeans**" in text
    assert "In every case some algorithm has a mean index of at least 0.5." in text
    assert "None helps" not in text
