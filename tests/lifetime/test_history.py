import numpy as np
import pandas as pd
import pytest

from cohortlab.lifetime import in_weeks, purchase_history, purchases_between


def random_days(seed, n_rows=400):
    rng = np.random.default_rng(seed)
    day = pd.Timestamp("1997-01-01") + pd.to_timedelta(rng.integers(0, 100, n_rows), unit="D")
    hour = pd.to_timedelta(rng.integers(0, 24, n_rows), unit="h")
    return pd.DataFrame(
        {"customer_id": rng.integers(0, 60, n_rows), "day": day + hour, "value": rng.random(n_rows)}
    )


@pytest.mark.parametrize("seed", range(3))
def test_histories_are_those_of_each_customer_alone(seed):
    days = random_days(seed)
    days["date"] = days["day"].dt.normalize()
    start, until = days["date"].min(), 50 / 7
    history = purchase_history(in_weeks(days), until=until)
    seen = days[days["date"] <= start + pd.Timedelta(days=50)]
    assert set(history.index) == set(seen["customer_id"])
    for customer, own in seen.groupby("customer_id"):
        dates = sorted(own["date"].unique())
        daily = own.groupby("date")["value"].sum()
        row = history.loc[customer]
        assert row["n_repeats"] == len(dates) - 1
        assert row["last_weeks"] == pytest.approx((dates[-1] - dates[0]).days / 7)
        assert row["age_weeks"] == pytest.approx(50 / 7 - (dates[0] - start).days / 7)
        if len(dates) > 1:
            assert row["mean_value"] == pytest.approx(daily.loc[dates[1:]].mean())
        else:
            assert np.isnan(row["mean_value"])


def test_later_purchases_are_counted_between_both_ends():
    log = pd.DataFrame({"customer_id": [1, 1, 1, 2, 3], "week": [0, 4, 6, 5, 7.0], "value": 1.0})
    counted = purchases_between(log, pd.Index([1, 2, 9]), 4, 6)
    assert counted.to_dict() == {1: 1, 2: 1, 9: 0}


def test_a_log_of_one_day_has_ages_of_zero():
    log = in_weeks(random_days(1).assign(day=pd.Timestamp("1997-01-01")))
    history = purchase_history(log)
    assert (history[["n_repeats", "last_weeks", "age_weeks"]] == 0).all(axis=None)


def test_an_end_before_the_log_and_missing_weeks_are_refused():
    log = in_weeks(random_days(1))
    with pytest.raises(ValueError, match="choose a later end"):
        purchase_history(log, until=-1)
    with pytest.raises(ValueError, match="1 purchases have no week"):
        purchase_history(log.assign(week=log["week"].where(log.index > 0)))
