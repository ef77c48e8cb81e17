"""The describer that asks a language model, and the same model as a judge of descriptions."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field, StringConstraints

from cohortlab.interpretation.answers import (
    N_ATTEMPTS,
    OPTIONS,
    AnswerForm,
    Ask,
    InvalidAnswerError,
    ask_until_valid,
    make_request,
    require_each_once,
    validated,
)
from cohortlab.interpretation.describing import Description

_Line = StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\n\r]*$")
_Sentence = Annotated[str, _Line, StringConstraints(max_length=300)]
_Keyword = Annotated[str, _Line, StringConstraints(max_length=60)]


class _Described(AnswerForm):
    cluster: str
    sentence: _Sentence
    keywords: Annotated[list[_Keyword], Field(min_length=3, max_length=3)]


class _Descriptions(AnswerForm):
    descriptions: list[_Described]


class _Assigned(AnswerForm):
    sequence: int
    description: str


class _Assignments(AnswerForm):
    assignments: list[_Assigned]


@dataclass(frozen=True)
class LlmDescriber:
    """
    Have a language model describe clusters, with samples of all of them before it.

    Parameters
    ----------
    ask : callable
        A `Cassette`, or a `Chat` where nothing is to be kept.
    options : mapping
        Further fields of the request, such as `temperature`.
    n_attempts : int, default 3
        How often an answer that is not of the form asked for is asked again, the first included.
    """

    ask: Ask
    options: Mapping = field(default_factory=lambda: dict(OPTIONS))
    n_attempts: int = N_ATTEMPTS

    def __call__(self, sample: pd.DataFrame) -> list[Description]:
        """
        Describe each cluster of a sample.

        Parameters
        ----------
        sample
            As every `Describer` takes it.

        Returns
        -------
        list of Description
            As every `Describer` gives it, each with three keywords.

        Raises
        ------
        ModelError
            If the model does not answer, or in no attempt as it was asked to.
        """
        groups = sample.groupby("cluster", sort=True)["sentence"]
        data = [{"cluster": str(c), "sequences": list(texts)} for c, texts in groups]
        names = {str(c): c for c, _ in groups}

        def parse(answer: str) -> list[Description]:
            return _descriptions(answer, names)

        request = make_request("describe.txt", {"clusters": data}, self.options)
        return ask_until_valid(self.ask, request, parse, n_attempts=self.n_attempts)


def _descriptions(answer: str, names: Mapping[str, Hashable]) -> list[Description]:
    made = validated(_Descriptions, answer).descriptions
    require_each_once([one.cluster for one in made], list(names), "cluster")
    for one in made:
        if len({word.lower() for word in one.keywords}) < len(one.keywords):
            raise InvalidAnswerError(f"cluster {one.cluster} has a keyword twice")
    by_name = {one.cluster: one for one in made}
    return [
        Description(cluster, tuple(by_name[name].keywords), by_name[name].sentence)
        for name, cluster in names.items()
    ]


def assign_by_llm(
    held_out: pd.DataFrame,
    descriptions: Sequence[Description],
    *,
    ask: Ask,
    seed: int,
    batch_size: int = 20,
    options: Mapping = OPTIONS,
    n_attempts: int = N_ATTEMPTS,
) -> pd.DataFrame:
    """
    Have a language model give each sequence to the description that fits best.

    Parameters
    ----------
    held_out, descriptions
        As for `assign_by_terms`; the clusters of the descriptions are not told.
    ask : callable
        As for `LlmDescriber`.
    seed : int
        Seed of the order in which sequences and descriptions are told.
    batch_size : int, default 20
        Sequences a request.
    options, n_attempts
        As for `LlmDescriber`.

    Returns
    -------
    pandas.DataFrame, shape (n_sequences, n_clusters)
        As of `assign_by_terms`, nothing divided.

    Raises
    ------
    ModelError
        If the model does not answer, or in no attempt as it was asked to.
    """
    rng = np.random.default_rng(seed)
    order, shuffled = rng.permutation(len(held_out)), rng.permutation(len(descriptions))
    names = {f"D{place + 1}": int(of) for place, of in enumerate(shuffled)}
    told = [
        {"description": name, "keywords": descriptions[of].keywords,
         "sentence": descriptions[of].sentence}
        for name, of in names.items()
    ]  # fmt: skip
    sentences = held_out["sentence"].to_numpy()
    shares = np.zeros((len(held_out), len(descriptions)))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        visits = [{"sequence": i + 1, "visits": sentences[r]} for i, r in enumerate(rows)]

        def parse(answer: str, n: int = len(rows)) -> list[int]:
            return _assignments(answer, n, names)

        request = make_request("assign.txt", {"descriptions": told, "sequences": visits}, options)
        shares[rows, ask_until_valid(ask, request, parse, n_attempts=n_attempts)] = 1
    return pd.DataFrame(shares, columns=[one.cluster for one in descriptions])


def _assignments(answer: str, n: int, names: Mapping[str, int]) -> list[int]:
    made = validated(_Assignments, answer).assignments
    require_each_once([one.sequence for one in made], list(range(1, n + 1)), "sequence")
    if any(one.description not in names for one in made):
        raise InvalidAnswerError(f"descriptions are named {', '.join(names)}")
    by_number = {one.sequence: names[one.description] for one in made}
    return [by_number[number] for number in range(1, n + 1)]
