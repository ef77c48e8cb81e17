import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from sklearn.mixture import GaussianMixture

from cohortlab.clusters import (
    DENSITY_METHODS,
    LINKAGES,
    METHODS,
    Clustering,
    cluster,
    linkage_tree,
    quality,
    with_group_apart,
)
from cohortlab.clusters.density import knee

HARD = [name for name in METHODS if name != "mixture"]
TOLD = [name for name in METHODS if name not in DENSITY_METHODS]
SAMPLED = ["agglomerative", *LINKAGES]


def blobs(seed=0, n=90, spread=0.4, n_clusters=3):
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % n_clusters
    return np.array([[0, 0], [6, 0], [0, 6]])[truth] + rng.normal(0, spread, (n, 2)), truth


def fitted(X, k):
    return GaussianMixture(k, random_state=0).fit(X)


def run(method, X, k=3, **more):
    mixture = fitted(X, k) if method == "mixture" else None
    k = None if method in DENSITY_METHODS else k
    return cluster(X, method=method, n_clusters=k, mixture=mixture, random_state=4, **more)


@pytest.mark.parametrize("method", METHODS)
def test_recovers_separate_groups(method):
    X, truth = blobs()
    found = run(method, X)
    # Density leaves the rows at the edges out.
    kept = found.labels != found.details.get("noise_cluster", -1)
    assert kept.mean() > 0.8 if method in DENSITY_METHODS else kept.all()
    assert adjusted_rand_score(truth[kept], found.labels[kept]) == 1.0
    assert np.unique(found.labels[kept]).tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.probability + found.uncertainty, 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_rows_does_not_matter(method):
    X, _ = blobs(spread=2.5)
    order = np.random.default_rng(8).permutation(len(X))
    mixture = fitted(X, 4) if method == "mixture" else None
    options = {"max_rows": 50} if method in SAMPLED else None
    n_clusters = None if method in DENSITY_METHODS else 4
    straight, shuffled = (
        cluster(rows, method=method, n_clusters=n_clusters, mixture=mixture, options=options)
        for rows in (X, X[order])
    )
    assert adjusted_rand_score(straight.labels[order], shuffled.labels) == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_gives_same_labels(method):
    X, _ = blobs(spread=2.5)
    np.testing.assert_array_equal(run(method, X).labels, run(method, X).labels)


@pytest.mark.parametrize("method", TOLD)
def test_one_cluster_holds_everything(method):
    found = run(method, blobs()[0], k=1)
    assert (found.labels == 0).all()
    assert found.n_clusters == 1


@pytest.mark.parametrize("method", HARD)
def test_single_row_is_a_cluster(method):
    n_clusters = None if method in DENSITY_METHODS else 1
    assert cluster(np.ones((1, 2)), method=method, n_clusters=n_clusters).labels.tolist() == [0]


@pytest.mark.parametrize("method", [name for name in HARD if name in TOLD])
def test_more_clusters_than_distinct_rows_says_what_to_try(method):
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 5, axis=0)
    with pytest.raises(ValueError, match=r"3 clusters asked for.*2 distinct rows: lower"):
        cluster(X, method=method, n_clusters=3)


@pytest.mark.parametrize("method", HARD)
def test_hard_methods_claim_no_uncertainty(method):
    assert (run(method, blobs(spread=3)[0]).uncertainty == 0).all()


def test_mixture_gives_its_own_probabilities():
    X, _ = blobs(spread=2.5)
    model = fitted(X, 3)
    found = cluster(X, method="mixture", mixture=model)
    np.testing.assert_array_equal(found.probability, model.predict_proba(X).max(axis=1))
    assert found.uncertainty.max() > 0.1


def test_single_linkage_follows_a_chain_that_complete_linkage_cuts():
    chain = np.column_stack([np.arange(30.0), np.zeros(30)])
    X = np.vstack([chain, [[15.0, 4.0]]])
    single = cluster(X, method="single", n_clusters=2).labels
    complete = cluster(X, method="complete", n_clusters=2).labels
    assert len(set(single[:30])) == 1
    assert single[30] != single[0]
    assert len(set(complete[:30])) == 2


