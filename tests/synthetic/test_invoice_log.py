import csv
import hashlib
import json
import re
from collections import Counter
from datetime import datetime
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2_contingency

from cohortlab.synthetic import generate_invoice_log
from cohortlab.synthetic.invoice_log import _customer_ids

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
ODD = ("European Community", "Unspecified")


def generate(folder, settings, *, seed=1):
    truth = folder / "truth"
    return generate_invoice_log(folder, truth, rng=np.random.default_rng(seed), **settings)


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_of(folder):
    lines = (folder / "data.csv").read_bytes().decode("windows-1252").split("\r\n")
    assert lines.pop(0) == HEADER
    assert lines.pop() == ""
    assert not any("\n" in line for line in lines)
    return list(csv.reader(lines))


@cache
def is_date(text):
    try:
        datetime.strptime(text, "%m/%d/%Y %H:%M")
    except ValueError:
        return False
    return True


def fault_of(row, only_returned):
    if len(row) != 8:
        return "malformed_line"
    invoice, code, description, quantity, date, price, customer, country = row
    if not re.fullmatch(r"-?\d+", quantity):
        return "unreadable_number"
    if not is_date(date):
        return "unreadable_date"
    checks = {
        "missing_customer": customer == "",
        "missing_description": description == "",
        "letter_code": code.isalpha(),
        "odd_country": country in ODD,
        "tiny_price": float(price) < 0.04,
        "only_returned": customer in only_returned,
        "returns": invoice.startswith("C"),
    }
    return next((name for name, is_so in checks.items() if is_so), None)


def only_returning(rows):
    whole = [row for row in rows if len(row) == 8 and row[6]]
    buyers = {row[6] for row in whole if not row[0].startswith("C")}
    return {row[6] for row in whole} - buyers


def purchases(folder):
    """Read the lines that no fault touches, with the truth beside them."""
    rows = rows_of(folder)
    returned = only_returning(rows)
    sound = [row for row in rows if fault_of(row, returned) is None]
    lines = pd.DataFrame(sound, columns=HEADER.split(",")).drop_duplicates()
    lines["CustomerID"] = lines["CustomerID"].astype("int64")
    lines["Quantity"] = lines["Quantity"].astype("int64")
    lines["date"] = pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M")
    customers = pd.read_parquet(folder / "truth" / "customers.parquet")
    products = pd.read_parquet(folder / "truth" / "products.parquet")
    lines = lines.merge(
        customers, left_on="CustomerID", right_on="customer_id", how="left", validate="many_to_one"
    )
    return lines.merge(
        products, left_on="StockCode", right_on="stock_code", how="left", validate="many_to_one"
    )


@pytest.fixture
def log(tmp_path, customer_settings):
    return tmp_path, customer_settings, generate(tmp_path, customer_settings)


def test_every_true_customer_buys_and_no_other_does(log):
    folder, settings, summary = log
    lines = purchases(folder)
    truth = pd.read_parquet(folder / "truth" / "customers.parquet")
    assert truth["customer_id"].is_unique
    assert len(truth) == settings["n_customers"] == summary["customers"]
    assert set(lines["CustomerID"]) == set(truth["customer_id"])
    assert lines["item_group"].notna().all()
    assert (lines["Description"] == lines["description"]).all()
    assert (lines["Quantity"] > 0).all()


def test_faults_found_equal_faults_planted(log):
    folder, settings, summary = log
    rows = rows_of(folder)
    returned = only_returning(rows)
    found = Counter(fault_of(row, returned) for row in rows)
    sound = Counter(tuple(row) for row in rows if fault_of(row, returned) is None)
    found["repeated"] = sum(count - 1 for count in sound.values())
    n_true = found.pop(None) - found["repeated"]
    planted = json.loads((folder / "truth" / "faults.json").read_text())
    assert dict(found) == planted
    assert planted == summary["faults"] | {"returns": summary["returns"]}
    assert len(rows) == summary["lines"] == n_true + sum(planted.values())
    n_invoices = len({row[0] for row in sound})
    bases = {"letter_code": n_invoices, "only_returned": settings["n_customers"]}
    for name, rate in settings["faults"].items():
        if name != "missing_customer":
            assert binomtest(planted[name], bases.get(name, n_true), rate).pvalue > 1e-4
    nameless = {row[0] for row in rows if fault_of(row, returned) == "missing_customer"}
    assert (
        binomtest(len(nameless), n_invoices, settings["faults"]["missing_customer"]).pvalue > 1e-4
    )


