import json

import pytest
from serving import KEY, answer, failure

from cohortlab.endpoints import EndpointError
from cohortlab.interpretation import Cassette, ModelError
from cohortlab.interpretation.cassette import MODES, request_hash


def request(text="Hello"):
    return {"messages": [{"role": "user", "content": text}], "temperature": 0}


@pytest.fixture
def play(tmp_path, server):
    """Open the cassette in a mode, in front of a server that greets."""
    server.will(answer("Good day"))
    return lambda mode: Cassette(tmp_path / "cassette", mode=mode, connect=server.chat)


def files(tmp_path):
    return {path.name: path.read_text() for path in (tmp_path / "cassette").iterdir()}


def test_what_was_recorded_is_replayed_without_network_key_or_variable(play, server, tmp_path):
    assert play("record")(request()) == "Good day"
    (name,) = files(tmp_path)
    assert name == f"{request_hash(request())}.json"

    def connect():
        raise AssertionError("nobody may be asked")

    replayed = Cassette(tmp_path / "cassette", connect=connect)
    assert replayed(request()) == "Good day"
    assert replayed.models == {"tiny-1"}
    assert len(server.requests) == 1


def test_a_request_is_known_by_its_content_alone(play, server):
    cassette = play("record")
    cassette(request())
    cassette(dict(reversed(request().items())))
    assert len(server.requests) == 1
    cassette(request() | {"temperature": 1})
    assert len(server.requests) == 2


def test_a_missing_answer_is_told_with_its_request_and_what_to_do(play):
    with pytest.raises(ModelError) as caught:
        play("replay")(request("What is this?"))
    said = str(caught.value)
    assert request_hash(request("What is this?")) in said
    assert "begins with 'What is this?'" in said
    assert "mode 'record', or 'refresh'" in said


def test_recording_asks_for_what_is_missing_only(play, server):
    play("record")(request())
    server.will(answer("Good night"))
    cassette = play("record")
    assert [cassette(request()), cassette(request("Bye"))] == ["Good day", "Good night"]
    assert len(server.requests) == 2


def test_refreshing_asks_for_everything_once(play, server):
    play("record")(request())
    server.will(answer("Good night"))
    cassette = play("refresh")
    assert [cassette(request()), cassette(request())] == ["Good night"] * 2
    assert len(server.requests) == 2
    assert play("replay")(request()) == "Good night"


def test_recording_asks_again_where_another_model_answered(play, server, tmp_path):
    play("record")(request())
    (path,) = (tmp_path / "cassette").iterdir()
    path.write_text(path.read_text().replace("tiny-1", "tiny-0"))
    server.will(answer("Good night"))
    assert play("replay")(request()) == "Good day"
    assert play("record")(request()) == "Good night"


def test_a_file_holds_request_answer_and_model_and_nothing_else(play, server, tmp_path):
    server.will(answer(f"{KEY} \u202e täglich"))
    play("record")(request())
    (text,) = files(tmp_path).values()
    assert json.loads(text) == {
        "answer": "*** \u202e täglich",
        "model": "tiny-1",
        "request": request(),
    }
    assert KEY not in text
    assert server.url not in text
    assert text.isascii()


def test_recording_twice_gives_the_same_bytes(play, tmp_path):
    play("record")(request())
    before = files(tmp_path)
    play("refresh")(request())
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("Hello", "Hullo"),
        lambda text: text[:-20],
        lambda text: text.replace('"answer"', '"reply"'),
        lambda text: "[]",
        lambda text: text.replace('"Good day"', "17"),
    ],
)
def test_a_file_changed_by_hand_is_refused(play, tmp_path, damage):
    play("record")(request())
    (path,) = (tmp_path / "cassette").iterdir()
    path.write_text(damage(path.read_text()))
    with pytest.raises(ModelError, match="delete it"):
        play("replay")(request())


def test_what_fails_is_not_stored(play, server, tmp_path):
    server.will(failure(401))
    with pytest.raises(EndpointError, match="refuses the key"):
        play("record")(request())
    assert not (tmp_path / "cassette").exists()


def test_the_mode_must_be_known(play):
    assert MODES == ("replay", "record", "refresh")
    with pytest.raises(ValueError, match="replay, record, refresh, but is 'play'"):
        play("play")


def test_recording_needs_the_variables_of_the_endpoint(tmp_path, monkeypatch):
    monkeypatch.delenv("COHORTLAB_LLM_URL", raising=False)
    with pytest.raises(EndpointError, match="COHORTLAB_LLM_URL"):
        Cassette(tmp_path, mode="record")


@pytest.mark.parametrize("folder", ["file", "file/deep/cassette"])
@pytest.mark.parametrize("mode", ["record", "refresh"])
def test_what_cannot_be_kept_is_not_asked_for(server, tmp_path, folder, mode):
    (tmp_path / "file").write_text("no folder")
    server.will(answer("Good day"))
    with pytest.raises(ModelError, match=r"answers cannot be kept in .*name another one"):
        Cassette(tmp_path / folder, mode=mode, connect=server.chat)
    assert server.requests == []
    with pytest.raises(ModelError, match="no answer is stored"):
        Cassette(tmp_path / folder)(request())


def test_a_folder_that_may_not_be_written_to_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)  # the tests may run as root
    with pytest.raises(ModelError, match="may not be written to"):
        Cassette(tmp_path / "cassette", mode="record")
