"""Gaps in notebooks: the copy for students is made from the solution."""

import ast
from dataclasses import dataclass

import nbformat

#: What a comment above a statement with a gap begins with, and what follows it in solutions: an
#: answer that is often given and wrong.
TASK, MISTAKE = "# Your turn:", "# mistake:"


@dataclass(frozen=True)
class Gap:
    """A statement whose right side is left to the student.

    Attributes
    ----------
    name : str
        What is assigned.
    answer : str
        Source of the right side.
    mistake : str
        Source of a right side that is wrong.
    first, last : int
        Lines of the statement, from 1.
    mistake_line : int
        Line of the comment with the mistake.
    """

    name: str
    answer: str
    mistake: str
    first: int
    last: int
    mistake_line: int


def gaps_of(source: str) -> list[Gap]:
    r"""Find the gaps in a cell of a solution.

    Parameters
    ----------
    source : str
        The cell. A gap is an assignment to one name below a comment that begins with
        ``# Your turn:`` and ends in a line ``# mistake: expression``.

    Returns
    -------
    list of Gap
        In the order of the cell.

    Raises
    ------
    ValueError
        If a task has no assignment to one name, or no mistake.

    Examples
    --------
    >>> [gap] = gaps_of("# Your turn: half of four.\n# mistake: 4 * 2\nhalf = 4 / 2")
    >>> gap.name, gap.answer, gap.mistake
    ('half', '4 / 2', '4 * 2')
    """
    lines = source.splitlines()
    found = []
    for statement in ast.parse(source).body:
        above = _comment_above(lines, statement.lineno)
        if any(line.startswith(TASK) for line in above):
            found.append(_read(statement, above, source))
    if len(found) != sum(line.startswith(TASK) for line in lines):
        raise ValueError(f"a task without a statement below it in:\n{source}")
    return found


def _comment_above(lines: list[str], line: int) -> list[str]:
    first = line - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return lines[first : line - 1]


def _read(statement: ast.stmt, above: list[str], source: str) -> Gap:
    is_plain = isinstance(statement, ast.Assign) and len(statement.targets) == 1
    if not is_plain or not isinstance(statement.targets[0], ast.Name):
        raise ValueError(f"a gap should read `name = expression`, got:\n{ast.unparse(statement)}")
    if not above[-1].startswith(MISTAKE):
        raise ValueError(
            f"a line `{MISTAKE} expression` is missing above:\n{ast.unparse(statement)}"
        )
    return Gap(
        name=statement.targets[0].id,
        answer=ast.get_source_segment(source, statement.value),
        mistake=above[-1].removeprefix(MISTAKE).strip(),
        first=statement.lineno,
        last=statement.end_lineno,
        mistake_line=statement.lineno - 1,
    )


def with_answer(source: str, answers: dict[str, str]) -> str:
    r"""Put other answers into a cell of a solution, and leave out what it says of mistakes.

    Parameters
    ----------
    source : str
        The cell.
    answers : dict of str to str
        Right side by the name of the gap; gaps that are not named stay as they are.

    Returns
    -------
    str
        The cell.

    Examples
    --------
    >>> print(with_answer("# Your turn: a half.\n# mistake: 2\nhalf = 1 / 2", {"half": "..."}))
    # Your turn: a half.
    half = ...
    """
    lines: list[str | None] = list(source.splitlines())
    for gap in gaps_of(source):
        lines[gap.mistake_line - 1] = None
        if gap.name in answers:
            lines[gap.first - 1 : gap.last] = [
                f"{gap.name} = {answers[gap.name]}",
                *[None] * (gap.last - gap.first),
            ]
    return "\n".join(line for line in lines if line is not None)


def gapped(solution: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Make the copy for students: every answer of the solution becomes ``...``.

    Parameters
    ----------
    solution : nbformat.NotebookNode
        A solution, without outputs.

    Returns
    -------
    nbformat.NotebookNode
        The same cells with gaps.
    """
    copy = nbformat.from_dict(solution)
    for cell in copy.cells:
        if cell.cell_type == "code":
            answers = {gap.name: "..." for gap in gaps_of(cell.source)}
            cell.source = with_answer(cell.source, answers)
    return copy
