"""Floyd-Steinberg dithering: the error of a pixel is passed on to those that come after it."""

import numpy as np

from cohortlab.compiled import compiled


def dither(points: np.ndarray, palette: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """Give each pixel a colour of the palette, so that neighbours make up for its error.

    Parameters
    ----------
    points : ndarray of shape (height, width, n_dimensions)
        The picture, as points of a space.
    palette : ndarray of shape (n_palette, n_dimensions)
        The palette there.
    clear : ndarray of bool, shape (height, width)
        Pixels that are wholly transparent: they take no error and pass none on.

    Returns
    -------
    ndarray of int32, shape (height, width)
        Place in the palette; -1 for clear pixels.

    Notes
    -----
    Floyd and Steinberg (1976): 7/16 of the error go right, 3/16 below left, 5/16 below and 1/16
    below right; lines are taken from the top, each from the left. Errors are not clipped.
    """
    return _diffuse(np.array(points, dtype=float), np.ascontiguousarray(palette), clear)


@compiled()
def _diffuse(points, palette, clear):
    height, width, n_dimensions = points.shape
    chosen = np.full((height, width), -1, dtype=np.int32)
    for y in range(height):
        for x in range(width):
            if clear[y, x]:
                continue
            nearest, best = 0, np.inf
            for j in range(len(palette)):
                away = 0.0
                for d in range(n_dimensions):
                    away += (points[y, x, d] - palette[j, d]) ** 2
                if away < best:
                    nearest, best = j, away
            chosen[y, x] = nearest
            for d in range(n_dimensions):
                error = points[y, x, d] - palette[nearest, d]
                if x + 1 < width:
                    points[y, x + 1, d] += error * (7 / 16)
                if y + 1 < height:
                    if x > 0:
                        points[y + 1, x - 1, d] += error * (3 / 16)
                    points[y + 1, x, d] += error * (5 / 16)
                    if x + 1 < width:
                        points[y + 1, x + 1, d] += error * (1 / 16)
    return chosen
