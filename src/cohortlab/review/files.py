"""Two versions of any file that is neither table nor notebook, and of what DVC stores."""

from collections.abc import Iterator, Set

from ruamel.yaml import YAML

from cohortlab.review.snapshots import Snapshot
from cohortlab.verify.committed import MADE
from cohortlab.verify.executed import text_differences
from cohortlab.verify.values import ABSENT, Difference

LOCK = "dvc.lock"


def compare_file(
    path: str, base: Snapshot, head: Snapshot, *, tolerance: float
) -> list[Difference]:
    """Compare a file of a kind that the review knows nothing of.

    Parameters
    ----------
    path : str
        Its path.
    base, head : Snapshot
        Before and now.
    tolerance : float
        The largest relative difference of two numbers that counts as none.

    Returns
    -------
    list of Difference
        Of text (a graph in DOT, a page), its lines and numbers; of anything else, its hashes. Of a
        file that is new or gone, that alone.
    """
    hashes = [state.files.get(path) for state in (base, head)]
    if None in hashes:
        return [Difference(path, "(file)", *(MADE if h else ABSENT for h in hashes))]
    try:
        texts = base.read(path), head.read(path)
    except UnicodeDecodeError:
        return [Difference(path, "(hash)", *hashes)]
    return [Difference(path, "text", *pair) for pair in text_differences(*texts, tolerance)]


def compare_stored(
    before: str, now: str, *, told: tuple[Set[str], Set[str]]
) -> Iterator[Difference]:
    """Compare what DVC stores outside Git, by the hashes in two versions of `dvc.lock`.

    Parameters
    ----------
    before, now : str
        The two versions; an empty text where there is none.
    told : tuple of two sets of str
        Files of each version that are compared by themselves: in Git, or by the digests of their
        tables.

    Yields
    ------
    Difference
        For each other output of a stage that changed, came or went: a file, or a folder with any
        file that is not compared by itself.
    """
    old, new = (_outputs(text) for text in (before, now))
    for path in sorted(old.keys() | new.keys()):
        versions = list(zip((old, new), told, strict=True))
        if all(path not in outs or _is_told(path, outs[path], files) for outs, files in versions):
            continue
        pair = [outs[path].get("md5", "") if path in outs else ABSENT for outs in (old, new)]
        if pair[0] != pair[1]:
            yield Difference(path, "(MD5 in dvc.lock)", *pair)


def _outputs(text: str) -> dict[str, dict]:
    lock = YAML(typ="safe").load(text) or {}
    stages = lock.get("stages", {}).values()
    return {out["path"]: out for stage in stages for out in stage.get("outs", [])}


def _is_told(path: str, out: dict, files: Set[str]) -> bool:
    """Say whether a file, or every one of the files that DVC counted in a folder, is compared."""
    n_told = sum(name.startswith(f"{path}/") for name in files)
    return path in files or n_told == out.get("nfiles")
