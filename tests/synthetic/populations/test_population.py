import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cohortlab.synthetic.populations import (
    CRUDE,
    LAWS,
    largest_remainder,
    load_clusters,
    make_population,
    null_clusters,
    pairwise_misclassification,
    read_clusters,
    spread_clusters,
)

LAW_BLOCKS = {
    "uniform": ({"low": -2, "high": 5}, stats.uniform(-2, 7)),
    "integers": ({"low": -2, "high": 5}, stats.randint(-2, 6)),
    "normal": ({"mean": 3, "deviation": 2}, stats.norm(3, 2)),
    "lognormal": ({"median": 4, "spread": 0.5}, stats.lognorm(0.5, scale=4)),
    "poisson": ({"mean": 2.5}, stats.poisson(2.5)),
}
DISCRETE = ("integers", "poisson")


def two_normals(distance=2.0, share=0.5):
    return {
        "a": {"share": share, "x": [0, 1]},
        "b": {"share": 1 - share, "x": [distance, 1]},
    }


def bayes_error(distance, deviation, share):
    """Closed form for two normals of one deviation: the cut lies where both densities agree."""
    cut = distance / 2 + deviation**2 / distance * np.log(share / (1 - share))
    return share * stats.norm.sf(cut / deviation) + (1 - share) * stats.norm.cdf(
        (cut - distance) / deviation
    )


def test_the_crude_population_is_what_its_settings_say():
    rows = make_population(1000, random_state=3, **CRUDE)
    assert list(rows) == ["something", "age", "postcode", "cluster"]
    assert rows["cluster"].value_counts().to_dict() == {
        "settled": 500,
        "young": 250,
        "elsewhere": 250,
    }
    for name, part in rows.groupby("cluster"):
        for feature in CRUDE["features"]:
            low, high = CRUDE["clusters"][name][feature]
            assert part[feature].between(low, high).all()
            if low < high:
                assert stats.kstest(part[feature], stats.uniform(low, high - low).cdf)[1] > 1e-3
        numbers = part[["age", "postcode"]].corr().to_numpy()[0, 1]
        assert abs(numbers) < 4 / np.sqrt(len(part))


def test_the_crude_population_can_be_drawn_in_whole_numbers():
    rows = make_population(2000, random_state=3, **(CRUDE | {"generator": "integers"}))
    assert (rows[CRUDE["features"]] % 1 == 0).all(axis=None)
    for name, own in rows.groupby("cluster"):
        for feature in CRUDE["features"]:
            low, high = CRUDE["clusters"][name][feature]
            assert sorted(own[feature].unique()) == list(range(low, high + 1))


