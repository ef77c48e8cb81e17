"""The benchmark of customers runs as its head says, and notices where ways do not agree."""

import importlib.util
import json
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY

PATH = REPOSITORY / "bench" / "customers.py"


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """Load the benchmark, with every way run in this process, and write a small log for it."""
    spec = importlib.util.spec_from_file_location("bench_customers", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "measure", module.measure_here)
    monkeypatch.setattr(module, "LOG", tmp_path / "invoices.parquet")
    rng, n = np.random.default_rng(0), 3000
    customers = rng.integers(0, 150, n)
    log = pd.DataFrame(
        {
            "invoice_id": (10 * customers + rng.integers(0, 10, n)).astype(str),
            "stock_code": rng.integers(0, 40, n).astype(str),
            "quantity": rng.choice([-2, 1, 3, 12], n, p=[0.1, 0.3, 0.3, 0.3]),
            "invoice_date": pd.Timestamp("2011-01-01")
            + pd.to_timedelta(rng.integers(0, 9**7, n), "s"),
            "unit_price": rng.integers(1, 900, n) / 100,
            "customer_id": customers,
            "country": "here",
            "is_anonymous": False,
        }
    )
    log.to_parquet(module.LOG)
    return module


def run(bench, monkeypatch, capsys, *arguments):
    command = ["customers.py", "--log", str(bench.LOG), "--plane-up-to", "0", *arguments]
    monkeypatch.setattr(sys, "argv", command)
    bench.main()
    return json.loads(capsys.readouterr().out)


def test_a_tiny_run_compares_every_way_and_measures_growth(bench, monkeypatch, capsys):
    found = run(bench, monkeypatch, capsys, "--sizes", "1", "2", "--pandas-up-to", "1")
    one, two = found["1 times"], found["2 times"]
    assert two["customers"] > 1.5 * one["customers"] > 0
    for task, others in {"features": 1, "scoring": 2, "segments": 1}.items():
        assert sum("ours, seconds" in key for key in one[task]) == others
        assert set(two[task]) == {"ours"}
        assert one[task]["ours"]["peak_gb"] > 0


def test_a_raw_log_is_cleaned_first(bench, tmp_path):
    names = {
        "invoice_id": "InvoiceNo",
        "stock_code": "StockCode",
        "quantity": "Quantity",
        "invoice_date": "InvoiceDate",
        "unit_price": "UnitPrice",
        "customer_id": "CustomerID",
        "country": "Country",
    }
    log = pd.read_parquet(bench.LOG).drop(columns="is_anonymous").rename(columns=names)
    log.assign(Description="thing").to_csv(tmp_path / "raw.csv", index=False)
    cleaned = bench.clean_log(tmp_path / "raw.csv", tmp_path / "cleaned.parquet")
    found = pd.read_parquet(cleaned)
    assert set(bench.COLUMNS) <= set(found)
    assert found["unit_price"].min() > 0
    assert len(found) == (log["UnitPrice"] >= 0.04).sum()


def test_another_answer_of_one_way_stops_the_comparison(bench, monkeypatch, capsys):
    def other(folder):
        bench.pandas_segments(folder)
        path = folder / "segments.pandas.parquet"
        table = pd.read_parquet(path)
        table.loc[0, "segment"] = "nobody"
        table.to_parquet(path)

    monkeypatch.setitem(bench.WAYS["segments"], "pandas", other)
    with pytest.raises(AssertionError, match="segment"):
        run(bench, monkeypatch, capsys, "--sizes", "1")
