from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from cohortlab.bipartite import matched_modularity, modularity


def southern_women():
    graph = nx.davis_southern_women_graph()
    women, events = graph.graph["top"], graph.graph["bottom"]
    return sparse.csr_array(nx.bipartite.biadjacency_matrix(graph, women, events).astype(float))


def climb(matrix, n_modules, rng):
    """Barber's BRIM: give each side in turn the best module, from a random start."""
    dense = matrix.toarray()
    B = dense - np.outer(dense.sum(axis=1), dense.sum(axis=0)) / dense.sum()
    items = rng.integers(n_modules, size=dense.shape[1])
    for _ in range(60):
        people = (B @ np.eye(n_modules)[items]).argmax(axis=1)
        items = (B.T @ np.eye(n_modules)[people]).argmax(axis=1)
    return people, items


def test_two_disjoint_edges_have_one_half():
    assert modularity(sparse.eye_array(2), ["a", "b"], ["a", "b"]) == 0.5


def test_southern_women_reach_the_best_known_value_and_none_is_above_it():
    matrix, rng = southern_women(), np.random.default_rng(0)
    assert matrix.shape == (18, 14)
    found = [climb(matrix, 4, rng) for _ in range(400)]
    values = [modularity(matrix, *labels) for labels in found]
    assert max(values) == pytest.approx(0.3455, abs=5e-5)
    people, items = found[int(np.argmax(values))]
    assert len(np.unique(np.concatenate([people, items]))) == 4


def test_weights_count_as_edges_and_equal_the_sum_over_pairs():
    rng = np.random.default_rng(1)
    dense = rng.poisson(0.7, (9, 6)).astype(float)
    people, items = rng.integers(3, size=9), rng.integers(3, size=6)
    total = dense.sum()
    expected = sum(
        dense[i, j] / total - dense[i].sum() * dense[:, j].sum() / total**2
        for i in range(9)
        for j in range(6)
        if people[i] == items[j]
    )
    assert modularity(sparse.csr_array(dense), people, items) == pytest.approx(expected)


def test_one_module_and_no_common_module_have_none():
    matrix = southern_women()
    assert modularity(matrix, np.zeros(18), np.zeros(14)) == pytest.approx(0.0)
    assert modularity(matrix, np.arange(18), np.arange(14) + 100) == 0.0


def test_names_of_modules_do_not_matter_and_no_edge_has_no_modularity():
    rng = np.random.default_rng(2)
    people, items = rng.integers(4, size=18), rng.integers(4, size=14)
    names = np.array(["d", "b", "a", "c"])
    matrix = southern_women()
    assert modularity(matrix, people, items) == pytest.approx(
        modularity(matrix, names[people], names[items])
    )
    assert np.isnan(modularity(sparse.csr_array((2, 2)), [0, 1], [0, 1]))
    with pytest.raises(ValueError, match="18 people x 14 items"):
        modularity(matrix, people, items[1:])


@pytest.mark.parametrize(("n_people", "n_items"), [(3, 3), (4, 2), (2, 4)])
def test_matched_clusters_have_the_largest_modularity_of_all_matchings(n_people, n_items):
    rng = np.random.default_rng(n_people)
    matrix = sparse.csr_array(rng.poisson(1.0, (40, 15)).astype(float))
    people, items = rng.integers(n_people, size=40), rng.integers(n_items, size=15)
    observed = np.zeros((n_people, n_items))
    np.add.at(observed, (people[:, None], items[None, :]), matrix.toarray())
    # Every cluster of items joins a cluster of people or, from n_people on, none.
    names = permutations(range(n_people + n_items), n_items)
    best = max(modularity(matrix, people, np.array(own)[items]) for own in names)
    assert matched_modularity(observed) == pytest.approx(best)


def test_clusters_without_a_relation_have_no_matched_modularity():
    assert matched_modularity(np.outer([1, 2, 3], [4, 5])) == pytest.approx(0.0)
    assert np.isnan(matched_modularity(np.zeros((2, 2))))
