import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score, v_measure_score

from cohortlab.bipartite import relations
from cohortlab.recovery import label_recovery, label_scores, match_labels, propensity_recovery

PLANTED = pd.DataFrame(
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], index=["child", "adult"], columns=["toy", "tool", "tea"]
)


def observe(planted=PLANTED, n=400, seed=0):
    rng = np.random.default_rng(seed)
    people = rng.integers(2, size=n)
    matrix = sparse.csr_array(rng.multinomial(12, planted.to_numpy()[people]))
    return relations(matrix, 1 - people, np.arange(3)), {"child": 1, "adult": 0}


ITEMS = {"toy": 0, "tool": 1, "tea": 2}


def test_a_planted_matrix_is_recovered_under_other_names():
    found, people = observe()
    figures, cells = propensity_recovery(PLANTED, found, people, ITEMS)
    # 2400 edges a row: the deviation of a propensity is below 0.01.
    assert figures["relative_error"] < 0.04
    assert figures["correlation"] > 0.999
    planted = cells[cells["is_planted"]]
    assert set(zip(planted["planted_person"], planted["planted_item"], strict=True)) == {
        ("child", "toy"),
        ("adult", "tool"),
    }
    assert figures["n_cells"] == 6


def test_planted_relations_are_found_and_no_other():
    found, people = observe()
    figures, _ = propensity_recovery(PLANTED, found, people, ITEMS)
    assert (figures["n_planted"], figures["n_found"], figures["n_missed"]) == (2, 2, 0)
    assert figures["n_false"] == 0


def test_relative_error_is_that_of_the_norm():
    found, people = observe()
    figures, cells = propensity_recovery(PLANTED, found, people, ITEMS)
    matrix = cells.pivot(index="planted_person", columns="planted_item", values="found")
    difference = matrix.loc[PLANTED.index, PLANTED.columns] - PLANTED
    expected = np.linalg.norm(difference) / np.linalg.norm(PLANTED)
    assert figures["relative_error"] == pytest.approx(expected)


def test_without_a_relation_none_is_planted_and_hardly_one_is_found():
    flat = pd.DataFrame([[0.5, 0.3, 0.2]] * 2, index=PLANTED.index, columns=PLANTED.columns)
    n_false = 0
    for seed in range(40):
        found, people = observe(flat, seed=seed)
        figures, _ = propensity_recovery(flat, found, people, ITEMS)
        assert (figures["n_planted"], figures["n_missed"]) == (0, 0)
        n_false += figures["n_false"] > 0
    # Binomial with n = 40 and p = .05: more than 7 has probability .001.
    assert n_false <= 7


@pytest.mark.parametrize("missing", ["child", "adult"])
def test_a_cluster_without_a_partner_is_missed(missing):
    found, people = observe()
    del people[missing]
    figures, _ = propensity_recovery(PLANTED, found, people, ITEMS)
    assert figures["n_cells_unmatched"] == 3
    assert (figures["n_planted"], figures["n_missed"]) == (2, 1)
    norm = np.linalg.norm(PLANTED.loc[missing]) / np.linalg.norm(PLANTED)
    assert figures["relative_error"] == pytest.approx(norm, abs=0.02)


def test_with_fewer_clusters_than_planted_the_others_are_missed():
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=400)
    matrix = sparse.csr_array(rng.multinomial(12, PLANTED.to_numpy()[kind]))
    one = relations(matrix, np.zeros(400, dtype=int), np.arange(3))
    figures, _ = propensity_recovery(PLANTED, one, {"adult": 0}, ITEMS)
    assert (figures["n_planted"], figures["n_missed"], figures["n_found"]) == (2, 2, 0)
    assert figures["error_ratio"] > 1


