"""Two versions of any file that is neither table nor notebook, and of what DVC stores."""

from collections.abc import Iterable, Iterator

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


def compare_stored(before: str, now: str, *, told: Iterable[str]) -> Iterator[Difference]:
    """Compare what DVC stores outside Git, by the hashes in two versions of `dvc.lock`.

    Parameters
    ----------
    before, now : str
        The two versions; an empty text where there is none.
    told : iterable of str
        Files that are compared by themselves: in Git, or by the digests of their tables.

    Yields
    ------
    Difference
        For each other output of a stage, file or folder, that changed, came or went.
    """
    old, new = (dict(_outputs(text)) for text in (before, now))
    told = set(told)
    folders = {name.rpartition("/")[0] for name in told}
    for path in sorted((old.keys() | new.keys()) - told - folders):
        pair = old.get(path, ABSENT), new.get(path, ABSENT)
        if pair[0] != pair[1]:
            yield Difference(path, "(MD5 in dvc.lock)", *pair)


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    lock = YAML(typ="safe").load(text) or {}
    for stage in lock.get("stages", {}).values():
        yield from ((out["path"], out.get("md5", "")) for out in stage.get("outs", []))
