"""Sentences as vectors of a model behind an OpenAI-compatible endpoint, each asked for once."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from cohortlab.browsing.sentence_models import prefix_of
from cohortlab.browsing.vector_cache import content_hash, read_vectors, write_vectors

if TYPE_CHECKING:
    from openai import OpenAI

URL_VARIABLE = "COHORTLAB_EMBEDDING_URL"
MODEL_VARIABLE = "COHORTLAB_EMBEDDING_MODEL"
KEY_VARIABLE = "COHORTLAB_EMBEDDING_KEY"
# What a server answers may quote the key, so it is never passed on: only the status, in our words.
_STATUS = {
    400: "it does not take such a request; try a smaller batch_size or shorter sentences",
    401: "it refuses the key, or asks for one",
    403: "the key gives no right to this model",
    404: "it has no such model or no such path; the URL usually ends in /v1",
    429: "it asks for fewer requests",
}
_TRY_AGAIN = {408, 409, 429}
_LONGEST_WAIT_SEC = 60


class EndpointError(RuntimeError):
    """An endpoint that gives no usable answer; never quotes the key or the server's words."""


@dataclass(frozen=True)
class Endpoint:
    """
    Where a model answers.

    Attributes
    ----------
    url : str
        Base of the interface, as ``http://localhost:8000/v1``.
    model : str
        Name of the model there.
    key : str
        Shown nowhere; empty where the server wants none.

    Raises
    ------
    EndpointError
        If the URL is none, or holds a user, password or query; it is not repeated.
    """

    url: str
    model: str
    key: str = field(repr=False, default="")

    def __post_init__(self) -> None:
        if not _is_plain(self.url):
            raise EndpointError(
                "expected a URL such as http://localhost:8000/v1, without user, password and "
                "query, since URLs are shown; a key belongs into a variable of its own"
            )


def _is_plain(url: str) -> bool:
    try:
        parts = urlsplit(url)
        at_host = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        return False
    return bool(at_host and not (parts.username or parts.password or parts.query))


def endpoint_from_environment(
    *, url: str = URL_VARIABLE, model: str = MODEL_VARIABLE, key: str = KEY_VARIABLE
) -> Endpoint:
    """
    Read where a model answers from environment variables.

    Parameters
    ----------
    url, model, key : str
        Names of the variables. That of the key may be unset, for servers that want none.

    Returns
    -------
    Endpoint
        What they hold.

    Raises
    ------
    EndpointError
        If URL or model is not set, or the URL is not a plain one; it is not repeated.
    """
    for name, example in ((url, "http://localhost:8000/v1"), (model, "text-embedding-3-small")):
        if not os.environ.get(name):
            raise EndpointError(
                f"the environment variable {name} is not set: export {name}={example}"
            )
    return Endpoint(os.environ[url], os.environ[model], os.environ.get(key, ""))


def embed_by_endpoint(
    sentences: Sequence[str],
    *,
    endpoint: Endpoint | None = None,
    cache: Path | str | None = None,
    prefix: str | None = None,
    batch_size: int = 128,
    max_tries: int = 6,
    pause_sec: float = 1.0,
    timeout_sec: float = 60.0,
) -> np.ndarray:
    """
    Embed sentences by an OpenAI-compatible endpoint.

    Parameters
    ----------
    sentences : sequence of str, shape (n_sentences,)
        Texts; each different one is sent once.
    endpoint : Endpoint, optional
        Where to ask; what `endpoint_from_environment` reads where None.
    cache : Path or str, optional
        A file that keeps every vector under the hash of model and text, so that a second run asks
        for nothing. What was received before a failure is kept too. None: nothing is kept.
    prefix : str, optional
        Put before each sentence; that of `prefix_of` where None.
    batch_size : int, default 128
        Sentences a request.
    max_tries : int, default 6
        Requests for one batch before giving up.
    pause_sec : float, default 1
        Wait after the first failure, seconds; it doubles each time, up to a minute. A server that
        says how long to wait (Retry-After) gets that at least, up to a minute.
    timeout_sec : float, default 60
        How long to wait for one answer, seconds.

    Returns
    -------
    numpy.ndarray of float32, shape (n_sentences, n_dimensions)
        Vectors as the server gives them.

    Raises
    ------
    EndpointError
        If the server refuses, or gives no usable answer in `max_tries`.
    ValueError
        If `cache` is a file of another kind.

    Notes
    -----
    Tried again are requests without an answer in time, statuses 408, 409, 429 and from 500, and
    answers that are no JSON, hold another number of vectors than was asked for, vectors of
    different lengths, or what is no finite number.
    """
    endpoint = endpoint or endpoint_from_environment()
    prefix = prefix_of(endpoint.model) if prefix is None else prefix
    texts = [prefix + text for text in sentences]
    names = [content_hash(endpoint.model, text) for text in texts]
    path = Path(cache) if cache else None
    known = read_vectors(path, sorted(set(names))) if path else {}
    missing = [(n, t) for n, t in dict(zip(names, texts, strict=True)).items() if n not in known]
    if missing:
        parts = [
            missing[start : start + batch_size] for start in range(0, len(missing), batch_size)
        ]
        with _client(endpoint, timeout_sec) as client:
            for part in parts:
                vectors = _ask(client, endpoint, [text for _, text in part], max_tries, pause_sec)
                received = dict(zip([name for name, _ in part], vectors, strict=True))
                if path:
                    write_vectors(path, received)
                known |= received
    if len({len(vector) for vector in known.values()}) > 1:
        raise EndpointError(
            f"the vectors of {endpoint.model} have different lengths: the model behind the name "
            "has changed; name another cache"
        )
    return np.array([known[name] for name in names], dtype=np.float32)


