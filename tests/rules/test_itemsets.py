import gc
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from mlxtend.frequent_patterns import fpmax
from pandas.testing import assert_frame_equal
from rules.making import brute_force, long_table, one_hot, random_baskets

from cohortlab.rules import MINERS, TooManyItemsetsError, frequent_itemsets, minimum_count
from cohortlab.rules.eclat import first_of_equals
from cohortlab.rules.found import no_collection
from cohortlab.synthetic.quest import generate_baskets


def as_dict(itemsets):
    return dict(zip(itemsets["itemsets"], itemsets["count"], strict=True))


@pytest.mark.parametrize("algorithm", MINERS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("min_support", [0.05, 0.3, 1.0, 3])
def test_every_miner_agrees_with_brute_force(algorithm, seed, min_support):
    baskets = random_baskets(seed)
    found = frequent_itemsets(long_table(baskets), min_support, algorithm=algorithm)
    share = isinstance(min_support, float)
    lowest = Fraction(str(min_support)) * 60 if share else min_support
    assert as_dict(found) == brute_force(baskets, lowest)
    np.testing.assert_array_equal(found["support"], found["count"] / 60)


@pytest.mark.parametrize("algorithm", MINERS)
def test_every_miner_gives_the_same_frame(algorithm):
    table = long_table(random_baskets(9))
    expected = frequent_itemsets(table, 0.1)
    found = frequent_itemsets(table, 0.1, algorithm=algorithm)
    assert_frame_equal(found, expected)
    keys = [(len(s), -n, sorted(s)) for s, n in as_dict(expected).items()]
    assert keys == sorted(keys)


@pytest.mark.parametrize("algorithm", MINERS)
def test_every_miner_limits_the_longest_itemset(algorithm):
    table = long_table(random_baskets(1))
    expected = frequent_itemsets(table, 1)
    for longest in (1, 2, 3):
        found = frequent_itemsets(table, 1, algorithm=algorithm, max_len=longest)
        short = expected[expected["itemsets"].map(len) <= longest].reset_index(drop=True)
        assert_frame_equal(found, short)


@pytest.mark.parametrize("algorithm", MINERS)
def test_every_miner_keeps_items_apart(algorithm):
    baskets = random_baskets(4)
    pairs = pd.DataFrame([("a", "b"), ("f", "c"), ("a", "unknown")], columns=["x", "y"])
    found = frequent_itemsets(long_table(baskets), 2, algorithm=algorithm, apart=pairs)
    expected = {
        s: n for s, n in brute_force(baskets, 2).items() if not ({"a", "b"} <= s or {"c", "f"} <= s)
    }
    assert as_dict(found) == expected


def many_equal_baskets(rng):
    kinds = random_baskets(3, n=12, items="abcdefghijk")
    return [kinds[i] for i in rng.choice(12, 700, p=rng.dirichlet(np.ones(12)))]


def test_baskets_that_repeat_count_each_time():
    baskets = many_equal_baskets(np.random.default_rng(5))
    assert as_dict(frequent_itemsets(long_table(baskets), 0.05)) == brute_force(baskets, 35)


@pytest.mark.parametrize("alike", [False, True])
def test_equal_baskets_are_told_from_others(alike, monkeypatch):
    if alike:
        # Every basket of one size now has the same sum, so the items themselves have to decide.
        ones = SimpleNamespace(integers=lambda *_, size, dtype: np.ones(size, dtype))
        monkeypatch.setattr(np.random, "default_rng", lambda _: ones)
    baskets = [(0, 1), (0, 2), (0, 1), (1,), (0, 2), (0, 1, 2), (1,)]
    begins = np.cumsum([0, *map(len, baskets)])[:-1]
    first = first_of_equals(np.array([i for b in baskets for i in b]), begins, 3)
    expected = [0, 1, 0, 3, 4, 5, 3] if alike else [0, 1, 0, 3, 1, 5, 3]
    assert first.tolist() == expected


def small_file(rng):
    return generate_baskets(
        n_baskets=700,
        n_items=300,
        mean_length=8,
        n_patterns=60,
        mean_pattern_length=4,
        popularity_exponent=0.5,
        rng=rng,
    )


@pytest.mark.parametrize("seed", range(3))
def test_hundreds_of_items_agree_with_an_independent_miner(seed):
    made = small_file(np.random.default_rng(seed))
    ours = frequent_itemsets(made.baskets, 6)
    theirs = frequent_itemsets(made.baskets, 6, algorithm="fpgrowth")
    assert len(ours) > 500
    assert ours["itemsets"].map(len).max() >= 4
    assert_frame_equal(ours, theirs)


def closed_and_maximal(every):
    closed = {s: n for s, n in every.items() if not any(s < t and every[t] == n for t in every)}
    return {
        "closed": closed,
        "maximal": {s: n for s, n in every.items() if not any(s < t for t in every)},
    }


def with_twins(baskets):
    """Wherever a is, c is too, and f is where a is or b: itemsets that are not closed abound."""
    baskets = [b | {"c"} if "a" in b else b for b in baskets]
    return [b | {"f"} if b & {"a", "b"} else b - {"f"} for b in baskets]


@pytest.mark.parametrize("algorithm", ["eclat", "fpgrowth"])
@pytest.mark.parametrize("max_len", [None, 1, 2, 3])
@pytest.mark.parametrize("seed", range(6))
def test_closed_and_maximal_itemsets_are_what_their_definitions_say(algorithm, max_len, seed):
    baskets = random_baskets(seed, n=25)
    baskets = with_twins(baskets) * 3 if seed % 2 else baskets
    every = brute_force(baskets, 3)
    wanted = closed_and_maximal(every)
    assert set(wanted["maximal"]) < set(wanted["closed"]) < set(every)
    for target, expected in wanted.items():
        found = frequent_itemsets(
            long_table(baskets), 3, algorithm=algorithm, target=target, max_len=max_len
        )
        assert as_dict(found) == {s: n for s, n in expected.items() if len(s) <= (max_len or 9)}


@pytest.mark.parametrize("algorithm", ["eclat", "fpgrowth"])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_apart_makes_nothing_less_closed_or_maximal(algorithm, seed):
    baskets = with_twins(random_baskets(seed, n=40))
    pairs = pd.DataFrame([("a", "c"), ("b", "d")], columns=["x", "y"])
    every = brute_force(baskets, 2)
    allowed = {s: n for s, n in every.items() if not ({"a", "c"} <= s or {"b", "d"} <= s)}
    for target, expected in closed_and_maximal(allowed).items():
        options = {"algorithm": algorithm, "target": target, "apart": pairs}
        assert as_dict(frequent_itemsets(long_table(baskets), 2, **options)) == expected


@pytest.mark.parametrize("target", ["closed", "maximal"])
@pytest.mark.parametrize("min_count", [3, 12])
def test_closed_and_maximal_itemsets_of_hundreds_of_items_agree_with_a_filter(target, min_count):
    made = small_file(np.random.default_rng(8))
    ours = frequent_itemsets(made.baskets, min_count, target=target)
    theirs = frequent_itemsets(made.baskets, min_count, target=target, algorithm="fpgrowth")
    assert len(ours) > 200
    assert_frame_equal(ours, theirs)


def test_maximal_itemsets_agree_with_an_independent_miner():
    baskets = with_twins(random_baskets(2, n=200))
    theirs = fpmax(one_hot(baskets), 0.0249, use_colnames=True)
    ours = frequent_itemsets(long_table(baskets), 0.025, target="maximal")
    assert set(ours["itemsets"]) == set(theirs["itemsets"])


@pytest.mark.parametrize("target", ["closed", "maximal"])
def test_closed_itemsets_are_found_where_all_are_too_many(target):
    """Fifty items together make 2^50 itemsets, of which a few are closed."""
    whole = set(range(50))
    baskets = [whole] * 4 + [whole - {7}] * 3 + [set(range(100, 140))] * 5
    found = frequent_itemsets(baskets, 4, target=target, max_itemsets=1000)
    closed = {frozenset(whole): 4, frozenset(whole - {7}): 7, frozenset(range(100, 140)): 5}
    maximal = {s: n for s, n in closed.items() if n != 7}
    assert as_dict(found) == (closed if target == "closed" else maximal)


def forms(baskets):
    frame = one_hot(baskets)
    return {
        "lists": [sorted(basket) for basket in baskets],
        "one-hot": frame,
        "one-hot of 0 and 1": frame.astype(int),
        "sparse one-hot": frame.astype(pd.SparseDtype(bool, False)),
    }


@pytest.mark.parametrize("form", forms([set("abcdefg")]))
def test_every_form_of_baskets_gives_the_same_itemsets(form):
    baskets = random_baskets(6)
    expected = frequent_itemsets(long_table(baskets), 0.1)
    assert_frame_equal(frequent_itemsets(forms(baskets)[form], 0.1), expected)


def test_empty_baskets_count_as_baskets():
    for form in forms([{"a"}, set(), {"a", "b"}, set()]).values():
        found = frequent_itemsets(form, 0.5)
        assert as_dict(found) == {frozenset("a"): 2}
        assert (found.attrs["n_baskets"], found.attrs["n_empty"]) == (4, 2)


def test_order_of_rows_and_repeated_rows_do_not_matter():
    table = long_table(random_baskets(3))
    mixed = pd.concat([table, table.head(20)]).sample(frac=1, random_state=1)
    expected, found = (frequent_itemsets(t, 0.1) for t in (table, mixed))
    assert (expected.attrs.pop("n_repeated"), found.attrs.pop("n_repeated")) == (0, 20)
    assert_frame_equal(expected, found)


@pytest.mark.parametrize(
    ("share", "n", "count"),
    [
        (0.3, 10, 3),
        (0.1 + 0.2, 10, 3),
        (0.30000000001, 10, 4),
        (0.07, 100, 7),
        (0.29, 100, 29),
        (0.001, 9835, 10),
        (2 / 3, 3, 2),
        (1 - 0.9, 1000, 100),
    ],
)
def test_shares_become_counts_without_rounding_error(share, n, count):
    assert minimum_count(share, n) == count


@pytest.mark.parametrize("value", [0, 0.0, 1.1, -1, True, "0.1", None, float("nan")])
def test_senseless_support_is_refused(value):
    with pytest.raises(ValueError, match="min_support is"):
        minimum_count(value, 10)


@pytest.mark.parametrize("algorithm", MINERS)
@pytest.mark.parametrize("target", ["all", "closed", "maximal"])
def test_nothing_in_gives_an_empty_frame(algorithm, target):
    for nothing in (long_table([]), [], [[], []]):
        found = frequent_itemsets(nothing, 0.5, algorithm=algorithm, target=target)
        assert found.columns.tolist() == ["support", "itemsets", "count"]
        assert len(found) == 0


@pytest.mark.parametrize("target", ["closed", "maximal"])
def test_the_cap_holds_for_what_is_met_on_the_way(target):
    found = frequent_itemsets([range(30)] * 3, 1, target=target, max_itemsets=30)
    assert len(found) == 1
    with pytest.raises(
        ValueError, match=r"stopped at (\d+) itemsets .* try a min_support of 2 .a share of 0.6667"
    ):
        frequent_itemsets([range(30)] * 3, 1, target=target, max_itemsets=29)


def test_the_cap_tells_what_was_found_and_a_support_that_gives_less():
    table = long_table(random_baskets(0))
    with pytest.raises(ValueError, match=r"stopped at (\d+) itemsets") as stopped:
        frequent_itemsets(table, 1, max_itemsets=20)
    tried = int(str(stopped.value).split("min_support of ")[1].split()[0])
    assert tried == 2
    assert isinstance(stopped.value, TooManyItemsetsError)
    every = len(frequent_itemsets(table, 1))
    assert len(frequent_itemsets(table, tried)) < every
    assert len(frequent_itemsets(table, 1, max_itemsets=every)) == every


def test_advice_beyond_the_cap_never_leads_back_to_the_same_error():
    baskets, support, asked = [range(20)] * 4, 1, []
    while support:
        with pytest.raises(TooManyItemsetsError, match=r"max_len.* for target=") as stopped:
            frequent_itemsets(baskets, support, max_itemsets=100)
        asked.append(support)
        told = str(stopped.value)
        support = int(told.split("min_support of ")[1].split()[0]) if "min_support" in told else 0
    assert asked == [1, 2]
    assert len(frequent_itemsets(baskets, 2, target="closed", max_itemsets=100)) == 1


def test_what_cannot_be_stopped_says_so():
    with pytest.raises(TooManyItemsetsError, match=r"^found 127 itemsets"):
        frequent_itemsets([set("abcdefg")] * 9, 1, "fpgrowth", max_itemsets=20)


def test_algorithm_target_and_length_may_be_given_by_place():
    table = long_table(random_baskets(0))
    named = frequent_itemsets(table, 0.1, algorithm="fpgrowth", target="closed", max_len=2)
    assert_frame_equal(frequent_itemsets(table, 0.1, "fpgrowth", "closed", 2), named)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: frequent_itemsets(t, 0.1, algorithm="magic"), "unknown algorithm 'magic'"),
        (lambda t: frequent_itemsets(t, 0.1, target="best"), "unknown target 'best'"),
        (lambda t: frequent_itemsets(t, 0.1, max_len=0), "max_len is 0"),
        (lambda t: frequent_itemsets(t, 0.1, max_len=2.5), "max_len is 2.5"),
        (lambda t: frequent_itemsets(t, 1, max_itemsets=5), "of 60 baskets .* try a min_support"),
        (lambda t: frequent_itemsets(t, 1, apart=t[["item"]]), "give two columns"),
    ],
)
def test_bad_requests_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(long_table(random_baskets(0)))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("was_on", [False, True])
def test_the_collector_of_cycles_is_left_as_it_was(was_on, frozen):
    before = gc.isenabled()
    try:
        (gc.enable if was_on else gc.disable)()
        if frozen:
            gc.freeze()
        frequent_itemsets([{"a", "b"}, {"a"}], 1)
        assert gc.isenabled() == was_on
        assert (gc.get_freeze_count() > 0) == frozen
    finally:
        gc.unfreeze()
        (gc.enable if before else gc.disable)()


def test_no_search_for_cycles_follows_at_once_on_what_was_made():
    searches = []
    gc.callbacks.append(lambda phase, info: searches.append(info))
    try:
        with no_collection():
            made = [frozenset([number]) for number in range(10_000)]
        after = [[number] for number in range(100)]
    finally:
        gc.callbacks.pop()
    assert (len(made), len(after), searches) == (10_000, 100, [])
