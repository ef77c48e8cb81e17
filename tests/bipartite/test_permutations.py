from collections import Counter

import numpy as np
import pytest
from scipy import sparse, stats

from cohortlab.bipartite import (
    NULLS,
    PERMUTATIONS,
    random_tables,
    relations,
    split_edges,
    swap_edges,
)
from cohortlab.bipartite.incidence import sum_by_group
from cohortlab.bipartite.permutations import _add_rows


def unrelated(seed, n_people=90, n_items=24, binary=False):
    """Unequal degrees on both sides, labels of both sides at random."""
    rng = np.random.default_rng(seed)
    rates = np.outer(rng.gamma(2.0, 2.0, n_people), rng.dirichlet(np.ones(n_items)))
    counts = rng.poisson(rates)
    counts = (counts > 0).astype(int) if binary else counts
    return sparse.csr_array(counts), rng.integers(3, size=n_people), rng.integers(3, size=n_items)


def related(seed, strength=2.5):
    rng = np.random.default_rng(seed)
    people, items = rng.integers(3, size=150), rng.integers(3, size=30)
    rates = 0.25 * np.where(people[:, None] == items, strength, 1.0)
    return sparse.csr_array((rng.random(rates.shape) < rates).astype(int)), people, items


def false_positives(column, corrected, seeds, **options):
    values, any_found = [], 0
    for seed in seeds:
        table = relations(
            *unrelated(seed, binary=seed % 2 == 0), rng=np.random.default_rng(seed), **options
        )
        values.append(table[column].dropna().to_numpy())
        any_found += bool((table[corrected] <= 0.05).any())
    return np.concatenate(values), any_found


@pytest.mark.parametrize("null", NULLS)
def test_false_positives_of_the_analytic_test_stay_at_the_level_over_200_seeds(null):
    # The edges null asks that edges are independent, which the counts of `unrelated` are.
    p, any_found = false_positives("p", "q", range(200), null=null)
    assert len(p) > 1000
    # Nine cells of a table have four degrees of freedom: the deviation of the share is about 0.008.
    assert 0.02 < (p < 0.05).mean() < 0.075
    # Binomial with n = 200 and p = .05: more than 20 has probability .001.
    assert any_found <= 20


@pytest.mark.parametrize("permutation", PERMUTATIONS)
def test_false_positives_of_the_shuffles_stay_at_the_level_over_200_seeds(permutation):
    p, any_found = false_positives(
        "p_permutation",
        "q_permutation",
        range(200),
        permutation=permutation,
        n_permutations=19,
    )
    assert len(p) == 1800
    assert 0.025 < (p <= 0.05).mean() < 0.075
    assert any_found <= 20


@pytest.mark.parametrize("permutation", PERMUTATIONS)
@pytest.mark.parametrize("null", NULLS)
def test_a_planted_relation_is_found_by_every_test(null, permutation):
    table = relations(
        *related(1),
        null=null,
        permutation=permutation,
        n_permutations=99,
        rng=np.random.default_rng(0),
    )
    planted = table["person_cluster"] == table["item_cluster"]
    for p in ("q", "q_permutation"):
        assert (table.loc[planted, p] < 0.04).all()
    for z in ("z", "z_permutation"):
        assert (table.loc[planted, z] > 3).all()


