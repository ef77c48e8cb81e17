import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import chisquare

from cohortlab.synthetic.populations import (
    PURCHASING,
    generate_purchases,
    make_population,
)

PEOPLE = {
    "poor": {"share": 0.5, "budget": [4, 6], "age": [10, 20]},
    "rich": {"share": 0.5, "budget": [40, 60], "age": [40, 60]},
}
ITEMS = {
    "book": {"share": 0.5, "price": [1, 30]},
    "tool": {"share": 0.3, "price": [1, 30]},
    "wine": {"share": 0.2, "price": [1, 30]},
}
RELATION = {
    "poor": {"book": 6, "tool": 3, "wine": 1},
    "rich": {"book": 1, "tool": 1, "wine": 2},
}


def both_sides(n_people=2000, n_items=60):
    people = make_population(n_people, ["budget", "age"], "uniform", PEOPLE, 1)
    return people, make_population(n_items, ["price"], "uniform", ITEMS, 2)


def buy(relation=RELATION, **more):
    return generate_purchases(*both_sides(), relation, random_state=3, **more)


def cluster_counts(found):
    people = pd.Series(found.person_clusters, name="person")
    table = pd.DataFrame(found.matrix.toarray()).T.groupby(found.item_clusters).sum().T
    return table.groupby(people.to_numpy()).sum()


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("purchasing", ["cluster", "features"])
def test_edges_follow_the_planted_relation(strength, purchasing):
    found = buy(strength=strength, purchasing=purchasing)
    counts = cluster_counts(found)
    wanted = pd.DataFrame(RELATION).T
    wanted = wanted.div(wanted.sum(axis=1), axis=0) * strength
    wanted += (1 - strength) * pd.Series({"book": 0.5, "tool": 0.3, "wine": 0.2})
    np.testing.assert_allclose(found.relation, wanted, atol=1e-12)
    for person in counts.index:
        expected = wanted.loc[person] * counts.loc[person].sum()
        assert chisquare(counts.loc[person], expected).pvalue > 1e-3


def test_without_a_relation_each_cluster_of_people_prefers_one_of_items():
    found = generate_purchases(*both_sides(), strength=1.0, random_state=0)
    assert (found.relation.to_numpy().max(axis=1) == 1).all()
    assert ((cluster_counts(found) > 0).sum(axis=1) == 1).all()


def test_degrees_follow_their_distributions():
    constant = buy(person_degrees={"distribution": "constant", "mean": 7})
    assert (constant.matrix.sum(axis=1) == 7).all()
    poisson = np.asarray(buy().matrix.sum(axis=1))
    # Of 2000 Poisson degrees of mean 10 the mean has deviation 0.07, the variance 0.33.
    assert poisson.mean() == pytest.approx(10, abs=0.3)
    assert poisson.var() == pytest.approx(10, abs=1.4)
    law = {"distribution": "power_law", "exponent": 2.0, "minimum": 2, "maximum": 50}
    degrees = np.asarray(buy(person_degrees=law).matrix.sum(axis=1))
    support = np.arange(2, 51)
    expected = support**-2.0 / (support**-2.0).sum()
    observed = np.bincount(degrees, minlength=51)[2:]
    assert observed.sum() == 2000
    few = expected * 2000 < 5
    pooled = [np.append(v[~few], v[few].sum()) for v in (observed, expected * 2000)]
    assert chisquare(*pooled).pvalue > 1e-3


def test_items_are_bought_in_proportion_to_their_popularity():
    law = {"distribution": "power_law", "exponent": 1.5, "minimum": 1, "maximum": 100}
    found = buy(strength=0.0, item_degrees=law)
    bought = np.sort(np.asarray(found.matrix.sum(axis=0)))[::-1]
    even = np.sort(np.asarray(buy(strength=0.0).matrix.sum(axis=0)))[::-1]
    assert bought[:6].sum() / bought.sum() > 0.35
    assert even[:6].sum() / even.sum() < 0.15


def test_budgets_keep_people_from_dear_items():
    taste = {"kind": "budget", "person": "budget", "item": "price", "tolerance": 0.1}
    people, items = both_sides()
    found = buy(purchasing="features", tastes=[taste])
    poor = found.matrix.toarray()[(people["cluster"] == "poor").to_numpy()].sum(axis=0)
    rich = found.matrix.toarray()[(people["cluster"] == "rich").to_numpy()].sum(axis=0)
    dear = (items["price"] > 12).to_numpy()
    assert poor[dear].sum() / poor.sum() < 0.2
    assert rich[dear].sum() / rich.sum() > 0.5
    assert buy(purchasing="cluster").matrix.toarray()[:, dear].sum() > 8000