@pytest.mark.parametrize("method", DENSITY_METHODS)
def test_rows_in_no_dense_region_are_a_cluster_of_their_own(method):
    X, truth = blobs(n=150)
    far = np.array([[30.0, 30.0], [-40.0, 5.0], [9.0, -50.0]])
    found = cluster(np.vstack([X, far]), method=method)
    assert (found.labels[150:] == found.details["noise_cluster"]).all()
    assert found.details["n_noise"] >= 3
    inside = found.labels[:150] != found.details["noise_cluster"]
    assert inside.mean() > 0.85
    assert adjusted_rand_score(truth[inside], found.labels[:150][inside]) == 1.0


@pytest.mark.parametrize("method", DENSITY_METHODS)
def test_equal_rows_are_one_dense_region_or_noise(method):
    assert cluster(np.ones((20, 2)), method=method).n_clusters == 1


def test_components_without_rows_leave_no_gap_in_the_numbers():
    class Three:
        def predict_proba(self, X):
            return np.where(X > 0, [[0.1, 0.0, 0.9]], [[0.8, 0.0, 0.2]])

    found = cluster(np.array([[1.0], [-1.0]]), method="mixture", mixture=Three())
    assert sorted(found.labels) == [0, 1]
    assert found.details["n_components_without_rows"] == 1


def test_ward_on_a_sample_assigns_the_rest_and_reports_it():
    X, truth = blobs(n=600)
    found = cluster(X, method="agglomerative", n_clusters=3, options={"max_rows": 60})
    assert adjusted_rand_score(truth, found.labels) == 1.0
    assert found.details["n_rows_clustered"] == 60
    assert found.details["share_of_sample_reassigned"] == 0.0


@pytest.mark.parametrize("method", SAMPLED)
def test_equal_rows_get_equal_labels_when_sampled(method):
    X = np.repeat(np.random.default_rng(0).normal(size=(40, 2)), 20, axis=0)
    labels = cluster(X, method=method, n_clusters=5, options={"max_rows": 100}).labels
    assert all(len(set(labels[i : i + 20])) == 1 for i in range(0, len(X), 20))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "magic"}, "unknown clustering method 'magic'"),
        ({"method": "mixture"}, "needs a fitted mixture"),
        ({"method": "kmeans"}, "n_clusters must be a positive whole number, got None"),
        ({"method": "kmeans", "n_clusters": 2, "options": {"n_inits": 3}}, "no option"),
        ({"method": "mixture", "options": {"n_init": 3}}, "it takes none"),
        ({"method": "hdbscan", "n_clusters": 2}, "finds its number of clusters"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        cluster(blobs()[0], **arguments)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 2)), "got shape"),
        (np.zeros(3), "got shape"),
        (np.array([[1.0, np.nan]]), "row 0, column 1 holds nan"),
    ],
)
def test_bad_tables_are_named(X, message):
    with pytest.raises(ValueError, match=message):
        cluster(X, method="kmeans", n_clusters=1)


def test_measures_agree_with_scikit_learn_on_all_rows():
    X, _ = blobs(spread=2.5)
    labels = run("kmeans", X).labels
    found = quality(X, labels)
    assert found.silhouette == pytest.approx(silhouette_score(X, labels), abs=1e-12)
    assert found.davies_bouldin == pytest.approx(davies_bouldin_score(X, labels), abs=1e-12)
    assert found.calinski_harabasz == pytest.approx(calinski_harabasz_score(X, labels))
    assert found.silhouette_error == 0.0
    assert found.silhouette_rows == len(X)


def test_sampled_silhouette_is_within_its_error():
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], [2000, 700, 40])
    X = np.array([[0, 0], [3, 0], [0, 9]])[labels] + rng.normal(size=(2740, 2))
    exact = silhouette_score(X, labels)
    samples = [quality(X, labels, max_rows=400, random_state=seed) for seed in range(30)]
    scores = np.array([(s.silhouette - exact) / s.silhouette_error for s in samples])
    # The mean of 30 standard scores has error 0.18, their deviation 0.13.
    assert abs(scores.mean()) < 0.6
    assert 0.6 < scores.std() < 1.5


def test_sample_keeps_rows_of_small_clusters():
    labels = np.repeat([0, 1], [5000, 2])
    X = np.random.default_rng(0).normal(size=(5002, 1)) + 100.0 * labels[:, None]
    found = quality(X, labels, max_rows=200)
    assert found.silhouette > 0.9
    assert found.silhouette_rows == 201


