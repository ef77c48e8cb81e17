"""A language model behind an OpenAI-compatible address, asked for texts."""

import json
from collections.abc import Mapping

from cohortlab.endpoints import (
    Client,
    Endpoint,
    Patience,
    UnusableAnswerError,
    endpoint_from_environment,
)

URL_VARIABLE = "COHORTLAB_LLM_URL"
MODEL_VARIABLE = "COHORTLAB_LLM_MODEL"
KEY_VARIABLE = "COHORTLAB_LLM_KEY"
_SHORTEST_SECRET = 12
_OPTIONS = "some models take no `temperature` or `response_format`: see options"
_HINTS = {400: _OPTIONS, 413: "lower the budget", 422: _OPTIONS}


class ModelError(RuntimeError):
    """A model that does not answer as it should, or whose stored answer is missing."""


class Chat:
    """
    Ask a model.

    Parameters
    ----------
    endpoint : Endpoint
        From `cohortlab.endpoints.endpoint_from_environment`.
    timeout_sec, max_tries, pause_sec
        As of `cohortlab.endpoints.Patience`; 120 seconds, 5 tries and half a second by default. An
        answer without text is tried again too.

    Attributes
    ----------
    model : str
        Name of the model.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout_sec: float = 120,
        max_tries: int = 5,
        pause_sec: float = 0.5,
    ):
        self.model = endpoint.model
        # Servers that ask for no key are given any word, which may well occur in an answer.
        self._secret = endpoint.key if len(endpoint.key) >= _SHORTEST_SECRET else ""
        patience = Patience(timeout_sec, max_tries, pause_sec)
        self._client = Client(endpoint, patience, hints=_HINTS)

    def __call__(self, request: Mapping) -> str:
        """
        Ask once.

        Parameters
        ----------
        request : mapping
            `messages`, and further fields of a chat completion but `model`.

        Returns
        -------
        str
            What the model says; not empty. The key, should it occur there, is struck out.

        Raises
        ------
        EndpointError
            If there is no answer; says why, but neither the address nor the server's own words.
        """
        text = self._client.ask(
            lambda client: client.chat.completions.with_raw_response.create(
                model=self.model, **request
            ),
            _text_of,
        )
        return text.replace(self._secret, "***") if self._secret else text


def _text_of(body: str) -> str:
    try:
        text = json.loads(body)["choices"][0]["message"]["content"].strip()
    except (ValueError, LookupError, TypeError, AttributeError):
        text = ""
    if not text:
        raise UnusableAnswerError("was without a text")
    return text


def connect(
    *, url: str = URL_VARIABLE, model: str = MODEL_VARIABLE, key: str = KEY_VARIABLE
) -> Chat:
    """
    Prepare to ask the model that the environment names.

    Parameters
    ----------
    url, model, key : str
        Names of the environment variables; that of the key may be unset.

    Returns
    -------
    Chat
        With the default waits.

    Raises
    ------
    EndpointError
        If a variable is not as it must be.
    """
    return Chat(endpoint_from_environment(url=url, model=model, key=key))
