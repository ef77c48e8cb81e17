"""A picture in few colours: by our k-means, or by what others have."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, features
from sklearn.cluster import MiniBatchKMeans

from cohortlab.features.colours import OPAQUE, colour_codes
from cohortlab.intervals import check_number
from cohortlab.palette.distinct import Distinct, distinct_colours
from cohortlab.palette.dither import dither as diffuse
from cohortlab.palette.kmeans import N_STARTS, nearest_of, weighted_kmeans
from cohortlab.palette.points import check_space, to_colours, to_points

MOST_COLOURS = 256
#: Peers by name: Pillow's number of the method, and whether it takes transparency.
_OF_PILLOW = {
    "median_cut": (Image.Quantize.MEDIANCUT, False),
    "max_coverage": (Image.Quantize.MAXCOVERAGE, False),
    "octree": (Image.Quantize.FASTOCTREE, True),
    "libimagequant": (Image.Quantize.LIBIMAGEQUANT, True),
}
PEERS = (*_OF_PILLOW, "minibatch")
_BATCH = 1024


@dataclass(frozen=True)
class Quantised:
    """A picture in the colours of a palette.

    Attributes
    ----------
    palette : ndarray of uint8, shape (n_palette, 4)
        Red, green, blue and alpha, from the colour of most pixels on; every one is used.
    indices : ndarray of uint8, shape (height, width)
        Place in the palette of each pixel.
    """

    palette: np.ndarray
    indices: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """The picture, uint8 of shape (height, width, 4)."""
        return np.take(self.palette, self.indices, axis=0)

    @property
    def shares(self) -> np.ndarray:
        """The share of the pixels of each colour of the palette."""
        return np.bincount(self.indices.ravel(), minlength=len(self.palette)) / self.indices.size


def quantise(
    picture: np.ndarray,
    n_colours: int,
    *,
    rng: np.random.Generator,
    space: str = "srgb",
    dither: bool = False,
    n_starts: int = N_STARTS,
) -> Quantised:
    """Reduce a picture to few colours by k-means on its distinct colours.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3) or (height, width, 4)
        sRGB, and alpha where there is some.
    n_colours : int
        Colours of the palette at most, 2 to 256. What is wholly transparent is one of them.
    rng : numpy.random.Generator
        Of the starts of k-means.
    space : {'srgb', 'oklab'}
        Where distances are taken.
    dither : bool, default False
        Let neighbours make up for a pixel's error (Floyd-Steinberg).
    n_starts : int, default 8
        Starts of k-means.

    Returns
    -------
    Quantised
        Where the picture has no more distinct colours, exactly these.

    Raises
    ------
    ValueError
        If the picture has another shape or type, or a number is out of range.

    Examples
    --------
    >>> grey = np.array([[[0, 0, 0], [2, 2, 2], [250, 250, 250]]], dtype=np.uint8)
    >>> quantise(grey, 2, rng=np.random.default_rng(0)).palette.tolist()
    [[1, 1, 1, 255], [250, 250, 250, 255]]
    """
    _check(picture, n_colours)
    check_space(space)
    check_number(n_starts, where="n_starts", low=1, whole=True)
    found = distinct_colours(picture)
    points, clear = to_points(found.colours, space=space), found.colours[:, 3] == 0
    palette = _palette_of(found, points, n_colours, rng=rng, space=space, n_starts=n_starts)
    seen = palette[palette[:, 3] > 0] if len(palette) > 1 else palette
    places = to_points(seen, space=space, n_dimensions=points.shape[1])
    colours, shape = np.vstack([np.zeros((1, 4), dtype=np.uint8), seen]), picture.shape[:2]
    if dither and len(found.colours) > n_colours:
        pixels = points[found.inverse].reshape(*shape, -1)
        chosen = diffuse(pixels, places, clear[found.inverse].reshape(shape)) + 1
        return _of_pixels(colours, chosen)
    chosen = nearest_of(points, places) + 1
    chosen[clear] = 0
    counts = np.bincount(chosen, found.counts, minlength=len(colours))
    ordered, rank = _in_order(colours, counts)
    return Quantised(ordered, rank[chosen][found.inverse].reshape(shape))


def _check(picture: np.ndarray, n_colours: int) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise ValueError(
            f"The picture is an array of {picture.dtype} of shape {picture.shape}; expected uint8 "
            "of shape (height, width, 3 or 4)."
        )
    if not picture.size:
        raise ValueError(f"The picture has no pixels: its shape is {picture.shape}.")
    check_number(n_colours, where="n_colours", low=2, high=MOST_COLOURS, whole=True)


def _palette_of(
    found: Distinct,
    points: np.ndarray,
    n_colours: int,
    *,
    rng: np.random.Generator,
    space: str,
    n_starts: int,
) -> np.ndarray:
    """Make the palette; what is wholly transparent has a colour of its own."""
    if len(found.colours) <= n_colours:
        return found.colours
    clear, counts = found.colours[:, 3] == 0, found.counts
    own = found.colours[clear]
    if len(own):
        points, counts = points[~clear], counts[~clear]
    centres = weighted_kmeans(points, counts, n_colours - len(own), rng=rng, n_starts=n_starts)
    return np.vstack([own, to_colours(centres.points, space=space)])


def _in_order(colours: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave out colours that no pixel has, join equal ones, and order them by their pixels.

    Returns the palette, and for each colour its place there.
    """
    codes, place = np.unique(colour_codes(colours), return_inverse=True)
    totals = np.bincount(place, counts)
    order = np.argsort(-totals, kind="stable")[: int((totals > 0).sum())]
    rank = np.zeros(len(codes), dtype=np.uint8)
    rank[order] = np.arange(len(order))
    first = np.zeros(len(codes), dtype=np.int64)
    first[place] = np.arange(len(colours))
    return colours[first[order]], rank[place]