def test_analytic_and_shuffled_edges_agree():
    matrix, people, items = unrelated(3, n_people=400)
    table = relations(
        matrix, people, items, null="edges", permutation="edges", n_permutations=4000,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    # A deviation from 4000 shuffles has a relative error near 0.011.
    np.testing.assert_allclose(table["z"], table["z_permutation"], atol=0.15)
    np.testing.assert_allclose(table["p"], table["p_permutation"], atol=0.06)


def test_the_edges_null_is_fishers_test_in_a_table_of_two_by_two():
    counts = np.array([[8, 3], [2, 9]])
    table = relations(sparse.csr_array(counts), [0, 1], [0, 1], null="edges")
    tails = [stats.fisher_exact(counts, alternative=side).pvalue for side in ("less", "greater")]
    np.testing.assert_allclose(table["p"], 2 * min(tails))


def test_many_edges_fall_back_on_the_normal_law():
    counts = np.array([[60_000, 50_000], [50_300, 49_000]])
    table = relations(sparse.csr_array(counts), [0, 1], [0, 1], null="edges")
    np.testing.assert_allclose(table["p"], 2 * stats.norm.sf(table["z"].abs()))


def test_swaps_keep_all_degrees_and_join_no_pair_twice():
    matrix, _, _ = unrelated(0, binary=True)
    swapped = swap_edges(matrix, rng=np.random.default_rng(0))
    for axis in (0, 1):
        np.testing.assert_array_equal(swapped.sum(axis=axis), matrix.sum(axis=axis))
    assert (swapped.data == 1).all()
    assert (swapped != matrix).nnz > 0.5 * matrix.nnz


def test_swaps_reach_every_graph_equally_often():
    start = sparse.csr_array([[1, 1, 0], [1, 0, 0], [0, 1, 1]])
    rng, seen = np.random.default_rng(0), Counter()
    for _ in range(800):
        seen[swap_edges(start, n_rounds=30, rng=rng).toarray().tobytes()] += 1
    # By hand: degrees (2, 1, 2) of rows and (2, 2, 1) of columns allow five graphs.
    assert len(seen) == 5
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3


def test_random_tables_keep_the_margins_and_have_the_hypergeometric_mean():
    observed = np.array([[5, 0, 7], [1, 9, 2]])
    tables = random_tables(observed, 3000, rng=np.random.default_rng(0))
    assert (tables.sum(axis=1) == observed.sum(axis=0)).all()
    assert (tables.sum(axis=2) == observed.sum(axis=1)).all()
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / observed.sum()
    np.testing.assert_allclose(tables.mean(axis=0), expected, atol=0.12)


@pytest.mark.parametrize("permutation", PERMUTATIONS)
@pytest.mark.parametrize(
    ("matrix", "people", "items"),
    [
        (np.zeros((3, 2)), [0, 0, 1], [0, 1]),
        (np.ones((3, 2)), [0, 0, 0], [0, 1]),
        (np.zeros((0, 0)), [], []),
        (np.ones((1, 1)), [0], [0]),
    ],
)
def test_where_shuffles_change_nothing_there_is_no_p(matrix, people, items, permutation):
    table = relations(
        sparse.csr_array(matrix), people, items, permutation=permutation, n_permutations=5,
        null="edges", rng=np.random.default_rng(0),
    )  # fmt: skip
    assert table[["p", "p_permutation", "q_permutation"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null": "magic"}, r"null is 'magic': choose one of \['people', 'edges'\]"),
        ({"permutation": "magic"}, "permutation is 'magic'"),
        ({"permutation": "labels"}, "needs rng"),
    ],
)
def test_bad_requests_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        relations(*unrelated(0), **options)


def test_parts_of_edges_cannot_be_shuffled():
    matrix, people, items = unrelated(0)
    with pytest.raises(ValueError, match="whole numbers"):
        relations(matrix * 0.5, people, items, permutation="edges", rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="one or none"):
        swap_edges(matrix * 2, rng=np.random.default_rng(0))


def test_split_edges_add_up_and_are_independent():
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array(rng.poisson(1.5, (60, 50)))
    first, second = split_edges(matrix, share=0.4, rng=rng)
    assert (first + second != matrix).nnz == 0
    assert first.sum() / matrix.sum() == pytest.approx(0.4, abs=0.03)
    found = np.corrcoef(first.toarray().ravel(), second.toarray().ravel())[0, 1]
    # Of 3000 pairs the deviation of a correlation is 0.018.
    assert abs(found) < 0.06
    with pytest.raises(ValueError, match="whole numbers"):
        split_edges(matrix * 0.5, rng=rng)
    with pytest.raises(ValueError, match="share is 1"):
        split_edges(matrix, share=1, rng=rng)


def test_the_compiled_sums_are_those_of_a_table():
    rng = np.random.default_rng(5)
    columns, codes = rng.normal(size=(500, 7)), rng.integers(0, 4, 500)
    sums = np.zeros((4, 7))
    _add_rows(columns, codes, sums)
    np.testing.assert_array_equal(sums, sum_by_group(columns, codes, 4))
