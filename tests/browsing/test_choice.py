import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import (
    adjusted_rand_score,
    pairwise_distances,
    silhouette_samples,
    silhouette_score,
)
from visits import PANEL, planted

from cohortlab.browsing import (
    SEARCHED,
    choose,
    held_against_null,
    n_shuffles_reaching,
    null_choices,
    represent,
    sentences,
    user_silhouettes,
    user_vectors,
)
from cohortlab.browsing.choice import NOT_SEPARATED, NothingAllowedError, _in_few_columns

#: Types by name only: all browse alike.
ALIKE = {
    name: PANEL["types"]["reader"] | {"share": profile["share"]}
    for name, profile in PANEL["types"].items()
}
QUICK = {"k_values": range(3, 8), "n_seeds": 5}


def people_of(told):
    return told.index.get_level_values("person_id").to_numpy()


def blobs(*sizes, seed=0, spread=0.1):
    """Clusters around the corners of a simplex, and their labels."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    noise = np.random.default_rng(seed).normal(scale=spread, size=(len(labels), len(sizes)))
    return np.eye(len(sizes))[labels] + noise, labels


@pytest.mark.parametrize("method", ["tfidf", "engineered", "tfidf_svd"])
def test_planted_types_come_out(users, method):
    types, told, features = users
    matrix = represent(features if method == "engineered" else told, method=method)
    who, vectors = user_vectors(people_of(told), matrix)
    found = choose(vectors, **QUICK)
    kept = found.labels >= 0
    assert found.n_clusters == 4
    assert found.n_apart <= 0.05 * len(who)
    # Users differ within their type: one or two of 80 may be taken for those of another.
    assert adjusted_rand_score(types.loc[who][kept], found.labels[kept]) > 0.93


def test_sequences_shuffled_between_users_give_the_silhouette_that_means_nothing(users):
    _, told, _ = users
    matrix, options = represent(told), QUICK | {"methods": ["kmeans", "agglomerative"]}
    _, vectors = user_vectors(people_of(told), matrix)
    rng = np.random.default_rng(0)
    null = null_choices(people_of(told), matrix, rng=rng, n_shuffles=3, **options)
    assert len(null) == 3
    chosen = choose(vectors, **options)
    assert chosen.separated
    assert chosen.silhouette > null["silhouette"].where(null["separated"], 0).max() + 0.02
    assert n_shuffles_reaching(chosen, null) == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_users_without_types_have_none_and_the_null_says_so(seed):
    visits, types, _ = planted(seed, relation_strength=0.0, types=ALIKE)
    told = sentences(visits)
    options = QUICK | {"min_size": 5, "max_apart": 0.3, "methods": ["kmeans", "agglomerative"]}
    who, vectors = user_vectors(people_of(told), represent(told))
    found = choose(vectors, **options)
    assert adjusted_rand_score(types.loc[who], found.labels) == pytest.approx(0, abs=0.1)
    rng = np.random.default_rng(0)
    null = null_choices(people_of(told), represent(told), rng=rng, n_shuffles=2, **options)
    assert not found.separated
    assert n_shuffles_reaching(found, null) > 0


def test_the_clusters_of_a_plain_case_are_found_whatever_the_method():
    X, labels = blobs(40, 30, 20)
    for method in SEARCHED:
        found = choose(X, methods=[method], **QUICK)
        assert adjusted_rand_score(labels, found.labels) == 1
        assert found.method == method
        assert found.k == 3
        assert np.bincount(found.labels).tolist() == [40, 30, 20]
        assert found.silhouette == pytest.approx(silhouette_score(X, labels))


def test_one_outlier_against_the_rest_cannot_win():
    X = np.random.default_rng(1).normal(size=(100, 2))
    X[0] = 1000
    naive = choose(X, k_values=[2], min_size=1, methods=["agglomerative"])
    assert np.bincount(naive.labels).tolist() == [99, 1]
    assert naive.silhouette > 0.9
    found = choose(X, k_values=[2, 3, 4], methods=["agglomerative"])
    assert found.n_clusters >= 2
    assert found.silhouette < 0.6
    assert found.labels[0] == -1
    rejected = found.rejected.iloc[0]
    assert rejected["silhouette"] == pytest.approx(naive.silhouette)
    assert rejected["sizes"] == [99, 1]
    assert rejected["reason"] == "fewer than two clusters of at least 10"


def giving(labels):
    """Make a method that finds these labels."""

    def method(vectors, distances, k_values, seeds):
        yield len(np.unique(labels)), 0, labels

    return method


def test_a_crowd_and_a_scattered_rest_are_no_two_clusters(monkeypatch):
    rng, scattered = np.random.default_rng(0), np.repeat([0, 1], [150, 30])
    noise = rng.normal(size=(180, 40)) * np.where(scattered, 0.3, 0.05)[:, None]
    types = rng.permutation(np.repeat([0, 1, 2], 60))
    X = np.hstack([0.6 * np.eye(3)[types], noise])
    monkeypatch.setitem(SEARCHED, "by scatter", giving(scattered))
    monkeypatch.setitem(SEARCHED, "by type", giving(types))
    alone = choose(X, methods=["by scatter"])
    assert not alone.separated
    assert alone.candidates["lowest_silhouette"][0] < 0 < 0.2 < alone.silhouette
    both = choose(np.hstack([X, noise, noise]), methods=["by scatter", "by type"])
    assert (both.method, both.separated) == ("by type", True)
    assert both.rejected["reason"].tolist() == [NOT_SEPARATED]
    assert both.rejected["silhouette"][0] > both.silhouette
    null = pd.DataFrame({"silhouette": [0.9, 0.9, 0.0], "separated": [False, True, True]})
    assert n_shuffles_reaching(both, null) == 1
    assert n_shuffles_reaching(alone, null) == 2
    said = held_against_null(both, null)
    assert "came of 2 of 3 shuffles, with a silhouette of up to 0.900." in said
    assert "0.900 comes from shuffled clusters that are not separated" in said
    assert "No shuffle gave separated" in held_against_null(both, null.assign(separated=False))
    assert "Shuffled users reach 0.900." in held_against_null(alone, null)


def test_the_worst_cluster_is_that_of_scikit_learn():
    X, _ = blobs(40, 30, 20, spread=0.5)
    found = choose(X, k_values=[3], methods=["agglomerative"])
    values = silhouette_samples(X, found.labels)
    lowest = min(values[found.labels == cluster].mean() for cluster in range(found.n_clusters))
    assert found.candidates["lowest_silhouette"][0] == pytest.approx(lowest)


def test_few_columns_keep_the_distances_and_what_is_found():
    rng = np.random.default_rng(2)
    wide = np.hstack([blobs(30, 30, 30, spread=0.3)[0], 0.02 * rng.normal(size=(90, 400))])
    plain = pairwise_distances(wide)
    for vectors in (wide, sp.csr_matrix(wide)):
        places = _in_few_columns(vectors)
        assert places.shape == (90, 90)
        assert pairwise_distances(places) == pytest.approx(plain, abs=1e-7)
        found = choose(vectors, k_values=[3], n_seeds=3)
        assert adjusted_rand_score(np.repeat([0, 1, 2], 30), found.labels) > 0.9


def test_users_of_small_clusters_are_set_apart_and_counted():
    X, labels = blobs(60, 50, 40, 4, spread=0.02)
    found = choose(X, k_values=[4], methods=["kmeans"], n_seeds=10)
    assert (found.k, found.n_clusters, found.n_apart) == (4, 3, 4)
    assert (found.labels[labels == 3] == -1).all()
    kept = labels < 3
    assert found.silhouette == pytest.approx(silhouette_score(X[kept], labels[kept]))
    with pytest.raises(ValueError, match=r"more than 2% of the users in clusters of fewer than 10"):
        choose(X, k_values=[4], methods=["agglomerative"], max_apart=0.02)


def test_every_start_is_listed_with_its_silhouette_and_its_reason():
    X, _ = blobs(30, 30, 12, 5)
    found = choose(X, **QUICK)
    table = found.candidates
    assert len(table) == 5 * (5 + 1 + 5)
    allowed = (table["n_clusters"] >= 2) & (table["n_apart"] <= 0.05 * 77)
    allowed &= table["lowest_silhouette"] >= 0
    assert ((table["reason"] == "") == allowed).all()
    assert (table["n_clusters"] + table["n_small"] <= table["k"]).all()
    cells = table[allowed].groupby(["method", "k"])["silhouette"]
    listed = found.table.set_index(["method", "k"])
    assert listed["n_allowed"].sum() == allowed.sum()
    for cell, values in cells:
        assert listed.loc[cell, "highest"] == values.max()
        assert listed.loc[cell, "sd"] == pytest.approx(values.std(ddof=0))
        mostly = len(values) * 2 > listed.loc[cell, "n_starts"]
        assert listed.loc[cell, "silhouette"] == pytest.approx(
            values.median() if mostly else np.nan, nan_ok=True
        )
    assert found.silhouette == listed.loc[(found.method, found.k), "highest"]
    assert listed["silhouette"].idxmax() == (found.method, found.k)


def test_a_start_that_is_not_allowed_cannot_stand_for_its_cell():
    rng = np.random.default_rng(0)
    for seed in range(5):
        X = rng.normal(size=(60, 2)) * [1, 0.3]
        found = choose(
            X, k_values=[4, 5], n_seeds=8, methods=["kmeans"], max_apart=0.15, random_state=seed
        )
        won = found.candidates.query("k == @found.k and seed == @found.seed").iloc[0]
        assert won["reason"] == ""
        assert won["silhouette"] == found.silhouette
        assert won["n_apart"] == found.n_apart <= 9


def test_sparse_and_dense_vectors_give_the_same(users):
    _, told, _ = users
    _, vectors = user_vectors(people_of(told), represent(told))
    sparse, dense = (
        choose(x, k_values=[3, 4, 5], methods=["agglomerative"])
        for x in (vectors, vectors.toarray())
    )
    assert sp.issparse(vectors)
    assert sparse.labels.tolist() == dense.labels.tolist()
    assert sparse.candidates["silhouette"].to_numpy() == pytest.approx(
        dense.candidates["silhouette"].to_numpy()
    )


def test_the_same_seed_gives_the_same_and_the_order_of_methods_nothing_else():
    X, _ = blobs(30, 30, 30, spread=0.6)
    one, two = (choose(X, **QUICK, random_state=5) for _ in range(2))
    assert one.candidates.equals(two.candidates)
    assert one.labels.tolist() == two.labels.tolist()
    turned = choose(X, methods=[*SEARCHED][::-1], **QUICK, random_state=5)
    assert turned.silhouette == one.silhouette


def test_a_null_in_which_nothing_is_allowed_is_missing_and_a_wrong_argument_is_an_error():
    X, _ = blobs(15, 15)
    options = {"rng": np.random.default_rng(0), "n_shuffles": 2, "n_seeds": 1}
    found = null_choices(range(30), X, **options, k_values=[2], min_size=20)
    assert found["silhouette"].isna().tolist() == [True, True]
    with pytest.raises(ValueError, match="k_values: expected 2 to 29"):
        null_choices(range(30), X, **options, k_values=[1])


def test_true_users_are_told_from_shuffled_ones(users):
    _, told, features = users
    matrices = {
        "tfidf": represent(told),
        "engineered": represent(features, method="engineered"),
    }
    found = user_silhouettes(people_of(told), matrices, rng=np.random.default_rng(0), max_rows=600)
    assert found["representation"].tolist() == [*matrices]
    assert (found["n_sequences"] <= 600).all()
    assert len(set(found["n_users"])) == 1
    assert (found["silhouette"] > found["null"] + 3 * found["null_sd"]).all()
    shuffled = np.random.default_rng(1).permutation(people_of(told))
    null = user_silhouettes(shuffled, matrices, rng=np.random.default_rng(0), max_rows=600)
    assert (np.abs(null["silhouette"] - null["null"]) < 4 * null["null_sd"]).all()


def test_true_users_have_the_silhouette_of_scikit_learn(users):
    _, told, _ = users
    matrix, people = represent(told), people_of(told)
    found = user_silhouettes(people, {"a": matrix}, rng=np.random.default_rng(0), n_shuffles=1)
    assert found["silhouette"][0] == pytest.approx(silhouette_score(matrix, people))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["dbscan"]}, "methods: expected some of"),
        ({"k_values": [1]}, "k_values: expected 2 to 29"),
        ({"k_values": [30]}, "k_values: expected 2 to 29"),
        ({"n_seeds": 0}, "must be at least 1"),
        ({"max_users": 20}, "30 users, but at most 20: draw a sample"),
        ({"min_size": 20}, "no method and number of clusters is allowed"),
    ],
)
def test_impossible_choices_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        choose(blobs(15, 15)[0], **({"k_values": [2], "n_seeds": 2} | options))


@pytest.mark.parametrize("method", SEARCHED)
@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_users_who_are_all_alike_are_not_parted_by_rounding(method, form):
    row = np.random.default_rng(1).random(40)
    row /= np.linalg.norm(row)
    X = form(np.tile(row, (12, 1)))
    with pytest.raises(NothingAllowedError, match="all 12 users have the same row"):
        choose(X, methods=[method], k_values=[2, 3], n_seeds=2, min_size=2)
    null = null_choices(
        range(12), X, rng=np.random.default_rng(1), n_shuffles=1, methods=[method], k_values=[2]
    )
    assert null["silhouette"].isna().all()


@pytest.mark.parametrize("n_users", [1, 2])
def test_one_or_two_users_are_too_few(n_users):
    with pytest.raises(ValueError, match=f"at least three users .*, got {n_users}"):
        choose(np.eye(n_users, 4))
