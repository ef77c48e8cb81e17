"""The one exception that stops the reading of a log, and how its message is laid out."""

from collections.abc import Iterable


class SourceError(ValueError):
    """A source cannot be read at all; the message names the file, the fault and the remedy."""


def shown(values: Iterable[object], *, limit: int = 5) -> str:
    """
    Show the first few values in a message, shortened where they are long.

    Parameters
    ----------
    values : iterable of object
        The values, in the order in which they should be shown.
    limit : int, default 5
        How many of them to show.

    Returns
    -------
    str
        The values as Python would write them, separated by commas.

    Examples
    --------
    >>> shown(["a", 1], limit=5)
    "'a', 1"
    >>> shown(range(9), limit=2)
    '0, 1, ...'
    """
    every = list(values)
    texts = [repr(value) for value in every[:limit]]
    short = [text if len(text) <= 60 else f"{text[:57]}..." for text in texts]
    return ", ".join(short) + (", ..." if len(every) > limit else "")
