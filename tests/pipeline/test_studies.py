"""Whole studies, small: twice through the pipeline, by hand, and on real files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pandas as pd
import pytest
from conftest import REPOSITORY
from PIL import Image
from projects import files_of, make_project
from ruamel.yaml import YAML
from serving import KEY
from serving import model as reply_as_model

from cohortlab.notebook.results import Results
from cohortlab.run.parameters import ParameterError, declared_parameters, resolve
from cohortlab.run.project import PINNED, read_params
from cohortlab.run.steps import StepError, find_notebook, run_step

STEPS = ("data", "features", "mixture", "clusters", "rules", "bipartite", "truth")
LOGS = {
    "sessions": "events",
    "customers": "invoices",
    "populations": "populations",
    "browsing": "visits",
    "palette": "pictures",
    "traffic": "flows",
}
# Steps that only one study has.
OWN_STEPS = {
    "customers": ("segments", "embedding", "publish"),
    "populations": ("lesson", "laboratory", "fooled"),
}
BROWSING = ("data", "features", "sequences", "represent", "interpret", "bipartite", "recovery")
PALETTE = ("data", "features", "quantise")
TRAFFIC = ("data", "features", "anomalies")
REAL = REPOSITORY.parent / "shared" / "data"

pytestmark = pytest.mark.pipeline
studies = pytest.mark.parametrize("study", LOGS)


def needs(path):
    return pytest.mark.skipif(not path.exists(), reason=f"real data {path.name} is not here")


SMALLER = {
    "customers": {
        "studies.customers.embedding.n_init": 3,
        "studies.customers.embedding.n_replicates": 2,
        "studies.customers.embedding.n_nulls": 1,
        "studies.customers.embedding.trial_rows": 200,
    },
    "populations": {
        "studies.populations.lesson.n_people": 120,
        "studies.populations.lesson.overlaps": [0.01, 0.1],
        "studies.populations.lesson.n_shuffles": 5,
        "studies.populations.lesson.n_markets": 1,
        "studies.populations.laboratory.grids.small": {
            "overlap": [0.01, 0.2],
            "strength": [0.2, 0.9],
            "density": [10],
            "n_people": [80],
            "n_seeds": [2],
            "n_null_seeds": [1],
        },
        "studies.populations.laboratory.algorithms": ["kmeans", "spectral"],
    },
}


SMALL_BROWSING = {
    "data.synthetic.n_users": 60,
    "data.synthetic.records": {"median": 300, "mean": 400, "maximum": 1500},
    "represent.k_values": [3, 4, 5],
    "represent.n_seeds": 2,
    "represent.n_shuffles": 1,
    "represent.compared": {"engineered": {}},
    "represent.min_size": 4,
    "interpret.n_shuffles": 99,
    "recovery.k_values": [3, 4, 5],
    "recovery.min_size": 4,
    "recovery.exchanged": [0.0, 1.0],
    "recovery.kept": [1, 4],
}


SMALL_PALETTE = {
    "data.cleaning.max_side": 64,
    "data.synthetic.side": 32,
    "quantise.n_colours": [8, 16],
    "quantise.n_starts": 2,
    "quantise.most_colours": 10,
}
#: Studies that share few steps with others: their own, and what makes them small.
OWN = {
    "browsing": (BROWSING, SMALL_BROWSING),
    "palette": (PALETTE, SMALL_PALETTE),
    "traffic": (TRAFFIC, {"data.synthetic.flows_per_day": 1500}),
}


def steps_of(study):
    return OWN[study][0] if study in OWN else (*STEPS, *OWN_STEPS.get(study, ()))


def small(study):
    """Return parameters for a study of a few hundred people."""
    if study in OWN:
        return {f"studies.{study}.{key}": value for key, value in OWN[study][1].items()}
    size = {"sessions": "n_visitors", "customers": "n_customers", "populations": "n_people"}[study]
    return SMALLER.get(study, {}) | {
        f"studies.{study}.data.synthetic.{size}": 900,
        f"studies.{study}.mixture.n_components": [1, 2, 3, 4],
        f"studies.{study}.mixture.n_bootstrap": 0,
        f"studies.{study}.truth.n_shuffles": 5,
        f"studies.{study}.truth.n_basket_shuffles": 1,
    }


def run_by_hand(project, step, study):
    """Execute a source notebook as JupyterLab would, in its own folder and without the runner.

    A reader who wants other values than the default writes them into the parameters cell.
    """
    path = find_notebook(step, LOGS[study], project)
    notebook = nbformat.read(path, as_version=4)
    declared = declared_parameters(path)
    values = resolve(read_params(project), step, study, declared)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            lines = [f"{p.name}: {p.annotation} = {values[p.name]!r}" for p in declared.values()]
            cell.source = "\n".join(lines)
    nbclient.NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    return notebook


def outputs_of(notebook, skipped=("parameters", "injected-parameters")):
    code = [c for c in notebook.cells if c.cell_type == "code"]
    cells = [c for c in code if not set(c.metadata.get("tags", [])) & set(skipped)]
    return [(c.source, [shown(o) for o in c.get("outputs", [])]) for c in cells]


def shown(output):
    """Return what a reader sees; what the runner pins of a kernel's surroundings aside."""
    kinds = output.get("data", {})
    text = kinds.get("image/png") or kinds.get("text/markdown") or output.get("text")
    pinned = tuple(f"{name} " for name in PINNED)
    return [line for line in (text or "").splitlines() if not line.startswith(pinned)]


