import re

import nbformat
import pytest

from cohortlab.run.parameters import (
    Parameter,
    ParameterError,
    declared_parameters,
    resolve,
    study_log,
)
from cohortlab.run.project import read_params

DECLARED = {
    p.name: p
    for p in (
        Parameter("study", "str", "toy"),
        Parameter("seed", "int", 1),
        Parameter("sizes", "list[int]", [1, 2]),
        Parameter("rate", "float", 0.5),
        Parameter("path", "str | None", None),
    )
}


def params(**block):
    return {"seed": 7, "studies": {"toy": {"log": "events", "count": block}}}


def test_values_come_in_the_order_of_the_declaration():
    values = resolve(params(path=None, rate=0.1, sizes=[3]), "count", "toy", DECLARED)
    assert list(values.items()) == [
        ("study", "toy"),
        ("seed", 7),
        ("sizes", [3]),
        ("rate", 0.1),
        ("path", None),
    ]


def test_a_parameters_cell_that_is_no_python_is_told(tmp_path):
    cell = nbformat.v4.new_code_cell("n: int = = 3", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "count.ipynb")
    with pytest.raises(ParameterError, match=r"count\.ipynb: the parameters cell is no Python"):
        declared_parameters(tmp_path / "count.ipynb")


def test_a_study_says_what_it_asks():
    declared = {"question": Parameter("question", "str", "why?")}
    given = params(n=3)
    declared["n"] = Parameter("n", "int", 1)
    with pytest.raises(ParameterError, match=r"`studies\.toy\.question`: expected str, got None"):
        resolve(given, "count", "toy", declared)
    given["studies"]["toy"]["question"] = "what is there?"
    assert resolve(given, "count", "toy", declared)["question"] == "what is there?"


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [("float", float), ("float | None", float), ("float | int", int), ("int | float", int)],
)
def test_a_whole_number_for_a_float_becomes_one(annotation, kind):
    declared = {"rate": Parameter("rate", annotation, 0.5)}
    assert type(resolve(params(rate=1), "count", "toy", declared)["rate"]) is kind


def one_parameter(step, name, annotation, value):
    """Resolve a step that has one parameter."""
    declared = {name: Parameter(name, annotation, None)}
    given = {"seed": 7, "studies": {"toy": {"log": "events", step: {name: value}}}}
    return resolve(given, step, "toy", declared)[name]


@pytest.mark.parametrize(
    ("step", "name", "values"),
    [
        ("rules", "min_support", [0, 0.0, -0.1, 1.01, 20, float("nan")]),
        ("rules", "discovery_share", [0, 1, 1.0]),
        ("rules", "alpha", [0, 1, -0.05, float("inf")]),
        ("bipartite", "alpha", [0, 1]),
        ("truth", "min_lift", [1, 0.5]),
        ("mixture", "reg_covar", [-1e-9, float("inf")]),
    ],
)
def test_a_number_out_of_its_range_is_named(step, name, values):
    for value in values:
        message = rf"`studies\.toy\.{step}\.{name}` should lie in [(\[].*, but is {float(value)}"
        with pytest.raises(ParameterError, match=message):
            one_parameter(step, name, "float", value)


@pytest.mark.parametrize(
    ("step", "name", "annotation", "value"),
    [
        ("rules", "min_support", "float", 1),
        ("rules", "alpha", "float", 0.999),
        ("mixture", "n_components", "list[int]", [1, 2]),
        ("clusters", "n_clusters", "int | None", None),
        ("clusters", "alpha", "float", 7),
    ],
)
def test_bounds_that_are_included_numbers_not_given_and_those_of_other_steps_pass(
    step, name, annotation, value
):
    assert one_parameter(step, name, annotation, value) == value


