"""What the front page says is computed from results, for any study that has reports."""

import json

import nbformat
import pytest
from conftest import REPOSITORY

from cohortlab.report.figures import read_figures, words
from cohortlab.report.markdown import plain
from cohortlab.report.notebooks import alt_texts, prepare
from cohortlab.report.pages import METHODS, write_pages
from cohortlab.report.studies import read_studies
from cohortlab.run.project import read_params

DVC = """
stages:
  late:
    foreach: ${studies}
    do:
      deps: ["results/${key}/early.json"]
      outs: ["results/${key}/late.json"]
  early:
    foreach: ${studies}
    do:
      outs:
        - results/${item}/early.json: {cache: false}
"""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def notebook(*found):
    shown = nbformat.v4.new_output("display_data", {"image/png": PNG, "text/plain": "x"})
    said = [nbformat.v4.new_output("display_data", {"text/markdown": text}) for text in found]
    return nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A title\n\nProse."),
            nbformat.v4.new_code_cell("n = 3", metadata={"tags": ["parameters"]}),
            nbformat.v4.new_code_cell("n = 4", metadata={"tags": ["injected-parameters"]}),
            nbformat.v4.new_markdown_cell(
                "## Part **one**\n\nFirst.\n\nHow to [read](x.ipynb) it."
            ),
            nbformat.v4.new_code_cell(
                "# papermill_description=draw_it\nplot()", outputs=[shown], id="drawn"
            ),
            nbformat.v4.new_markdown_cell("## What we found"),
            nbformat.v4.new_code_cell("say()", outputs=said),
        ]
    )


@pytest.fixture
def project(tmp_path):
    """Two studies, one of which was never run."""
    (tmp_path / "dvc.yaml").write_text(DVC)
    (tmp_path / "params.yaml").write_text(
        "seed: 1  # of all\nstudies:\n  mine:\n    question: what is there?\n"
        "    early: {a: 1}  # a block\n  other: {question: why?, early: {a: 1}}\n"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tables.md").write_text("# Tables\n")
    for step in ("early", "late"):
        folder = tmp_path / "reports" / "mine"
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(f"- {step} **found**"), folder / f"{step}.ipynb")
    (tmp_path / "results" / "mine").mkdir(parents=True)
    figures = {"odd_one": 12345, "people": 7, "clusters": None}
    (tmp_path / "results" / "mine" / "key_figures.json").write_text(json.dumps(figures))
    return tmp_path


def studies(project):
    return read_studies(project, read_params(project))


def test_a_study_is_read_from_its_files(project):
    (study,) = studies(project)
    assert (study.name, study.question) == ("mine", "What is there?")
    assert study.steps == ("early", "late")
    assert study.labelled() == [("7", "people (or visits) in the groups"), ("12,345", "odd one")]
    assert study.findings("late") == "- late **found**"
    assert study.picture().step == "late"


def test_prose_and_headings_below_what_we_found_are_kept_and_nothing_else(project):
    path = project / "reports" / "mine" / "late.ipynb"
    page = notebook("- said")
    page.cells[-2].source = "## Before\n\nNot this.\n\n## What we found\n\n**When which.** Always."
    prose = (
        "- not [`n`](nowhere.txt)\n\n### Of late\n\nMore.\n\n## After\n\nNot this.",
        "Nor this.",
    )
    page.cells += [nbformat.v4.new_markdown_cell(text) for text in prose]
    nbformat.write(page, path)
    (study,) = studies(project)
    assert study.findings("late") == (
        "**When which.** Always.\n\n- said\n\n- not [`n`](nowhere.txt)\n\n#### Of late\n\nMore."
    )
    write_pages(project, project / "tree")
    text = (project / "tree" / "reports" / "mine" / "index.md").read_text()
    assert "**When which.** Always." in text
    assert "- not `n`\n" in text  # a link that leads nowhere becomes its words


def test_the_verdict_stands_beside_the_number_of_groups():
    figures = list(read_figures(REPOSITORY / "results" / "customers"))
    assert figures[:2] == ["clusters", "certificate"]
    assert "verdict" in words("certificate")


def test_every_method_note_exists_and_names_its_sources():
    for name in METHODS:
        text = (REPOSITORY / "docs" / f"{name}.md").read_text()
        assert "\n## References\n" in text, name


def test_the_pages_of_a_project_of_ones_own_are_written(project):
    write_pages(project, project / "tree")
    front = (project / "tree" / "index.md").read_text()
    assert "## What is there?" in front
    assert "**7** people" in front
    assert ":alt: Figure of it, section Part one. How to read it." in front
    assert (project / "tree" / "reports" / "mine" / "picture.png").is_file()
    assert not (project / "tree" / "reports" / "other").exists()


def test_without_an_executed_notebook_it_says_what_to_run(project, tmp_path):
    for path in (project / "reports").rglob("*.ipynb"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="make repro"):
        write_pages(project, tmp_path / "tree")


def test_a_study_may_have_no_key_figures(project):
    (project / "reports" / "other").mkdir()
    nbformat.write(notebook(), project / "reports" / "other" / "early.ipynb")
    assert studies(project)[1].question == "Why?"
    assert studies(project)[1].labelled() == []


def test_a_page_has_the_parameters_of_the_run_and_no_leftover():
    page = prepare(notebook())
    code = [cell.source for cell in page.cells if cell.cell_type == "code"]
    assert code == ["n = 4", "plot()", "say()"]
    assert all("hide-input" in c.metadata["tags"] for c in page.cells if c.cell_type == "code")


def test_pictures_are_described_by_heading_cell_and_prose():
    assert alt_texts(notebook())["drawn"] == "Figure of it, section Part one. How to read it."


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("a *b* **c**", "a b c"),
        ("`x_1` and $p$", "x_1 and p"),
        ("[*a*](b.md)", "a"),
        (r"1\. a\_b", "1. a_b"),
    ],
)
def test_markup_is_taken_out_of_words(markdown, words):
    assert plain(markdown) == words
