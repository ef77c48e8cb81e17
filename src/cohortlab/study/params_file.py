"""Write a study into `params.yaml` and take it out, every other byte of the file left as it is."""

import re
from collections.abc import Mapping
from pathlib import Path

from cohortlab.run.parameters import ParameterError, declared_parameters, resolve
from cohortlab.run.project import PARAMS_FILE
from cohortlab.run.steps import find_notebook
from cohortlab.study.example import (
    Example,
    Sections,
    complete_block,
    load,
    read_example,
    written_lines,
)

RULE = "  # " + "-" * 96


def add_study(root: Path, path: Path, *, folder: str | None = None) -> str:
    """Write the complete block of an example's study into `params.yaml`.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    path : pathlib.Path
        The example.
    folder : str, optional
        Where the files of the log lie, in place of the example's ``data/<study>``.

    Returns
    -------
    str
        What was done, and the command that runs the study.

    Raises
    ------
    ParameterError
        If the example, a step or a parameter is not as it must be, or another study has that name.
        Nothing is written then.
    """
    example = read_example(path, folder=folder)
    stages = load((root / "dvc.yaml").read_text(encoding="utf-8"), root / "dvc.yaml")["stages"]
    _check_steps(example, stages)
    before = (root / PARAMS_FILE).read_text(encoding="utf-8")
    log, sections = complete_block(example, before)
    block = _block(example, log, sections)
    if re.search(rf"^  {example.name}:", before, flags=re.MULTILINE):
        return _already(example, block, before)
    after = _with_steps(before, example, stages) + block
    params = load(after, root / PARAMS_FILE)
    for step in example.steps:
        declared = declared_parameters(find_notebook(step, log, root))
        resolve(params, step, example.name, declared)
    (root / "data" / example.name).mkdir(parents=True, exist_ok=True)
    (root / PARAMS_FILE).write_text(after, encoding="utf-8", newline="\n")
    stages_of_study = " ".join(f"{step}@{example.name}" for step in example.steps)
    return f"Study `{example.name}` is now in {PARAMS_FILE}. To run it: dvc repro {stages_of_study}"


def remove_study(root: Path, name: str) -> str:
    """Take a study that was added out of `params.yaml`; its results and reports stay.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    name : str
        The study.

    Returns
    -------
    str
        What was done.

    Raises
    ------
    ParameterError
        If there is no such study, or it was not added by `add_study`.
    """
    before = (root / PARAMS_FILE).read_text(encoding="utf-8")
    begin = before.find(f"\n{RULE}\n  {name}:  # from ")
    if begin < 0:
        added = ", ".join(re.findall(r"^  (\w+):  # from ", before, flags=re.MULTILINE))
        raise ParameterError(
            f"{PARAMS_FILE} has no study `{name}` that was added by this command; it has: "
            f"{added or 'none'}. Others are taken out by hand."
        )
    end = before.find(f"\n\n{RULE}\n", begin + 1)
    after = before[:begin] + (before[end + 1 :] if end >= 0 else "")
    after = re.sub(_LISTS, lambda found: _without(found, name), after)
    (root / PARAMS_FILE).write_text(after, encoding="utf-8", newline="\n")
    data = root / "data" / name
    if data.is_dir() and not any(data.iterdir()):
        data.rmdir()
    return f"Study `{name}` is out of {PARAMS_FILE}; results/{name} and reports/{name} stay."


_LISTS = re.compile(r"^(  \w+: \[)([^\]]*)(\])", flags=re.MULTILINE)


def _without(found: re.Match, name: str) -> str:
    kept = re.sub(rf", {name}(?=,|$)|^{name}(, |$)", "", found[2])
    return found[1] + kept + found[3]


def _check_steps(example: Example, stages: Mapping) -> None:
    """Demand that every step is a stage, and that some step makes what another reads."""
    unknown = [step for step in example.steps if step not in stages]
    if unknown:
        raise ParameterError(
            f"{example.path}: no step is called {', '.join(unknown)}; there are: "
            f"{', '.join(stages)}."
        )
    # Several steps may make a table, of which a study needs one.
    makers: dict[str, list[str]] = {}
    for step in stages:
        for output in _names(stages[step], "outs", "metrics"):
            makers.setdefault(output, []).append(step)
    for step in example.steps:
        needed = [makers[name] for name in _names(stages[step], "deps") if name in makers]
        missing = [" or ".join(some) for some in needed if not set(some) & set(example.steps)]
        if missing:
            raise ParameterError(
                f"{example.path}: step `{step}` reads what {', '.join(dict.fromkeys(missing))} "
                "makes: add that to `steps`."
            )


def _names(stage: Mapping, *keys: str) -> list[str]:
    entries = [entry for key in keys for entry in stage["do"].get(key, [])]
    names = [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]
    return [name.replace("${key}", "${item}") for name in names]


def _block(example: Example, log: str, sections: Sections) -> str:
    lines = ["", RULE, f"  {example.name}:  # from {example.path.name}"]
    lines += [f"    {line}" for line in written_lines("question", example.question)]
    lines += [f"    log: {log}"]
    for step, parameters in sections.items():
        lines += ["", f"    {step}:"]
        lines += [f"    {line}" for said in parameters.values() for line in said]
    return "\n".join(lines) + "\n"


def _already(example: Example, block: str, before: str) -> str:
    if block in before:
        return f"Study `{example.name}` is in {PARAMS_FILE} already; nothing was changed."
    raise ParameterError(
        f"{PARAMS_FILE} has another study `{example.name}`, or this one with changes. Rename "
        f"`study` in {example.path}, or first run: python -m cohortlab.study remove {example.name}"
    )


def _with_steps(text: str, example: Example, stages: Mapping) -> str:
    """Put the study into the list of each step that has one; every study runs the others."""
    for step in example.steps:
        wanted = re.fullmatch(r"\$\{steps\.(\w+)\}", str(stages[step]["foreach"]))
        if not wanted:
            continue
        pattern = re.compile(rf"^(  {wanted[1]}: \[)([^\]]*)(\])", flags=re.MULTILINE)
        if not pattern.search(text):
            raise ParameterError(f"{PARAMS_FILE}: `steps.{wanted[1]}` should be a list [a, b].")
        text = pattern.sub(
            lambda found: found[1] + ", ".join(filter(None, [found[2], example.name])) + found[3],
            text,
            count=1,
        )
    return text
