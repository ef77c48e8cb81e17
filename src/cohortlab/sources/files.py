"""
Find and open the files of a source, whatever their form.

A path is one file or a glob, local or anything that fsspec opens. Compressed and remote files, and
text that is not UTF-8, are unpacked once into a scratch folder, in blocks; a plain local UTF-8 file
is read where it lies.
"""

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import fsspec
from fsspec.core import url_to_fs

from cohortlab.sources.errors import SourceError, shown

TEXT_SUFFIXES = (".csv", ".csv.gz", ".csv.xz")
FORMS = (*TEXT_SUFFIXES, ".zip", ".parquet", ".xlsx")
BLOCK_BYTES = 1 << 22
_BYTE_ORDER_MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16": codecs.BOM_UTF16_LE,
    "utf-16 (big endian)": codecs.BOM_UTF16_BE,
}


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


def find_files(path: str, *, place: Place) -> list[SourceFile]:
    """
    List the files that a path names, in the order of their names.

    Parameters
    ----------
    path : str
        One file, or a glob; a local path or any address that fsspec understands.
    place : Place
        Where the path stands in ``params.yaml``, for the messages.

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
    system, root, addresses = _addresses(str(path), place)
    if not addresses:
        raise SourceError(
            f"No file matches {path} (table {place.table}). "
            f"Correct {place.key('path')}: the path of a file, or a glob such as data/*.csv."
        )
    found = [SourceFile(_shown_name(address, root), system, address) for address in addresses]
    return [member for file in found for member in _members(file, place)]


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


def utf8_text(file: SourceFile, scratch: Path, *, number: int, encoding: str, place: Place) -> Path:
    """
    Return a local UTF-8 copy of a text file, or the file itself where it is one already.

    Parameters
    ----------
    file : SourceFile
        A text file, compressed or not.
    scratch : Path
        Folder for temporary files.
    number : int
        Number of the file, which keeps the names of temporary files apart.
    encoding : str
        Encoding of the text, a name that Python knows, for example ``windows-1252``.
    place : Place
        Where the encoding stands in ``params.yaml``, for the messages.

    Returns
    -------
    Path
        A local file in UTF-8; a UTF-8 file that was read in place is checked by the reader of its
        rows.

    Raises
    ------
    SourceError
        If the text is not in the encoding, or plainly in another one.
    """
    name = encoding_name(encoding, place=place)
    if name == "utf-8":
        local = unpack(file, scratch, number=number)
        with local.open("rb") as stream:
            _check_start(file, stream.read(BLOCK_BYTES), name, place)
        return local
    target = scratch / f"decoded_{number}.csv"
    with target.open("wb") as out:
        out.writelines(_decoded(file, name, place))
    return target


def encoding_name(encoding: str, *, place: Place) -> str:
    """
    Return Python's own name for an encoding.

    Parameters
    ----------
    encoding : str
        A name such as ``UTF8`` or ``windows-1252``.
    place : Place
        Where the encoding stands in ``params.yaml``, for the messages.

    Returns
    -------
    str
        The canonical name; ``utf-8`` also for the spelling with a byte order mark.

    Raises
    ------
    SourceError
        If Python knows no such encoding of text.

    Examples
    --------
    >>> encoding_name("UTF8", place=Place())
    'utf-8'
    """
    try:
        "".encode(str(encoding))
        name = codecs.lookup(str(encoding)).name
    except LookupError as error:
        raise SourceError(
            f"{place.key('encoding')} is {encoding!r}, which is no known encoding of text. "
            "Try utf-8, windows-1252, iso-8859-1 or utf-16."
        ) from error
    return "utf-8" if name in ("utf-8", "utf-8-sig", "ascii") else name


def bad_bytes(path: Path, *, name: str, encoding: str, header: list[str], delimiter: str) -> str:
    """
    Say where a text file first departs from UTF-8: line, column and the bytes.

    Parameters
    ----------
    path : Path
        The text file.
    name : str
        Its name in the message.
    encoding : str
        The encoding that was asked for.
    header : list of str
        Names of its columns.
    delimiter : str
        What separates its fields.

    Returns
    -------
    str
        A phrase for a message; an empty string where every line is UTF-8.
    """
    found: list[tuple[int, str, bytes]] = []
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            found += _bad_field(number, line, header, delimiter)
            if len(found) >= 3:
                break
    if not found:
        return ""
    line, column, _ = found[0]
    values = shown([value for _, _, value in found], limit=3)
    return f"{name} is not {encoding}: line {line}, column {column}; first bad values: {values}."


def _bad_field(
    number: int, line: bytes, header: list[str], delimiter: str
) -> list[tuple[int, str, bytes]]:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        before = line[: error.start].decode("utf-8")
        fields = next(csv.reader([before], delimiter=delimiter), [""])
        position = max(len(fields) - 1, 0)
        value = line.rstrip(b"\r\n").split(delimiter.encode())
        column = header[position] if position < len(header) else f"number {position + 1}"
        return [(number, repr(column), value[min(position, len(value) - 1)])]
    return []


def _decoded(file: SourceFile, encoding: str, place: Place) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    rival = _Utf8Check(encoding)
    lines, first = 1, True
    for block in blocks(file):
        if first:
            _check_start(file, block, encoding, place)
            first = False
        rival.feed(block)
        try:
            text = decoder.decode(block)
        except UnicodeError as error:
            raise _undecodable(file, encoding, place, error, lines) from error
        lines += text.count("\n")
        yield text.encode("utf-8")
    yield _last(decoder, file, encoding, place, lines)
    if rival.is_utf8():
        raise SourceError(
            f"{file.name} is UTF-8, not {encoding} as {place.key('encoding')} says: its letters "
            f"beyond ASCII would come out wrong. First of them: {rival.example!r}. "
            f"Set {place.key('encoding')} to utf-8."
        )


def _last(
    decoder: codecs.IncrementalDecoder, file: SourceFile, encoding: str, place: Place, lines: int
) -> bytes:
    try:
        return decoder.decode(b"", final=True).encode("utf-8")
    except UnicodeError as error:
        raise _undecodable(file, encoding, place, error, lines) from error


class _Utf8Check:
    """Notice, block by block, whether text said to be in a one-byte encoding is really UTF-8."""

    def __init__(self, encoding: str) -> None:
        self._possible = not encoding.startswith(("utf", "gb", "big5", "shift", "euc", "iso2022"))
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.example = ""

    def feed(self, block: bytes) -> None:
        if not self._possible:
            return
        try:
            text = self._decoder.decode(block)
        except UnicodeDecodeError:
            self._possible = False
            return
        if not self.example and not text.isascii():
            word = next(word for word in text.split() if not word.isascii())
            self.example = word[:40]

    def is_utf8(self) -> bool:
        return self._possible and bool(self.example)


def _undecodable(
    file: SourceFile, encoding: str, place: Place, error: UnicodeError, lines: int
) -> SourceError:
    # UTF-16 without a byte order mark, for one, is wrong at no place.
    where = _place(error, lines) if isinstance(error, UnicodeDecodeError) else error
    return SourceError(
        f"{file.name} is not {encoding}: {where}. "
        f"Set {place.key('encoding')} to the file's own encoding (often utf-8 or windows-1252)."
    )


def _place(error: UnicodeDecodeError, lines: int) -> str:
    before, wrong = error.object[: error.start], error.object[error.start : error.end]
    start = max(before.rfind(b"\n"), 0)
    context = error.object[max(start, error.start - 20) : error.start + 20].strip()
    line = lines + before.count(b"\n")
    column = before[start:].count(b",") + 1
    return (
        f"near line {line}, column number {column}, the bytes {wrong!r} in {context!r} have no "
        "meaning in it"
    )


def _check_start(file: SourceFile, start: bytes, encoding: str, place: Place) -> None:
    """Notice by the first bytes of a file that it is in another encoding, or no text."""
    for found, mark in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark) and not encoding.startswith(found[:6]):
            raise SourceError(
                f"{file.name} is {found}, not {encoding}: it begins with the byte order mark "
                f"{mark!r}. Set {place.key('encoding')} to {found[:6]}."
            )
    header = start.split(b"\n", 1)[0]
    if b"\0" in header and not encoding.startswith(("utf-16", "utf-32")):
        likely = "utf-16-be" if header.startswith(b"\0") else "utf-16-le"
        raise SourceError(
            f"{file.name} is not {encoding}: its first line holds bytes of zero, "
            f"{shown([header])}. Set {place.key('encoding')} to {likely} if it is text, or convert "
            "the file."
        )


def _compression(address: str) -> str | None:
    lower = address.lower()
    return "gzip" if lower.endswith(".gz") else "xz" if lower.endswith(".xz") else None


def _decompression_errors() -> tuple[type[Exception], ...]:
    import lzma
    import zipfile
    import zlib

    return lzma.LZMAError, zlib.error, zipfile.BadZipFile


def _addresses(path: str, place: Place) -> tuple[fsspec.AbstractFileSystem, str, list[str]]:
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
            f"try {path.rstrip('/')}/*.csv"
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


def _members(file: SourceFile, place: Place) -> list[SourceFile]:
    if not file.form:
        raise SourceError(
            f"{file.name} is in none of the forms that can be read ({', '.join(FORMS)}). "
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
