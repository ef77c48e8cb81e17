import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import hyp2f1, roots_genlaguerre, roots_jacobi

from cohortlab.lifetime import (
    BgNbd,
    GammaGamma,
    fit_bg_nbd,
    purchase_history,
    simulate_purchases,
)

PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
MODELS = [PUBLISHED, BgNbd(2.0, 12.0, 1.7, 3.0), BgNbd(0.6, 1.5, 0.3, 0.9)]
SPENDING = GammaGamma(p=6.0, q=4.0, gamma=15.0)
CUSTOMERS = [(0, 0.0, 0.0), (0, 0.0, 30.0), (1, 2.0, 30.0), (4, 28.5, 30.0), (9, 11.0, 38.0)]


def known(rows):
    return pd.DataFrame(rows, columns=["n_repeats", "last_weeks", "age_weeks"])


def simulated(model, n_customers, seed):
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 12, n_customers)
    return purchase_history(simulate_purchases(model, SPENDING, first, until=52, rng=rng), until=52)


def posterior(model, customer, value):
    """Integrate `value` over the rates and chances of leaving, by quadratures for their laws."""
    x, last, age = customer
    on_gamma, gamma_weights = roots_genlaguerre(150, model.r - 1)
    on_beta, beta_weights = roots_jacobi(60, model.b - 1, model.a - 1)
    rate, p = np.meshgrid(on_gamma / model.alpha, (on_beta + 1) / 2)
    weights = beta_weights[:, None] * gamma_weights
    alive = (1 - p) ** x * rate**x * np.exp(-rate * age)
    gone = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * last) if x else 0.0
    return (weights * value(alive, gone, rate, p)).sum() / weights.sum()


@pytest.mark.parametrize("customer", CUSTOMERS[2:])
def test_likelihood_and_aliveness_are_integrals_over_rates_and_chances_of_leaving(customer):
    model = MODELS[1]
    whole = posterior(model, customer, lambda alive, gone, rate, p: alive + gone)
    alive = posterior(model, customer, lambda alive, gone, rate, p: alive)
    assert np.exp(model.log_likelihood(known([customer]))[0]) == pytest.approx(whole, rel=1e-7)
    assert model.probability_alive(known([customer]))[0] == pytest.approx(alive / whole, rel=1e-7)


@pytest.mark.parametrize("customer", CUSTOMERS[1:])
def test_expected_purchases_are_an_integral_over_rates_and_chances_of_leaving(customer):
    model, weeks = MODELS[1], 20.0

    def coming(alive, gone, rate, p):
        return alive * -np.expm1(-rate * p * weeks) / p

    whole = posterior(model, customer, lambda alive, gone, rate, p: alive + gone)
    expected = posterior(model, customer, coming) / whole
    found = model.expected_purchases(weeks, known([customer]))[0]
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weeks", [0.01, 39.0, 500.0])
def test_expected_purchases_agree_with_the_closed_form(model, weeks):
    history = known(CUSTOMERS)
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    x, last, age = history.to_numpy(dtype=float).T
    z = weeks / (alpha + age + weeks)
    power = ((alpha + age) / (alpha + age + weeks)) ** (r + x)
    closed = (a + b + x - 1) / (a - 1) * (1 - power * hyp2f1(r + x, b + x, a + b + x - 1, z))
    gone = a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + last)) ** (r + x)
    closed /= 1 + np.where(x > 0, gone, 0.0)
    np.testing.assert_allclose(model.expected_purchases(weeks, history), closed, rtol=1e-8)
    new = (a + b - 1) / (a - 1)
    new *= 1 - (alpha / (alpha + weeks)) ** r * hyp2f1(r, b, a + b - 1, weeks / (alpha + weeks))
    assert float(model.expected_purchases(weeks)) == pytest.approx(new, rel=1e-8)


@pytest.mark.parametrize(
    ("model", "x", "age"),
    [
        (BgNbd(1.0, 10.0, 13_444.0, 98_718.0), 3, 40.0),
        (BgNbd(0.01, 1.0, 5.0, 1e5), 400, 50.0),
        (BgNbd(1.0, 10.0, 0.01, 0.01), 1, 40.0),
        (BgNbd(1.0, 10.0, 0.01, 1e4), 2000, 40.0),
        (BgNbd(3.0, 5.0, 1e5, 1e5), 1, 20.0),
        (BgNbd(1.0, 1.0, 1.0, 1.0), 1, 1.0),
    ],
)
def test_expected_purchases_hold_where_the_closed_form_overflows_or_divides_by_zero(model, x, age):
    weeks, law = 13.0, stats.beta(model.a, model.b + x)
    scaled = weeks / (model.alpha + age)

    def purchases(share):
        p = max(law.ppf(share), 1e-300)
        return -np.expm1(-(model.r + x) * np.log1p(p * scaled)) / p

    alive = quad(purchases, 0, 1, limit=500, epsabs=1e-12, epsrel=1e-11)[0]
    history = known([(x, age, age)])
    expected = alive * model.probability_alive(history)[0]
    assert model.expected_purchases(weeks, history)[0] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("weeks", [0.0, 3.0, 39.0])
