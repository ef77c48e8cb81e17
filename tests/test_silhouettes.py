import numpy as np
import pytest
import scipy.sparse as sp
import sklearn
from sklearn.metrics import pairwise_distances, silhouette_samples, silhouette_score

from cohortlab.clusters.silhouettes import silhouette_values, silhouettes


def candidates(n_rows, rng):
    labelings = [rng.integers(0, k, n_rows) for k in (2, 3, 5, 9)]
    lonely = np.zeros(n_rows, dtype=int)
    lonely[0] = 7
    return [*labelings, lonely, np.where(labelings[0] == 0, "b", "a")]


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "manhattan"])
@pytest.mark.parametrize("memory", [0.01, 1024])
def test_the_values_are_those_of_scikit_learn(metric, memory):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 4)) + 0.1
    labelings = candidates(len(X), rng)
    expected = [silhouette_score(X, labels, metric=metric) for labels in labelings]
    with sklearn.config_context(working_memory=memory):
        found = silhouettes(X, labelings, metric=metric)
    assert found == pytest.approx(expected, abs=1e-12)


def test_sparse_rows_and_given_distances():
    rng = np.random.default_rng(1)
    X = sp.random_array((80, 30), density=0.2, rng=rng, format="csr")
    labelings = candidates(80, rng)
    expected = [silhouette_score(X, labels, metric="cosine") for labels in labelings]
    assert silhouettes(X, labelings, metric="cosine") == pytest.approx(expected, abs=1e-12)
    distances = pairwise_distances(X, metric="cosine")
    np.fill_diagonal(distances, 0)
    assert silhouettes(distances, labelings, metric="precomputed") == pytest.approx(expected)


@pytest.mark.parametrize("min_size", [2, 10, 20])
def test_small_clusters_are_left_out_as_if_their_rows_were_not_there(min_size):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(90, 3))
    labels = np.repeat(np.arange(7), [1, 2, 9, 10, 15, 20, 33])
    kept = np.bincount(labels)[labels] >= min_size
    expected = silhouette_score(X[kept], labels[kept])
    found = silhouettes(X, [labels, np.zeros(90)], min_size=min_size)
    assert found[0] == pytest.approx(expected, abs=1e-12)
    assert np.isnan(found[1])


def test_one_large_cluster_among_small_ones_has_no_silhouette():
    X = np.random.default_rng(4).normal(size=(20, 2))
    labels = np.repeat([0, 1, 2], [17, 2, 1])
    assert np.isfinite(silhouettes(X, [labels])).all()
    assert np.isnan(silhouettes(X, [labels], min_size=3)).all()


def test_clusterings_without_a_silhouette_give_none():
    X = np.random.default_rng(2).normal(size=(6, 2))
    found = silhouettes(X, [np.zeros(6), np.arange(6), [0, 0, 0, 1, 1, 1]])
    assert np.isnan(found).tolist() == [True, True, False]
    assert silhouettes(X, []).shape == (0,)


def test_equal_rows_have_a_silhouette_of_zero():
    assert silhouettes(np.ones((6, 2)), [[0, 0, 0, 1, 1, 1]]).tolist() == [0.0]


def test_labels_of_another_number_are_refused():
    with pytest.raises(ValueError, match="clustering 1 has 3 labels for 6 rows"):
        silhouettes(np.ones((6, 2)), [[0, 0, 0, 1, 1, 1], [0, 1, 1]])


def test_each_row_has_the_value_of_scikit_learn():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(70, 3))
    labelings = candidates(70, rng)
    values, sizes = silhouette_values(X, labelings)
    for column, labels, size in zip(values.T, labelings, sizes, strict=True):
        assert column == pytest.approx(silhouette_samples(X, labels), abs=1e-12)
        assert size.tolist() == np.unique(labels, return_counts=True)[1].tolist()
