import numpy as np
import pytest
from sklearn.cluster import KMeans

from cohortlab.palette import kmeans, lloyd, weighted_kmeans


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


def in_cells(points, weights, width):
    """Points of any number of columns in cells of a width."""
    low, sides = lloyd.box_of(points)
    shape = (sides / width).astype(int) + 1
    return lloyd.Cells(*lloyd.sort_into_cells(points, weights, low, width, shape))


def as_four(points):
    return np.pad(points, ((0, 0), (0, lloyd.N_COLUMNS - points.shape[1])))


def test_cells_hold_every_point_once_within_their_cubes():
    points, weights = make_points(1, n_dimensions=4)
    cells = in_cells(points, weights, 25.0)
    cell_of = np.repeat(np.arange(len(cells.mass)), np.diff(cells.begins))
    assert (np.abs(cells.points - cells.middles[cell_of]) <= 12.5 + 1e-9).all()
    assert len(np.unique(cells.middles.round(6), axis=0)) == len(cells.mass) > 20
    order, place = np.lexsort(points.T), np.lexsort(cells.points.T)
    assert (points[order] == cells.points[place]).all()
    assert (weights[order] == cells.weights[place]).all()
    np.testing.assert_allclose(cells.mass, np.bincount(cell_of, cells.weights))
    for d in range(4):
        sums = np.bincount(cell_of, cells.weights * cells.points[:, d])
        np.testing.assert_allclose(cells.means[d], sums / cells.mass)
    away = ((cells.points - cells.means.T[cell_of]) ** 2).sum(axis=1)
    np.testing.assert_allclose(cells.scatter, np.bincount(cell_of, cells.weights * away))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_clusters", [1, 2, 7, 40])
