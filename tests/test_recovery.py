from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, v_measure_score

from cohortlab.bipartite import relations
from cohortlab.recovery import (
    label_recovery,
    label_scores,
    match_labels,
    null_relations,
    null_rules,
    pair_recovery,
    planted_lift,
    relation_recovery,
)
from cohortlab.rules import association_rules, frequent_itemsets

PROPENSITY = pd.DataFrame(
    {
        "session_type": np.repeat(["browser", "buyer", "searcher"], 4),
        "item_group": ["shoes", "toys", "books", "tea"] * 3,
        "propensity": [0.7, 0.1, 0.1, 0.1, 0.1, 0.6, 0.2, 0.1, 0.1, 0.1, 0.2, 0.6],
    }
)
TYPES, GROUPS = ["browser", "buyer", "searcher"], ["shoes", "toys", "books", "tea"]


def noisy_labels(seed, n=200, n_types=4, n_found=4, noise=0.3):
    rng = np.random.default_rng(seed)
    planted = rng.integers(n_types, size=n)
    found = np.where(rng.random(n) < noise, rng.integers(n_found, size=n), planted % n_found)
    return planted, rng.permutation(n_found)[found]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_found", [3, 4, 5])
def test_matching_is_the_best_of_all(seed, n_found):
    planted, found = noisy_labels(seed, n_found=n_found, noise=0.6)
    matching = match_labels(planted, found)
    agreed = sum(
        np.sum((planted == t) & (found == c)) for t, c in matching.planted_to_found.items()
    )
    wide, narrow = (found, planted) if n_found >= 4 else (planted, found)
    n_wide, n_narrow = int(wide.max()) + 1, int(narrow.max()) + 1
    best = max(
        sum(np.sum((narrow == i) & (wide == j)) for i, j in enumerate(order))
        for order in permutations(range(n_wide), n_narrow)
    )
    assert agreed == best
    assert len(set(matching.planted_to_found.values())) == len(matching.planted_to_found)


def test_the_hamming_distance_counts_rows_outside_the_best_matching():
    # The largest cell first (a with 0) would leave b without a partner: 9 rows wrong, not 5.
    planted = np.repeat(["a", "b"], [9, 5])
    found = np.repeat([0, 1, 0], [5, 4, 5])
    assert label_scores(planted, found)["hamming_distance"] == pytest.approx(5 / 14, abs=1e-12)


def test_perfect_recovery_under_other_names():
    planted = np.array(["a", "b", "c", "a"])
    figures = label_recovery(planted, np.array([9, 4, 7, 9]))
    assert figures["accuracy"] == figures["adjusted_rand_index"] == 1.0
    assert figures["recall"] == figures["precision"] == {"a": 1.0, "b": 1.0, "c": 1.0}


def test_other_ids_change_no_figure():
    planted, found = noisy_labels(1)
    renamed = np.array(["w", "z", "x", "y"])[found]
    assert label_recovery(planted, found) == label_recovery(planted, renamed)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        *(noisy_labels(seed, n=60, n_found=n) for seed in range(3) for n in (1, 2, 4, 9)),
        (np.zeros(5, dtype=int), np.zeros(5, dtype=int)),
        (np.zeros(5, dtype=int), np.arange(5)),
        (np.arange(5), np.arange(5)),
        (np.repeat([0, 1], 10), np.tile([0, 1], 10)),
        (np.array([0]), np.array([3])),
    ],
)
def test_indices_agree_with_scikit_learn(planted, found):
    scores = label_scores(planted, found)
    assert scores["adjusted_rand_index"] == adjusted_rand_score(planted, found)
    exact = {"abs": 1e-14, "rel": 1e-12}
    expected = adjusted_mutual_info_score(planted, found)
    assert scores["adjusted_mutual_information"] == pytest.approx(expected, **exact)
    assert scores["v_measure"] == pytest.approx(v_measure_score(planted, found), **exact)


def test_type_without_a_cluster_has_recall_zero():
    figures = label_recovery(np.array(list("aaabbc")), np.array([0, 0, 0, 1, 1, 1]))
    assert figures["recall"] == {"a": 1.0, "b": 1.0, "c": 0.0}
    assert figures["precision"]["c"] is None
    assert figures["accuracy"] == pytest.approx(5 / 6)


def test_confusion_has_matched_clusters_on_the_diagonal():
    planted, found = noisy_labels(3, n_found=6, noise=0.2)
    matching = match_labels(planted, found)
    table = matching.confusion
    assert table.to_numpy().sum() == len(planted)
    for place, kind in enumerate(table.index):
        assert matching.planted_to_found[kind] == table.columns[place]
        assert table.iloc[place, place] == np.sum(
            (planted == kind) & (found == table.columns[place])
        )
    assert {v: k for k, v in matching.planted_to_found.items()} == matching.found_to_planted


def test_independent_labels_agree_by_chance_only():
    rng = np.random.default_rng(0)
    figures = label_recovery(rng.integers(4, size=5000), rng.integers(4, size=5000))
    assert abs(figures["adjusted_rand_index"]) < 0.005
    assert abs(figures["adjusted_mutual_information"]) < 0.005


@pytest.mark.parametrize(("planted", "found"), [([1, 2], [1]), ([], [])])
def test_labels_must_be_of_the_same_rows(planted, found):
    with pytest.raises(ValueError, match="join them by id first"):
        match_labels(np.array(planted), np.array(found))


