"""
Where `make repro` spends its time: what each stage takes to start, and what its work takes.

Every stage runs by itself in an empty copy of the project, after those that it needs: whole, and
once more with its notebook cut off after the imports, which is all start-up. Both warm, as in
`make repro`, and the start-up also cold, as by `dvc repro` alone. Seconds are by the clock on a
machine with nothing else to do. Studies run one after the other here and side by side there, so the
sum is more than `make repro` takes. Prints JSON. A full run and a quick one:

    python bench/pipeline.py
    python bench/pipeline.py --study sessions --no-cold
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import networkx as nx
from dvc.repo import Repo

from cohortlab.run.parameters import study_log
from cohortlab.run.project import read_params
from cohortlab.run.steps import find_notebook
from cohortlab.run.warm import warm_server

ROOT = Path(__file__).resolve().parents[1]


def stages() -> Iterator[tuple[str, str]]:
    """List step and study of every stage, each after those that it needs."""
    with Repo(str(ROOT)) as repo:
        # Edges lead from a stage to what it needs.
        for stage in reversed(list(nx.topological_sort(repo.index.graph))):
            step, _, study = stage.addressing.partition("@")
            yield step, study


def copy_project(folder: Path) -> Path:
    """Copy what a run needs, without results."""
    for name in ("notebooks", "data"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


def cut_notebooks(project: Path) -> None:
    """End every notebook after its imports."""
    for path in (project / "notebooks").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        last = next(
            i for i, cell in enumerate(notebook.cells) if "description=import" in cell.source
        )
        notebook.cells = notebook.cells[: last + 1]
        nbformat.write(notebook, path)


def seconds(project: Path, step: str, study: str, variables: dict[str, str]) -> float:
    """Time one run of a step."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "cohortlab.run", step, study]
    environment = {**os.environ, **variables}
    subprocess.run(command, cwd=project, env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def measure(chosen: list[tuple[str, str]], folder: Path, *, cold: bool) -> dict[str, dict]:
    """Time the start-up of every stage and the whole of it."""
    whole, cut = (copy_project(folder / name) for name in ("whole", "cut"))
    cut_notebooks(cut)
    found = {}
    with warm_server() as warm:
        seconds(cut, *chosen[0], warm)  # the server's own imports, once
        for step, study in chosen:
            found[f"{step}@{study}"] = figures = {
                "start_sec": seconds(cut, step, study, warm),
                "whole_sec": seconds(whole, step, study, warm),
            }
            if cold:
                figures["cold_start_sec"] = seconds(cut, step, study, {})
            print(f"{step}@{study} done", file=sys.stderr, flush=True)
    return found


def summary(found: dict[str, dict]) -> dict[str, float]:
    """Add up all stages, and say which share of the time is start-up."""
    total = {
        name: sum(figures[name] for figures in found.values())
        for name in next(iter(found.values()))
    }
    share = total["start_sec"] / total["whole_sec"]
    figures = {"stages": len(found), **total, "start_share": share}
    if "cold_start_sec" in total:
        work = total["whole_sec"] - total["start_sec"]
        figures["cold_start_share"] = total["cold_start_sec"] / (total["cold_start_sec"] + work)
    return figures


def main() -> None:
    """Measure the chosen studies and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--study", action="append", help="only this study; may be repeated")
    parser.add_argument("--no-cold", action="store_true", help="leave out starts without a server")
    given = parser.parse_args()
    params = read_params(ROOT)
    chosen = [s for s in stages() if s[1] in (given.study or params["studies"])]
    for step, study in chosen:
        find_notebook(step, study_log(params, study), ROOT)
    with tempfile.TemporaryDirectory() as name:
        found = measure(chosen, Path(name), cold=not given.no_cold)
    rounded = {
        stage: {name: round(value, 2) for name, value in figures.items()}
        for stage, figures in found.items()
    }
    total = {name: round(value, 2) for name, value in summary(found).items()}
    print(json.dumps({"total": total, "stages": rounded}, indent=2))


if __name__ == "__main__":
    main()
