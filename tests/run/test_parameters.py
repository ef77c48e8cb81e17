import nbformat
import pytest

from cohortlab.run.parameters import (
    Parameter,
    ParameterError,
    declared_parameters,
    read_params,
    resolve,
    study_log,
)

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


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [("float", float), ("float | None", float), ("float | int", int), ("int | float", int)],
)
def test_a_whole_number_for_a_float_becomes_one(annotation, kind):
    declared = {"rate": Parameter("rate", annotation, 0.5)}
    assert type(resolve(params(rate=1), "count", "toy", declared)["rate"]) is kind


@pytest.mark.parametrize("value", [0, 0.0, -0.1, 1.01, 20, float("nan")])
def test_a_share_that_is_none_is_named(value):
    declared = {"min_support": Parameter("min_support", "float", 0.1)}
    message = r"`studies\.toy\.count\.min_support` should be a share"
    with pytest.raises(ParameterError, match=message):
        resolve(params(min_support=value), "count", "toy", declared)
    assert resolve(params(min_support=1), "count", "toy", declared) == {"min_support": 1.0}


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            {"colum": "a", "least": 1},
            r"unknown.*toy\.count\.chosen\.colum`.*missing.*toy\.count\.chosen\.column`",
        ),
        ({"column": "a"}, r"missing parameter `studies\.toy\.count\.chosen\.least`"),
    ],
)
def test_the_keys_of_a_mapping_with_values_of_several_kinds_are_those_declared(chosen, message):
    default = {"column": "a", "least": 2.0}
    declared = {"chosen": Parameter("chosen", "dict[str, str | float | int]", default)}
    with pytest.raises(ParameterError, match=message):
        resolve(params(chosen=chosen), "count", "toy", declared)
    assert resolve(params(chosen=default), "count", "toy", declared) == {"chosen": default}


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


@pytest.mark.parametrize("path", ["postgresql://me:sesame@host/db", ["s3://a:sesa/me@bucket"]])
def test_a_password_in_a_parameter_is_refused_and_not_repeated(path):
    block = {"sizes": [], "rate": 0.1, "path": path}
    with pytest.raises(ParameterError, match=r"studies\.toy\.count\.path.*environment") as caught:
        resolve(params(**block), "count", "toy", DECLARED)
    assert "sesa" not in str(caught.value)


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
