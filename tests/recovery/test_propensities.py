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


def test_a_cluster_without_a_partner_is_missed():
    found, people = observe()
    del people["child"]
    figures, _ = propensity_recovery(PLANTED, found, people, ITEMS)
    assert figures["n_cells_unmatched"] == 3
    # With the adults alone, their own taste is everybody's: only the child's toys stand out.
    assert figures["n_missed"] == figures["n_planted"] == 1
    assert figures["relative_error"] > 0.5


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
