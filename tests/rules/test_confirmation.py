from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from rules.making import MOST_BY_CHANCE, N_NULLS, long_table, mixed_sizes, random_baskets
from scipy import stats

from cohortlab.rules import (
    ancestor_pairs,
    association_rules,
    at_level,
    confirm_rules,
    discover_and_confirm,
    frequent_itemsets,
    one_per_itemset,
    shuffle_baskets,
    split_baskets,
    with_ancestors,
)
from cohortlab.rules.counting import StratifiedCounter, size_strata
from cohortlab.rules.evidence import DesignEffect, people_of, upper_tail
from cohortlab.rules.reading import read_baskets

PLANTED = [("i03", "i30", 0.6), ("i05", "i33", 0.5), ("i01", "i38", 0.3)]


def both_ways(pairs):
    return {frozenset(pair[:2]) for pair in pairs}


def test_shuffling_keeps_sizes_and_frequencies_and_nothing_else():
    table = long_table(mixed_sizes(np.random.default_rng(0), planted=PLANTED))
    shuffled = shuffle_baskets(table, rng=np.random.default_rng(1))
    for name in ("basket_id", "item"):
        expected, found = (t[name].value_counts().to_dict() for t in (table, shuffled))
        assert found == expected
    assert not shuffled.duplicated().any()
    before, after = (set(t.itertuples(index=False, name=None)) for t in (table, shuffled))
    assert len(before & after) < 0.6 * len(before)
    assert_frame_equal(shuffle_baskets(table, rng=np.random.default_rng(1)), shuffled)


def test_shuffling_reaches_every_table_with_the_margins_equally_often():
    # 3 baskets of 1, 2 and 1 items over items of frequency 2, 1, 1: five tables in all.
    table = pd.DataFrame({"basket_id": [0, 1, 1, 2], "item": ["a", "a", "b", "c"]})
    rng = np.random.default_rng(0)
    seen = [
        tuple(shuffle_baskets(table, rng=rng, trades_per_basket=10)["item"]) for _ in range(1000)
    ]
    counts = pd.Series(seen).value_counts()
    assert len(counts) == 5
    assert stats.chisquare(counts).pvalue > 0.001


