"""Choices of the step that its customers do not allow, refused before anything is computed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cohortlab import embedding as routes

RECIPE = routes.Recipe(
    target="money",
    columns=("recency", "pieces"),
    n_trees=5,
    min_leaf=2,
    metric="hamming",
    n_neighbours=90,
    n_epochs=5,
    n_clusters=3,
    n_init=2,
    max_rows=500,
    rfm=("money", "recency"),
    scaling="log1p_standard",
)
TOLD = {"trial_rows": 600, "k_values": [2, 3, 4], "order_by": ["money"], "scored": "proximity"}


def customers(n):
    values = np.random.default_rng(n).uniform(1, 100, (n, 3))
    table = pd.DataFrame(values, columns=["money", "recency", "pieces"])
    table.insert(0, "customer_id", np.arange(n))
    return table


def test_neighbours_are_capped_at_the_customers_and_nothing_else_changes():
    fitted = routes.fit_recipe(RECIPE, customers(30), **TOLD)
    assert fitted == replace(RECIPE, n_neighbours=30)
    assert routes.fit_recipe(RECIPE, customers(200), **TOLD) == RECIPE


@pytest.mark.parametrize("n", [4, 5, 12, 31])
def test_every_route_gets_through_at_the_borders_of_what_is_possible(n):
    told = TOLD | {"k_values": [2, 3]}
    recipe = replace(RECIPE, min_leaf=n // 4, n_clusters=n // 2)
    table = customers(n)
    recipe = routes.fit_recipe(recipe, table, **told)
    found = routes.take_routes(table, recipe, seed=0)
    assert all(len(f.labels) == n for f in found.values())
    assert all(np.isfinite(f.places).all() for f in found.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "mony"}, r"target: expected one of the features .*'money'.*got 'mony'"),
        ({"columns": ("recency", "age")}, r"learns_from: .*'recency'.*got \['recency', 'age'\]"),
        ({"columns": ("money",)}, r"learns_from: .* other than the target .*got \['money'\]"),
        ({"columns": ()}, r"learns_from: expected one or more .*got \[\]"),
        ({"columns": ("recency", "recency")}, "learns_from: .*each once"),
        ({"rfm": ("money", "customer_id")}, "rfm: expected .*'customer_id'"),
        ({"order_by": ["age"]}, r"order_by: expected .*got \['age'\]"),
        ({"scored": "chosen"}, "scored: expected one of .*'proximity'.*got 'chosen'"),
        ({"min_leaf": 5000}, "min_leaf: expected 1 to 10, .*40 customers.*got 5000"),
        ({"n_clusters": 5000}, "n_clusters: expected 2 to 20, .*40 customers.*got 5000"),
        ({"max_rows": 8, "n_clusters": 5}, "n_clusters: expected 2 to 4, .*8 customers.*got 5"),
        ({"max_rows": 3}, "max_rows: expected 4 or more, got 3"),
        ({"trial_rows": 1}, "trial_rows: expected 4 or more, got 1"),
        ({"k_values": [2, 5, 9]}, r"k_values: expected .*consecutive.*got \[2, 5, 9\]"),
        ({"k_values": [3, 4]}, r"k_values: expected .*from 2.*got \[3, 4\]"),
        ({"k_values": [2]}, r"k_values: expected two or more.*got \[2\]"),
        ({"k_values": [*range(2, 41)]}, "k_values: expected .*up to 39"),
    ],
)
def test_an_impossible_choice_is_named_with_what_is_possible(changes, message):
    told = {name: changes.get(name, value) for name, value in TOLD.items()}
    recipe = replace(RECIPE, **{k: v for k, v in changes.items() if k not in TOLD})
    with pytest.raises(ValueError, match=message):
        routes.fit_recipe(recipe, customers(40), **told)


def test_all_faults_are_told_at_once():
    recipe = replace(RECIPE, min_leaf=20, n_clusters=11)
    with pytest.raises(ValueError, match=r"min_leaf: expected 1, .*; n_clusters: expected 2, "):
        routes.fit_recipe(recipe, customers(5), **TOLD)


@pytest.mark.parametrize("n", [1, 3])
def test_so_few_customers_have_no_clusters(n):
    with pytest.raises(ValueError, match=f"at least 4 customers, got {n}"):
        routes.fit_recipe(RECIPE, customers(n), **TOLD)


@pytest.mark.parametrize("n_neighbours", [0, 4])
def test_more_neighbours_than_rows_are_refused(n_neighbours):
    with pytest.raises(ValueError, match=f"n_neighbours: expected 1 to the 3 .*{n_neighbours}"):
        routes.nearest_rows(np.eye(3), n_neighbours, metric="hamming")


def test_a_scored_route_without_clusters_is_refused_and_others_are_named():
    labels = dict.fromkeys(routes.ROUTES, np.zeros(6, int)) | {"kmeans_scaled": np.arange(6) % 2}
    routes.require_clusters(labels, scored="kmeans_scaled")
    message = r"scored: 'proximity' finds a single cluster.* found by \['kmeans_scaled'\]"
    with pytest.raises(ValueError, match=message):
        routes.require_clusters(labels, scored="proximity")
