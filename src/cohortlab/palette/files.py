"""PNG files: of a palette and a place in it for each pixel, and of a colour for each pixel."""

import io

import numpy as np
from PIL import Image

from cohortlab.features.colours import OPAQUE
from cohortlab.palette.quantising import Quantised


def palette_png(found: Quantised) -> bytes:
    """Write a picture in few colours as a palette PNG, at the best compression.

    Parameters
    ----------
    found : Quantised
        The picture.

    Returns
    -------
    bytes
        A file whose table holds exactly the palette, alpha in its tRNS chunk, with 1, 2, 4 or 8
        bits a pixel as the palette needs; no metadata.
    """
    image = Image.fromarray(found.indices, "P")
    image.putpalette(found.palette[:, :3].tobytes())
    alpha = found.palette[:, 3]
    transparent = {} if (alpha == OPAQUE).all() else {"transparency": alpha.tobytes()}
    target = io.BytesIO()
    image.save(target, "PNG", optimize=True, **transparent)
    return target.getvalue()


def plain_png(picture: np.ndarray) -> bytes:
    """Write a picture as a PNG of 24 or 32 bits a pixel, at the best compression.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3 or 4)
        RGB or RGBA.

    Returns
    -------
    bytes
        A file without loss, no metadata: what a palette PNG is to be held against.
    """
    target = io.BytesIO()
    Image.fromarray(picture).save(target, "PNG", optimize=True)
    return target.getvalue()


def read_palette_png(content: bytes) -> Quantised:
    """Read a palette PNG back, colours and places as they stand in the file.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    Quantised
        The table may hold colours that no pixel has.

    Raises
    ------
    ValueError
        If it is no palette PNG.
    """
    image = Image.open(io.BytesIO(content))
    if image.format != "PNG" or image.mode != "P":
        raise ValueError(f"expected a palette PNG, got {image.format} of mode {image.mode}.")
    indices = np.array(image)
    colours = np.frombuffer(image.palette.palette, dtype=np.uint8).reshape(-1, 3)
    alpha = np.full((len(colours), 1), OPAQUE, dtype=np.uint8)
    said = image.info.get("transparency", b"")
    if isinstance(said, int):
        alpha[said] = 0
    else:
        alpha[: len(said), 0] = np.frombuffer(said, dtype=np.uint8)
    return Quantised(np.hstack([colours, alpha]), indices)