def test_ages_keep_people_from_categories():
    people, items = both_sides()
    items = items.assign(rating=np.where(np.arange(len(items)) % 2, "adult", "all"))
    taste = {
        "kind": "range",
        "person": "age",
        "item": "rating",
        "ranges": {"adult": [18, 200]},
        "outside": 0.01,
    }
    found = generate_purchases(
        people, items, purchasing="features", tastes=[taste], random_state=0
    ).matrix.toarray()
    adult, minor = (items["rating"] == "adult").to_numpy(), (people["age"] < 18).to_numpy()
    assert found[minor][:, adult].sum() / found[minor].sum() < 0.12
    assert found[~minor][:, adult].sum() / found[~minor].sum() > 0.3


def test_habit_repeats_own_purchases_and_keeps_the_relation():
    new, habit = buy(), buy(purchasing="habit", options={"habit": 0.7})
    assert habit.matrix.nnz < 0.6 * new.matrix.nnz
    assert habit.matrix.sum() == new.matrix.sum()
    always = buy(purchasing="habit", options={"habit": 1.0}).matrix
    assert (np.diff(always.indptr) <= 1).all()
    shares = cluster_counts(habit)
    shares = shares.div(shares.sum(axis=1), axis=0)
    # People of ten purchases with three new ones: the deviation of a share is near 0.01.
    np.testing.assert_allclose(shares, habit.relation, atol=0.04)


def test_edges_matrix_and_events_are_the_same_purchases():
    found = buy(times={"start": "2020-02-01", "days": 10}, purchasing="habit")
    edges = found.edges
    matrix = sparse.coo_array(
        (edges["weight"], (edges["person_id"], edges["item"].astype(int))), found.matrix.shape
    )
    assert (matrix.tocsr() != found.matrix).nnz == 0
    assert not edges.duplicated(["person_id", "item"]).any()
    counted = found.events.groupby(["person_id", "item"]).size()
    expected = edges.set_index(["person_id", "item"])["weight"]
    assert counted.sort_index().to_dict() == expected.to_dict()
    assert found.events["time"].between("2020-02-01", "2020-02-11", inclusive="left").all()
    assert found.events.groupby("person_id")["time"].is_monotonic_increasing.all()


@pytest.mark.parametrize("purchasing", PURCHASING)
def test_the_seed_decides_the_edges(purchasing):
    first, again = buy(purchasing=purchasing), buy(purchasing=purchasing)
    pd.testing.assert_frame_equal(first.edges, again.edges)
    other = generate_purchases(*both_sides(), RELATION, purchasing=purchasing, random_state=4)
    assert not first.edges.equals(other.edges)


def test_a_seed_is_demanded():
    with pytest.raises(ValueError, match="random_state: expected a whole number from 0"):
        generate_purchases(*both_sides(), RELATION, random_state=None)


def test_a_function_of_ones_own_decides_what_is_bought():
    found = buy(purchasing=lambda market, rng: np.full(len(market.person), 5))
    assert (found.edges["item"] == "5").all()


def test_nobody_buying_gives_an_empty_graph():
    found = buy(person_degrees={"distribution": "constant", "mean": 0})
    assert found.matrix.shape == (2000, 60)
    assert len(found.edges) == found.matrix.nnz == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"relation": {"poor": {"book": 1}}}, r"relation\.rich: missing key"),
        (
            {"relation": RELATION | {"rich": {"boat": 1}}},
            r"relation\.rich: expected one of .*'boat'",
        ),
        ({"strength": 2}, "strength: expected a number from 0 to 1, got 2"),
        ({"purchasing": "magic"}, "purchasing: expected a function or one of"),
        ({"purchasing": lambda market, rng: np.array([0])}, "one item for each of"),
        ({"purchasing": lambda market, rng: market.person + 60}, "positions from 0 to 59"),
        ({"purchasing": "habit", "options": {"habit": 2}}, "habit: expected"),
        ({"person_degrees": {"distribution": "zeta"}}, "person_degrees.distribution"),
        ({"person_degrees": {"distribution": "poisson"}}, "person_degrees.mean: missing"),
        ({"item_degrees": {"distribution": "constant", "mean": 0}}, "cluster 'book' drew 0"),
        ({"purchasing": "cluster", "tastes": [{"kind": "smell"}]}, "looks at no feature; choose"),
        ({"purchasing": "habit", "tastes": [{"kind": "smell"}]}, "tastes.0.kind"),
        (
            {
                "purchasing": "features",
                "tastes": [{"kind": "budget", "person": "money", "item": "price", "tolerance": 1}],
            },
            "tastes.0.person: .*'money'",
        ),
        ({"times": {"start": "soon", "days": 3}}, "start: expected a date"),
    ],
)
def test_impossible_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        buy(**arguments)
