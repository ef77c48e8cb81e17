"""Models behind OpenAI-compatible endpoints: where they answer, and how they are asked again."""

import os
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from openai import OpenAI

Read = TypeVar("Read")
# What a server answers may quote the key, so it is never passed on: only the status, in our words.
_STATUS = {
    400: "refuses the request",
    401: "refuses the key, or asks for one",
    403: "forbids this to the key",
    404: "knows no such address or model; the URL usually ends in /v1",
    408: "took too long",
    413: "finds the request too long",
    422: "refuses the request",
    429: "has had too many requests, or the account is used up; try later",
}
_TRY_AGAIN = {408, 409, 429}
_LONGEST_WAIT_SEC = 60.0
_EXAMPLE = "http://localhost:8000/v1"


class EndpointError(RuntimeError):
    """An endpoint without a usable answer; never quotes key, address or the server's words."""


class UnusableAnswerError(ValueError):
    """An answer that cannot be read; its text completes "the answer ...", in our own words."""


@dataclass(frozen=True)
class Endpoint:
    """
    Where a model answers.

    Attributes
    ----------
    url : str
        Base of the interface, as ``http://localhost:8000/v1``; not shown.
    model : str
        Name of the model there.
    key : str
        Not shown; empty where the server wants none.

    Raises
    ------
    EndpointError
        If the URL is none, or holds a user, password or query, or the key holds what no header
        can. Neither is repeated.
    """

    url: str = field(repr=False)
    model: str
    key: str = field(repr=False, default="")

    def __post_init__(self) -> None:
        if not _is_plain(self.url):
            raise EndpointError(
                f"expected a URL such as {_EXAMPLE}, without user, password and query, since URLs "
                "are logged; a key belongs into a variable of its own"
            )
        if not re.fullmatch(r"[!-~]*", self.key):
            raise EndpointError("the key holds blanks or letters that no key has; copy it again")


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        at_host = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False
    return bool(at_host and not (parts.username or parts.password or parts.query))


def endpoint_from_environment(*, url: str, model: str, key: str) -> Endpoint:
    """
    Read from environment variables where a model answers.

    Parameters
    ----------
    url, model, key : str
        Names of the variables, not what they hold. That of the key may be unset, for servers that
        want none.

    Returns
    -------
    Endpoint
        What they hold.

    Raises
    ------
    EndpointError
        If something is no name of a variable, address or model is not set, or what they hold is
        impossible. What was given is not repeated.
    """
    address = _read(url, f"the address of a model, such as {_EXAMPLE}")
    name = _read(model, "the name of a model")
    secret = _read(key, "")
    try:
        return Endpoint(address, name, secret)
    except EndpointError as error:
        said = str(error)
    # Raised here, so that no error hangs on it with the values in its frames.
    raise EndpointError(f"in {url} or {key}: {said}")


def _read(variable: str, meaning: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", variable):
        raise EndpointError(
            "expected the name of an environment variable, got something else; keys and addresses "
            "belong into the environment"
        )
    found = os.environ.get(variable, "").strip()
    if meaning and not found:
        raise EndpointError(f"the environment variable {variable} should hold {meaning}")
    return found


@dataclass(frozen=True)
class Patience:
    """
    How long and how often a server is asked.

    Attributes
    ----------
    timeout_sec : float
        Longest wait for one answer, seconds.
    max_tries : int
        Requests before giving up, from 1.
    pause_sec : float
        Wait after the first failure, seconds; it doubles each time, up to a minute. A server that
        says how long to wait gets that at least, up to a minute.
    """

    timeout_sec: float
    max_tries: int
    pause_sec: float


class Client(AbstractContextManager):
    """
    Ask an endpoint, again where that may help.

    Parameters
    ----------
    endpoint : Endpoint
        Where to ask.
    patience : Patience
        How long and how often.
    hints : mapping of int to str, optional
        By status what may help, told after what the status means.

    Notes
    -----
    Tried again are requests without an answer in time, lost connections, statuses 408, 409, 429
    and from 500, and answers that cannot be read.
    """

    def __init__(
        self, endpoint: Endpoint, patience: Patience, *, hints: Mapping[int, str] | None = None
    ):
        # Imported where it is used: it takes seconds, and who replays stored answers asks nobody.
        import openai

        self._endpoint, self._patience, self._hints = endpoint, patience, dict(hints or {})
        self._errors = openai
        self._client = openai.OpenAI(
            base_url=endpoint.url,
            api_key=endpoint.key or "none",  # the client wants one
            max_retries=0,
            timeout=patience.timeout_sec,
        )

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def ask(self, send: Callable[["OpenAI"], Any], read: Callable[[str], Read]) -> Read:
        """
        Ask until there is an answer that can be read.

        Parameters
        ----------
        send : callable
            Makes the request, by a method of the client's ``with_raw_response``.
        read : callable
            Reads the body of the answer, or raises `UnusableAnswerError`.

        Returns
        -------
        object
            What `read` gives.

        Raises
        ------
        EndpointError
            If the server refuses, or gives no usable answer in all tries.
        """
        reason, n = "", self._patience.max_tries
        for attempt in range(n):
            found, reason, wait_sec = self._try(send, read)
            if not reason:
                return found
            if wait_sec is None:
                raise EndpointError(f"the model {self._endpoint.model!r}: {reason}")
            if attempt + 1 < n:
                pause = self._patience.pause_sec * 2**attempt
                time.sleep(min(max(wait_sec, pause), _LONGEST_WAIT_SEC))
        raise EndpointError(
            f"the model {self._endpoint.model!r} gave no usable answer in {n} tries; at last "
            f"{reason}"
        )

    def _try(self, send: Callable, read: Callable) -> tuple[Any, str, float | None]:
        """
        Ask once: the answer, or why there is none and how long to wait (None: do not ask again).

        Nothing is raised here, so that no error carries the request, which holds the key.
        """
        try:
            return read(send(self._client).text), "", None
        except self._errors.APIStatusError as error:
            status = error.status_code
            again = status in _TRY_AGAIN or status >= 500
            return None, self._meaning(status), _retry_after(error.response.headers, again)
        except self._errors.APITimeoutError:
            return None, "it took too long; raise timeout_sec, or ask for less", 0.0
        except self._errors.APIConnectionError:
            return None, "nobody answers at the address", 0.0
        except UnusableAnswerError as error:
            return None, f"the answer {error}", 0.0
        except (self._errors.OpenAIError, ValueError) as error:
            return None, f"the request failed ({type(error).__name__})", None

    def _meaning(self, status: int) -> str:
        usual = "failed" if status >= 500 else "refuses the request"
        hint = f"; {self._hints[status]}" if status in self._hints else ""
        return f"the server {_STATUS.get(status, usual)}{hint} (status {status})"


def _retry_after(headers: Mapping[str, str], again: bool) -> float | None:
    """Read how many seconds the server asks to wait; 0 where it says nothing of use."""
    if not again:
        return None
    for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if seconds > 0 else 0.0
    return 0.0
