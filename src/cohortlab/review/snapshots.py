"""The files of a revision, or of the working tree, by their names."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cohortlab.verify.committed import git

FOLDERS = ("params.yaml", "dvc.lock", "notebooks", "results", "reports")


@dataclass(frozen=True)
class Snapshot:
    """A state of the project: a Git revision, or the working tree where `revision` is None.

    Attributes
    ----------
    root : pathlib.Path
        The project's folder.
    revision : str or None
        A branch, a tag, a commit.
    """

    root: Path
    revision: str | None = None

    @property
    def name(self) -> str:
        """Return how the state is called on the page, a revision with its commit."""
        if self.revision is None:
            return "working tree"
        commit = git(self.root, "rev-parse", "--short", f"{self.revision}^{{commit}}").strip()
        return commit if self.revision.startswith(commit) else f"{self.revision} ({commit})"

    @cached_property
    def files(self) -> dict[str, str]:
        """Return what a review looks at: the hash of the content by path."""
        if self.revision is None:
            listed = git(self.root, "ls-files", "-coz", "--exclude-standard", "--", *FOLDERS)
            paths = {name: self.root / name for name in listed.split("\0") if name}
            return {name: _blob(path) for name, path in paths.items() if path.is_file()}
        listed = git(self.root, "ls-tree", "-rz", self.revision, "--", *FOLDERS)
        entries = (entry.split("\t", 1) for entry in listed.split("\0") if entry)
        return {name: told.split()[2] for told, name in entries}

    def read(self, path: str) -> str:
        """Read a file of this state.

        Parameters
        ----------
        path : str
            Below the project's folder.

        Returns
        -------
        str
            Its text; empty where this state has no such file.
        """
        if path not in self.files:
            return ""
        if self.revision is None:
            return (self.root / path).read_bytes().decode()
        return git(self.root, "cat-file", "blob", self.files[path])


def _blob(path: Path) -> str:
    """Hash a file as Git does."""
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
