import logging

import pytest
from serving import KEY, answer, failure

from cohortlab.endpoints import Endpoint, EndpointError
from cohortlab.interpretation import Chat, connect

REQUEST = {"messages": [{"role": "user", "content": "Hello"}], "temperature": 0}


def test_a_request_goes_to_the_model(server):
    assert server.will(answer(" Good day \n")).chat()(REQUEST) == "Good day"
    assert server.requests == [REQUEST | {"model": "tiny-1"}]
    assert server.path == "/v1/chat/completions"


@pytest.mark.parametrize(
    "body",
    ["<html>busy</html>", "[]", '{"choices": []}', answer(None)[2], answer(" ")[2], answer(7)[2]],
    ids=["no JSON", "a list", "no choices", "no text", "blank", "a number"],
)
def test_an_answer_without_text_is_asked_for_again(server, body):
    assert server.will((200, {}, body), answer("At last")).chat()(REQUEST) == "At last"
    with pytest.raises(EndpointError, match="in 3 tries; at last the answer was without a text"):
        server.will((200, {}, body)).chat()(REQUEST)


def test_a_model_that_takes_no_temperature_says_where_to_look(server):
    with pytest.raises(EndpointError, match="see options"):
        server.will(failure(400)).chat()(REQUEST)


def test_a_key_in_an_answer_is_struck_out(server, caplog):
    caplog.set_level(logging.DEBUG)
    assert server.will(answer(f"Your key is {KEY}.")).chat()(REQUEST) == "Your key is ***."
    assert KEY not in caplog.text


def test_a_word_in_place_of_a_key_is_left_in_answers(server):
    chat = Chat(Endpoint(server.url, "tiny-1", "none"))
    server.will(answer("There is none."))
    assert chat(REQUEST) == "There is none."


def test_the_environment_says_whom_to_ask(server, monkeypatch):
    monkeypatch.setenv("COHORTLAB_LLM_URL", server.url)
    monkeypatch.setenv("MY_MODEL", "tiny-2")
    monkeypatch.delenv("COHORTLAB_LLM_KEY", raising=False)
    server.will(answer("Yes"))
    assert connect(model="MY_MODEL")(REQUEST) == "Yes"
    assert server.requests[0]["model"] == "tiny-2"
