import shutil

import pytest
from conftest import REPOSITORY
from ruamel.yaml import YAML

from cohortlab.run.parameters import ParameterError
from cohortlab.run.project import read_params
from cohortlab.study import add_study, read_example, remove_study
from cohortlab.study.__main__ import main

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
examples = pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    shutil.copytree(REPOSITORY / "notebooks", root / "notebooks")
    shutil.copytree(REPOSITORY / "examples", root / "examples")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPOSITORY / name, root)
    return root


def write(project, text, name="mine.yaml"):
    path = project / "examples" / name
    path.write_text(text, encoding="utf-8")
    return path


def text_of(project):
    return (project / "params.yaml").read_bytes()


@examples
def test_adding_and_removing_leaves_every_byte(project, example):
    before = text_of(project)
    add_study(project, example)
    assert text_of(project) != before
    remove_study(project, example.stem)
    assert text_of(project) == before
    assert not (project / "data" / example.stem).exists()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_studies_can_be_removed_in_any_order(project, order):
    before = text_of(project)
    for example in EXAMPLES[:3]:
        add_study(project, example)
    for place in order:
        remove_study(project, EXAMPLES[place].stem)
    assert text_of(project) == before


@examples
def test_an_added_study_is_listed_in_its_steps_and_has_all_it_needs(project, example):
    add_study(project, example)
    params, said = read_params(project), read_example(example)
    block = params["studies"][said.name]
    assert list(block) == ["question", "log", *said.steps]
    assert block["question"] == said.question
    for step, own in said.blocks.items():
        assert {key: block[step][key] for key in own} == own
    for step, studies in params["steps"].items():
        assert (said.name in studies) == (step in said.steps)
    assert (project / "data" / said.name).is_dir()


def test_what_an_example_does_not_say_comes_with_its_comments(project):
    add_study(project, project / "examples" / "groceries.yaml")
    base = read_params_of(project / "examples" / "baskets.yaml")
    block = read_params(project)["studies"]["groceries"]
    assert block["bipartite"] == base["bipartite"]
    assert block["rules"]["alpha"] == base["rules"]["alpha"]
    text = text_of(project).decode().split("  groceries:  # from groceries.yaml")[1]
    assert "      alpha: 0.05  # level for the corrected p-values; (0, 1)\n" in text
    assert "      min_support: 0.006  # smallest share of the baskets that an itemset needs" in text


def read_params_of(path):
    return YAML(typ="safe", pure=True).load(path.read_text())


def test_a_study_can_be_like_one_of_the_parameters_file(project):
    path = write(
        project,
        "study: mine\nlike: customers\nsteps: [mixture]\n"
        "data: {source: path, path: data/mine/sales.csv}\nmixture: {n_init: 3}\n",
    )
    add_study(project, path)
    params = read_params(project)
    mine, customers = params["studies"]["mine"], params["studies"]["customers"]
    assert mine["log"] == "invoices"
    assert mine["question"] == "what groups of people and of items does the log of mine hold?"
    assert mine["mixture"] == customers["mixture"] | {"n_init": 3}
    assert mine["data"]["synthetic"] == {}
    assert mine["features"] == customers["features"]
    assert "clusters" not in mine


def test_a_folder_can_be_named(project):
    add_study(project, project / "examples" / "groceries.yaml", folder="/lab/files/")
    path = read_params(project)["studies"]["groceries"]["data"]["path"]
    assert path == {
        "baskets": "/lab/files/baskets.csv.xz",
        "items": "/lab/files/items.csv",
        "people": None,
    }


def test_adding_twice_changes_nothing(project):
    path = project / "examples" / "groceries.yaml"
    add_study(project, path)
    once = text_of(project)
    assert "already" in add_study(project, path)
    assert text_of(project) == once


HEAD = "study: mine\nlike: customers\nsteps: [mixture]\n"
MISTAKES = {
    "study exists": (HEAD.replace("mine", "sessions"), "another study `sessions`"),
    "study unnamed": ("like: customers\nsteps: []\n", "`study` should be a name"),
    "study of odd letters": (HEAD.replace("mine", "My shop"), "`study` should be a name"),
    "no base": ("study: mine\nsteps: []\n", "`like` should name the study"),
    "unknown base": (HEAD.replace("customers", "clients"), "`like: clients` is neither.*sessions"),
    "question no text": (HEAD + "question: [1]\n", "`question` should be a text"),
    "steps no list": (HEAD.replace("[mixture]", "mixture"), "`steps` should be a list"),
    "unknown step": (HEAD.replace("[mixture]", "[mixtures]"), "no step is called mixtures"),
    "step without its maker": (
        HEAD.replace("[mixture]", "[rules]"),
        "step `rules` reads what clusters or represent makes",
    ),
    "block of a step not run": (HEAD + "rules: {top: 3}\n", "`rules` has parameters, but is not"),
    "block that is none": (HEAD + "mixture: 3\n", "`mixture` should be a block"),
    "unknown parameter": (HEAD + "mixture: {n_inits: 3}\n", r"unknown.*mine\.mixture\.n_inits"),
    "mistyped parameter": (HEAD + "mixture: {n_init: x}\n", r"mistyped.*mine\.mixture\.n_init"),
    "nothing to start from": (
        HEAD.replace("like: customers", "log: events"),
        "`studies.mine.data` should be a block",
    ),
    "no YAML": ("study: [", "cannot be read as YAML"),
    "no mapping": ("- study", "should hold `key: value`"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_nothing_is_written(project, text, message):
    before = text_of(project)
    with pytest.raises(ParameterError, match=message):
        add_study(project, write(project, text))
    assert text_of(project) == before
    assert not (project / "data").exists()


def test_a_changed_study_is_not_overwritten(project):
    path = project / "examples" / "groceries.yaml"
    add_study(project, path)
    changed = text_of(project).replace(b"min_support: 0.006", b"min_support: 0.02")
    (project / "params.yaml").write_bytes(changed)
    with pytest.raises(ParameterError, match="with changes"):
        add_study(project, path)
    assert text_of(project) == changed


@pytest.mark.parametrize("name", ["sessions", "nobody"])
def test_only_added_studies_are_removed(project, name):
    before = text_of(project)
    with pytest.raises(ParameterError, match=f"no study `{name}` that was added.*none"):
        remove_study(project, name)
    assert text_of(project) == before


def test_removing_keeps_the_users_files(project):
    add_study(project, project / "examples" / "groceries.yaml")
    (project / "data" / "groceries" / "items.csv").write_text("item\n")
    remove_study(project, "groceries")
    assert (project / "data" / "groceries" / "items.csv").exists()


def test_the_command_says_what_it_did(project, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.chdir(project)
    assert main(["add", "examples/groceries.yaml", "--path", "elsewhere"]) == 0
    assert "dvc repro" in caplog.text
    assert main(["remove", "groceries"]) == 0
    assert main(["add", "examples/none.yaml"]) == 2
    assert "none.yaml cannot be read" in caplog.text


def test_examples_are_short_but_for_the_complete_one():
    for path in EXAMPLES:
        lines = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
        assert len(lines) <= 25 or path.stem == "baskets", path
