"""The estimator's contract, weights and edge cases."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from cohortlab.mixture import GaussianMixture
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.fitting import make_partitions
from cohortlab.mixture.initial import (
    draw_samples,
    partition,
    start_from_labels,
    starts_from_labels,
)
from cohortlab.mixture.iterate import Settings, run_em
from cohortlab.mixture.models import MODEL_NAMES, resolve_model
from cohortlab.mixture.parallel import workers


def blobs(seed=0, n_rows=300, n_features=3):
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [
            rng.normal(0, 1, (n_rows // 2, n_features)),
            rng.normal(4, 0.5, (n_rows - n_rows // 2, n_features)),
        ]
    )


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_pass():
    outcomes = check_estimator(GaussianMixture(n_init=2), on_fail=None)
    failed = [one["check_name"] for one in outcomes if one["status"] == "failed"]
    assert len(outcomes) > 30
    assert failed == []


LABELS = np.repeat([0, 1], 30)


@pytest.mark.parametrize("y", [LABELS, LABELS.astype(str), pd.Series(LABELS), list("ab") * 30])
@pytest.mark.parametrize("method", ["fit", "fit_predict"])
def test_labels_given_as_a_target_are_not_passed_over_in_silence(method, y):
    X = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.warns(UserWarning, match=r"2 different values.*fit\(X, responsibilities=y\)"):
        getattr(GaussianMixture(2, "EII", n_init=1, random_state=0), method)(X, y)


@pytest.mark.parametrize(
    ("n_components", "y", "arguments"),
    [
        (2, None, {}),
        (2, np.arange(60) / 7 - 1, {}),
        (2, np.arange(60) % 3, {}),
        (2, np.zeros((60, 2)), {}),
        (1, np.zeros(60), {}),
        (2, LABELS, {"responsibilities": LABELS}),
    ],
)
def test_a_target_that_is_no_partition_is_ignored(n_components, y, arguments):
    X = np.random.default_rng(0).normal(size=(60, 2))
    mixture = GaussianMixture(n_components, "EII", n_init=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = clone(mixture).fit(X, y, **arguments)
    assert fitted.loglik_ == mixture.fit(X, **arguments).loglik_


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_scores_are_those_of_a_plain_computation(model):
    X = blobs()
    mixture = GaussianMixture(2, model, n_init=2, random_state=0).fit(X)
    logs = np.stack(
        [
            np.log(weight) + multivariate_normal(mean, covariance).logpdf(X)
            for weight, mean, covariance in zip(
                mixture.weights_, mixture.means_, mixture.covariances_, strict=True
            )
        ],
        axis=1,
    )
    rows = logsumexp(logs, axis=1)
    assert mixture.score_samples(X) == pytest.approx(rows, rel=1e-10)
    assert mixture.predict_proba(X) == pytest.approx(np.exp(logs - rows[:, None]), abs=1e-10)
    assert mixture.loglik_ == pytest.approx(rows.sum(), rel=1e-12)
    assert mixture.loglik_path_[-1] == pytest.approx(rows.sum(), rel=1e-9)
    hard = 2 * (np.log(np.exp(logs - rows[:, None]).max(axis=1))).sum()
    assert mixture.icl(X) == pytest.approx(mixture.bic(X) - hard, rel=1e-9)
    assert mixture.aic(X) == pytest.approx(2 * mixture.n_parameters_ - 2 * rows.sum(), rel=1e-12)
    assert mixture.uncertainty(X) == pytest.approx(1 - mixture.predict_proba(X).max(axis=1))
    assert (mixture.predict(X) == logs.argmax(axis=1)).all()


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_an_integer_weight_is_that_many_rows(model):
    X, rng = blobs(n_rows=120), np.random.default_rng(1)
    weight = rng.integers(0, 4, len(X))
    settings = {"n_init": 2, "random_state": 0, "tol": 1e-10}
    weighted = GaussianMixture(2, model, **settings).fit(X, sample_weight=weight)
    repeated = GaussianMixture(2, model, **settings).fit(np.repeat(X, weight, axis=0))
    assert weighted.loglik_ == pytest.approx(repeated.loglik_, rel=1e-10)
    assert weighted.means_ == pytest.approx(repeated.means_, rel=1e-10)
    assert weighted.covariances_ == pytest.approx(repeated.covariances_, rel=1e-10)
    assert weighted.bic(X, weight) == pytest.approx(
        repeated.bic(np.repeat(X, weight, axis=0)), rel=1e-10
    )


@pytest.mark.parametrize("model", ["EEE", "VVI", "VEV", "VVV"])
def test_weights_with_given_responsibilities_equal_repeated_rows(model):
    X, rng = blobs(n_rows=90), np.random.default_rng(2)
    weight, shares = rng.integers(1, 4, len(X)), rng.dirichlet([1, 1], len(X))
    one = GaussianMixture(2, model, tol=1e-9)
    weighted = one.fit(X, sample_weight=weight, responsibilities=shares)
    repeated = clone(one).fit(
        np.repeat(X, weight, axis=0), responsibilities=np.repeat(shares, weight, axis=0)
    )
    assert weighted.loglik_ == pytest.approx(repeated.loglik_, rel=1e-10)


@pytest.mark.parametrize("init", ["kmeans++", "random", "hierarchical", "mixed", "given"])
def test_zero_weight_is_absence(init):
    X, weight = blobs(), np.ones(300)
    weight[::3] = 0
    start = np.random.default_rng(3).dirichlet([1, 1], len(X)) if init == "given" else None
    settings = {"random_state": 0} | ({} if init == "given" else {"init": init})
    one = GaussianMixture(2, **settings).fit(X, sample_weight=weight, responsibilities=start)
    left = None if start is None else start[weight > 0]
    other = GaussianMixture(2, **settings).fit(X[weight > 0], responsibilities=left)
    assert (one.means_ == other.means_).all()
    assert one.loglik_ == other.loglik_
    assert one.bic(X, weight) == other.bic(X[weight > 0])


def test_scaling_weights_scales_the_likelihood_and_nothing_else():
    X = blobs()
    one = GaussianMixture(2, random_state=0).fit(X, sample_weight=np.full(len(X), 0.5))
    other = GaussianMixture(2, random_state=0).fit(X)
    assert one.means_ == pytest.approx(other.means_, rel=1e-6)
    assert one.loglik_ == pytest.approx(other.loglik_ / 2, rel=1e-9)


@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("accelerated", [True, False])
def test_likelihood_never_falls_without_regularisation(model, accelerated, ellipses):
    rows, family = collapse_rows(ellipses), resolve_model(model, 2)
    seed = np.random.SeedSequence(3)
    cuts = make_partitions(draw_samples(rows, 3, seed), 4, "random", 3, seed)
    starts = starts_from_labels(cuts, 4, family, 0.0)
    settings = Settings(reg_covar=0.0, tol=1e-7, max_iter=300, accelerate=accelerated)
    with workers() as run:
        runs = run_em(rows, starts, family, run, settings)
    steps = np.concatenate([np.diff(one.path) for one in runs])
    assert len(steps) > 20
    assert steps.min() >= -1e-9


def test_row_order_and_threads_change_nothing():
    X = blobs(n_rows=20_000)
    one = GaussianMixture(3, "VVV", n_init=3, random_state=0).fit(X)
    order = np.random.default_rng(0).permutation(len(X))
    other = GaussianMixture(3, "VVV", n_init=3, random_state=0).fit(X[order])
    assert one.means_.tobytes() == other.means_.tobytes()
    assert one.covariances_.tobytes() == other.covariances_.tobytes()


def test_number_of_threads_changes_nothing(monkeypatch):
    from cohortlab.mixture import parallel

    X = blobs(n_rows=20_000)
    fits = []
    for n_threads in (1, 2, 3):
        monkeypatch.setattr(parallel, "available_threads", lambda n_threads=n_threads: n_threads)
        fits.append(GaussianMixture(3, n_init=2, random_state=0).fit(X))
    assert len({fit.covariances_.tobytes() for fit in fits}) == 1
    assert len({fit.score_samples(X).tobytes() for fit in fits}) == 1


def test_relabelling_the_start_relabels_the_fit(ellipses, ellipses_labels):
    one = GaussianMixture(3).fit(ellipses, responsibilities=ellipses_labels)
    other = GaussianMixture(3).fit(ellipses, responsibilities=(ellipses_labels + 1) % 3)
    assert one.means_ == pytest.approx(np.roll(other.means_, -1, axis=0), rel=1e-6)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_shifting_and_scaling_all_features_shifts_and_scales_the_fit(model, ellipses):
    one = GaussianMixture(3, model, init="hierarchical", reg_covar=0).fit(ellipses)
    other = GaussianMixture(3, model, init="hierarchical", reg_covar=0)
    other.fit(ellipses * 1e3 + 1e5)
    # The same steps are taken in other units: what differs is rounding, some 1e-15 of the figures,
    # and what 1e5 takes off the last digits of the data.
    expected = one.loglik_ - ellipses.size * np.log(1e3)
    assert other.loglik_ == pytest.approx(expected, abs=1e-10 * abs(one.loglik_))
    assert (other.means_ - 1e5) / 1e3 == pytest.approx(one.means_, abs=1e-9 * ellipses.std())
    assert other.covariances_ / 1e6 == pytest.approx(one.covariances_, abs=1e-9 * ellipses.var())


def test_classification_by_a_known_partition_predicts_it():
    X = blobs()
    known = np.repeat([0, 1], 150)
    mixture = GaussianMixture(2, "VVI", max_iter=0, reg_covar=0).fit(X, responsibilities=known)
    assert mixture.means_ == pytest.approx(np.stack([X[:150].mean(0), X[150:].mean(0)]))
    assert (mixture.predict(X) == known).mean() > 0.99


def test_estimator_works_in_pipelines_with_pandas_and_float32():
    X = pd.DataFrame(blobs(), columns=["a", "b", "c"])
    pipe = make_pipeline(StandardScaler(), GaussianMixture(2, random_state=0))
    labels = pipe.fit(X).predict(X)
    assert len(set(labels[:150])) == 1
    mixture = GaussianMixture(2, random_state=0).fit(X)
    assert mixture.feature_names_in_.tolist() == ["a", "b", "c"]
    single = GaussianMixture(2, random_state=0).fit(X.astype(np.float32).to_numpy())
    assert single.score_samples(X.to_numpy()) == pytest.approx(mixture.score_samples(X), abs=1e-3)
    assert clone(mixture).get_params() == mixture.get_params()


def test_sample_recovers_the_parameters():
    mixture = GaussianMixture(2, random_state=0).fit(blobs())
    X, labels = mixture.sample(20_000, random_state=1)
    errors = []
    for component, covariance in enumerate(mixture.covariances_):
        own, share = X[labels == component], mixture.weights_[component]
        variance = np.diagonal(covariance)
        of_covariance = np.sqrt((np.outer(variance, variance) + covariance**2) / len(own))
        errors.append((len(own) / len(X) - share) / np.sqrt(share * (1 - share) / len(X)))
        errors += list(
            (own.mean(axis=0) - mixture.means_[component]) / np.sqrt(variance / len(own))
        )
        errors += list(((np.cov(own.T) - covariance) / of_covariance)[np.triu_indices(3)])
    # Twenty errors in units of their standard errors: one beyond 3.3 has a chance of 2 %, and their
    # root mean square lies between 0.5 and 1.5 with all but 1 in a thousand.
    assert np.abs(errors).max() < 3.3
    assert 0.5 < np.sqrt(np.mean(np.square(errors))) < 1.5
    again = mixture.sample(20_000, random_state=1)[0]
    assert (again == X).all()


def test_scoring_changes_nothing():
    X = blobs()
    mixture = GaussianMixture(2, random_state=0).fit(X)
    before = {name: np.copy(value) for name, value in vars(mixture).items()}
    mixture.predict(X + 1), mixture.bic(X), mixture.sample(5), mixture.uncertainty(X)
    assert all(np.array_equal(before[name], value) for name, value in vars(mixture).items())


def test_input_is_not_changed():
    X = blobs()
    kept = X.copy()
    GaussianMixture(2, random_state=0).fit(X, sample_weight=np.ones(len(X))).predict(X)
    assert (kept == X).all()


def failure_of(mixture, X):
    try:
        mixture.fit(X)
    except ValueError as error:
        return str(error)
    return ""


def fits_or_explains(X, n_components, model, reg_covar=1e-6):
    mixture = GaussianMixture(n_components, model, n_init=3, reg_covar=reg_covar, random_state=0)
    reason = failure_of(mixture, X)
    if reason:
        assert any(word in reason for word in ("decrease", "increase", "scale"))
        return None
    finite = [mixture.weights_, mixture.means_, mixture.covariances_, mixture.score_samples(X)]
    finite += [mixture.bic(X), mixture.icl(X), mixture.uncertainty(X), mixture.loglik_path_]
    assert all(np.isfinite(array).all() for array in finite)
    assert mixture.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(len(X)))
    return mixture


rng = np.random.default_rng(5)
HARD = {
    "one feature": rng.normal(size=(60, 1)),
    "duplicates": np.repeat(rng.normal(size=(12, 2)), 9, axis=0),
    "constant column": np.column_stack([rng.normal(size=(60, 2)), np.full(60, 7.0)]),
    "zeros and ones": np.column_stack([rng.normal(size=(60, 2)), rng.integers(0, 2, 60)]),
    "all zeros and ones": rng.integers(0, 2, (60, 3)).astype(float),
    "collinear": np.arange(60.0)[:, None] * [1.0, 2.0],
    "one far row": np.vstack([rng.normal(size=(60, 2)), [[1e12, 1e12]]]),
    "near 1e-8": 1e-8 * rng.normal(size=(60, 2)),
    "unequal units": rng.normal(size=(60, 2)) * [1e-8, 1e8],
    "near 1e8": 1e8 + rng.normal(size=(60, 2)),
    "fewer rows than features": rng.normal(size=(6, 10)),
    "all equal": np.ones((20, 2)),
}


def must_fit(name, n_components, reg_covar):
    """Whether every model has a fit: with a floor under variances it needs distinct rows only."""
    if name == "all equal":
        return reg_covar > 0 and n_components == 1
    if name in ("one far row", "unequal units"):
        return False  # beside a variance of 1e16 others of 1, and a floor of 1e-6, are rounding
    return reg_covar > 0 or name in ("one feature", "near 1e8", "near 1e-8")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:reg_covar=:UserWarning")
@pytest.mark.parametrize("model", MODEL_NAMES)
@pytest.mark.parametrize("name", HARD)
def test_hard_input_is_fitted_or_explained(name, model):
    for n_components in (1, 3):
        for reg_covar in (1e-6, 0):
            fit = fits_or_explains(HARD[name], n_components, model, reg_covar)
            assert fit is not None or not must_fit(name, n_components, reg_covar)


@pytest.mark.parametrize(
    ("name", "model"),
    [("all equal", "EII"), ("constant column", "VVV"), ("constant column", "EEI")],
)
def test_a_variance_of_zero_without_regularisation_is_explained(name, model):
    assert fits_or_explains(HARD[name], 1, model, 0) is None


def test_values_near_1e8_lose_no_digits_that_they_have():
    near = HARD["near 1e8"]
    one = GaussianMixture(2, init="hierarchical").fit(near)
    other = GaussianMixture(2, init="hierarchical").fit(near - 1e8)
    assert one.loglik_ == pytest.approx(other.loglik_, rel=1e-6)


def test_values_near_1e_minus_8_warn_that_regularisation_hides_them():
    X = HARD["one feature"] * 1e-8
    with pytest.warns(UserWarning, match="scale the input or decrease reg_covar"):
        GaussianMixture(2, random_state=0).fit(X)
    free = GaussianMixture(2, "E", reg_covar=0, random_state=0).fit(X)
    plain = GaussianMixture(2, "E", reg_covar=0, random_state=0).fit(X * 1e8)
    assert np.sort(free.means_ * 1e8, axis=0) == pytest.approx(
        np.sort(plain.means_, axis=0), rel=1e-4
    )


def test_one_component_has_a_closed_form():
    X = blobs()
    mixture = GaussianMixture(1, reg_covar=0).fit(X)
    assert mixture.means_[0] == pytest.approx(X.mean(axis=0))
    assert mixture.covariances_[0] == pytest.approx(np.cov(X.T, bias=True))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_as_many_components_as_rows_fit_or_explain():
    X = np.random.default_rng(0).normal(size=(5, 2))
    for model in MODEL_NAMES:
        fits_or_explains(X, 5, model)
    with pytest.raises(ValueError, match="decrease n_components"):
        GaussianMixture(6).fit(X)
    with pytest.raises(ValueError, match="only 12 distinct rows"):
        GaussianMixture(13).fit(HARD["duplicates"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": [-1.0, *[1.0] * 299]}, r"sample_weight\[0\] is -1.0"),
        ({"sample_weight": np.zeros(300)}, "zero for every row"),
        ({"sample_weight": np.ones(7)}, "one weight a row"),
        ({"sample_weight": np.ones((300, 1))}, "one weight a row"),
        ({"sample_weight": [np.nan, *[1.0] * 299]}, r"sample_weight\[0\] is nan"),
        ({"sample_weight": [*[1.0] * 299, np.inf]}, r"sample_weight\[299\] is inf"),
        ({"sample_weight": np.full(300, 1e307)}, "no finite sum"),
        ({"sample_weight": ["heavy"] * 300}, "expected numbers of zero or more"),
        ({"sample_weight": np.ones(300) * 1j}, "complex128; expected numbers"),
        ({"responsibilities": np.full(300, 2)}, "component numbers from 0 to 1"),
        ({"responsibilities": np.zeros(300, dtype=int)}, "gives? component 1 no weight"),
        ({"responsibilities": np.full((300, 2), 0.4)}, "sum to one"),
        ({"responsibilities": np.ones((300, 3))}, "expected"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2).fit(blobs(), **arguments)


def test_values_too_large_to_square_are_refused():
    with pytest.raises(ValueError, match=r"Column 1 reaches 1e\+200"):
        GaussianMixture(1).fit(np.array([[0.0, 1e200], [1.0, 0.0]]))


def test_columns_too_small_to_square_are_refused():
    X = np.random.default_rng(0).normal(size=(30, 2)) * [1.0, 1e-160]
    with pytest.raises(ValueError, match=r"Column 1 reaches no more than .*scale the input"):
        GaussianMixture(1).fit(X)
    scores = GaussianMixture(1).fit(X * [1.0, 1e160]).score_samples(X)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("n_samples", [-1, 1.5, "3"])
def test_only_a_whole_number_of_rows_is_drawn(n_samples):
    mixture = GaussianMixture(1).fit(blobs())
    assert mixture.sample(0)[0].shape == (0, 3)
    with pytest.raises(ValueError, match="expected a whole number of 0 or more"):
        mixture.sample(n_samples)


def test_stopping_early_is_said():
    with pytest.warns(ConvergenceWarning, match="increase max_iter"):
        GaussianMixture(3, max_iter=2, tol=0, random_state=0).fit(blobs())


@pytest.mark.parametrize("init", ["kmeans++", "random", "hierarchical", "mixed"])
def test_every_start_finds_two_far_groups(init):
    X = blobs()
    mixture = GaussianMixture(2, init=init, n_init=4, random_state=0).fit(X)
    labels = mixture.predict(X)
    assert len(set(labels[:150])) == len(set(labels[150:])) == 1
    assert labels[0] != labels[-1]


@pytest.mark.parametrize("model", ["EII", "EEE", "VEE", "EVE", "VVE", "VVV"])
def test_a_start_does_not_depend_on_what_starts_beside_it(model):
    rows, family = collapse_rows(blobs()), resolve_model(model, 3)
    seed = np.random.SeedSequence(1)
    cuts = make_partitions(draw_samples(rows, 4, seed), 3, "random", 4, seed)
    together = starts_from_labels(cuts, 3, family, 1e-6)
    for place, cut in enumerate(cuts):
        alone = start_from_labels(*cut, 3, family, 1e-6)
        assert alone.covariances[0].tobytes() == together.covariances[place].tobytes()
        assert alone.means[0].tobytes() == together.means[place].tobytes()


@pytest.mark.parametrize("init", ["kmeans++", "random"])
def test_every_start_has_all_groups_where_rounding_merges_the_rows(init):
    # 60 rows that one far row, once standardised, leaves in one place but for the last digits.
    X = np.vstack([np.random.default_rng(5).normal(size=(60, 2)), [[1e15, 1e15]]])
    rows = collapse_rows(X)
    samples = draw_samples(rows, 4, np.random.SeedSequence(0))
    for turn in range(8):
        labels = partition(samples, 5, init, np.random.default_rng(turn), turn=turn)[1]
        assert np.unique(labels).tolist() == list(range(5))


def test_hierarchical_starts_use_no_randomness():
    fits = [GaussianMixture(3, init="hierarchical", random_state=s).fit(blobs()) for s in (0, 1)]
    assert fits[0].means_.tobytes() == fits[1].means_.tobytes()


def test_what_rows_without_weight_hold_is_as_good_as_absent():
    X = np.random.default_rng(0).normal(size=(40, 2)) + np.repeat([[0, 0], [9, 0]], 20, axis=0)
    names = np.repeat(["left", "right"], 20)
    alone = GaussianMixture(2).fit(X, responsibilities=names)
    odd = GaussianMixture(2).fit(
        np.concatenate([X, [[1.0, 1e160]]]),
        sample_weight=np.append(np.ones(40), 0),
        responsibilities=np.append(names, "nowhere"),
    )
    assert odd.classes_.tolist() == ["left", "right"]
    assert odd.means_ == pytest.approx(alone.means_)
    with pytest.raises(ValueError, match="but n_samples=2"):
        GaussianMixture(3).fit(X, sample_weight=np.eye(40)[0] + np.eye(40)[1])


def test_fractions_in_the_place_of_y_are_warned_of_as_weights():
    X, rng = np.random.default_rng(0).normal(size=(40, 2)), np.random.default_rng(1)
    with pytest.warns(UserWarning, match=r"if these are weights, pass fit\(X, sample_weight=w\)"):
        GaussianMixture(2, n_init=1).fit(X, rng.uniform(0.5, 1.5, 40))
    GaussianMixture(2, n_init=1).fit(X, rng.normal(size=40))
    GaussianMixture(2, n_init=1).fit(X, rng.integers(0, 9, 40) * 1.0)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_rows_without_weight_may_hold_anything(value):
    X = np.random.default_rng(0).normal(size=(40, 2))
    spoilt, weight = X.copy(), np.ones(40)
    spoilt[3, 1], weight[3] = value, 0.0
    fit = GaussianMixture(2, n_init=2, random_state=0).fit(spoilt, sample_weight=weight)
    other = GaussianMixture(2, n_init=2, random_state=0).fit(np.delete(X, 3, axis=0))
    assert fit.means_.tobytes() == other.means_.tobytes()
    for refuse in (GaussianMixture(2).fit, fit.predict):
        with pytest.raises(ValueError, match=r"Column 1 holds .* in 1 row;.*weight zero"):
            refuse(spoilt)
