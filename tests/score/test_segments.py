"""Named segments of new customers, from the bundle that assigns their clusters."""

import json

import numpy as np
import pandas as pd
import pytest

from cohortlab import score
from cohortlab.embedding import Recipe, scaled_leaves
from cohortlab.score.__main__ import main
from cohortlab.score.storage import _digest
from cohortlab.score.stream import score_file
from cohortlab.segments import FEATURES, Segmentation, fit_scores, measures_of_features

INPUTS = ("recency_days", "quantity_of_products")
RECIPE = Recipe("gross_revenue", INPUTS, 15, 5, "hamming", 15, 50, 2, 5, 500, (), "standard")
BLOCK = {
    "lost": {"recency": [1, 2], "action": "let go"},
    "new": {"recency": [3, 5], "frequency": [1, 2], "action": "welcome"},
    "loyal": {"recency": [3, 5], "frequency": [3, 5], "action": "thank"},
}


def customers(n=200, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": np.arange(n),
            "gross_revenue": rng.lognormal(4, 1, n),
            "recency_days": rng.integers(0, 300, n),
            "quantity_of_products": rng.integers(1, 90, n),
            "n_invoices": rng.integers(1, 9, n),
        }
    )


def segmentation():
    return Segmentation(fit_scores(measures_of_features(customers())), BLOCK)


@pytest.fixture(scope="module")
def bundle():
    table = customers().drop(columns="n_invoices")
    labels = (table["gross_revenue"] > 60).astype(int).to_numpy()
    scaling, forest, _ = scaled_leaves(table, RECIPE, 1)
    names = {0: "small", 1: "large"}
    kept = {"scaling": scaling, "forest": forest, "segmentation": segmentation()}
    return score.fit_bundle(table, labels, names, study="shop", **kept)


def test_new_customers_get_the_segments_that_the_stored_edges_give(bundle, tmp_path):
    new = customers(seed=5)
    score.save_bundle(bundle, tmp_path)
    found = score.load_bundle(tmp_path, study="shop").assign(new)
    expected = segmentation().assign(measures_of_features(new))["segment"]
    assert found["segment"].tolist() == expected.tolist()
    assert set(expected) == set(BLOCK)
    assert found["cluster"].notna().all()


def test_a_row_gets_its_segment_whatever_else_is_in_the_file(bundle, tmp_path):
    new = customers(seed=6).sample(frac=1, random_state=0)
    answers = []
    for part_rows in (1, 7, 1000):
        new.to_csv(tmp_path / "new.csv", index=False)
        target = tmp_path / f"{part_rows}.csv"
        totals = score_file(bundle, tmp_path / "new.csv", target, part_rows=part_rows)
        assert totals["rows"] == totals["assigned"] == totals["segmented"] == len(new)
        answers.append(target.read_bytes())
    assert len(set(answers)) == 1
    table = pd.read_csv(tmp_path / "7.csv")
    assert list(table) == ["customer_id", "cluster", "name", "probability", "segment", "note"]
    assert table["segment"].tolist() == bundle.assign(new)["segment"].tolist()


def test_a_measure_that_is_missing_costs_the_segment_alone_and_is_noted(bundle):
    new = customers(seed=7).iloc[:4].astype(float)
    new.loc[0, "n_invoices"], new.loc[1, "quantity_of_products"] = np.nan, np.nan
    new.loc[2, "recency_days"], new.loc[3, "gross_revenue"] = np.nan, np.inf
    found = bundle.assign(new)
    assert found["cluster"].isna().tolist() == [False, True, True, False]
    assert found["segment"].isna().tolist() == [True, False, True, True]
    assert found["note"].tolist() == [
        "n_invoices is missing or no number",
        "quantity_of_products is missing or no number",
        "recency_days is missing or no number",
        "gross_revenue is missing or no number",
    ]


def test_without_the_columns_that_segments_need_clusters_are_given_and_that_is_said(
    bundle, tmp_path, caplog
):
    score.save_bundle(bundle, tmp_path)
    new = customers(seed=8)
    arguments = ["shop", str(tmp_path / "new.csv"), str(tmp_path / "out.csv"), "--bundle"]
    for columns, told in (
        (list(new), "200 with a segment"),
        (list(new.columns[:-1]), f"no segments, which need the columns {list(FEATURES.values())}"),
    ):
        new[columns].to_csv(tmp_path / "new.csv", index=False)
        with caplog.at_level("INFO", logger="cohortlab"):
            assert main([*arguments, str(tmp_path)]) == 0
        assert told in caplog.text
    new.iloc[:0].to_csv(tmp_path / "new.csv", index=False)
    with caplog.at_level("INFO", logger="cohortlab"):
        assert main([*arguments, str(tmp_path)]) == 0
    assert "0 with a segment" in caplog.text
    new[list(new.columns[:-1])].to_csv(tmp_path / "new.csv", index=False)
    score_file(bundle, tmp_path / "new.csv", tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["segment"].isna().all()
    assert found["cluster"].notna().all()
    assert not found["note"].str.contains("n_invoices", na=False).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda kept: kept.update(edges={"recency": []}), "expected edges of"),
        (lambda kept: kept["edges"].update(monetary=[1.0, 2.0, 3.0, "4"]), "an edge of monetary"),
        (lambda kept: kept["edges"].update(monetary=[1.0, 3.0, 2.0, 4.0]), "edges of monetary"),
        (lambda kept: kept["segments"].pop("lost"), "no segment holds"),
        (lambda kept: kept["segments"]["lost"].update(action=7), "lost.action: expected text"),
        (lambda kept: kept.clear(), "expected a segmentation"),
        (
            lambda kept: kept["segments"].update({"\ud800": kept["segments"].pop("lost")}),
            "half a letter",
        ),
        (lambda kept: kept["segments"].update({"": kept["segments"].pop("lost")}), "name of a seg"),
    ],
)
def test_segments_that_no_fit_makes_are_refused(bundle, tmp_path, change, message):
    score.save_bundle(bundle, tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    manifest.pop("sha256")
    change(manifest["segmentation"])
    path.write_text(json.dumps(manifest | {"sha256": _digest(manifest)}), "utf-8")
    with pytest.raises(ValueError, match=message):
        score.load_bundle(tmp_path, study="shop")


def test_a_bundle_of_an_earlier_version_has_no_segments(bundle, tmp_path):
    score.save_bundle(bundle, tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    del manifest["sha256"], manifest["segmentation"]
    path.write_text(json.dumps(manifest | {"sha256": _digest(manifest)}), "utf-8")
    found = score.load_bundle(tmp_path, study="shop").assign(customers())
    assert list(found) == ["cluster", "name", "probability", "note"]
