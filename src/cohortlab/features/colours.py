"""Colours as numbers: codes of four bytes, hexadecimal names, and the space OKLab."""

import numpy as np

OPAQUE = 255
# Ottosson (2020), A perceptual color space for image processing: linear sRGB to cone responses,
# and their cube roots to lightness, green-red and blue-yellow.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_CONES, _FROM_LAB = np.linalg.inv(_TO_CONES), np.linalg.inv(_TO_LAB)


def colour_codes(pixels: np.ndarray) -> np.ndarray:
    """Pack colours into whole numbers: red, green, blue and alpha, a byte each.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (..., 3) or (..., 4)
        sRGB, and alpha where it is there; opaque where not.

    Returns
    -------
    ndarray of uint32, shape (...,)
        A code for each.

    Examples
    --------
    >>> [f"{code:08x}" for code in colour_codes(np.array([[255, 0, 16]], dtype=np.uint8))]
    ['ff0010ff']
    """
    codes = np.full(pixels.shape[:-1], OPAQUE, dtype="<u4")
    parts = codes[..., np.newaxis].view(np.uint8)
    for channel in range(pixels.shape[-1]):
        parts[..., 3 - channel] = pixels[..., channel]
    return codes


def unpack_codes(codes: np.ndarray) -> np.ndarray:
    """Take codes apart again.

    Parameters
    ----------
    codes : ndarray of uint32, shape (...,)
        From `colour_codes`.

    Returns
    -------
    ndarray of uint8, shape (..., 4)
        Red, green, blue, alpha.
    """
    return np.ascontiguousarray(codes, dtype=">u4")[..., np.newaxis].view(np.uint8)


def hex_name(colour: np.ndarray) -> str:
    """Name a colour as the web does.

    Parameters
    ----------
    colour : array-like of 3 or 4 whole numbers from 0 to 255
        Red, green, blue, and perhaps alpha.

    Returns
    -------
    str
        `#rrggbb`, and two more digits where it is not opaque.

    Examples
    --------
    >>> hex_name([255, 0, 16]), hex_name([255, 0, 16, 128])
    ('#ff0010', '#ff001080')
    """
    name = "#" + bytes(int(part) for part in colour).hex()
    return name[:7] if name.endswith("ff") else name


def to_oklab(srgb: np.ndarray) -> np.ndarray:
    """Turn sRGB into OKLab, in which equal distances look about equally large.

    Parameters
    ----------
    srgb : ndarray of shape (..., 3)
        Red, green and blue, 0 to 255.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        Lightness (0 black to 1 white), green-red and blue-yellow (0 grey).

    Examples
    --------
    >>> (to_oklab(np.array([255, 255, 255])).round(3) + 0.0).tolist()
    [1.0, 0.0, 0.0]
    """
    encoded = np.asarray(srgb) / 255.0
    low = encoded <= 0.04045
    linear = np.where(low, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def from_oklab(oklab: np.ndarray) -> np.ndarray:
    """Turn OKLab into sRGB; colours that no screen has go to the nearest end of each channel.

    Parameters
    ----------
    oklab : ndarray of shape (..., 3)
        As `to_oklab` gives it.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        0 to 255, not rounded.
    """
    linear = np.clip(((np.asarray(oklab) @ _FROM_LAB.T) ** 3) @ _FROM_CONES.T, 0.0, 1.0)
    low = linear <= 0.0031308
    encoded = np.where(low, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded * 255.0
