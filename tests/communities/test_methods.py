import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from cohortlab.communities import (
    CO_METHODS,
    FIND_THEIR_NUMBER,
    choose_block_model,
    co_cluster,
    fit_block_model,
    integrated_likelihood,
)


def planted(seed, strength=0.8, n_people=240, n_items=60, degree=12, n_clusters=3):
    """Unequal degrees on both sides; clusters of people prefer clusters of items."""
    rng = np.random.default_rng(seed)
    people, items = rng.integers(n_clusters, size=n_people), rng.integers(n_clusters, size=n_items)
    share = (1 - strength) / n_clusters + strength * (people[:, None] == items)
    rates = share * rng.gamma(5.0, 0.2, n_people)[:, None] * rng.gamma(3.0, 1 / 3, n_items)
    rates *= degree * n_people / rates.sum()
    return sparse.csr_array(rng.poisson(rates)), people, items


def run(method, matrix, **more):
    n_clusters = None if method in FIND_THEIR_NUMBER else (3, 3)
    return co_cluster(matrix, method=method, n_clusters=n_clusters, **more)


@pytest.mark.parametrize("method", CO_METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_planted_clusters_of_both_sides_are_recovered(method, seed):
    matrix, people, items = planted(seed)
    found = run(method, matrix, random_state=seed)
    assert adjusted_rand_score(people, found.person_labels) > 0.85
    assert adjusted_rand_score(items, found.item_labels) > 0.85


@pytest.mark.parametrize("method", CO_METHODS)
def test_the_seed_decides_the_labels_and_the_incidence_stays(method):
    matrix, _, _ = planted(0, strength=0.4)
    before = matrix.copy()
    first, again = run(method, matrix, random_state=1), run(method, matrix, random_state=1)
    np.testing.assert_array_equal(first.person_labels, again.person_labels)
    np.testing.assert_array_equal(first.item_labels, again.item_labels)
    assert (matrix != before).nnz == 0


@pytest.mark.parametrize("method", CO_METHODS)
def test_people_and_items_without_edges_join_the_largest_cluster(method):
    matrix, people, _ = planted(1)
    padded = sparse.block_diag([matrix, sparse.csr_array((2, 3))], format="csr")
    found = run(method, padded)
    assert found.person_labels.shape == (242,)
    assert found.item_labels.shape == (63,)
    sizes = np.bincount(found.person_labels[:240])
    assert (found.person_labels[240:] == sizes.argmax()).all()
    assert found.details["n_people_without_edge"] == 2
    assert found.details["n_items_without_edge"] == 3
    assert adjusted_rand_score(people, found.person_labels[:240]) > 0.85


@pytest.mark.parametrize("method", CO_METHODS)
def test_one_person_and_one_item_are_a_cluster(method):
    n_clusters = None if method in FIND_THEIR_NUMBER else 1
    found = co_cluster(sparse.csr_array([[3]]), method=method, n_clusters=n_clusters)
    assert found.sizes == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "magic"}, "unknown method 'magic'"),
        ({"method": "spectral"}, "needs n_clusters"),
        ({"method": "louvain", "n_clusters": 3}, "finds its number"),
        ({"n_clusters": (3, 99)}, "99 clusters of items asked for: give 1 to the 60"),
        ({"options": {"resolution": 2}}, r"has no option \['resolution'\]"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        co_cluster(planted(0)[0], **arguments)


def test_bad_incidences_are_named():
    with pytest.raises(ValueError, match="no edge"):
        co_cluster(sparse.csr_array((3, 3)))
    with pytest.raises(ValueError, match="cannot be negative"):
        co_cluster(sparse.csr_array([[1, -1]]))


@pytest.mark.parametrize("seed", range(3))
def test_icl_chooses_the_planted_sizes(seed):
    matrix, people, items = planted(seed, n_clusters=4)
    found = co_cluster(matrix, random_state=seed)
    assert found.sizes == (4, 4)
    assert adjusted_rand_score(people, found.person_labels) > 0.8
    assert adjusted_rand_score(items, found.item_labels) > 0.8


def test_icl_finds_other_numbers_on_both_sides():
    rng = np.random.default_rng(0)
    people, items = rng.integers(2, size=300), rng.integers(4, size=60)
    shares = np.array([[4, 1, 2, 1], [1, 4, 2, 3.0]])[people][:, items]
    matrix = sparse.csr_array(rng.poisson(0.25 * shares))
    assert co_cluster(matrix).sizes[0] == 2
    assert 3 <= co_cluster(matrix).sizes[1] <= 4


@pytest.mark.parametrize("degree", [3, 30])
def test_icl_chooses_a_single_block_where_there_is_none(degree):
    for seed in range(3):
        matrix, _, _ = planted(seed, strength=0.0, degree=degree)
        assert co_cluster(matrix, random_state=seed).sizes == (1, 1)


def test_a_single_block_has_icl_zero_and_a_split_without_reason_costs():
    assert integrated_likelihood(np.array([[50]]), np.array([9]), np.array([7])) == 0.0
    even = np.full((2, 2), 25)
    assert integrated_likelihood(even, np.array([5, 4]), np.array([4, 3])) < 0


def test_icl_is_a_probability_of_labels_and_edges():
    # All labellings in up to two blocks of one graph of three edges, by the formula without logs.
    table, sizes = np.array([[2, 0], [0, 1]]), (np.array([2, 1]), np.array([1, 1]))
    edges = 2 * 1 * 6 / (2 * 1 * 2 * 1)
    # Good's approximation of the tables with margins (2, 1) and (2, 1): 3 * 2 * 3 * 2 / C(6, 3).
    tables = 3 * 2 * 3 * 2 / 20
    labels = (2 * 3) * (1 * 2)
    expected = np.log(edges / tables / labels)
    assert integrated_likelihood(table, *sizes) == pytest.approx(expected)


def test_more_blocks_than_the_truth_do_not_raise_icl():
    matrix, _, _ = planted(2)
    chosen = choose_block_model(matrix, max_blocks=5).icl
    assert chosen >= max(fit_block_model(matrix, k, k, n_init=2).icl for k in (3, 6)) - 1e-6


def test_numbers_of_blocks_do_not_depend_on_the_order_of_people():
    matrix, people, _ = planted(3, strength=0.9)
    order = np.random.default_rng(0).permutation(len(people))
    straight, turned = co_cluster(matrix), co_cluster(matrix[order])
    assert adjusted_rand_score(straight.person_labels[order], turned.person_labels) == 1.0
    assert adjusted_rand_score(straight.item_labels, turned.item_labels) == 1.0