@pytest.mark.parametrize("name", LAW_BLOCKS)
def test_drawn_values_follow_their_law(name):
    block, oracle = LAW_BLOCKS[name]
    clusters = {"all": {"share": 1, "x": {"distribution": name, **block}}}
    rows = make_population(4000, ["x"], "uniform", clusters, 1)["x"].to_numpy(float)
    if name in DISCRETE:
        values = np.arange(-2, 9)
        counts, expected = (rows == values[:, None]).sum(axis=1), oracle.pmf(values)
        assert (counts[expected == 0] == 0).all()
        counts, expected = counts[expected > 0], expected[expected > 0]
        assert stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue > 1e-3
    else:
        assert stats.kstest(rows, oracle.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", LAW_BLOCKS)
def test_quantiles_and_densities_agree_with_scipy(name):
    block, oracle = LAW_BLOCKS[name]
    u = np.linspace(0.001, 0.999, 199)
    values = LAWS[name].quantile(u, block)
    np.testing.assert_allclose(values, oracle.ppf(u), rtol=1e-9)
    density = oracle.logpmf if name in DISCRETE else oracle.logpdf
    np.testing.assert_allclose(LAWS[name].log_density(values, block), density(values), rtol=1e-9)


def test_categories_come_in_their_shares_and_constants_stay():
    clusters = {
        "all": {
            "share": 1,
            "colour": {"distribution": "categorical", "shares": {"red": 0.2, "blue": 0.8}},
            "kind": {"distribution": "constant", "value": "person"},
        }
    }
    rows = make_population(5000, ["colour", "kind"], "uniform", clusters, 1)
    # Binomial of 5000 draws: the deviation of the share is 0.006.
    assert abs((rows["colour"] == "red").mean() - 0.2) < 0.025
    assert set(rows["kind"]) == {"person"}


def test_the_copula_has_the_correlation_and_leaves_the_margins():
    clusters = {
        "all": {
            "share": 1,
            "x": {"distribution": "lognormal", "median": 1, "spread": 1},
            "y": {"distribution": "uniform", "low": 0, "high": 1},
            "z": {"distribution": "normal", "mean": 0, "deviation": 1},
            "correlation": {"x": {"y": 0.7}},
        }
    }
    rows = make_population(4000, ["x", "y", "z"], "uniform", clusters, 2)
    found = stats.spearmanr(rows["x"], rows["y"]).statistic
    # The rank correlation of a Gaussian copula; its error here is near 0.01.
    assert found == pytest.approx(6 / np.pi * np.arcsin(0.7 / 2), abs=0.04)
    assert abs(stats.spearmanr(rows["x"], rows["z"]).statistic) < 0.06
    assert stats.kstest(rows["y"], "uniform").pvalue > 1e-3
    assert stats.kstest(np.log(rows["x"]), "norm").pvalue > 1e-3


@pytest.mark.parametrize(
    "correlation", [0.5, {"x": {"y": 0.5}}, [[1, 0.5], [0.5, 1]], {"y": {"x": 0.5}}]
)
def test_forms_of_a_correlation_mean_the_same(correlation):
    clusters = {"all": {"share": 1, "x": [0, 1], "y": [0, 1]}}
    read = read_clusters(["x", "y"], "normal", clusters, correlation=correlation)
    np.testing.assert_array_equal(read[0].correlation, [[1, 0.5], [0.5, 1]])


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("distance", [0.5, 2.0, 4.0])
def test_misclassification_is_the_bayes_error(distance, share):
    read = read_clusters(["x"], "normal", two_normals(distance, share))
    found = pairwise_misclassification(read)["misclassification"].item()
    assert found == pytest.approx(bayes_error(distance, 1, share), abs=2e-4)


def test_misclassification_of_correlated_normals_is_that_of_their_distance():
    clusters = {
        "a": {"share": 0.5, "x": [0, 1], "y": [0, 1]},
        "b": {"share": 0.5, "x": [1, 1], "y": [-1, 1]},
    }
    read = read_clusters(["x", "y"], "normal", clusters, correlation=0.6)
    mahalanobis = np.sqrt([1, -1] @ np.linalg.inv([[1, 0.6], [0.6, 1]]) @ [1, -1])
    found = pairwise_misclassification(read)["misclassification"].item()
    assert found == pytest.approx(stats.norm.cdf(-mahalanobis / 2), abs=5e-4)


def test_misclassification_of_clusters_that_differ_in_correlation_is_the_integral():
    clusters = {
        "round": {"share": 0.5, "x": [0, 1], "y": [0, 1]},
        "long": {"share": 0.5, "x": [0, 1], "y": [0, 1], "correlation": 0.9},
    }
    read = read_clusters(["x", "y"], "normal", clusters)
    grid = np.linspace(-6, 6, 601)
    points = np.dstack(np.meshgrid(grid, grid))
    densities = [stats.multivariate_normal(cov=[[1, r], [r, 1]]).pdf(points) for r in (0.0, 0.9)]
    expected = 0.5 * np.minimum(*densities).sum() * (grid[1] - grid[0]) ** 2
    found = pairwise_misclassification(read)["misclassification"].item()
    assert found == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("overlap", [0.01, 0.1, 0.3])
def test_the_wanted_overlap_is_solved_for(overlap):
    read = spread_clusters(read_clusters(["x"], "normal", two_normals()), overlap)
    deviation = read[0].features["x"].parameters["deviation"]
    assert deviation == pytest.approx(-1 / stats.norm.ppf(overlap), rel=2e-3)


def test_uniform_clusters_overlap_by_their_common_length():
    clusters = {"a": {"share": 0.5, "x": [0, 1]}, "b": {"share": 0.5, "x": [0.8, 1.8]}}
    read = read_clusters(["x"], "uniform", clusters)
    found = pairwise_misclassification(read)["misclassification"].item()
    assert found == pytest.approx(0.1, abs=1e-3)


def test_a_best_classifier_confuses_drawn_rows_as_often_as_wanted():
    rows = make_population(20_000, ["x"], "normal", two_normals(), 5, overlap=0.1)
    wrong = (rows["x"] > 1) != (rows["cluster"] == "b")
    # Binomial: the deviation is 0.002.
    assert wrong.mean() == pytest.approx(0.1, abs=0.009)


def test_a_point_and_a_range_around_it_are_never_confused():
    read = read_clusters(CRUDE["features"], "uniform", CRUDE["clusters"])
    assert (pairwise_misclassification(read)["misclassification"] == 0).all()


@pytest.mark.parametrize("n", [1, 7, 99, 100])
def test_exactly_n_rows_come_out(n):
    clusters = {str(k): {"share": 1 / 3, "x": [0, 1]} for k in range(3)}
    rows = make_population(n, ["x"], "uniform", clusters, 0)
    counts = rows["cluster"].value_counts()
    assert len(rows) == n
    assert counts.reindex(list("012"), fill_value=0).between(n // 3, n // 3 + 1).all()


def test_largest_remainders_are_rounded_up():
    assert largest_remainder(10, [0.34, 0.33, 0.33]).tolist() == [4, 3, 3]
    assert largest_remainder(100, [0.29, 0.57, 0.14]).tolist() == [29, 57, 14]
    assert largest_remainder(3, [0.5, 0.5]).tolist() == [2, 1]


def test_the_seed_decides_the_rows():
    first, again, other = (make_population(50, random_state=s, **CRUDE) for s in (4, 4, 5))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_a_function_of_ones_own_generates():
    clusters = {"a": {"share": 1, "x": [3, 4]}}
    rows = make_population(9, ["x"], lambda u, low, high: low + 0 * u + high, clusters, 0)
    assert (rows["x"] == 7).all()


def test_the_null_has_one_cluster_of_the_same_features():
    rows = make_population(
        40, CRUDE["features"], "uniform", null_clusters(CRUDE["clusters"]), random_state=0
    )
    assert set(rows["cluster"]) == {"everybody"}
    assert rows["age"].between(30, 55).all()


def changed(feature, value, cluster="young"):
    clusters = {name: dict(block) for name, block in CRUDE["clusters"].items()}
    clusters[cluster][feature] = value
    return clusters


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        (changed("share", 0.35), r"sum to 1\.1 .*change one of them by -0\.1"),
        (changed("share", -0.25), "clusters.young.share: expected a number from 0 to 1"),
        (changed("age", [35, 20]), "clusters.young.age.high: expected a number from 35"),
        (changed("age", [35]), r"clusters.young.age: uniform takes \['low', 'high'\]"),
        (changed("age", {"distribution": "beta"}), "clusters.young.age.distribution.*'beta'"),
        (changed("age", {"distribution": "normal", "mean": 3}), "young.age.deviation: missing"),
        (
            changed("age", {"distribution": "normal", "mean": 3, "deviation": 0}),
            "young.age.deviation: expected a number from",
        ),
        (
            changed("age", {"distribution": "categorical", "shares": {"x": 0.9}}),
            "young.age.shares: .* sum to 1",
        ),
        (
            changed("age", {"distribution": "integers", "low": 1, "high": 2.5}),
            "young.age.high: expected a whole number",
        ),
        (
            changed("age", {"distribution": "integers", "low": 3, "high": 2}),
            "young.age.high: expected a whole number from 3",
        ),
        (changed("colour", [1, 2]), "clusters.young.colour: unknown key"),
        (changed("correlation", 1.0), "clusters.young.correlation: no data have these"),
        (changed("correlation", {"age": {"height": 0.1}}), "correlation.height: unknown"),
        (changed("correlation", [[1, 2], [2, 1]]), "expected 3 x 3 numbers"),
        ({}, "clusters: expected a mapping with at least one name"),
    ],
)
def test_impossible_settings_name_the_cluster_and_the_feature(clusters, message):
    with pytest.raises(ValueError, match=message):
        make_population(10, CRUDE["features"], "uniform", clusters, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n: expected a whole number from 1"),
        ({"features": ["share"]}, "'share' has a meaning of its own"),
        ({"features": []}, "at least one name"),
        ({"features": ["x", "x"]}, "every name once"),
        (
            {"generator": "gauss"},
            r"clusters\.\w+\.x: .* generator 'gauss', which is unknown; .*normal",
        ),
        ({"generator": None}, r"clusters\.\w+\.x: .* generator None, which is unknown"),
        ({"overlap": 0.7}, "overlap: expected a number from 0 to 0.5"),
        ({"random_state": None}, "random_state: expected a whole number from 0 .*got None"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    sound = {"n": 5, "features": ["x"], "generator": "normal", "clusters": two_normals()}
    with pytest.raises(ValueError, match=message):
        make_population(**({"random_state": 0} | sound | arguments))


def test_an_overlap_out_of_reach_says_what_can_be_reached():
    with pytest.raises(ValueError, match=r"cannot be reached .* can"):
        make_population(5, ["x"], "normal", two_normals(share=0.1), 0, overlap=0.4)
    with pytest.raises(ValueError, match="nothing to overlap with"):
        make_population(5, ["x"], "normal", {"a": {"share": 1, "x": [0, 1]}}, 0, overlap=0.1)


TWO_KINDS = """
low: {share: 0.25, x: [0, 1], name: {distribution: categorical, shares: {a: 1}}}
high: {share: 0.75, x: [5, 6], name: {distribution: categorical, shares: {a: 0.5, b: 0.5}}}
"""


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_clusters_from_a_file_are_those_of_the_mapping(tmp_path, kind):
    path = tmp_path / "clusters.yaml"
    path.write_text(TWO_KINDS)
    shares = {"a": 0.5, "b": 0.5}
    given = {
        "low": {
            "share": 0.25,
            "x": [0, 1],
            "name": {"distribution": "categorical", "shares": {"a": 1}},
        },
        "high": {
            "share": 0.75,
            "x": [5, 6],
            "name": {"distribution": "categorical", "shares": shares},
        },
    }
    read, same = (
        make_population(40, ["x", "name"], "uniform", clusters, 3)
        for clusters in (kind(path), given)
    )
    pd.testing.assert_frame_equal(read, same)
    assert null_clusters(kind(path)) == null_clusters(given)
    assert load_clusters(given) is given


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "clusters.yaml cannot be read .*give a mapping or the path of a YAML file"),
        ("low: {share: [", "clusters.yaml is no YAML"),
        ("low: {share: 1}\nlow: {share: 1}", "clusters.yaml is no YAML.*low"),
        ("", "clusters.yaml: expected a name and its settings for each cluster, got None"),
        ("- low\n- high", r"clusters.yaml: expected a name .* got \['low', 'high'\]"),
        ("low: {share: 1, x: [5, 0]}", "clusters.low.x"),
        ("low: {share: 0.5, x: [0, 1]}", "clusters"),
    ],
)
def test_a_bad_file_of_clusters_is_named(tmp_path, text, message):
    path = tmp_path / "clusters.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        make_population(4, ["x"], "uniform", path, 0)
