from itertools import permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from cohortlab.interpretation import identifiability


def held_out(n_clusters, n_people=4, n_sequences=3):
    person = np.repeat(np.arange(n_clusters * n_people), n_sequences)
    return pd.DataFrame({"person_id": person, "cluster": person % n_clusters})


def perfect(held):
    return pd.get_dummies(held["cluster"]).astype(float)


@pytest.mark.parametrize("n_clusters", [2, 3, 4, 5])
def test_right_descriptions_are_as_unlikely_as_the_number_of_orders_allows(n_clusters):
    held = held_out(n_clusters)
    found = identifiability(perfect(held), held, seed=1)
    assert found.accuracy == 1
    assert found.chance == 1 / n_clusters
    assert found.n_permutations == factorial(n_clusters)
    assert found.p_descriptions == 1 / factorial(n_clusters)
    assert found.exact
    assert found.p_people < 0.02
    assert np.array_equal(found.table, np.eye(n_clusters))


def test_p_is_that_of_all_orders_of_the_descriptions_tried_one_by_one():
    rng = np.random.default_rng(4)
    held = held_out(4)
    shares = pd.DataFrame(rng.dirichlet(np.ones(4), len(held)) + 0.3 * perfect(held).to_numpy())
    shares = shares.div(shares.sum(axis=1), axis=0)

    def accuracy(order):
        right = shares.to_numpy()[np.arange(len(held)), np.array(order)[held["cluster"]]]
        return pd.Series(right).groupby(held["cluster"]).mean().mean()

    found = identifiability(shares, held, seed=1)
    values = [accuracy(order) for order in permutations(range(4))]
    assert found.accuracy == pytest.approx(values[0])
    assert found.p_descriptions == pytest.approx(np.mean(np.array(values) >= values[0] - 1e-12))
    assert np.mean(values) == pytest.approx(found.chance)


def test_descriptions_that_are_all_the_same_are_worth_nothing():
    held = held_out(3)
    found = identifiability(pd.DataFrame(np.full((len(held), 3), 1 / 3)), held, seed=1)
    assert found.accuracy == pytest.approx(found.chance)
    assert found.p_descriptions == 1
    assert found.p_people == 1


def test_a_description_that_takes_everything_is_worth_nothing():
    held = held_out(3).iloc[:-6]
    everything = pd.DataFrame(0.0, index=held.index, columns=range(3))
    everything[2] = 1.0
    found = identifiability(everything, held, seed=1)
    assert found.accuracy == pytest.approx(1 / 3)
    assert found.p_descriptions == 1


def test_clusters_count_alike_and_so_do_people():
    held = pd.DataFrame({"person_id": [0] * 8 + [1, 2], "cluster": [0] * 9 + [1]})
    shares = pd.DataFrame([[1.0, 0.0]] * 8 + [[0.0, 1.0]] * 2)
    found = identifiability(shares, held, seed=1)
    assert found.table.loc[0, 0] == 0.5
    assert found.accuracy == 0.75


def test_seeds_are_averaged():
    held = held_out(2)
    both = identifiability([perfect(held), 1 - perfect(held)], held, seed=1)
    assert both.accuracy == pytest.approx(0.5)


def test_many_clusters_are_permuted_by_chance():
    held = held_out(9)
    found = identifiability(perfect(held), held, n_shuffles=199, seed=1)
    assert not found.exact
    assert found.n_permutations == found.n_shuffles == 200
    assert found.p_descriptions == found.p_people == 1 / 200


def test_both_p_are_uniform_where_descriptions_mean_nothing():
    rng = np.random.default_rng(7)
    held = held_out(4)
    values = []
    for _ in range(200):
        mass = np.repeat(rng.dirichlet(np.ones(4) / 2, 16), 3, axis=0)
        found = identifiability(pd.DataFrame(mass), held, n_shuffles=99, seed=int(rng.integers(99)))
        values.append((found.p_descriptions, found.p_people))
    below = (np.array(values) <= 0.25).mean(axis=0)
    # Four standard deviations of a share of 200.
    assert np.abs(below - 0.25).max() < 4 * (0.25 * 0.75 / 200) ** 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.iloc[1:], "expected a row for each of 24"),
        (lambda table: table.rename(columns={1: 5}), "each of the clusters 0, 1, got 0, 5"),
        (lambda table: table / 2, "sum to 1"),
    ],
)
def test_shares_of_other_sequences_or_clusters_are_refused(change, message):
    held = held_out(2)
    with pytest.raises(ValueError, match=message):
        identifiability(change(perfect(held)), held, seed=1)
