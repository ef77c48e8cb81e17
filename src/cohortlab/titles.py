"""Items named for people to read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

#: The title keeps at least so many characters where it is shortened, however long its id.
SHORTEST = 6


def titled(item: Any, titles: Mapping[Any, str], *, longest: int | None = None) -> str:
    """Name an item by its title, with its id behind it where the title does not tell it.

    Parameters
    ----------
    item : str
        Its id.
    titles : mapping of item to text
        What to call an item; the id alone stands where the mapping has no title, or a blank one.
    longest : int, optional
        Longest name in characters. The title is shortened; its id stays whole, so that two items
        of one title never look alike, even where that takes more room.

    Returns
    -------
    str
        Such as `milk [12]`; line breaks in the title become spaces.

    Examples
    --------
    >>> titled("12", {"12": "milk"}), titled("7", {"7": "category 7"}), titled("tea", {})
    ('milk [12]', 'category 7', 'tea')
    >>> titled("12", {"12": "fresh whole milk"}, longest=15)
    'fresh who… [12]'
    """
    title = titles.get(item)
    words = [] if title is None or pd.isna(title) else str(title).split()
    named, mark = " ".join(words) or str(item), f" [{item}]"
    if str(item) in [*words, named]:
        mark = ""
    room = len(named) if longest is None else max(longest - len(mark), SHORTEST)
    return (named if len(named) <= room else named[: room - 1].rstrip() + "…") + mark