def _client(endpoint: Endpoint, timeout_sec: float) -> "OpenAI":
    # Imported where it is used: it takes seconds, and a run from the cache asks nobody.
    from openai import OpenAI

    key = endpoint.key or "none"  # the client wants one
    return OpenAI(base_url=endpoint.url, api_key=key, max_retries=0, timeout=timeout_sec)


def _ask(
    client: "OpenAI", endpoint: Endpoint, texts: list[str], max_tries: int, pause_sec: float
) -> np.ndarray:
    for attempt in range(max_tries):
        vectors, reason, wait_sec = _try(client, endpoint.model, texts)
        if vectors is not None:
            return vectors
        if wait_sec is None:
            raise EndpointError(f"{endpoint.url}: {reason}")
        if attempt + 1 < max_tries:
            time.sleep(min(max(wait_sec, pause_sec * 2**attempt), _LONGEST_WAIT_SEC))
    raise EndpointError(
        f"{endpoint.url} gave no usable answer in {max_tries} tries; at last {reason}"
    )


def _try(
    client: "OpenAI", model: str, texts: list[str]
) -> tuple[np.ndarray | None, str, float | None]:
    """
    Ask once: the vectors, or why there are none and how long to wait (None: do not ask again).

    Nothing is raised here, so that no error carries the request, which holds the key.
    """
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    try:
        answer = client.embeddings.with_raw_response.create(
            model=model, input=texts, encoding_format="float"
        )
        return _vectors(answer.text, len(texts)), "", None
    except APIStatusError as error:
        status = error.status_code
        reason = f"status {status}: {_STATUS.get(status, 'the server fails')}"
        again = status in _TRY_AGAIN or status >= 500
        return None, reason, _retry_after(error.response.headers) if again else None
    except APITimeoutError:
        return None, "it did not answer in time", 0.0
    except APIConnectionError:
        return None, "no server answers there", 0.0
    except _UnusableError as error:
        return None, str(error), 0.0


class _UnusableError(ValueError):
    """An answer that holds no vectors for the texts."""


def _vectors(text: str, n_texts: int) -> np.ndarray:
    try:
        rows = sorted(json.loads(text)["data"], key=lambda row: row["index"])
        places = [row["index"] for row in rows]
        vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
    except (ValueError, TypeError, KeyError):
        raise _UnusableError("the answer was no list of vectors in JSON") from None
    if places != list(range(n_texts)):
        raise _UnusableError(f"the answer held {len(places)} vectors for {n_texts} sentences")
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise _UnusableError("the answer held vectors without numbers or with infinite ones")
    return vectors


def _retry_after(headers: Mapping[str, str]) -> float:
    """Read how many seconds the server asks to wait; 0 where it says nothing of use."""
    try:
        seconds = float(headers.get("retry-after", 0))
    except ValueError:
        return 0.0
    return seconds if seconds > 0 else 0.0
