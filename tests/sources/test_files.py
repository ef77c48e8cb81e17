import pytest
from sources.writing import write_events, write_form

from cohortlab.sources import SourceError, read_events
from cohortlab.sources.files import Place, find_files

LINE = "1433193132535,1,view,5,"
PLACE = Place("shop", "events", nested=True)


def failure(path, tmp_path, **options) -> str:
    with pytest.raises(SourceError) as caught:
        read_events({"events": path}, scratch=tmp_path / "scratch", study="shop", **options)
    return str(caught.value)


def test_a_glob_lists_files_by_name_relative_to_its_fixed_part(tmp_path):
    for name in ("b/2.csv", "a/1.csv", "a/no.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find_files(f"{tmp_path}/*/*.csv", place=PLACE)
    assert [file.name for file in found] == ["a/1.csv", "b/2.csv"]


def test_a_name_with_signs_of_a_glob_is_first_taken_as_it_stands(tmp_path):
    (tmp_path / "log[1].csv").write_text("x")
    assert [f.name for f in find_files(f"{tmp_path}/log[1].csv", place=PLACE)] == ["log[1].csv"]


@pytest.mark.parametrize("path", ["none.csv", "none*.csv"])
def test_a_missing_file_is_named_with_the_key_to_change(tmp_path, path):
    message = failure(f"{tmp_path}/{path}", tmp_path)
    assert path in message
    assert "studies.shop.data.path.events" in message


@pytest.mark.parametrize("path", [None, "", 3])
def test_a_path_that_is_none_is_an_error(tmp_path, path):
    assert "studies.shop.data.path.events" in failure(path, tmp_path)


@pytest.mark.parametrize(
    "path", ["http://127.0.0.1:9/events.csv", "klingon://events.csv", "zip://events.csv::none.zip"]
)
def test_an_address_that_cannot_be_opened_is_named(tmp_path, path):
    message = failure(path, tmp_path)
    assert message.startswith(f"{path} cannot be opened")
    assert "studies.shop.data.path.events" in message


def test_a_folder_is_not_a_file(tmp_path):
    assert f"{tmp_path}/*.csv" in failure(str(tmp_path), tmp_path)


def test_an_unknown_form_is_named(tmp_path):
    (tmp_path / "events.doc").write_text("x")
    message = failure(f"{tmp_path}/events.doc", tmp_path)
    assert "events.doc" in message
    assert ".parquet" in message


@pytest.mark.parametrize("form", ["csv.gz", "csv.xz", "zip", "parquet", "xlsx"])
def test_a_damaged_file_is_named(tmp_path, form):
    path = tmp_path / f"events.{form}"
    path.write_bytes(b"this is something else")
    message = failure(str(path), tmp_path)
    assert path.name in message
    assert "etch it again" in message


@pytest.mark.parametrize("form", ["csv.gz", "csv.xz"])
def test_a_file_that_breaks_off_is_named(tmp_path, form):
    import numpy as np

    lines = "\n".join(
        f"{time},1,view,5," for time in np.random.default_rng(0).integers(1, 10**12, 5000)
    )
    path = tmp_path / f"events.{form}"
    write_form(f"timestamp,visitorid,event,itemid,transactionid\n{lines}\n", path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert path.name in failure(str(path), tmp_path)


@pytest.mark.parametrize("members", [[], ["a.csv", "b.csv"], ["a.txt"]])
def test_a_zip_must_hold_one_table(tmp_path, members):
    import zipfile

    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        for name in members:
            archive.writestr(name, "x")
    message = failure(f"{tmp_path}/log.zip", tmp_path)
    assert "exactly one" in message
    assert "zip://" in message


@pytest.mark.parametrize("text", ["", "\ufeff", "timestamp,visitorid,event,itemid,transactionid\n"])
@pytest.mark.parametrize("form", ["csv", "csv.gz"])
def test_an_empty_file_is_an_error(tmp_path, text, form):
    path = write_form(text, tmp_path / f"events.{form}")
    message = failure(path, tmp_path)
    assert f"events.{form}" in message
    assert "studies.shop.data.path.events" in message


def test_missing_columns_are_listed_with_those_found(tmp_path):
    path = write_form("timestamp,who,event,itemid\n1,2,view,3\n", tmp_path / "events.csv")
    message = failure(path, tmp_path)
    assert "'visitorid', 'transactionid'" in message
    assert "'who'" in message
    assert "studies.shop.data.columns.events" in message


def test_a_column_that_comes_twice_is_an_error(tmp_path):
    text = "timestamp,visitorid,event,itemid,transactionid,visitorid\n1,2,view,3,,4\n"
    message = failure(write_form(text, tmp_path / "events.csv"), tmp_path)
    assert "'visitorid' more than once" in message


def test_a_column_that_is_not_asked_for_may_come_twice(tmp_path):
    text = "x,timestamp,visitorid,event,itemid,transactionid,x\n0,1,2,view,3,,9\n"
    path = write_form(text, tmp_path / "events.csv")
    log = read_events({"events": path}, scratch=tmp_path / "s")
    assert log.counts["events"]["rows_kept"] == 1


def test_bytes_that_are_not_utf8_are_named_with_line_and_column(tmp_path):
    (tmp_path / "events.csv").write_bytes(
        b"timestamp,visitorid,event,itemid,transactionid\n1,2,view,3,\n1,Jos\xe9,view,3,\n"
    )
    message = failure(f"{tmp_path}/events.csv", tmp_path)
    assert "line 3, column 'visitorid'" in message
    assert "b'Jos\\xe9'" in message
    assert "studies.shop.data.encoding" in message


def test_bytes_without_meaning_in_another_encoding_are_named(tmp_path):
    (tmp_path / "events.csv").write_bytes(
        b"timestamp,visitorid,event,itemid,transactionid\n1,2,view,3,\n1,\x81,view,3,\n"
    )
    message = failure(f"{tmp_path}/events.csv", tmp_path, encoding="windows-1252")
    assert "cp1252" in message
    assert "line 3" in message


def test_utf8_read_as_another_encoding_is_noticed(tmp_path):
    path = write_events(tmp_path, "1,José,view,3,")
    message = failure(path, tmp_path, encoding="windows-1252")
    assert "is UTF-8" in message
    assert "José" in message


def test_ascii_is_good_in_every_encoding(tmp_path):
    path = write_events(tmp_path, LINE)
    log = read_events({"events": path}, scratch=tmp_path / "s", encoding="windows-1252")
    assert log.counts["events"]["rows_kept"] == 1


@pytest.mark.parametrize("asked", ["utf-8", "windows-1252"])
def test_the_byte_order_mark_of_another_encoding_is_noticed(tmp_path, asked):
    path = tmp_path / "events.csv"
    path.write_bytes(f"timestamp,visitorid,event,itemid,transactionid\n{LINE}\n".encode("utf-16"))
    assert "utf-16" in failure(str(path), tmp_path, encoding=asked)
    log = read_events({"events": str(path)}, scratch=tmp_path / "s", encoding="utf-16")
    assert log.counts["events"]["rows_kept"] == 1


@pytest.mark.parametrize("asked", ["utf-8", "windows-1252"])
@pytest.mark.parametrize("real", ["utf-16-le", "utf-16-be"])
def test_bytes_of_zero_in_the_header_are_noticed(tmp_path, asked, real):
    path = tmp_path / "events.csv"
    path.write_bytes(f"timestamp,visitorid,event,itemid,transactionid\n{LINE}\n".encode(real))
    message = failure(str(path), tmp_path, encoding=asked)
    assert "bytes of zero" in message
    assert f"Set studies.shop.data.encoding to {real}" in message
    log = read_events({"events": str(path)}, scratch=tmp_path / "s", encoding=real)
    assert log.counts["events"]["rows_kept"] == 1


def test_a_file_that_is_no_text_is_told_in_a_line(tmp_path):
    (tmp_path / "events.csv").write_bytes(bytes(5000))
    message = failure(f"{tmp_path}/events.csv", tmp_path)
    assert "bytes of zero" in message
    assert message.isprintable()
    assert len(message) < 300


@pytest.mark.parametrize("asked", ["utf-16", "utf-32"])
def test_plain_text_read_in_a_wide_encoding_is_noticed(tmp_path, asked):
    message = failure(write_events(tmp_path, LINE), tmp_path, encoding=asked)
    assert message.startswith(f"events.csv is not {asked}: ")
    assert "Set studies.shop.data.encoding" in message


@pytest.mark.parametrize("encoding", ["klingon", "base64", 3, None])
def test_an_unknown_encoding_is_an_error(tmp_path, encoding):
    path = write_events(tmp_path, LINE)
    assert "studies.shop.data.encoding" in failure(path, tmp_path, encoding=encoding)