@pytest.mark.parametrize("width", [1.0, 10.0, 40.0, 500.0])
def test_passes_over_cells_are_those_that_look_at_everything(seed, n_clusters, width):
    points, weights = make_points(seed)
    start = points[np.random.default_rng(seed).choice(len(points), n_clusters, replace=False)]
    cells = in_cells(points, weights, width)
    centres, error, n_iter = lloyd.lloyd(cells, as_four(start), 0.0, 500)
    expected, labels = plain_lloyd(points, weights, start.copy(), n_iter + 5)
    assert n_iter < 500
    np.testing.assert_allclose(centres, as_four(expected), atol=1e-9)
    assert error == pytest.approx(weights @ ((points - expected[labels]) ** 2).sum(axis=1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("step", [1.0, 0.1, 1 / 3, 0.7])
def test_points_on_a_grid_have_no_nearest_centre_left_out(step, seed):
    # Many points here are equally far from two centres, and on the sides of cells; where the step
    # is no binary fraction, rounding would leave out the first of the two.
    grid = step * np.arange(12)
    points = np.stack(np.meshgrid(grid, grid, grid), axis=-1).reshape(-1, 3)
    start = np.unique(grid[np.random.default_rng(seed).integers(0, 6, (9, 3)) * 2], axis=0)
    cells = in_cells(points, np.ones(len(points)), 2 * step)
    mass = lloyd._sums_of_nearest(cells, as_four(start))[1]
    assert (mass == np.bincount(kmeans.nearest_of(points, start), minlength=len(start))).all()


def test_passes_over_means_are_those_over_cells_of_one_point():
    points, weights = make_points(7)
    start, columns = as_four(points[:9]), np.ascontiguousarray(as_four(points).T)
    one = lloyd.lloyd_of_means(columns, weights, start, 0.0, 500)
    other = lloyd.lloyd(in_cells(points, weights, 3.0), start, 0.0, 500)
    for told, expected in zip(one, other, strict=True):
        np.testing.assert_allclose(told, expected)


def test_a_centre_without_points_stays_where_it_is():
    points, weights = make_points(8)
    start = as_four(np.vstack([points[:3], [[1e4, 1e4, 1e4]]]))
    centres, *_ = lloyd.lloyd(in_cells(points, weights, 20.0), start, 0.0, 500)
    assert (centres[3] == start[3]).all()
    assert (centres[:3] != start[:3]).any()


def test_a_pass_never_raises_the_error():
    points, weights = make_points(9)
    cells, start = in_cells(points, weights, 20.0), as_four(points[:12])
    errors = [lloyd.lloyd(cells, start, 0.0, n)[1] for n in range(1, 30)]
    assert (np.diff(errors) <= 1e-6).all()
    assert errors[-1] < errors[0]


def test_the_compiled_kernels_are_their_plain_twins():
    points, weights = make_points(3, n_points=80)
    columns = np.ascontiguousarray(as_four(points).T)
    draws = np.random.default_rng(0).random((5, 3))
    start, plain = (f(columns, weights, draws) for f in (lloyd.plus_plus, lloyd.plus_plus.py_func))
    np.testing.assert_allclose(start, plain)
    assert (start[:, None] == as_four(points)[None]).all(axis=2).any(axis=1).all()
    cells = in_cells(points, weights, 30.0)
    for loop, arguments in ((lloyd.lloyd, (cells,)), (lloyd.lloyd_of_means, (columns, weights))):
        for one, other in zip(
            *(f(*arguments, start, 0.0, 50) for f in (loop, loop.py_func)), strict=True
        ):
            np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("n_clusters", [1, 2, 9])
def test_the_two_nearest_are_those_that_sorting_finds(n_clusters):
    points = make_points(4, n_points=700)[0]
    centres = make_points(5, n_points=n_clusters)[0]
    columns = np.ascontiguousarray(as_four(points).T)
    nearest, first, second = lloyd.two_nearest(columns, as_four(centres))
    away = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    assert (nearest == away.argmin(axis=1)).all()
    assert (nearest == kmeans.nearest_of(points, centres)).all()
    two = np.sort(np.pad(away, ((0, 0), (0, 1)), constant_values=np.inf), axis=1)
    np.testing.assert_allclose(np.column_stack([first, second]), two[:, :2])


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_repeated_points(seed):
    points, weights = make_points(seed, n_points=200)
    start = as_four(points[:6])
    centres, *_ = lloyd.lloyd(in_cells(points, weights, 20.0), start, 0.0, 500)
    repeated = np.repeat(points, weights.astype(int), axis=0)
    again, *_ = lloyd.lloyd(in_cells(repeated, np.ones(len(repeated)), 20.0), start, 0.0, 500)
    np.testing.assert_allclose(centres, again, atol=1e-9)


# Exact in binary, as are the points: those far away are the same points, as far as doubles go.
@pytest.mark.parametrize("offset", [2.0**20, -(2.0**30), 2.0**36])
def test_points_far_from_the_origin_have_the_error_of_those_at_it(offset):
    rng = np.random.default_rng(3)
    points = np.unique(rng.integers(0, 256, (5000, 3)), axis=0).astype(float)
    weights = rng.integers(1, 30, len(points)).astype(float)
    near, far = (
        weighted_kmeans(points + by, weights, 16, rng=np.random.default_rng(1))
        for by in (0.0, offset)
    )
    assert far.n_iter == near.n_iter
    # A mean there is rounded to 2^-16, of distances near 40.
    np.testing.assert_allclose(far.points - offset, near.points, atol=1e-4)
    assert far.error == pytest.approx(near.error, rel=1e-6)


@pytest.mark.parametrize("apart", [1e3, 1e6, 1e9])
def test_groups_far_from_each_other_have_the_error_within_them(apart):
    points = np.random.default_rng(3).normal(size=(3000, 3))
    points += apart * np.eye(3)[np.arange(3000) % 3]
    found = weighted_kmeans(points, np.ones(3000), 3, rng=np.random.default_rng(1))
    within = sum(3000 / 3 * points[k::3].var(axis=0).sum() for k in range(3))
    assert found.error == pytest.approx(within, rel=1e-6)


@pytest.mark.parametrize("n_clusters", [2, 10, 60])
@pytest.mark.parametrize("n_dimensions", [1, 2, 3, 4])
def test_centres_are_the_means_of_the_points_that_they_are_nearest_to(n_dimensions, n_clusters):
    points, weights = make_points(11, n_points=900, n_dimensions=n_dimensions)
    rng = np.random.default_rng(1)
    found = weighted_kmeans(points, weights, n_clusters, rng=rng, tolerance=0.0)
    labels = kmeans.nearest_of(points, found.points)
    mass = np.bincount(labels, weights, minlength=n_clusters)
    for d in range(n_dimensions):
        sums = np.bincount(labels, weights * points[:, d], minlength=n_clusters)
        np.testing.assert_allclose(found.points[:, d], sums / mass)
    expected = weights @ ((points - found.points[labels]) ** 2).sum(axis=1)
    assert found.error == pytest.approx(expected)


def test_more_starts_lower_the_error():
    points, weights = make_points(12, n_points=2000)
    mean_error = {
        n_starts: np.mean(
            [
                weighted_kmeans(
                    points, weights, 20, rng=np.random.default_rng(seed), n_starts=n_starts
                ).error
                for seed in range(6)
            ]
        )
        for n_starts in (1, 4, 16)
    }
    assert mean_error[16] < mean_error[4] < mean_error[1]


def test_few_points_are_their_own_summary():
    # 256 levels of grey lie along a line, on which cells are few; each of 64 centres has four.
    levels, best = np.repeat(np.arange(256.0)[:, None], 3, axis=1), 64 * 3 * 2 * (0.5**2 + 1.5**2)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        found = weighted_kmeans(levels, np.ones(256), 64, rng=rng, tolerance=0.0)
        # Centres of three and of five levels are no fault that a single pass can mend.
        assert best <= found.error <= 1.08 * best


def test_an_outlier_far_away_leaves_the_rest_enough_cells():
    rng = np.random.default_rng(2)
    planted = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [4, 4, 0.0]])
    points = np.vstack([planted[rng.integers(0, 4, 2000)] + rng.normal(0, 0.3, (2000, 3))])
    points = np.vstack([points, [[4000.0, 4000.0, 4000.0]]])
    found = weighted_kmeans(points, np.ones(2001), 5, rng=rng, tolerance=0.0)
    away = np.linalg.norm(planted[:, None] - found.points[None], axis=2)
    assert (away.min(axis=1) < 0.1).all()


