import json

import numpy as np
import pytest
from serving import KEY, failure

from cohortlab.browsing import represent
from cohortlab.browsing.endpoint import VARIABLES, embed_by_endpoint
from cohortlab.endpoints import Endpoint, EndpointError

TEXTS = ["one", "two", "three", "two", "four"]


def vector(text):
    return [float(len(text)), float(ord(text[0])), 1.0]


def embeddings(texts, **changes):
    """Give the body of a right answer, in any order."""
    rows = [
        {"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(texts)
    ]
    return json.dumps({"object": "list", "data": rows[::-1], "model": "m"} | changes)


def right(body):
    return 200, {}, embeddings(body["input"])


def wrong_data(change):
    def reply(body):
        rows = json.loads(embeddings(body["input"]))["data"]
        return 200, {}, embeddings(body["input"], data=change(rows))

    return reply


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Keep vectors where no other test finds them."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def embed(server, texts=TEXTS, **options):
    return embed_by_endpoint(texts, endpoint=server.endpoint, pause_sec=0.01, **options)


def asked(server):
    return [body["input"] for body in server.requests]


def test_vectors_come_in_the_order_of_the_sentences_each_asked_for_once(server):
    server.will(right)
    found = embed(server, batch_size=3)
    assert found.dtype == np.float32
    assert found.tolist() == [vector(text) for text in TEXTS]
    assert asked(server) == [["one", "two", "three"], ["four"]]
    assert server.path == "/v1/embeddings"
    assert server.requests[0]["model"] == "tiny-1"


def test_vectors_are_kept_unless_that_is_declined(server, home):
    server.will(right)
    embed(server, cache=None)
    assert not home.exists()
    first, n_asked = embed(server), len(server.requests)
    assert np.array_equal(embed(server), first)
    assert len(server.requests) == n_asked
    assert [path.name for path in home.rglob("*.sqlite")] == ["vectors.sqlite"]


def test_a_second_run_asks_for_nothing_and_gives_the_same(server, tmp_path):
    server.will(right)
    cache = tmp_path / "deep" / "vectors.sqlite"
    first = embed(server, cache=cache)
    n_asked = len(server.requests)
    assert np.array_equal(embed(server, cache=cache), first)
    assert np.array_equal(embed(server, TEXTS[::-1], cache=str(cache)), first[::-1])
    assert len(server.requests) == n_asked
    embed(server, [*TEXTS, "five"], cache=cache)
    assert asked(server)[n_asked:] == [["five"]]


def test_another_model_has_its_own_vectors(server, tmp_path):
    server.will(right)
    embed(server, cache=tmp_path / "v")
    other = Endpoint(server.url, "another", KEY)
    embed_by_endpoint(TEXTS, endpoint=other, cache=tmp_path / "v")
    assert len(server.requests) == 2


def test_what_was_received_before_a_failure_is_kept(server, tmp_path):
    server.will(right, failure(500))
    with pytest.raises(EndpointError, match="status 500"):
        embed(server, batch_size=2, cache=tmp_path / "v", max_tries=2)
    n_asked = len(server.will(right).requests)
    embed(server, batch_size=2, cache=tmp_path / "v")
    assert asked(server)[n_asked:] == [["three", "four"]]


UNUSABLE = {
    "no JSON": (200, {}, "<html>sorry</html>"),
    "half of JSON": (200, {}, '{"data": [{"index": 0, "embe'),
    "a list": (200, {}, "[1, 2]"),
    "too few": wrong_data(lambda rows: rows[1:]),
    "too many": wrong_data(lambda rows: [*rows, rows[0] | {"index": len(rows)}]),
    "none": wrong_data(lambda rows: []),
    "one twice": wrong_data(lambda rows: [rows[0], *rows[:-1]]),
    "ragged": wrong_data(lambda rows: [*rows[:-1], rows[-1] | {"embedding": [1.0]}]),
    "words": wrong_data(lambda rows: [row | {"embedding": ["a"]} for row in rows]),
    "empty": wrong_data(lambda rows: [row | {"embedding": []} for row in rows]),
    "infinite": wrong_data(lambda rows: [row | {"embedding": [float("inf")]} for row in rows]),
}


@pytest.mark.parametrize("answer", UNUSABLE.values(), ids=UNUSABLE)
def test_an_answer_that_cannot_be_used_is_asked_for_again(server, answer, tmp_path):
    server.will(answer, answer, right)
    assert embed(server).tolist() == [vector(text) for text in TEXTS]
    assert len(server.requests) == 3
    server.will(answer)
    with pytest.raises(EndpointError, match="no usable answer in 2 tries; at last the answer"):
        embed(server, max_tries=2, cache=tmp_path / "v")


def test_the_key_is_neither_shown_nor_kept(server, tmp_path):
    server.will(right)
    embed(server, cache=tmp_path / "v")
    assert KEY not in repr(server.endpoint)
    assert KEY.encode() not in (tmp_path / "v").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_a_file_of_another_kind_is_no_cache(server, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be read as one" * 99)
    with pytest.raises(ValueError, match="is no cache of vectors"):
        embed(server, cache=tmp_path / "notes.txt")


@pytest.mark.parametrize("cache", ["notes.txt", "notes.txt/v.sqlite", "."])
def test_what_cannot_be_kept_is_not_asked_for(server, tmp_path, cache):
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be read as one" * 99)
    server.will(right)
    with pytest.raises(ValueError, match=r"or cannot be written .*: name another file"):
        embed(server, cache=tmp_path / cache)
    assert server.requests == []


def test_a_variable_that_is_not_set_is_named(monkeypatch, told):
    for name in VARIABLES.values():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EndpointError, match="COHORTLAB_EMBEDDING_URL should hold the address"):
        represent(told, method="endpoint")


def test_a_model_that_changed_under_its_name_is_noticed(server, tmp_path):
    server.will(right)
    embed(server, ["one"], cache=tmp_path / "v")
    longer = wrong_data(lambda rows: [row | {"embedding": [1.0, 2.0]} for row in rows])
    server.will(longer)
    with pytest.raises(EndpointError, match="different lengths"):
        embed(server, ["one", "two"], cache=tmp_path / "v")


def test_e5_behind_an_endpoint_gets_its_prefix(server):
    server.will(right)
    e5 = Endpoint(server.url, "intfloat/e5-small", KEY)
    embed_by_endpoint(["a"], endpoint=e5)
    embed_by_endpoint(["a"], endpoint=e5, prefix="passage: ")
    assert asked(server) == [["query: a"], ["passage: a"]]


def test_the_environment_says_where_to_ask(server, monkeypatch, told):
    server.will(right)
    monkeypatch.setenv("COHORTLAB_EMBEDDING_URL", server.url)
    monkeypatch.setenv("COHORTLAB_EMBEDDING_MODEL", "tiny-1")
    monkeypatch.setenv("COHORTLAB_EMBEDDING_KEY", KEY)
    assert represent(told, method="endpoint").shape == (3, 3)
    assert server.keys == [f"Bearer {KEY}"]
    monkeypatch.delenv("COHORTLAB_EMBEDDING_KEY")
    represent(told, method="endpoint", options={"cache": None})
    assert KEY not in server.keys[-1]