def test_planted_lift_is_propensity_over_everybodys():
    lift = planted_lift(PROPENSITY, {"browser": 2, "buyer": 1, "searcher": 1})
    assert lift.loc["browser", "shoes"] == pytest.approx(
        0.7 / (0.5 * 0.7 + 0.25 * 0.1 + 0.25 * 0.1)
    )
    assert lift.loc["buyer", "tea"] == pytest.approx(0.1 / (0.5 * 0.1 + 0.25 * 0.1 + 0.25 * 0.6))
    with pytest.raises(ValueError, match="weights are missing"):
        planted_lift(PROPENSITY, {"browser": 1})


def planted_log(seed=0, n=600, flat=False):
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    matrix = PROPENSITY["propensity"].to_numpy().reshape(3, 4)
    matrix = np.full((3, 4), 0.25) if flat else matrix
    counts = rng.multinomial(rng.integers(5, 25, n), matrix[kind])
    return sparse.csr_array(counts), kind


@pytest.mark.parametrize("ids", [[0, 1, 2], [2, 0, 1]])
def test_planted_relation_is_recovered_whatever_the_ids(ids):
    matrix, kind = planted_log()
    clusters = np.array(ids)[kind]
    found = relations(matrix, clusters, np.array([3, 1, 0, 2]))
    people = match_labels(np.array(TYPES)[kind], clusters)
    items = dict(zip(GROUPS, [3, 1, 0, 2], strict=True))
    figures, cells = relation_recovery(planted_lift(PROPENSITY), found, people, items)
    assert figures["correlation"] > 0.98
    # Eight of twelve planted lifts come in ties, which caps the rank correlation.
    assert figures["rank_correlation"] > 0.85
    assert figures["n_planted"] == figures["n_planted_recovered"] == 3
    assert figures["n_found_opposite"] == 0
    assert len(cells) == 12
    assert cells["recovered"].sum() >= 3


def test_without_a_relation_nothing_is_recovered():
    matrix, kind = planted_log(flat=True, n=2000)
    found = relations(matrix, kind, np.arange(4))
    figures, _ = relation_recovery(
        planted_lift(PROPENSITY),
        found,
        dict(zip(TYPES, range(3), strict=True)),
        dict(zip(GROUPS, range(4), strict=True)),
    )
    assert figures["n_planted_recovered"] == 0
    assert figures["recall"] == 0.0


def test_types_without_a_cluster_count_as_missed():
    matrix, kind = planted_log()
    found = relations(matrix, np.where(kind == 2, 1, kind), np.arange(4))
    items = dict(zip(GROUPS, range(4), strict=True))
    figures, _ = relation_recovery(planted_lift(PROPENSITY), found, {"browser": 0}, items)
    assert figures["n_cells_unmatched"] == 8
    assert (figures["n_planted"], figures["n_planted_recovered"]) == (3, 1)


def paired_baskets(seed, planted, n=800):
    rng = np.random.default_rng(seed)
    rows = []
    for basket in range(n):
        items = set(rng.choice(30, size=rng.integers(1, 5), replace=False).tolist())
        if planted and 3 in items and rng.random() < 0.8:
            items.add(7)
        rows += [(basket, f"i{item:02d}") for item in sorted(items)]
    return pd.DataFrame(rows, columns=["basket_id", "item"])


def mine(baskets):
    return association_rules(frequent_itemsets(baskets, 0.01), min_threshold=0.4, max_consequent=1)


def test_planted_pairs_are_looked_up_among_the_rules():
    pairs = pd.DataFrame(
        {"antecedent": ["i03", "i05"], "consequent": ["i07", "i09"], "probability": [0.8, 0.5]}
    )
    figures, table = pair_recovery(pairs, mine(paired_baskets(0, planted=True)))
    assert table["found"].tolist() == [True, False]
    assert table.loc[0, "rank"] == 1
    assert 0.7 < table.loc[0, "confidence"] < 0.95
    assert np.isnan(table.loc[1, "lift"])
    assert (figures["n_pairs"], figures["n_found"], figures["recall"]) == (2, 1, 0.5)
    assert figures["n_rules_of_pairs"] >= 1


def test_no_pair_and_no_rule_give_empty_answers():
    pairs = pd.DataFrame({"antecedent": [], "consequent": []})
    figures, table = pair_recovery(pairs, mine(paired_baskets(0, planted=False)))
    assert figures["recall"] is None
    assert len(table) == 0


def test_null_of_rules_stays_far_below_the_planted():
    planted = null_rules(paired_baskets(2, planted=True), mine, rng=np.random.default_rng(1))
    assert planted["n_rules"] >= 1
    assert planted["n_rules_null_mean"] <= 0.2
    again = null_rules(paired_baskets(2, planted=True), mine, rng=np.random.default_rng(1))
    assert again == planted


def test_null_of_relations_keeps_its_level_even_where_there_is_a_relation():
    matrix, kind = planted_log(n=900)
    figures = null_relations(
        matrix, kind, np.arange(4), n_shuffles=100, rng=np.random.default_rng(0)
    )
    # 1200 cells, some 600 of them independent: the error of the share is near 0.009.
    assert figures["n_tested"] == 1200
    assert 0.025 < figures["share_below_alpha"] < 0.085
    assert figures["share_with_any_significant"] < 0.15
