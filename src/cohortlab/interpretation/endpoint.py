"""A language model behind an OpenAI-compatible address, whose key no error or log tells."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

URL_VARIABLE = "COHORTLAB_LLM_URL"
MODEL_VARIABLE = "COHORTLAB_LLM_MODEL"
KEY_VARIABLE = "COHORTLAB_LLM_KEY"
_SHORTEST_SECRET = 12
#: What a server means by its status, in our words: its own might quote the key.
_STATUS = {
    400: "refuses the request; some models take no `temperature` or `response_format`: see options",
    401: f"refuses the key; look at {KEY_VARIABLE} or the variable in its place",
    403: "forbids this to the key",
    404: "knows no such address or model; the URL ends before /chat/completions, such as in /v1",
    408: "took too long",
    413: "finds the request too long; lower the budget",
    422: "refuses the request; some models take no `temperature` or `response_format`: see options",
    429: "has had too many requests, or the account is used up; try later",
}


class ModelError(RuntimeError):
    """A model that cannot be asked or does not answer as it should; never quotes key or URL."""


@dataclass(frozen=True)
class Endpoint:
    """
    Where a model is asked.

    Attributes
    ----------
    model : str
        Name of the model.
    url : str
        Address up to, not including, ``/chat/completions``; not shown.
    key : str
        The key; not shown.
    """

    model: str
    url: str = field(repr=False)
    key: str = field(repr=False)


def endpoint_from_environment(
    *,
    url_variable: str = URL_VARIABLE,
    model_variable: str = MODEL_VARIABLE,
    key_variable: str = KEY_VARIABLE,
) -> Endpoint:
    """
    Read from environment variables where a model is asked.

    Parameters
    ----------
    url_variable, model_variable, key_variable : str
        Names of the variables, not what they hold.

    Returns
    -------
    Endpoint
        Address, model and key.

    Raises
    ------
    ModelError
        If something is no name of a variable, a variable is not set, the address is not one of
        http or https without user, password and query, or the key cannot be sent. What was given
        is not repeated.
    """
    url = _read(url_variable, "the address of a model, such as https://example.org/v1")
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelError(f"{url_variable} holds no address, such as https://example.org/v1")
    if parts.username or parts.password or parts.query:
        raise ModelError(
            f"{url_variable} must hold an address without user, password and query, because "
            f"addresses are logged; the key belongs into {key_variable}"
        )
    model = _read(model_variable, "the name of a model")
    key = _read(key_variable, "the key; any word where none is asked for")
    if not re.fullmatch(r"[!-~]+", key):
        raise ModelError(f"{key_variable} holds blanks or letters that no key has; copy it again")
    return Endpoint(model, url, key)


def _read(variable: str, meaning: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", variable):
        raise ModelError(
            f"expected the name of an environment variable such as {KEY_VARIABLE}, got something "
            "else; keys and addresses belong into the environment"
        )
    if not os.environ.get(variable, "").strip():
        raise ModelError(f"the environment variable {variable} should hold {meaning}; it is unset")
    return os.environ[variable].strip()


def _split(url: str):
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - a port that is no number raises here
    except ValueError:
        return None
    return parts


class Chat:
    """
    Ask a model.

    Parameters
    ----------
    endpoint : Endpoint
        From `endpoint_from_environment`.
    timeout_sec : float, default 120
        Longest wait for one answer, seconds.
    max_retries : int, default 4
        How often to try again after a timeout, a lost connection, status 408, 409, 429 and 500 or
        more, or an answer without text: after half a second, then twice as long each time, or as
        long as the server asks for.

    Attributes
    ----------
    model : str
        Name of the model.
    """

    def __init__(self, endpoint: Endpoint, *, timeout_sec: float = 120, max_retries: int = 4):
        # The client takes a second to import, which nobody who asks no model should wait for.
        import openai

        self.model = endpoint.model
        self._key, self._max_retries = endpoint.key, max_retries
        # Servers that ask for no key are given any word, which may well occur in an answer.
        self._is_secret = len(endpoint.key) >= _SHORTEST_SECRET
        self._failures = (openai.OpenAIError, ValueError)
        self._client = openai.OpenAI(
            base_url=endpoint.url, api_key=endpoint.key, timeout=timeout_sec,
            max_retries=max_retries,
        )  # fmt: skip

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
        ModelError
            If there is no answer; says why, but neither the address nor the server's own words.
        """
        for _ in range(self._max_retries + 1):
            body, failure = self._send(request)
            if failure:
                # Raised here, where no exception of the client hangs on it with what it quotes.
                raise ModelError(f"the model {self.model!r} gives no answer: {failure}")
            text = _text_of(body)
            if text:
                return text.replace(self._key, "***") if self._is_secret else text
        raise ModelError(f"the server answered {self._max_retries + 1} times, each without a text")

    def _send(self, request: Mapping) -> tuple[str, str]:
        """Give the body of an answer, or the reason why there is none."""
        completions = self._client.chat.completions.with_raw_response
        try:
            return completions.create(model=self.model, **request).text, ""
        except self._failures as error:
            return "", _reason(error)


def _text_of(body: str) -> str:
    try:
        text = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        return ""
    return text.strip() if isinstance(text, str) else ""


def _reason(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    if status is not None:
        words = _STATUS.get(status, "failed" if status >= 500 else "refuses the request")
        return f"the server {words} (status {status})"
    if "Timeout" in type(error).__name__:
        return "it took too long; raise timeout_sec, or lower the budget"
    if "Connection" in type(error).__name__:
        return "nobody answers at the address"
    return f"the request failed ({type(error).__name__})"
