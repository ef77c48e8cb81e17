"""Pictures of a log, in few colours by every method, and palettes held against planted ones."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from cohortlab.features.colours import OPAQUE
from cohortlab.palette.quantising import (
    PEERS,
    Quantised,
    available_peers,
    quantise,
    quantise_by_peer,
)


def pictures_of(pictures: pd.DataFrame, pixels: pd.DataFrame) -> dict[str, np.ndarray]:
    """Put the pixels of a log together to pictures.

    Parameters
    ----------
    pictures : pandas.DataFrame
        `picture, width, height`.
    pixels : pandas.DataFrame
        `picture, pixel, red, green, blue, alpha`, in any order.

    Returns
    -------
    dict of str to ndarray of uint8
        The largest first, then by name; shape (height, width, 3), or 4 where one pixel of it is
        not opaque.

    Raises
    ------
    ValueError
        If a picture does not have each of its pixels once.
    """
    made = {}
    in_order = pixels.sort_values(["picture", "pixel"], kind="stable")
    groups = dict(list(in_order.groupby("picture", observed=True)))
    sizes = pictures.assign(size=pictures["width"] * pictures["height"])
    for row in sizes.sort_values(["size", "picture"], ascending=[False, True]).itertuples():
        own = groups.get(row.picture, in_order[:0])
        if not np.array_equal(own["pixel"], np.arange(row.size)):
            raise ValueError(
                f"{row.picture} has {len(own)} pixels, expected each of 0 to {row.size - 1} once."
            )
        channels = own[["red", "green", "blue", "alpha"]].to_numpy(dtype=np.uint8)
        n_channels = 3 if (channels[:, 3] == OPAQUE).all() else 4
        shape = row.height, row.width, n_channels
        made[row.picture] = np.ascontiguousarray(channels[:, :n_channels]).reshape(shape)
    return made


def by_all_methods(
    picture: np.ndarray,
    *,
    n_colours: Sequence[int],
    spaces: Sequence[str],
    dithered: Collection[str],
    peers: Collection[str],
    n_starts: int,
    random_state: int,
) -> Iterator[tuple[str, int, Quantised]]:
    """Reduce a picture by our k-means and by peers, to every size.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3 or 4)
        The picture.
    n_colours : sequence of int
        Sizes of the palette, 2 to 256 each.
    spaces : sequence of str
        Where our k-means takes distances.
    dithered : collection of str
        Spaces in which dithering is tried too.
    peers : collection of str
        Of `PEERS`; those that are not there, or know no transparency where there is some, are left
        out.
    n_starts : int
        Starts of k-means.
    random_state : int
        Seed.

    Yields
    ------
    str
        The method: `kmeans_<space>`, `kmeans_<space>_dithered`, or a peer.
    int
        Colours that were asked for.
    Quantised
        What came of it.

    Raises
    ------
    ValueError
        If there is no such peer.
    """
    if unknown := sorted(set(peers) - set(PEERS)):
        raise ValueError(
            f"peers: {', '.join(unknown)} unknown, expected any of {', '.join(PEERS)}."
        )
    there = [name for name in available_peers(picture) if name in peers]
    for asked in n_colours:
        for space in spaces:
            for dither in [False, True][: 1 + (space in dithered)]:
                rng = np.random.default_rng([random_state, asked])
                options = {"space": space, "dither": dither, "n_starts": n_starts}
                name = f"kmeans_{space}" + "_dithered" * dither
                yield name, asked, quantise(picture, asked, rng=rng, **options)
        for name in there:
            found = quantise_by_peer(picture, asked, method=name, random_state=random_state)
            yield name, asked, found


def matched_palettes(planted: np.ndarray, found: np.ndarray) -> float:
    """Match two palettes of equal size one to one, and say how far the worst pair is apart.

    Parameters
    ----------
    planted, found : ndarray of shape (n_colours, 4)
        Colours, 0 to 255.

    Returns
    -------
    float
        Largest difference of a channel, levels, in the matching of least total distance.
    """
    apart = np.asarray(planted, dtype=float)[:, None] - np.asarray(found, dtype=float)[None]
    rows, columns = linear_sum_assignment(np.linalg.norm(apart, axis=2))
    return float(np.abs(apart[rows, columns]).max())