def test_each_number_of_a_list_is_held_to_the_range():
    with pytest.raises(ParameterError, match=r"n_components` should lie in \[1, inf\), but is 0"):
        one_parameter("mixture", "n_components", "list[int]", [3, 0, 2])


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"colum": "a", "least": 1.0, "size": 3, "strict": True},
            r"unknown.*toy\.count\.chosen\.colum`.*missing.*toy\.count\.chosen\.column`",
        ),
        (
            {"column": "a", "size": 3, "strict": True},
            r"missing parameter `studies\.toy\.count\.chosen\.least`",
        ),
    ],
)
def test_the_keys_of_a_mapping_with_values_of_several_kinds_are_those_declared(chosen, message):
    with pytest.raises(ParameterError, match=message):
        chosen_of(chosen)
    assert chosen_of(CHOSEN) == CHOSEN


CHOSEN = {"column": "a", "least": 2.0, "size": 3, "strict": True}


def chosen_of(chosen):
    kinds = "dict[str, str | float | int | bool]"
    declared = {"chosen": Parameter("chosen", kinds, CHOSEN)}
    return resolve(params(chosen=chosen), "count", "toy", declared)["chosen"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"least": "two"}, r"mistyped .*count\.chosen\.least`: expected float, got 'two'"),
        ({"column": 3}, r"mistyped .*count\.chosen\.column`: expected str, got 3"),
        ({"size": 3.5}, r"mistyped .*count\.chosen\.size`: expected int, got 3\.5"),
        ({"size": True}, r"mistyped .*count\.chosen\.size`: expected int, got True"),
        ({"strict": 1}, r"mistyped .*count\.chosen\.strict`: expected bool, got 1"),
        ({"least": "a", "size": "b"}, r"chosen\.least`.*chosen\.size`"),
    ],
)
def test_each_value_of_such_a_mapping_has_the_kind_that_is_declared(changes, message):
    with pytest.raises(ParameterError, match=message):
        chosen_of(CHOSEN | changes)


def test_in_such_a_mapping_a_whole_number_may_stand_for_a_float():
    assert chosen_of(CHOSEN | {"least": 2}) == CHOSEN


def test_the_keys_of_a_mapping_with_values_of_one_kind_are_free():
    declared = {"apart": Parameter("apart", "dict[str, float]", {"events": 1})}
    assert resolve(params(apart={"size": 2}), "count", "toy", declared) == {"apart": {"size": 2}}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"sizes": [1], "rate": 0.1, "path": None, "sises": [1]},
            r"unknown.*count\.sises",
        ),
        ({"sizes": [1], "path": None}, r"missing.*studies\.toy\.count\.rate"),
        ({"sizes": [1], "rate": "0.1", "path": None}, r"mistyped.*count\.rate.*float.*'0.1'"),
        ({"sizes": ["1"], "rate": 0.1, "path": None}, r"mistyped.*count\.sizes.*list\[int\]"),
        ({"sizes": [True], "rate": 0.1, "path": None}, r"mistyped.*count\.sizes"),
        ({"sizes": [1], "rate": 0.1, "path": 3}, r"mistyped.*count\.path"),
        ({"sizes": [1], "rate": 0.1, "path": None, "seed": 3}, r"unknown.*count\.seed"),
    ],
)
def test_unknown_missing_and_mistyped_parameters_are_named(block, message):
    with pytest.raises(ParameterError, match=message):
        resolve(params(**block), "count", "toy", DECLARED)


def test_every_fault_is_reported_at_once():
    with pytest.raises(ParameterError, match=r"unknown.*wrong.*missing.*sizes.*missing.*path"):
        resolve(params(wrong=1, rate=0.1), "count", "toy", DECLARED)


def test_a_root_seed_that_is_no_number_is_named():
    with pytest.raises(ParameterError, match=r"mistyped parameter `seed`"):
        resolve(params(sizes=[], rate=0.1, path=None) | {"seed": "x"}, "count", "toy", DECLARED)


