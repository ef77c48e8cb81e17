import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from features.test_invoices import random_log

from cohortlab.features.invoices import customer_attributes, customer_days, customer_features
from cohortlab.lifetime import in_weeks
from cohortlab.segments import measures_of_features, rfm_table


@pytest.fixture
def stored(tmp_path):
    def store(log):
        pq.write_table(pa.Table.from_pandas(log, preserve_index=False), tmp_path / "log.parquet")
        return ibis.duckdb.connect(threads=1).read_parquet(tmp_path / "log.parquet")

    return store


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("days", [None, 3])
def test_measures_are_those_of_each_customer_alone(stored, seed, days):
    log = random_log(seed)
    bought = log[log["quantity"] > 0]
    until = bought["invoice_date"].max()
    if days is not None:
        until -= pd.Timedelta(days=days)
    found = rfm_table(stored(log), until=None if days is None else until.to_pydatetime())
    seen = bought[bought["invoice_date"] <= until]
    assert found.index.tolist() == sorted(seen["customer_id"].unique())
    for customer, own in seen.groupby("customer_id"):
        silent = until + pd.Timedelta(days=1) - own["invoice_date"].max()
        money = (own["unit_price"] * own["quantity"]).sum()
        row = found.loc[customer]
        assert row["recency"] == silent.days >= 1
        assert row["frequency"] == own["invoice_id"].nunique()
        assert row["monetary"] == pytest.approx(money)


@pytest.mark.parametrize("seed", range(3))
def test_measures_of_the_features_are_those_of_the_log(stored, seed):
    log = stored(random_log(seed))
    features = customer_features(log).to_pandas().merge(customer_attributes(log).to_pandas())
    found = measures_of_features(features.set_index("customer_id"))
    assert len(found) > 1
    pd.testing.assert_frame_equal(found, rfm_table(log), check_dtype=False)


def test_a_log_of_one_moment_gives_a_recency_of_one_day(stored):
    log = random_log(1).assign(invoice_date=pd.Timestamp("2011-01-01 12:00"))
    assert (rfm_table(stored(log))["recency"] == 1).all()


def test_days_of_purchase_hold_all_money_and_each_customer_once_a_day(stored):
    log = random_log(2)
    bought = log[log["quantity"] > 0]
    days = customer_days(stored(log)).to_pandas()
    assert not days.duplicated(["customer_id", "day"]).any()
    assert days["value"].sum() == pytest.approx((bought["unit_price"] * bought["quantity"]).sum())
    expected = bought.groupby([bought["customer_id"], bought["invoice_date"].dt.date]).ngroups
    assert len(days) == len(in_weeks(days)) == expected
