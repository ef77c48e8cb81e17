"""A sequence of visits as a sentence, as a language model or a word count reads it."""

import re
from urllib.parse import quote

import pandas as pd

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEFT_OUT = "..."
_ARROW = " -> "
# What would part a domain into several words, or end the line.
_PARTS = re.compile(r"[\s()]")
_TOKEN = re.compile(r"\w+|[^\w\s]")


def count_tokens(text: str) -> int:
    """
    Count words and marks, a measure of length that needs no model.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    int
        Runs of letters and digits, and every other sign that is not blank.

    Examples
    --------
    >>> count_tokens("google.com (10s)")
    6
    """
    return len(_TOKEN.findall(text))


def sentences(visits: pd.DataFrame, *, max_tokens: int | None = 256) -> pd.Series:
    """
    Write each sequence as a sentence.

    Parameters
    ----------
    visits : pandas.DataFrame
        One row a visit, from `make_sequences`: `person_id`, `sequence_number`, `position`,
        `start_ms`, `domain`, `active_ms`.
    max_tokens : int or None, default 256
        The longest sentence, in tokens of `count_tokens`; what is too much is left out in the
        middle. None keeps everything. At least the day, the first visit and the last always stay.

    Returns
    -------
    pandas.Series of str
        The sentences, ordered and indexed by person and sequence:
        ``Monday 14:15, Visits: google.com (10s) -> youtube.com (89s)``. Blanks, line breaks and
        brackets in a domain are written as in an address, ``a%20b``: it stays one word.

    Raises
    ------
    ValueError
        If `max_tokens` is not positive.
    """
    if max_tokens is not None and max_tokens < 1:
        raise ValueError(f"max_tokens must be at least 1 or None, but is {max_tokens!r}")
    keys = ["person_id", "sequence_number"]
    ordered = visits.sort_values([*keys, "position"], kind="stable")
    seconds = (ordered["active_ms"] / 1000).round().astype("int64").astype(str)
    domains = ordered["domain"].astype(str)
    as_words = {name: _PARTS.sub(lambda part: quote(part[0]), name) for name in domains.unique()}
    words = domains.map(as_words) + " (" + seconds + "s)"
    groups = pd.DataFrame({"words": words, "start": ordered["start_ms"]}).groupby(
        [ordered[key] for key in keys], sort=True
    )
    told = groups.agg(words=("words", list), start=("start", "first"))
    when = pd.to_datetime(told["start"], unit="ms")
    opening = [
        f"{WEEKDAYS[day]} {time}, Visits: "
        for day, time in zip(when.dt.day_of_week, when.dt.strftime("%H:%M"), strict=True)
    ]
    texts = [
        start + _ARROW.join(_shortened(start, visited, max_tokens))
        for start, visited in zip(opening, told["words"], strict=True)
    ]
    return pd.Series(texts, index=told.index, name="sentence", dtype="str")


def _shortened(opening: str, words: list[str], max_tokens: int | None) -> list[str]:
    """Keep the beginning and the end, by turns, as far as they fit."""
    arrow = count_tokens(_ARROW)
    costs = [count_tokens(word) + arrow for word in words]
    if max_tokens is None or count_tokens(opening) + sum(costs) - arrow <= max_tokens:
        return words
    left = max_tokens - count_tokens(opening) - count_tokens(LEFT_OUT)
    n_first, n_last = 1, 1
    left -= costs[0] + (costs[-1] if len(words) > 1 else 0)
    while n_first + n_last < len(words):
        at_front = n_first <= n_last
        left -= costs[n_first] if at_front else costs[-n_last - 1]
        if left < 0:
            break
        n_first, n_last = (n_first + 1, n_last) if at_front else (n_first, n_last + 1)
    kept = n_first + n_last
    return words if kept >= len(words) else [*words[:n_first], LEFT_OUT, *words[-n_last:]]
