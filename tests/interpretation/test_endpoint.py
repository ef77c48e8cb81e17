import logging
import time
import traceback

import pytest
from interpretation.serving import KEY, answer, failure, slow

from cohortlab.interpretation import Chat, Endpoint, ModelError, endpoint_from_environment

REQUEST = {"messages": [{"role": "user", "content": "Hello"}], "temperature": 0}
NAMES = {
    "COHORTLAB_LLM_URL": "https://example.org/v1",
    "COHORTLAB_LLM_MODEL": "tiny-1",
    "COHORTLAB_LLM_KEY": KEY,
}


@pytest.fixture
def environment(monkeypatch):
    for name, value in NAMES.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def failed(call, *arguments, **options):
    """Call what fails; all that the error and what hangs on it say."""
    with pytest.raises(ModelError) as caught:
        call(*arguments, **options)
    assert caught.value.__cause__ is caught.value.__context__ is None
    return "".join(traceback.format_exception(caught.value))


def test_address_model_and_key_come_from_the_environment(environment):
    assert endpoint_from_environment() == Endpoint("tiny-1", "https://example.org/v1", KEY)
    environment.setenv("MY_KEY", "another")
    assert endpoint_from_environment(key_variable="MY_KEY").key == "another"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_not_set_is_named(environment, name, value):
    environment.delenv(name)
    if value is not None:
        environment.setenv(name, value)
    assert name in failed(endpoint_from_environment)


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
    environment.setenv("COHORTLAB_LLM_URL", url)
    said = failed(endpoint_from_environment)
    assert "COHORTLAB_LLM_URL" in said
    assert KEY not in said


def test_a_key_in_the_place_of_a_name_is_not_repeated(environment):
    assert KEY not in failed(endpoint_from_environment, key_variable=KEY)


@pytest.mark.parametrize("ending", [" and more", "\nX-Other: 1", "ä"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(environment, ending):
    environment.setenv("COHORTLAB_LLM_KEY", KEY + ending)
    said = failed(endpoint_from_environment)
    assert "COHORTLAB_LLM_KEY" in said
    assert KEY not in said


def test_an_endpoint_shows_neither_key_nor_address():
    shown = repr(Endpoint("tiny-1", "https://example.org/v1", KEY))
    assert shown == "Endpoint(model='tiny-1')"


def test_a_request_goes_to_the_model_with_the_key(server):
    assert server.will(answer(" Good day \n")).chat()(REQUEST) == "Good day"
    assert server.requests == [REQUEST | {"model": "tiny-1"}]
    assert server.keys == [f"Bearer {KEY}"]


@pytest.mark.parametrize(
    "faults",
    [
        [failure(429)],
        [failure(500)],
        [failure(503), failure(429)],
        [(200, {}, "<html>busy</html>")],
        [(200, {"Content-Type": "text/html"}, "busy"), answer(None)],
        [(200, {}, "[]"), (200, {}, '{"choices": []}')],
    ],
    ids=["429", "500", "503 and 429", "no JSON", "a page, no text", "no choices"],
)
def test_what_passes_is_tried_again(server, faults):
    assert server.will(*faults, answer("At last")).chat()(REQUEST) == "At last"
    assert len(server.requests) == len(faults) + 1


def test_the_server_says_how_long_to_wait(server):
    patient = failure(429, **{"retry-after-ms": "600"})
    began = time.monotonic()
    server.will(patient, answer("At last")).chat()(REQUEST)
    assert time.monotonic() - began >= 0.6


def test_who_is_slow_is_waited_for_and_asked_again(server):
    assert server.will(slow(1.5), answer("Now")).chat(timeout_sec=0.3)(REQUEST) == "Now"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "n_requests", "said"),
    [
        (failure(401), 1, "refuses the key"),
        (failure(404), 1, "no such address or model"),
        (failure(400, "temperature"), 1, "see options"),
        (failure(418), 1, "refuses the request .status 418"),
        (failure(429), 3, "too many requests"),
        (failure(500), 3, "failed .status 500"),
        ((200, {}, f'{{"error": "{KEY}"}}'), 3, "3 times, each without a text"),
        (slow(0.6), 3, "took too long"),
    ],
    ids=["401", "404", "400", "418", "429", "500", "no text", "slow"],
)
def test_what_does_not_pass_is_told_without_the_key(server, caplog, reply, n_requests, said):
    caplog.set_level(logging.DEBUG)
    chat = server.will(reply).chat(timeout_sec=0.2 if callable(reply) else 5)
    words = failed(chat, REQUEST)
    assert len(server.requests) == n_requests
    with pytest.raises(ModelError, match=said):
        chat(REQUEST)
    assert KEY not in words + caplog.text
    assert server.url not in words


def test_nobody_at_the_address_is_told(server):
    chat = Chat(Endpoint("tiny-1", "http://127.0.0.1:9/v1", KEY), max_retries=0)
    assert "nobody answers" in failed(chat, REQUEST)


def test_a_key_in_an_answer_is_struck_out(server, caplog):
    caplog.set_level(logging.DEBUG)
    assert server.will(answer(f"Your key is {KEY}.")).chat()(REQUEST) == "Your key is ***."
    assert KEY not in caplog.text


def test_a_word_in_place_of_a_key_is_left_in_answers(server):
    chat = Chat(Endpoint("tiny-1", server.url, "none"))
    server.will(answer("There is none."))
    assert chat(REQUEST) == "There is none."