def test_strata_are_between_squares():
    sizes = [0, 1, 3, 4, 8, 9, 15, 16]
    read = read_baskets([list(range(size)) for size in sizes])
    assert size_strata(read).tolist() == [0, 1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize("seed", range(4))
def test_the_tail_is_never_below_the_exact_one_and_near_it(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(20, 60, 3)
    left, right = rng.integers(2, 10, 3), rng.integers(2, 10, 3)
    exact = np.ones(1)
    for n_, left_, right_ in zip(n, left, right, strict=True):
        exact = np.convolve(exact, stats.hypergeom.pmf(np.arange(11), n_, left_, right_))
    beyond = exact[::-1].cumsum()[::-1]
    expected = (left * right / n).sum()
    compared = 0
    for found in range(int(np.ceil(expected + 1)), int(np.minimum(left, right).sum()) + 1):
        mean, p = upper_tail(np.array([found, 0, 0]), left, right, n)
        assert mean == pytest.approx(expected)
        assert p >= beyond[found] * (1 - 1e-9)
        if beyond[found] > 1e-3:
            assert p < 4 * beyond[found]
        compared += 1
    assert compared > 3


def by_hand(table, left, right):
    """Design effects and people of a rule, from dense arrays of baskets."""
    held = table.groupby("basket_id", sort=False)["item"].agg(set)
    owner = table.drop_duplicates("basket_id")["person_id"].to_numpy()
    strata = held.map(lambda items: int(np.sqrt(len(items) + 0.5)))
    x, y = (
        held.map(lambda items, side=side: side <= items).astype(float) for side in (left, right)
    )
    p, q = (side.groupby(strata).transform("mean") for side in (x, y))
    excess = (x - p) * (y - q)
    moves = 1 - x / x.mean() - y / y.mean() + x * y / (x * y).mean()
    effects = [
        max(1.0, (v.groupby(owner).sum() ** 2).sum() / (v**2).sum()) for v in (excess, moves)
    ]
    return *effects, len(set(owner[(x * y).astype(bool)]))


def test_design_effects_are_those_of_sums_over_people():
    rng = np.random.default_rng(2)
    baskets = mixed_sizes(rng, n_baskets=300, planted=PLANTED)
    table = long_table(baskets, people=rng.integers(0, 60, 300).tolist())
    rules = association_rules(frequent_itemsets(table, 0.04, max_len=3), min_threshold=0.3)
    read = read_baskets(table)
    counter = StratifiedCounter(read, size_strata(read), read.items)
    effect = DesignEffect(counter, people_of(table, read.ids))
    assert len(rules) > 20
    for left, right in zip(rules["antecedents"], rules["consequents"], strict=True):
        masks = counter.mask(left), counter.mask(right)
        found = effect(*masks), effect.of_lift(*masks), effect.n_people(*masks)
        assert found == pytest.approx(by_hand(table, left, right), rel=1e-9)


def test_on_shuffled_baskets_no_more_rules_are_accepted_than_stated():
    # Sizes from 1 to 30: without regard to them, Fisher's test accepts rules in every shuffle.
    table = long_table(mixed_sizes(np.random.default_rng(0), n_baskets=500, n_items=30))
    accepted, fooled, below, n_rules = [], [], 0, 0
    for seed in range(N_NULLS):
        rng = np.random.default_rng(seed)
        found = discover_and_confirm(
            shuffle_baskets(table, rng=rng), 0.05, min_threshold=0.4, max_len=3, rng=rng
        )
        accepted.append(found.n_confirmed > 0)
        fisher = found.table["fisher_p"]
        fooled.append(len(fisher) > 0 and stats.false_discovery_control(fisher).min() <= 0.05)
        below += int((found.table["p"] <= 0.05).sum())
        n_rules += found.n_rules
    assert n_rules > N_NULLS * 20
    assert np.sum(accepted) <= MOST_BY_CHANCE
    assert below / n_rules <= 0.05
    assert np.mean(fooled) > 0.95


@pytest.mark.parametrize("correction", ["benjamini-hochberg", "holm"])
def test_planted_rules_are_confirmed_and_little_else(correction):
    found_pairs, wrong, inside, compared = 0, 0, 0, 0
    truth = long_table(mixed_sizes(np.random.default_rng(99), n_baskets=40_000, planted=PLANTED))
    true_lift = association_rules(
        frequent_itemsets(truth, 0.001, max_len=2), "support", 0.0
    ).set_index(["antecedents", "consequents"])["lift"]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        table = long_table(mixed_sizes(rng, n_baskets=3000, planted=PLANTED))
        found = discover_and_confirm(
            table, 0.01, min_threshold=0.15, max_len=2, correction=correction, rng=rng
        )
        confirmed = found.table[found.table["confirmed"]]
        pairs = [
            a | b for a, b in zip(confirmed["antecedents"], confirmed["consequents"], strict=True)
        ]
        found_pairs += len(set(pairs) & both_ways(PLANTED))
        wrong += sum(pair not in both_ways(PLANTED) for pair in pairs)
        assert (confirmed["lift"] > 1).all()
        for row in confirmed.itertuples():
            if row.antecedents | row.consequents in both_ways(PLANTED):
                lift = true_lift[(row.antecedents, row.consequents)]
                inside += row.lift_low <= lift <= row.lift_high
                compared += 1
    assert found_pairs >= 14
    assert wrong <= 1
    # Intervals of 95 %: of some 20, three outside have a probability below 0.08.
    assert compared >= 15
    assert inside >= compared - 3


def repeated(baskets, times):
    people = [f"p{i}" for i in range(len(baskets)) for _ in range(times)]
    return long_table([basket for basket in baskets for _ in range(times)], people)


def test_people_who_repeat_themselves_are_no_new_evidence():
    fooled, accepted, n_rules = [], [], 0
    for seed in range(N_NULLS):
        rng = np.random.default_rng(seed)
        table = long_table(mixed_sizes(rng, n_baskets=120, n_items=20))
        shuffled = shuffle_baskets(table, rng=rng)
        often = repeated(list(shuffled.groupby("basket_id", sort=False)["item"].agg(set)), 6)
        first, second = split_baskets(often, rng=rng)
        found = frequent_itemsets(first, 0.05, max_len=2)
        rules = association_rules(found, min_threshold=0.4)
        accepted.append(confirm_rules(rules, second)["confirmed"].any())
        forgotten = confirm_rules(rules, second.drop(columns="person_id"))
        fooled.append(forgotten["confirmed"].any())
        n_rules += len(rules)
    assert n_rules > N_NULLS * 50
    assert np.sum(accepted) <= MOST_BY_CHANCE
    assert np.mean(fooled) > 0.5


def market_of_people(rng, n_people, kind):
    """Baskets with a, with b, of people who repeat themselves: their owners, and who holds what."""
    likes_a = rng.random(n_people) < 0.3
    likes_b = rng.random(n_people) < np.where(likes_a, 0.5, 0.2)
    if kind == "four equal baskets":
        owner = np.repeat(np.arange(n_people), 4)
        return owner, likes_a[owner], likes_b[owner]
    owner = np.repeat(np.arange(n_people), rng.geometric(0.2, n_people))
    held = [
        rng.random(len(owner)) < np.where(likes[owner], 0.9, 0.05) for likes in (likes_a, likes_b)
    ]
    return owner, *held


@pytest.mark.parametrize("kind", ["four equal baskets", "some come more often than others"])
def test_the_interval_holds_the_lift_as_often_as_stated_where_people_come_again(kind):
    _, with_a, with_b = market_of_people(np.random.default_rng(999), 1_000_000, kind)
    true_lift = (with_a & with_b).mean() / with_a.mean() / with_b.mean()
    rule = pd.DataFrame({"antecedents": [frozenset("a")], "consequents": [frozenset("b")]})
    rule = rule.assign(support=0.1, confidence=0.5, lift=1.5)
    inside, forgotten = 0, 0
    for seed in range(N_NULLS):
        owner, *held = market_of_people(np.random.default_rng(seed), 150, kind)
        every = pd.DataFrame({"basket_id": np.arange(len(owner)), "person_id": owner})
        columns = zip("abz", [*held, np.ones(len(owner), dtype=bool)], strict=True)
        table = pd.concat([every[rows].assign(item=item) for item, rows in columns])
        judged = confirm_rules(rule, table)
        alone = confirm_rules(rule, table.drop(columns="person_id"))
        inside += judged["lift_low"].item() <= true_lift <= judged["lift_high"].item()
        forgotten += alone["lift_low"].item() <= true_lift <= alone["lift_high"].item()
    # Of 95 %, both ends have a probability below 0.001; without people it is far fewer.
    assert stats.binom.ppf(0.001, N_NULLS, 0.95) <= inside <= stats.binom.ppf(0.999, N_NULLS, 0.95)
    assert forgotten < stats.binom.ppf(0.001, N_NULLS, 0.95)


TREE = pd.DataFrame(
    [(f"i{j:02d}", f"category {j // 3}") for j in range(24)]
    + [(f"category {k}", f"department {k // 3}") for k in range(8)],
    columns=["item", "parent"],
)


@pytest.mark.parametrize("view", ["ancestors added", "ancestors only"])
def test_on_shuffled_baskets_no_more_rules_between_categories_are_accepted(view):
    # Categories make large baskets larger, and all items of one share what they are shuffled to.
    accepted, fooled, n_rules = [], [], 0
    for seed in range(N_NULLS):
        rng = np.random.default_rng(seed)
        table = long_table(mixed_sizes(rng, n_baskets=200, n_items=24))
        shuffled = shuffle_baskets(table, rng=rng)
        own, apart = at_level(shuffled, TREE, 1), None
        if view == "ancestors added":
            own = with_ancestors(shuffled, TREE)
            apart = ancestor_pairs(TREE)[["item", "ancestor"]]
        found = discover_and_confirm(own, 0.05, min_threshold=0.4, max_len=2, apart=apart, rng=rng)
        accepted.append(found.n_confirmed > 0)
        fisher = found.table["fisher_p"]
        fooled.append(stats.false_discovery_control(fisher).min() <= 0.05)
        n_rules += found.n_rules
    assert n_rules > N_NULLS * 20
    assert np.sum(accepted) <= MOST_BY_CHANCE
    assert np.mean(fooled) > 0.3


def test_repeating_every_basket_for_one_person_changes_no_p():
    baskets = mixed_sizes(np.random.default_rng(3), n_baskets=400, planted=PLANTED)
    once, often = repeated(baskets, 1), repeated(baskets, 3)
    rules = association_rules(frequent_itemsets(once, 0.05, max_len=2), min_threshold=0.3)
    p = [confirm_rules(rules, table) for table in (once, often)]
    np.testing.assert_allclose(p[1]["design_effect"], 3.0, rtol=1e-9)
    np.testing.assert_allclose(p[1]["lift_design_effect"], 3.0, rtol=1e-9)
    for end in ("lift_low", "lift_high"):
        np.testing.assert_allclose(p[1][end], p[0][end], rtol=1e-9)
    np.testing.assert_allclose(p[1]["p"], p[0]["p"], rtol=1e-9)
    assert p[1]["count"].tolist() == (3 * p[0]["count"]).tolist()
    assert p[1]["people"].tolist() == p[0]["count"].tolist()


def test_the_split_keeps_people_whole_and_depends_on_no_order():
    baskets = random_baskets(0, n=100)
    table = long_table(baskets, people=[f"p{i % 30}" for i in range(100)])
    first, second = split_baskets(table, share=0.3, rng=np.random.default_rng(4))
    assert not set(first["person_id"]) & set(second["person_id"])
    assert first["person_id"].nunique() == 9
    assert len(first) + len(second) == len(table)
    mixed = table.sample(frac=1, random_state=1)
    again, _ = split_baskets(mixed, share=0.3, rng=np.random.default_rng(4))
    assert set(again["person_id"]) == set(first["person_id"])
    alone, rest = split_baskets(
        table.drop(columns="person_id"), share=0.3, rng=np.random.default_rng(4)
    )
    assert alone["basket_id"].nunique() == 30
    assert not set(alone["basket_id"]) & set(rest["basket_id"])


def test_a_rule_with_an_idle_antecedent_is_marked_redundant():
    rng = np.random.default_rng(5)
    baskets = []
    for _ in range(4000):
        basket = {name for name in "abz" if rng.random() < 0.3}
        chance = 0.1 + 0.4 * ("a" in basket) + 0.4 * ("b" in basket)
        basket |= {"y"} if rng.random() < chance else {"x"}
        baskets.append(basket)
    table = long_table(baskets)
    rules = association_rules(frequent_itemsets(table, 0.01), min_threshold=0.1, max_consequent=1)
    judged = confirm_rules(rules, table)
    to_y = judged[judged["consequents"] == {"y"}].set_index("antecedents")
    marks = {
        name: to_y.loc[[frozenset(name)], "redundant"].item()
        for name in ["a", "b", "ab", "az", "bz", "abz"]
    }
    assert marks == {"a": False, "b": False, "ab": False, "az": True, "bz": True, "abz": True}
    assert to_y.loc[[frozenset("az")], "confirmed"].item()


@pytest.mark.parametrize("seed", [0, 2, 6])
def test_improvement_is_over_every_more_general_rule(seed):
    baskets = random_baskets(seed, n=40)
    rules = association_rules(
        frequent_itemsets(long_table(random_baskets(seed + 10, n=40)), 2), min_threshold=0.3
    )
    judged = confirm_rules(rules, long_table(baskets), min_improvement=0.05)

    def confidence(left, right):
        n = sum(left <= basket for basket in baskets)
        return sum(left | right <= basket for basket in baskets) / max(n, 1)

    skipping = 0
    for row in judged[judged["count"] > 0].itertuples():
        n_left = len(row.antecedents)
        shares = [
            [confidence(frozenset(c), row.consequents) for c in combinations(row.antecedents, k)]
            for k in range(n_left)
        ]
        best = max(max(part) for part in shares)
        gained = confidence(row.antecedents, row.consequents) - best
        assert row.improvement == pytest.approx(gained, abs=1e-12)
        assert row.redundant == (not row.productive or gained <= 0.05)
        skipping += best > max(shares[0] + shares[-1])
    assert skipping > 0, "the best more general rule must be much shorter somewhere"


def test_productive_p_of_one_stratum_is_the_bound_of_the_largest_fisher_test():
    table = long_table(
        [{"a", "b", "y"}] * 30
        + [{"a", "b", "x"}] * 10
        + [{"a", "y", "z"}] * 20
        + [{"a", "x", "z"}] * 40
        + [{"b", "x", "z"}] * 100
    )
    rules = association_rules(frequent_itemsets(table, 1), "support", 0.0, max_consequent=1)
    judged = confirm_rules(rules, table)
    asked = (judged["antecedents"] == set("ab")) & (judged["consequents"] == {"y"})
    found = judged.loc[asked, "p_productive"].item()
    # Dropping b: of 100 baskets with a, 40 hold b, 50 y, 30 both. Dropping a is more extreme.
    assert found == pytest.approx(stats.binom.sf(29, 40, 50 / 100), rel=1e-9)
    assert found > stats.hypergeom.sf(29, 100, 40, 50)


def test_discovery_and_confirmation_use_different_baskets():
    rng = np.random.default_rng(6)
    table = long_table(mixed_sizes(rng, n_baskets=600, planted=PLANTED))
    found = discover_and_confirm(table, 0.05, max_len=2, rng=np.random.default_rng(1))
    first, second = split_baskets(table, rng=np.random.default_rng(1))
    assert (found.n_discovery, found.n_confirmation) == (300, 300)
    for row in found.table.head(5).itertuples():
        items = row.antecedents | row.consequents
        for part, support in [
            (first, found.table.loc[row.Index, "discovery support"]),
            (second, row.support),
        ]:
            held = part.groupby("basket_id")["item"].agg(lambda s, items=items: items <= set(s))
            assert held.mean() == pytest.approx(support)


def test_no_rule_and_no_basket_give_a_table_with_all_columns():
    table = long_table(random_baskets(0))
    itemsets = frequent_itemsets(table, 0.1)
    rules = association_rules(itemsets)
    full = confirm_rules(rules, table)
    empty = confirm_rules(rules.head(0), table)
    assert empty.columns.tolist() == full.columns.tolist()
    assert len(empty) == 0
    unseen = confirm_rules(rules, table.head(0))
    assert not unseen["confirmed"].any()
    assert (unseen["count"] == 0).all()


def test_the_most_confident_direction_is_kept():
    rules = association_rules(
        frequent_itemsets(long_table(random_baskets(2)), 0.1, max_len=2), min_threshold=0.0
    )
    kept = one_per_itemset(rules)
    assert len(kept) == len(rules) / 2
    for row in kept.itertuples():
        mirror = rules[
            (rules["antecedents"] == row.consequents) & (rules["consequents"] == row.antecedents)
        ]
        assert row.confidence >= mirror["confidence"].item()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: split_baskets(t, share=1.0, rng=np.random.default_rng(0)), "share is 1.0"),
        (lambda t: split_baskets(t[["item"]], rng=np.random.default_rng(0)), "lack the columns"),
        (
            lambda t: confirm_rules(
                association_rules(frequent_itemsets(t, 1)), t.assign(person_id=range(len(t)))
            ),
            r"belong to more than one person, the first is '",
        ),
        (
            lambda t: confirm_rules(
                association_rules(frequent_itemsets(t, 1)),
                t.assign(basket_id=7, person_id=[1, *[2] * (len(t) - 1)]),
            ),
            r"1 baskets belong to more than one person, the first is 7:",
        ),
        (
            lambda t: confirm_rules(
                association_rules(frequent_itemsets(t, 1)),
                t.assign(person_id=[None, *[2] * (len(t) - 1)]),
            ),
            r"person_id is missing in 1 rows, the first of basket 't0'",
        ),
        (
            lambda t: split_baskets(t.assign(person_id=None), rng=np.random.default_rng(0)),
            "person_id is missing",
        ),
    ],
)
def test_bad_requests_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(long_table(random_baskets(0)))
