import numpy as np
import pytest
from sklearn.cluster import KMeans

from cohortlab.palette import lloyd, weighted_kmeans


def make_points(seed, n_points=600, n_dimensions=3):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n_points, n_dimensions)) * 20 + rng.integers(0, 4, (n_points, 1)) * 50
    return points, rng.integers(1, 30, n_points).astype(float)


def plain_lloyd(points, weights, centres, n_iter):
    """Lloyd's algorithm by looking at every centre for every point."""
    for _ in range(n_iter):
        away = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
        labels = away.argmin(axis=1)
        for j in np.unique(labels):
            own = labels == j
            centres[j] = np.average(points[own], axis=0, weights=weights[own])
    return centres, labels


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_clusters", [1, 2, 7, 40])
def test_passes_with_bounds_are_those_that_look_at_everything(seed, n_clusters):
    points, weights = make_points(seed)
    start = points[np.random.default_rng(seed).choice(len(points), n_clusters, replace=False)]
    wrong = np.zeros(len(points), dtype=np.int32)
    centres, labels, error, n_iter = lloyd.lloyd(points, weights, start, wrong, 0.0, 500)
    expected, expected_labels = plain_lloyd(points, weights, start.copy(), n_iter + 5)
    assert n_iter < 500
    assert (labels == expected_labels).all()
    np.testing.assert_allclose(centres, expected, atol=1e-9)
    assert error == pytest.approx(weights @ ((points - expected[labels]) ** 2).sum(axis=1))


def test_a_pass_never_raises_the_error():
    points, weights = make_points(9)
    start, labels = points[:12], np.zeros(len(points), dtype=np.int32)
    errors = [lloyd.lloyd(points, weights, start, labels, 0.0, n)[2] for n in range(1, 30)]
    assert (np.diff(errors) <= 1e-6).all()
    assert errors[-1] < errors[0]


def test_the_compiled_kernels_are_their_plain_twins():
    points, weights = make_points(3, n_points=80)
    draws = np.random.default_rng(0).random((5, 3))
    compiled, plain = (
        f(points, weights, draws) for f in (lloyd.plus_plus, lloyd.plus_plus.py_func)
    )
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(one, other)
    compiled, plain = (
        f(points, weights, *compiled, 0.0, 50) for f in (lloyd.lloyd, lloyd.lloyd.py_func)
    )
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(one, other)
    nearest = ((points[:, None] - compiled[0][None]) ** 2).sum(axis=2)
    assert (lloyd.nearest_of(points, compiled[0]) == nearest.argmin(axis=1)).all()
    second = np.sort(nearest, axis=1)
    gain = np.bincount(nearest.argmin(axis=1), weights * (second[:, 1] - second[:, 0]), minlength=5)
    np.testing.assert_allclose(lloyd.usefulness(points, weights, compiled[0]), gain)


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_repeated_points(seed):
    points, weights = make_points(seed, n_points=200)
    start, labels = points[:6], np.zeros(len(points), dtype=np.int32)
    centres, *_ = lloyd.lloyd(points, weights, start, labels, 0.0, 500)
    repeated = np.repeat(points, weights.astype(int), axis=0)
    ones, zeros = np.ones(len(repeated)), np.zeros(len(repeated), dtype=np.int32)
    again, *_ = lloyd.lloyd(repeated, ones, start, zeros, 0.0, 500)
    np.testing.assert_allclose(centres, again, atol=1e-9)


@pytest.mark.parametrize("n_clusters", [4, 16])
def test_the_error_is_that_of_the_best_of_many_starts_of_scikit_learn(n_clusters):
    points, weights = make_points(5, n_points=2000)
    theirs = KMeans(n_clusters, n_init=10, random_state=0).fit(points, sample_weight=weights)
    ours = weighted_kmeans(points, weights, n_clusters, rng=np.random.default_rng(0), tolerance=0.0)
    # Both are local optima of the same sum; ten starts against four and a search on a summary.
    assert ours.error <= theirs.inertia_ * 1.01
    labels = ((points[:, None] - ours.points[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (labels == ours.labels).all()


def test_planted_centres_are_found():
    rng = np.random.default_rng(6)
    planted = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0], [0, 0, 200], [200, 200, 200.0]])
    points = planted[rng.integers(0, 5, 3000)] + rng.normal(0, 2, (3000, 3))
    found = weighted_kmeans(points, np.ones(3000), 5, rng=rng, tolerance=0.0)
    away = np.linalg.norm(planted[:, None] - found.points[None], axis=2)
    assert (away.min(axis=1) < 0.5).all()  # five standard errors of a mean of 600


@pytest.mark.parametrize("n_points", [1, 2, 8])
def test_no_more_points_than_centres_are_their_own_centres(n_points):
    points = np.random.default_rng(1).normal(size=(n_points, 3))
    found = weighted_kmeans(points, np.ones(n_points), 8, rng=np.random.default_rng(0))
    assert (found.points == points).all()
    assert found.error == 0.0


def test_the_same_seed_gives_the_same_centres():
    points, weights = make_points(2)
    one, other = (
        weighted_kmeans(points, weights, 9, rng=np.random.default_rng(4)) for _ in range(2)
    )
    assert (one.points == other.points).all()


def test_points_in_one_plane_or_one_line_are_no_fault():
    line = np.outer(np.arange(300.0), [1, 1, 1])
    found = weighted_kmeans(line, np.ones(300), 3, rng=np.random.default_rng(0), tolerance=0.0)
    # Thirds of a line are the best of three: 100 points each, of variance (100^2 - 1) / 12.
    assert found.error == pytest.approx(3 * 300 * (100**2 - 1) / 12, rel=1e-3)
