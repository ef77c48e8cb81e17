"""Links of copied pages."""

from pathlib import Path

import pytest

from cohortlab.report.links import relink


@pytest.fixture
def point(tmp_path):
    """Point the links of `docs/a.md` in a project with a few files."""
    root, tree = tmp_path / "project", tmp_path / "tree"
    for name in ("docs/b.md", "data/README.md", "params.yaml", "docs/p.svg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")

    def pointed(text):
        is_page = Path("docs/b.md").__eq__
        return relink(text, Path("docs/a.md"), root=root, tree=tree, is_page=is_page)

    pointed.tree = tree
    return pointed


@pytest.mark.parametrize(
    ("link", "pointed"),
    [
        ("[b](b.md#part)", "[b](b.md#part)"),
        ("[`keys`](../params.yaml)", "[`keys`](/parameters/index.md)"),
        ("[**how** `x`](../data/README.md)", "{download}`how x </files/data/README.md>`"),
        ("[a folder](../data)", "a folder"),
        ("[gone](gone.md)", "gone"),
        ("[out](../../../etc/passwd)", "out"),
        ("[far](https://example.org/x)", "[far](https://example.org/x)"),
        ("[here](#part)", "[here](#part)"),
    ],
)
def test_a_link_leads_to_what_the_site_holds(point, link, pointed):
    assert point(f"See {link}.") == f"See {pointed}."


def test_what_is_linked_is_copied(point):
    point("[x](../data/README.md) ![a picture](p.svg)")
    assert (point.tree / "files" / "data" / "README.md").is_file()
    assert (point.tree / "docs" / "p.svg").is_file()
