"""What all figures share: colours that survive colour blindness, and sizes that fit a screen."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

DIVERGING = "RdBu_r"
SEQUENTIAL = "cividis"
MUTED = "0.55"
#: The ground of a cell without a value.
EMPTY = "0.85"
# Wong (2011), Points of view: color blindness, in seaborn's print, without its twins of orange and
# pink; then dark hues, so that lightness too tells the later ones from the earlier.
_GROUPS = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#56b4e9", "#7f0000", "#ece133", "#332288", "#004d40"),
)
_MOST_ROUNDS = 200
#: Labels that an axis has room for.
_MOST_TICKS = 7
#: Shares of red, green and blue light in the luminance, and the luminance at which black and white
#: stand out equally, 4.6 to 1 (WCAG 2.2, relative luminance and contrast ratio).
_LUMINANCE, _EQUAL = (0.2126, 0.7152, 0.0722), np.sqrt(1.05 * 0.05) - 0.05


def cluster_colours(n_clusters: int) -> list[tuple[float, float, float]]:
    """Return one colour a cluster, in the order of the clusters.

    Parameters
    ----------
    n_clusters : int
        How many; up to ten are told apart by colour-blind eyes too, more are spread over a
        sequential map.

    Returns
    -------
    list of tuple of float
        Red, green and blue in [0, 1].
    """
    if n_clusters <= len(_GROUPS):
        return sns.color_palette(_GROUPS[:n_clusters])
    return sns.color_palette("viridis", n_clusters)


def panels(n_panels: int, *, columns: int = 3, width: float = 3.3, height: float = 2.6):
    """Make a grid of axes, the surplus ones hidden.

    Parameters
    ----------
    n_panels : int
        How many are needed, at least 1.
    columns : int, default 3
        At most so many beside each other.
    width, height : float
        Inches a panel.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure, with constrained layout.
    axes : ndarray of matplotlib.axes.Axes, shape (n_panels,)
        Row by row.
    """
    columns = min(columns, n_panels)
    rows = -(-n_panels // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(width * columns, height * rows), layout="constrained", squeeze=False
    )
    for surplus in grid.flat[n_panels:]:
        surplus.set_visible(False)
    return figure, grid.ravel()[:n_panels]


def shorten(text: str, length: int = 28) -> str:
    """Shorten a label at the end.

    Parameters
    ----------
    text : str
        The label.
    length : int, default 28
        At most so many letters, the ellipsis included.

    Returns
    -------
    str
        The label itself where it fits.

    Examples
    --------
    >>> shorten("white hanging heart", 8)
    'white h…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def heat_map(
    axes: Axes,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    label: str,
    limit: float | None = None,
    centre: float = 0.0,
    span: tuple[float, float] | None = None,
    notes: np.ndarray | None = None,
) -> None:
    """Draw a matrix as coloured cells with their numbers.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    values : ndarray of shape (n_rows, n_columns)
        NaN cells stay grey.
    rows, columns : sequence of str
        Labels, shortened where long; dollar signs are taken as they are.
    label : str
        What the colour means, with its unit.
    limit : float, optional
        For values around a centre: colours run from centre - limit to centre + limit. Sequential
        colours without it.
    centre : float, default 0
        The value that is white.
    span : (float, float), optional
        Values between which sequential colours run; those beyond look like the nearer end. By
        default all of them.
    notes : ndarray of str, shape (n_rows, n_columns), optional
        What to write into the cells; the values by default.

    Returns
    -------
    None
    """
    low, high = (centre - limit, centre + limit) if limit else span or (None, None)
    colours = {"cmap": DIVERGING if limit else SEQUENTIAL, "vmin": low, "vmax": high}
    cells = np.ma.masked_invalid(np.asarray(values, dtype=float))
    # seaborn's own would lay the whole figure out once more, to see whether labels overlap.
    mesh = axes.pcolormesh(cells, edgecolors="white", linewidth=0.5, **colours)
    _write_cells(axes, mesh, cells, notes)
    beyond = "neither" if span is None else _beyond(values, span)
    axes.figure.colorbar(mesh, ax=axes, label=label, extend=beyond).outline.set_visible(False)
    axes.set_facecolor(EMPTY)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()
    slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor", "fontsize": 8}
    axes.set_xticks(np.arange(len(columns)) + 0.5, [plain(shorten(c)) for c in columns], **slanted)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [plain(shorten(r, 40)) for r in rows], fontsize=8)


def _write_cells(
    axes: Axes, mesh: QuadMesh, cells: np.ma.MaskedArray, notes: np.ndarray | None
) -> None:
    """Write a note into each coloured cell, white on dark colours and black on light ones."""
    inks = ink_on(mesh.cmap(mesh.norm(cells)))
    for row, column in np.argwhere(~np.ma.getmaskarray(cells)):
        note = f"{cells[row, column]:.2g}" if notes is None else notes[row, column]
        look = {"ha": "center", "va": "center", "fontsize": 8}
        axes.text(column + 0.5, row + 0.5, note, color=inks[row, column], **look)


