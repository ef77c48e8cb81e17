"""Vectors kept on disk under the hash of what they were made from."""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

_TABLE = "CREATE TABLE IF NOT EXISTS vectors (hash TEXT PRIMARY KEY, vector BLOB NOT NULL)"
_PART = 500


def content_hash(model: str, text: str) -> str:
    """
    Hash what decides a vector: the model's name and the text.

    Parameters
    ----------
    model, text : str
        Where the model runs, and by whose key, is no part of it.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    return hashlib.sha256(json.dumps([model, text]).encode()).hexdigest()


def read_vectors(path: Path, hashes: Sequence[str]) -> dict[str, np.ndarray]:
    """
    Read those vectors that are there.

    Parameters
    ----------
    path : Path
        The cache, a SQLite file that need not exist.
    hashes : sequence of str
        From `content_hash`.

    Returns
    -------
    dict of str to numpy.ndarray of float32
        By hash.

    Raises
    ------
    ValueError
        If the file is something else, or cannot be read.
    """
    if not path.exists():
        return {}
    found: dict[str, np.ndarray] = {}
    with _opened(path) as connection:
        for start in range(0, len(hashes), _PART):
            part = hashes[start : start + _PART]
            marks = ", ".join("?" * len(part))
            rows = connection.execute(f"SELECT * FROM vectors WHERE hash IN ({marks})", part)
            found |= {name: np.frombuffer(vector, "<f4") for name, vector in rows}
    return found


def write_vectors(path: Path, vectors: Mapping[str, np.ndarray]) -> None:
    """
    Add vectors, all or none of them.

    Parameters
    ----------
    path : Path
        The cache; it and its folder are made where they do not exist.
    vectors : mapping of str to numpy.ndarray
        By hash.

    Raises
    ------
    ValueError
        If the file is something else, or cannot be written.
    """
    rows = [(name, np.asarray(vector, "<f4").tobytes()) for name, vector in vectors.items()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, error.strerror) from error
    with _opened(path) as connection:
        connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(_TABLE)
            yield connection
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, reason: object) -> ValueError:
    return ValueError(
        f"{path} is no cache of vectors, or cannot be written ({reason}): name another file, or "
        "remove what is there"
    )
