"""Method notes: each has the formulas of what it measures, and says whose they are."""

import re

import pytest
from conftest import REPOSITORY

from cohortlab.report.mathml import to_mathml
from cohortlab.report.pages import METHODS

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", re.DOTALL)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_note_has_formulas_that_can_be_shown_and_references(name):
    text = (REPOSITORY / "docs" / f"{name}.md").read_text(encoding="utf-8")
    formulas = FORMULA.findall(CODE.sub("", text))
    assert any(block for block, _ in formulas)
    for block, inline in formulas:
        assert to_mathml(block or inline, block=bool(block)).startswith("<math")
    assert re.search(r"^## References\n\n.*\(\d{4}\)", text, re.DOTALL | re.MULTILINE)
