import numpy as np
import pytest

from cohortlab.lifetime import (
    BgNbd,
    GammaGamma,
    fit_bg_nbd,
    hold_out,
    outlook,
    purchase_history,
    simulate_purchases,
)

BUYING = BgNbd(r=0.8, alpha=5.0, a=0.8, b=2.4)
SPENDING = GammaGamma(p=6.0, q=4.0, gamma=15.0)


@pytest.fixture(scope="module")
def log():
    rng = np.random.default_rng(11)
    return simulate_purchases(BUYING, SPENDING, rng.uniform(0, 12, 2500), until=78.0, rng=rng)


@pytest.fixture(scope="module")
def held(log):
    return hold_out(log, split=39.0)


def test_predictions_add_up_to_what_happens_where_the_model_is_true(log, held):
    actual = held.customers["actual"]
    error = np.sqrt(len(actual)) * (actual - held.customers["predicted"]).std()
    assert abs(held.figures["predicted"] - held.figures["actual"]) < 3.5 * error
    assert held.figures["actual"] == ((log["week"] > 39) & log["week"].le(78)).sum()


def test_own_rates_carried_on_foresee_too_much_because_customers_leave(held):
    assert held.figures["naive"] > 1.3 * held.figures["actual"]
    assert held.figures["predicted_error"] < held.figures["naive_error"]


def test_the_fit_has_not_seen_what_it_predicts(log, held):
    alone = fit_bg_nbd(purchase_history(log[log["week"] <= 39], until=39.0))
    assert held.fit.model == alone.model


def test_histories_of_all_lengths_are_shown(held):
    assert held.by_repeats.index.tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
    assert held.by_repeats["customers"].sum() == 2500
    busy = held.customers[held.customers["n_repeats"] >= 7]
    assert held.by_repeats.loc["7+", "predicted"] == pytest.approx(busy["predicted"].mean())


@pytest.mark.parametrize("week", [0, 5, 39, 77])
def test_tracking_counts_repeat_purchases_up_to_each_week(log, held, week):
    row = held.tracking.set_index("week").loc[week]
    repeats = log[log.duplicated("customer_id") & (log["week"] <= week)]
    assert row["actual"] == len(repeats)
    born = log.groupby("customer_id")["week"].min()
    ages = np.maximum(week - born.to_numpy(), 0)
    expected = held.fit.model.expected_purchases(ages).sum()
    assert row["expected"] == pytest.approx(expected)


def test_a_split_at_the_end_is_refused(log):
    with pytest.raises(ValueError, match="not before the end of the log"):
        hold_out(log, split=log["week"].max())


def test_value_is_purchases_times_what_each_is_worth(log):
    history = purchase_history(log, until=78.0)
    known = outlook(history, BUYING, SPENDING, weeks=26.0)
    np.testing.assert_allclose(
        known["expected_value"], known["expected_purchases"] * known["expected_spend"]
    )
    np.testing.assert_allclose(known["probability_alive"], BUYING.probability_alive(history))
    assert known.index.equals(history.index)


def test_simulated_spending_and_leaving_follow_the_planted_means():
    rng = np.random.default_rng(4)
    log = simulate_purchases(BUYING, SPENDING, np.zeros(20_000), until=30.0, rng=rng)
    means = log.groupby("customer_id")["value"].mean()
    error = means.std() / np.sqrt(len(means))
    assert abs(means.mean() - SPENDING.mean_value) < 4 * error
    counts = log.groupby("customer_id").size() - 1
    error = counts.std() / np.sqrt(len(counts))
    assert abs(counts.mean() - float(BUYING.expected_purchases(30.0))) < 4 * error


def test_nobody_begins_after_the_end():
    with pytest.raises(ValueError, match="the end is 3"):
        simulate_purchases(BUYING, SPENDING, [5.0], until=3.0, rng=np.random.default_rng(1))
