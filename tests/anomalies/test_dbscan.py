import numpy as np
import pytest
from sklearn.cluster import DBSCAN

from cohortlab.anomalies import dbscan
from cohortlab.anomalies.distinct import distinct_rows, nearest
from cohortlab.anomalies.joining import join_round, linked


def by_hand(X, eps, min_samples):
    """Cluster by the definitions, every pair looked at."""
    near = ((X[:, None] - X) ** 2).sum(axis=2) <= eps * eps
    core = near.sum(axis=1) >= min_samples
    labels, cluster = np.full(len(X), -1), 0
    for start in np.flatnonzero(core):
        if labels[start] >= 0:
            continue
        todo, members = [start], set()
        while todo:
            one = todo.pop()
            if one not in members:
                members.add(one)
                todo += list(np.flatnonzero(near[one] & core))
        reached = near[list(members)].any(axis=0)
        labels[reached & (labels < 0)] = cluster
        cluster += 1
    return labels, core


def draw(seed):
    """Draw rows of several kinds: apart, on a lattice with ties, and mostly equal."""
    rng = np.random.default_rng(seed)
    n_rows, n_features = int(rng.integers(1, 200)), int(rng.integers(1, 6))
    X = rng.normal(size=(n_rows, n_features))
    X = [X, np.round(2 * X), np.round(X, 1), X[rng.integers(0, max(1, n_rows // 20), n_rows)]][
        seed % 4
    ]
    return X, float(rng.choice([0.2, 0.5, 1.0, 2.0])), int(rng.integers(1, 12))


@pytest.mark.parametrize("seed", range(40))
def test_labels_are_those_of_the_definitions_and_of_scikit_learn(seed):
    X, eps, min_samples = draw(seed)
    found = dbscan(X, eps=eps, min_samples=min_samples)
    labels, core = by_hand(X, eps, min_samples)
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.is_core, core)
    theirs = DBSCAN(eps=eps, min_samples=min_samples, algorithm="kd_tree").fit(X)
    np.testing.assert_array_equal(found.labels, theirs.labels_)


def test_labels_are_those_of_scikit_learn_on_many_rows_with_repetition():
    rng = np.random.default_rng(5)
    centres = rng.normal(0, 3, (12, 4))
    X = centres[rng.integers(12, size=4000)] + rng.normal(0, 0.6, (4000, 4))
    X = np.concatenate([X, np.repeat(X[:20], 60, axis=0), rng.uniform(-9, 9, (200, 4))])
    X = X[rng.permutation(len(X))]
    found = dbscan(X, eps=0.7, min_samples=15)
    assert 3 < found.labels.max() + 1 < 40
    np.testing.assert_array_equal(found.labels, DBSCAN(eps=0.7, min_samples=15).fit_predict(X))


def test_labels_are_those_of_scikit_learn_on_twenty_thousand_rows_most_of_them_equal():
    # Its lists of neighbours hold the square of how often a row is repeated.
    rng = np.random.default_rng(9)
    lone = np.concatenate([rng.normal(size=(4110, 5)) * 2, rng.uniform(-40, 40, (200, 5))])
    times = np.concatenate([np.full(10, 1000), np.full(300, 20), np.ones(4000, int)])
    X = np.repeat(lone, times, axis=0)
    X = X[rng.permutation(len(X))]
    found = dbscan(X, eps=0.9, min_samples=25)
    assert len(X) == 20_000
    theirs = DBSCAN(eps=0.9, min_samples=25).fit_predict(X)
    assert theirs.max() >= 5
    assert 100 < (theirs < 0).sum() < len(X) / 2
    np.testing.assert_array_equal(found.labels, theirs)


def test_equal_rows_count_as_many():
    X = np.array([[0.0]] * 5 + [[9.0]])
    assert dbscan(X, eps=1.0, min_samples=5).labels.tolist() == [0] * 5 + [-1]
    assert dbscan(X, eps=1.0, min_samples=6).labels.tolist() == [-1] * 6


def test_the_knee_parts_a_cloud_from_lone_rows():
    rng = np.random.default_rng(2)
    X = np.concatenate([rng.normal(size=(2000, 2)), rng.uniform(20, 90, (15, 2))])
    found = dbscan(X, min_samples=20)
    assert (found.labels[2000:] == -1).all()
    assert (found.labels[:2000] >= 0).mean() > 0.95
    assert found.reach.min() < found.eps < found.reach.max()


def test_memory_is_that_of_the_neighbours_asked_for():
    # 30,000 equal rows have 900 million pairs.
    X = np.concatenate([np.zeros((30_000, 2)), np.random.default_rng(1).normal(size=(300, 2))])
    rows = distinct_rows(X)
    near = nearest(rows, 10)
    assert near.squared.shape == (301, 10)
    assert dbscan(X, eps=0.3, min_samples=10).labels[0] == 0


@pytest.mark.parametrize("seed", range(10))
def test_groups_do_not_depend_on_the_pairs_that_are_known(seed):
    rng = np.random.default_rng(seed)
    points = np.unique(rng.normal(size=(300, 2)).round(2), axis=0)
    near = ((points[:, None] - points) ** 2).sum(axis=2) <= 0.2**2
    known = np.argwhere(near)
    none = np.empty((0, 2), dtype=int)
    every = linked(points, 0.2, none)
    np.testing.assert_array_equal(every, linked(points, 0.2, known))
    some = known[rng.random(len(known)) < 0.3]
    np.testing.assert_array_equal(every, linked(points, 0.2, some))
    # Within a group steps lead from one to another, between groups none does.
    same = every[:, None] == every
    assert not (near & ~same).any()


def test_the_compiled_round_is_the_plain_one():
    from sklearn.neighbors import KDTree

    points = np.random.default_rng(3).normal(size=(60, 2))
    _, order, nodes, bounds = (np.asarray(a) for a in KDTree(points, leaf_size=4).get_arrays())
    parents = []
    for function in (join_round, join_round.py_func):
        parent = np.arange(len(points))
        function(
            parent,
            points[order],
            order.astype(np.int64),
            nodes["idx_start"].astype(np.int64),
            nodes["idx_end"].astype(np.int64),
            nodes["is_leaf"].astype(bool),
            bounds,
            0.04,
        )
        parents.append(parent)
    np.testing.assert_array_equal(*parents)


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        (np.empty((0, 2)), {}, "at least one row"),
        (np.zeros(3), {}, "expected a table"),
        (np.zeros((3, 1)), {"eps": 0.0}, "eps should be"),
        (np.zeros((3, 1)), {"eps": np.nan}, "eps should be"),
        (np.zeros((3, 1)), {"eps": "wide"}, "eps should be"),
        (np.zeros((3, 1)), {"min_samples": 0}, "min_samples should be"),
        (np.zeros((3, 1)), {"min_samples": 2.5}, "min_samples should be"),
    ],
)
def test_what_cannot_be_clustered_is_named(X, options, message):
    with pytest.raises(ValueError, match=message):
        dbscan(X, **options)


def test_one_row_is_noise_unless_one_is_enough():
    assert dbscan(np.zeros((1, 2)), min_samples=2).labels.tolist() == [-1]
    assert dbscan(np.zeros((1, 2)), min_samples=1).labels.tolist() == [0]
