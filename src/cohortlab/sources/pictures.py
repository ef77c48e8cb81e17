"""Read pictures: upright, in sRGB of eight bits, with their alpha, as a table of pixels."""

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageOps, UnidentifiedImageError

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.cleaning import PictureRules, check_rules
from cohortlab.sources.errors import SourceError
from cohortlab.sources.files import Place, SourceFile, blocks, find_files
from cohortlab.sources.log import NO_ROWS, REJECTS, Log

FORMS = (".png", ".jpg", ".jpeg", ".webp")
_FORMATS = ("PNG", "JPEG", "WEBP")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I")
_PICTURES = pa.schema(
    [
        *((name, pa.string()) for name in ("picture", "file", "form", "mode")),
        *((name, pa.int32()) for name in ("file_width", "file_height", "width", "height")),
    ]
)
_PIXELS = pa.schema(
    [
        ("picture", pa.dictionary(pa.int32(), pa.string())),
        ("pixel", pa.int32()),
        *((name, pa.uint8()) for name in ("red", "green", "blue", "alpha")),
    ]
)


def read_pictures(
    path: str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str = "",
    cleaning: Mapping | PictureRules | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read pictures as a log: which pixel of which picture has which colour.

    Parameters
    ----------
    path : str
        A file or a glob: ``.png .jpg .jpeg .webp``.
    columns, encoding
        What other kinds of log take; pictures have neither columns to map nor text.
    cleaning : mapping or PictureRules, optional
        Rules that differ from the defaults of `PictureRules`.
    scratch : Path
        Folder for temporary files; it must outlive the log.
    study : str
        Name of the study, for messages.
    memory_limit : str, default "1GB"
        Memory that DuckDB may use.
    threads : int, optional
        Threads to use; no result depends on it.

    Returns
    -------
    Log
        Table `pictures`: `picture` (the file's name), `file`, `form`, `mode`, `file_width` and
        `file_height` (as in the file), `width`, `height` (as read); and table `pixels`: `picture`,
        `pixel` (row by row from 0), `red, green, blue, alpha` (0 to 255). No row is rejected.

    Raises
    ------
    SourceError
        If a picture is broken, of another form, or has too many pixels.
    """
    rules = check_rules(PictureRules, cleaning, study=study)
    place, scratch = Place(study, "pictures"), Path(scratch)
    if columns:
        raise SourceError(f"{place.key('columns')} must be {{}}: pictures have no columns to map.")
    files = find_files(path, place=place, forms=FORMS)
    connection = connect(scratch, memory_limit=memory_limit, threads=threads)
    rows, n_pixels = [], 0
    with pq.ParquetWriter(scratch / "pixels.parquet", _PIXELS) as writer:
        for name, file in zip(_names(files), files, strict=True):
            pixels, facts = read_picture(
                b"".join(blocks(file)), name=file.name, rules=rules, place=place
            )
            rows.append({"picture": name, "file": file.name, **facts})
            writer.write_table(_pixel_table(name, pixels))
            n_pixels += pixels.shape[0] * pixels.shape[1]
    pq.write_table(pa.Table.from_pylist(rows, schema=_PICTURES), scratch / "pictures.parquet")
    pq.write_table(REJECTS.empty_table(), scratch / "rejects.parquet")
    read = {name: connection.read_parquet(str(scratch / f"{name}.parquet"), table_name=name)
            for name in ("pictures", "pixels", "rejects")}  # fmt: skip
    tables = {
        "pictures": read["pictures"].order_by("picture"),
        "pixels": read["pixels"].order_by("picture", "pixel"),
    }
    numbers = {"pictures": len(rows), "pixels": n_pixels}
    counts = {name: NO_ROWS | {"rows_read": n, "rows_kept": n} for name, n in numbers.items()}
    return Log(tables, read["rejects"], counts)


def read_picture(
    content: bytes, *, name: str, rules: PictureRules, place: Place
) -> tuple[np.ndarray, dict]:
    """
    Decode a picture.

    Parameters
    ----------
    content : bytes
        The file: PNG, JPEG or WebP.
    name : str
        What messages call it.
    rules : PictureRules
        How large it may be, and how large it is wanted.
    place : Place
        Where the rules stand in ``params.yaml``, for messages.

    Returns
    -------
    pixels : ndarray of uint8, shape (height, width, 4)
        Red, green, blue, alpha; turned as its EXIF data say. Of several frames, the first.
    facts : dict
        `form`, `mode`, `file_width`, `file_height`, `width` and `height`.

    Raises
    ------
    SourceError
        If the picture cannot be decoded, or has too many pixels.

    Notes
    -----
    CMYK becomes sRGB by the plain formula; colour profiles are not applied. Of sixteen bits,
    grey is rounded to eight, and of colours Pillow keeps the upper eight.
    """
    try:
        with warnings.catch_warnings():
            # Below the hard limit of Pillow, ours counts.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
                width, height = opened.size
                _check_size(width * height, name, rules, place)
                facts = {"form": opened.format, "mode": opened.mode}
                image = _eight_bits(ImageOps.exif_transpose(opened))
    except Image.DecompressionBombError:
        _check_size(None, name, rules, place)
    except _BROKEN as error:
        if isinstance(error, SourceError):
            raise
        fault = "no form that is known" if isinstance(error, UnidentifiedImageError) else error
        raise SourceError(
            f"{name} cannot be read as a picture ({fault}). Expected a "
            f"whole PNG, JPEG or WebP file; repair it, or leave it out of {place.key('path')}."
        ) from error
    if rules.max_side is not None and max(image.size) > rules.max_side:
        image.thumbnail((rules.max_side, rules.max_side), Image.Resampling.LANCZOS)
    facts |= {"file_width": width, "file_height": height}
    return np.asarray(image), facts | {"width": image.width, "height": image.height}


def _check_size(n_pixels: int | None, name: str, rules: PictureRules, place: Place) -> None:
    if n_pixels is None or n_pixels > rules.max_pixels:
        found = "far too many" if n_pixels is None else f"{n_pixels:,}"
        raise SourceError(
            f"{name} has {found} pixels, and at most {rules.max_pixels:,} are decoded: a small "
            "file may claim any number to fill the memory. If it is what it says, raise "
            f"{place.key('cleaning')}.max_pixels."
        )


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring a picture of any mode to red, green, blue and alpha of eight bits."""
    if image.mode in _SIXTEEN_BITS:
        values, clear = np.asarray(image, dtype=float), image.info.get("transparency")
        grey = np.rint(values / 257).clip(0, 255)
        # A PNG of grey may name one of its 65,536 levels as clear.
        alpha = np.where(values == clear, 0, 255)
        return Image.fromarray(np.stack([grey, grey, grey, alpha], axis=-1).astype(np.uint8))
    return image.convert("RGBA")


def _names(files: list[SourceFile]) -> list[str]:
    """Call pictures by their files' names without the ending, where that tells them apart."""
    stems = [PurePosixPath(file.name).stem for file in files]
    return (
        stems if len(set(stems)) == len(stems) else [file.name.replace("/", "_") for file in files]
    )


def _pixel_table(name: str, pixels: np.ndarray) -> pa.Table:
    flat = pixels.reshape(-1, 4)
    names = pa.DictionaryArray.from_arrays(np.zeros(len(flat), dtype=np.int32), [name])
    place = np.arange(len(flat), dtype=np.int32)
    channels = [np.ascontiguousarray(channel) for channel in flat.T]
    return pa.Table.from_arrays([names, pa.array(place), *map(pa.array, channels)], schema=_PIXELS)
