"""Text files in UTF-8, whatever their encoding; one in another encoding than said is noticed."""

import codecs
import csv
from collections.abc import Iterator
from pathlib import Path

from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import BLOCK_BYTES, Place, SourceFile, blocks, unpack

_BYTE_ORDER_MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16": codecs.BOM_UTF16_LE,
    "utf-16 (big endian)": codecs.BOM_UTF16_BE,
}


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
