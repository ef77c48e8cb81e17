"""The first row of a delimited text file, by each delimiter that it may have."""

import csv
import io
from dataclasses import dataclass

DELIMITERS = (",", ";", "\t", "|")
#: Characters in which a header must end.
HEAD = 1 << 20


@dataclass(frozen=True)
class Header:
    """
    The first row of a text file.

    Attributes
    ----------
    names : list of str
        Column names, without a byte order mark and surrounding blanks.
    delimiter : str
        What separates the fields.
    n_lines : int
        On how many lines the header stands.
    """

    names: list[str]
    delimiter: str
    n_lines: int


def possible_headers(text: str) -> list[Header]:
    """
    Read the first row of a text by each delimiter.

    Parameters
    ----------
    text : str
        The beginning of a file, `HEAD` characters if it has so many.

    Returns
    -------
    list of Header
        One for each of ``, ; tab |``, in this order, the names with the blanks around them; a
        header without names where the text is empty, or not to be read.
    """
    return [_header(text, delimiter) for delimiter in DELIMITERS]


def _header(text: str, delimiter: str) -> Header:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return Header(next(reader, []), delimiter, reader.line_num)
    except csv.Error:
        return Header([], delimiter, 0)
