"""Arrays in a file: the same bytes wherever and whenever they are written, and nothing executed."""

import hashlib
import io
import time
import zipfile

import numpy as np
import pytest

from cohortlab.arrays import pack_arrays, unpack_arrays

ARRAYS = {
    "numbers": np.array([[1.5, np.nan], [-0.0, np.inf]]),
    "across": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
    "names": np.array(["ä", "longer"]),
    "flags": np.array([True, False]),
    "none": np.empty((0, 2)),
    "one": np.array("header"),
}


def test_arrays_come_back_with_order_kind_and_shape():
    found = unpack_arrays(pack_arrays(ARRAYS))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_numpy_and_this_module_read_each_other(write):
    with np.load(io.BytesIO(pack_arrays(ARRAYS)), allow_pickle=False) as file:
        assert file.files == list(ARRAYS)
        np.testing.assert_array_equal(file["numbers"], ARRAYS["numbers"])
    stream = io.BytesIO()
    write(stream, **ARRAYS)
    np.testing.assert_array_equal(unpack_arrays(stream.getvalue())["names"], ARRAYS["names"])


def test_the_bytes_are_those_of_other_versions_of_python():
    # The digest is that of Python 3.11.2 and of 3.11.7; numpy.savez differs between these two.
    content = pack_arrays({"sizes": np.array([3, 1], dtype="<i4"), "name": np.array("a", "<U1")})
    digest = "a994819c9ba5e9abdb4ec09e829dbe15ef7bc7dd28e0e58df8b2e9fcd86f6d02"
    assert hashlib.sha256(content).hexdigest() == digest


def test_the_bytes_hang_on_no_clock(monkeypatch):
    before = pack_arrays(ARRAYS)
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2e9))
    assert pack_arrays(ARRAYS) == before


def test_no_member_has_a_header_of_64_bit_sizes():
    content = pack_arrays(ARRAYS)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            assert entry.extra == b""
            length_of_extra = content[entry.header_offset + 28 : entry.header_offset + 30]
            assert length_of_extra == b"\0\0"
            assert entry.compress_type == zipfile.ZIP_STORED


def test_objects_are_neither_written_nor_read():
    objects = {"any": np.array([{}], dtype=object)}
    with pytest.raises(ValueError, match="allow_pickle=False"):
        pack_arrays(objects)
    stream = io.BytesIO()
    np.savez(stream, **objects)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        unpack_arrays(stream.getvalue())


def cut_off(content):
    return content[:-30]


def with_a_broken_byte(content):
    return content.replace(np.float64(1.5).tobytes(), np.float64(2.5).tobytes())


def with_a_member_that_is_no_array(content):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("numbers.npy", "1.5")
    return stream.getvalue()


def with_a_password(content):
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream) as archive:
        at = archive.infolist()[0].header_offset
        listed = archive.start_dir
    locked = bytearray(content)
    locked[at + 6] |= 1
    locked[listed + 8] |= 1
    return bytes(locked)


def nothing(content):
    return b""


@pytest.mark.parametrize(
    "harm",
    [cut_off, with_a_broken_byte, with_a_member_that_is_no_array, with_a_password, nothing],
    ids=lambda harm: harm.__name__,
)
def test_what_is_no_whole_archive_is_refused(harm):
    with pytest.raises(ValueError, match="no whole archive of arrays"):
        unpack_arrays(harm(pack_arrays(ARRAYS)))