def test_whole_invoices_lack_their_customer(log):
    folder, _, _ = log
    rows = [row for row in rows_of(folder) if len(row) == 8]
    nameless = {row[0] for row in rows if not row[6]}
    assert nameless
    assert not nameless & {row[0] for row in rows if row[6]}


def test_no_faults_leave_a_clean_file(tmp_path, customer_settings):
    customer_settings["faults"] = dict.fromkeys(customer_settings["faults"], 0)
    generate(tmp_path, customer_settings)
    rows = rows_of(tmp_path)
    assert {fault_of(row, set()) for row in rows} == {None, "returns"}
    assert len({tuple(row) for row in rows}) == len(rows)
    on_invoice = [(row[0], row[1]) for row in rows]
    assert len(set(on_invoice)) == len(on_invoice)


def test_each_return_gives_back_a_line_bought_before(log):
    folder, settings, _ = log
    rows = rows_of(folder)
    returned = only_returning(rows)
    sound = [r for r in rows if fault_of(r, returned) in (None, "returns")]
    lines = pd.DataFrame(sound, columns=HEADER.split(",")).drop_duplicates()
    lines["Quantity"] = lines["Quantity"].astype("int64")
    lines["date"] = pd.to_datetime(lines["InvoiceDate"], format="%m/%d/%Y %H:%M")
    is_return = lines["InvoiceNo"].str.startswith("C")
    assert ((lines["Quantity"] < 0) == is_return).all()
    keys = ["CustomerID", "StockCode", "UnitPrice"]
    pairs = lines[is_return].merge(lines[~is_return], on=keys, suffixes=("", "_bought"))
    fits = (pairs["date"] >= pairs["date_bought"]) & (
        -pairs["Quantity"] <= pairs["Quantity_bought"]
    )
    assert set(pairs.loc[fits, "InvoiceNo"]) == set(lines.loc[is_return, "InvoiceNo"])
    n_invoices = lines.loc[~is_return, "InvoiceNo"].nunique()
    rate = settings["types"]["loyal"]["return_probability"]
    assert binomtest(int(is_return.sum()), n_invoices, rate).pvalue > 1e-4


def test_customers_who_only_returned_are_no_truth(log):
    folder, _, summary = log
    returned = only_returning(rows_of(folder))
    assert len(returned) == summary["faults"]["only_returned"] > 0
    truth = pd.read_parquet(folder / "truth" / "customers.parquet")
    assert not set(map(int, returned)) & set(truth["customer_id"])


def test_types_have_their_shares_and_profiles(log):
    folder, settings, _ = log
    lines = purchases(folder)
    truth = pd.read_parquet(folder / "truth" / "customers.parquet")
    counts = truth["customer_type"].value_counts()
    for name, profile in settings["types"].items():
        assert binomtest(int(counts[name]), len(truth), profile["share"]).pvalue > 1e-4
        quantity = lines.loc[lines["customer_type"] == name, "Quantity"]
        assert quantity.median() == pytest.approx(profile["quantity_median"], rel=0.15)
    invoices = lines.groupby(["customer_type", "CustomerID"])["InvoiceNo"].nunique()
    assert invoices["one_off"].max() == 1
    assert invoices["loyal"].mean() == pytest.approx(6, rel=0.1)
    per_invoice = lines.groupby(["customer_type", "InvoiceNo"]).size()
    assert per_invoice["loyal"].mean() == pytest.approx(8, rel=0.08)
    last = lines.groupby("customer_type")["date"].max()
    start = pd.Timestamp(settings["start"])
    assert last["lapsed"] < start + pd.Timedelta(days=0.25 * settings["days"] + 1)
    assert last["loyal"] > start + pd.Timedelta(days=0.9 * settings["days"])
    assert set(lines["date"].dt.day_of_week) == {0, 1, 2, 3, 4, 6}
    assert lines["date"].dt.hour.between(8, 17).all()


