"""Leaves, the plane, the routes, and what is said of them."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import adjusted_rand_score, homogeneity_score, roc_auc_score, silhouette_score

from cohortlab import embedding as routes
from cohortlab.embedding.ties import fuzzy_ties
from cohortlab.mixture import GaussianMixture
from cohortlab.scaling import Scaling

RECIPE = routes.Recipe(
    target="money",
    columns=("recency", "pieces"),
    n_trees=20,
    min_leaf=5,
    metric="hamming",
    n_neighbours=15,
    n_epochs=50,
    n_clusters=3,
    n_init=5,
    max_rows=500,
    rfm=("money", "recency"),
    scaling="log1p_standard",
)


def planted(n=60, seed=0):
    """Make three kinds of customers that lie apart in every column."""
    rng = np.random.default_rng(seed)
    kind = np.repeat([0, 1, 2], n)
    table = pd.DataFrame(
        {
            "money": np.array([10.0, 200.0, 4000.0])[kind] * rng.uniform(0.8, 1.25, 3 * n),
            "recency": np.array([300.0, 150.0, 10.0])[kind] + rng.uniform(-9, 9, 3 * n),
            "pieces": np.array([5.0, 80.0, 900.0])[kind] * rng.uniform(0.8, 1.25, 3 * n),
        }
    )
    return table, kind


@pytest.mark.parametrize("min_leaf", [1, 7])
def test_leaves_are_those_of_scikit_learn(min_leaf):
    rng = np.random.default_rng(1)
    # Rounded, so that values lie on thresholds; as 64-bit numbers, which the trees compare as 32.
    X = np.round(rng.random((300, 3)), 2) + 1e-9
    y = X[:, 0] + rng.random(300)
    forest = routes.fit_leaf_forest(X, y, n_trees=9, min_leaf=min_leaf, random_state=4)
    model = RandomForestRegressor(9, min_samples_leaf=min_leaf, random_state=4).fit(X, y)
    new = np.vstack([X, np.round(rng.random((200, 3)), 2), [[-5.0, 0.5, 9.0]]])
    assert np.array_equal(forest.apply(new) - forest.roots, model.apply(new))
    assert forest.is_leaf[forest.apply(new)].all()


def test_compiled_leaves_are_those_of_plain_python():
    from cohortlab.embedding.forest import _leaves

    table, _ = planted(20)
    scaling, forest, leaves = routes.scaled_leaves(table, RECIPE, 3)
    X = scaling.transform(table).astype(np.float32)
    assert np.array_equal(_leaves.py_func(X, *forest.arrays().values()), leaves)


@pytest.mark.parametrize("metric", ["hamming", "euclidean"])
def test_nearest_rows_are_exact_with_the_row_itself_first(metric):
    X = np.random.default_rng(2).integers(0, 4, (700, 6))
    indices, distances = routes.nearest_rows(X, 9, metric=metric)
    assert np.array_equal(indices[:, 0], np.arange(700))
    assert (distances[:, 0] == 0).all()
    for row in (0, 511, 512, 699):
        others = np.delete(X, row, axis=0)
        differing = X[row] != others
        gaps = (
            differing.mean(1) if metric == "hamming" else np.sqrt(((X[row] - others) ** 2).sum(1))
        )
        assert distances[row, 1:] == pytest.approx(np.sort(gaps)[:8], abs=1e-6)


@pytest.mark.parametrize("route", routes.ROUTES)
def test_every_route_finds_planted_kinds(route):
    table, kind = planted()
    found = routes.take_route(route, table, RECIPE, seed=1)
    assert adjusted_rand_score(kind, found.labels) == 1.0
    again = routes.take_route(route, table, RECIPE, seed=1)
    assert np.array_equal(found.places, again.places)


def test_proximity_is_average_linkage_and_a_sample_labels_the_rest():
    table, kind = planted()
    leaves = routes.scaled_leaves(table, RECIPE, 1)[2]
    whole = routes.cluster_by_proximity(leaves, n_clusters=4, max_rows=500, random_state=0)
    tree = hierarchy.linkage(pdist(leaves, "hamming"), "average")
    assert adjusted_rand_score(whole, hierarchy.fcluster(tree, 4, "maxclust")) == 1.0
    part = routes.cluster_by_proximity(leaves, n_clusters=3, max_rows=60, random_state=0)
    assert adjusted_rand_score(kind, part) == 1.0


def test_silhouettes_by_leaves_are_those_of_the_shares_of_trees():
    table, kind = planted(20)
    leaves = routes.scaled_leaves(table, RECIPE, 1)[2]
    parted = (leaves[:, None, :] != leaves[None, :, :]).mean(axis=2)
    options = {"metric": "hamming", "max_rows": 100, "random_state": 0}
    found = routes.silhouettes(leaves, {"kind": kind, "one": kind * 0}, **options)
    assert found["kind"] == pytest.approx(silhouette_score(parted, kind, metric="precomputed"))
    assert np.isnan(found["one"])


@pytest.mark.parametrize("metric", ["hamming", "euclidean"])
def test_ties_are_those_of_umap(metric, monkeypatch):
    umap = pytest.importorskip("umap.umap_")
    # Two hundred rows are tied sooner by plain Python than its functions are compiled.
    for name in ("smooth_knn_dist", "compute_membership_strengths"):
        monkeypatch.setattr(umap, name, getattr(umap, name).py_func)
    rng = np.random.default_rng(3)
    X = rng.integers(0, 4, (200, 6))
    # Equal rows at distance 0, and one so far from all that its width is held up.
    X[:20], X[-1] = X[0], 999
    nearest = routes.nearest_rows(X, 12, metric=metric)
    ours = fuzzy_ties(*nearest)
    known = {"knn_indices": nearest[0], "knn_dists": nearest[1]}
    theirs = umap.fuzzy_simplicial_set(X, 12, rng, metric, **known)[0]
    assert abs(ours - theirs).max() < 1e-5
    assert ours.nnz == theirs.nnz


def test_every_row_ties_its_neighbours_as_strongly_in_sum():
    X = np.random.default_rng(4).random((150, 3))
    indices, distances = routes.nearest_rows(X, 10, metric="euclidean")
    both = fuzzy_ties(indices, distances).toarray()
    assert np.array_equal(both, both.T)
    assert (both.diagonal() == 0).all()
    # a + b - ab is undone where only one row of a pair knows the other.
    knows = np.zeros((150, 150), dtype=bool)
    np.put_along_axis(knows, indices, values=True, axis=1)
    alone = [row for row in range(150) if not (knows[row] & knows[:, row]).sum() > 1]
    sums = np.where(knows, both, 0).sum(axis=1)
    assert sums[alone] == pytest.approx(np.log2(10), abs=1e-4)


def test_umap_loads_only_where_a_plane_is_drawn():
    code = "import sys, cohortlab.embedding; sys.exit('umap' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "cosine"}, "metric: expected one of"),
        ({"n_neighbours": 31}, "expected 2 to the 30 rows at hand, got 31"),
    ],
)
def test_an_impossible_plane_is_refused(options, message):
    X = np.random.default_rng(0).integers(0, 3, (30, 4))
    asked = {"metric": "hamming", "n_neighbours": 5, "n_epochs": 5, "random_state": 0} | options
    with pytest.raises(ValueError, match=message):
        routes.draw_plane(X, **asked)


def test_an_unknown_route_is_named():
    with pytest.raises(ValueError, match="route: expected one of"):
        routes.take_route("magic", planted()[0], RECIPE, seed=0)


def test_exceedance_is_the_area_under_the_curve():
    rng = np.random.default_rng(5)
    table = pd.DataFrame({"a": rng.integers(0, 9, 200), "b": rng.random(200)})
    labels = rng.integers(0, 3, 200)
    found = routes.exceedance(table, labels)
    for cluster in range(3):
        for name in table:
            assert found.loc[cluster, name] == pytest.approx(
                roc_auc_score(labels == cluster, table[name])
            )
    with pytest.raises(ValueError, match="only one cluster"):
        routes.exceedance(table, labels * 0)


@pytest.mark.parametrize("seed", range(3))
def test_the_gap_finds_planted_groups_and_one_where_there_are_none(seed):
    rng = np.random.default_rng(seed)
    options = {"n_references": 10, "n_init": 3, "rng": rng}
    groups = np.vstack([rng.normal(c, 0.3, (40, 2)) for c in ([0, 0], [6, 0], [0, 6])])
    assert routes.choose_gap(routes.gap_statistic(groups, range(1, 6), **options)) == 3
    null = rng.uniform(size=(150, 2))
    assert routes.choose_gap(routes.gap_statistic(null, range(1, 6), **options)) == 1


def test_a_gap_that_grows_to_the_end_chooses_nothing():
    table = pd.DataFrame({"k": [1, 2, 3], "gap": [0.1, 0.5, 0.9], "error": [0.01] * 3})
    assert routes.choose_gap(table) is None


def test_criteria_see_planted_groups():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(c, 0.2, (30, 2)) for c in ([0, 0], [9, 0], [0, 9], [9, 9])])
    table = routes.number_table(X, range(2, 8), n_init=5, seed=0).set_index("k")
    assert table["silhouette"].idxmax() == table["davies_bouldin"].idxmin() == 4
    assert routes.elbow(table.reset_index()) in (3, 4)
    assert table.loc[4, "smallest"] == 30


def test_stability_is_high_for_planted_kinds_and_low_for_noise():
    table, kind = planted()
    options = {"n_rows": 120, "n_replicates": 3, "n_init": 3}
    rng = np.random.default_rng(0)
    refits = {"told": lambda sample, seed: sample["money"].to_numpy() > 1000}
    own = dict.fromkeys(routes.ROUTES, kind) | {"told": table["money"].to_numpy() > 1000}
    found = routes.stability(table, own, RECIPE, rng=rng, refits=refits, **options)
    assert found.index.tolist() == [*routes.ROUTES, "told"]
    # A drawing of 120 customers may tear an island.
    assert found.loc["plane", "stability"] > 0.6
    assert (found["stability"].drop("plane") == 1.0).all()
    assert (found["standard error"].drop("plane") == 0.0).all()
    noise = routes.permuted_columns(table, rng)
    others = {"kmeans_scaled": rng.integers(0, 3, len(noise))}
    found = routes.stability(noise, others, RECIPE, rng=rng, **options)
    assert abs(found.loc["kmeans_scaled", "stability"]) < 0.1


@pytest.mark.parametrize("apart", [{}, {"pieces": 0.0}])
@pytest.mark.parametrize(
    ("method", "alike"),
    # A method by density is told no number: it may split a group, and mixes none.
    [
        ("mixture", adjusted_rand_score),
        ("kmeans", adjusted_rand_score),
        ("dbscan", homogeneity_score),
    ],
)
def test_chosen_clusters_are_found_again_on_other_rows(method, alike, apart):
    table, kind = planted()
    if apart:
        table = pd.concat([table, table.iloc[:20].assign(pieces=0.0)], ignore_index=True)
        kind = np.append(kind, [3] * 20)
    rows = np.random.default_rng(0).integers(0, len(table), 150)
    columns = ["money", "recency"]
    scaling = Scaling("log1p_standard").fit(table[columns])
    found = routes.refit_chosen(
        table.iloc[rows].reset_index(drop=True),
        1,
        choice={"clustered": columns, "spread": ["recency"], "apart": apart},
        method=method,
        n_clusters=len(np.unique(kind)),
        scaling=scaling,
        mixture=GaussianMixture(3, "EEI", n_init=2),
    )
    assert alike(kind[rows], found) > 0.9


def test_permuted_columns_keep_values_and_lose_their_ties():
    table, _ = planted(200)
    null = routes.permuted_columns(table, np.random.default_rng(0))
    for name in table:
        assert np.array_equal(np.sort(null[name]), np.sort(table[name]))
    assert abs(table["money"].corr(table["pieces"])) > 0.9
    assert abs(null["money"].corr(null["pieces"])) < 0.15


def test_the_leaderboard_ranks_by_stability_and_says_why_a_route_is_out():
    measures = pd.DataFrame(
        {
            "clusters": [3, 4, 1, 3, 3],
            "smallest": [50, 4, 100, 40, 60],
            "stability": [0.5, 0.9, 1.0, 0.7, np.nan],
        },
        index=["a", "b", "c", "d", "e"],
    )
    board = routes.leaderboard(measures, min_size=30)
    assert board.index[:3].tolist() == ["d", "a", "e"]
    assert board["rank"].dropna().to_dict() == {"d": 1, "a": 2}
    assert board.loc["b", "verdict"] == "rejected: a cluster of 4, fewer than 30"
    assert board.loc["c", "verdict"] == "rejected: a single cluster"