def test_with_more_clusters_than_planted_those_without_a_partner_help_nobody():
    rng = np.random.default_rng(0)
    kind = rng.integers(2, size=400)
    matrix = sparse.csr_array(rng.multinomial(12, PLANTED.to_numpy()[kind]))
    # The people of one kind are found in two clusters, and tools and tea are one with a third.
    found = relations(matrix, kind + 2 * rng.integers(2, size=400), np.array([0, 1, 1]))
    figures, _ = propensity_recovery(
        PLANTED, found, {"child": 0, "adult": 1}, {"toy": 0, "tool": 1}
    )
    assert (figures["n_cells"], figures["n_cells_unmatched"]) == (4, 2)
    assert (figures["n_planted"], figures["n_missed"]) == (2, 0)
    assert figures["n_found"] == 2


@pytest.mark.parametrize("strength", [0.2, 0.5, 0.9])
def test_the_error_ratio_is_one_for_the_matrix_without_a_relation_at_every_strength(strength):
    shares, weights = np.array([0.5, 0.3, 0.2]), {"a": 0.5, "b": 0.3, "c": 0.2}
    planted = pd.DataFrame(
        (1 - strength) * shares + strength * np.eye(3), list(weights), list("xyz")
    )
    everybody = np.array(list(weights.values())) @ planted.to_numpy()
    same = {name: k for k, name in enumerate([*weights, *planted])}
    nothing = pd.DataFrame(
        [(a, x, 1e6 * everybody[k], 0.0, 1.0) for a in range(3) for k, x in enumerate((3, 4, 5))],
        columns=["person_cluster", "item_cluster", "observed", "z", "q"],
    )
    figures, _ = propensity_recovery(planted, nothing, same, same, weights=weights)
    assert figures["error_ratio"] == pytest.approx(1.0)
    assert figures["relative_error"] < 0.9 * figures["error_ratio"]
    values = planted.to_numpy().ravel()
    figures, _ = propensity_recovery(
        planted, nothing.assign(observed=1e6 * values), same, same, weights=weights
    )
    assert figures["error_ratio"] == pytest.approx(0.0, abs=1e-9)


def test_without_a_relation_there_is_no_error_to_compare_with():
    flat = pd.DataFrame([[0.5, 0.3, 0.2]] * 2, index=PLANTED.index, columns=PLANTED.columns)
    found, people = observe(flat)
    assert propensity_recovery(flat, found, people, ITEMS)[0]["error_ratio"] is None


def test_what_is_planted_hangs_on_the_weights_of_the_truth():
    found, people = observe()
    # Where nearly all edges are the adults', their tools are what everybody takes.
    figures, cells = propensity_recovery(
        PLANTED, found, people, ITEMS, weights={"child": 1, "adult": 99}
    )
    assert cells.loc[cells["is_planted"], "planted_item"].tolist() == ["toy"]
    assert figures["n_planted"] == 1
    with pytest.raises(ValueError, match=r"weights: expected a number for each of \['child'"):
        propensity_recovery(PLANTED, found, people, ITEMS, weights={"child": 1})


def test_scores_agree_with_scikit_learn_and_with_the_recovery_of_labels():
    rng = np.random.default_rng(0)
    planted = rng.integers(3, size=200)
    found = np.where(rng.random(200) < 0.7, planted, rng.integers(4, size=200))
    scores = label_scores(planted, found)
    assert scores["adjusted_rand_index"] == pytest.approx(adjusted_rand_score(planted, found))
    assert scores["v_measure"] == pytest.approx(v_measure_score(planted, found))
    recovery = label_recovery(planted, found)
    assert scores["hamming_distance"] == pytest.approx(1 - recovery["accuracy"])
    assert scores["adjusted_mutual_information"] == recovery["adjusted_mutual_information"]


def test_scores_do_not_depend_on_the_names_of_clusters():
    rng = np.random.default_rng(1)
    planted, found = rng.integers(3, size=90), rng.integers(3, size=90)
    names = np.array(["c", "a", "b"])
    assert label_scores(planted, found) == label_scores(names[planted], names[found])
    assert label_scores(planted, names[planted]) == pytest.approx(
        {
            "adjusted_rand_index": 1.0,
            "adjusted_mutual_information": 1.0,
            "v_measure": 1.0,
            "hamming_distance": 0.0,
        }
    )
    assert match_labels(planted, names[planted]).planted_to_found == {0: "c", 1: "a", 2: "b"}
