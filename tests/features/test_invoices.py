from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cohortlab.features import invoices as of_invoices


def random_log(seed, n_rows=500):
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2010-12-01 08:00")
    customer = rng.integers(100, 140, n_rows)
    # Some customers only return.
    quantity = np.where(customer < 104, -rng.integers(1, 9, n_rows), rng.integers(-3, 30, n_rows))
    return pd.DataFrame(
        {
            "invoice_id": rng.integers(0, 200, n_rows).astype(str),
            "stock_code": rng.choice(["85123A", "22752", "POST 1", "ünder"], n_rows),
            "quantity": np.where(quantity == 0, 1, quantity),
            "invoice_date": start + pd.to_timedelta(rng.integers(0, 9000, n_rows), unit="min"),
            "unit_price": rng.integers(40, 9999, n_rows) / 1000,
            "customer_id": customer,
            "country": rng.choice(["France", "EIRE", None], n_rows),
            "is_anonymous": customer > 130,
        }
    )


@pytest.fixture
def stored(tmp_path):
    def store(log, threads=1):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.parquet"
        pq.write_table(pa.Table.from_pandas(log, preserve_index=False), path)
        return ibis.duckdb.connect(threads=threads).read_parquet(path)

    return store


def rows(expression) -> pd.DataFrame:
    return expression.to_pyarrow().to_pandas()


def oracle(log):
    """Compute each customer alone, money as decimals."""
    end = log.loc[log["quantity"] > 0, "invoice_date"].max()
    found = []
    for customer, theirs in log.groupby("customer_id"):
        bought, returned = theirs[theirs["quantity"] > 0], theirs[theirs["quantity"] < 0]
        if not len(bought):
            continue
        first, last = bought["invoice_date"].min(), bought["invoice_date"].max()
        lines = zip(bought["unit_price"], bought["quantity"], strict=True)
        days = (last - first).days
        found.append(
            {
                "customer_id": customer,
                "gross_revenue": float(sum(Decimal(str(p)) * int(q) for p, q in lines)),
                "recency_days": (end - last).days,
                "quantity_of_products": bought["quantity"].sum(),
                "frequency": bought["invoice_id"].nunique() / days if days else 0.0,
                "returns": returned["invoice_id"].nunique(),
                "country": bought["country"].mode().min() if bought["country"].any() else None,
                "first_purchase": first,
                "last_purchase": last,
                "n_invoices": bought["invoice_id"].nunique(),
                "n_lines": len(bought),
                "n_products": bought["stock_code"].nunique(),
                "n_returned": -returned["quantity"].sum(),
                "is_anonymous": customer > 130,
            }
        )
    return pd.DataFrame(found)


@pytest.mark.parametrize("seed", range(4))
def test_features_are_those_of_each_customer_alone(stored, seed):
    log = random_log(seed)
    # A missing country is no country: leave it out of the vote here, and test it below.
    log["country"] = log["country"].fillna("France")
    expected = oracle(log)
    features = rows(of_invoices.customer_features(stored(log)))
    attributes = rows(of_invoices.customer_attributes(stored(log)))
    assert list(features.columns) == ["customer_id", *of_invoices.FEATURES]
    assert list(attributes.columns) == ["customer_id", *of_invoices.ATTRIBUTES]
    pd.testing.assert_frame_equal(features, expected[features.columns], rtol=0, atol=0)
    pd.testing.assert_frame_equal(attributes, expected[attributes.columns], check_dtype=False)
    totals = rows(of_invoices.customer_totals(stored(log)))
    both = features.merge(attributes, on="customer_id")
    pd.testing.assert_frame_equal(totals, both[list(totals)], rtol=0, atol=0)


def test_customers_who_only_returned_are_listed_and_left_out(stored):
    log = random_log(0)
    only = rows(of_invoices.return_only_customers(stored(log)))
    assert only["customer_id"].tolist() == [100, 101, 102, 103]
    theirs = log[log["customer_id"] == 100]
    assert only.loc[0, "n_return_invoices"] == theirs["invoice_id"].nunique()
    assert only.loc[0, "n_returned"] == -theirs["quantity"].sum()


def test_a_customer_without_a_country_has_none(stored):
    log = random_log(0).assign(country=None).astype({"country": "str"})
    assert rows(of_invoices.customer_attributes(stored(log)))["country"].isna().all()


def log_of(times, customer=1):
    return random_log(0, len(times)).assign(
        invoice_date=pd.to_datetime(times), customer_id=customer, quantity=1
    )


@pytest.mark.parametrize(
    ("times", "frequency"),
    [
        (["2011-01-01 10:00", "2011-01-01 20:00"], 0.0),
        (["2011-01-01 10:00", "2011-01-02 09:59"], 0.0),
        (["2011-01-01 10:00", "2011-01-02 10:00"], 2.0),
        (["2011-01-01 10:00", "2011-01-05 09:00"], 2 / 3),
    ],
)
def test_frequency_counts_whole_days(stored, times, frequency):
    log = log_of(times).assign(invoice_id=["1", "2"])
    assert rows(of_invoices.customer_features(stored(log)))["frequency"].tolist() == [frequency]


def test_money_is_exact(stored):
    log = random_log(0, 1000).assign(quantity=1, unit_price=0.1, customer_id=1)
    assert rows(of_invoices.customer_features(stored(log)))["gross_revenue"].tolist() == [100.0]


def test_the_largest_values_that_are_read_can_be_summed(stored):
    log = random_log(0, 30).assign(customer_id=1, quantity=10**10, unit_price=99.5)
    features = rows(of_invoices.customer_features(stored(log)))
    assert features["gross_revenue"].tolist() == [30 * 99.5e10]
    assert rows(of_invoices.customer_days(stored(log)))["value"].sum() == 30 * 99.5e10


@pytest.mark.parametrize("threads", [1, 2])
def test_neither_order_nor_threads_change_a_number(stored, threads):
    log = random_log(5, 3000)
    shuffled = log.sample(frac=1, random_state=threads)
    for compute in (
        of_invoices.customer_features,
        of_invoices.customer_attributes,
        of_invoices.customer_totals,
        of_invoices.return_only_customers,
        of_invoices.baskets,
        of_invoices.incidence,
    ):
        first, second = rows(compute(stored(log))), rows(compute(stored(shuffled, threads)))
        pd.testing.assert_frame_equal(first, second)


def test_baskets_and_incidence_count_purchases(stored):
    log = random_log(1)
    bought = log[log["quantity"] > 0]
    baskets = rows(of_invoices.baskets(stored(log)))
    keys = ["invoice_id", "customer_id", "stock_code"]
    expected = bought[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    assert baskets.to_numpy().tolist() == expected.to_numpy().tolist()
    counted = bought.groupby(["customer_id", "stock_code"])["invoice_id"].nunique()
    found = rows(of_invoices.incidence(stored(log)))
    assert found.set_index(["person_id", "item"])["weight"].to_dict() == counted.to_dict()


def test_an_empty_log_gives_empty_tables(stored):
    log = random_log(0).head(0)
    assert len(rows(of_invoices.customer_features(stored(log)))) == 0
    assert len(rows(of_invoices.customer_attributes(stored(log)))) == 0
