"""Text lines of a file, made and written a chunk at a time."""

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def as_text(values: np.ndarray) -> pa.Array:
    """Write numbers as text the shortest way: ``2.1``, ``18``.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Numbers.

    Returns
    -------
    pyarrow.Array of large string
        One text each.

    Examples
    --------
    >>> as_text(np.array([2.10, 18.0])).to_pylist()
    ['2.1', '18']
    """
    return pc.cast(pa.array(values), pa.large_string())


def pick(words: Sequence[str], positions: np.ndarray) -> pa.Array:
    """Take the word at each position.

    Parameters
    ----------
    words : sequence of str
        What to take from.
    positions : numpy.ndarray of int, shape (n,)
        Which word, from 0.

    Returns
    -------
    pyarrow.Array of large string
        One word each.

    Examples
    --------
    >>> pick(["view", "addtocart"], np.array([1, 0])).to_pylist()
    ['addtocart', 'view']
    """
    return pa.array(list(words), pa.large_string()).take(pa.array(positions))


def join_fields(fields: Sequence[pa.Array | str], *, separator: str, end: str = "") -> pa.Array:
    r"""Join fields into lines.

    Parameters
    ----------
    fields : sequence of large-string arrays of one length, or str
        The columns; a plain text stands in every line. Fields must be quoted already where needed.
    separator : str
        Between two fields.
    end : str
        After the last field.

    Returns
    -------
    pyarrow.Array of large string
        One line each.

    Examples
    --------
    >>> join_fields([as_text(np.array([1, 2])), "view"], separator=",", end="\n").to_pylist()
    ['1,view\n', '2,view\n']
    """
    large = [pa.scalar(f, pa.large_string()) if isinstance(f, str) else f for f in fields]
    joined = pc.binary_join_element_wise(*large, pa.scalar(separator, pa.large_string()))
    if not end:
        return joined
    nothing = pa.scalar("", pa.large_string())
    return pc.binary_join_element_wise(joined, pa.scalar(end, pa.large_string()), nothing)


def stack(parts: Sequence[pa.Array]) -> pa.Array:
    """Put arrays of lines one after the other.

    Parameters
    ----------
    parts : sequence of pyarrow.Array
        Of one type.

    Returns
    -------
    pyarrow.Array
        All of their lines.
    """
    return pa.concat_arrays(list(parts))


def write_lines(handle: BinaryIO, lines: pa.Array, *, encoding: str = "utf-8") -> None:
    """Write whole lines, each with its own end, to an open binary file.

    Parameters
    ----------
    handle : binary file
        Where to write.
    lines : pyarrow.Array of large string
        The lines.
    encoding : str
        Encoding of the file.
    """
    first, last = np.frombuffer(lines.buffers()[1], dtype=np.int64)[
        [lines.offset, lines.offset + len(lines)]
    ]
    text = lines.buffers()[2]
    content = b"" if text is None else memoryview(text)[first:last]
    handle.write(content if encoding == "utf-8" else str(content, "utf-8").encode(encoding))


def write_table(path: str, columns: dict[str, Sequence]) -> None:
    """Write a small table as CSV: comma, UTF-8, one line feed a row.

    Parameters
    ----------
    path : str
        The file.
    columns : dict of str to sequence
        The columns by name, of one length.
    """
    pd.DataFrame(columns).to_csv(path, index=False, lineterminator="\n")
