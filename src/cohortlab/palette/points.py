"""Colours as points, such that the squared distance of two is the error of one for the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cohortlab.features.colours import OPAQUE, from_oklab, to_oklab


@dataclass(frozen=True)
class Space:
    """A space in which distances between colours are taken.

    Attributes
    ----------
    into, back : callable
        From sRGB (0 to 255) into the space, and back.
    white : tuple of float
        White there; black is the origin.
    """

    into: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]
    white: tuple[float, float, float]


SPACES: Mapping[str, Space] = {
    "srgb": Space(lambda c: np.asarray(c, dtype=float), lambda p: p, (255.0, 255.0, 255.0)),
    "oklab": Space(to_oklab, from_oklab, (1.0, 0.0, 0.0)),
}


def check_space(space: str) -> None:
    """Demand a space that is there.

    Parameters
    ----------
    space : str
        A key of `SPACES`.

    Raises
    ------
    ValueError
        If it is none.
    """
    if space not in SPACES:
        raise ValueError(f"space is {space!r}, expected one of {', '.join(SPACES)}.")


def to_points(colours: np.ndarray, *, space: str, n_dimensions: int | None = None) -> np.ndarray:
    """Turn colours into points.

    Parameters
    ----------
    colours : ndarray of uint8, shape (n, 4)
        Red, green, blue, alpha.
    space : {'srgb', 'oklab'}
        Where distances are taken.
    n_dimensions : {3, 4}, optional
        Columns; three are for opaque colours. By default three where all are opaque.

    Returns
    -------
    ndarray of float64, shape (n, n_dimensions)
        A point for each colour.

    Notes
    -----
    What a colour c with opacity a looks like depends on what is behind it: ac over black and
    ac + (1 - a)w over white w. The squared difference of two such colours, mean of both, is the
    squared distance of the points (a(c - w/2), a|w|/2), as multiplying out shows. Opaque colours
    keep their distances without it, and what is wholly transparent is one point.
    """
    made, white = SPACES[space], np.array(SPACES[space].white)
    if n_dimensions is None:
        n_dimensions = 3 if (colours[:, 3] == OPAQUE).all() else 4
    if n_dimensions == 3:
        return made.into(colours[:, :3])
    opacity = colours[:, 3:] / OPAQUE
    height = np.linalg.norm(white) / 2
    return np.hstack([opacity * (made.into(colours[:, :3]) - white / 2), opacity * height])


def to_colours(points: np.ndarray, *, space: str) -> np.ndarray:
    """Turn points back into colours, rounded to the nearest that a file can hold.

    Parameters
    ----------
    points : ndarray of shape (n, 3) or (n, 4)
        Within the hull of points that `to_points` gives.
    space : {'srgb', 'oklab'}
        As there.

    Returns
    -------
    ndarray of uint8, shape (n, 4)
        Red, green, blue, alpha.
    """
    made, white = SPACES[space], np.array(SPACES[space].white)
    if points.shape[1] == 3:
        opaque = np.full((len(points), 1), OPAQUE, dtype=np.uint8)
        return np.hstack([_rounded(made.back(points)), opaque])
    opacity = np.clip(points[:, 3:] / (np.linalg.norm(white) / 2), 0.0, 1.0)
    seen = opacity > 0.5 / OPAQUE
    plain = np.divide(points[:, :3], opacity, out=np.zeros((len(points), 3)), where=seen)
    srgb = np.where(seen, made.back(plain + white / 2), 0.0)
    return _rounded(np.hstack([srgb, opacity * OPAQUE]))


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, OPAQUE)).astype(np.uint8)