# Steps whose notebooks are run by hand too: one of each kind, and all that draw at random.
BY_HAND = {
    "sessions": STEPS,
    "customers": ("features", "segments", "embedding", "publish"),
    "populations": ("features", "lesson"),
    "browsing": ("features", "sequences", "represent", "interpret", "recovery"),
    "palette": ("features", "quantise"),
    "traffic": TRAFFIC[1:],
}


@studies
def test_a_small_study_gives_the_same_bytes_twice_and_the_same_by_hand(tmp_path, study):
    versions = []
    for name in ("first", "second"):
        project = make_project(tmp_path / name, small(study))
        for step in steps_of(study):
            run_step(step, study, project, progress=False)
        versions.append(files_of(project))
    assert versions[0].keys() == versions[1].keys()
    changed = [str(p) for p in versions[0] if versions[0][p] != versions[1][p]]
    assert changed == []
    assert all(b'"output_type": "error"' not in content for content in versions[0].values())
    for step in BY_HAND[study]:
        by_hand = run_by_hand(project, step, study)
        after = files_of(project)
        assert [str(p) for p in after if after[p] != versions[1].get(p)] == []
        executed = nbformat.read(project / "reports" / study / f"{step}.ipynb", as_version=4)
        assert outputs_of(by_hand) == outputs_of(executed), step


@needs(REAL / "online_retail" / "data.csv.xz")
def test_customers_on_online_retail_gives_the_known_figures(tmp_path):
    project = make_project(
        tmp_path / "project",
        {
            "studies.customers.data.source": "path",
            "studies.customers.data.path": str(REAL / "online_retail" / "data.csv.xz"),
            "studies.customers.mixture.n_bootstrap": 0,
            "studies.customers.mixture.n_components": [1, 2, 3, 4, 5, 6],
        },
    )
    for step in (*STEPS, *OWN_STEPS["customers"]):
        run_step(step, "customers", project, progress=False)
    results = Results("customers", root=project)
    account = results.read("data.json")["invoices"]
    assert (account["rows_read"], account["rows_kept"]) == (541_909, 536_139)
    features = results.read("features.parquet")
    assert len(features) == 5_695
    assert round(features["gross_revenue"].sum()) == 10_104_658
    assert features["recency_days"].sum() == 662_690
    assert features["quantity_of_products"].sum() == 5_492_405
    assert features["returns"].sum() == 3_350
    assert results.read("features.json")["only_returned"] == 91
    assert results.read("truth.json") == {"available": False}
    assert len(results.read("clusters.parquet")) == 5_695
    segments = results.read("segments.parquet")
    named = ~results.read("attributes.parquet")["is_anonymous"]
    assert len(segments) == 5_695
    assert segments["expected_value"].notna().sum() == named.sum()
    assert results.read("publish.json")["customers"] == 5_695


