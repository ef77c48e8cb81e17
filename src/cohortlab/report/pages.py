"""The sources of the site: pages copied, pages made, in one folder that Sphinx builds from."""

import base64
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import nbformat

import cohortlab
from cohortlab.report import api
from cohortlab.report.links import relink
from cohortlab.report.markdown import cell, table
from cohortlab.report.notebooks import alt_texts, prepare
from cohortlab.report.parameters import parameter_page, read_entries, top_page
from cohortlab.report.studies import Study, read_studies
from cohortlab.run.project import read_params

PACKAGE = Path(cohortlab.__file__).parent
SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png"}
SHOWN_IN_FRONT = 3  # key figures of a study
REFERENCE = ("tables",)  # pages of docs/ that are looked up, not read
# Pages of docs/ that say what is computed and what it rests on; a guide is any other page.
METHODS = (
    *("bipartite", "browsing", "clusters", "embedding", "interpretation", "mixture", "palette"),
    *("populations", "rules", "segments", "traffic"),
)


def write_pages(root: Path, tree: Path) -> list[Study]:
    """Write all sources of the site.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    tree : pathlib.Path
        Where to; what was there goes.

    Returns
    -------
    list of Study
        The studies that the site shows.

    Raises
    ------
    FileNotFoundError
        If there is no executed notebook at all.
    """
    entries = read_entries(root)
    studies = read_studies(root, read_params(root))
    if not studies:
        raise FileNotFoundError("No executed notebook under reports/: run `make repro` first.")
    shutil.rmtree(tree, ignore_errors=True)
    for study in studies:
        _write_study(study, root, tree)
        page = parameter_page(study.name, entries, study.steps)
        _write(tree / "parameters" / f"{study.name}.md", page)
    names = [study.name for study in studies]
    _write(tree / "parameters" / "index.md", top_page(entries, names))
    _write(tree / "index.md", _front(studies))
    _write(tree / "reports" / "index.md", _overview(studies))
    _copy_docs(root, tree)
    api.write_pages(PACKAGE, tree / "api")
    return studies


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def _toctree(entries: list[str], *options: str) -> str:
    return "\n```{toctree}\n" + "\n".join([*options, "", *entries]) + "\n```\n"


def _is_page(file: Path) -> bool:
    """Say whether a file of the project has a page of the same place and name on the site."""
    return (file.parent == Path("docs") and file.suffix == ".md") or (
        file.parts[0] == "reports" and file.suffix == ".ipynb"
    )


def _copy_docs(root: Path, tree: Path) -> None:
    pages = {
        path.stem: relink(
            path.read_text(encoding="utf-8"),
            path.relative_to(root),
            root=root,
            tree=tree,
            is_page=_is_page,
        )
        for path in sorted((root / "docs").glob("*.md"))
    }
    for name, text in pages.items():
        _write(tree / "docs" / f"{name}.md", text)
    methods = [name for name in METHODS if name in pages]
    others = [n for n in pages if n not in {*methods, *REFERENCE}]
    _write(
        tree / "methods.md",
        "# Method notes\n\nWhat is computed, how it was tested, and what it rests on.\n"
        + _toctree([f"docs/{name}" for name in methods], ":maxdepth: 1"),
    )
    _write(
        tree / "guides.md",
        "# Guides\n\nHow to use the project, task by task.\n"
        + _toctree([f"docs/{name}" for name in others], ":maxdepth: 1"),
    )
    _write(
        tree / "reference.md",
        "# Reference\n\nEvery table and column, every parameter, every function.\n"
        + _toctree(
            [f"docs/{n}" for n in REFERENCE if n in pages] + ["parameters/index", "api/index"],
            ":maxdepth: 2",
        ),
    )


def _write_study(study: Study, root: Path, tree: Path) -> None:
    folder = tree / "reports" / study.name
    for step, notebook in study.notebooks.items():
        page = prepare(notebook)
        place = Path("reports") / study.name / f"{step}.ipynb"
        for part in page.cells:
            if part.cell_type == "markdown":
                part.source = relink(part.source, place, root=root, tree=tree, is_page=_is_page)
        # Notebooks of one step have one title in all studies, and the search lists titles.
        page.cells[0].source = re.sub(r"^# .+", rf"\g<0> ({study.name})", page.cells[0].source)
        _write(folder / f"{step}.ipynb", nbformat.writes(page))
    if picture := study.picture():
        raw = picture.content.encode()
        content = raw if picture.mime == "image/svg+xml" else base64.b64decode(raw)
        (folder / f"picture{SUFFIXES[picture.mime]}").write_bytes(content)
    place = Path("reports") / study.name / "index.md"
    findings = {
        step: relink(study.findings(step), place, root=root, tree=tree, is_page=_is_page)
        for step in study.steps
    }
    _write(folder / "index.md", _study_page(study, findings))


def _picture(study: Study, folder: str, link: str) -> str:
    """Show the study's picture, which leads to the notebook that drew it."""
    picture = study.picture()
    if picture is None:
        return ""
    alt = alt_texts(study.notebooks[picture.step])[picture.cell_id]
    file = f"{folder}picture{SUFFIXES[picture.mime]}"
    return f"\n:::{{image}} {file}\n:alt: {alt}\n:target: {link}\n:class: study-picture\n:::\n"


def _study_page(study: Study, findings: Mapping[str, str]) -> str:
    picture = study.picture()
    page = f"# {study.name}: {cell(study.question)}\n"
    page += _picture(study, "", f"{picture.step}.html") if picture else ""
    if study.figures:
        rows = [(f"**{cell(number)}**", cell(what)) for number, what in study.labelled()]
        page += "\n## Key figures\n\n" + table(("figure", "what it is"), rows)
    page += "\n## What was found, step by step\n"
    for step, found in findings.items():
        page += f"\n### [{step}]({step}.ipynb)\n\n{found}\n"
    page += (
        "\n## To hand in, to change\n\n"
        f"- {{study-report}}`{study.name}`: this study in one file that needs no other.\n"
        f"- [Parameters of {study.name}](../../parameters/{study.name}.md), with what they mean.\n"
    )
    return page + _toctree(list(study.steps), ":hidden:")


def _overview(studies: list[Study]) -> str:
    rows = [(f"[{s.name}]({s.name}/index.md)", cell(s.question)) for s in studies]
    head = "# Studies\n\nA study is one data set with one question; a step is one notebook.\n\n"
    names = [f"{study.name}/index" for study in studies]
    return head + table(("study", "question"), rows) + _toctree(names, ":hidden:", ":maxdepth: 2")


def _front(studies: list[Study]) -> str:
    page = (
        "# cohortlab\n\nFrom a log of behaviour (who did what to which item, when) to groups of "
        "people, groups of items, and a tested account of how the two relate. Each study asks one "
        "question of one data set; its picture leads to the notebook that drew it.\n\n"
    )
    for study in studies:
        page += f"## {cell(study.question)}\n"
        folder = f"reports/{study.name}/"
        if picture := study.picture():
            page += _picture(study, folder, f"{folder}{picture.step}.html")
        if figures := [f"**{cell(number)}** {cell(what)}" for number, what in study.labelled()]:
            page += f"\n:::{{div}} key-number\n{figures[0]}\n:::\n"
            page += "".join(f"\n- {figure}" for figure in figures[1:SHOWN_IN_FRONT]) + "\n"
        page += f"\n[All of {study.name}]({folder}index.md)\n\n"
    sections = ["reports/index", "methods", "guides", "reference"]
    return page + _toctree(sections, ":hidden:", ":maxdepth: 2")
