"""What the report says of each study: its question, its steps, its key figures, one picture."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from ruamel.yaml import YAML

from cohortlab.report.figures import read_figures, shown, words
from cohortlab.run.executed import describe_cell

# The picture of a study: the first of these cells that it has, else its last picture.
PICTURES = (
    ("quantise", "draw_pictures"),
    ("anomalies", "draw_plane"),
    ("laboratory", "draw_phases"),
    ("segments", "draw_grid"),
    ("represent", "draw_plane"),
    ("clusters", "draw_profiles"),
)
IMAGES = ("image/svg+xml", "image/png")


@dataclass(frozen=True)
class Picture:
    """One picture of an executed notebook: which cell drew it, its kind and its content."""

    step: str
    cell_id: str
    mime: str
    content: str


@dataclass(frozen=True)
class Study:
    """A study that has executed notebooks.

    Attributes
    ----------
    name, question : str
        As in `params.yaml`; the question begins with a capital letter.
    steps : tuple of str
        That have an executed notebook, each after those whose results it reads.
    figures : dict
        Of `key_figures.json`, those with a value, the key number first; perhaps none.
    folder : pathlib.Path
        Of the executed notebooks.
    """

    name: str
    question: str
    steps: tuple[str, ...]
    figures: dict[str, Any]
    folder: Path

    @cached_property
    def notebooks(self) -> dict[str, nbformat.NotebookNode]:
        """The executed notebooks by step."""
        return {s: nbformat.read(self.folder / f"{s}.ipynb", as_version=4) for s in self.steps}

    def labelled(self) -> list[tuple[str, str]]:
        """Write every key figure for people.

        Returns
        -------
        list of (str, str)
            The figure and what it is, the key number first.
        """
        return [(shown(value), words(name)) for name, value in self.figures.items()]

    def picture(self) -> Picture | None:
        """Choose the picture that stands for the study.

        Returns
        -------
        Picture or None
            None where no notebook drew one.
        """
        found = [p for step, notebook in self.notebooks.items() for p in _pictures(step, notebook)]
        for wanted in PICTURES:
            for picture, name in found:
                if (picture.step, name) == wanted:
                    return picture
        return found[-1][0] if found else None

    def findings(self, step: str) -> str:
        """Return what a notebook says under its heading "What we found".

        Parameters
        ----------
        step : str
            One of `steps`.

        Returns
        -------
        str
            Markdown, prose and computed sentences alike; empty where there is no such heading.
        """
        texts, inside = [], False
        for cell in self.notebooks[step].cells:
            if cell.cell_type == "markdown":
                # What stands before the first heading of a cell belongs to the section so far.
                before, *sections = re.split(r"^## ", cell.source, flags=re.MULTILINE)
                texts += [before] if inside else []
                for section in sections:
                    heading, _, below = section.partition("\n")
                    inside = heading.startswith("What we found")
                    texts += [below] if inside else []
            elif inside:
                texts += [
                    output.data["text/markdown"]
                    for output in cell.get("outputs", [])
                    if "text/markdown" in output.get("data", {})
                ]
        # On the study's page a step is a heading of the third level.
        found = "\n\n".join(text.strip() for text in texts if text.strip())
        return re.sub(r"^###+ ", r"#\g<0>", found, flags=re.MULTILINE)


def read_studies(root: Path, params: Mapping) -> list[Study]:
    """Read the studies of `params.yaml` that have executed notebooks.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    params : mapping
        All of `params.yaml`.

    Returns
    -------
    list of Study
        In the order of `params.yaml`.
    """
    stages = YAML(typ="safe", pure=True).load((root / "dvc.yaml").read_text(encoding="utf-8"))
    studies = []
    for name, block in params["studies"].items():
        folder = root / "reports" / name
        steps = [step for step in stages["stages"] if (folder / f"{step}.ipynb").is_file()]
        if steps:
            order = tuple(in_order({step: stages["stages"][step] for step in steps}))
            question = block["question"][:1].upper() + block["question"][1:]
            studies.append(
                Study(name, question, order, read_figures(root / "results" / name), folder)
            )
    return studies


def in_order(stages: Mapping[str, Mapping]) -> list[str]:
    """Order steps, each after those whose results it reads.

    Parameters
    ----------
    stages : mapping of str to mapping
        Stages of `dvc.yaml` by name, those of one study.

    Returns
    -------
    list of str
        Their names; of those that wait for nothing more, the first of the file comes next.
    """
    made = {step: set(_paths(stage, "outs", "metrics", "plots")) for step, stage in stages.items()}
    waiting, ordered = dict(stages), []
    while waiting:
        ahead = {step: set().union(*(made[s] for s in waiting if s != step)) for step in waiting}
        ready = [s for s in waiting if not ahead[s] & set(_paths(waiting[s], "deps"))]
        # A circle cannot be run, and DVC says so; here it is shown as it stands.
        ordered.append(next(iter(ready or waiting)))
        del waiting[ordered[-1]]
    return ordered


def _paths(stage: Mapping, *keys: str) -> list[str]:
    listed = [entry for key in keys for entry in stage["do"].get(key, [])]
    names = [entry if isinstance(entry, str) else next(iter(entry)) for entry in listed]
    return [name.replace("${key}", "${item}") for name in names if name.startswith("results/")]


def _pictures(step: str, notebook: nbformat.NotebookNode) -> list[tuple[Picture, str]]:
    return [
        (Picture(step, cell.id, mime, output.data[mime]), describe_cell(cell.source))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        for mime in IMAGES
        if mime in output.get("data", {})
    ]
