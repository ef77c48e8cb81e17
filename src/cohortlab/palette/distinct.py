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
        Red, green, blue and alpha, in the order in which they first come.
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
    found, counts, inverse = _count(codes, *_table(len(codes), pixels.shape[-1]))
    return Distinct(unpack_codes(found), counts, inverse)


def _table(n_pixels: int, n_channels: int) -> tuple[np.uint32, int]:
    """Choose by what to multiply codes for their places in a table, and its size in bits."""
    if n_channels == 3 and n_pixels > _MANY:
        # A place for every colour there is: like colours lie together, so memory is read in order.
        return np.uint32(1), 24
    # At least twice as many places as colours there can be, so that chains stay short.
    return _SPREAD, max(int(2 * n_pixels - 1).bit_length(), 1)


@compiled()
def _count(codes, spread, bits):
    """Count codes in a hash table of 2^bits places, a taken place leading to the next."""
    table = np.full(1 << bits, -1, dtype=np.int32)
    shift, last = np.uint32(32 - bits), (1 << bits) - 1
    found = np.empty(len(codes), dtype=np.uint32)
    counts = np.zeros(len(codes), dtype=np.int64)
    inverse = np.empty(len(codes), dtype=np.int32)
    n_found = 0
    for pixel in range(len(codes)):
        code = codes[pixel]
        place = np.int64(np.uint32(code * spread) >> shift)
        while table[place] >= 0 and found[table[place]] != code:
            place = (place + 1) & last
        if table[place] < 0:
            table[place] = n_found
            found[n_found] = code
            n_found += 1
        counts[table[place]] += 1
        inverse[pixel] = table[place]
    return found[:n_found].copy(), counts[:n_found].copy(), inverse
