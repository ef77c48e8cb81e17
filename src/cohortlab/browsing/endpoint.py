"""Sentences as vectors of a model behind an OpenAI-compatible endpoint, each asked for once."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cohortlab.browsing.sentence_models import prefix_of
from cohortlab.browsing.vector_cache import content_hash, read_vectors, write_vectors
from cohortlab.endpoints import (
    Client,
    Endpoint,
    EndpointError,
    Patience,
    UnusableAnswerError,
    endpoint_from_environment,
)

VARIABLES = {
    "url": "COHORTLAB_EMBEDDING_URL",
    "model": "COHORTLAB_EMBEDDING_MODEL",
    "key": "COHORTLAB_EMBEDDING_KEY",
}
#: Where vectors are kept unless another file is named; the same for all studies of a user.
CACHE = "~/.cache/cohortlab/vectors.sqlite"
_HINTS = {400: "try a smaller batch_size or shorter sentences"}


def embed_by_endpoint(
    sentences: Sequence[str],
    *,
    endpoint: Endpoint | None = None,
    cache: Path | str | None = CACHE,
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
        Where to ask; where None, what the environment variables `VARIABLES` hold.
    cache : Path or str or None, default `CACHE`
        A file that keeps every vector under the hash of model and text, so that a second run asks
        for nothing. What was received before a failure is kept too. None: nothing is kept.
    prefix : str, optional
        Put before each sentence; that of `prefix_of` where None.
    batch_size : int, default 128
        Sentences a request.
    max_tries, pause_sec, timeout_sec
        As of `cohortlab.endpoints.Patience`, for each batch.

    Returns
    -------
    numpy.ndarray of float32, shape (n_sentences, n_dimensions)
        Vectors as the server gives them.

    Raises
    ------
    EndpointError
        If the server refuses, or gives no usable answer in `max_tries`.
    ValueError
        If `cache` is a file of another kind, or cannot be written; nobody is asked then.

    Notes
    -----
    What is tried again says `cohortlab.endpoints.Client`. An answer cannot be read if it is no
    JSON, or holds another number of vectors than was asked for, vectors of different lengths, or
    what is no finite number.
    """
    endpoint = endpoint or endpoint_from_environment(**VARIABLES)
    prefix = prefix_of(endpoint.model) if prefix is None else prefix
    texts = [prefix + text for text in sentences]
    names = [content_hash(endpoint.model, text) for text in texts]
    path = Path(cache).expanduser() if cache else None
    known = read_vectors(path, sorted(set(names))) if path else {}
    missing = [(n, t) for n, t in dict(zip(names, texts, strict=True)).items() if n not in known]
    if missing:
        if path:
            write_vectors(path, {})  # what cannot be kept is not asked for
        parts = [
            missing[start : start + batch_size] for start in range(0, len(missing), batch_size)
        ]
        patience = Patience(timeout_sec, max_tries, pause_sec)
        with Client(endpoint, patience, hints=_HINTS) as client:
            for part in parts:
                vectors = _ask(client, endpoint.model, [text for _, text in part])
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


def _ask(client: Client, model: str, texts: list[str]) -> np.ndarray:
    return client.ask(
        lambda openai: openai.embeddings.with_raw_response.create(
            model=model, input=texts, encoding_format="float"
        ),
        lambda body: _vectors(body, len(texts)),
    )


def _vectors(text: str, n_texts: int) -> np.ndarray:
    try:
        rows = sorted(json.loads(text)["data"], key=lambda row: row["index"])
        places = [row["index"] for row in rows]
        vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
    except (ValueError, TypeError, KeyError):
        raise UnusableAnswerError("was no list of vectors in JSON") from None
    if places != list(range(n_texts)):
        raise UnusableAnswerError(f"held {len(places)} vectors for {n_texts} sentences")
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise UnusableAnswerError("held vectors without numbers or with infinite ones")
    return vectors
