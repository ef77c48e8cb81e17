"""The search, its audit, and what they recover."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from cohortlab.mixture import (
    GaussianMixture,
    Limits,
    ellipses,
    explain,
    merge_components,
    project,
    search,
    split_mass_points,
)
from cohortlab.mixture.cells import NOT_RUN
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.em import maximise, moments_of
from cohortlab.mixture.evidence import weigh
from cohortlab.mixture.iterate import Settings, run_em
from cohortlab.mixture.models import MODEL_NAMES, resolve_model
from cohortlab.mixture.parallel import workers
from cohortlab.mixture.stability import jaccard, read_jaccard

FEW = ("EII", "VVI", "EEE", "VVV")


def planted(seed, n_components=None, n_rows=600):
    """Draw well-separated Gaussians of different size, shape and direction."""
    rng = np.random.default_rng(seed)
    n_components = n_components or 2 + seed % 4
    corners = rng.permutation([[0, 0], [12, 0], [0, 12], [12, 12], [24, 6], [24, 18]])
    labels = rng.choice(n_components, n_rows, p=rng.dirichlet(np.full(n_components, 20.0)))
    angle, scale = rng.uniform(0, np.pi, n_components), rng.uniform(0.5, 1.7, (n_components, 2))
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    mix = np.einsum("ijk,kj->kij", axes, scale)
    rows = np.einsum("nij,nj->ni", mix[labels], rng.normal(size=(n_rows, 2)))
    return rows + corners[labels], labels


def mass_heavy(n_rows=4000, seed=0):
    """Draw sessions: most are one of a few exact points, the rest continuous and skewed."""
    rng = np.random.default_rng(seed)
    single = rng.random(n_rows) < 0.7
    events = np.where(single, 1, 2 + rng.poisson(2, n_rows))
    duration = np.where(single, 0.0, rng.lognormal(5, 1.5, n_rows))
    hour = rng.integers(0, 4, n_rows) * 6.0
    return pd.DataFrame({"events": events, "duration_sec": duration, "hour": hour})


def assert_found(found, n_components, X, labels):
    assert found.best.n_components == n_components
    assert found.certificate["verdict"] == "sound"
    table = pd.crosstab(labels, found.best.predict(X)).to_numpy()
    assert table.max(axis=1).sum() >= 0.99 * len(X)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("n_components", [2, 3, 4, 5, 6])
def test_planted_mixtures_are_found_at_every_seed(seed, n_components):
    X, labels = planted(seed, n_components, n_rows=300)
    found = search(X, range(1, 10), ["VVV"], n_init=3, tol=1e-4, random_state=seed, n_bootstrap=0)
    assert_found(found, n_components, X, labels)


# Fourteen models take some 3 s of CPU time a case: ten seeds of five groups, one of other numbers.
@pytest.mark.parametrize(
    ("seed", "n_components"), [*((seed, 5) for seed in range(10)), (0, 2), (0, 3), (0, 4), (0, 6)]
)
def test_planted_mixtures_are_found_among_all_models(seed, n_components):
    X, labels = planted(seed, n_components, n_rows=300)
    found = search(X, range(1, 8), n_init=2, tol=1e-4, random_state=seed, n_bootstrap=0)
    assert found.table["model"].nunique() == 14
    assert_found(found, n_components, X, labels)


# With all fourteen models for two seeds, at some 8 s of CPU time each; with four for the rest.
@pytest.mark.parametrize(
    ("seed", "models"), [(0, MODEL_NAMES), (1, MODEL_NAMES), *((seed, FEW) for seed in range(10))]
)
def test_one_gaussian_is_one_component(seed, models):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 3))
    found = search(X, range(1, 5), models, n_init=5, random_state=seed, n_bootstrap=0)
    assert found.best.n_components == 1


def test_certificate_of_a_good_choice_says_so():
    X, _ = planted(3, 4)
    found = search(X, range(1, 8), ["EEE", "VVV"], n_init=3, n_bootstrap=19)
    certificate = found.certificate
    assert certificate["n_components"] == 4
    assert certificate["verdict"] == "sound"
    assert certificate["doubts"] == []
    assert set(certificate["stability"]["reading"]) == {"stable"}
    assert certificate["null_test"]["p_value"] == pytest.approx(1 / 20)
    assert certificate["likelihood_ratio"]["p_value"] > 0.05
    assert not certificate["edge"]["chosen_at_edge"]
    assert certificate["starts"]["agreeing"] >= 2
    assert json.loads(json.dumps(certificate, allow_nan=False)) == certificate
    words = " ".join(explain(certificate))
    assert "Nothing speaks against this choice." in words
    assert "4 components" in words


def test_certificate_of_one_gaussian_says_one():
    X = np.random.default_rng(1).normal(size=(300, 2))
    found = search(X, range(1, 4), ["EEE", "VVV"], n_init=4, n_bootstrap=39)
    assert found.certificate["n_components"] == 1
    assert found.certificate["null_test"]["p_value"] > 0.05
    assert found.certificate["verdict"] == "sound"
    assert any("one Gaussian is not rejected" in line for line in explain(found.certificate))


def test_too_few_components_are_noticed():
    X, _ = planted(1, 5)
    found = search(X, range(1, 4), ["VVV"], n_init=5, n_bootstrap=19)
    assert found.best.n_components == 3
    assert found.certificate["edge"]["chosen_at_edge"]
    assert found.certificate["likelihood_ratio"]["p_value"] == pytest.approx(1 / 20)
    assert found.certificate["verdict"] != "sound"
    assert any("edge of the search" in doubt for doubt in found.certificate["doubts"])


def test_a_plain_search_of_the_diabetes_data_ends_in_junk_and_the_audit_does_not(diabetes):
    found = search(diabetes, range(1, 6), ["VVV"], init="random", n_init=60, n_bootstrap=0)
    table = found.table.set_index("n_components")
    assert (found.best.model, found.best.n_components) == ("VVV", 3)
    # mclust publishes -4734.561 and stops a little before the optimum.
    assert found.best.bic(diabetes) == pytest.approx(4734.561, abs=0.06)
    assert found.best.bic(diabetes) <= 4734.561
    assert table["bic"].min() < found.best.bic(diabetes)
    junk = table.loc[table["bic"].idxmin()]
    assert "a component rests on" in junk["verdict"]
    assert "at the floor" in junk["verdict"]
    assert any("was set aside" in line for line in explain(found.certificate))


def test_junk_on_a_few_rows_at_the_edge_does_not_make_the_diabetes_choice_a_bad_one(diabetes):
    found = search(diabetes, range(1, 11), ["EEE", "VVI", "VVV"], n_init=5, n_bootstrap=0)
    certificate = found.certificate
    assert (found.best.model, found.best.n_components) == ("VVV", 3)
    assert certificate["edge"]["raw_at_edge"]
    assert certificate["raw_winner"]["reasons"]
    # The largest component without width rests on some 5 of 145 rows.
    assert 0 <= certificate["edge"]["raw_junk_share"] < 0.05
    assert certificate["verdict"] == "sound"
    assert any("was set aside" in caution for caution in certificate["cautions"])


def test_two_point_component_of_the_diabetes_data_is_vetoed(diabetes):
    X, family = diabetes.to_numpy(dtype=float), resolve_model("VVV", 3)
    three = GaussianMixture(3, random_state=0).fit(X)
    labels = three.predict(X)
    labels[[44, 83]] = 3
    rows, settings = collapse_rows(X), Settings()
    cut = np.zeros(rows.n_distinct, dtype=int)
    cut[rows.inverse] = labels
    start = moments_of(rows, (cut == np.arange(4)[:, None]).astype(float)[None], family)
    with workers() as run:
        runs = run_em(rows, maximise(start, family, reg_covar=1e-6)[0], family, run, settings)
        ((candidate,),) = weigh([runs], [rows], family, run, settings, Limits())
    assert candidate.figures["smallest_size"] == pytest.approx(2, abs=1e-3)
    assert candidate.figures["bic"] < three.bic(X)
    assert "rests on 2 rows" in candidate.reasons[0]
    assert "at the floor" in candidate.reasons[1]


def test_session_like_features_run_to_the_edge_and_the_certificate_says_what_to_do():
    found = search(mass_heavy(), range(1, 7), FEW, n_init=4, n_bootstrap=0)
    certificate = found.certificate
    assert certificate["edge"]["raw_at_edge"]
    assert certificate["edge"]["raw_junk_share"] > 0.1
    assert certificate["verdict"] == "none"
    assert certificate["data"]["mass_points"] >= 4
    words = " ".join(explain(certificate))
    assert "edge of the search" in words
    assert "no good choice" in words
    for remedy in ("ICL", "log1p", "Yeo-Johnson", "mass points"):
        assert remedy in words


def test_features_of_generated_sessions_run_to_the_edge_wherever_it_is(sessions):
    for largest in (5, 8):
        sizes = range(2, largest + 1)
        certificate = search(sessions, sizes, FEW, n_init=3, n_bootstrap=0).certificate
        assert certificate["edge"]["raw_at_edge"]
        assert certificate["raw_winner"]["reasons"]
        assert certificate["verdict"] == "none"
        words = " ".join(explain(certificate))
        assert f"edge of the search, {largest} components" in words
        assert "mass points" in words


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_cell_of_hard_data_has_a_fit_or_a_reason():
    for reg_covar in (1e-6, 0.0):
        found = search(
            mass_heavy(400), range(1, 4), n_init=2, reg_covar=reg_covar, max_iter=50, n_bootstrap=0
        )
        assert len(found.table) == 3 * len(MODEL_NAMES)
        missing = found.table["bic"].isna()
        assert found.table.loc[missing, "verdict"].str.startswith("no fit").all()
        assert np.isfinite(found.table.loc[~missing, "bic"]).all()


def test_table_has_the_figures_of_each_cell(ellipses):
    found = search(ellipses, [3, 2], ["full", "EII"], n_init=3, n_bootstrap=0)
    assert found.table[["n_components", "model"]].to_numpy().tolist() == [
        [2, "VVV"],
        [2, "EII"],
        [3, "VVV"],
        [3, "EII"],
    ]
    for row in found.table.itertuples():
        mixture = found.model(row.model, row.n_components, sound=False)
        assert mixture.bic(ellipses) == pytest.approx(row.bic, rel=1e-9)
        assert mixture.icl(ellipses) == pytest.approx(row.icl, rel=1e-9)
        assert mixture.aic(ellipses) == pytest.approx(row.aic, rel=1e-9)
        assert mixture.n_parameters_ == row.n_parameters
        assert row.smallest_size == pytest.approx(mixture.weights_.min() * 300, rel=1e-2)
        lowest = np.linalg.eigvalsh(mixture.covariances_)[:, 0].min()
        assert row.smallest_eigenvalue == pytest.approx(lowest)
    with pytest.raises(KeyError, match="no fit of VEV"):
        found.model("VEV", 3)


def test_icl_prefers_clusters_that_lie_apart():
    rng = np.random.default_rng(0)
    cross = [rng.normal(0, scales, (300, 2)) for scales in ((1.2, 0.6), (0.6, 1.2))]
    found = {
        criterion: search(
            np.concatenate(cross), range(1, 5), ["VVV"], criterion, n_init=4, n_bootstrap=0
        )
        for criterion in ("bic", "icl")
    }
    # Two crossing groups fit better than one, but no row can tell to which it belongs.
    assert found["bic"].best.n_components == 2
    assert found["icl"].best.n_components == 1
    for criterion, result in found.items():
        assert result.certificate[criterion] == result.table[f"sound_{criterion}"].min()


def test_weights_equal_repeated_rows_in_a_search():
    X, _ = planted(2, 3, n_rows=200)
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    one = search(X, [2, 3], FEW, sample_weight=weight, n_init=3, n_bootstrap=0)
    other = search(np.repeat(X, weight, axis=0), [2, 3], FEW, n_init=3, n_bootstrap=0)
    pd.testing.assert_frame_equal(one.table, other.table)


def test_two_searches_are_identical(ellipses):
    found = [search(ellipses, range(1, 4), FEW, n_init=3, n_bootstrap=9) for _ in range(2)]
    pd.testing.assert_frame_equal(found[0].table, found[1].table, check_exact=True)
    assert json.dumps(found[0].certificate) == json.dumps(found[1].certificate)
    assert found[0].best.means_.tobytes() == found[1].best.means_.tobytes()


def test_a_search_cut_off_goes_on_where_it_stopped(ellipses, tmp_path):
    path = tmp_path / "search.jsonl"
    whole = search(ellipses, range(1, 4), FEW, n_init=3, n_bootstrap=0)
    search(ellipses, range(1, 4), FEW, n_init=3, n_bootstrap=0, checkpoint=path)
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 13
    text = "".join(lines[:9])
    path.write_text(text[:-40])  # cut off in the middle of the last cell
    resumed = search(ellipses, range(1, 4), FEW, n_init=3, n_bootstrap=0, checkpoint=path)
    pd.testing.assert_frame_equal(resumed.table, whole.table, check_exact=True)
    assert resumed.best.covariances_.tobytes() == whole.best.covariances_.tobytes()
    with pytest.raises(ValueError, match="other data, settings, sizes or models"):
        search(ellipses + 1, [1], FEW, n_init=3, n_bootstrap=0, checkpoint=path)


@pytest.mark.parametrize("plan", [([2, 3], FEW), (range(1, 4), ["VVV"]), ([3], FEW[::-1])])
def test_a_checkpoint_of_another_plan_is_refused(ellipses, tmp_path, plan):
    path = tmp_path / "search.jsonl"
    search(ellipses, [3], FEW, n_init=3, n_bootstrap=0, checkpoint=path)
    with pytest.raises(ValueError, match="sizes or models"):
        search(ellipses, *plan, n_init=3, n_bootstrap=0, checkpoint=path)


def test_a_checkpoint_needs_a_seed(ellipses, tmp_path):
    path = tmp_path / "search.jsonl"
    with pytest.raises(ValueError, match="random_state=None with a checkpoint"):
        search(ellipses, [1], FEW, random_state=None, checkpoint=path)
    assert not path.exists()


def test_a_spent_time_budget_leaves_cells_marked(ellipses, tmp_path):
    path = tmp_path / "search.jsonl"
    search(ellipses, [1, 2], FEW, n_init=3, n_bootstrap=0, checkpoint=path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:5]))  # the cells of one component
    found = search(
        ellipses, [1, 2], FEW, n_init=3, n_bootstrap=0, checkpoint=path, time_budget_sec=0
    )
    left = found.table["n_components"] == 2
    assert (found.table.loc[left, "verdict"] == NOT_RUN).all()
    assert found.table.loc[~left, "bic"].notna().all()
    assert found.certificate["cells"]["not_run"] == 4
    assert found.certificate["cells"]["without_fit"] == []
    words = " ".join(explain(found.certificate))
    assert "0 without a fit. Not run: 4 cells; resume" in words


def test_a_spent_time_budget_leaves_no_time_for_simulations(ellipses, tmp_path):
    path = tmp_path / "search.jsonl"
    search(ellipses, [1, 2], FEW, n_init=2, n_bootstrap=0, checkpoint=path)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:5]))
    arguments = {"n_init": 2, "n_bootstrap": 19, "checkpoint": path, "time_budget_sec": 0}
    certificate = search(ellipses, [1, 2], FEW, **arguments).certificate
    assert certificate["likelihood_ratio"] is certificate["null_test"] is None
    assert any("so no simulations were made either" in one for one in certificate["cautions"])


def test_models_that_were_left_out_are_a_caution():
    X, _ = planted(2, 5)
    certificate = search(X, [5, 6], ["VVV", "EEE"], n_init=2, n_bootstrap=0).certificate
    (caution,) = [one for one in certificate["cautions"] if "covariance models" in one]
    assert "2 of the 14 covariance models were searched (VVV, EEE)" in caution
    all_of_them = search(X[:, :1], [1, 2], n_init=1, n_bootstrap=0).certificate
    assert not any("covariance models" in one for one in all_of_them["cautions"])


def test_models_that_coincide_are_no_runner_up_of_each_other():
    X = np.random.default_rng(0).normal(size=(300, 2)) @ [[1.0, 0.5], [0.0, 1.0]]
    found = search(X, [1, 2], ["VEE", "EEE", "VVV"], n_init=2, n_bootstrap=0)
    assert (found.best.model, found.best.n_components) == ("VEE", 1)
    assert found.certificate["runner_up"]["n_components"] == 2
    assert not any("as good" in caution for caution in found.certificate["cautions"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "aicc"}, "expected 'bic' or 'icl'"),
        ({"n_components": []}, "at least one whole number"),
        ({"n_components": [2.7]}, r"n_components=\[2.7\]; expected at least one whole number"),
        ({"n_components": 2.7}, r"n_components=\[2.7\]; expected at least one whole number"),
        ({"n_components": ["2"]}, "at least one whole number"),
        ({"n_components": None}, "at least one whole number"),
        ({"init": "kmeanz"}, "init='kmeanz'; expected one of 'kmeans"),
        ({"reg_covar": -1}, "reg_covar=-1; expected a finite number of 0 or more"),
        ({"reg_covar": np.nan}, "reg_covar=nan"),
        ({"tol": -1.0}, "tol=-1.0"),
        ({"max_iter": -1}, "max_iter=-1; expected a whole number of 0 or more"),
        ({"n_init": 0}, "n_init=0; expected a whole number of 1 or more"),
        ({"n_init": 2.5}, "n_init=2.5; expected a whole number"),
        ({"n_bootstrap": -1}, "n_bootstrap=-1; expected a whole number of 0 or more"),
        ({"audit_rows": 0}, "audit_rows=0; expected a whole number of 2 or more"),
        ({"n_components": [0]}, "1 or more"),
        ({"models": ["XXX"]}, "expected one of EII"),
        ({"models": "VVV"}, "a list of model names"),
    ],
)
def test_wrong_arguments_of_a_search_are_named(ellipses, arguments, message):
    with pytest.raises(ValueError, match=message):
        search(ellipses, **arguments)


def test_one_number_of_components_is_a_list_of_one(ellipses):
    found = [search(ellipses, size, ["EEE"], n_init=2, n_bootstrap=0) for size in (3, [3])]
    pd.testing.assert_frame_equal(found[0].table, found[1].table)


def run_weighted(how, X, weight):
    if how == "fit":
        return GaussianMixture(1).fit(X, sample_weight=weight)
    return search(X, [1], ["VVV"], sample_weight=weight, n_init=1, n_bootstrap=0)


@pytest.mark.parametrize("how", ["fit", "search"])
@pytest.mark.parametrize("factor", [1 / 50, 0.4, 2.5])
def test_weights_that_are_no_numbers_of_rows_are_warned_of_once(how, factor):
    X, weight = planted(2, 3, n_rows=50)[0], np.random.default_rng(0).uniform(0.5, 1.5, 50)
    weight *= 50 * factor / weight.sum()
    with pytest.warns(UserWarning, match=r"w \* n / w.sum\(\)") as caught:
        run_weighted(how, X, weight)
    assert len(caught) == 1


@pytest.mark.parametrize("how", ["fit", "search"])
def test_counts_and_weights_near_the_number_of_rows_are_not_warned_of(how):
    X, rng = planted(2, 3, n_rows=50)[0], np.random.default_rng(0)
    for weight in (rng.integers(0, 100, 50), rng.uniform(0.7, 1.7, 50), np.eye(50)[0] * 40 + 1):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run_weighted(how, X, weight)
        assert not [w for w in caught if "w.sum()" in str(w.message)]


@pytest.mark.parametrize("method", ["predict_proba", "score_samples", "predict", "uncertainty"])
def test_rows_too_large_to_square_are_refused_when_scored(method):
    X = planted(2, 3, n_rows=50)[0]
    mixture = GaussianMixture(1).fit(X)
    with pytest.raises(ValueError, match="Column 1 reaches 1e\\+160"):
        getattr(mixture, method)(np.array([[0.0, 1e160]]))


def test_limits_can_be_loosened(diabetes):
    loose = Limits(smallest_size=0, floor_factor=0, moved_loglik=np.inf, moved_share=1, thinness=0)
    found = search(
        diabetes, [3, 4, 5], ["VVV"], init="random", n_init=60, limits=loose, n_bootstrap=0
    )
    assert found.best.n_components > 3


def test_jaccard_is_that_of_sets():
    labels, others = np.array([0, 0, 0, 1, 1, 1]), np.array([2, 2, 1, 1, 1, 1])
    assert jaccard(labels, others, np.ones(6), 2).tolist() == pytest.approx([2 / 3, 3 / 4])
    assert [read_jaccard(value) for value in (0.5, 0.75, 0.85, None)] == [
        "dissolved",
        "valid",
        "stable",
        "not judged",
    ]


def test_merging_joins_components_that_overlap():
    rng = np.random.default_rng(0)
    far = rng.normal((12, 12), 1, (300, 2))
    cross = np.concatenate([rng.normal(0, (3, 0.3), (300, 2)), rng.normal(0, (0.3, 3), (300, 2))])
    X = np.concatenate([cross, far])
    mixture = GaussianMixture(3, random_state=0).fit(X)
    tree = merge_components(mixture.predict_proba(X))
    clusters = tree.clusters(2)[mixture.predict(X)]
    assert len(set(clusters[:600])) == len(set(clusters[600:])) == 1
    assert tree.steps["n_clusters"].tolist() == [3, 2, 1]
    assert tree.steps["entropy"].iloc[-1] == pytest.approx(0, abs=1e-9)
    assert (tree.steps["drop"] >= -1e-12).all()
    shares = mixture.predict_proba(X)
    expected = -(shares * np.log(np.where(shares > 0, shares, 1))).sum()
    assert tree.steps["entropy"].iloc[0] == pytest.approx(expected)
    weight = np.full(len(X), 2.0)
    doubled = merge_components(shares, weight)
    assert doubled.steps["entropy"].to_numpy() == pytest.approx(2 * tree.steps["entropy"])


@pytest.mark.parametrize("n_groups", [2, 3, 5])
def test_components_that_lie_apart_stay_clusters(n_groups):
    rng = np.random.default_rng(n_groups)
    X = rng.normal(size=(300, 2)) + 8 * np.arange(n_groups)[rng.integers(0, n_groups, 300)][:, None]
    mixture = GaussianMixture(n_groups, "EII", random_state=0).fit(X)
    assert merge_components(mixture.predict_proba(X)).n_apart() == n_groups


@pytest.mark.parametrize("n_components", [2, 4])
def test_components_that_split_one_group_merge_into_it(n_components):
    X = np.random.default_rng(n_components).normal(size=(300, 2))
    mixture = GaussianMixture(n_components, "EII", random_state=0).fit(X)
    assert merge_components(mixture.predict_proba(X)).n_apart() == 1


def test_doubt_is_the_share_of_the_entropy_of_guessing_whatever_the_weights():
    shares = np.array([[1 / 3, 1 / 3, 1 / 3], [0.0, 0.0, 1.0]])
    steps = merge_components(shares, np.array([1.0, 3.0])).steps
    third = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 3
    assert steps["doubt"].tolist() == pytest.approx([1 / 4, third / np.log(2) / 4, 0])


def test_mass_points_are_set_apart():
    frame = mass_heavy()
    labels, points = split_mass_points(frame, min_share=0.05)
    assert len(points) == 4
    assert points["share"].is_monotonic_decreasing
    assert (labels >= 0).mean() == pytest.approx(points["share"].sum())
    for number, point in points.iterrows():
        own = frame[labels == number]
        assert len(own) == point["weight"]
        assert (own == point[frame.columns]).all(axis=None)
    assert split_mass_points(np.random.default_rng(0).normal(size=(50, 2)))[1].empty


def test_components_are_numbered_by_falling_share(ellipses):
    found = search(ellipses, range(1, 4), ["EEE", "VVV"], n_init=3, n_bootstrap=0)
    for model, size in [("EEE", 2), ("EEE", 3), ("VVV", 3)]:
        fit = found.model(model, size)
        assert (np.diff(fit.weights_) <= 0).all()
        # Weights, means and covariances moved together: the stated likelihood is that of the data.
        assert fit.score_samples(ellipses).sum() == pytest.approx(fit.loglik_, rel=1e-9)


def test_views_hold_what_pictures_show(ellipses):
    found = search(ellipses, range(1, 4), ["EEE", "VVV"], n_init=3, n_bootstrap=0)
    plane = project(ellipses, found.best, "principal")
    assert len(plane) == len(ellipses)
    assert (plane["component"] == found.best.predict(ellipses)).all()
    # Principal directions are those of the largest variance, the first at least the second.
    assert plane["first"].var() >= plane["second"].var()
    outline = ellipses_of(found.best)
    assert outline["component"].nunique() == found.best.n_components


def ellipses_of(mixture):
    return ellipses(mixture, n_points=16)
