"""The study of customers on logs of a handful of them."""

import shutil

import pandas as pd
import pytest
from projects import make_project

from cohortlab.notebook.results import Results
from cohortlab.run.steps import StepError, run_step

pytestmark = pytest.mark.pipeline
BEFORE = ("data", "features", "mixture", "clusters")
QUICK = {
    "mixture.n_components": [1, 2],
    "mixture.n_bootstrap": 0,
    "mixture.n_stability": 0,
    "embedding.n_init": 2,
    "embedding.n_replicates": 2,
    "embedding.n_nulls": 1,
    "embedding.n_references": 2,
}
#: What step `embedding` can do with five customers.
FITTING = {"embedding.min_leaf": 1, "embedding.n_clusters": 2, "embedding.k_values": [2, 3, 4]}


def project_of(tmp_path, changes):
    tmp_path.mkdir(exist_ok=True)
    keys = {f"studies.customers.{key}": value for key, value in (QUICK | changes).items()}
    return make_project(tmp_path / "project", keys)


def run(project, *steps):
    for step in steps:
        run_step(step, "customers", project, progress=False)


def test_one_customer_is_no_mixture_and_the_message_says_why(tmp_path):
    project = project_of(tmp_path, {"data.synthetic.n_customers": 1})
    run(project, "data", "features")
    with pytest.raises(StepError, match="X has 1 row; expected two or more"):
        run(project, "mixture")


def test_a_handful_of_customers_gets_through_once_the_parameters_fit(tmp_path):
    project = project_of(tmp_path, {"data.synthetic.n_customers": 5})
    run(project, *BEFORE, "segments")
    message = (
        "min_leaf: expected 1, .*got 20; n_clusters: expected 2, .*got 11; k_values: .*up to 4"
    )
    with pytest.raises(StepError, match=message):
        run(project, "embedding")
    fitting = FITTING | {"data.synthetic.n_customers": 5}
    shutil.copy(project_of(tmp_path / "fitting", fitting) / "params.yaml", project)
    run(project, "embedding")
    results = Results("customers", root=project)
    handed = results.read("embedding.parquet")
    assert len(handed) == len(results.read("features.parquet")) == 5
    assert handed["plane_x"].notna().all()


def test_money_that_is_the_same_for_all_scores_three_for_everybody_and_parts_nobody(tmp_path):
    log = pd.DataFrame(
        {
            "InvoiceNo": [f"5{n}" for n in range(8)],
            "StockCode": "21000",
            "Description": "a cup",
            "Quantity": 4,
            "InvoiceDate": [f"{day}/9/2011 10:00" for day in range(1, 9)],
            "UnitPrice": 2.5,
            "CustomerID": range(1, 9),
            "Country": "United Kingdom",
        }
    )
    read = {"data.source": "path", "data.path": str(tmp_path / "log.csv")}
    project = project_of(tmp_path, FITTING | read)
    log.to_csv(tmp_path / "log.csv", index=False)
    run(project, *BEFORE, "segments")
    segments = Results("customers", root=project).read("segments.parquet")
    assert segments["monetary_score"].tolist() == [3] * 8
    assert segments["recency_score"].nunique() == 5
    with pytest.raises(StepError, match="scored: 'proximity' finds a single cluster"):
        run(project, "embedding")
