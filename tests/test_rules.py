import lzma
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlxtend.frequent_patterns import association_rules as mlxtend_rules
from mlxtend.frequent_patterns import fpgrowth
from pandas.testing import assert_frame_equal

from cohortlab.rules import (
    MEASURES,
    MINERS,
    as_lists,
    as_text,
    association_rules,
    baskets_of,
    frequent_itemsets,
    from_text,
    minimum_count,
    why_empty,
    with_titles,
)

GROCERIES = Path(__file__).parents[2] / "shared/data/groceries/baskets.csv.xz"
HOSTILE = ['a, "b"', "line\nbreak", "<b>&amp;</b>", "frozenset({1})", "ÄÖ 家電", "[]", " ", "\\"]


def long_table(baskets):
    rows = [(f"t{i}", item) for i, basket in enumerate(baskets) for item in basket]
    return pd.DataFrame(rows, columns=["basket_id", "item"], dtype=object)


def random_baskets(seed, n=60, items="abcdefg"):
    rng = np.random.default_rng(seed)
    picked = rng.random((n, len(items))) < rng.uniform(0.1, 0.7, len(items))
    picked[:, 0] |= ~picked.any(axis=1)
    return [{items[j] for j in np.flatnonzero(row)} for row in picked]


def brute_force(baskets, min_count):
    items = sorted(set().union(*baskets))
    sets = (frozenset(c) for k in range(1, len(items) + 1) for c in combinations(items, k))
    counts = {s: sum(s <= set(b) for b in baskets) for s in sets}
    return {s: n for s, n in counts.items() if n >= min_count}


@pytest.fixture(scope="module")
def groceries():
    if not GROCERIES.exists():
        pytest.skip("the Groceries file is not in ../shared/data/groceries")
    with lzma.open(GROCERIES, "rt") as lines:
        return long_table([line.strip().split(",") for line in lines])


@pytest.mark.parametrize("algorithm", MINERS)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("min_support", [0.05, 0.3, 1.0, 3])
def test_itemsets_agree_with_brute_force(algorithm, seed, min_support):
    baskets = random_baskets(seed)
    found = frequent_itemsets(long_table(baskets), min_support, algorithm=algorithm)
    share = isinstance(min_support, float)
    lowest = Fraction(str(min_support)) * 60 if share else min_support
    expected = brute_force(baskets, lowest)
    assert dict(zip(found["itemsets"], found["count"], strict=True)) == expected
    np.testing.assert_array_equal(found["support"], found["count"] / 60)


def test_algorithms_give_the_same_frame():
    table = long_table(random_baskets(9))
    frames = [frequent_itemsets(table, 0.1, algorithm=name) for name in MINERS]
    assert_frame_equal(frames[0], frames[1])


@pytest.mark.parametrize("algorithm", MINERS)
def test_longest_itemset_is_limited(algorithm):
    found = frequent_itemsets(long_table(random_baskets(1)), 1, algorithm=algorithm, max_len=2)
    assert found["itemsets"].map(len).max() == 2


@pytest.mark.parametrize(
    ("share", "n", "count"), [(0.3, 10, 3), (0.07, 100, 7), (0.29, 100, 29), (0.001, 9835, 10)]
)
def test_shares_become_counts_without_rounding_error(share, n, count):
    assert minimum_count(share, n) == count


@pytest.mark.parametrize("value", [0, 0.0, 1.1, -1, True, "0.1", None, float("nan")])
def test_senseless_support_is_refused(value):
    with pytest.raises(ValueError, match="min_support is"):
        minimum_count(value, 10)


@pytest.mark.parametrize("seed", range(3))
def test_measures_agree_with_mlxtend(seed):
    baskets = random_baskets(seed)
    onehot = pd.DataFrame([{item: item in b for item in "abcdefg"} for b in baskets])
    oracle = mlxtend_rules(fpgrowth(onehot, 0.05, use_colnames=True), min_threshold=1e-9)
    ours = association_rules(frequent_itemsets(long_table(baskets), 0.05), min_threshold=1e-9)
    keys = ["antecedents", "consequents"]
    both = ours.merge(oracle, on=keys, suffixes=("", " of mlxtend"), validate="one_to_one")
    assert len(both) == len(ours) == len(oracle) > 50
    for name in MEASURES:
        np.testing.assert_allclose(both[name], both[f"{name} of mlxtend"], rtol=1e-12, atol=1e-12)


