"""Public logs of visits in forms of their own, told by the names of their files."""

import lzma
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from cohortlab.sources.errors import SourceError

_HEADER = ["panelist_id", "used_at", "domain", "active_seconds"]
# A log that knows no times: all visits of a person stand at one moment.
_NO_TIME = "1970-01-01 00:00:00"


def _downloads(path: Mapping[str, str]) -> pd.DataFrame:
    """Read ``session;document`` lines, and ``session;time`` lines; how long is not known."""
    names = {"sep": ";", "header": None, "dtype": "str", "keep_default_na": False}
    documents = pd.read_csv(path["documents"], names=["panelist_id", "domain"], **names)
    times = pd.read_csv(path["times"], names=["panelist_id", "written"], **names)
    parsed = pd.to_datetime(times["written"], format="%a %b %d %H:%M:%S %Y", errors="coerce")
    when = parsed.groupby(times["panelist_id"]).first()
    used_at = documents["panelist_id"].map(when).dt.strftime("%Y-%m-%d %H:%M:%S")
    return documents.assign(used_at=used_at, active_seconds=0)[_HEADER]


def _areas(path: Mapping[str, str]) -> pd.DataFrame:
    """Read lines of areas (A), of who comes next (C) and of what they visit (V)."""
    rows, names, person = [], {}, ""
    with (lzma.open if path["areas"].endswith(".xz") else open)(path["areas"], "rt") as lines:
        for line in lines:
            kind, *fields = line.rstrip("\n").split(",")
            if kind == "A":
                names[fields[0]] = fields[-1].strip('"')
            elif kind == "C":
                person = fields[-1]
            elif kind == "V":
                rows.append((person, _NO_TIME, names.get(fields[0], fields[0]), 0))
    return pd.DataFrame(rows, columns=_HEADER)


#: Names of the files -> function that gives their visits in the usual columns.
FORMS: dict[frozenset[str], Callable[[Mapping[str, str]], pd.DataFrame]] = {
    frozenset({"documents", "times"}): _downloads,
    frozenset({"areas"}): _areas,
}


def usual_form(path: str | Mapping[str, str], scratch: Path, *, study: str = "<study>") -> str:
    """
    Bring a log of visits into the usual form.

    Parameters
    ----------
    path : str or mapping of str to str
        A file or pattern in the usual form, which is given back; or by name the files of another
        form: `documents` and `times` (lines ``session;document`` and ``session;time``, a session
        being a person), or `areas` (lines that begin with A, C and V, without any time).
    scratch : Path
        Folder for the file that is made.
    study : str
        Name of the study, for messages.

    Returns
    -------
    str
        Path of a file with the columns `panelist_id, used_at, domain, active_seconds`.

    Raises
    ------
    SourceError
        If the names are those of no form, or a file is not there.
    """
    if isinstance(path, str):
        return path
    names = frozenset(path)
    if names not in FORMS:
        known = "; ".join(", ".join(sorted(form)) for form in FORMS)
        raise SourceError(
            f"studies.{study}.data.path names {', '.join(sorted(names))}: expected one file, or "
            f"the files of one of these forms: {known}"
        )
    for name, file in path.items():
        if not Path(file).is_file():
            raise SourceError(f"studies.{study}.data.path.{name}: there is no file {file}")
    target = scratch / "visits.csv"
    FORMS[names](path).to_csv(target, index=False)
    return str(target)
