import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from cohortlab.browsing import Endpoint, EndpointError, endpoint_from_environment, represent
from cohortlab.browsing.endpoint import embed_by_endpoint

KEY = "sk-a-secret-that-nobody-may-read"
TEXTS = ["one", "two", "three", "two", "four"]


def vector(text):
    return [float(len(text)), float(ord(text[0])), 1.0]


def embeddings(texts, **changes):
    """Give the body of a right answer, in any order."""
    rows = [
        {"object": "embedding", "index": i, "embedding": vector(t)} for i, t in enumerate(texts)
    ]
    return json.dumps({"object": "list", "data": rows[::-1], "model": "m"} | changes)


def right(texts):
    return 200, {}, embeddings(texts)


def failing(status, **headers):
    """Refuse in words that quote the key, as some servers do."""
    body = json.dumps({"error": {"message": f"bad key {KEY}"}})
    return lambda texts: (status, headers, body)


def slow(texts):
    time.sleep(0.6)
    return right(texts)


def text(content):
    return lambda texts: (200, {}, content)


def wrong_data(change):
    return lambda texts: (
        200,
        {},
        embeddings(texts, data=change(json.loads(embeddings(texts))["data"])),
    )


class Server:
    """Answers in turn, the last for ever, and what was asked when."""

    def __init__(self):
        self.answers, self.asked, self.keys, self.times = [right], [], [], []

    def answer(self, texts, key):
        self.asked.append(texts)
        self.keys.append(key)
        self.times.append(time.monotonic())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(texts)


@pytest.fixture
def server():
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.path, state.body = self.path, body
            status, headers, content = state.answer(body["input"], self.headers["Authorization"])
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                for name, value in ({"Content-Type": "application/json"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content.encode())))
                self.end_headers()
                self.wfile.write(content.encode())

        def log_message(self, *arguments):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    state.endpoint = Endpoint(f"http://127.0.0.1:{http.server_port}/v1", "tiny", KEY)
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def embed(server, texts=TEXTS, **options):
    return embed_by_endpoint(texts, endpoint=server.endpoint, pause_sec=0.01, **options)


def test_vectors_come_in_the_order_of_the_sentences_each_asked_for_once(server):
    found = embed(server, batch_size=3)
    assert found.dtype == np.float32
    assert found.tolist() == [vector(text) for text in TEXTS]
    assert server.asked == [["one", "two", "three"], ["four"]]
    assert server.path == "/v1/embeddings"
    assert server.body["model"] == "tiny"
    assert set(server.keys) == {f"Bearer {KEY}"}


def test_a_second_run_asks_for_nothing_and_gives_the_same(server, tmp_path):
    cache = tmp_path / "deep" / "vectors.sqlite"
    first = embed(server, cache=cache)
    n_asked = len(server.asked)
    assert np.array_equal(embed(server, cache=cache), first)
    assert np.array_equal(embed(server, TEXTS[::-1], cache=str(cache)), first[::-1])
    assert len(server.asked) == n_asked
    embed(server, [*TEXTS, "five"], cache=cache)
    assert server.asked[n_asked:] == [["five"]]


def test_another_model_has_its_own_vectors(server, tmp_path):
    embed(server, cache=tmp_path / "v")
    other = Endpoint(server.endpoint.url, "another", KEY)
    embed_by_endpoint(TEXTS, endpoint=other, cache=tmp_path / "v")
    assert len(server.asked) == 2


def test_what_was_received_before_a_failure_is_kept(server, tmp_path):
    server.answers = [right, failing(500)]
    with pytest.raises(EndpointError, match="status 500"):
        embed(server, batch_size=2, cache=tmp_path / "v", max_tries=2)
    server.answers, n_asked = [right], len(server.asked)
    embed(server, batch_size=2, cache=tmp_path / "v")
    assert server.asked[n_asked:] == [["three", "four"]]


