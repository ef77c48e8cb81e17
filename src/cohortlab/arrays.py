"""Named arrays as the bytes of an .npz file: the same bytes for the same arrays, never pickle."""

import io
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

_STAMP = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def pack_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Write arrays as an .npz file, which `numpy.load` reads too.

    Parameters
    ----------
    arrays : mapping of str to numpy.ndarray
        Arrays of numbers, booleans or text, in the order in which they are written.

    Returns
    -------
    bytes
        The content of the file. It hangs on the arrays alone.

    Raises
    ------
    ValueError
        If an array holds Python objects.

    Notes
    -----
    `numpy.savez` lets the bytes hang on more: it asks zipfile for headers with 64-bit sizes, which
    the versions of Python write in different ways, and `savez_compressed` adds the build of zlib.

    Examples
    --------
    >>> content = pack_arrays({"sizes": np.array([3, 1])})
    >>> content == pack_arrays({"sizes": np.array([3, 1])})
    True
    >>> unpack_arrays(content)
    {'sizes': array([3, 1])}
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", _STAMP)
            entry.create_system = _UNIX
            # The size is known here, so only arrays beyond 2 GiB get headers with 64-bit sizes.
            archive.writestr(entry, member.getvalue())
    return stream.getvalue()


def unpack_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Read arrays from the bytes of an .npz file.

    Parameters
    ----------
    content : bytes
        What `pack_arrays`, `numpy.savez` or `numpy.savez_compressed` wrote.

    Returns
    -------
    dict of str to numpy.ndarray
        In the order of the file.

    Raises
    ------
    ValueError
        If the content is no such file, is cut off or changed (each array has a checksum), or
        holds objects to unpickle: nothing in it is ever executed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {
                name.removesuffix(".npy"): np.lib.format.read_array(
                    io.BytesIO(archive.read(name)), allow_pickle=False
                )
                for name in archive.namelist()
            }
    # zipfile says with a RuntimeError what it cannot read: a password, another compression.
    except (ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"no whole archive of arrays: {error}") from error
