"""The distinct colours of a picture with their counts: all that k-means needs to know of it."""

from dataclasses import dataclass

import numpy as np

from cohortlab.compiled import compiled
from cohortlab.features.colours import colour_codes, unpack_codes

# Knuth's multiplier, the golden ratio of 32 bits: neighbouring codes go to places far apart.
_SPREAD = np.uint32(2654435769)
# Pixels from which on a place for every colour of three bytes costs less than a hash table.
_MANY = 1 << 21


@dataclass(frozen=True)
class Distinct:
    """The distinct colours of a picture.

    Attributes
    ----------
    colours : ndarray of uint8, shape (n_colours, 4)
        Red, green, blue and alpha, each once.
    counts : ndarray of int64, shape (n_colours,)
        Pixels of each.
    inverse : ndarray of int32, shape (n_pixels,)
        For each pixel, row by row, the place of its colour.
    """

    colours: np.ndarray
    counts: np.ndarray
    inverse: np.ndarray


def distinct_colours(pixels: np.ndarray) -> Distinct:
    """Find the distinct colours of a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (..., 3) or (..., 4)
        sRGB, and alpha where it is there. What is wholly transparent is one colour, whatever
        stands under it.

    Returns
    -------
    Distinct
        Colours, counts, and which pixel has which.

    Examples
    --------
    >>> found = distinct_colours(np.array([[[9, 9, 9], [0, 0, 0], [9, 9, 9]]], dtype=np.uint8))
    >>> found.colours[:, 0].tolist(), found.counts.tolist(), found.inverse.tolist()
    ([9, 0], [2, 1], [0, 1, 0])
    """
    codes = colour_codes(pixels).ravel()
    if pixels.shape[-1] == 4:
        codes[codes & 255 == 0] = 0
    direct = pixels.shape[-1] == 3 and len(codes) > _MANY
    found, counts, inverse = _count_directly(codes) if direct else _count(codes)
    return Distinct(unpack_codes(found), counts, inverse)


@compiled()
def _count(codes):
    """Count codes in a hash table, a taken place leading to the next."""
    # At least twice as many places as codes, so that chains stay short.
    bits = 1
    while 1 << bits < 2 * len(codes):
        bits += 1
    table = np.full(1 << bits, -1, dtype=np.int32)
    shift, last = np.uint32(32 - bits), (1 << bits) - 1
    found = np.empty(len(codes), dtype=np.uint32)
    counts = np.zeros(len(codes), dtype=np.int64)
    inverse = np.empty(len(codes), dtype=np.int32)
    n_found = 0
    for pixel in range(len(codes)):
        code = codes[pixel]
        place = np.int64(np.uint32(code * _SPREAD) >> shift)
        while table[place] >= 0 and found[table[place]] != code:
            place = (place + 1) & last
        if table[place] < 0:
            table[place] = n_found
            found[n_found] = code
            n_found += 1
        counts[table[place]] += 1
        inverse[pixel] = table[place]
    return found[:n_found].copy(), counts[:n_found].copy(), inverse


@compiled()
def _count_directly(codes):
    """Count opaque codes, a place for every colour there is: like ones lie together in memory."""
    table = np.zeros(1 << 24, dtype=np.int32)
    for code in codes:
        table[code >> 8] += 1
    n_found = (table > 0).sum()
    found = np.empty(n_found, dtype=np.uint32)
    counts = np.empty(n_found, dtype=np.int64)
    n_found = 0
    for place in range(len(table)):
        if table[place] > 0:
            found[n_found], counts[n_found] = place << 8 | 255, table[place]
            table[place] = n_found
            n_found += 1
    inverse = np.empty(len(codes), dtype=np.int32)
    for pixel in range(len(codes)):
        inverse[pixel] = table[codes[pixel] >> 8]
    return found, counts, inverse