@needs(REAL / "retailrocket" / "events_sample.csv")
def test_sessions_on_the_retailrocket_sample_runs_without_item_properties(tmp_path):
    folder = REAL / "retailrocket"
    project = make_project(
        tmp_path / "project",
        {
            "studies.sessions.data.source": "path",
            "studies.sessions.data.path": {
                "events": str(folder / "events_sample.csv"),
                "item_properties": None,
                "category_tree": str(folder / "category_tree.csv"),
            },
            "studies.sessions.mixture.n_bootstrap": 0,
            "studies.sessions.mixture.n_components": [1, 2, 3, 4],
        },
    )
    for step in STEPS:
        run_step(step, "sessions", project, progress=False)
    results = Results("sessions", root=project)
    events = pd.read_csv(folder / "events_sample.csv")
    account = results.read("data.json")["events"]
    assert account["rows_read"] == len(events) == 9_385
    per_visitor = events.groupby("visitorid").size()
    kept = per_visitor[per_visitor <= per_visitor.quantile(0.999)]
    assert account["rows_kept"] == kept.sum()
    features = results.read("features.parquet")
    assert features["total_events"].sum() == kept.sum()
    assert "avg_item_availability" not in features
    assert set(results.read("features.json")["left_out"]) == {
        "unique_categories_viewed",
        "avg_item_availability",
        "category_spread_ratio",
    }
    bought = events[(events["event"] == "transaction") & events["visitorid"].isin(kept.index)]
    baskets = results.read("baskets.parquet")
    assert set(baskets["basket_id"]) == set(bought["transactionid"].astype(int).astype(str))
    # Some items have the number of a category; they are no categories all the same.
    items = results.read("items.parquet")
    categories = pd.read_csv(folder / "category_tree.csv")["categoryid"].astype(str)
    assert items["item"].isin(categories).sum() == 19
    assert items["title"].str.startswith("item ").all()
    assert items["group"].isna().all()
    assert len(results.read("tree.parquet")) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"laboratory.grid": "huge"},
            r"laboratory.grid is 'huge': choose one of \['small', 'large'\]",
        ),
        ({"laboratory.algorithms": ["magic"]}, "algorithms: expected names of"),
        ({"laboratory.grids.small.n_seeds": [0]}, "n_seeds is 0"),
        (
            {"data.synthetic.people.clusters.students.share": 0.5},
            "values of share must sum to 1",
        ),
        ({"lesson.overlaps": [0.7]}, r"lesson\.overlaps` should lie in \[0, 0\.5\], but is 0\.7"),
    ],
)
def test_impossible_parameters_of_the_populations_are_named(tmp_path, changes, message):
    keys = {f"studies.populations.{key}": value for key, value in changes.items()}
    project = make_project(tmp_path / "project", small("populations") | keys)
    step = next(iter(changes)).split(".")[0]
    with pytest.raises((StepError, ParameterError), match=message):
        run_step(step, "populations", project, progress=False)


def test_browsing_finds_planted_types_and_none_where_users_are_alike(tmp_path):
    project = make_project(tmp_path / "project", small("browsing"))
    for step in BROWSING:
        run_step(step, "browsing", project, progress=False)
    results = Results("browsing", root=project)
    truth = results.read("truth.json")
    assert truth["people"]["adjusted_rand_index"] > 0.8
    assert abs(truth["people_null"]["adjusted_rand_index"]) < 0.15
    assert all(abs(index) < 0.2 for index in truth["alike_users"].values())
    told = results.read("interpret.json")
    assert told["accuracy"] > told["chance"]
    assert told["p_people"] <= 0.05
    page = results.path("descriptions.html").read_text()
    assert all(
        words.replace("&", "&amp;") in page
        for words in results.read("descriptions.csv")["keywords"]
    )


def test_browsing_is_described_by_a_model_and_then_by_its_cassette(tmp_path, server, monkeypatch):
    model = {"url": "MY_URL", "model": "MY_MODEL", "key": "MY_KEY"}
    changes = small("browsing") | {
        "studies.browsing.interpret.describer": "llm",
        "studies.browsing.interpret.cassette": "tape",
        "studies.browsing.interpret.cassette_mode": "record",
        "studies.browsing.interpret.variables": model,
    }
    project = make_project(tmp_path / "project", changes)
    for step in BROWSING[:4]:
        run_step(step, "browsing", project, progress=False)
    monkeypatch.setenv("MY_URL", server.will(reply_as_model).url)
    monkeypatch.setenv("MY_MODEL", "tiny-1")
    monkeypatch.setenv("MY_KEY", KEY)
    run_step("interpret", "browsing", project, progress=False)
    results = Results("browsing", root=project)
    recorded = results.read("interpret.json")
    assert recorded["models"] == ["tiny-1"]
    n_asked = len(server.requests)
    assert n_asked > 3
    text = (
        (project / "params.yaml")
        .read_text()
        .replace("cassette_mode: record", "cassette_mode: replay")
    )
    (project / "params.yaml").write_text(text)
    monkeypatch.delenv("MY_URL")
    run_step("interpret", "browsing", project, progress=False)
    assert results.read("interpret.json") == recorded
    assert len(server.requests) == n_asked
    said = [path.read_text() for path in (project / "reports").rglob("*.ipynb")]
    said += [path.read_text() for path in (project / "tape").iterdir()]
    assert not any(KEY in text for text in said)
    for path in (project / "tape").iterdir():
        path.unlink()
    with pytest.raises(StepError, match="no answer is stored for the request"):
        run_step("interpret", "browsing", project, progress=False)


