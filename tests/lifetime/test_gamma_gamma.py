import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.integrate import quad

from cohortlab.lifetime import GammaGamma, fit_gamma_gamma

PLANTED = GammaGamma(p=6.25, q=3.74, gamma=15.44)


def spent(n_repeats, mean_value):
    return pd.DataFrame({"n_repeats": n_repeats, "mean_value": mean_value})


def simulated(n_customers, seed, model=PLANTED):
    rng = np.random.default_rng(seed)
    repeats = 1 + rng.poisson(2, n_customers)
    rates = rng.gamma(model.q, 1 / model.gamma, n_customers)
    return spent(repeats, rng.gamma(model.p * repeats, 1 / rates) / repeats)


@pytest.mark.parametrize(("x", "mean"), [(1, 20.0), (3, 55.0), (12, 8.0)])
def test_likelihood_and_expectation_are_integrals_over_customers_rates(x, mean):
    def joint(rate):
        likelihood = stats.gamma(PLANTED.p * x, scale=1 / (rate * x)).pdf(mean)
        return likelihood * stats.gamma(PLANTED.q, scale=1 / PLANTED.gamma).pdf(rate)

    whole = quad(joint, 0, np.inf)[0]
    value = quad(lambda rate: joint(rate) * PLANTED.p / rate, 0, np.inf)[0] / whole
    customer = spent([x], [mean])
    assert np.exp(PLANTED.log_likelihood(customer)[0]) == pytest.approx(whole, rel=1e-6)
    assert PLANTED.expected_value(customer)[0] == pytest.approx(value, rel=1e-6)


def test_who_never_came_back_is_expected_to_spend_the_mean_of_all():
    value = PLANTED.expected_value(spent([0, 1000], [np.nan, 80.0]))
    assert value[0] == pytest.approx(PLANTED.mean_value)
    assert value[1] == pytest.approx(80, rel=0.01)


def test_an_infinite_expectation_is_missing_and_a_finite_one_is_not():
    heavy = GammaGamma(p=2.0, q=0.9, gamma=5.0)
    assert np.isnan(heavy.expected_value(spent([0], [np.nan]))[0])
    assert heavy.expected_value(spent([3], [10.0]))[0] > 0
    assert heavy.mean_value == np.inf


def test_planted_parameters_return_within_their_standard_errors():
    planted = np.array(list(vars(PLANTED).values()))
    z = []
    for seed in range(6):
        table = fit_gamma_gamma(simulated(3000, seed)).table
        z.append(np.log(table["estimate"] / planted) * table["estimate"] / table["error"])
    z = np.array(z)
    assert np.abs(z).max() < 3.5
    assert 0.4 < np.sqrt((z**2).mean()) < 1.7


def test_the_currency_moves_gamma_alone():
    history = simulated(2000, 1)
    pence = history.assign(mean_value=history["mean_value"] * 100)
    ratio = fit_gamma_gamma(pence).table["estimate"] / fit_gamma_gamma(history).table["estimate"]
    np.testing.assert_allclose(ratio, [1, 1, 100], rtol=1e-4)


def test_customers_without_a_paid_repeat_say_nothing():
    history = simulated(500, 2)
    silent = spent([0, 2], [np.nan, 0.0])
    with_silent = fit_gamma_gamma(pd.concat([history, silent], ignore_index=True))
    pd.testing.assert_frame_equal(with_silent.table, fit_gamma_gamma(history).table)


def test_too_few_repeats_are_refused():
    with pytest.raises(ValueError, match="1 of 2 customers have a repeat purchase"):
        fit_gamma_gamma(spent([0, 3], [np.nan, 20.0]))
    with pytest.raises(ValueError, match="expected at least one repeat"):
        PLANTED.log_likelihood(spent([0], [np.nan]))
