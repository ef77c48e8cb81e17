import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cohortlab.sources import SourceError, read_pictures
from cohortlab.sources.kinds import KINDS


def save(folder, name, image, **options):
    image.save(folder / name, **options)
    return image


def read(folder, scratch, pattern="*", **cleaning):
    return read_pictures(str(folder / pattern), cleaning=cleaning, scratch=scratch, study="palette")


def read_one(folder, scratch, pattern="*", **cleaning):
    log = read(folder, scratch, pattern, **cleaning)
    (facts,) = log.tables["pictures"].to_pandas().to_dict("records")
    channels = log.tables["pixels"].to_pandas()[["red", "green", "blue", "alpha"]].to_numpy()
    return channels.reshape(facts["height"], facts["width"], 4), facts


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "pictures"
    path.mkdir()
    return path


@pytest.fixture
def scratch(tmp_path):
    path = tmp_path / "scratch"
    path.mkdir()
    return path


def colours(shape=(5, 7), n_channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, n_channels), dtype=np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
@pytest.mark.parametrize("n_channels", [3, 4])
def test_pictures_come_as_they_are(folder, scratch, name, n_channels):
    pixels = colours(n_channels=n_channels)
    if n_channels == 4:
        pixels[..., 3] |= 1  # WebP need not keep what lies under clear pixels
    save(folder, name, Image.fromarray(pixels), lossless=True)
    found, facts = read_one(folder, scratch)
    assert (found[..., :n_channels] == pixels).all()
    assert facts["picture"] == "a"
    assert (facts["width"], facts["height"]) == (7, 5)


def test_a_log_of_pictures_counts_every_pixel(folder, scratch):
    save(folder, "b.png", Image.fromarray(colours()))
    save(folder, "a.jpg", Image.fromarray(colours((3, 2))))
    log = read(folder, scratch)
    assert log.tables["pictures"].picture.to_pandas().tolist() == ["a", "b"]
    assert log.counts["pixels"]["rows_kept"] == log.counts["pixels"]["rows_read"] == 35 + 6
    assert log.counts["pictures"]["rows_kept"] == 2
    assert log.rejects.count().execute() == 0
    kind = KINDS["pictures"]
    assert kind.time(log.tables[kind.main]).to_pandas().isna().all()


def test_names_keep_their_endings_where_they_need_them(folder, scratch):
    for name in ("a.png", "a.jpg"):
        save(folder, name, Image.fromarray(colours()))
    names = read(folder, scratch).tables["pictures"].picture.to_pandas()
    assert names.tolist() == ["a.jpg", "a.png"]


def test_exif_turns_a_picture(folder, scratch):
    pixels = np.zeros((4, 6, 3), dtype=np.uint8)
    pixels[0, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    save(folder, "a.png", Image.fromarray(pixels), exif=exif)
    found, facts = read_one(folder, scratch)
    assert (facts["file_width"], facts["file_height"]) == (6, 4)
    assert (facts["width"], facts["height"]) == (4, 6)
    assert (found[0, -1, :3] == 255).all()


def test_cmyk_becomes_red_green_and_blue(folder, scratch):
    save(folder, "a.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=100)
    found, facts = read_one(folder, scratch)
    assert facts["mode"] == "CMYK"
    assert np.abs(found[8, 8].astype(int) - [255, 0, 0, 255]).max() <= 4  # JPEG loses a little


def test_grey_of_sixteen_bits_is_rounded(folder, scratch):
    levels = np.array([[0, 128, 129, 65535, 65406, 257 * 77]], dtype=np.uint16)
    save(folder, "a.png", Image.fromarray(levels))
    found, facts = read_one(folder, scratch)
    assert facts["mode"].startswith("I")
    assert found[0, :, 0].tolist() == [0, 0, 1, 255, 254, 77]


def sixteen_bit_colours(levels):
    """Write a PNG of sixteen bits a channel, which Pillow reads and does not write."""
    height, width, _ = levels.shape
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in levels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(kind, content)
        for kind, content in (
            (b"IHDR", header),
            (b"IDAT", zlib.compress(lines)),
            (b"IEND", b""),
        )
    )


def chunk(kind, content):
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def test_colours_of_sixteen_bits_keep_the_upper_eight(folder, scratch):
    levels = np.random.default_rng(0).integers(0, 65536, (3, 4, 3), dtype=np.uint16)
    (folder / "a.png").write_bytes(sixteen_bit_colours(levels))
    found, _ = read_one(folder, scratch)
    assert (found[..., :3] == levels >> 8).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "RGB"])