def test_mlxtend_frame_is_taken_when_the_number_of_baskets_is_given():
    baskets = random_baskets(2)
    onehot = pd.DataFrame([{item: item in b for item in "abcdefg"} for b in baskets])
    theirs = fpgrowth(onehot, 0.0999, use_colnames=True)
    ours = frequent_itemsets(long_table(baskets), 0.1)
    assert_frame_equal(association_rules(theirs, n_baskets=60), association_rules(ours))
    with pytest.raises(ValueError, match="pass n_baskets="):
        association_rules(theirs)


def test_confidence_at_the_threshold_is_kept():
    table = long_table([{"a", "b"}] * 7 + [{"a"}] * 3)
    rules = association_rules(frequent_itemsets(table, 1), min_threshold=0.7)
    assert (frozenset("a"), frozenset("b")) in set(
        zip(rules["antecedents"], rules["consequents"], strict=True)
    )
    above = association_rules(frequent_itemsets(table, 1), min_threshold=0.7000000001)
    assert frozenset("a") not in set(above["antecedents"])


@pytest.mark.parametrize(
    ("support", "confidence", "n_rules"),
    [(0.001, 0.8, 410), (0.001, 0.5, 5668), (0.005, 0.5, 120), (0.006, 0.25, 463), (0.01, 0.5, 15)],
)
def test_groceries_give_the_known_numbers_of_rules(groceries, support, confidence, n_rules):
    itemsets = frequent_itemsets(groceries, support)
    assert itemsets.attrs["n_baskets"] == 9835
    rules = association_rules(itemsets, min_threshold=confidence, max_consequent=1)
    assert len(rules) == n_rules


def test_groceries_top_rule_and_sizes(groceries):
    rules = association_rules(frequent_itemsets(groceries, 0.001), max_consequent=1)
    sizes = rules["antecedents"].map(len) + 1
    assert sizes.value_counts().to_dict() == {3: 29, 4: 229, 5: 140, 6: 12}
    top = rules.iloc[0]
    assert (top["antecedents"], top["consequents"]) == (
        {"liquor", "red/blush wine"},
        {"bottled beer"},
    )
    assert top["lift"] == pytest.approx(11.235269, abs=5e-7)
    assert top["count"] == 19


def test_order_of_rows_and_repeated_rows_do_not_matter():
    table = long_table(random_baskets(3))
    mixed = pd.concat([table, table.head(20)]).sample(frac=1, random_state=1)
    expected, found = (frequent_itemsets(t, 0.1) for t in (table, mixed))
    assert_frame_equal(expected, found)
    rules = [as_text(association_rules(f)).to_csv() for f in (expected, found)]
    assert rules[0] == rules[1]


def test_hostile_names_survive_text_and_parquet(tmp_path):
    table = long_table([HOSTILE, HOSTILE[:4], HOSTILE[:2]])
    itemsets = frequent_itemsets(table, 1, max_len=3)
    rules = association_rules(itemsets)
    as_text(rules).to_csv(tmp_path / "rules.csv", index=False)
    back = from_text(pd.read_csv(tmp_path / "rules.csv", keep_default_na=False))
    assert back["antecedents"].tolist() == rules["antecedents"].tolist()
    as_lists(itemsets).to_parquet(tmp_path / "itemsets.parquet")
    read = pd.read_parquet(tmp_path / "itemsets.parquet")
    assert read["itemsets"].map(frozenset).tolist() == itemsets["itemsets"].tolist()


@pytest.mark.parametrize("algorithm", MINERS)
def test_nothing_in_gives_empty_frames_with_all_columns(algorithm):
    itemsets = frequent_itemsets(long_table([]), 0.5, algorithm=algorithm)
    assert itemsets.columns.tolist() == ["support", "itemsets", "count"]
    rules = association_rules(itemsets, n_baskets=1)
    assert len(rules) == 0
    assert rules.columns.tolist()[2:14] == MEASURES
    assert as_text(rules).columns.tolist() == rules.columns.tolist()


