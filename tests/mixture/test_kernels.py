"""Kernels against plain twins."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from cohortlab.mixture import collapse, density, kernels, passes
from cohortlab.mixture.acceleration import extrapolate, pack, unpack
from cohortlab.mixture.collapse import collapse_rows, subset_rows
from cohortlab.mixture.covariance import estimate_covariances
from cohortlab.mixture.density import compact, expand
from cohortlab.mixture.em import expect, maximise, moments_of
from cohortlab.mixture.initial import stack
from cohortlab.mixture.models import MODEL_NAMES, resolve_model
from cohortlab.mixture.parallel import workers
from cohortlab.mixture.passes import chunks_of


def some_rows(seed=0, n_rows=500, n_features=3):
    return np.random.default_rng(seed).normal(size=(n_rows, n_features)).round(1)


def some_fits(rows, model, n_components=3, n_fits=2):
    family = resolve_model(model, rows.n_features)
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.ones(n_components), (n_fits, rows.n_distinct))
    moments = moments_of(rows, np.swapaxes(shares, 1, 2), family)
    return maximise(moments, family, reg_covar=1e-3)[0], family


def plain_expectation(rows, parameters, family):
    """Compute one E-step and its moments row by row, the way a textbook writes them."""
    covariances = expand(parameters, family)
    logs = np.stack(
        [
            np.log(weight) + multivariate_normal(mean, covariance).logpdf(rows.values.T)
            for weight, mean, covariance in zip(
                parameters.weights[0], parameters.means[0], covariances, strict=True
            )
        ]
    )
    row_log = logsumexp(logs, axis=0)
    return float(rows.weights @ row_log), np.exp(logs - row_log)


@pytest.mark.parametrize("route", ["products", "direct"])
@pytest.mark.parametrize("model", MODEL_NAMES)
def test_one_e_step_is_the_plain_one(model, route, monkeypatch):
    rows = collapse_rows(some_rows(), np.random.default_rng(2).integers(1, 4, 500).astype(float))
    fits, family = some_fits(rows, model)
    monkeypatch.setattr(density, "_LARGEST_CANCELLATION", -1.0 if route == "direct" else 1e9)
    with workers() as run:
        moments, valid = expect(rows, fits, family, run)
    assert valid.all()
    for fit in range(2):
        loglik, shares = plain_expectation(rows, fits.take(np.array([fit])), family)
        expected = moments_of(rows, shares[None], family)
        assert moments.loglik[fit] == pytest.approx(loglik, rel=1e-12)
        assert moments.counts[fit] == pytest.approx(expected.counts[0], rel=1e-10)
        assert moments.means[fit] == pytest.approx(expected.means[0], abs=1e-10)
        assert moments.scatter[fit] == pytest.approx(expected.scatter[0], abs=1e-8)


@pytest.mark.parametrize("model", ["EEE", "VVI", "VVV"])
def test_compiled_pass_is_its_numpy_twin(model):
    weights = np.random.default_rng(5).uniform(0.5, 2.0, 1100)
    rows = collapse_rows(some_rows(n_rows=1100, n_features=5), weights)
    fits, family = some_fits(rows, model, n_components=4, n_fits=3)
    terms = density.coefficients(fits, family)
    given = rows, family, terms, fits.means
    compiled, plain = passes.choose_pass(*given), passes.PlainPass(*given)
    assert not isinstance(compiled, passes.PlainPass)
    for bounds in ((0, rows.n_distinct), (17, 18), (300, 901)):
        loglik, sums, *_ = compiled(bounds)
        expected = plain(bounds)
        assert loglik == pytest.approx(expected[0], rel=1e-13)
        assert sums == pytest.approx(expected[1], rel=1e-11, abs=1e-11)


def test_compiled_exponential_is_numpys_but_never_below_its_floor():
    logs = -np.concatenate([[0.0, 1e-300, 1e-17, np.log(2) / 2], np.linspace(0, 700, 5001)])
    found, power = logs.copy(), np.empty(len(logs), dtype=np.int64)
    kernels.exponential(found, power, power.view(np.float64))
    # The argument is reduced with rounding of its own size: 700 units of 1e-16 and a bit.
    assert found == pytest.approx(np.exp(logs), rel=1e-13)
    assert found[logs > -10] == pytest.approx(np.exp(logs[logs > -10]), rel=2e-15)
    low = np.array([-701.0, -1e9, -np.inf])
    kernels.exponential(low, power, power.view(np.float64))
    assert low == pytest.approx(np.full(3, np.exp(-700)), rel=1e-12)


def test_a_component_without_weight_takes_no_rows_in_the_compiled_pass():
    rows = collapse_rows(some_rows(n_rows=300))
    fits, family = some_fits(rows, "VVV")
    weights = fits.weights.copy()
    weights[:, 0] = 0.0
    empty = density.Parameters(weights, fits.means, fits.covariances, fits.carried)
    with workers() as run:
        moments = expect(rows, empty, family, run)[0]
    assert np.isfinite(moments.loglik).all()
    assert (moments.counts[:, 0] < 1e-250).all()


def test_fits_run_together_or_alone_are_the_same():
    rows = collapse_rows(some_rows(n_rows=3000))
    fits, family = some_fits(rows, "VVV")
    with workers() as run:
        both = expect(rows, fits, family, run)[0]
        alone = expect(rows, fits.take(np.array([1])), family, run)[0]
    assert alone.loglik[0] == pytest.approx(both.loglik[1], rel=1e-13)
    assert alone.scatter[0] == pytest.approx(both.scatter[1], rel=1e-10)


def test_a_narrow_component_far_from_the_centre_keeps_its_digits():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (500, 2)), 1e4 + rng.normal(0, 1e-4, (500, 2))])
    rows, family = collapse_rows(X), resolve_model("VVV", 2)
    weights, means = np.full(2, 0.5), np.array([[0.0, 0.0], [1e4, 1e4]]) - rows.centre
    covariances = np.stack([np.eye(2), 1e-8 * np.eye(2)])
    fit = compact(weights, means, covariances, family)
    loglik = plain_expectation(rows, fit, family)[0]
    with workers() as run:
        moments = expect(rows, fit, family, run)[0]
    # Numbers near 1e4 are rounded to 1e-12, which is 1e-8 of the narrow spread: no route from
    # centred rows can have more digits than that.
    assert moments.loglik[0] == pytest.approx(loglik, rel=1e-8)
    assert moments.scatter[0, 1] / 500 == pytest.approx(1e-8 * np.eye(2), abs=2e-9)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_m_step_beats_every_neighbour(model):
    """Nudged parameters of the same model never have a higher expected log-likelihood."""
    rows = collapse_rows(some_rows(n_rows=200, n_features=2))
    family = resolve_model(model, 2)
    shares = np.random.default_rng(3).dirichlet(np.ones(2), rows.n_distinct).T[None]
    moments = moments_of(rows, shares, family)
    carried = None
    for _ in range(50):  # the iterative models settle
        covariances, carried = estimate_covariances(
            model, moments.counts, moments.scatter, carried=carried
        )

    def expected_log(matrices, scatter):
        logdet = np.linalg.slogdet(matrices)[1]
        trace = np.trace(np.linalg.solve(matrices, scatter), axis1=-2, axis2=-1)
        return -(moments.counts[0] * logdet + trace).sum() / 2

    free = resolve_model("VVV", 2)
    scatter = moments_of(rows, shares, free).scatter[0]
    parameters = density.Parameters(moments.counts, moments.means, covariances, carried)
    best = expected_log(expand(parameters, family), scatter)
    rng = np.random.default_rng(4)
    for _ in range(40):
        # A neighbour within the model: the M-step of slightly wrong scatter.
        factor = 1 + 0.02 * rng.normal(size=(2, 2))
        nudged = scatter * (factor @ factor.T) / 4 * 2
        given = nudged.sum(axis=0, keepdims=True) if family.pooled else nudged
        given = np.diagonal(given, axis1=-2, axis2=-1) if family.diagonal else given
        other = estimate_covariances(model, moments.counts, given[None])[0]
        neighbour = density.Parameters(moments.counts, moments.means, other, carried)
        assert expected_log(expand(neighbour, family), scatter) <= best + 1e-8 * abs(best)


def test_collapsing_keeps_every_row_once():
    X = np.random.default_rng(0).integers(0, 3, (1000, 3)).astype(float)
    rows = collapse_rows(X)
    expected, counts = np.unique(X, axis=0, return_counts=True)
    found = (rows.values + rows.centre[:, None]).T
    order = np.lexsort(found.T[::-1])
    assert found[order] == pytest.approx(expected, abs=1e-12)
    assert (rows.weights[order] == counts).all()
    assert (rows.values.T[rows.inverse] + rows.centre) == pytest.approx(X, abs=1e-12)


def test_collapsing_does_not_depend_on_the_order_of_rows_or_on_the_sign_of_zero():
    X = np.random.default_rng(0).integers(0, 3, (1000, 3)) * 0.1
    weight = np.random.default_rng(1).random(1000)
    order = np.random.default_rng(2).permutation(1000)
    one, other = collapse_rows(X, weight), collapse_rows(X[order], weight[order])
    assert one.values.tobytes() == other.values.tobytes()
    assert one.weights.tobytes() == other.weights.tobytes()
    assert collapse_rows(np.array([[0.0], [-0.0]])).n_distinct == 1


def test_rows_with_one_key_are_told_apart(monkeypatch):
    X = np.random.default_rng(0).integers(0, 3, (200, 2)).astype(float)
    expected = collapse_rows(X).n_distinct
    monkeypatch.setattr(collapse, "row_keys", lambda X: np.zeros(len(X), dtype=np.uint64))
    rows = collapse_rows(X)
    assert rows.n_distinct == expected
    assert rows.weights.sum() == 200


def test_a_sample_of_rows_keeps_the_weight_and_the_means():
    rows = collapse_rows(some_rows(n_rows=20_000), None)
    sample = subset_rows(rows, 1000, np.random.default_rng(0))
    assert sample.total_weight == pytest.approx(rows.total_weight)
    # The standard error of a mean of a thousand draws is 0.03.
    assert sample.values @ sample.weights / rows.total_weight == pytest.approx(
        np.zeros(3), abs=0.15
    )


def test_chunks_cover_all_rows_once():
    for n_rows in (1, 8192, 8193, 1_000_003):
        bounds = chunks_of(n_rows)
        assert bounds[0][0] == 0
        assert bounds[-1][1] == n_rows
        assert all(one[1] == other[0] for one, other in pairwise(bounds))


@pytest.mark.parametrize("model", ["EEE", "VVI", "VVV", "EII"])
def test_packed_moments_come_back(model):
    rows = collapse_rows(some_rows())
    family = resolve_model(model, 3)
    shares = np.random.default_rng(0).dirichlet(np.ones(4), (2, rows.n_distinct))
    moments = moments_of(rows, np.swapaxes(shares, 1, 2), family)
    size, scales = np.full(2, rows.total_weight), rows.scales() * np.array([[1.0], [3.0]])
    back = unpack(pack(moments, size, scales), moments, size, scales)
    assert back.counts == pytest.approx(moments.counts)
    assert back.means == pytest.approx(moments.means)
    assert back.scatter == pytest.approx(moments.scatter)


def test_extrapolation_finds_the_limit_of_a_geometric_sequence():
    limit, start = np.array([[3.0, -1.0]]), np.array([[0.0, 0.0]])
    steps = [limit + 0.9**power * (start - limit) for power in range(3)]
    assert extrapolate(*steps) == pytest.approx(limit)


def test_starts_side_by_side_keep_their_order():
    rows = collapse_rows(some_rows())
    fits, _ = some_fits(rows, "VEE")
    one, other = fits.take(np.array([0])), fits.take(np.array([1]))
    joined = stack([one, other])
    assert (joined.means == fits.means).all()
    assert (joined.carried.volume == fits.carried.volume).all()


def test_blocks_hold_many_features():
    assert passes.block_rows(10_000) == 128
