import numpy as np
import pytest

from cohortlab.synthetic.quest import SHAPES, generate_baskets

SMALL = {
    "n_baskets": 4000,
    "n_items": 200,
    "mean_length": 8.0,
    "n_patterns": 30,
    "mean_pattern_length": 4.0,
}


def made(seed=0, **changes):
    return generate_baskets(**{**SMALL, **changes}, rng=np.random.default_rng(seed))


def test_same_seed_same_baskets():
    assert made().baskets.equals(made().baskets)
    assert not made().baskets.equals(made(1).baskets)


def test_every_basket_holds_different_known_items():
    baskets = made().baskets
    assert baskets["basket_id"].unique().tolist() == list(range(4000))
    assert not baskets.duplicated().any()
    assert baskets["item"].between(0, 199).all()
    assert baskets.equals(baskets.sort_values(["basket_id", "item"]))


@pytest.mark.parametrize("mean_length", [5.0, 15.0])
def test_baskets_are_about_as_long_as_asked_for(mean_length):
    # A pattern that does not fit may overfill a basket or end it, and items may come twice.
    baskets = made(mean_length=mean_length, n_patterns=300).baskets
    assert 0.85 * mean_length < len(baskets) / 4000 < 1.15 * mean_length


def test_without_corruption_a_basket_is_made_of_whole_patterns():
    result = made(mean_corruption=0.0, correlation=0.0)
    whole = result.patterns[result.patterns["corruption"] == 0]
    assert whole["pattern"].nunique() > 10
    patterns = whole.groupby("pattern")["item"].agg(set)
    heavy = whole.drop_duplicates("pattern").set_index("pattern")["weight"].idxmax()
    held = result.baskets.groupby("basket_id")["item"].agg(set)
    together = held.map(lambda items: patterns[heavy] <= items).mean()
    some = held.map(lambda items: bool(patterns[heavy] & items)).mean()
    assert together > 0.1
    assert together > 0.3 * some


def test_corruption_breaks_patterns():
    def share_whole(corruption):
        result = made(mean_corruption=corruption, n_items=2000)
        held = result.baskets.groupby("basket_id")["item"].agg(set)
        weight = result.patterns.drop_duplicates("pattern").set_index("pattern")["weight"]
        heavy = result.patterns.groupby("pattern")["item"].agg(set)[weight.idxmax()]
        return held.map(lambda items: heavy <= items).mean()

    assert share_whole(0.9) < 0.5 * share_whole(0.0)


def test_popularity_makes_some_items_frequent():
    def largest(exponent):
        baskets = made(popularity_exponent=exponent, n_patterns=300).baskets
        return baskets["item"].value_counts().iloc[0]

    assert largest(1.2) > 2 * largest(0.0)


def test_recipes_are_complete_and_dense_means_half_of_the_items():
    for shape in SHAPES.values():
        small = {**shape, "n_baskets": 50, "n_patterns": min(shape["n_patterns"], 50)}
        assert len(generate_baskets(**small, rng=np.random.default_rng(0)).baskets) > 50
    dense = {**SHAPES["dense"], "n_baskets": 2000}
    baskets = generate_baskets(**dense, rng=np.random.default_rng(0)).baskets
    frequent = baskets["item"].value_counts() >= 1000
    assert frequent.sum() > 10


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_baskets", 0),
        ("n_items", 2.5),
        ("mean_length", 0.5),
        ("n_patterns", 0),
        ("correlation", 1.5),
        ("mean_corruption", -0.1),
        ("popularity_exponent", float("nan")),
    ],
)
def test_impossible_parameters_are_named(name, value):
    with pytest.raises(ValueError, match=name):
        made(**{name: value})