@pytest.mark.parametrize(
    "path",
    [
        "postgresql://me:sesame@host/db",
        ["s3://a:sesa/me@bucket"],
        "postgresql://me:sesame @host/db",
        "postgresql://host/db?user=me&password=sesame",
        "host=db user=me password = 'sesame'",
        "Server=db;Uid=me;Pwd=sesame;",
        {"password": "sesame"},
    ],
)
def test_a_password_in_a_parameter_is_refused_and_not_repeated(path):
    block = {"sizes": [], "rate": 0.1, "path": path}
    with pytest.raises(ParameterError, match=r"studies\.toy\.count\.path.*environment") as caught:
        resolve(params(**block), "count", "toy", DECLARED)
    assert "sesa" not in str(caught.value)


def test_a_password_in_the_question_is_refused_too():
    given = params(sizes=[], rate=0.1, path=None)
    given["studies"]["toy"]["question"] = "who buys, by password=sesame?"
    with pytest.raises(ParameterError, match=r"studies\.toy\.question.*environment") as caught:
        resolve(given, "count", "toy", DECLARED)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["https://host:80/a", "SELECT password FROM a", "a@b.example", "password=", "a:b@c"]
)
def test_what_only_looks_like_a_password_passes(path):
    block = {"sizes": [], "rate": 0.1, "path": path}
    assert resolve(params(**block), "count", "toy", DECLARED)["path"] == path


@pytest.mark.parametrize("annotation", ["str | None", "dict"])
@pytest.mark.parametrize(
    "value", ["postgresql://sesame@h/db", "sesame.db", "SÉSAME", "9sesame", "sesame ", "", ["a:b"]]
)
def test_what_is_no_name_of_a_variable_is_refused_and_not_repeated(annotation, value):
    name = "url_variable" if annotation != "dict" else "sql"
    block = {name: value if name != "sql" else {"url_variable": value}}
    with pytest.raises(ParameterError, match=r"url_variable.* name of an environment") as caught:
        resolve(params(**block), "count", "toy", {name: Parameter(name, annotation, None)})
    assert not re.search(r"(?i)s.same|a:b", str(caught.value))


@pytest.mark.parametrize("value", [None, "COHORTLAB_DATABASE_URL", "_x9"])
def test_a_name_of_a_variable_passes(value):
    declared = {"url_variable": Parameter("url_variable", "str | None", None)}
    assert resolve(params(url_variable=value), "count", "toy", declared) == {"url_variable": value}


def test_an_unknown_study_names_those_there_are():
    with pytest.raises(ParameterError, match=r"No study `tou`.*`toy`"):
        study_log(params(), "tou")


def test_a_step_without_a_block_names_what_it_needs():
    with pytest.raises(ParameterError, match=r"studies.toy.other.*`sizes`"):
        resolve(params(), "other", "toy", DECLARED)


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell(s, metadata={"tags": ["parameters"]}) for s in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_declared_parameters_are_read_with_types_and_values(tmp_path):
    notebook = write_notebook(tmp_path / "n.ipynb", 'a: int = 3  # how many\nb: dict = {"x": [1]}')
    assert declared_parameters(notebook) == {
        "a": Parameter("a", "int", 3),
        "b": Parameter("b", "dict", {"x": [1]}),
    }


@pytest.mark.parametrize("source", ["a = 3", "a: int", "a: int = f()", "import os", "a.b: int = 1"])
def test_a_parameters_cell_holds_only_typed_literals(tmp_path, source):
    with pytest.raises(ParameterError, match="name: type = literal"):
        declared_parameters(write_notebook(tmp_path / "n.ipynb", source))


@pytest.mark.parametrize("sources", [[], ["a: int = 1", "b: int = 1"]])
def test_a_notebook_has_exactly_one_parameters_cell(tmp_path, sources):
    with pytest.raises(ParameterError, match="expected one"):
        declared_parameters(write_notebook(tmp_path / "n.ipynb", *sources))


def test_numbers_in_exponent_form_are_numbers(tmp_path):
    (tmp_path / "params.yaml").write_text("tolerance: 1e-6\nname: 007x\n")
    assert read_params(tmp_path) == {"tolerance": 1e-6, "name": "007x"}
