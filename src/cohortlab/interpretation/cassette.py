"""Requests to a model and its answers, stored so that they can be replayed without the model."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from cohortlab.interpretation.endpoint import Chat, ModelError, connect

MODES = ("replay", "record", "refresh")


class Cassette:
    """
    Answer requests from a folder, or ask a model and keep what it says.

    Parameters
    ----------
    folder : Path
        One JSON file for each request, named after the SHA-256 of the request's canonical JSON.
        Model and answer stand beside the request; address and key never do.
    mode : {'replay', 'record', 'refresh'}, default 'replay'
        'replay' needs no network and no variable, and asks nobody. 'record' asks for what is
        missing, or was answered by another model than the present one. 'refresh' asks for
        everything, once each.
    connect : callable, optional
        Gives what is asked, as `Chat`; called in the last two modes only.

    Attributes
    ----------
    models : set of str
        Models whose answers were given so far.

    Raises
    ------
    ValueError
        If the mode is unknown.
    ModelError
        If answers could not be kept in the folder; nobody is asked then.
    """

    def __init__(
        self, folder: Path, *, mode: str = "replay", connect: Callable[[], Chat] = connect
    ):
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, but is {mode!r}")
        self.models: set[str] = set()
        self._folder, self._mode = Path(folder), mode
        if mode != "replay":
            _require_writable(self._folder)
        self._chat = None if mode == "replay" else connect()
        self._asked: set[str] = set()

    def __call__(self, request: Mapping) -> str:
        """
        Answer a request.

        Parameters
        ----------
        request : mapping
            As for `Chat`; of what JSON can hold.

        Returns
        -------
        str
            The answer.

        Raises
        ------
        ModelError
            If the answer is missing and nobody is to be asked, or the file was changed by hand.
        EndpointError
            If the model does not answer.
        """
        name = request_hash(request)
        exchange = self._stored(name)
        if exchange is None or self._asks_again(name, exchange):
            if self._chat is None:
                raise ModelError(self._missing(name, request))
            exchange = {"answer": self._chat(request), "model": self._chat.model}
            self._store(name, exchange | {"request": request})
        self._asked.add(name)
        self.models.add(exchange["model"])
        return exchange["answer"]

    def _asks_again(self, name: str, exchange: Mapping) -> bool:
        if self._chat is None or name in self._asked:
            return False
        return self._mode == "refresh" or exchange["model"] != self._chat.model

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _stored(self, name: str) -> dict | None:
        path = self._path(name)
        if not path.exists():
            return None
        try:
            exchange = json.loads(path.read_text(encoding="utf-8"))
            sound = request_hash(exchange["request"]) == name
            sound &= isinstance(exchange["answer"], str) and isinstance(exchange["model"], str)
        except (ValueError, LookupError, TypeError):
            sound = False
        if not sound:
            raise ModelError(f"{path} is not as it was stored; delete it and record it again")
        return exchange

    def _store(self, name: str, exchange: Mapping) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(exchange, indent=1, sort_keys=True)
        # Whole or not at all, should the run be stopped.
        part = self._path(name).with_suffix(f".{os.getpid()}.part")
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(self._path(name))

    def _missing(self, name: str, request: Mapping) -> str:
        last = str(request["messages"][-1]["content"])
        return (
            f"no answer is stored for the request {name} (its last message has {len(last)} "
            f"characters and begins with {last[:60]!r}) in {self._folder}. The data, the prompt or "
            "a setting changed since it was recorded: set the variables of the endpoint and run "
            "once with mode 'record', or 'refresh' to ask for everything again"
        )


def _require_writable(folder: Path) -> None:
    """Demand a folder that is there or can be made, before an answer is paid for."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise ModelError(
            f"answers cannot be kept in {folder}: {there} is no folder, or may not be written to; "
            "name another one (interpret.cassette), or take mode 'replay'"
        )


def request_hash(request: Mapping) -> str:
    """
    Name a request by its content.

    Parameters
    ----------
    request : mapping
        Of what JSON can hold.

    Returns
    -------
    str
        SHA-256 in hexadecimal of the request as JSON with sorted keys and no blanks.

    Examples
    --------
    >>> request_hash({"a": 1, "b": 2}) == request_hash({"b": 2, "a": 1})
    True
    """
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