@pytest.mark.parametrize(
    ("X", "labels", "reason"),
    [
        (np.arange(4.0)[:, None], [0, 0, 0, 0], "only one cluster"),
        (np.arange(4.0)[:, None], [0, 1, 2, 3], "single row"),
        (np.ones((4, 2)), [0, 0, 1, 1], "all rows are equal"),
        (np.ones((1, 2)), [0], "only one cluster"),
    ],
)
def test_degenerate_clusterings_get_a_reason_and_no_number(X, labels, reason):
    found = quality(X, labels)
    assert np.isnan([found.silhouette, found.davies_bouldin, found.calinski_harabasz]).all()
    assert all(reason in text for text in found.reasons.values())
    assert found.as_dict()["silhouette"] is None


def test_singletons_are_counted_and_equal_centres_explained():
    X = np.array([[0.0], [2.0], [1.0], [9.0]])
    assert quality(X, [0, 0, 1, 2]).n_singletons == 2
    assert "same centre" in quality(X, [0, 0, 1, 2]).reasons["davies_bouldin"]
    within = quality(np.array([[0.0], [0.0], [1.0]]), [0, 0, 1])
    assert list(within.reasons) == ["calinski_harabasz"]


def test_one_label_a_row_is_demanded():
    with pytest.raises(ValueError, match="4 rows but 3 labels"):
        quality(np.zeros((4, 1)), [0, 1, 1])


def test_a_group_apart_takes_the_rows_that_were_not_clustered():
    found = Clustering("mixture", np.array([1, 0]), np.array([0.9, 0.6]), np.array([0.1, 0.4]))
    whole = with_group_apart(found, np.array([False, True, True, False]))
    assert whole.labels.tolist() == [1, 2, 2, 0]
    assert whole.probability.tolist() == [0.9, 1.0, 1.0, 0.6]
    assert whole.n_clusters == 3
    assert whole.details["n_rows_apart"] == 2


def test_without_rows_apart_a_clustering_stays_what_it_is():
    found = Clustering("mixture", np.array([1, 0]), np.ones(2), np.zeros(2))
    assert with_group_apart(found, np.zeros(2, dtype=bool)) is found


def test_rows_apart_that_do_not_fit_are_an_error():
    found = Clustering("mixture", np.array([1, 0]), np.ones(2), np.zeros(2))
    with pytest.raises(ValueError, match="2 clustered rows, but 3"):
        with_group_apart(found, np.zeros(3, dtype=bool))


@pytest.mark.parametrize("linkage", LINKAGES)
def test_cutting_the_tree_gives_the_clusters_of_the_linkage(linkage):
    X, _ = blobs(spread=2.0)
    tree = linkage_tree(X, linkage=linkage)
    cut = fcluster(tree, 4, criterion="maxclust")
    assert adjusted_rand_score(cut, run(linkage, X, k=4).labels) == 1.0


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        ([[1.0]], {}, "expected 2 to 5000 rows to join, got 1"),
        ([[1.0], [2.0], [3.0]], {"max_rows": 2}, "expected 2 to 2 rows to join, got 3"),
        ([[1.0], [2.0]], {"linkage": "nearest"}, "linkage: expected one of .*, got 'nearest'"),
        ([[1.0], [np.nan]], {}, "row 1, column 0 holds nan"),
    ],
)
def test_a_tree_that_cannot_be_made_says_why(X, options, message):
    with pytest.raises(ValueError, match=message):
        linkage_tree(np.array(X), **options)


def test_a_knee_is_where_the_slope_reaches_that_of_the_whole():
    # Below the line from (0, 0) to (1, 1), x^3 lies furthest where 3 x^2 = 1.
    x = np.linspace(0, 1, 1_000_001)
    assert knee(np.random.default_rng(0).permutation(x**3)) == pytest.approx(3**-1.5, abs=1e-6)
    assert knee(np.array([4.0, 4.0])) == 4.0


def test_the_distance_of_dbscan_scales_with_the_rows():
    X, _ = blobs()
    eps = cluster(X, method="dbscan").details["eps"]
    assert cluster(3 * X, method="dbscan").details["eps"] == pytest.approx(3 * eps)
