"""
Find and open the files of a source, whatever their form.

A path is one file or a glob, local or anything that fsspec opens. Compressed and remote files are
unpacked once into a scratch folder, in blocks; a plain local file is read where it lies.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import fsspec
from fsspec.core import url_to_fs

from cohortlab.sources.errors import SourceError, shown

TEXT_SUFFIXES = (".csv", ".csv.gz", ".csv.xz", ".gz", ".xz")
FORMS = (*TEXT_SUFFIXES, ".zip", ".parquet", ".xlsx")
BLOCK_BYTES = 1 << 22


@dataclass(frozen=True)
class Place:
    """
    Where in ``params.yaml`` the reader finds what to change; only used in messages.

    Attributes
    ----------
    study : str
        Name of the study, or ``<study>`` where it is not known.
    table : str
        Table being read, for example ``events``.
    nested : bool
        Whether ``path`` and ``columns`` hold one entry per table.
    """

    study: str = "<study>"
    table: str = "events"
    nested: bool = False

    def key(self, name: str) -> str:
        """Return the full key of ``params.yaml``, for example ``studies.customers.data.path``."""
        part = f".{self.table}" if self.nested and name in ("path", "columns") else ""
        return f"studies.{self.study}.data.{name}{part}"


@dataclass(frozen=True)
class SourceFile:
    """
    One file of a source, found but not yet opened.

    Attributes
    ----------
    name : str
        The name shown to the user: relative to the folder that the path names.
    system : fsspec.AbstractFileSystem
        The file system that holds it.
    address : str
        Its address in that file system.
    """

    name: str
    system: fsspec.AbstractFileSystem
    address: str

    @property
    def form(self) -> str:
        """Return the ending that says how the file is read, or an empty string."""
        lower = self.address.lower()
        return next((form for form in FORMS if lower.endswith(form)), "")

    def local(self) -> Path | None:
        """Return the path of the file where it lies on this machine, else None."""
        protocols = self.system.protocol
        names = (protocols,) if isinstance(protocols, str) else protocols
        return Path(self.address) if "file" in names else None

    def open(self) -> BufferedIOBase:
        """Open the file for reading bytes, decompressed where its ending is .gz or .xz."""
        return self.system.open(self.address, "rb", compression=_compression(self.address))


def in_folder(path: str | Mapping | None, root: Path) -> str | dict | None:
    """
    Take relative paths from a folder, wherever the process runs.

    Parameters
    ----------
    path : str, mapping of str to str, or None
        A path or address, or one for each table.
    root : Path
        The folder, for instance the project's.

    Returns
    -------
    str, dict or None
        The same; relative local paths begin with `root`.

    Examples
    --------
    >>> in_folder({"events": "data/e.csv", "tree": None, "more": "s3://shop/x.csv"}, Path("/lab"))
    {'events': '/lab/data/e.csv', 'tree': None, 'more': 's3://shop/x.csv'}
    """
    if isinstance(path, Mapping):
        return {table: in_folder(own, root) for table, own in path.items()}
    if not isinstance(path, str) or not path.strip() or "://" in path:
        return path
    return str(root / path)


def local_files(path: str | Mapping | None) -> list[Path]:
    """
    List the files on this machine that a source names.

    Parameters
    ----------
    path : str, mapping of str to str, or None
        A path, glob or address, or one for each table.

    Returns
    -------
    list of Path
        Sorted by name; nothing for an address elsewhere, an archive as it is.
    """
    if isinstance(path, Mapping):
        return [file for own in path.values() for file in local_files(own)]
    if not path:
        return []
    system, _, addresses = _addresses(str(path), Place())
    files = [SourceFile(address, system, address).local() for address in addresses]
    return [file for file in files if file is not None]


def find_files(path: str, *, place: Place, forms: Sequence[str] = FORMS) -> list[SourceFile]:
    """
    List the files that a path names, in the order of their names.

    Parameters
    ----------
    path : str
        One file, or a glob; a local path or any address that fsspec understands.
    place : Place
        Where the path stands in ``params.yaml``, for the messages.
    forms : sequence of str
        Endings that are read; those of tables by default.

    Returns
    -------
    list of SourceFile
        At least one file, sorted by name; a zip archive stands for its one member.

    Raises
    ------
    SourceError
        If nothing matches, a folder is named, or a file is in none of the known forms.
    """
    if not isinstance(path, str | Path) or not str(path).strip():
        raise SourceError(
            f"{place.key('path')} must be the path of a file or a glob, but is {path!r}."
        )
    system, root, addresses = _addresses(str(path), place, forms)
    if not addresses:
        raise SourceError(
            f"No file matches {path} (table {place.table}). "
            f"Correct {place.key('path')}: the path of a file, or a glob such as data/*{forms[0]}."
        )
    found = [SourceFile(_shown_name(address, root), system, address) for address in addresses]
    return [member for file in found for member in _members(file, place, forms)]


def unpack(file: SourceFile, scratch: Path, *, number: int) -> Path:
    """
    Copy a file's bytes, decompressed, into the scratch folder unless it can be read in place.

    Parameters
    ----------
    file : SourceFile
        The file to read.
    scratch : Path
        Folder for temporary files.
    number : int
        Number of the file, which keeps the names of temporary files apart.

    Returns
    -------
    Path
        A local, uncompressed file.
    """
    here = file.local()
    if here is not None and _compression(file.address) is None:
        return here
    # No ending of a compressed form: DuckDB would decompress the file once more.
    target = scratch / f"unpacked_{number}{'.csv' if file.form in TEXT_SUFFIXES else file.form}"
    with target.open("wb") as out:
        out.writelines(blocks(file))
    return target


def blocks(file: SourceFile) -> Iterator[bytes]:
    """
    Read a file block by block, decompressed.

    Parameters
    ----------
    file : SourceFile
        The file to read.

    Yields
    ------
    bytes
        The next block, at most 4 MiB.

    Raises
    ------
    SourceError
        If the file cannot be opened or its compression is broken.
    """
    try:
        with file.open() as stream:
            while block := stream.read(BLOCK_BYTES):
                yield block
    except (OSError, EOFError, ValueError, RuntimeError, *_decompression_errors()) as error:
        raise SourceError(
            f"{file.name} cannot be read ({type(error).__name__}: {error}). "
            "Check that the file is whole and may be read, and fetch it again if it is damaged."
        ) from error


def _compression(address: str) -> str | None:
    lower = address.lower()
    return "gzip" if lower.endswith(".gz") else "xz" if lower.endswith(".xz") else None


def _decompression_errors() -> tuple[type[Exception], ...]:
    import lzma
    import zipfile
    import zlib

    return lzma.LZMAError, zlib.error, zipfile.BadZipFile


def _addresses(
    path: str, place: Place, forms: Sequence[str] = FORMS
) -> tuple[fsspec.AbstractFileSystem, str, list[str]]:
    """Return the file system of a path, the path within it, and the files that it names."""
    try:
        system, root = url_to_fs(path)
        is_folder = system.isdir(root)
        found = [root] if system.exists(root) else _matches(system, root)
    except (ValueError, ImportError, OSError, *_decompression_errors()) as error:
        raise SourceError(
            f"{path} cannot be opened ({type(error).__name__}: {error}). "
            f"Correct {place.key('path')}."
        ) from error
    if is_folder:
        raise SourceError(
            f"{path} is a folder, and {place.key('path')} must name a file or a glob: "
            f"try {path.rstrip('/')}/*{forms[0]}"
        )
    return system, root, found


def _matches(system: fsspec.AbstractFileSystem, root: str) -> list[str]:
    if not any(sign in root for sign in "*?["):
        return []
    return sorted(address for address in system.glob(root) if system.isfile(address))


def _shown_name(address: str, root: str) -> str:
    signs = [root.find(sign) for sign in "*?[" if sign in root]
    fixed = root if address == root or not signs else root[: min(signs)]
    folder = fixed.rsplit("/", 1)[0]
    return address[len(folder) :].lstrip("/") if address.startswith(folder) else address


def _members(file: SourceFile, place: Place, forms: Sequence[str]) -> list[SourceFile]:
    if not file.address.lower().endswith(tuple(forms)):
        raise SourceError(
            f"{file.name} is in none of the forms that can be read ({', '.join(forms)}). "
            f"Correct {place.key('path')} or convert the file."
        )
    if file.form != ".zip":
        return [file]
    try:
        archive = fsspec.filesystem("zip", fo=file.system.open(file.address, "rb"))
    except (OSError, *_decompression_errors()) as error:
        raise SourceError(
            f"{file.name} is no readable zip archive ({error}). Fetch it again, or unpack it."
        ) from error
    names = [name for name in sorted(archive.find("")) if not name.startswith("__MACOSX")]
    inside = [SourceFile(f"{file.name}/{name}", archive, name) for name in names]
    known = [member for member in inside if member.form and member.form != ".zip"]
    if len(known) != 1:
        raise SourceError(
            f"{file.name} must hold exactly one file in a known form ({', '.join(FORMS)}), but "
            f"holds {shown(names) or 'none'}. Name the one to read in {place.key('path')}, "
            f"for example zip://{names[0] if names else 'events.csv'}::{file.name}"
        )
    return known