def test_probabilities_of_counts_sum_to_one_and_have_the_expected_mean(model, weeks):
    counts = np.arange(3000)
    shares = model.purchase_probabilities(counts, weeks)
    assert shares.sum() == pytest.approx(1, abs=1e-6)
    mean = float(model.expected_purchases(weeks))
    assert shares @ counts == pytest.approx(mean, rel=1e-4, abs=1e-12)


def test_probabilities_of_counts_are_the_frequencies_of_simulated_ones():
    rng = np.random.default_rng(3)
    log = simulate_purchases(PUBLISHED, SPENDING, np.zeros(40_000), until=39.0, rng=rng)
    counts = purchase_history(log, until=39.0)["n_repeats"].clip(upper=8).value_counts(sort=False)
    shares = PUBLISHED.purchase_probabilities(np.arange(8), 39.0)
    expected = 40_000 * np.append(shares, 1 - shares.sum())
    assert stats.chisquare(counts.sort_index(), expected).pvalue > 0.001


def test_who_never_came_back_is_alive_and_silence_makes_doubtful():
    history = known([(0, 0.0, 50.0), (3, 10.0, 11.0), (3, 10.0, 20.0), (3, 10.0, 50.0)])
    alive = PUBLISHED.probability_alive(history)
    assert alive[0] == 1
    assert (np.diff(alive[1:]) < 0).all()


@pytest.mark.parametrize("name", ["r", "alpha", "a", "b"])
def test_the_fit_is_where_the_likelihood_is_highest(name):
    history = simulated(PUBLISHED, 1500, 7)
    fit = fit_bg_nbd(history)
    best = fit.model.log_likelihood(history).sum()
    assert best == pytest.approx(fit.log_likelihood, abs=1e-6)
    for factor in (0.98, 1.02):
        moved = BgNbd(**(vars(fit.model) | {name: getattr(fit.model, name) * factor}))
        assert moved.log_likelihood(history).sum() < best


def test_planted_parameters_return_within_their_standard_errors():
    z = []
    for seed in range(6):
        table = fit_bg_nbd(simulated(MODELS[1], 4000, seed)).table
        planted = np.array(list(vars(MODELS[1]).values()))
        z.append(np.log(table["estimate"] / planted) * table["estimate"] / table["error"])
    z = np.array(z)
    # 24 standard normal values, of which those of one seed hang together.
    assert np.abs(z).max() < 3.5
    assert 0.4 < np.sqrt((z**2).mean()) < 1.7


def test_where_nobody_leaves_everybody_is_alive():
    stays = BgNbd(r=1.5, alpha=6.0, a=1e-4, b=10.0)
    history = simulated(stays, 3000, 1)
    fit = fit_bg_nbd(history)
    assert fit.model.probability_alive(history).mean() > 0.98
    assert any("hardly bound" in note or "runs to" in note for note in fit.notes)


def test_the_unit_of_time_moves_alpha_alone():
    history = simulated(PUBLISHED, 1500, 2)
    days = history.assign(last_weeks=history["last_weeks"] * 7, age_weeks=history["age_weeks"] * 7)
    in_weeks, in_days = fit_bg_nbd(history).table, fit_bg_nbd(days).table
    ratio = in_days["estimate"] / in_weeks["estimate"]
    np.testing.assert_allclose(ratio, [1, 7, 1, 1], rtol=1e-4)


def test_twice_the_customers_give_the_same_estimates_and_smaller_errors():
    history = simulated(PUBLISHED, 1500, 2)
    once, twice = fit_bg_nbd(history).table, fit_bg_nbd(pd.concat([history, history])).table
    np.testing.assert_allclose(twice["estimate"], once["estimate"], rtol=1e-4)
    np.testing.assert_allclose(once["error"] / twice["error"], np.sqrt(2), rtol=1e-3)


def test_all_starts_reach_one_optimum():
    starts = fit_bg_nbd(simulated(PUBLISHED, 1500, 5)).starts
    assert len(starts) >= 5
    assert np.ptp(starts["log_likelihood"]) < 1e-4


def test_a_log_without_repeats_is_refused():
    with pytest.raises(ValueError, match="no repeat purchase to learn from"):
        fit_bg_nbd(known([(0, 0.0, 5.0), (0, 0.0, 9.0)]))


@pytest.mark.parametrize(
    "row", [(1, 0.0, 9.0), (0, 3.0, 9.0), (2, 10.0, 9.0), (1.5, 3.0, 9.0), (np.nan, 3.0, 9.0)]
)
def test_an_impossible_history_is_refused_with_its_customer(row):
    history = known([(1, 2.0, 3.0), row])
    history.index = ["first", "second"]
    with pytest.raises(ValueError, match="customer second"):
        PUBLISHED.log_likelihood(history)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_impossible_parameters_are_refused(value):
    with pytest.raises(ValueError, match="four positive finite"):
        BgNbd(1.0, value, 1.0, 1.0)
