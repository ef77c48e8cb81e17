"""Examples, added to a project and run: the generated one small, the others on real files."""

import re
import shutil
from itertools import starmap

import numpy as np
import pytest
from conftest import REPOSITORY
from ruamel.yaml import YAML

from cohortlab.bipartite import summarise
from cohortlab.notebook.results import Results
from cohortlab.rules import from_text
from cohortlab.run.steps import run_step
from cohortlab.study import add_study, read_example

REAL = REPOSITORY.parent / "shared" / "data"

pytestmark = pytest.mark.pipeline


def run_example(folder, name, *, steps=None, data=None, changes=()):
    """Add an example to a fresh project, change some of its parameters, and run its steps."""
    if data is not None and not data.exists():
        pytest.skip(f"real data {data.name} is not here")
    folder.mkdir()
    shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks")
    for file in ("dvc.yaml", "params.yaml"):
        shutil.copy(REPOSITORY / file, folder)
    path = REPOSITORY / "examples" / f"{name}.yaml"
    add_study(folder, path, folder=None if data is None else str(data))
    yaml = YAML()
    params = yaml.load((folder / "params.yaml").read_text())
    for key, value in dict(changes).items():
        *parents, last = key.split(".")
        block = params["studies"][name]
        for parent in parents:
            block = block[parent]
        assert last in block, key
        block[last] = value
    yaml.dump(params, folder / "params.yaml")
    for step in steps or read_example(path).steps:
        run_step(step, name, folder, progress=False)
    return Results(name, root=folder)


def test_a_small_generated_study_runs_to_its_truth(tmp_path):
    changes = {
        "data.synthetic.n_people": 300,
        "mixture.n_components": [1, 2, 3, 4],
        "mixture.n_bootstrap": 0,
        "rules.n_bootstrap": 2,
        "truth.n_shuffles": 5,
        "truth.n_basket_shuffles": 1,
    }
    results = run_example(tmp_path / "project", "baskets", changes=changes)
    truth = results.read("truth.json")
    assert truth["available"]
    # Types differ in number and size of baskets; shuffled labels give 0.
    assert truth["people"]["adjusted_rand_index"] > 0.5
    assert abs(truth["people_null"]["adjusted_rand_index"]) < 0.05
    clusters = results.read("clusters.json")
    assert clusters["attributes_q"]["household"] <= 0.05
    reports = tmp_path / "project" / "reports" / "baskets"
    for path in reports.glob("*.ipynb"):
        assert path.stat().st_size < 250_000, path
        assert '"output_type": "error"' not in path.read_text()


def test_groceries_gives_the_published_rules(tmp_path):
    changes = {
        "rules.min_support": 0.001,
        "rules.min_threshold": 0.8,
        "rules.max_len": 6,
        "rules.ancestors": False,
        "rules.n_bootstrap": 1,
    }
    steps = ["data", "features", "mixture", "clusters", "rules"]
    data = REAL / "groceries"
    results = run_example(tmp_path / "p", "groceries", steps=steps, data=data, changes=changes)
    baskets = results.read("baskets.parquet")
    assert (baskets["basket_id"].nunique(), baskets["item"].nunique()) == (9_835, 169)
    assert len(baskets) == 43_367
    assert (baskets["item"] == "whole milk").sum() == 2_513
    rules = from_text(results.read("rules.csv").query("scope == 'all'"))
    single = rules[rules["consequents"].map(len) == 1]
    assert len(single) == 410
    sizes = single["antecedents"].map(len) + 1
    assert sizes.value_counts().to_dict() == {3: 29, 4: 229, 5: 140, 6: 12}
    top = single.loc[single["lift"].idxmax()]
    assert top["antecedents"] == {"liquor", "red/blush wine"}
    assert top["consequents"] == {"bottled beer"}
    assert top["count"] == 19
    assert top["lift"] == pytest.approx(11.235269, abs=5e-7)


def test_groceries_names_no_person_and_has_two_levels(tmp_path):
    data = REAL / "groceries"
    results = run_example(tmp_path / "p", "groceries", data=data, changes={"rules.n_bootstrap": 2})
    features = results.read("features.parquet")
    assert list(features) == ["person_id", "n_items", "n_groups"]
    assert features["n_items"].sum() == 43_367
    tree = results.read("tree.parquet")
    assert len(tree) == 169 + 55 + 10
    assert tree["parent"].isna().sum() == 10
    rules = results.read("rules.csv").query("scope == 'all'")
    assert (from_text(rules)["consequents"].map(len) == 1).sum() == 463
    confirmed = results.read("confirmed.csv").query("scope == 'levels'")
    sides = starmap("{} {}".format, confirmed[["antecedents", "consequents"]].to_numpy())
    assert any("[level2]" in side for side in sides)
    assert results.read("bipartite.json")["p_permutation"] <= 0.05


