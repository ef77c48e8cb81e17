import numpy as np
import pandas as pd
import pytest
from rules.making import MOST_BY_CHANCE, N_NULLS, long_table, mixed_sizes, random_baskets
from scipy import optimize, stats

from cohortlab.rules import association_rules, contrast_rules, frequent_itemsets
from cohortlab.rules.contrast import mantel_haenszel

PAIR = ("i03", "i30")


def clustered(rng, probabilities, n_baskets=1500, times=1):
    """Baskets of two clusters, a pair planted in each with its own probability."""
    baskets, cluster = [], []
    for label, probability in enumerate(probabilities):
        planted = [(*PAIR, probability)]
        own = mixed_sizes(rng, n_baskets=n_baskets, planted=planted)
        baskets += [basket for basket in own for _ in range(times)]
        cluster += [label] * len(own) * times
    people = [f"p{i // times}" for i in range(len(baskets))]
    table = long_table(baskets, people)
    owner = dict(zip((f"t{i}" for i in range(len(baskets))), cluster, strict=True))
    return table.assign(cluster=table["basket_id"].map(owner))


def rules_of(table, min_support=0.02):
    return association_rules(frequent_itemsets(table, min_support, max_len=2), min_threshold=0.2)


def test_a_rule_planted_in_one_cluster_is_stronger_there():
    table = clustered(np.random.default_rng(0), (0.7, 0.2))
    found = contrast_rules(rules_of(table), table, correction="holm")
    hit = found[found["differs"]]
    assert {a | b for a, b in zip(hit["antecedents"], hit["consequents"], strict=True)} == {
        frozenset(PAIR)
    }
    inside, outside = hit[hit["cluster"] == 0], hit[hit["cluster"] == 1]
    assert (inside["in lift"] > inside["out lift"]).all()
    np.testing.assert_allclose(inside["z"], -outside["z"].to_numpy())
    np.testing.assert_allclose(inside["in lift"], outside["out lift"].to_numpy())


@pytest.mark.parametrize("times", [1, 4])
def test_where_clusters_do_not_differ_the_level_is_kept(times):
    p, rejected = [], 0
    for seed in range(N_NULLS):
        rng = np.random.default_rng(seed)
        table = clustered(rng, (0.4, 0.4), n_baskets=480 // times, times=times)
        found = contrast_rules(rules_of(table, 0.12), table, clusters=[0])
        p.append(found["p"].dropna())
        rejected += found["differs"].any()
    p = np.concatenate(p)
    assert len(p) > N_NULLS * 10
    # p-values of rules that share items hang together, so the bounds are wide on both sides.
    assert 0.02 < (p <= 0.05).mean() < 0.08
    assert rejected <= MOST_BY_CHANCE


def test_one_stratum_gives_woolfs_variance_and_the_plain_odds_ratio():
    cells = [np.array([v]) for v in (12, 30, 25, 140)]
    ratio, variance = mantel_haenszel(*cells)
    peer = stats.contingency.odds_ratio(np.array([[12, 30], [25, 140]]), kind="sample")
    assert ratio == pytest.approx(np.log(peer.statistic), rel=1e-12)
    assert variance == pytest.approx(1 / 12 + 1 / 30 + 1 / 25 + 1 / 140, rel=1e-12)


def test_the_difference_is_the_interaction_of_a_logistic_regression():
    # Baskets of one size, so one stratum; the saturated model has the same likelihood ratio.
    rng = np.random.default_rng(1)
    baskets, cluster = [], []
    for label, chance in enumerate((0.6, 0.3)):
        for _ in range(400):
            left = "a" if rng.random() < 0.4 else "u"
            right = "b" if rng.random() < (chance if left == "a" else 0.25) else "v"
            baskets.append({left, right})
            cluster.append(label)
    table = long_table(baskets)
    table["cluster"] = table["basket_id"].map({f"t{i}": c for i, c in enumerate(cluster)})
    rules = association_rules(frequent_itemsets(table, 1), "support", 0.0)
    chosen = rules[(rules["antecedents"] == {"a"}) & (rules["consequents"] == {"b"})]
    found = contrast_rules(chosen, table, clusters=[0]).iloc[0]
    x = np.array(["a" in basket for basket in baskets], float)
    y = np.array(["b" in basket for basket in baskets], float)
    inside = 1.0 - np.array(cluster)
    design = np.column_stack([np.ones(len(x)), x, inside, x * inside])

    def loss(beta):
        return np.logaddexp(0, design @ beta).sum() - y @ design @ beta

    fitted = optimize.minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-8}).x
    share = 1 / (1 + np.exp(-design @ fitted))
    covariance = np.linalg.inv((design.T * (share * (1 - share))) @ design)
    assert found["difference"] == pytest.approx(fitted[3], abs=1e-4)
    assert found["standard_error"] == pytest.approx(np.sqrt(covariance[3, 3]), rel=1e-4)


def test_a_rule_that_a_cluster_does_not_know_has_no_p():
    table = clustered(np.random.default_rng(2), (0.5, 0.5), n_baskets=200)
    rules = rules_of(table)
    table = table[(table["cluster"] == 1) | (table["item"] != "i03")]
    found = contrast_rules(rules, table, clusters=[0])
    sides = zip(found["antecedents"], found["consequents"], strict=True)
    without = pd.Series(["i03" in left | right for left, right in sides])
    assert without.any()
    assert found.loc[without, "p"].isna().all()
    assert not found.loc[without, "differs"].any()
    assert found.loc[~without, "p"].notna().all()


def test_rows_are_rule_by_rule_and_none_is_made_of_nothing():
    table = clustered(np.random.default_rng(3), (0.5, 0.5), n_baskets=200)
    rules = rules_of(table).head(3)
    found = contrast_rules(rules, table)
    assert found["cluster"].tolist() == [0, 1] * 3
    empty = contrast_rules(rules.head(0), table)
    assert len(empty) == 0
    assert empty.columns.tolist() == found.columns.tolist()
    with pytest.raises(ValueError, match=r"lack the columns \['cluster'\]"):
        contrast_rules(rules, long_table(random_baskets(0)))
