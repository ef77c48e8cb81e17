import numpy as np
import pytest
from scipy.stats import binomtest

from cohortlab.synthetic.co_purchases import Pairs, plant_pairs, resolve_pairs

SIZES = {"garden": 3, "kitchen": 2}


def finished(baskets, items, planted):
    rows = zip(
        np.append(baskets[planted.keep], planted.baskets),
        np.append(items[planted.keep], planted.items),
        strict=True,
    )
    found = {}
    for basket, item in rows:
        found.setdefault(int(basket), []).append(int(item))
    return found


def one_pair(probability):
    return Pairs(np.array([0]), np.array([1]), np.array([probability]))


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.8, 1.0])
def test_share_of_baskets_with_both_is_the_probability_whatever_came_by_chance(probability, rng):
    baskets = np.repeat(np.arange(4000), 4)
    items = rng.integers(0, 6, len(baskets))
    planted = plant_pairs(baskets, items, one_pair(probability), rng=rng)
    with_antecedent = [b for b in finished(baskets, items, planted).values() if 0 in b]
    n_both = sum(1 in basket for basket in with_antecedent)
    assert len(with_antecedent) == len(set(baskets[items == 0]))
    assert binomtest(n_both, len(with_antecedent), probability).pvalue > 1e-4
    assert all(basket.count(1) <= 1 for basket in with_antecedent)


def test_baskets_without_the_antecedent_stay_as_they_are(rng):
    baskets = np.repeat(np.arange(500), 3)
    items = rng.integers(0, 6, len(baskets))
    planted = plant_pairs(baskets, items, one_pair(1.0), rng=rng)
    others = ~np.isin(baskets, baskets[items == 0])
    assert planted.keep[others].all()
    assert not np.isin(planted.baskets, baskets[others]).any()


@pytest.mark.parametrize("pairs", [resolve_pairs([], SIZES), one_pair(0.5)])
def test_no_baskets_and_no_pairs_change_nothing(pairs, rng):
    nothing = np.empty(0, dtype=np.int64)
    planted = plant_pairs(nothing, nothing, pairs, rng=rng)
    assert len(planted.keep) == len(planted.baskets) == len(planted.items) == 0


def test_names_become_positions_in_the_list_of_all_items():
    pair = {"antecedent": "garden/3", "consequent": "kitchen/2", "probability": 0.5}
    resolved = resolve_pairs([pair], SIZES)
    assert (resolved.antecedent.tolist(), resolved.consequent.tolist()) == ([2], [4])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"antecedent": "garage/1"}, r"pairs\[1\].antecedent.*'garage/1'"),
        ({"antecedent": "garden/0"}, r"pairs\[1\].antecedent.*'garden/0'"),
        ({"antecedent": "garden/4"}, r"pairs\[1\].antecedent.*garden/1 to garden/3"),
        ({"antecedent": "garden/²"}, r"pairs\[1\].antecedent"),
        ({"consequent": "garden"}, r"pairs\[1\].consequent"),
        ({"consequent": None}, r"pairs\[1\].consequent"),
        ({"probability": 1.1}, r"pairs\[1\].probability.*1.1"),
        ({"lift": 3}, r"pairs\[1\].lift: unknown key"),
        ({"consequent": "garden/2"}, "one pair only"),
        ({"consequent": "garden/1"}, "antecedent of none"),
        ({"antecedent": "kitchen/2"}, "antecedent of none"),
    ],
)
def test_impossible_pairs_are_named(change, message):
    first = {"antecedent": "garden/1", "consequent": "garden/2", "probability": 0.5}
    second = {"antecedent": "kitchen/1", "consequent": "kitchen/2", "probability": 0.5} | change
    with pytest.raises(ValueError, match=message):
        resolve_pairs([first, second], SIZES)


@pytest.mark.parametrize("pairs", [None, "garden/1", 3])
def test_pairs_must_be_a_list(pairs):
    with pytest.raises(ValueError, match="pairs: expected a list"):
        resolve_pairs(pairs, SIZES)
