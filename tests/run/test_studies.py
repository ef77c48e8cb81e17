import os
import stat

import pytest
from conftest import REPOSITORY

from cohortlab.run.studies import main, run_studies

FAKE = """#!/bin/sh
echo "$@" >> calls
case "$*" in status*) exit {changed};; *@{failing}*) exit 3;; esac
"""


@pytest.fixture
def fake_dvc(tmp_path, monkeypatch):
    def install(failing="nobody", changed=1):
        program = tmp_path / "bin" / "dvc"
        program.parent.mkdir()
        program.write_text(FAKE.replace("{failing}", failing).replace("{changed}", str(changed)))
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        (tmp_path / "params.yaml").write_text("seed: 1\nstudies:\n  first: {}\n  second: {}\n")

    return install


def calls(folder):
    return (folder / "calls").read_text().splitlines()


def test_each_study_runs_by_itself_and_then_what_is_left(fake_dvc, tmp_path):
    fake_dvc()
    assert run_studies(tmp_path, n_together=2) == 0
    first, *by_study, last = calls(tmp_path)
    assert first == "status --quiet"
    assert sorted(by_study) == [
        "--wait-for-lock repro --glob *@first",
        "--wait-for-lock repro --glob *@second",
    ]
    assert last == "--wait-for-lock repro"


def test_a_study_that_fails_is_told_and_stops_no_other(fake_dvc, tmp_path):
    fake_dvc(failing="first")
    assert run_studies(tmp_path, n_together=1) == 3
    assert "--wait-for-lock repro --glob *@second" in calls(tmp_path)


def test_a_study_that_does_not_exist_runs_nothing(fake_dvc, tmp_path, monkeypatch, caplog):
    fake_dvc()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["--study", "frist"]) == 2
    assert "No study `frist`" in caplog.text
    assert "`first`, `second`" in caplog.text
    assert not (tmp_path / "calls").exists()


def test_a_study_s_name_is_no_pattern(fake_dvc, tmp_path):
    fake_dvc()
    (tmp_path / "params.yaml").write_text('studies: {"a*[1]": {}}\n')
    run_studies(tmp_path)
    assert "--wait-for-lock repro --glob *@a[*][[]1]" in calls(tmp_path)


@pytest.mark.parametrize("text", ["", "studies: [1"])
def test_parameters_that_cannot_be_read_run_nothing(fake_dvc, tmp_path, monkeypatch, caplog, text):
    fake_dvc()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "params.yaml" in caplog.text
    assert not (tmp_path / "calls").exists()


def test_who_stops_all_studies_is_told_so_without_a_traceback(tmp_path, monkeypatch, caplog):
    def stop(*_, **__):
        raise KeyboardInterrupt

    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cohortlab.run.studies.run_studies", stop)
    assert main([]) == 130
    assert "goes on from there" in caplog.text


def test_outside_of_a_project_one_message_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    assert main([]) == 2
    assert "run this inside the project" in caplog.text


def test_where_nothing_has_changed_nothing_runs_and_that_is_said(fake_dvc, tmp_path, caplog):
    fake_dvc(changed=0)
    with caplog.at_level("INFO", logger="cohortlab"):
        assert run_studies(tmp_path) == 0
    assert calls(tmp_path) == ["status --quiet"]
    assert "up to date" in caplog.text


def test_make_repro_runs_studies_side_by_side():
    assert "python -m cohortlab.run.studies" in (REPOSITORY / "Makefile").read_text()


def test_a_study_that_is_named_runs_alone(fake_dvc, tmp_path, monkeypatch):
    fake_dvc()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)
    assert main(["--study", "second"]) == 0
    assert [call for call in calls(tmp_path) if "repro" in call] == [
        "--wait-for-lock repro --glob *@second"
    ]
