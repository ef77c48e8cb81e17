import logging
import time
import traceback

import pytest
from serving import KEY, answer, failure, slow

from cohortlab.endpoints import (
    Client,
    Endpoint,
    EndpointError,
    Patience,
    UnusableAnswerError,
    endpoint_from_environment,
)

VARIABLES = {"url": "MY_URL", "model": "MY_MODEL", "key": "MY_KEY"}
MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.setenv("MY_URL", "https://example.org/v1")
    monkeypatch.setenv("MY_MODEL", "tiny-1")
    monkeypatch.setenv("MY_KEY", KEY)
    return monkeypatch


def failed(call, *arguments, **options):
    """Call what fails; all that the error and what hangs on it say."""
    with pytest.raises(EndpointError) as caught:
        call(*arguments, **options)
    # Nor does the error drag the request along, whose headers hold the key.
    assert caught.value.__cause__ is caught.value.__context__ is None
    return "".join(traceback.format_exception(caught.value))


def read(body):
    if "fine" not in body:
        raise UnusableAnswerError("was not fine")
    return "fine"


def ask(client):
    with client:
        return client.ask(
            lambda openai: openai.chat.completions.with_raw_response.create(
                model="tiny-1", messages=MESSAGES
            ),
            read,
        )


def test_address_model_and_key_come_from_the_environment(environment):
    found = endpoint_from_environment(**VARIABLES)
    assert found == Endpoint("https://example.org/v1", "tiny-1", KEY)
    environment.setenv("ANOTHER", "another")
    assert endpoint_from_environment(**VARIABLES | {"key": "ANOTHER"}).key == "another"


def test_a_server_that_wants_no_key_is_given_none(environment):
    environment.delenv("MY_KEY")
    assert endpoint_from_environment(**VARIABLES).key == ""


@pytest.mark.parametrize("name", ["MY_URL", "MY_MODEL"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_not_set_is_named(environment, name, value):
    environment.delenv(name)
    if value is not None:
        environment.setenv(name, value)
    assert name in failed(endpoint_from_environment, **VARIABLES)


@pytest.mark.parametrize(
    "url",
    [
        KEY,
        f"ftp://{KEY}.org/v1",
        f"https://user:{KEY}@example.org/v1",
        f"https://example.org/v1?key={KEY}",
        f"https://example.org:{KEY}/v1",
        "https://",
    ],
)
def test_an_address_that_holds_something_else_is_refused_and_not_repeated(environment, url):
    assert KEY not in failed(Endpoint, url, "tiny-1")
    environment.setenv("MY_URL", url)
    said = failed(endpoint_from_environment, **VARIABLES)
    assert "MY_URL" in said
    assert KEY not in said


def test_a_key_in_the_place_of_a_name_is_not_repeated(environment):
    assert KEY not in failed(endpoint_from_environment, **VARIABLES | {"key": KEY})


@pytest.mark.parametrize("ending", [" and more", "\nX-Other: 1", "\u00e4"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(environment, ending):
    environment.setenv("MY_KEY", KEY + ending)
    said = failed(endpoint_from_environment, **VARIABLES)
    assert "MY_KEY" in said
    assert KEY not in said


def test_an_endpoint_shows_neither_key_nor_address():
    assert repr(Endpoint("https://example.org/v1", "tiny-1", KEY)) == "Endpoint(model='tiny-1')"


def test_a_request_goes_with_the_key(server):
    server.will(answer("fine"))
    assert ask(server.client()) == "fine"
    assert server.keys == [f"Bearer {KEY}"]
    assert server.requests == [{"messages": MESSAGES, "model": "tiny-1"}]


PASSING = {
    "many requests": failure(429),
    "conflict": failure(409),
    "error": failure(500),
    "overloaded": failure(503),
    "slow": slow(0.6),
    "no JSON": (200, {}, "<html>busy</html>"),
    "a page": (200, {"Content-Type": "text/html"}, "busy"),
    "not to be read": answer("no"),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_passes_is_lived_through(server, fault):
    server.will(fault, fault, answer("fine"))
    assert ask(server.client(timeout_sec=0.3)) == "fine"
    assert len(server.requests) == 3


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_what_stays_is_told_without_key_or_address(server, caplog, fault):
    caplog.set_level(logging.DEBUG)
    said = failed(ask, server.will(fault).client(timeout_sec=0.3, max_tries=2))
    assert "gave no usable answer in 2 tries" in said
    assert len(server.requests) == 2
    assert KEY not in said + caplog.text
    assert server.url not in said


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, "refuses the request; be shorter"),
        (401, "refuses the key"),
        (403, "forbids"),
        (404, "no such address or model"),
        (413, "too long"),
        (418, "refuses the request"),
        (422, "refuses the request"),
    ],
)
def test_a_refusal_is_told_and_not_tried_again(server, status, meaning):
    client = server.will(failure(status)).client(hints={400: "be shorter"})
    said = failed(ask, client)
    assert f"(status {status})" in said
    assert meaning in said
    assert KEY not in said
    assert len(server.requests) == 1


@pytest.mark.parametrize("headers", [{"retry-after-ms": "600"}, {"retry-after": "1"}])
def test_a_server_that_asks_to_wait_is_waited_for(server, headers):
    status, _, body = failure(429)
    ask(server.will((status, headers, body), answer("fine")).client())
    assert server.times[1] - server.times[0] >= 0.6


@pytest.mark.parametrize("said", ["soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "nan"])
def test_a_wait_that_is_no_number_is_passed_over(server, said):
    status, _, body = failure(429)
    began = time.monotonic()
    ask(server.will((status, {"retry-after": said}, body), answer("fine")).client())
    assert time.monotonic() - began < 2


def test_pauses_double_up_to_a_minute(server, monkeypatch):
    pauses = []
    monkeypatch.setattr("cohortlab.endpoints.time.sleep", pauses.append)
    failed(ask, server.will(failure(500)).client(max_tries=9, pause_sec=1))
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_nobody_at_the_address_is_told():
    nowhere = Endpoint("http://127.0.0.1:9/v1", "tiny-1", KEY)
    said = failed(ask, Client(nowhere, Patience(5, 2, 0.01)))
    assert "nobody answers at the address" in said
    assert KEY not in said
