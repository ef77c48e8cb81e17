import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats
from sklearn.metrics import adjusted_rand_score, mutual_info_score

from cohortlab.bipartite import (
    RELATION_COLUMNS,
    cluster_items,
    cramers_v,
    incidence_matrix,
    mutual_information,
    relations,
    summarise,
)

SHARES = np.array([0.4, 0.25, 0.2, 0.1, 0.05])


def returning_people(seed, n=1500, relation=None):
    """People of heavy-tailed degree, each with an own taste that varies about the overall one."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[0.6, 0.3, 0.1])
    degree = np.minimum(np.ceil(2 * rng.pareto(1.5, n) + 1), 60).astype(int)
    tastes = rng.dirichlet(SHARES, n)
    if relation is not None:
        tastes = tastes * relation[labels]
        tastes /= tastes.sum(axis=1, keepdims=True)
    return sparse.csr_array(rng.multinomial(degree, tastes)), labels


def edge_level_p(table):
    """The test that takes all edges for independent."""
    total = table["observed"].sum()
    rows, columns = (
        table.groupby(name)["observed"].transform("sum") / total
        for name in ("person_cluster", "item_cluster")
    )
    variance = table["expected"] * (1 - rows) * (1 - columns)
    return 2 * stats.norm.sf(abs(table["observed"] - table["expected"]) / np.sqrt(variance))


def test_observed_and_expected_follow_from_the_margins():
    matrix, labels = returning_people(0)
    groups = np.array(["x", "x", "y", "y", "z"])
    table = relations(matrix, labels, groups)
    assert table.columns.tolist() == RELATION_COLUMNS
    assert len(table) == 9
    dense = matrix.toarray()
    cell = table[(table["person_cluster"] == 1) & (table["item_cluster"] == "y")].iloc[0]
    assert cell["observed"] == dense[labels == 1][:, groups == "y"].sum()
    expected = dense[labels == 1].sum() * dense[:, groups == "y"].sum() / dense.sum()
    assert cell["expected"] == pytest.approx(expected)
    assert cell["lift"] == pytest.approx(cell["observed"] / expected)
    sums = table.groupby("item_cluster")[["observed", "expected"]].sum()
    np.testing.assert_allclose(sums["observed"], sums["expected"])


def test_variance_is_that_of_the_docstring():
    matrix, labels = returning_people(1)
    table = relations(matrix, labels, np.arange(5))
    w, inside = matrix.toarray()[:, 2], labels == 1
    degree = matrix.toarray().sum(axis=1)
    residual = w - degree * w.sum() / degree.sum()
    s = degree[inside].sum() / degree.sum()
    variance = sum(
        ((1 - s) if member else s) ** 2 * r**2 for member, r in zip(inside, residual, strict=True)
    )
    assert table.loc[5 + 2, "z"] == pytest.approx(residual[inside].sum() / np.sqrt(variance))


def test_p_is_calibrated_where_the_edge_level_test_is_not():
    tested, ours, naive = 0, 0, 0
    for seed in range(120):
        table = relations(*returning_people(seed), np.arange(5))
        fit = table["p"].notna()
        tested += fit.sum()
        ours += (table["p"] < 0.05).sum()
        naive += (edge_level_p(table)[fit] < 0.05).sum()
    assert tested > 1500
    # Cells of one table depend on each other: about 1500 cells carry some 1000 independent ones,
    # so the error of the share is near 0.007.
    assert 0.03 < ours / tested < 0.07
    assert naive / tested > 0.3


def test_planted_relation_is_found_with_its_direction():
    relation = np.array([[1, 1, 1, 1, 1], [1, 1, 6, 1, 1], [1, 1, 1, 1, 1.0]])
    matrix, labels = returning_people(3, relation=relation)
    table = relations(matrix, labels, np.arange(5)).set_index(["person_cluster", "item_cluster"])
    assert table.loc[(1, 2), "q"] < 1e-4
    assert table.loc[(1, 2), "lift"] > 1.3
    assert table["z"].idxmax() == (1, 2)


def test_q_is_benjamini_hochberg_over_the_tested_cells():
    matrix, labels = returning_people(4)
    table = relations(matrix, labels, np.arange(5))
    p = table["p"].dropna().sort_values()
    steps = p * len(p) / np.arange(1, len(p) + 1)
    expected = np.minimum(1, steps[::-1].cummin()[::-1])
    np.testing.assert_allclose(table["q"].dropna().sort_index(), expected.sort_index())


def test_permuting_people_or_ids_changes_nothing():
    matrix, labels = returning_people(5)
    order = np.random.default_rng(0).permutation(len(labels))
    expected = relations(matrix, labels, np.arange(5))
    shuffled = relations(matrix[order], labels[order], np.arange(5))
    pd.testing.assert_frame_equal(expected, shuffled, rtol=1e-9)
    renamed = relations(matrix, np.array([7, 5, 6])[labels], np.arange(5))
    renamed = renamed.assign(person_cluster=renamed["person_cluster"].map({7: 0, 5: 1, 6: 2}))
    renamed = renamed.sort_values(["person_cluster", "item_cluster"], ignore_index=True)
    pd.testing.assert_frame_equal(expected, renamed, rtol=1e-9)


def test_cells_with_few_people_are_listed_but_not_tested():
    matrix, labels = returning_people(6)
    labels = np.where(np.arange(len(labels)) < 4, 9, labels)
    table = relations(matrix, labels, np.arange(5))
    few = table["person_cluster"] == 9
    assert table.loc[few, ["p", "q"]].isna().all(axis=None)
    assert table.loc[few, "observed"].notna().all()
    assert table.loc[~few, "p"].notna().any()


def test_items_that_few_would_touch_are_not_tested():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [960, 40])
    matrix = sparse.csr_array(rng.multinomial(2, [0.99, 0.01], 1000))
    table = relations(matrix, labels, [0, 1])
    assert table["p"].isna().tolist() == [False, False, True, True]
    assert relations(matrix, labels, [0, 1], min_people=0.1)["p"].notna().all()


def test_one_very_active_person_decides_no_cell():
    matrix, labels = returning_people(7, n=400)
    dense = matrix.toarray()
    dense[0] = [0, 0, 0, 0, 5000]
    table = relations(sparse.csr_array(dense), labels, np.arange(5))
    assert table.loc[table["person_cluster"] == labels[0], "p"].isna().all()


@pytest.mark.parametrize(
    ("matrix", "people", "items"),
    [
        (np.zeros((3, 2)), [0, 0, 1], [0, 1]),
        (np.ones((3, 2)) * 0.1, [0, 0, 0], [0, 1]),
        (np.ones((3, 2)), [0, 0, 1], [0, 0]),
        (np.zeros((0, 0)), [], []),
        (np.ones((1, 1)), [0], [0]),
    ],
)
def test_degenerate_tables_give_no_p_and_no_exception(matrix, people, items):
    table = relations(sparse.csr_array(matrix), people, items, min_people=0)
    assert table["p"].isna().all()
    assert table["q"].isna().all()
    assert len(table) == len(set(people)) * len(set(items))


def test_bad_matrices_are_named():
    with pytest.raises(ValueError, match="2 person labels and 2 item labels"):
        relations(sparse.csr_array((3, 2)), [0, 1], [0, 1])
    with pytest.raises(ValueError, match="counts are finite and not negative"):
        relations(sparse.csr_array([[1, -1]]), [0], [0, 1])


def incidence_table(seed=0, n=500):
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    propensity = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    rows = []
    for person in range(n):
        picks = rng.choice(3, size=8, p=propensity[kind[person]]) * 10 + rng.integers(10, size=8)
        rows += [(f"u{person:04d}", f"item{pick:02d}", 1) for pick in picks]
    table = pd.DataFrame(rows, columns=["person_id", "item", "weight"])
    return table.groupby(["person_id", "item"], as_index=False)["weight"].sum(), kind


def test_matrix_holds_the_long_table_in_the_order_asked_for():
    table, _ = incidence_table(n=20)
    people = [*sorted(table["person_id"].unique(), reverse=True), "nobody"]
    found = incidence_matrix(table.sample(frac=1, random_state=0), people)
    frame = pd.DataFrame(found.matrix.toarray(), index=found.people, columns=found.items)
    assert frame.index.tolist() == people
    assert frame.loc["nobody"].sum() == 0
    for person, item, weight in table.itertuples(index=False):
        assert frame.loc[person, item] == weight
    assert (found.matrix.nnz, found.matrix.sum()) == (len(table), table["weight"].sum())


@pytest.mark.parametrize(
    ("change", "people", "message"),
    [
        (lambda t: t.drop(columns="item"), None, r"lacks \['item'\]"),
        (lambda t: t.assign(weight=0), None, "row 0 of the incidence has weight 0"),
        (lambda t: t.assign(item=None), None, "rows of the incidence are incomplete"),
        (lambda t: t, ["u0000"], r"19 people of the incidence are not listed \(first"),
        (lambda t: t, ["u0000", "u0000"], "'u0000' is listed twice"),
    ],
)
def test_bad_incidence_is_named(change, people, message):
    with pytest.raises(ValueError, match=message):
        incidence_matrix(change(incidence_table(n=20)[0]), people)


def test_items_are_clustered_by_who_uses_them():
    incidence = incidence_matrix(incidence_table()[0])
    found = cluster_items(incidence, n_clusters=3)
    truth = [item[4] for item in incidence.items]
    assert adjusted_rand_score(truth, found.labels) == 1.0
    assert found.table["weight"].is_monotonic_decreasing
    assert found.table["weight"].sum() == incidence.matrix.sum()
    assert found.names[0].endswith("and 8 more")


def test_more_item_clusters_than_kinds_of_people_are_told_apart():
    rng = np.random.default_rng(0)
    kind, groups = rng.integers(3, size=3000), np.repeat(np.arange(5), 8)
    propensity = np.array([[5, 1, 1, 3, 1], [1, 5, 1, 3, 3], [1, 1, 5, 1, 3]]) / 11.0
    rates = propensity[kind][:, groups]
    matrix = sparse.csr_array(rng.poisson(2 * rates))
    table = pd.DataFrame(
        {"person_id": matrix.tocoo().row, "item": matrix.tocoo().col, "weight": matrix.data}
    )
    incidence = incidence_matrix(table)
    found = cluster_items(incidence, n_clusters=5)
    assert found.details["n_vectors"] == 3
    assert adjusted_rand_score(groups[incidence.items.astype(int)], found.labels) > 0.95


def test_item_clusters_do_not_depend_on_the_order_of_people():
    table, _ = incidence_table()
    people = table["person_id"].drop_duplicates().sample(frac=1, random_state=3)
    straight, turned = incidence_matrix(table), incidence_matrix(table, people)
    np.testing.assert_array_equal(
        cluster_items(straight, n_clusters=3).labels, cluster_items(turned, n_clusters=3).labels
    )


def test_given_groups_are_kept_and_unknown_items_counted():
    incidence = incidence_matrix(incidence_table()[0])
    groups = {item: f"group {item[4]}" for item in incidence.items[1:]}
    found = cluster_items(incidence, method="given", groups=groups)
    assert sorted(found.names.values()) == ["group 0", "group 1", "group 2", "unknown"]
    assert found.names[found.labels[0]] == "unknown"
    assert found.details == {"n_items_without_group": 1}


def test_titles_name_the_clusters():
    table = pd.DataFrame({"person_id": [1, 1], "item": ["a", "b"], "weight": [5, 1]})
    found = cluster_items(
        incidence_matrix(table), n_clusters=1, titles={"a": " HEART\n HOLDER ", "b": None}
    )
    assert found.names == {0: "HEART HOLDER, b"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "magic"}, "unknown method 'magic'"),
        ({}, "n_clusters is None: give a whole number from 1 to the 30 items"),
        ({"n_clusters": 31}, "n_clusters is 31"),
        ({"method": "given"}, "needs groups="),
    ],
)
def test_bad_item_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        cluster_items(incidence_matrix(incidence_table()[0]), **arguments)


def test_items_of_which_none_has_a_group_form_one_that_is_unknown():
    table, *_ = incidence_table()
    found = cluster_items(incidence_matrix(table), method="given", groups={})
    assert found.names == {0: "unknown"}
    assert found.details["n_items_without_group"] == len(found.labels) == 30


@pytest.mark.parametrize("n_clusters", [1, 2, 3, 30])
def test_any_number_of_item_clusters_is_delivered_or_fewer(n_clusters):
    found = cluster_items(incidence_matrix(incidence_table()[0]), n_clusters=n_clusters)
    assert 1 <= len(found.table) <= n_clusters
    assert np.unique(found.labels).tolist() == list(range(len(found.table)))


def test_no_item_gives_no_cluster():
    empty = pd.DataFrame({"person_id": [], "item": [], "weight": []})
    found = cluster_items(incidence_matrix(empty, [1, 2]), n_clusters=3)
    assert len(found.labels) == 0
    assert found.names == {}


def test_mutual_information_and_cramers_v_agree_with_other_libraries():
    counts = np.random.default_rng(0).integers(1, 40, (3, 4))
    pairs = [(i, j) for i in range(3) for j in range(4) for _ in range(counts[i, j])]
    assert mutual_information(counts) == pytest.approx(mutual_info_score(*zip(*pairs, strict=True)))
    assert cramers_v(counts) == pytest.approx(stats.contingency.association(counts, "cramer"))
    assert cramers_v(np.eye(3)) == pytest.approx(1.0)
    assert mutual_information(np.zeros((2, 2))) == cramers_v(np.zeros((2, 2))) == 0.0


def test_summary_tells_a_relation_from_none():
    relation = np.array([[4, 1, 1, 1, 1], [1, 1, 4, 1, 1], [1, 1, 1, 6, 1.0]])
    for planted, seeds in [(relation, [0]), (None, range(12))]:
        found = [
            summarise(
                *returning_people(seed, n=600, relation=planted),
                np.arange(5),
                n_permutations=99,
                rng=np.random.default_rng(seed),
            )
            for seed in seeds
        ]
        p = [figures["p_permutation"] for figures in found]
        if planted is not None:
            assert p == [0.01]
            assert found[0]["n_significant"] >= 3
            assert found[0]["mutual_information"] > 3 * found[0]["mutual_information_null"]
        else:
            assert sum(value <= 0.05 for value in p) <= 3
            assert sum(figures["n_significant"] > 0 for figures in found) <= 3


def test_permutation_test_holds_its_level_where_clusters_follow_activity():
    rejected = 0
    for seed in range(100):
        matrix, _ = returning_people(seed, n=500)
        degree = np.asarray(matrix.sum(axis=1)).ravel()
        found = summarise(
            matrix,
            np.searchsorted(np.quantile(degree, [0.5, 0.8]), degree),
            np.arange(5),
            n_permutations=59,
            rng=np.random.default_rng(seed),
        )
        rejected += found["p_permutation"] <= 0.05
    # Binomial with n = 100 and p = .05: more than 12 has probability .001.
    assert rejected <= 12


def test_summary_of_an_untestable_table_has_no_p():
    found = summarise(sparse.csr_array((3, 2)), [0, 0, 1], [0, 1], rng=np.random.default_rng(0))
    assert found["p_permutation"] is None
    assert found["mutual_information"] == 0.0


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int8, np.int64, np.float32, np.float64])
def test_counts_of_any_type_give_the_same_relations(kind):
    rng = np.random.default_rng(5)
    edges = rng.random((60, 600)) < 0.9
    people, items = rng.integers(0, 3, 60), rng.integers(0, 2, 600)
    table = relations(sparse.csr_array(edges.astype(kind)), people, items)
    assert table["observed"].sum() == edges.sum()
    expected = relations(sparse.csr_array(edges.astype(float)), people, items)
    pd.testing.assert_frame_equal(table, expected, check_dtype=False)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_what_is_no_count_is_refused(wrong):
    edges = sparse.csr_array(np.array([[1.0, wrong], [1.0, 2.0]]))
    with pytest.raises(ValueError, match="counts are finite and not negative"):
        relations(edges, [0, 1], [0, 1])


@pytest.mark.parametrize("missing", [None, np.nan])
def test_a_missing_label_is_named(missing):
    edges = sparse.csr_array(np.ones((2, 2)))
    with pytest.raises(ValueError, match="1 item labels are missing, the first in row 1"):
        relations(edges, [0, 1], np.array([0, missing], dtype=object))
