"""The rules notebook on a shop made by hand: hostile names, and nothing found in one scope."""

import json
import re
import shutil
from html.parser import HTMLParser

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from ruamel.yaml import YAML

from cohortlab.notebook.results import Results
from cohortlab.rules import from_text
from cohortlab.run.steps import run_step

pytestmark = pytest.mark.pipeline

#: Ids and titles that a file, a page or a drawing may take for something else.
HOSTILE = {
    'a,"b"': 'quoted "name", with a comma',
    "line\nbreak": "two\nlines",
    "<b>7</b>": "<script>alert(1)</script> & <img src=x>",
    "$x$": "price $5$ | *stars* [link](http://example.org)",
}
#: Tags that a notebook's own tables and pictures have.
KNOWN_TAGS = {"div", "style", "table", "thead", "tbody", "tr", "th", "td"}


def hostile_baskets():
    """Two hundred people with three baskets each; the first two items always come together."""
    rng = np.random.default_rng(0)
    pair, others = list(HOSTILE)[:2], [*list(HOSTILE)[2:], *(f"i{n}" for n in range(6))]
    rows = []
    for basket in range(600):
        drawn = [item for item in others if rng.random() < 0.3]
        items = drawn + (pair if rng.random() < 0.3 else []) or [others[-1]]
        rows += [(f"t{basket}", f"p{basket // 3}", item) for item in items]
    return pd.DataFrame(rows, columns=["basket_id", "person_id", "item"])


def write_inputs(folder):
    """Write what the steps before would have."""
    folder.mkdir(parents=True)
    baskets = hostile_baskets()
    people = pd.DataFrame({"id": baskets["person_id"].unique()})
    buys = np.arange(len(people)) < 40
    items = pd.DataFrame({"item": np.sort(baskets["item"].unique())})
    items["title"] = items["item"].map(HOSTILE).fillna("the " + items["item"])
    tables = {
        "baskets": baskets,
        "clusters": people.assign(cluster=buys.astype(int), probability=1.0, uncertainty=0.0),
        "features": people.assign(visits=3.0),
        "attributes": people.assign(is_buyer=buys),
        "items": items.assign(group=pd.Series(None, items.index, dtype="string")),
        "tree": pd.DataFrame({"item": [], "parent": [], "title": []}, dtype="string"),
    }
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    names = pd.DataFrame({"cluster": [0, 1], "name": ["<i>few</i>", "many"]})
    names.to_csv(folder / "profiles.csv", index=False)
    (folder / "features.json").write_text(json.dumps({"baskets": 600}))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run the step; nothing is in every basket of the chosen, so they have no rule."""
    project = tmp_path_factory.mktemp("shop") / "project"
    project.mkdir()
    shutil.copytree(REPOSITORY / "notebooks", project / "notebooks")
    shutil.copy(REPOSITORY / "dvc.yaml", project)
    yaml = YAML()
    params = yaml.load((REPOSITORY / "params.yaml").read_text())
    changes = {"min_support": 0.02, "min_support_chosen": 1.0, "n_bootstrap": 2}
    params["studies"]["sessions"]["rules"].update(changes)
    yaml.dump(params, project / "params.yaml")
    write_inputs(project / "results" / "sessions")
    run_step("rules", "sessions", project, progress=False)
    return project


def outputs(project):
    notebook = nbformat.read(project / "reports" / "sessions" / "rules.ipynb", as_version=4)
    return [
        (kind, text)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind, text in output.get("data", {}).items()
    ]


def test_an_empty_scope_says_so_and_names_its_own_parameter(ran):
    shown = [text for kind, text in outputs(ran) if kind == "text/markdown"]
    (told,) = [text for text in shown if "No rule in the baskets of `chosen`" in text]
    told = told.replace("\\", "")
    advised = re.search(r"try a min_support_chosen of (0\.\d+) or less", told)
    assert 0 < float(advised[1]) < 1


def test_hostile_names_come_through_whole_and_are_never_markup(ran):
    results = Results("sessions", root=ran)
    confirmed = from_text(pd.read_csv(results.path("confirmed.csv")))
    best = confirmed.loc[confirmed["lift"].idxmax()]
    assert best["antecedents"] | best["consequents"] == set(list(HOSTILE)[:2])
    assert set().union(*results.read("itemsets.parquet")["itemsets"]) >= set(HOSTILE)
    tags = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.add(tag)
    pages = [text for kind, text in outputs(ran) if kind == "text/html"]
    for page in pages:
        parser.feed(page)
    assert any("quoted" in page for page in pages)
    assert tags <= KNOWN_TAGS
    told = [text for kind, text in outputs(ran) if kind == "text/markdown"]
    assert all(mark not in text for text in told for mark in ("<script", "<img", "<i>", "](http"))
    (drawing,) = [text for kind, text in outputs(ran) if kind == "image/svg+xml"]
    assert "<script" not in drawing
    assert "quoted" in drawing