def choices(folder):
    lines = purchases(folder)
    return pd.crosstab(lines["customer_type"], lines["item_group"])


def test_without_relation_types_choose_alike(tmp_path, customer_settings):
    settings = customer_settings | {"relation_strength": 0, "pairs": [], "n_customers": 150}
    p_values = []
    for seed in range(12):
        generate(tmp_path, settings, seed=seed)
        p_values.append(chi2_contingency(choices(tmp_path)).pvalue)
    # Uniform values have mean 1/2 with standard error 0.083 over twelve.
    assert min(p_values) > 1e-4
    assert 0.2 < np.mean(p_values) < 0.8


def test_a_weak_relation_shows(tmp_path, customer_settings):
    generate(tmp_path, customer_settings | {"relation_strength": 0.2})
    assert chi2_contingency(choices(tmp_path)).pvalue < 1e-6


def test_full_strength_leaves_each_type_its_group_only(tmp_path, customer_settings):
    generate(tmp_path, customer_settings | {"relation_strength": 1})
    lines = purchases(tmp_path)
    wanted = lines["customer_type"].map(customer_settings["preferences"])
    assert (lines["item_group"] == wanted).all()


def test_baskets_may_take_a_whole_group(tmp_path, customer_settings):
    for profile in customer_settings["types"].values():
        profile["lines"] = {"distribution": "constant", "minimum": 20, "mean": 20, "maximum": 20}
    changes = {"relation_strength": 1, "pairs": [], "n_customers": 40}
    generate(tmp_path, customer_settings | changes)
    lines = purchases(tmp_path)
    assert (lines.groupby("InvoiceNo")["StockCode"].nunique() == 20).all()


def test_choices_follow_the_written_relation(tmp_path, customer_settings):
    generate(tmp_path, customer_settings | {"pairs": []})
    relation = pd.read_csv(tmp_path / "truth" / "relation.csv")
    found = choices(tmp_path)
    for row in relation.itertuples():
        drawn = int(found.loc[row.customer_type, row.item_group])
        n_lines = int(found.loc[row.customer_type].sum())
        assert binomtest(drawn, n_lines, row.propensity).pvalue > 1e-4


def test_planted_pairs_have_their_probability(log):
    folder, settings, _ = log
    baskets = purchases(folder).groupby("InvoiceNo")["StockCode"].agg(set)
    pairs = pd.read_csv(
        folder / "truth" / "pairs.csv", dtype={"antecedent": str, "consequent": str}
    )
    assert pairs["probability"].tolist() == [pair["probability"] for pair in settings["pairs"]]
    for pair in pairs.itertuples():
        with_antecedent = baskets[[pair.antecedent in basket for basket in baskets]]
        n_both = sum(pair.consequent in basket for basket in with_antecedent)
        assert len(with_antecedent) > 50
        assert binomtest(n_both, len(with_antecedent), pair.probability).pvalue > 1e-3


