"""The steps that touch a database, run as the pipeline runs them: what they leave, and what not."""

import json
import sqlite3

import numpy as np
import pandas as pd
import postgres
import psycopg
import pytest
from pipeline.test_studies import files_of, make_project
from ruamel.yaml import YAML

from cohortlab.embedding import fit_leaf_forest
from cohortlab.run.project import read_params
from cohortlab.run.steps import StepError, run_step
from cohortlab.scaling import Scaling
from cohortlab.score import fit_bundle, save_bundle
from cohortlab.sources import read_invoices
from cohortlab.synthetic import generate_invoice_log

pytestmark = pytest.mark.pipeline

VARIABLE = "COHORTLAB_TEST_URL"
IDS = range(1, 41)
SECRETS = ("sesame", "71c", postgres.USER)


@pytest.fixture
def shop(tmp_path):
    """Make a project whose steps before `publish` have run, on forty customers."""
    project = make_project(tmp_path / "project")
    folder = project / "results" / "customers"
    folder.mkdir(parents=True)
    features = pd.DataFrame({"customer_id": IDS}).assign(
        gross_revenue=2.5, recency_days=3, quantity_of_products=4, frequency=0.5, returns=0
    )
    features.to_parquet(folder / "features.parquet")
    segments = pd.DataFrame({"id": IDS, "segment": "champions"})
    segments.to_parquet(folder / "segments.parquet")
    learnt = features[["customer_id", "recency_days"]]
    scaling = Scaling("minmax").fit(learnt[["recency_days"]])
    scaled = scaling.transform(learnt)
    forest = fit_leaf_forest(scaled, scaled[:, 0], n_trees=2, min_leaf=1, random_state=0)
    names = {0: '=all; "of" them'}
    kept = {"study": "customers", "scaling": scaling, "forest": forest}
    (folder / "bundle").mkdir()
    save_bundle(fit_bundle(learnt, np.zeros(40, int), names, **kept), folder / "bundle")
    return project


def set_parameter(project, step, **values):
    yaml = YAML()
    params = yaml.load((project / "params.yaml").read_text())
    params["studies"]["customers"][step] |= values
    yaml.dump(params, project / "params.yaml")


def assert_no_secret(project, *texts):
    found = {str(path): content for path, content in files_of(project).items()}
    assert any(name.endswith(".ipynb") for name in found)
    for name, content in found.items():
        assert not [secret for secret in SECRETS if secret.encode() in content], name
    assert not [secret for secret in SECRETS for text in texts if secret in text]


def test_published_to_a_file_the_customers_are_there_and_in_a_sheet(shop):
    run_step("publish", "customers", shop, progress=False)
    folder = shop / "results" / "customers"
    with sqlite3.connect(folder / "customers.sqlite") as connection:
        table = pd.read_sql("SELECT * FROM latest_customers", connection)
    connection.close()
    assert table["customer_id"].astype(int).sort_values().tolist() == list(IDS)
    assert set(table["cluster_name"]) == {'=all; "of" them'}
    assert set(table["segment"]) == {"champions"}
    sheet = pd.read_csv(folder / "export" / "customers.csv")
    assert set(sheet["cluster_name"]) == {'\'=all; "of" them'}
    assert set(sheet["run_id"]) == set(table["run_id"])
    before = files_of(shop)
    run_step("publish", "customers", shop, progress=False)
    assert files_of(shop) == before


def test_published_to_a_server_nothing_tells_how_to_get_in(
    shop, postgres_url, monkeypatch, caplog, capfd
):
    set_parameter(shop, "publish", url_variable=VARIABLE)
    monkeypatch.setenv(VARIABLE, postgres_url)
    run_step("publish", "customers", shop, progress=False)
    assert not (shop / "results" / "customers" / "customers.sqlite").exists()
    with psycopg.connect(postgres_url) as connection:
        tables = ("published_runs", "published_releases", "published_customers", "latest_customers")
        rows = {t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in tables}
    assert len(rows["latest_customers"]) == len(IDS)
    assert_no_secret(shop, str(rows), caplog.text, *capfd.readouterr())

    monkeypatch.setenv(VARIABLE, postgres_url.replace("sesame", "wrong-sesame"))
    with pytest.raises(StepError, match="refuses the user or the password") as caught:
        run_step("publish", "customers", shop, progress=False)
    assert (shop / "reports" / "customers" / "publish.failed.ipynb").exists()
    assert_no_secret(shop, str(caught.value), caplog.text, *capfd.readouterr())


def test_a_log_in_a_database_gives_the_tables_that_its_file_gives(tmp_path, monkeypatch):
    project = make_project(tmp_path / "project")
    settings = read_params(project)["studies"]["customers"]["data"]["synthetic"]
    # A line with too few or too many fields is no row of a table.
    settings |= {"n_customers": 60, "faults": settings["faults"] | {"malformed_line": 0.0}}
    generate_invoice_log(tmp_path, tmp_path / "truth", rng=np.random.default_rng(1), **settings)
    file = tmp_path / "data.csv"
    expected = read_invoices(str(file), scratch=tmp_path / "scratch", threads=1)
    lines = pd.read_csv(file, dtype=str, encoding="windows-1252")
    with sqlite3.connect(tmp_path / "shop.sqlite") as connection:
        lines.to_sql("invoices", connection, index=False)
    connection.close()

    set_parameter(project, "data", source="sql")
    monkeypatch.setenv("COHORTLAB_SOURCE_URL", f"sqlite:///{tmp_path}/shop.sqlite")
    run_step("data", "customers", project, progress=False)
    folder = project / "results" / "customers"
    found = pd.read_parquet(folder / "log" / "invoices.parquet")
    pd.testing.assert_frame_equal(found, expected.tables["invoices"].to_pandas())
    assert json.loads((folder / "data.json").read_text()) == expected.counts
    assert (folder / "raw" / "invoices.parquet").exists()