def _of_pixels(colours: np.ndarray, chosen: np.ndarray) -> Quantised:
    palette, rank = _in_order(colours, np.bincount(chosen.ravel(), minlength=len(colours)))
    return Quantised(palette, rank[chosen])


def available_peers(picture: np.ndarray) -> list[str]:
    """List the peers that can be asked here for a picture.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3 or 4)
        Median cut, maximum coverage and mini-batches know no transparency.

    Returns
    -------
    list of str
        Among `PEERS`; libimagequant only where Pillow was built with it.
    """
    missing = set() if features.check("libimagequant") else {"libimagequant"}
    if picture.shape[2] == 4 and (picture[..., 3] < OPAQUE).any():
        missing |= {name for name, (_, takes) in _OF_PILLOW.items() if not takes} | {"minibatch"}
    return [name for name in PEERS if name not in missing]


def quantise_by_peer(
    picture: np.ndarray, n_colours: int, *, method: str, random_state: int = 0, refine: int = 0
) -> Quantised:
    """Reduce a picture to few colours as another program does.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3) or (height, width, 4)
        As for `quantise`.
    n_colours : int
        Colours of the palette at most, 2 to 256.
    method : str
        One of `available_peers`: Pillow's, or scikit-learn's mini-batch k-means on the pixels.
    random_state : int
        Of mini-batch k-means; the others draw nothing.
    refine : int
        What Pillow calls ``kmeans``: 0 for none, else when its k-means ends.

    Returns
    -------
    Quantised
        No dithering; each pixel has the colour that the method gives it.

    Raises
    ------
    ValueError
        If the method is not there for such a picture.
    """
    _check(picture, n_colours)
    if method not in (there := available_peers(picture)):
        raise ValueError(f"method is {method!r}, expected one of {', '.join(there)}.")
    if method == "minibatch":
        return _by_minibatch(picture, n_colours, random_state)
    number, takes_alpha = _OF_PILLOW[method]
    mode = "RGBA" if takes_alpha and picture.shape[2] == 4 else "RGB"
    image = Image.fromarray(picture).convert(mode).quantize(n_colours, number, kmeans=refine)
    colours = np.frombuffer(image.palette.palette, dtype=np.uint8).reshape(-1, len(mode))
    colours = np.hstack([colours, np.full((len(colours), 1), OPAQUE, dtype=np.uint8)])[:, :4]
    return _of_pixels(colours, np.asarray(image))


def _by_minibatch(picture: np.ndarray, n_colours: int, random_state: int) -> Quantised:
    pixels = picture[..., :3].reshape(-1, 3)
    n_clusters = min(n_colours, len(distinct_colours(pixels).colours))
    model = MiniBatchKMeans(n_clusters, batch_size=_BATCH, n_init=3, random_state=random_state)
    labels = model.fit(pixels.astype(float)).labels_
    colours = to_colours(model.cluster_centers_, space="srgb")
    return _of_pixels(colours, labels.reshape(picture.shape[:2]))