def test_the_file_is_written_as_the_real_one_is(log):
    folder, _, _ = log
    content = (folder / "data.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    text = content.decode("windows-1252")
    assert "É" in text
    assert "£" in text
    dates = {row[4] for row in rows_of(folder) if len(row) == 8}
    readable = [d for d in dates if re.fullmatch(r"[1-9]\d?/[1-9]\d?/20\d\d [1-9]\d?:\d\d", d)]
    assert len(dates) - len(readable) <= 3
    prices = {row[5] for row in rows_of(folder) if len(row) == 8}
    assert all(price == f"{float(price):g}" for price in prices)


def test_ids_keep_clear_of_those_that_the_usual_cleaning_handles():
    ids = _customer_ids(np.arange(20_000))
    assert len(set(ids)) == 20_000
    assert 16_446 not in ids
    assert not ((ids >= 19_000) & (ids < 10**9)).any()


def test_same_seed_same_bytes_and_another_seed_others(tmp_path, customer_settings):
    settings = customer_settings | {"n_customers": 200, "chunk_customers": 70}
    for name, seed in (("first", 5), ("second", 5), ("other", 6)):
        generate(tmp_path / name, settings, seed=seed)
    first, second, other = (digest(tmp_path / name) for name in ("first", "second", "other"))
    assert first == second
    assert first["data.csv"] != other["data.csv"]


def test_chunks_change_nothing_in_distribution(tmp_path, customer_settings):
    settings = customer_settings | {"n_customers": 1000}
    found = []
    for name, chunk in (("small", 47), ("whole", 1000)):
        generate(tmp_path / name, settings | {"chunk_customers": chunk})
        found.append(purchases(tmp_path / name))
    for measure in (
        lambda lines: lines.groupby("CustomerID")["InvoiceNo"].nunique().clip(upper=10),
        lambda lines: lines.groupby("InvoiceNo").size().clip(upper=12),
        lambda lines: lines.drop_duplicates("CustomerID")["customer_type"],
    ):
        counts = [measure(lines).value_counts() for lines in found]
        assert chi2_contingency(pd.concat(counts, axis=1).fillna(0)).pvalue > 1e-4
    per_invoice = found[0].groupby("InvoiceNo")[["CustomerID", "InvoiceDate"]].nunique()
    assert (per_invoice == 1).all(axis=None)


@pytest.mark.parametrize("n_customers", [1, 2])
def test_the_smallest_logs_are_whole(n_customers, tmp_path, customer_settings):
    generate(tmp_path, customer_settings | {"n_customers": n_customers})
    assert purchases(tmp_path)["CustomerID"].nunique() == n_customers


def changed(settings, path, value):
    *parents, key = path.split(".")
    block = settings
    for parent in parents:
        block = block[parent]
    if value == "REMOVE":
        del block[key]
    else:
        block[key] = value
    return settings


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("n_customers", -1, "n_customers.*got -1"),
        ("days", 1, "days.*from 2"),
        ("start", "soon", "start.*'soon'"),
        ("chunk_customers", 0, "chunk_customers"),
        ("types.loyal.share", 0.5, r"types.*sum to 1.*loyal 0\.5"),
        ("types.loyal.colour", 1, "types.loyal.colour: unknown"),
        ("types.loyal.lines", "REMOVE", "types.loyal.lines: missing"),
        ("types.loyal.invoices.mean", 100, "types.loyal.invoices.mean"),
        ("types.loyal.lines.maximum", 21, "types.loyal.lines.maximum.*toys: 20"),
        ("types.loyal.quantity_median", 0, "types.loyal.quantity_median"),
        ("types.loyal.price_level", 0, "types.loyal.price_level"),
        ("types.lapsed.active_from", 0.5, "types.lapsed.active_to.*active_from"),
        ("types.loyal.return_probability", 2, "types.loyal.return_probability"),
        ("groups.toys.share", 0.3, "groups.*sum to 1"),
        ("groups.toys.price_median", 0, "groups.toys.price_median"),
        ("groups.toys.products", 0, "groups.toys.products"),
        ("countries.France", 0.2, "countries.*sum to 1"),
        ("countries", {"Eire, North": 1}, "countries.Eire, North"),
        ("countries", {"Ελλάς": 1}, "countries.*windows-1252"),
        ("countries", None, "countries"),
        ("preferences.loyal", "cars", "preferences.loyal.*'cars'"),
        ("relation_strength", "strong", "relation_strength.*'strong'"),
        ("faults.letter_code", -0.1, "faults.letter_code"),
        ("faults.fire", 0.1, "faults.fire: unknown"),
    ],
)
def test_impossible_settings_are_named_and_nothing_is_written(
    path, value, message, tmp_path, customer_settings
):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path / "log", changed(customer_settings, path, value))
    assert not (tmp_path / "log").exists()
