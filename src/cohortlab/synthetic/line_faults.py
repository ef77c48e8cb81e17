"""Damages of lines that generated logs share: a field lost, a line cut or repeated."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from cohortlab.synthetic.lines import join_fields, pick, stack

#: The columns of some lines, one array of large string each.
Fields = list[pa.Array]
#: Turns copies of true lines into faulty ones.
Damage = Callable[[Fields, np.random.Generator], pa.Array]


def join_line(fields: Sequence[pa.Array | str], *, end: str = "\n") -> pa.Array:
    """Join the fields of lines by commas.

    Parameters
    ----------
    fields : sequence of pyarrow.Array or str
        The columns of the file, quoted where needed; a plain text stands in every line.
    end : str, default a line feed
        What ends a line.

    Returns
    -------
    pyarrow.Array of large string
        One line each.
    """
    return join_fields(fields, separator=",", end=end)


def without(position: int, *, end: str = "\n") -> Damage:
    """Make a damage that empties a field.

    Parameters
    ----------
    position : int
        Which field, from 0.
    end : str, default a line feed
        What ends a line.

    Returns
    -------
    callable
        The damage.
    """

    def damage(fields: Fields, rng: np.random.Generator) -> pa.Array:
        return join_line([*fields[:position], "", *fields[position + 1 :]], end=end)

    return damage


def replaced(position: int, words: Sequence[str], *, end: str = "\n") -> Damage:
    """Make a damage that puts one of some words into a field.

    Parameters
    ----------
    position : int
        Which field, from 0.
    words : sequence of str
        What may stand there, each as often.
    end : str, default a line feed
        What ends a line.

    Returns
    -------
    callable
        The damage.
    """

    def damage(fields: Fields, rng: np.random.Generator) -> pa.Array:
        word = pick(words, rng.integers(0, len(words), len(fields[0])))
        return join_line([*fields[:position], word, *fields[position + 1 :]], end=end)

    return damage


def repeated(*, end: str = "\n") -> Damage:
    """Make a damage that leaves the copy as it is.

    Parameters
    ----------
    end : str, default a line feed
        What ends a line.

    Returns
    -------
    callable
        The damage.
    """
    return lambda fields, rng: join_line(fields, end=end)


def cut_or_surplus(n_left: int, *, end: str = "\n") -> Damage:
    """Make a damage that cuts half of the lines short and gives the others a field too many.

    Parameters
    ----------
    n_left : int
        Fields left of a line that is cut.
    end : str, default a line feed
        What ends a line.

    Returns
    -------
    callable
        The damage; the lines stay in their order.
    """

    def damage(fields: Fields, rng: np.random.Generator) -> pa.Array:
        is_short = rng.random(len(fields[0])) < 0.5
        short, long = np.flatnonzero(is_short), np.flatnonzero(~is_short)
        cut = join_line([field.take(pa.array(short)) for field in fields[:n_left]], end=end)
        kept = [field.take(pa.array(long)) for field in fields]
        order = np.argsort(np.append(short, long))
        return stack([cut, join_line([*kept, "surplus"], end=end)]).take(pa.array(order))

    return damage
