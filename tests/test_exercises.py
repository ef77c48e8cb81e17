"""Exercises: solutions pass their checks, copies with gaps and common mistakes do not."""

import re

import nbformat
import numpy as np
import pytest
from conftest import REPOSITORY

from cohortlab.exercises import Feedback, fooled, gapped, gaps_of, question, with_answer
from cohortlab.exercises.__main__ import write_gapped
from cohortlab.run.project import read_params

FOLDER = REPOSITORY / "exercises"
SOLUTIONS = sorted((FOLDER / "solutions").glob("*.ipynb"))
each = pytest.mark.parametrize("path", SOLUTIONS, ids=lambda p: p.stem)


def code_of(path):
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def is_check(source):
    return source.startswith("check.")


def name_of(source):
    return re.match(r"check\.(\w+)\(", source)[1]


def test_every_step_has_an_exercise_with_its_copy_and_its_checks():
    params = read_params(REPOSITORY)
    steps = {"data", "features", *params["steps"]}
    solved = {path.stem for path in SOLUTIONS}
    assert steps <= solved
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == solved
    modules = {p.stem for p in (REPOSITORY / "src" / "cohortlab" / "exercises").glob("*.py")}
    assert modules - {"__init__", "__main__", "feedback", "gaps"} == solved


@each
def test_a_copy_is_its_solution_with_gaps(path):
    solution = nbformat.read(path, as_version=4)
    copy = FOLDER / path.name
    assert copy.read_text(encoding="utf-8") == nbformat.writes(gapped(solution)) + "\n"


@each
def test_an_exercise_is_short_and_every_gap_has_its_check(path):
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith(f"# Exercise: {path.stem}\n")
    assert len(cells) <= 30
    assert not [c for c in cells if c.cell_type == "code" and c.outputs]
    code = code_of(path)
    found = [
        (gap.name, after)
        for cell, after in zip(code, [*code[1:], ""], strict=True)
        for gap in gaps_of(cell)
    ]
    assert 3 <= len(found) <= 6
    for name, after in found:
        assert is_check(after), name
        assert name_of(after) == name
    assert sum(map(is_check, code)) == len(found)


@each
def test_a_solution_passes_its_checks_and_a_common_mistake_is_told(path):
    space, told = {}, {}
    for source in code_of(path):
        if is_check(source):
            feedback = eval(source, space)
            assert feedback == Feedback(name_of(source), True, "right.")
            wrong = eval(source, told.pop(feedback.name))
            assert not wrong.passed, source
            assert "another form" not in wrong.text, wrong.text
            continue
        for gap in gaps_of(source):
            told[gap.name] = dict(space)
            exec(with_answer(source, {gap.name: gap.mistake}), told[gap.name])
        exec(source, space)


@each
def test_a_copy_with_gaps_runs_to_its_end_and_says_what_is_asked(path):
    space, answers = {}, {gap.name: gap.answer for s in code_of(path) for gap in gaps_of(s)}
    for source in code_of(FOLDER / path.name):
        if is_check(source):
            feedback = eval(source, space)
            assert not feedback.passed
            assert "..." in feedback.text or "an earlier gap" in feedback.text
            assert "Expect" in feedback.text
            assert answers[feedback.name] not in feedback.text
        else:
            exec(source, space)


# Right answers that look different from the solution's.
OTHERS = [
    ("data", "usable", "(lines['quantity'] >= 1) & ~lines['customer'].isna()"),
    ("data", "account", "{'rejected': 4, 'kept': 4, 'read': 8}"),
    ("features", "begins", "events.groupby('visitor')['time'].diff().fillna(2 * pause) > pause"),
    ("mixture", "n_parameters", "2 + 12 + 3 * 10"),
    ("mixture", "chosen", "2"),
    ("clusters", "silhouette", "1 - own / other"),
    ("rules", "lift", "Fraction(n_both * len(baskets), n_tea * n_milk)"),
    ("rules", "reaches", "[True, True, False, True, False]"),
    ("bipartite", "observed", "[[12, 2], [2, 13]]"),
    ("bipartite", "p", "np.mean([*shuffled, observed[0, 0]] >= observed[0, 0])"),
    ("truth", "agreement", "10 / 12"),
    ("fooled", "joined", "clusters.merge(baskets, how='right', on='person_id')"),
    ("fooled", "same", "0.8"),
    ("fooled", "p", "np.mean([*null, own] >= np.float64(own))"),
    ("embedding", "assigned", "0"),
    ("segments", "gini", "__import__('cohortlab.segments').segments.gini(amounts)"),
    ("publish", "statement", "'insert into customers values (?,?,?,?)'"),
    ("lesson", "share", "(people - people.mean()).pow(2).mean() / people.var(ddof=0).sum()"),
    ("laboratory", "half_width", "quantile * np.sqrt(np.var(differences, ddof=1) / 5)"),
    ("sequences", "mean_hour", "np.angle(np.exp(1j * angle).sum()) * 12 / np.pi % 24"),
    ("represent", "similarity", "1 - np.sum((rows[0] - rows[1]) ** 2) / 2"),
    ("interpret", "word", "pd.Series({'a': 'chess', 'b': 'recipes', 'c': 'mail'})"),
    ("recovery", "holds", "0.5"),
    ("anomalies", "is_core", "near @ weights > 3"),
    ("quantise", "rounded", "[64, 118, 255]"),
]


