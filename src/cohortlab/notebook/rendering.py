"""Figures and tables as notebooks keep them: small, and the same bytes every time."""

import io
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

SCREEN_DPI = 90
PALETTE_COLOURS = 256
#: Sizes of a palette that are tried, the smallest first.
_PALETTES = (64, 128, PALETTE_COLOURS)
#: How far a palette may move a channel of a pixel: half of what parts two colours of groups.
_FURTHEST = 24


def palette_png(
    figure: Figure, *, colours: int = PALETTE_COLOURS, fewest: int = _PALETTES[0]
) -> bytes:
    """Render a figure as a palette PNG: small, and the same bytes for the same figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to render, at screen resolution.
    colours : int
        Of the palette, at most 256.
    fewest : int, default 64
        The smallest palette that is tried; `colours` where that is less.

    Returns
    -------
    bytes
        The file's content, with no metadata in it.

    Notes
    -----
    Of palettes with 64, 128 and 256 colours the first is taken that moves no channel of any pixel
    by more than 24 of 255; where none does or `colours` forbids more, the largest allowed. A figure
    that holds a picture gets the largest: where light changes slowly, less shows as bands.
    """
    pictured = any(np.ndim(image.get_array()) == 3 for axes in figure.axes for image in axes.images)
    raw = io.BytesIO()
    with warnings.catch_warnings():
        # What no font here can write is drawn as a box: to be seen, and no fault of the notebook.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(raw, format="png", dpi=SCREEN_DPI, bbox_inches="tight", metadata={})
    small = io.BytesIO()
    whole = Image.open(raw).convert("RGB")
    if pictured:
        # Median cut spends colours where most pixels are, maximum coverage where any is.
        few = whole.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=1)
    else:
        few = _in_few_colours(whole, colours, fewest)
    few.save(small, "PNG", optimize=True)
    # Closed, it is not shown a second time when the cell ends.
    plt.close(figure)
    return small.getvalue()


def _in_few_colours(picture: Image.Image, most: int, fewest: int) -> Image.Image:
    before = np.asarray(picture, dtype=np.int16)
    for size in sorted({min(max(size, fewest), most) for size in _PALETTES}):
        # Maximum coverage keeps rare colours, such as those of a legend, which median cut merges;
        # a step of k-means from there moves the others to where the picture has them.
        few = picture.quantize(size, Image.Quantize.MAXCOVERAGE, kmeans=1)
        if np.abs(np.asarray(few.convert("RGB")) - before).max() <= _FURTHEST:
            break
    return few


def compact_html(table: pd.DataFrame) -> str | None:
    """Write a table as HTML of half the usual size, for notebooks that are kept.

    Parameters
    ----------
    table : pandas.DataFrame
        What to show; of a long or wide one as much as pandas' options say.

    Returns
    -------
    str or None
        What pandas writes, a line for each row, and without styles: every page that shows
        notebooks has its own. None, as pandas gives, where its option `display.notebook_repr_html`
        is off: a notebook shows plain text then.

    Examples
    --------
    >>> print(compact_html(pd.DataFrame({"x": [1]})))
    <div>
    <table border="1" class="dataframe">
      <thead>
        <tr style="text-align: right;"><th></th><th>x</th></tr>
      </thead>
      <tbody>
        <tr><th>0</th><td>1</td></tr>
      </tbody>
    </table>
    </div>
    """
    html = table._repr_html_()
    if html is None:
        return None
    html = re.sub(r"<style scoped>.*?</style>\n", "", html, flags=re.DOTALL)
    # In a cell's own text no `>` is left as it is, so these are the ends of tags.
    return re.sub(r">\n\s*(?=<t[dh][ >]|</tr>)", ">", html)