def test_one_item_gives_no_rule():
    itemsets = frequent_itemsets(long_table([{"a"}, {"a"}]), 0.5)
    assert len(itemsets) == 1
    assert len(association_rules(itemsets)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: frequent_itemsets(t, 0.1, algorithm="magic"), "unknown algorithm 'magic'"),
        (lambda t: frequent_itemsets(t, 1, max_itemsets=5), "more than 5 itemsets .* raise min"),
        (lambda t: frequent_itemsets(t.drop(columns="item"), 1), r"lack the columns \['item'\]"),
        (lambda t: frequent_itemsets(t.replace("a", None), 1), "baskets.item is missing in"),
        (lambda t: association_rules(frequent_itemsets(t, 1), metric="luck"), "unknown metric"),
        (lambda t: association_rules(frequent_itemsets(t, 1).tail(9)), "without its part"),
    ],
)
def test_bad_requests_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(long_table(random_baskets(0)))


def test_independent_items_have_lift_one():
    items = [{x for x, bit in zip("ab", (i & 1, i & 2), strict=True) if bit} for i in range(4)]
    rules = association_rules(
        frequent_itemsets(long_table([b | {"z"} for b in items]), 1),
        metric="lift",
        min_threshold=1.0,
    )
    assert (rules["lift"] == 1.0).all()
    assert len(rules) > 0


def test_titles_are_shown_in_place_of_ids():
    rules = association_rules(frequent_itemsets(long_table([["1", "2", "3"]] * 2), 1))
    shown = with_titles(rules, {"1": " RED\nHEART ", "2": None})
    assert "RED HEART + 2" in set(shown["antecedents"])
    assert shown["lift"].tolist() == rules["lift"].tolist()


@pytest.mark.parametrize(
    ("baskets", "support", "threshold", "said"),
    [
        ([], 0.5, 0.5, "no basket"),
        ([{"a"}, {"b"}], 0.5, 0.5, "at any support"),
        ([{"a", "b"}, {"a"}, {"c"}], 0.9, 0.5, "is in 1: try a min_support of 0.333 or less"),
        ([{"a", "b"}, {"a"}, {"b"}], 1, 0.8, "highest is 0.5: try a min_threshold of 0.5 or"),
        ([{"a", "b"}], 1, 0.8, ""),
    ],
)
def test_empty_results_say_what_to_try(baskets, support, threshold, said):
    table = long_table(baskets)
    itemsets = frequent_itemsets(table, support)
    advice = why_empty(table, itemsets, support, "confidence", threshold)
    assert said in advice
    assert (advice == "") == (said == "")


def clustered():
    baskets = pd.DataFrame(
        {
            "basket_id": [1, 1, 2, 3, 3],
            "person_id": [30, 30, 10, 20, 20],
            "item": ["a", "b", "a", "b", "c"],
        }
    )
    return baskets, pd.DataFrame({"id": [10, 20, 30], "cluster": [0, 1, 1]})


def test_baskets_follow_their_people_not_their_position_or_number():
    baskets, clusters = clustered()
    joined = baskets_of(baskets, clusters, [1])
    assert joined["basket_id"].tolist() == [1, 1, 3, 3]
    assert joined["cluster"].tolist() == [1, 1, 1, 1]
    assert_frame_equal(baskets_of(baskets, clusters.iloc[::-1], [1]), joined)
    assert len(baskets_of(baskets, clusters)) == 5
    assert len(baskets_of(baskets, clusters, [])) == 0


def test_people_without_baskets_are_no_fault():
    baskets, clusters = clustered()
    assert len(baskets_of(baskets.head(2), clusters)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b, c: (b, c.iloc[1:]), r"1 people with 1 baskets have no cluster \(first: 10\)"),
        (lambda b, c: (b, pd.concat([c, c.tail(1)])), r"1 ids stand more than once.*first: 30"),
        (lambda b, c: (b.assign(basket_id=7), c), r"1 baskets belong to more than one person"),
        (lambda b, c: (b.assign(person_id=b.person_id.astype(str)), c), "nothing would match"),
        (lambda b, c: (b.drop(columns="person_id"), c), r"lack the columns \['person_id'\]"),
    ],
)
def test_lost_or_doubled_baskets_are_an_error(change, message):
    with pytest.raises(ValueError, match=message):
        baskets_of(*change(*clustered()))


def test_unclustered_people_can_be_left_out_on_request():
    baskets, clusters = clustered()
    kept = baskets_of(baskets, clusters.iloc[1:], allow_unclustered=True)
    assert kept["basket_id"].unique().tolist() == [1, 3]
    assert kept["cluster"].dtype == clusters["cluster"].dtype