def documented(folder, n_groups):
    """Run the page's own code on the results of a run, with a number of groups."""
    page = (REPOSITORY / "docs" / "examples.md").read_text(encoding="utf-8")
    (code,) = (c for c in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "department" in c)
    for written, here in (
        ("results/completejourney", str(folder)),
        ("n_clusters=4", f"n_clusters={n_groups}"),
    ):
        assert code.count(written) == 1
        code = code.replace(written, here)
    names = {}
    exec(compile(code, "docs/examples.md", "exec"), names)
    matrix = names["bought"].matrix[names["described"]]
    sides = names["labels"], names["department"]
    whole = summarise(matrix, *sides, rng=np.random.default_rng(1))
    return names["relations"].set_index(["person_cluster", "item_cluster"]), whole


def test_completejourney_holds_households_against_departments(tmp_path):
    data = REAL / "completejourney"
    changes = {"rules.n_bootstrap": 2}
    results = run_example(tmp_path / "p", "completejourney", data=data, changes=changes)
    account = results.read("data.json")
    assert account["baskets"]["rows_read"] == 75_000
    assert account["baskets"]["reasons"] == {"quantity is not above zero": 416}
    assert account["people"]["rows_kept"] == 801
    figures = results.read("features.json")
    assert (figures["people"], figures["described"]) == (2_373, 801)
    spend = results.read("features.parquet")["spend"].sum()
    # The sum of the column: the 416 rejected lines are coupons without a value.
    assert spend == pytest.approx(233_935.24, abs=1e-6)
    groups = set(results.read("item_clusters.parquet")["name"])
    assert {"GROCERY", "PRODUCE", "DRUG GM"} <= groups
    relations = results.read("relations.csv")
    assert (relations["q"] <= 0.05).any()
    assert results.read("bipartite.json")["p_permutation"] <= 0.05
    assert results.read("clusters.json")["attributes_q"]["kids_count"] <= 0.05
    # What the page says of two groups and of four.
    two, whole = documented(results.folder, 2)
    assert two.loc[1, "MEAT"][["lift", "q"]].tolist() == pytest.approx([0.82, 0.05], abs=0.005)
    assert whole["p_permutation"] == pytest.approx(0.47, abs=0.005)
    four, whole = documented(results.folder, 4)
    assert four.loc[0, "PRODUCE"]["lift"] == pytest.approx(1.44, abs=0.005)
    assert four.loc[0, "GROCERY"]["lift"] == pytest.approx(0.91, abs=0.005)
    assert four.loc[1, "PRODUCE"]["lift"] == pytest.approx(0.89, abs=0.005)
    assert (four["q"] <= 0.05).sum() == 3
    assert whole["p_permutation"] == 0.005
    assert whole["modularity"] == pytest.approx(0.013, abs=0.0005)


@pytest.mark.parametrize(
    ("name", "n_rows", "n_people"), [("epub", 29_624, 15_732), ("msweb", 98_654, 32_711)]
)
def test_logs_of_visits_are_grouped_and_described(tmp_path, name, n_rows, n_people):
    changes = {"represent.n_seeds": 1, "represent.n_shuffles": 1, "features.max_users": 600}
    results = run_example(tmp_path / "p", name, data=REAL / name, changes=changes)
    assert results.read("data.json")["visits"]["rows_kept"] == n_rows
    figures = results.read("features.json")
    assert figures["people"] == 600
    assert figures["people"] + figures["too_few_records"] + figures["not_drawn"] == n_people
    chosen = results.read("represent.json")
    assert chosen["n_clusters"] >= 2
    told = results.read("interpret.json")
    assert told["n_described"] == chosen["n_clusters"]
    assert told["accuracy"] > told["chance"]
    assert results.read("bipartite.json")["p_permutation"] <= 0.05


def test_the_whole_kdd_file_is_searched_for_anomalies(tmp_path):
    results = run_example(tmp_path / "p", "kdd99", data=REAL / "kdd99")
    assert results.read("data.json")["flows"]["rows_kept"] == 494_021
    assert len(results.read("scores.parquet")) == 494_021
    truth = results.read("truth.json")
    assert truth["n_attacks"] == 396_743
    detectors = results.read("detectors.csv").set_index("detector")
    assert "nearly everything" in detectors.loc["hdbscan", "warnings"]
    figures = results.read("anomalies.json")["detectors"]["dbscan"]
    assert figures["n_distinct"] == 71_541
    # What the page says: floods are the usual, attacks of few connections come out.
    judged = results.read("detection.csv").set_index("detector")
    assert judged.loc["dbscan", "roc_auc"] == pytest.approx(0.48, abs=0.005)
    assert judged.loc["isolation_forest", "roc_auc"] < 0.1
    recall = results.read("recall.csv").query("detector == 'dbscan'").set_index("label")["flagged"]
    assert recall[["smurf.", "neptune.", "buffer_overflow.", "warezmaster."]].tolist()[2:] == [
        26,
        17,
    ]
    assert recall["neptune."] == 0
    alerts = results.read("alerts.csv")
    assert alerts["n_flows"].sum() == detectors.loc["dbscan", "n_flagged"]