@pytest.mark.parametrize("n_clusters", [4, 16])
def test_the_error_is_that_of_the_best_of_many_starts_of_scikit_learn(n_clusters):
    points, weights = make_points(5, n_points=2000)
    theirs = KMeans(n_clusters, n_init=10, random_state=0).fit(points, sample_weight=weights)
    ours = weighted_kmeans(points, weights, n_clusters, rng=np.random.default_rng(0), tolerance=0.0)
    # Both are local optima of the same sum; ten starts against eight and a search on a summary.
    assert ours.error <= theirs.inertia_ * 1.01


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


@pytest.mark.parametrize("spread", [0.0, 1e-310])
def test_points_that_no_cells_can_tell_apart_come_to_an_end(spread, monkeypatch):
    sort, widths = lloyd.sort_into_cells, []

    def counted(*arguments):
        widths.append(arguments[3])
        assert len(widths) < 40
        return sort(*arguments)

    monkeypatch.setattr(lloyd, "sort_into_cells", counted)
    points = (spread or 7.0) * np.ones((50, 3))
    points[:25] -= spread / 2
    found = weighted_kmeans(points, np.ones(50), 4, rng=np.random.default_rng(0))
    np.testing.assert_allclose(found.points, np.broadcast_to(points[0], (4, 3)), atol=1e-309)
    assert found.error == 0


def test_many_centres_in_four_columns_ask_for_no_more_places_than_there_is_room(monkeypatch):
    sort, places = lloyd.sort_into_cells, []

    def counted(*arguments):
        places.append(np.prod(arguments[4]))
        assert places[-1] < 2**26  # four bytes each
        return sort(*arguments)

    monkeypatch.setattr(lloyd, "sort_into_cells", counted)
    points = np.random.default_rng(0).random((3000, 4))
    weighted_kmeans(points, np.ones(3000), 2000, rng=np.random.default_rng(0), n_starts=1)
    assert places


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": np.zeros((9, 5))}, r"of shape \(9, 5\): expected \(n_points, 1 to 4\)"),
        ({"points": np.zeros(9)}, r"of shape \(9,\): expected"),
        ({"points": np.full((9, 3), np.nan)}, "expected numbers up to 1e"),
        ({"points": np.full((9, 3), -np.inf)}, "expected numbers up to 1e"),
        ({"points": np.full((9, 3), 1e200)}, "expected numbers up to 1e"),
        ({"weights": np.ones(8)}, r"weights are of shape \(8,\): expected \(9,\)"),
        ({"weights": np.arange(9.0)}, "weights above 0"),
        ({"weights": np.full(9, np.nan)}, "weights above 0"),
        ({"n_clusters": 0}, "n_clusters: expected a whole number from 1"),
        ({"n_starts": 0}, "n_starts: expected a whole number from 1"),
    ],
)
def test_what_is_no_point_weight_or_number_of_centres_is_refused(changes, message):
    given = {"points": np.zeros((9, 3)), "weights": np.ones(9), "n_clusters": 2} | changes
    with pytest.raises(ValueError, match=message):
        weighted_kmeans(**given, rng=np.random.default_rng(0))


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
