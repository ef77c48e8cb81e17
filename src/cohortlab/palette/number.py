"""Of how many colours a picture was made, when each came out a little different every time."""

from dataclasses import dataclass

import numpy as np

from cohortlab.intervals import check_number
from cohortlab.palette.distinct import Distinct
from cohortlab.palette.kmeans import N_STARTS, weighted_kmeans
from cohortlab.palette.points import to_colours, to_points

#: A number of colours stands out where the error falls this much more than along a line.
STANDS_OUT = 2.0


@dataclass(frozen=True)
class Number:
    """A number of colours, and what speaks for it.

    Attributes
    ----------
    n_colours : int or None
        None where no number stands out.
    distortions : ndarray of shape (n_tried,)
        Mean squared distance in sRGB a channel, with 1, 2, ... colours.
    palette : ndarray of uint8, shape (n_colours, 4)
        The colours of that number; empty where there is none.
    """

    n_colours: int | None
    distortions: np.ndarray
    palette: np.ndarray


def number_of_colours(
    found: Distinct, *, most: int, rng: np.random.Generator, n_starts: int = N_STARTS
) -> Number:
    """Estimate of how many colours a picture was made, from where its error drops.

    Parameters
    ----------
    found : Distinct
        The colours of an opaque picture, with their counts.
    most : int
        Numbers from 1 to this are tried; at least 2.
    rng : numpy.random.Generator
        Of k-means.
    n_starts : int, default 8
        Starts for each number.

    Returns
    -------
    Number
        A picture of no more distinct colours has exactly these.

    Raises
    ------
    ValueError
        If `most` is less than 2: with one number alone nothing stands out.

    Notes
    -----
    Colours spread evenly along a line have with k centres an error of 1/k^2 of that with one; over
    a plane or in space it falls more slowly, and so it does once there is a centre for every colour
    and only noise is left. A number k stands out where the error falls from k - 1 to k at least
    twice as much as along a line; of several, the one with the largest such drop. No theory gives
    the threshold for all pictures: it is what leaves gradients and noise without a number.
    """
    check_number(most, where="most", low=2, whole=True)
    if len(found.colours) <= most:
        return Number(len(found.colours), np.zeros(0), found.colours)
    points = to_points(found.colours, space="srgb")
    ends = [
        weighted_kmeans(points, found.counts, k, rng=rng, n_starts=n_starts)
        for k in range(1, most + 1)
    ]
    distortions = np.array([end.error for end in ends]) / (points.shape[1] * found.counts.sum())
    drops = (distortions[:-1] / distortions[1:]) / (
        np.arange(2, most + 1) / np.arange(1, most)
    ) ** 2
    best = int(drops.argmax()) + 2
    if drops.max() < STANDS_OUT:
        return Number(None, distortions, np.zeros((0, 4), dtype=np.uint8))
    return Number(best, distortions, to_colours(ends[best - 1].points, space="srgb"))
