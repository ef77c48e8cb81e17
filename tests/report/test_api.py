"""Pages of the API are written from the sources alone."""

from pathlib import Path

import cohortlab
from cohortlab.report.api import module_section, subjects, write_pages

PACKAGE = Path(cohortlab.__file__).parent
MODULE = '''"""What it is for."""


def shown(rows: list, *, depth: int = 2) -> int:
    """Do it.

    Parameters
    ----------
    rows : list
        What to do it to.
    depth : int
        How far, as `rows`.
    """


def _hidden():
    """Not for others."""


class Thing:
    """A thing."""

    def __init__(self, size=1):
        self.size = size

    @property
    def area(self):
        """Its area."""

    @staticmethod
    def make(size):
        """Make one."""

    def grow(self, by):
        """Make it larger."""
'''


def test_a_module_is_described_by_its_docstrings(tmp_path):
    (tmp_path / "lab").mkdir()
    path = tmp_path / "lab" / "things.py"
    path.write_text(MODULE)
    text = module_section(path, tmp_path / "lab")
    assert text.startswith("things\n======\n\n.. py:module:: lab.things\n\nWhat it is for.")
    assert ".. py:function:: shown(rows, *, depth=2)\n" in text
    assert "* **depth** (*int*) -- How far, as `rows`." in text
    assert ".. py:class:: Thing(size=1)\n" in text
    assert "   .. py:property:: area\n" in text
    assert "   .. py:method:: make(size)\n" in text
    assert "   .. py:method:: grow(by)\n" in text
    assert "hidden" not in text


def test_every_module_of_the_package_is_on_a_page(tmp_path):
    write_pages(PACKAGE, tmp_path / "api")
    found = subjects(PACKAGE)
    listed = (tmp_path / "api" / "index.rst").read_text()
    assert all(f"   {subject}\n" in listed for subject in found)
    files = {path for paths in found.values() for path in paths}
    run_only = {p for p in PACKAGE.rglob("*.py") if p.name == "__main__.py"}
    assert files == set(PACKAGE.rglob("*.py")) - run_only - {PACKAGE / "__init__.py"}
