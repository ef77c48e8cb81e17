"""Links of the pages: to pages as they were, to other files through a copy, to folders nowhere."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from cohortlab.report.markdown import plain

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s#:]+)\)")
# Copies lie here, where the site's builder looks for no pages.
FILES = "files"
# Of the project, on pages of another name.
RENAMED = {"README.md": "index.md", "params.yaml": "parameters/index.md"}


def relink(
    text: str, place: Path, *, root: Path, tree: Path, is_page: Callable[[Path], bool]
) -> str:
    """Point the links of a page to what the site holds.

    Parameters
    ----------
    text : str
        Markdown.
    place : pathlib.Path
        The page's file, relative to the project; the page has the same place in the tree.
    root, tree : pathlib.Path
        The project's folder and that of the site's sources.
    is_page : callable
        Whether a file, relative to the project, is a page of the same name in the tree.

    Returns
    -------
    str
        The Markdown with links to pages as they were, links to other files of the project leading
        to copies of them, and links to folders or to nothing made into their words. Pictures are
        copied to their places.
    """

    def point(found: re.Match) -> str:
        words, link = found[1], found[2]
        target = (root / place.parent / link).resolve()
        if not target.is_relative_to(root.resolve()) or not target.is_file():
            return words
        inside = target.relative_to(root.resolve())
        if is_page(inside):
            return found[0]
        if inside.as_posix() in RENAMED:
            return f"[{words}](/{RENAMED[inside.as_posix()]})"
        _copy(target, tree / FILES / inside)
        return f"{{download}}`{plain(words)} </{FILES}/{inside.as_posix()}>`"

    for image in IMAGE.findall(text):
        _copy(root / place.parent / image, tree / place.parent / image)
    return LINK.sub(point, text)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