def ink_on(colours: np.ndarray, *, under: str = "white") -> np.ndarray:
    """Choose the colour in which text can be read on others: black or white.

    Parameters
    ----------
    colours : ndarray of shape (..., 4)
        Red, green, blue and opacity in [0, 1].
    under : str, default "white"
        The opaque colour beneath them, as matplotlib names it.

    Returns
    -------
    ndarray of str, shape (...)
        `#000` or `#fff`, whichever has the higher contrast: at least 4.5 to 1 on any colour.

    Examples
    --------
    >>> ink_on(np.array([[0.5, 0.0, 0.0, 1.0], [0.5, 0.0, 0.0, 0.1]])).tolist()
    ['#fff', '#000']
    """
    opacity = colours[..., 3:]
    seen = opacity * colours[..., :3] + (1 - opacity) * to_rgb(under)
    light = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    return np.where(light @ _LUMINANCE > _EQUAL, "#000", "#fff")


def _beyond(values: np.ndarray, span: tuple[float, float]) -> str:
    """Name the ends of a colour bar that stand for values beyond it."""
    below, above = (values < span[0]).any(), (values > span[1]).any()
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[below, above]


def spread_labels(places: np.ndarray, size: tuple[float, float]) -> np.ndarray:
    """Move labels apart that lie on each other, each pair along the shorter way.

    Parameters
    ----------
    places : ndarray of shape (n_labels, 2)
        Centres.
    size : (float, float)
        Width and height of a label in the same units, both positive.

    Returns
    -------
    ndarray of shape (n_labels, 2)
        New centres; those of labels that lie free are unchanged.

    Examples
    --------
    >>> spread_labels(np.array([[0.0, 0.0], [0.0, 0.2], [9.0, 9.0]]), (1.0, 1.0)).round(1).tolist()
    [[0.0, -0.4], [0.0, 0.6], [9.0, 9.0]]
    """
    moved = np.array(places, dtype=float) / size
    first, second = np.triu_indices(len(moved), 1)
    for _ in range(_MOST_ROUNDS):
        steps = np.zeros_like(moved)
        for one, other in zip(first, second, strict=True):
            apart = moved[other] - moved[one]
            axis = int(np.abs(apart).argmax())
            overlap = 1.0 - abs(apart[axis])
            if overlap > 1e-9:
                step = np.copysign(overlap / 2, apart[axis])
                steps[one, axis] -= step
                steps[other, axis] += step
        if not steps.any():
            break
        moved += steps
    return moved * size


class _FewTicks(LogLocator):
    """Ticks of a logarithmic axis, no more than seven, so that their labels have room."""

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        ticks = super().tick_values(vmin, vmax)
        if np.count_nonzero((ticks >= vmin) & (ticks <= vmax)) <= _MOST_TICKS:
            return ticks
        if vmax < 10 * vmin:
            return MaxNLocator(4).tick_values(vmin, vmax)
        return LogLocator(numticks=_MOST_TICKS).tick_values(vmin, vmax)


def few_ticks(low: float, high: float) -> list[float]:
    """Choose ticks of a logarithmic axis: 1, 2 and 5 of each power of ten, or the powers alone.

    Parameters
    ----------
    low, high : float
        Of the values, above 0.

    Returns
    -------
    list of float
        Between both, at most seven; the ends themselves where no round number lies between.

    Examples
    --------
    >>> few_ticks(0.8, 14)
    [1.0, 2.0, 5.0, 10.0]
    >>> few_ticks(3, 3)
    [3]
    """
    if low < high:
        ticks = _FewTicks(subs=(1.0, 2.0, 5.0), numticks=12).tick_values(low, high)
        if inside := [float(tick) for tick in ticks if low <= tick <= high]:
            return inside
    return sorted({low, high})


def logarithmic(axis: Axis) -> None:
    """Make an axis logarithmic, with plain numbers at 1, 2 and 5 of each power of ten.

    Where these are more than seven, the powers alone; on less than a power, some round numbers.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        `axes.xaxis` or `axes.yaxis`, on which only positive values are drawn.

    Returns
    -------
    None
    """
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    axis.set_major_locator(_FewTicks(subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def plain(text: str) -> str:
    """Make text safe as a figure's label: a dollar sign in it starts no formula.

    Parameters
    ----------
    text : str
        Text that comes from data.

    Returns
    -------
    str
        The text, its dollar signs escaped.
    """
    return str(text).replace("$", r"\$")


def signed_log(values: np.ndarray) -> np.ndarray:
    """Take the logarithm of 1 + value; of a value below 0 that of its size, below 0.

    Parameters
    ----------
    values : ndarray
        Any numbers.

    Returns
    -------
    ndarray
        Of the same shape.

    Examples
    --------
    >>> signed_log(np.array([-3.0, 0.0, 3.0])).round(2).tolist()
    [-1.39, 0.0, 1.39]
    """
    return np.sign(values) * np.log1p(np.abs(values))


def empty_figure(message: str) -> Figure:
    """Draw a figure that only says why there is nothing to see.

    Parameters
    ----------
    message : str
        The reason.

    Returns
    -------
    matplotlib.figure.Figure
        A small figure.
    """
    figure, axes = plt.subplots(figsize=(6.0, 1.2))
    axes.text(0.5, 0.5, plain(message), ha="center", va="center")
    axes.set_axis_off()
    return figure
