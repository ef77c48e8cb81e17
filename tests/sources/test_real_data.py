from pathlib import Path

import pytest
from sources.writing import rows

from cohortlab.features import events as of_events
from cohortlab.features import invoices as of_invoices
from cohortlab.sources import read_events, read_invoices

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def real(name: str) -> str:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    return str(path)


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory):
    path = real("online_retail/data.csv.xz")
    return read_invoices(path, scratch=tmp_path_factory.mktemp("retail"))


def test_online_retail_gives_the_known_counts(online_retail):
    count = online_retail.counts["invoices"]
    assert (count["rows_read"], count["rows_kept"]) == (541_909, 536_139)
    assert count["reasons"]["no description"] == 1_454
    invoices = rows(online_retail.tables["invoices"])
    assert (invoices["quantity"] > 0).sum() == 527_411
    assert (invoices["quantity"] < 0).sum() == 8_728
    assert invoices["customer_id"].nunique() == 5_786
    assert invoices.loc[invoices["is_anonymous"], "customer_id"].between(19_000, 22_709).all()


def test_online_retail_gives_the_known_features(online_retail):
    invoices = online_retail.tables["invoices"]
    features = rows(of_invoices.customer_features(invoices))
    assert len(features) == 5_695
    sums = features.sum()
    assert round(sums["gross_revenue"]) == 10_104_658
    assert sums["recency_days"] == 662_690
    assert sums["quantity_of_products"] == 5_492_405
    assert sums["returns"] == 3_350
    assert len(rows(of_invoices.return_only_customers(invoices))) == 91


def test_online_retail_rejects_stand_on_their_lines(online_retail):
    import lzma

    found = rows(online_retail.rejects)
    with lzma.open(
        real("online_retail/data.csv.xz"), "rt", encoding="cp1252", newline="\n"
    ) as text:
        lines = [line.rstrip("\r\n") for line in text]
    assert [lines[line - 1] for line in found["line"]] == found["record"].tolist()


def test_retailrocket_sample_keeps_every_event(tmp_path):
    path = {
        "events": real("retailrocket/events_sample.csv"),
        "category_tree": real("retailrocket/category_tree.csv"),
    }
    log = read_events(path, scratch=tmp_path)
    count = log.counts["events"]
    assert count["rows_read"] == 9_385
    assert count["rows_read"] - count["rows_kept"] == 253
    assert log.counts["category_tree"]["rows_kept"] == 1_669
    features = rows(of_events.session_features(log.tables["events"], log.tables["item_properties"]))
    assert features["total_events"].sum() == count["rows_kept"]
    assert len(features) == 6_129
