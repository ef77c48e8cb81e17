"""What an exercise says to an answer: right, or what to look at again, never the answer itself."""

import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

#: A check of one gap: pairs of "is this so?" and what to say where it is not.
Check = Callable[..., Iterator[tuple[Any, str]]]


@dataclass(frozen=True)
class Feedback:
    """The word on one answer.

    Attributes
    ----------
    name : str
        Of the gap, which is that of the check.
    passed : bool
        Whether the answer is right.
    text : str
        What to say.
    """

    name: str
    passed: bool
    text: str

    def _repr_markdown_(self) -> str:
        return f"{'✅' if self.passed else '🔎'} **{self.name}**: {self.text}"

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"


def question(check: Check) -> Callable[..., Feedback]:
    """Turn a check into a function that gives feedback, whatever it is handed.

    Parameters
    ----------
    check : callable
        A generator of pairs (is it so, what to say where it is not), from the coarse to the fine.
        The first that is not so becomes the feedback. Its docstring says what is asked.

    Returns
    -------
    callable
        Takes the same arguments and returns a `Feedback`: an argument that is still ``...`` is
        named, and an answer of another form than expected is told from a wrong one.

    Examples
    --------
    >>> @question
    ... def half(half):
    ...     '''Expect half of four.'''
    ...     yield half < 4, "half of a number is less than the number"
    ...     yield half == 2, "twice your number is not four"
    >>> print(half(...))
    half: nothing stands in place of `...` yet. Expect half of four.
    >>> print(half(3))
    half: twice your number is not four
    >>> half(2).passed
    True
    """

    @functools.wraps(check)
    def answered(*args: Any, **kwargs: Any) -> Feedback:
        given = inspect.signature(check).bind(*args, **kwargs).arguments
        open_ = [name for name, value in given.items() if value is ...]
        if open_:
            earlier = [name for name in open_ if name != check.__name__]
            missing = f"`{earlier[0]}`, an earlier gap, is open" if earlier else None
            where = missing or "nothing stands in place of `...` yet"
            return Feedback(check.__name__, False, f"{where}. {inspect.getdoc(check)}")
        try:
            failed = next((text for holds, text in check(**given) if not holds), None)
        except Exception as error:  # An answer may be anything, and so may what it raises.
            failed = (
                f"this has another form than what is asked for ({type(error).__name__}: {error}). "
                f"{inspect.getdoc(check)}"
            )
        return Feedback(check.__name__, failed is None, failed or "right.")

    return answered