def dvc(project, *arguments):
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    }
    return subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_a_parameter_makes_its_own_stage_run_and_no_other(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    for file in ("params.yaml", "dvc.yaml", "dvc.lock"):
        shutil.copy(REPOSITORY / file, clone)
    if not (REPOSITORY / "results" / "sessions" / "features.parquet").exists():
        pytest.skip("the pipeline has not run here yet: `make repro`")
    for folder in ("results", "src", "notebooks", "reports"):
        shutil.copytree(REPOSITORY / folder, clone / folder, dirs_exist_ok=True)
    yaml = YAML()
    params = yaml.load((clone / "params.yaml").read_text())
    params["studies"]["sessions"]["clusters"]["silhouette_rows"] += 1
    yaml.dump(params, clone / "params.yaml")
    # The tables at hand are those of the lock; the cache that says so is the project's own.
    dvc(clone, "config", "--local", "cache.dir", str(REPOSITORY / ".dvc" / "cache"))
    ran = dvc(clone, "repro", "--dry").stdout
    stages = [line.split("'")[1] for line in ran.splitlines() if line.startswith("Running stage")]
    # What follows runs only if the results of this stage change, which a dry run cannot know.
    assert stages == ["clusters@sessions"]


@pytest.mark.parametrize("study", read_params(REPOSITORY)["studies"])
def test_dvc_shows_the_metrics_of_a_study_in_lines_that_fit_a_screen(study):
    figures = f"results/{study}/key_figures.json"
    if not (REPOSITORY / figures).exists():
        pytest.skip("the pipeline has not run here yet: `make repro`")
    assert (
        "dvc metrics show results/sessions/key_figures.json"
        in (REPOSITORY / "README.md").read_text()
    )
    heads, row = dvc(REPOSITORY, "metrics", "show", figures).stdout.splitlines()
    assert row.startswith(figures)
    assert len(heads.split()) > 4
    assert max(len(heads), len(row)) < 200


def test_dvc_shows_the_metrics_of_all_studies_and_the_plots(tmp_path):
    if not (REPOSITORY / "results" / "sessions" / "features.parquet").exists():
        pytest.skip("the pipeline has not run here yet: `make repro`")
    metrics = json.loads(dvc(REPOSITORY, "metrics", "show", "--json").stdout)[""]["data"]
    files = [f"results/{study}/key_figures.json" for study in read_params(REPOSITORY)["studies"]]
    assert list(metrics) == [file for file in files if (REPOSITORY / file).exists()]
    plots = dvc(REPOSITORY, "plots", "show", "--out", str(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert plots.returncode == 0, plots.stderr
    assert "BIC of the sessions mixtures" in page


def test_dvc_shows_the_stages_in_lines_that_fit_a_screen():
    assert "dvc dag --md " in (REPOSITORY / "README.md").read_text()
    lines = dvc(REPOSITORY, "dag", "--md").stdout.splitlines()
    assert any('"mixture@sessions"' in line for line in lines)
    assert sum("-->" in line for line in lines) > len(STEPS) * len(LOGS)
    assert max(map(len, lines)) < 100


def test_dvc_shows_which_parameters_differ(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(clone)], check=True)
    text = (clone / "params.yaml").read_text()
    first, second = text.split("  sessions:", 1)
    before = YAML(typ="safe").load(text)["studies"]["sessions"]["clusters"]["silhouette_rows"]
    changed = second.replace(f"silhouette_rows: {before}", f"silhouette_rows: {before + 1}", 1)
    (clone / "params.yaml").write_text(f"{first}  sessions:{changed}")
    (line,) = (text for text in dvc(clone, "params", "diff").stdout.splitlines() if "rows" in text)
    key = "studies.sessions.clusters.silhouette_rows"
    assert line.split() == ["params.yaml", key, str(before), str(before + 1)]


def test_every_parameters_cell_names_its_study():
    studies = read_params(REPOSITORY)["studies"]
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        assert declared_parameters(path)["study"].default in {*studies, "baskets"}


def test_a_picture_of_ones_own_of_a_single_pixel_comes_to_its_end(tmp_path):
    project = make_project(
        tmp_path / "project",
        {
            "studies.palette.data.source": "path",
            "studies.palette.data.path": "data/palette/*.png",
        },
    )
    folder = project / "data" / "palette"
    folder.mkdir(parents=True)
    Image.new("RGB", (1, 1), "red").save(folder / "a_b$c.png")
    for step in PALETTE:
        run_step(step, "palette", project, progress=False)
    results = Results("palette", root=project)
    assert results.read("truth.json") == {"available": False}
    assert len(list(results.path("quantised").iterdir())) == 4
    (folder / "broken.png").write_bytes(b"no picture")
    with pytest.raises(StepError, match=r"broken\.png cannot be read as a picture"):
        run_step("data", "palette", project, progress=False)
