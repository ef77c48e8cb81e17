"""How far a picture in few colours is from the original, and how many bytes it takes."""

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

from cohortlab.features.colours import OPAQUE
from cohortlab.palette.files import palette_png, plain_png
from cohortlab.palette.quantising import Quantised

#: Smallest side of a picture that has a structural similarity: the window's.
SSIM_WINDOW = 7


def measure(picture: np.ndarray, found: Quantised, *, blur_px: float = 2.0) -> dict[str, float]:
    """Measure a picture in few colours against the original.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3) or (height, width, 4)
        The original.
    found : Quantised
        The same in few colours.
    blur_px : float, default 2
        Standard deviation of the blur that stands for a look from afar, pixels.

    Returns
    -------
    dict of str to float
        `colours` (of the palette), `bytes` (of the indexed PNG), `bytes_original` (of the
        original as a PNG of RGB or RGBA), `bytes_ratio` (the former over the latter), `mse` (mean
        squared error of sRGB), `psnr_db` (infinite where nothing differs), `psnr_afar_db`
        (both pictures blurred), `ssim` (1 for equal pictures; NaN where a side is shorter than 7
        pixels), `delta_e_mean`, `delta_e_p95` (CIEDE2000) and `alpha_error` (largest, 0 to 255).

    Notes
    -----
    What is transparent shows what lies behind it, so such a picture is measured over black and
    over white, one above the other.
    """
    before, after = shown(picture), shown(found.pixels[..., : picture.shape[2]])
    error = before - after
    # A blur is linear: that of the difference is the difference of the blurs.
    afar = gaussian_filter(error, (blur_px, blur_px, 0)) if blur_px else error
    differences = delta_e(before, after)
    alpha = _alpha(picture) - found.pixels[..., 3].astype(int)
    n_bytes, n_original = len(palette_png(found)), len(plain_png(picture))
    return {
        "colours": len(found.palette),
        "bytes": n_bytes,
        "bytes_original": n_original,
        "bytes_ratio": n_bytes / n_original,
        "mse": float((error**2).mean()),
        "psnr_db": _decibels(error),
        "psnr_afar_db": _decibels(afar),
        "ssim": _ssim(before, after),
        "delta_e_mean": float(differences.mean()),
        "delta_e_p95": float(np.quantile(differences, 0.95)),
        "alpha_error": int(np.abs(alpha).max()),
    }


def shown(picture: np.ndarray) -> np.ndarray:
    """Lay a picture over black and over white, where it is transparent anywhere.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3) or (height, width, 4)
        sRGB, and perhaps alpha.

    Returns
    -------
    ndarray of float64, shape (height or 2 height, width, 3)
        0 to 255; both pictures, one above the other, or the opaque one.
    """
    colours = picture[..., :3].astype(float)
    if picture.shape[2] == 3:
        return colours
    opacity = picture[..., 3:] / OPAQUE
    over_black = colours * opacity
    return np.concatenate([over_black, over_black + (1 - opacity) * OPAQUE])


def _decibels(error: np.ndarray) -> float:
    return float(10 * np.log10(OPAQUE**2 / (error**2).mean())) if error.any() else float("inf")


def _alpha(picture: np.ndarray) -> np.ndarray:
    return picture[..., 3].astype(int) if picture.shape[2] == 4 else np.array(OPAQUE)


def _ssim(before: np.ndarray, after: np.ndarray) -> float:
    if min(before.shape[:2]) < SSIM_WINDOW:
        return float("nan")
    return float(structural_similarity(before, after, channel_axis=2, data_range=OPAQUE))


def delta_e(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the colour difference CIEDE2000 of each pixel.

    Parameters
    ----------
    before, after : ndarray of shape (height, width, 3)
        sRGB, 0 to 255.

    Returns
    -------
    ndarray of shape (height, width)
        About 1 is just noticeable side by side, 10 at a glance.
    """
    return deltaE_ciede2000(rgb2lab(before / OPAQUE), rgb2lab(after / OPAQUE))