FAILURES = {
    "slow": slow,
    "many requests": failing(429),
    "error": failing(500),
    "overloaded": failing(503),
    "no JSON": text("<html>sorry</html>"),
    "half of JSON": text('{"data": [{"index": 0, "embe'),
    "a list": text("[1, 2]"),
    "too few": wrong_data(lambda rows: rows[1:]),
    "too many": wrong_data(lambda rows: [*rows, rows[0] | {"index": len(rows)}]),
    "none": wrong_data(lambda rows: []),
    "one twice": wrong_data(lambda rows: [rows[0], *rows[:-1]]),
    "ragged": wrong_data(lambda rows: [*rows[:-1], rows[-1] | {"embedding": [1.0]}]),
    "words": wrong_data(lambda rows: [row | {"embedding": ["a"]} for row in rows]),
    "empty": wrong_data(lambda rows: [row | {"embedding": []} for row in rows]),
    "infinite": wrong_data(lambda rows: [row | {"embedding": [float("inf")]} for row in rows]),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_failure_that_passes_is_lived_through(server, failure):
    server.answers = [failure, failure, right]
    assert embed(server, timeout_sec=0.3).tolist() == [vector(text) for text in TEXTS]
    assert len(server.asked) == 3


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_failure_that_stays_is_told_without_the_key(server, failure, tmp_path):
    server.answers = [failure]
    with pytest.raises(EndpointError, match="no usable answer in 2 tries") as caught:
        embed(server, timeout_sec=0.3, max_tries=2, cache=tmp_path / "v")
    assert server.endpoint.url in str(caught.value)
    assert KEY not in repr(caught.getrepr(showlocals=False, chain=True))
    # Nor does the error drag the request along, whose headers hold the key.
    assert caught.value.__context__ is None
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_is_not_tried_again(server, status):
    server.answers = [failing(status)]
    with pytest.raises(EndpointError, match=f"status {status}") as caught:
        embed(server)
    assert KEY not in str(caught.value)
    assert len(server.asked) == 1


def test_a_server_that_asks_to_wait_is_waited_for(server):
    server.answers = [failing(429, **{"Retry-After": "1"}), right]
    embed(server)
    assert server.times[1] - server.times[0] >= 1


@pytest.mark.parametrize("said", ["soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "nan"])
def test_a_wait_that_is_no_number_is_passed_over(server, said):
    server.answers = [failing(429, **{"Retry-After": said}), right]
    embed(server)
    assert server.times[1] - server.times[0] < 1


def test_pauses_double(server, monkeypatch):
    pauses = []
    monkeypatch.setattr("cohortlab.browsing.endpoint.time.sleep", pauses.append)
    server.answers = [failing(500)]
    with pytest.raises(EndpointError):
        embed_by_endpoint(["a"], endpoint=server.endpoint, max_tries=9, pause_sec=1)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_where_nobody_answers_the_error_says_so():
    nowhere = Endpoint("http://127.0.0.1:9/v1", "m", KEY)
    with pytest.raises(
        EndpointError, match=r"127\.0\.0\.1:9/v1 gave .* no server answers"
    ) as caught:
        embed_by_endpoint(["a"], endpoint=nowhere, max_tries=2, pause_sec=0.01)
    assert KEY not in str(caught.value)


def test_the_key_is_neither_shown_nor_kept(server, tmp_path):
    embed(server, cache=tmp_path / "v")
    assert KEY not in repr(server.endpoint)
    assert KEY.encode() not in (tmp_path / "v").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["v"]


def test_a_file_of_another_kind_is_no_cache(server, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, and long enough to be read as one" * 99)
    with pytest.raises(ValueError, match="is no cache of vectors"):
        embed(server, cache=tmp_path / "notes.txt")


def test_a_model_that_changed_under_its_name_is_noticed(server, tmp_path):
    embed(server, ["one"], cache=tmp_path / "v")
    longer = wrong_data(lambda rows: [row | {"embedding": [1.0, 2.0]} for row in rows])
    server.answers = [longer]
    with pytest.raises(EndpointError, match="different lengths"):
        embed(server, ["one", "two"], cache=tmp_path / "v")


def test_e5_behind_an_endpoint_gets_its_prefix(server):
    e5 = Endpoint(server.endpoint.url, "intfloat/e5-small", KEY)
    embed_by_endpoint(["a"], endpoint=e5)
    embed_by_endpoint(["a"], endpoint=e5, prefix="passage: ")
    assert server.asked == [["query: a"], ["passage: a"]]


def test_the_environment_says_where_to_ask(server, monkeypatch, told):
    monkeypatch.setenv("COHORTLAB_EMBEDDING_URL", server.endpoint.url)
    monkeypatch.setenv("COHORTLAB_EMBEDDING_MODEL", "tiny")
    monkeypatch.setenv("COHORTLAB_EMBEDDING_KEY", KEY)
    assert endpoint_from_environment() == server.endpoint
    assert represent(told, method="endpoint").shape == (3, 3)
    monkeypatch.delenv("COHORTLAB_EMBEDDING_KEY")
    assert endpoint_from_environment().key == ""
    represent(told, method="endpoint")
    assert KEY not in server.keys[-1]


@pytest.mark.parametrize("unset", ["MY_URL", "MY_MODEL"])
def test_a_variable_that_is_not_set_is_named(monkeypatch, unset):
    monkeypatch.setenv("MY_URL", "http://localhost/v1")
    monkeypatch.setenv("MY_MODEL", "m")
    monkeypatch.delenv(unset)
    with pytest.raises(EndpointError, match=f"variable {unset} is not set: export {unset}="):
        endpoint_from_environment(url="MY_URL", model="MY_MODEL")


@pytest.mark.parametrize(
    "url",
    [
        "sk-a-key-in-the-wrong-place",
        "ftp://host/v1",
        "http://",
        "http://host:port/v1",
        "https://user:secret@host/v1",
        "https://host/v1?key=secret",
    ],
)
def test_a_url_that_is_none_or_holds_secrets_is_refused_unseen(url):
    with pytest.raises(EndpointError, match="expected a URL such as") as caught:
        Endpoint(url, "m")
    assert "sk-a-key" not in str(caught.value)
    assert "secret" not in str(caught.value)
