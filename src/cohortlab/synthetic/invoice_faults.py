"""Faulty lines of an invoice log: damaged copies of true lines, so that no true line is lost."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from cohortlab.synthetic.line_faults import Fields, cut_or_surplus, join_line, repeated, replaced
from cohortlab.synthetic.lines import pick

ODD_COUNTRIES = ("European Community", "Unspecified")
TINY_PRICES = ("0", "0.001", "0.01", "0.03")
UNREADABLE_DATES = ("unknown", "13/45/2011 8:26", "12.1.2010")
UNREADABLE_NUMBERS = ("six", "?", "1O")
# Code and description of what is no product.
LETTER_CODES = ("POST", "DOT", "M", "D", "S", "CRUK")
LETTER_NAMES = ("POSTAGE", "DOTCOM POSTAGE", "Manual", "Discount", "SAMPLES", "CRUK Commission")
CODE, DESCRIPTION, QUANTITY, DATE, PRICE, COUNTRY = 1, 2, 3, 4, 5, 7

# As in the real file.
LINE_END = "\r\n"


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


def _letter_code(fields: Fields, rng: np.random.Generator) -> pa.Array:
    which = rng.integers(0, len(LETTER_CODES), len(fields[0]))
    changed = {CODE: pick(LETTER_CODES, which), DESCRIPTION: pick(LETTER_NAMES, which)}
    changed[QUANTITY] = pick(["1"], np.zeros(len(which), dtype=np.int64))
    return join_line([changed.get(i, field) for i, field in enumerate(fields)], end=LINE_END)


DAMAGES = {
    "missing_description": replaced(DESCRIPTION, ("",), end=LINE_END),
    "letter_code": _letter_code,
    "odd_country": replaced(COUNTRY, ODD_COUNTRIES, end=LINE_END),
    "tiny_price": replaced(PRICE, TINY_PRICES, end=LINE_END),
    "repeated": repeated(end=LINE_END),
    "unreadable_date": replaced(DATE, UNREADABLE_DATES, end=LINE_END),
    "unreadable_number": replaced(QUANTITY, UNREADABLE_NUMBERS, end=LINE_END),
    "malformed_line": cut_or_surplus(5, end=LINE_END),
}
