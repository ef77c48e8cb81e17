"""Trials over a grid of conditions and seeds: on all cores, and resumed where they were cut off."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache
from itertools import product
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

import pandas as pd
from sklearn import config_context
from tqdm import tqdm

from cohortlab.laboratory.finders import FINDERS
from cohortlab.laboratory.trial import Condition, run_trial
from cohortlab.threads import one_thread

_KEYS = ["overlap", "strength", "density", "n_people", "is_null", "replicate"]


def conditions(grid: Mapping[str, Sequence[float]]) -> list[Condition]:
    """List all conditions of a grid.

    Parameters
    ----------
    grid : mapping
        ``overlap, strength, density, n_people``: the values of each.

    Returns
    -------
    list of Condition
        In order, the last key varying fastest.

    Examples
    --------
    >>> grid = {"overlap": [0.1], "strength": [0, 1], "density": [5], "n_people": [100]}
    >>> [condition.strength for condition in conditions(grid)]
    [0, 1]
    """
    names = list(Condition.__dataclass_fields__)
    if sorted(grid) != sorted(names) or not all(len(grid[name]) for name in names):
        raise ValueError(f"grid: expected values for each of {names}, got {dict(grid)!r}")
    return [Condition(*values) for values in product(*(grid[name] for name in names))]


def run_grid(
    grid: Mapping[str, Sequence[float]],
    algorithms: Sequence[str],
    *,
    n_seeds: int,
    n_null_seeds: int | None = None,
    seed: int,
    checkpoint: Path | None = None,
    n_workers: int = 1,
    progress: TextIO | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Run every algorithm under every condition of a grid at several seeds, and under its nulls.

    A null has neither clusters nor a relation, so it varies by density and number of people only.

    Parameters
    ----------
    grid : mapping
        As for `conditions`.
    algorithms : sequence of str
        Names of `cohortlab.laboratory.FINDERS`.
    n_seeds : int
        Trials of each condition.
    n_null_seeds : int, optional
        Trials of each null; as many as of a condition by default.
    seed : int
        Root seed. A trial's own seed depends on it, on the condition and on the number of the
        trial, so a larger grid changes no number of a smaller one.
    checkpoint : Path, optional
        A file with one line a finished trial. A run that was cut off goes on from it; lines of
        other settings, or of other code of this package, are left alone.
    n_workers : int
        Processes. The table does not depend on it.
    progress : text stream, optional
        Where a bar shows how far it is.
    **settings
        Passed on to `run_trial`: `design, people_per_item, scale, number`.

    Returns
    -------
    DataFrame
        The rows of `run_trial` with `replicate`, in the order of the grid, then of the nulls
        (overlap and strength 0), whoever finished first.

    Raises
    ------
    ValueError
        If an algorithm is unknown, or a number of seeds or `n_workers` is not from 1.
    """
    n_null_seeds = n_seeds if n_null_seeds is None else n_null_seeds
    _check(algorithms, n_seeds=n_seeds, n_null_seeds=n_null_seeds, n_workers=n_workers)
    nulls = conditions({**grid, "overlap": [0.0], "strength": [0.0]})
    todo = [
        (condition, replicate, null)
        for null, some, n in ((False, conditions(grid), n_seeds), (True, nulls, n_null_seeds))
        for condition in some
        for replicate in range(n)
    ]
    keys = [_key(seed, algorithms, settings, *job) for job in todo]
    done = _read(checkpoint)
    missing = [(key, job) for key, job in zip(keys, todo, strict=True) if key not in done]
    trials = [
        (key, condition, tuple(algorithms), _trial_seed(seed, condition, replicate, null), null)
        for key, (condition, replicate, null) in missing
    ]
    n_done = len(todo) - len(missing)
    silent = progress is None
    with tqdm(total=len(todo), initial=n_done, file=progress, disable=silent, unit="trial") as bar:
        for key, rows in _finished(trials, settings, n_workers):
            done[key] = rows
            _write(checkpoint, key, rows)
            bar.update()
    whole = [
        {**row, "replicate": replicate}
        for key, (_, replicate, _) in zip(keys, todo, strict=True)
        for row in done[key]
    ]
    table = pd.DataFrame(whole)
    return table[[*_KEYS, *(name for name in table if name not in _KEYS)]]


def _check(algorithms: Sequence[str], **numbers: int) -> None:
    unknown = [name for name in algorithms if name not in FINDERS]
    if unknown or not len(algorithms):
        raise ValueError(f"algorithms: expected names of {list(FINDERS)}, got {list(algorithms)}")
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{name} is {value}: give a whole number from 1")


def _trial_seed(seed: int, condition: Condition, replicate: int, null: bool) -> int:
    text = json.dumps([seed, asdict(condition), replicate, null], sort_keys=True)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def _key(
    seed: int,
    algorithms: Sequence[str],
    settings: Mapping[str, Any],
    condition: Condition,
    replicate: int,
    null: bool,
) -> str:
    parts = [_code(), seed, list(algorithms), settings, asdict(condition), replicate, null]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _code() -> str:
    """Digest the sources of this package: a trial of yesterday's code is none of today's."""
    files = sorted(Path(__file__).parents[1].rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _finished(
    trials: list[tuple], settings: Mapping[str, Any], n_workers: int
) -> Iterator[tuple[str, list[dict]]]:
    if n_workers == 1 or len(trials) < 2:
        for trial in trials:
            yield _run(trial, settings)
        return
    # Fresh processes: a forked copy of one that has threads may hang.
    context = get_context("spawn")
    with ProcessPoolExecutor(n_workers, context, initializer=_end_with_parent) as pool:
        jobs = [pool.submit(_run, trial, settings) for trial in trials]
        for job in as_completed(jobs):
            yield job.result()


def _end_with_parent() -> None:
    """Let a worker end when the process that started it is killed: it would wait for ever."""

    def watch() -> None:
        connection.wait([parent_process().sentinel])
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _run(trial: tuple, settings: Mapping[str, Any]) -> tuple[str, list[dict]]:
    key, condition, algorithms, seed, null = trial
    # Sums taken on several threads differ in their last digits, and processes share the cores.
    # Values were made here: that they are finite and parameters valid needs no check at every call.
    with one_thread(), config_context(assume_finite=True, skip_parameter_validation=True):
        return key, run_trial(condition, algorithms, seed=seed, null=null, **settings)


def _read(checkpoint: Path | None) -> dict[str, list[dict]]:
    if checkpoint is None or not Path(checkpoint).exists():
        return {}
    text = Path(checkpoint).read_text()
    if text and not text.endswith("\n"):
        # A run was cut off in the middle of this line: its trial is run again, on a new line.
        with Path(checkpoint).open("a") as stream:
            stream.write("\n")
    entries = [_entry(line) for line in text.splitlines()]
    return {entry["key"]: entry["rows"] for entry in entries if entry}


def _entry(line: str) -> dict | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def _write(checkpoint: Path | None, key: str, rows: list[dict]) -> None:
    if checkpoint is not None:
        with Path(checkpoint).open("a") as stream:
            stream.write(json.dumps({"key": key, "rows": rows}) + "\n")
