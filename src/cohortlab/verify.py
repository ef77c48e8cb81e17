"""Is what is committed what the code makes? Compare the lock, and then the results.

`python -m cohortlab.verify lock` needs no run: it asks whether any dependency or parameter that
`dvc.lock` records differs from the committed file. `python -m cohortlab.verify results` compares
metrics, series and digests of tables in the working tree with those of a Git revision.
"""

import argparse
import csv
import io
import json
import logging
import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dvc.repo import Repo

from cohortlab.run.project import project_root

logger = logging.getLogger("cohortlab")

# Counts and texts must agree exactly; a number may differ in its last digits, because another
# processor adds in another order. What an iterative fit ends in carries that further.
RELATIVE_TOLERANCE = 1e-6
FITTED_TOLERANCE = 1e-3
FITTED_STEPS = ("mixture", "clusters", "bipartite", "truth", "rules", "segment", "embedding")
# On another processor a fit may take more steps to the same optimum, and a few simulations may
# count one more; these two were seen to differ. The verdict that rests on them is compared.
THE_WAY = {"likelihood_ratio", "n_iter"}
# UMAP's layout is compiled for the processor at hand and may sum in any order; over hundreds of
# passes that draws another plane. What comes from it is named so, in objects and in columns.
FROM_A_PLANE = "plane"
COMPARED = ("results/*/*.json", "results/*/*.csv", "reports/*/*.tables.json")


def stale_stages(root: Path) -> list[str]:
    """Find the stages whose lock is not that of the files at hand.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.

    Returns
    -------
    list of str
        One line for each changed dependency, parameter or command, and for each stage that has
        never been run. Outputs that are merely not there, as in a fresh clone, are no fault.
    """
    with Repo(str(root)) as repo:
        status = repo.status()
    return [f"{stage}: {fault}" for stage, found in status.items() for fault in _faults(found)]


def _faults(found: list) -> Iterator[str]:
    for item in found:
        if not isinstance(item, Mapping):
            yield str(item)
            continue
        for path, change in item.get("changed deps", {}).items():
            if isinstance(change, Mapping):  # parameters of a file, each with its own state
                yield from (f"{state}: {key} in {path}" for key, state in change.items())
            elif change != "deleted":
                yield f"{change}: {path}"


def changed_results(root: Path, revision: str = "HEAD") -> list[str]:
    """Compare metrics, series and digests of tables with those of a Git revision.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    revision : str, default "HEAD"
        What to compare with.

    Returns
    -------
    list of str
        One line for each difference beyond tolerance, with file, place and both values.
    """
    names = {p.relative_to(root).as_posix() for pattern in COMPARED for p in root.glob(pattern)}
    names |= set(_git(root, "ls-tree", "-r", "--name-only", revision, "results", "reports").split())
    differences = []
    for name in sorted(n for n in names if n.endswith((".json", ".csv"))):
        try:
            committed = _git(root, "show", f"{revision}:{name}")
        except subprocess.CalledProcessError:
            differences.append(f"{name}: not committed")
            continue
        if not (root / name).is_file():
            differences.append(f"{name}: committed, but not made")
            continue
        present = (root / name).read_text(encoding="utf-8")
        differences += compare_texts(name, committed, present, tolerance=_tolerance(name))
    return differences


def _tolerance(name: str) -> float:
    fitted = any(step in name for step in FITTED_STEPS) or name.endswith(("bic.csv", "ns.csv"))
    return FITTED_TOLERANCE if fitted else RELATIVE_TOLERANCE


def compare_texts(name: str, committed: str, present: str, *, tolerance: float) -> list[str]:
    """Compare two versions of a JSON or CSV file, value by value.

    Parameters
    ----------
    name : str
        The file's name; its ending says how to read it.
    committed, present : str
        The two versions.
    tolerance : float
        The largest relative difference of two numbers that counts as none.

    Returns
    -------
    list of str
        One line for each difference.
    """
    read = json.loads if name.endswith(".json") else lambda t: list(csv.DictReader(io.StringIO(t)))
    return [
        f"{name}: {place}: committed {before!r}, now {now!r}"
        for place, before, now in _differences(read(committed), read(present), tolerance)
    ]


def _differences(before: Any, now: Any, tolerance: float, place: str = "") -> Iterator[tuple]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted((before.keys() | now.keys()) - THE_WAY):
            if key.startswith(FROM_A_PLANE) and key in before and key in now:
                continue
            inner = before.get(key, "(absent)"), now.get(key, "(absent)")
            yield from _differences(*inner, tolerance, f"{place}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for i, inner in enumerate(zip(before, now, strict=True)):
            yield from _differences(*inner, tolerance, f"{place}[{i}]")
    elif not _equal(before, now, tolerance):
        yield place, before, now


def _equal(before: Any, now: Any, tolerance: float) -> bool:
    if before == now:
        return True
    try:
        # A CSV file's whole numbers are counts and labels: exact.
        if str(before).lstrip("-").isdigit() and str(now).lstrip("-").isdigit():
            return False
        return math.isclose(float(before), float(now), rel_tol=tolerance, abs_tol=1e-12)
    except (TypeError, ValueError):
        return False


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 where all agrees, 1 where something is stale.
    """
    parser = argparse.ArgumentParser(prog="python -m cohortlab.verify", description=__doc__)
    parser.add_argument("what", choices=["lock", "results"])
    parser.add_argument("--revision", default="HEAD", help="what results are compared with")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    root = project_root()
    found = (
        stale_stages(root) if options.what == "lock" else changed_results(root, options.revision)
    )
    for line in found:
        logger.error("%s", line)
    logger.info("%s: %s", options.what, f"{len(found)} stale" if found else "as committed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
