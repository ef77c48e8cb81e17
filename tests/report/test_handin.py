"""One file for each study that needs no other."""

import re

import pytest
from browser import PHONE, chromium, needs_chromium, watch
from conftest import REPOSITORY

from cohortlab.report import handin_page, read_studies, report_settings
from cohortlab.run.parameters import ParameterError
from cohortlab.run.project import read_params

PARAMS = read_params(REPOSITORY)
STUDIES = read_studies(REPOSITORY, PARAMS)
SETTINGS = {"title": "{study}, {question}", "author": "A. Student <a@b>", "code": "hidden"}

each_study = pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)


@each_study
def test_everything_is_inside_and_nothing_asked_for(study):
    page = handin_page(study, SETTINGS, REPOSITORY)
    drawn = sum(
        any(kind.startswith("image/") for kind in output.get("data", {}))
        for notebook in study.notebooks.values()
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert page.count('src="data:image/') == page.count("<img ") == drawn > 0
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!data:|#|https://)', page)


@each_study
def test_title_and_author_are_those_of_the_parameters(study):
    page = handin_page(study, SETTINGS, REPOSITORY)
    assert f"<h1>{study.name}, {study.question}</h1>" in page
    assert "A. Student &lt;a@b&gt;" in page


def test_code_is_hidden_or_shown():
    hidden, shown = (
        handin_page(STUDIES[0], SETTINGS | {"code": code}, REPOSITORY)
        for code in ("hidden", "shown")
    )
    assert '<div class="highlight">' not in hidden
    assert '<div class="highlight">' in shown
    assert "papermill_description" not in shown


def test_the_settings_are_those_of_params_yaml():
    assert report_settings(PARAMS) == PARAMS["report"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": "maybe"}, r"report.code` is 'maybe': choose one of \['hidden', 'shown'\]"),
        ({"author": None}, "report.author` should be a text, but is None"),
        ({"colour": "red"}, "should have the keys title, author, code"),
    ],
)
def test_settings_that_are_not_allowed_are_named(change, message):
    with pytest.raises(ParameterError, match=message):
        report_settings({"report": PARAMS["report"] | change})


@needs_chromium
def test_a_browser_shows_them_without_complaint(tmp_path):
    with chromium() as browser:
        page = browser.new_page(viewport=PHONE)
        complaints = watch(page)
        for study in STUDIES:
            path = tmp_path / f"{study.name}.html"
            text = handin_page(study, SETTINGS | {"code": "shown"}, REPOSITORY)
            path.write_text(text, encoding="utf-8")
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert all(page.evaluate("[...document.images].map(i => i.naturalWidth)"))
            dead = page.evaluate(
                "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.hash.slice(1))"
                ".filter(id => !document.getElementById(decodeURIComponent(id)))"
            )
            assert dead == [], study.name
        assert complaints == []