def test_every_mode_of_a_png_is_understood(folder, scratch, mode):
    image = save(folder, "a.png", Image.fromarray(colours(n_channels=4)).convert(mode))
    found, facts = read_one(folder, scratch)
    assert facts["mode"] == mode
    assert (found == np.asarray(image.convert("RGBA"))).all()


def test_a_palette_with_transparency_keeps_it(folder, scratch):
    image = Image.fromarray(np.array([[0, 1], [1, 2]], dtype=np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    save(folder, "a.png", image, transparency=bytes([0, 128, 255]))
    found, _ = read_one(folder, scratch)
    assert found[..., 3].tolist() == [[0, 128], [128, 255]]


def test_a_grey_of_sixteen_bits_keeps_the_level_that_is_clear(folder, scratch):
    levels = np.array([[0, 1000], [1001, 65535]], dtype=np.uint16)
    save(folder, "a.png", Image.fromarray(levels), transparency=1000)
    found, _ = read_one(folder, scratch)
    assert found[..., 3].tolist() == [[255, 0], [255, 255]]
    assert found[..., 0].tolist() == [[0, 4], [4, 255]]


def test_of_an_animation_the_first_frame_is_read(folder, scratch):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    found, _ = read_one(folder, scratch)
    assert (found[..., 0] == 255).all()
    assert (found[..., 2] == 0).all()


def test_a_large_picture_is_made_smaller_where_that_is_wanted(folder, scratch):
    save(folder, "a.png", Image.new("RGB", (300, 100), "red"))
    found, facts = read_one(folder, scratch, max_side=60)
    assert found.shape == (20, 60, 4)
    assert (facts["file_width"], facts["file_height"]) == (300, 100)
    assert (found[..., 0] == 255).all()


def broken(kind):
    target = io.BytesIO()
    Image.fromarray(colours((40, 40))).save(target, kind)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("text.png", b"no picture at all"),
        ("half.png", broken("PNG")[:1500]),
        ("half.jpg", broken("JPEG")[:700]),
        ("half.webp", broken("WEBP")[:500]),
        ("head.png", broken("PNG")[:20]),
        ("spoilt.png", broken("PNG")[:60] + b"\xff" * 200 + broken("PNG")[260:]),
        ("gif.png", b"GIF89a" + b"\0" * 50),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_broken_picture_is_refused_by_name(folder, scratch, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(SourceError, match=f"{name} cannot be read as a picture") as error:
        read(folder, scratch)
    assert "studies.palette.data.path" in str(error.value)
    assert "\n" not in str(error.value)


def bomb(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [11_000, 40_000])
def test_a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded(folder, scratch, side):
    (folder / "bomb.png").write_bytes(bomb(side, side))
    with pytest.raises(SourceError, match=r"bomb\.png has .* pixels, and at most 100,000,000"):
        read(folder, scratch)


def test_the_limit_is_a_parameter(folder, scratch):
    save(folder, "a.png", Image.new("RGB", (10, 10)))
    with pytest.raises(SourceError, match=r"a\.png has 100 pixels, and at most 99 are decoded"):
        read(folder, scratch, max_pixels=99)
    assert read_one(folder, scratch, max_pixels=100)[0].shape == (10, 10, 4)


def test_text_that_unpacks_to_a_flood_is_refused(folder, scratch):
    packed = b"Comment\0\0" + zlib.compress(b"x" * 80_000_000)
    content = broken("PNG")
    (folder / "a.png").write_bytes(content[:33] + chunk(b"zTXt", packed) + content[33:])
    with pytest.raises(SourceError, match=r"a\.png cannot be read as a picture"):
        read(folder, scratch)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", r"is a folder.*\*\.png"),
        ("*.jpg", "No file matches"),
        ("a.gif", "none of the forms that can be read"),
    ],
)
def test_a_path_that_leads_to_no_picture_is_named(folder, scratch, pattern, message):
    (folder / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(SourceError, match=message):
        read(folder, scratch, pattern)


def test_unknown_rules_and_columns_are_named(folder, scratch):
    save(folder, "a.png", Image.new("RGB", (2, 2)))
    with pytest.raises(SourceError, match=r"cleaning\.max_size is no cleaning rule"):
        read(folder, scratch, max_size=3)
    with pytest.raises(SourceError, match=r"studies\.palette\.data\.columns"):
        read_pictures(str(folder / "*"), columns={"a": "b"}, scratch=scratch, study="palette")
