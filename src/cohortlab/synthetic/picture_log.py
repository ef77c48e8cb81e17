"""Pictures: drawn ones, of which the colours are known, and photographs that scikit-learn ships."""

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_keys

PHOTOGRAPHS = ("china", "flower")
#: Truth of a drawn picture: its colours before any noise; None where it is made of no few colours.
Drawn = tuple[np.ndarray, np.ndarray | None]
# Flat colours lie at least so far apart in sRGB, so that noise never mixes them.
_APART = 60.0


def generate_pictures(
    folder: Path,
    truth_folder: Path,
    *,
    photographs: Sequence[str],
    drawn: Sequence[str],
    side: int,
    n_flat: int,
    noise: float,
    rng: np.random.Generator,
) -> dict[str, int]:
    """Draw pictures, and put photographs beside them.

    Parameters
    ----------
    folder : Path
        Gets a PNG for each drawn picture and the photographs as they are.
    truth_folder : Path
        Gets ``palettes.parquet`` (``picture, red, green, blue, alpha, noise``): the colours that a
        picture was made of, for pictures made of few.
    photographs : sequence of str
        Of scikit-learn: ``china``, ``flower``.
    drawn : sequence of str
        Names in `DRAWN`.
    side : int
        Of drawn pictures, pixels, from 16; the single pixel has one.
    n_flat : int
        Colours of flat shapes, 2 to 16.
    noise : float
        Standard deviation of the noise on noisy shapes, levels of 255, from 0.
    rng : numpy.random.Generator
        Source of randomness; every drawn picture has a stream of its own.

    Returns
    -------
    dict
        Pictures by kind: ``photographs``, ``drawn``.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names it.
    """
    _check_names(photographs, PHOTOGRAPHS, where="photographs")
    _check_names(drawn, tuple(DRAWN), where="drawn")
    check_number(side, where="side", low=16, high=4096, whole=True)
    check_number(n_flat, where="n_flat", low=2, high=16, whole=True)
    check_number(noise, where="noise", low=0, high=20)
    if not [*photographs, *drawn]:
        raise ValueError("photographs and drawn are both empty: expected one picture at least")
    for name in photographs:
        content = (files("sklearn.datasets.images") / f"{name}.jpg").read_bytes()
        (folder / f"{name}.jpg").write_bytes(content)
    planted = []
    # By name, so that one picture less changes no other.
    streams = dict(zip(DRAWN, rng.spawn(len(DRAWN)), strict=True))
    for name in drawn:
        pixels, palette = DRAWN[name](side, n_flat, noise, streams[name])
        Image.fromarray(pixels).save(folder / f"{name}.png")
        if palette is not None:
            planted.append(_planted(name, palette, noise if name == "noisy_shapes" else 0.0))
    columns = ["picture", "red", "green", "blue", "alpha", "noise"]
    table = pd.concat(planted) if planted else pd.DataFrame(columns=columns)
    table.to_parquet(truth_folder / "palettes.parquet", index=False)
    return {"photographs": len(photographs), "drawn": len(drawn)}


def _check_names(names: object, known: Sequence[str], *, where: str) -> None:
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise ValueError(f"{where}: expected a list of names, got {names!r}")
    check_keys(dict.fromkeys([*names, *known]), known, where=where)


def _planted(name: str, palette: np.ndarray, noise: float) -> pd.DataFrame:
    four = np.full((len(palette), 4), 255)
    four[:, : palette.shape[1]] = palette
    table = pd.DataFrame(four, columns=["red", "green", "blue", "alpha"])
    table.insert(0, "picture", name)
    return table.assign(noise=noise)


def _gradient(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    across, down = np.meshgrid(np.linspace(0, 255, side), np.linspace(0, 255, side))
    return _levels(np.stack([across, down, 255 - (across + down) / 2], axis=2)), None


def _noise(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    return rng.integers(0, 256, (side, side, 3), dtype=np.uint8), None


def _grey(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    across, down = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    return _levels(255 * np.exp(-2 * (across**2 + down**2))), None


def _shapes(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    palette = _colours_apart(n_flat, rng)
    return palette[_regions(side, n_flat, rng)], palette


def _noisy_shapes(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    # Away from black and white, where noise would be cut off.
    palette = np.rint(40 + _colours_apart(n_flat, rng) * (175 / 255)).astype(np.uint8)
    flat = palette[_regions(side, n_flat, rng)]
    return _levels(flat + rng.normal(0, noise, flat.shape)), palette


def _transparent(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    """Draw a disc that fades towards its edge, on nothing."""
    across, down = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    away = np.hypot(across, down)
    colours = np.stack([255 * away, 90 + 80 * down, 200 - 100 * across], axis=2)
    opacity = 255 * np.clip((0.95 - away) / 0.3, 0, 1)
    return _levels(np.concatenate([colours, opacity[..., None]], axis=2)), None


def _one_colour(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    palette = rng.integers(0, 256, (1, 3), dtype=np.uint8)
    return np.tile(palette[0], (side, side, 1)), palette


def _single_pixel(side: int, n_flat: int, noise: float, rng: np.random.Generator) -> Drawn:
    return _one_colour(1, n_flat, noise, rng)


#: Pictures that can be drawn, by name.
DRAWN: Mapping[str, Callable[[int, int, float, np.random.Generator], Drawn]] = {
    "gradient": _gradient,
    "noise": _noise,
    "shapes": _shapes,
    "noisy_shapes": _noisy_shapes,
    "transparent": _transparent,
    "grey": _grey,
    "one_colour": _one_colour,
    "single_pixel": _single_pixel,
}


def _levels(values: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def _colours_apart(n_colours: int, rng: np.random.Generator) -> np.ndarray:
    return _drawn_apart(n_colours, (256, 256, 256), _APART, rng).astype(np.uint8)


def _drawn_apart(
    n_points: int, limits: tuple[int, ...], apart: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw whole points of a box, each so far from all before."""
    points = [rng.integers(0, limits)]
    while len(points) < n_points:
        drawn = rng.integers(0, limits)
        if min(np.linalg.norm(drawn - other) for other in points) >= apart:
            points.append(drawn)
    return np.array(points)


def _regions(side: int, n_regions: int, rng: np.random.Generator) -> np.ndarray:
    """Part a square into regions, each of the pixels nearest to a point; no region is empty."""
    places = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=2).reshape(-1, 2)
    points = _drawn_apart(n_regions, (side, side), 0.5 * side / np.sqrt(n_regions), rng)
    away = ((places[:, None] - points[None]) ** 2).sum(axis=2)
    return away.argmin(axis=1).reshape(side, side)