@pytest.mark.parametrize(("step", "name", "answer"), OTHERS)
def test_another_way_to_the_same_answer_passes(step, name, answer):
    space = {}
    for source in code_of(FOLDER / "solutions" / f"{step}.ipynb"):
        if is_check(source) and name_of(source) == name:
            assert eval(source, space) == Feedback(name, True, "right.")
            return
        is_asked = name in [gap.name for gap in gaps_of(source)]
        exec(with_answer(source, {name: answer}) if is_asked else source, space)
    pytest.fail(f"{name} is no gap of {step}")


MONDAY, TUESDAY = np.array([0, 0, 0, 1, 1, 2]), np.array([1, 1, 2, 3, 3, 1])


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (4 / 6, "right."),
        (5 / 6, "two clusters were given the same name"),
        (3 / 6, "another naming of Tuesday's clusters agrees better"),
        (0, "ids are compared"),
    ],
)
def test_clusters_are_the_same_by_the_best_naming_whatever_their_ids(share, text):
    assert fooled.same(MONDAY, TUESDAY, share).text.startswith(text)


@each
def test_the_parameters_that_an_exercise_names_exist(path):
    params = read_params(REPOSITORY)
    cells = nbformat.read(path, as_version=4).cells
    text = " ".join(c.source for c in cells if c.cell_type == "markdown")
    for step, name in re.findall(r"`(\w+)\.(\w+)[^`]*`\s[^.]*`params.yaml`", text):
        assert any(name in block.get(step, {}) for block in params["studies"].values()), name


@each
def test_no_feedback_holds_the_answer(path):
    module = REPOSITORY / "src" / "cohortlab" / "exercises" / f"{path.stem}.py"
    text = re.sub(r"\s", "", module.read_text(encoding="utf-8"))
    for source in code_of(path):
        for gap in gaps_of(source):
            assert re.sub(r"\s", "", gap.answer) not in text, gap.name


def test_copies_are_written_from_solutions(tmp_path):
    (tmp_path / "solutions").mkdir()
    cell = nbformat.v4.new_code_cell("# Your turn: one.\n# mistake: 2\none = 1", id="a")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("#", id="b"), cell])
    nbformat.write(notebook, tmp_path / "solutions" / "toy.ipynb")
    (written,) = write_gapped(tmp_path)
    assert code_of(written) == ["# Your turn: one.\none = ..."]


def test_a_long_answer_leaves_one_line():
    source = "x = 1\n# Your turn: a sum,\n# of two.\n# mistake: 4\ny = (\n    1\n    + 2\n)\nz = 3"
    expected = "x = 1\n# Your turn: a sum,\n# of two.\ny = ...\nz = 3"
    assert with_answer(source, {"y": "..."}) == expected
    assert "mistake" not in with_answer(source, {})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("# Your turn: a.\n# mistake: 1\nprint(2)", "should read `name = expression`"),
        ("# Your turn: a.\na = 1", "a line `# mistake: expression` is missing"),
        ("# Your turn: a.\n# mistake: 1\n\na = 1", "a task without a statement"),
    ],
)
def test_a_gap_that_cannot_be_made_is_named(source, message):
    with pytest.raises(ValueError, match=message):
        gaps_of(source)


@question
def number(number, of):
    """Expect half of it."""
    yield number < of, "a half is less"
    yield number * 2 == of, "twice that is another number"


half = number


@pytest.mark.parametrize(
    ("number", "of", "text"),
    [
        (..., 4, "nothing stands in place of `...` yet. Expect half of it."),
        (2, ..., "`of`, an earlier gap, is open. Expect half of it."),
        (5, 4, "a half is less"),
        (3, 4, "twice that is another number"),
        (2, 4, "right."),
    ],
)
def test_feedback_goes_from_the_coarse_to_the_fine(number, of, text):
    assert half(number, of).text == text
    assert half(number, of).passed == (text == "right.")


def test_an_answer_of_another_form_is_told_from_a_wrong_one():
    text = half("2", 4).text
    assert text.startswith("this has another form than what is asked for (TypeError")
    assert text.endswith("Expect half of it.")


def test_feedback_shows_whether_it_is_right():
    assert half(2, 4)._repr_markdown_().startswith("✅ **number**")
    assert "right" not in half(3, 4)._repr_markdown_()
