"""What a commit holds of results and reports, beside what lies in a working tree."""

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cohortlab.run.machine import fingerprint
from cohortlab.verify.executed import compare_notebooks, text_differences
from cohortlab.verify.reading import UNREADABLE
from cohortlab.verify.values import ABSENT, Difference, compare_texts, tolerance_of

FOLDERS = ("results", "reports")
MADE = "(a file)"


@dataclass(frozen=True)
class Verdict:
    """What differs from a commit, and whether it was compared byte by byte or nearly."""

    differences: list[Difference]
    exact: bool

    @property
    def how(self) -> str:
        """Say in words how closely it was compared."""
        return "byte by byte" if self.exact else "within tolerances, on another kind of machine"


def changed_results(root: Path, revision: str = "HEAD") -> Verdict:
    """Compare results and reports of the working tree with those of a Git revision.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    revision : str, default "HEAD"
        What to compare with.

    Returns
    -------
    Verdict
        Compared byte by byte where this machine is of the kind that made the revision's results
        (`cohortlab.run.machine.fingerprint`), and by tolerances elsewhere.
    """
    exact = is_same_kind(machines_of(root, revision))
    return Verdict(differing_files(root, root, revision, exact=exact), exact)


def differing_files(
    root: Path, made: Path, revision: str, *, studies: Iterable[str] = (), exact: bool
) -> list[Difference]:
    """Compare everything that a commit holds of results and reports with what was made elsewhere.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder, whose repository has the commit.
    made : pathlib.Path
        The folder in which everything was made again.
    revision : str
        The commit.
    studies : iterable of str
        Only these; all where none is named.
    exact : bool
        Byte by byte. Else by tolerances, and drawings (pictures, `.svg`) not at all: what they
        show is in the tables, and what draws them differs.

    Returns
    -------
    list of Difference
        In the order of the files' names.
    """
    names = set(committed_files(root, revision, studies)) | set(present_files(made, studies))
    return _compare(root, names, made, revision, exact=exact)


def committed_files(root: Path, revision: str, studies: Iterable[str] = ()) -> list[str]:
    """List what a commit holds of results and reports.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    revision : str
        The commit.
    studies : iterable of str
        Only these; all where none is named.

    Returns
    -------
    list of str
        Paths from the project's folder.
    """
    listed = git(root, "ls-tree", "-r", "-z", "--name-only", revision, *_folders(studies))
    return listed.rstrip("\0").split("\0") if listed else []


def present_files(made: Path, studies: Iterable[str] = ()) -> list[str]:
    """List the files of results and reports in a working tree that Git does not ignore.

    Parameters
    ----------
    made : pathlib.Path
        The working tree.
    studies : iterable of str
        Only those of these; all where none is named.

    Returns
    -------
    list of str
        Paths below the tree.
    """
    listed = git(
        made, "ls-files", "-z", "-co", "--exclude-standard", "--deduplicate", *_folders(studies)
    )
    return [n for n in listed.rstrip("\0").split("\0") if n and (made / n).is_file()]


def _folders(studies: Iterable[str]) -> list[str]:
    return [f"{folder}/{study}" for study in studies for folder in FOLDERS] or list(FOLDERS)


def _compare(
    root: Path, names: Iterable[str], made: Path, revision: str, *, exact: bool
) -> list[Difference]:
    committed = set(committed_files(root, revision))
    differences = []
    for name in sorted(names):
        if name not in committed:
            differences.append(Difference(name, "(file)", ABSENT, MADE))
        elif not (made / name).is_file():
            differences.append(Difference(name, "(file)", MADE, ABSENT))
        else:
            before = git_bytes(root, "show", f"{revision}:./{name}")
            differences += _compare_bytes(name, before, (made / name).read_bytes(), exact=exact)
    return differences


def _compare_bytes(name: str, before: bytes, now: bytes, *, exact: bool) -> list[Difference]:
    try:
        return compare_files(name, before.decode(), now.decode(), exact=exact)
    except UnicodeDecodeError:
        differ = exact and before != now
        return [Difference(name, "(bytes)", len(before), len(now))] if differ else []


def compare_files(name: str, before: str, now: str, *, exact: bool) -> list[Difference]:
    """Compare two versions of one file in the way that its ending asks for.

    Parameters
    ----------
    name : str
        The file's name.
    before, now : str
        The two versions.
    exact : bool
        As in `differing_files`.

    Returns
    -------
    list of Difference
        Empty where they agree. Where bytes differ and no value does, one that says so.
    """
    if before == now or (name.endswith(".gitignore") and _same_lines(before, now)):
        return []
    tolerance = 0.0 if exact else tolerance_of(name)
    try:
        found = _compare_values(name, before, now, tolerance)
    except UNREADABLE:
        found = _compare_words(name, before, now, tolerance)
    return found or ([Difference(name, "(bytes)", len(before), len(now))] if exact else [])


def _same_lines(before: str, now: str) -> bool:
    """Compare without order: DVC adds a line to `.gitignore` whenever a stage ends."""
    return sorted(before.splitlines()) == sorted(now.splitlines())


def _compare_values(name: str, before: str, now: str, tolerance: float) -> list[Difference]:
    if name.endswith((".json", ".jsonl", ".csv")):
        return compare_texts(name, before, now, tolerance=tolerance)
    if name.endswith(".ipynb"):
        return compare_notebooks(name, before, now, tolerance=tolerance)
    if name.endswith((".dot", ".html")):
        return _compare_words(name, before, now, tolerance)
    return []


def _compare_words(name: str, before: str, now: str, tolerance: float) -> list[Difference]:
    return [Difference(name, "text", *two) for two in text_differences(before, now, tolerance)]


def machines_of(root: Path, revision: str, studies: Iterable[str] = ()) -> list[dict]:
    """List the kinds of machine that made a commit's executed notebooks.

    Parameters
    ----------
    root : pathlib.Path
        The project's folder.
    revision : str
        The commit.
    studies : iterable of str
        Only these; all where none is named.

    Returns
    -------
    list of dict
        Each kind once, as `cohortlab.run.machine.fingerprint` gives it; an empty dictionary for
        notebooks that do not say.
    """
    names = [n for n in committed_files(root, revision, studies) if n.endswith(".ipynb")]
    kinds = [_machine(git(root, "show", f"{revision}:./{name}")) for name in names]
    return [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]


def _machine(notebook: str) -> dict:
    try:
        return json.loads(notebook)["metadata"]["machine"]
    except UNREADABLE:
        return {}


def is_same_kind(kinds: list[dict]) -> bool:
    """Say whether this machine is of the one kind that made a commit's results.

    Parameters
    ----------
    kinds : list of dict
        The different fingerprints of the machines that made them.

    Returns
    -------
    bool
        False too where there were several kinds, or none is known.
    """
    return kinds == [fingerprint()]


def git(root: Path, *arguments: str) -> str:
    """Run Git in a folder.

    Parameters
    ----------
    root : pathlib.Path
        The folder.
    *arguments : str
        Of the command.

    Returns
    -------
    str
        What it writes.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    return git_bytes(root, *arguments).decode()


def git_bytes(root: Path, *arguments: str) -> bytes:
    """Run Git in a folder, as `git` does.

    Parameters
    ----------
    root : pathlib.Path
        The folder.
    *arguments : str
        Of the command.

    Returns
    -------
    bytes
        What it writes, which need not be text.

    Raises
    ------
    subprocess.CalledProcessError
        If it fails.
    """
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout
