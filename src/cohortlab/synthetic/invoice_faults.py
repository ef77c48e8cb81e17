"""Faulty lines of an invoice log: damaged copies of true lines, so that no true line is lost."""

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa

from cohortlab.synthetic.lines import join_fields, pick, stack

ODD_COUNTRIES = ("European Community", "Unspecified")
TINY_PRICES = ("0", "0.001", "0.01", "0.03")
UNREADABLE_DATES = ("unknown", "13/45/2011 8:26", "12.1.2010")
UNREADABLE_NUMBERS = ("six", "?", "1O")
# Code and description of what is no product.
LETTER_CODES = ("POST", "DOT", "M", "D", "S", "CRUK")
LETTER_NAMES = ("POSTAGE", "DOTCOM POSTAGE", "Manual", "Discount", "SAMPLES", "CRUK Commission")
CODE, DESCRIPTION, QUANTITY, DATE, PRICE, COUNTRY = 1, 2, 3, 4, 5, 7

# A line in eight fields, as in the header of the file.
Fields = list[pa.Array]


def fault_lines(
    fields: Fields,
    sources: np.ndarray,
    invoice_starts: np.ndarray,
    rates: Mapping[str, float],
    *,
    rng: np.random.Generator,
) -> dict[str, tuple[np.ndarray, pa.Array]]:
    """Make the faulty lines to add to a chunk.

    Parameters
    ----------
    fields : list of eight large-string arrays
        The true lines, by column.
    sources : ndarray of int
        Positions of the lines that may be copied: purchases of named customers.
    invoice_starts : ndarray of int
        Positions among them of the first line of each invoice; a letter code is added to some.
    rates : mapping of str to float
        Faulty lines of each kind per true line, letter codes per invoice.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to (ndarray of int, array of large string)
        By fault, the position of the copied line and the faulty line.
    """
    made = {}
    for name, damage in DAMAGES.items():
        candidates = invoice_starts if name == "letter_code" else sources
        count = rng.binomial(len(candidates), rates[name])
        chosen = np.sort(rng.choice(candidates, count, replace=False))
        copies = [field.take(pa.array(chosen)) for field in fields]
        made[name] = (chosen, damage(copies, rng))
    return made


def invoice_line(fields: list[pa.Array | str]) -> pa.Array:
    """Join the fields of lines, with the carriage return and line feed of the real file.

    Parameters
    ----------
    fields : list of pyarrow.Array or str
        The columns of the file, quoted where needed; a plain text stands in every line.

    Returns
    -------
    pyarrow.Array of large string
        One line each.
    """
    return join_fields(fields, separator=",", end="\r\n")


def _replaced(
    position: int, words: tuple[str, ...]
) -> Callable[[Fields, np.random.Generator], pa.Array]:
    def damage(fields: Fields, rng: np.random.Generator) -> pa.Array:
        word = pick(words, rng.integers(0, len(words), len(fields[0])))
        return invoice_line([*fields[:position], word, *fields[position + 1 :]])

    return damage


def _letter_code(fields: Fields, rng: np.random.Generator) -> pa.Array:
    which = rng.integers(0, len(LETTER_CODES), len(fields[0]))
    changed = {CODE: pick(LETTER_CODES, which), DESCRIPTION: pick(LETTER_NAMES, which)}
    changed[QUANTITY] = pick(["1"], np.zeros(len(which), dtype=np.int64))
    return invoice_line([changed.get(i, field) for i, field in enumerate(fields)])


def _repeated(fields: Fields, rng: np.random.Generator) -> pa.Array:
    return invoice_line(fields)


def _malformed(fields: Fields, rng: np.random.Generator) -> pa.Array:
    is_short = rng.random(len(fields[0])) < 0.5
    short, long = pa.array(np.flatnonzero(is_short)), pa.array(np.flatnonzero(~is_short))
    cut = invoice_line([field.take(short) for field in fields[:5]])
    surplus = invoice_line([*(field.take(long) for field in fields), "surplus"])
    order = np.argsort(np.append(np.flatnonzero(is_short), np.flatnonzero(~is_short)))
    return stack([cut, surplus]).take(pa.array(order))


DAMAGES = {
    "missing_description": _replaced(DESCRIPTION, ("",)),
    "letter_code": _letter_code,
    "odd_country": _replaced(COUNTRY, ODD_COUNTRIES),
    "tiny_price": _replaced(PRICE, TINY_PRICES),
    "repeated": _repeated,
    "unreadable_date": _replaced(DATE, UNREADABLE_DATES),
    "unreadable_number": _replaced(QUANTITY, UNREADABLE_NUMBERS),
    "malformed_line": _malformed,
}
