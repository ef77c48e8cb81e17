"""Questions to a language model, and answers that are checked before they are believed."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from cohortlab.interpretation.endpoint import ModelError

#: Takes a request, gives the answer's text: `Chat` or `Cassette`.
Ask = Callable[[Mapping], str]
Parsed = TypeVar("Parsed")
Form = TypeVar("Form", bound="AnswerForm")
OPTIONS = {"temperature": 0, "response_format": {"type": "json_object"}}
N_ATTEMPTS = 3
_FIELDS = (
    "descriptions", "cluster", "sentence", "keywords", "assignments", "sequence", "description"
)  # fmt: skip


class InvalidAnswerError(ValueError):
    """An answer that is not of the form asked for; says why in our own words."""


class AnswerForm(BaseModel):
    """A form that answers must have: nothing missing, nothing more."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


def quoted(data: Any) -> str:
    r"""
    Write data as JSON in which nothing can be taken for markup or end a quotation.

    Parameters
    ----------
    data : object
        Of what JSON can hold.

    Returns
    -------
    str
        ASCII on one line; angle brackets, ampersands and backticks are escaped too.

    Examples
    --------
    >>> print(quoted(["</data>"]))
    ["\u003c/data\u003e"]
    """
    text = json.dumps(data, ensure_ascii=True)
    return re.sub(r"[<>&`]", lambda sign: f"\\u{ord(sign.group()):04x}", text)


def make_request(prompt: str, data: Mapping, options: Mapping) -> dict:
    """
    Put a question: the instructions from a text file, then the data as quoted JSON.

    Parameters
    ----------
    prompt : str
        Name of the file in the folder `prompts`.
    data : mapping
        Of what JSON can hold.
    options : mapping
        Further fields of the request.

    Returns
    -------
    dict
        What `Ask` takes.
    """
    system = (files("cohortlab.interpretation") / "prompts" / prompt).read_text(encoding="utf-8")
    messages = [
        {"role": "system", "content": system.strip()},
        {"role": "user", "content": quoted(data)},
    ]
    return {**options, "messages": messages}


def ask_until_valid(
    ask: Ask, request: Mapping, parse: Callable[[str], Parsed], *, n_attempts: int
) -> Parsed:
    """
    Ask, and where the answer will not do, say why and ask again.

    Parameters
    ----------
    ask : callable
        `Chat` or `Cassette`.
    request : mapping
        From `make_request`.
    parse : callable
        Reads the answer, or raises `InvalidAnswerError`.
    n_attempts : int
        How often to ask at most.

    Returns
    -------
    object
        What `parse` gives.

    Raises
    ------
    ModelError
        If no attempt gave a valid answer, or there was none.
    """
    problem = ""
    for _ in range(n_attempts):
        answer = ask(request)
        try:
            return parse(answer)
        except InvalidAnswerError as error:
            problem = str(error)
        said = [
            {"role": "assistant", "content": answer},
            {"role": "user", "content": f"This answer cannot be used: {problem}. Answer again."},
        ]
        request = {**request, "messages": [*request["messages"], *said]}
    raise ModelError(
        f"the model gave no answer of the form asked for in {n_attempts} attempts; the last time: "
        f"{problem}. Try another model, or fewer clusters in a smaller budget; where the answers "
        "come from a cassette, mode 'refresh' asks anew"
    )


def validated(form: type[Form], answer: str) -> Form:
    """
    Read an answer.

    Parameters
    ----------
    form : subclass of AnswerForm
        The form that it must have.
    answer : str
        What the model said.

    Returns
    -------
    AnswerForm
        An instance of the form.

    Raises
    ------
    InvalidAnswerError
        If it is no JSON, or of another form; names up to five places, and never what stands there.
    """
    try:
        return form.model_validate_json(answer)
    except ValidationError as error:
        # Where it is wrong, not the checker's words: they change with its version, and the next
        # request would then be another.
        found = error.errors(include_url=False, include_input=False)
    places = sorted({".".join(_known(part) for part in e["loc"]) for e in found} - {""})
    raise InvalidAnswerError(
        f"wrong, missing or too many: {', '.join(places[:5])}" if places else "it is no JSON"
    )


def _known(part: int | str) -> str:
    """Name a place by its number or one of the fields there are, not by a name the model made."""
    return str(part) if isinstance(part, int) or part in _FIELDS else "unknown field"


def require_each_once(given: Sequence, wanted: Sequence, what: str) -> None:
    """
    Demand that each of some names occurs once.

    Parameters
    ----------
    given, wanted : sequence
        Names in an answer, and those asked about, in any order.
    what : str
        What they are names of.

    Raises
    ------
    InvalidAnswerError
        If one is left out, occurs twice, or is none of those wanted.
    """
    missing = [name for name in wanted if name not in given]
    if missing:
        raise InvalidAnswerError(f"{what} {missing[0]} is left out")
    if len(given) > len(wanted):
        raise InvalidAnswerError(f"each {what} must occur once, and no other")
