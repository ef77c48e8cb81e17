import io

import numpy as np
import pytest
from PIL import Image, features
from sklearn.datasets import load_sample_image

from cohortlab import palette
from cohortlab.features.colours import colour_codes
from cohortlab.palette import distinct
from cohortlab.palette import dither as dithering


@pytest.fixture(scope="module")
def photograph():
    return np.asarray(Image.fromarray(load_sample_image("china.jpg")).resize((96, 64)))


def rng(seed=0):
    return np.random.default_rng(seed)


def random_picture(seed, shape, n_channels=3):
    return rng(seed).integers(0, 256, (*shape, n_channels), dtype=np.uint8)


def brute_nearest(picture, table):
    away = ((picture[:, :, None].astype(float) - table[None, None].astype(float)) ** 2).sum(axis=3)
    return away.min(axis=2)


@pytest.mark.parametrize("n_channels", [3, 4])
def test_distinct_colours_are_those_that_sorting_finds(n_channels):
    picture = random_picture(1, (40, 50), n_channels) // 60 * 60
    found = palette.distinct_colours(picture)
    seen = picture.reshape(-1, n_channels).copy()
    if n_channels == 4:
        seen[seen[:, 3] == 0] = 0
    colours, counts = np.unique(seen, axis=0, return_counts=True)
    order = np.lexsort(found.colours[:, :n_channels].T[::-1])
    assert (found.colours[order, :n_channels] == colours).all()
    assert (found.counts[order] == counts).all()
    assert (found.colours[found.inverse][:, :n_channels] == seen).all()


@pytest.mark.parametrize("count", [distinct._count, distinct._count_directly])
def test_the_compiled_counts_are_their_plain_twins(count):
    codes = rng(2).integers(0, 30, 200, dtype=np.uint32) * np.uint32(997 << 8) | np.uint32(255)
    with np.errstate(over="ignore"):
        plain = count.py_func(codes)
    for one, other in zip(count(codes), plain, strict=True):
        assert (one == other).all()
    found, counts, inverse = count(codes)
    assert (found[inverse] == codes).all()
    assert (np.bincount(inverse) == counts).all()


def test_a_picture_of_many_pixels_is_counted_the_same_way(monkeypatch):
    picture = random_picture(15, (60, 70)) // 20 * 20
    small = palette.distinct_colours(picture)
    monkeypatch.setattr(distinct, "_MANY", 100)
    large = palette.distinct_colours(picture)
    tables = [dict(zip(colour_codes(f.colours), f.counts, strict=True)) for f in (small, large)]
    assert tables[0] == tables[1]
    assert (large.colours[large.inverse] == small.colours[small.inverse]).all()


@pytest.mark.parametrize("space", palette.SPACES)
@pytest.mark.parametrize("dither", [False, True])
@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_a_palette_has_the_colours_asked_for_and_is_rounded(photograph, space, dither, size):
    found = palette.quantise(photograph, size, rng=rng(), space=space, dither=dither)
    assert len(found.palette) == size
    assert found.palette.dtype == np.uint8
    assert (np.diff(found.shares) <= 0).all()
    assert found.shares.sum() == pytest.approx(1)
    assert (found.pixels[..., 3] == 255).all()


def test_every_pixel_has_the_nearest_colour(photograph):
    found = palette.quantise(photograph, 16, rng=rng())
    own = ((photograph.astype(float) - found.pixels[..., :3]) ** 2).sum(axis=2)
    assert (own == brute_nearest(photograph, found.palette[:, :3])).all()


def test_palette_colours_are_the_rounded_means_of_their_pixels(photograph):
    found = palette.quantise(photograph, 8, rng=rng(), n_starts=1)
    for place, colour in enumerate(found.palette):
        mean = photograph[found.indices == place].mean(axis=0)
        # Truncation would be off by half a level in the mean; a last pass moves few pixels.
        assert np.abs(mean - colour[:3]).max() < 1.5
    off = [photograph[found.indices == i].mean(axis=0) - c[:3] for i, c in enumerate(found.palette)]
    assert abs(np.mean(off)) < 0.25


@pytest.mark.parametrize("size", [8, 16, 32, 64])
@pytest.mark.parametrize("name", ["china", "flower"])
def test_the_error_is_at_most_that_of_pillows_best(name, size):
    picture = np.asarray(Image.fromarray(load_sample_image(f"{name}.jpg")).resize((160, 107)))
    ours = palette.quantise(picture, size, rng=rng())
    error = ((picture - ours.pixels[..., :3].astype(float)) ** 2).mean()
    for method in palette.available_peers(picture):
        for refine in (0, 1) if method != "minibatch" else ():
            peer = palette.quantise_by_peer(picture, size, method=method, refine=refine)
            theirs = ((picture - peer.pixels[..., :3].astype(float)) ** 2).mean()
            assert error <= theirs, (method, refine)


@pytest.mark.parametrize("size", [16, 64])
def test_oklab_lowers_the_colour_difference_and_srgb_the_squared_error(size):
    # Dark petals and leaves, where equal steps of sRGB look most unequal.
    picture = np.asarray(Image.fromarray(load_sample_image("flower.jpg")).resize((96, 64)))
    by_space = {
        space: palette.measure(picture, palette.quantise(picture, size, rng=rng(), space=space))
        for space in palette.SPACES
    }
    assert by_space["oklab"]["delta_e_mean"] < by_space["srgb"]["delta_e_mean"]
    assert by_space["srgb"]["mse"] < by_space["oklab"]["mse"]


def test_the_same_seed_gives_the_same_bytes(photograph):
    one, other = (palette.palette_png(palette.quantise(photograph, 32, rng=rng(7))) for _ in "ab")
    assert one == other


# What may go wrong with a picture.


@pytest.mark.parametrize("dither", [False, True])
@pytest.mark.parametrize("space", palette.SPACES)
@pytest.mark.parametrize(
    "picture",
    [
        np.array([[[7, 8, 9]]], dtype=np.uint8),
        np.full((5, 9, 3), 200, dtype=np.uint8),
        np.zeros((6, 4, 4), dtype=np.uint8),
        random_picture(3, (1, 8)),
        random_picture(3, (8, 1), 4),
        (random_picture(4, (30, 30)) // 128) * 255,
    ],
    ids=["one pixel", "one colour", "transparent", "one row", "one column", "eight colours"],
)
def test_pictures_of_fewer_colours_stay_as_they_are(picture, space, dither):
    found = palette.quantise(picture, 8, rng=rng(), space=space, dither=dither)
    before = palette.distinct_colours(picture)
    assert len(found.palette) == len(before.colours)
    same = before.colours[before.inverse].reshape(found.pixels.shape)
    assert (found.pixels == same).all()
    figures = palette.measure(picture, found)
    assert figures["mse"] == 0.0
    assert figures["psnr_db"] == float("inf")
    assert figures["alpha_error"] == 0
    back = palette.read_palette_png(palette.palette_png(found))
    assert (back.pixels == found.pixels).all()


@pytest.mark.parametrize("dither", [False, True])
def test_transparent_pixels_stay_so_and_opaque_ones_too(dither):
    picture = random_picture(5, (40, 40), 4)
    picture[..., 3] = np.where(picture[..., 3] < 128, 0, 255)
    found = palette.quantise(picture, 16, rng=rng(), dither=dither)
    assert (found.pixels[..., 3] == picture[..., 3]).all()
    assert len(found.palette) == 16


def test_half_transparent_pixels_keep_about_their_alpha():
    picture = random_picture(6, (32, 32), 4)
    picture[..., :3] = [200, 30, 90]
    found = palette.quantise(picture, 32, rng=rng())
    assert palette.measure(picture, found)["alpha_error"] <= 8  # 256 levels among 32


def test_what_lies_under_transparent_pixels_makes_no_difference():
    picture = random_picture(7, (24, 24), 4)
    picture[::2, :, 3] = 0
    other = picture.copy()
    other[::2, :, :3] = 99
    one, two = (palette.quantise(p, 12, rng=rng()) for p in (picture, other))
    assert (one.pixels == two.pixels).all()


@pytest.mark.parametrize(
    ("picture", "n_colours", "message"),
    [
        (np.zeros((2, 2, 3)), 8, "float64"),
        (np.zeros((2, 2), dtype=np.uint8), 8, r"shape \(2, 2\)"),
        (np.zeros((2, 0, 3), dtype=np.uint8), 8, "no pixels"),
        (
            np.zeros((2, 2, 3), dtype=np.uint8),
            1,
            "n_colours: expected a whole number from 2 to 256, got 1",
        ),
        (np.zeros((2, 2, 3), dtype=np.uint8), 257, "n_colours: expected .* got 257"),
        (np.zeros((2, 2, 3), dtype=np.uint8), 2.5, "n_colours: expected .* got 2.5"),
    ],
)
def test_what_is_no_picture_is_named(picture, n_colours, message):
    with pytest.raises(ValueError, match=message):
        palette.quantise(picture, n_colours, rng=rng())


@pytest.mark.parametrize("n_starts", [0, -1, 1.5])
def test_a_number_of_starts_that_is_none_is_named(photograph, n_starts):
    with pytest.raises(
        ValueError, match=f"n_starts: expected a whole number from 1 to inf, got {n_starts}"
    ):
        palette.quantise(photograph, 8, rng=rng(), n_starts=n_starts)


def test_an_unknown_space_or_method_is_named(photograph):
    with pytest.raises(ValueError, match="space is 'lab'"):
        palette.quantise(photograph, 8, rng=rng(), space="lab")
    with pytest.raises(ValueError, match="method is 'wu'"):
        palette.quantise_by_peer(photograph, 8, method="wu")


# Dithering.


def test_dithering_is_its_plain_twin():
    points = rng(8).random((9, 12, 3)) * 255
    table = rng(9).random((5, 3)) * 255
    clear = rng(10).random((9, 12)) < 0.2
    chosen = dithering.dither(points, table, clear)
    assert (chosen == dithering._diffuse.py_func(points.copy(), table, clear)).all()
    assert (chosen[clear] == -1).all()


def test_dithering_keeps_the_mean_of_a_grey_that_no_palette_colour_has():
    points = np.full((64, 64, 1), 100.0)
    table = np.array([[0.0], [255.0]])
    chosen = dithering.dither(points, table, np.zeros((64, 64), dtype=bool))
    assert table[chosen].mean() == pytest.approx(100.0, abs=2.0)  # what leaves at the edges
    plain = np.abs(points - table.T).argmin(axis=2)
    assert table[plain].mean() == 0.0


def test_dithering_is_worse_pixel_by_pixel_and_better_from_afar():
    ramp = np.repeat(np.linspace(0, 255, 128)[None, :, None], 64, axis=0)
    ramp = np.rint(np.repeat(ramp, 3, axis=2)).astype(np.uint8)
    plain, grain = (palette.quantise(ramp, 4, rng=rng(), dither=d) for d in (False, True))
    before, after = (palette.measure(ramp, found) for found in (plain, grain))
    assert after["psnr_db"] < before["psnr_db"]
    assert after["psnr_afar_db"] > before["psnr_afar_db"] + 3


# Peers.


def test_peers_are_those_that_are_there(photograph):
    there = palette.available_peers(photograph)
    assert ("libimagequant" in there) == features.check("libimagequant")
    assert {"median_cut", "max_coverage", "octree", "minibatch"} <= set(there)
    clear = random_picture(1, (4, 4), 4)
    assert "median_cut" not in palette.available_peers(clear)
    assert "octree" in palette.available_peers(clear)


@pytest.mark.parametrize("method", ["median_cut", "max_coverage", "octree"])
def test_a_peer_is_what_pillow_gives(photograph, method):
    number = {"median_cut": 0, "max_coverage": 1, "octree": 2}[method]
    theirs = np.asarray(Image.fromarray(photograph).quantize(16, number).convert("RGB"))
    assert (palette.quantise_by_peer(photograph, 16, method=method).pixels[..., :3] == theirs).all()


def test_octree_is_asked_with_transparency_where_there_is_some():
    picture = random_picture(11, (20, 20), 4)
    theirs = np.asarray(Image.fromarray(picture).quantize(32, 2).convert("RGBA"))
    assert (palette.quantise_by_peer(picture, 32, method="octree").pixels == theirs).all()


# Files.


@pytest.mark.parametrize("size", [2, 4, 16, 17, 256])
@pytest.mark.parametrize("n_channels", [3, 4])
def test_a_file_holds_exactly_the_palette(size, n_channels):
    picture = random_picture(12, (40, 40), n_channels)
    found = palette.quantise(picture, size, rng=rng(), n_starts=1)
    content = palette.palette_png(found)
    image = Image.open(io.BytesIO(content))
    assert image.mode == "P"
    back = palette.read_palette_png(content)
    assert (back.palette == found.palette).all()
    assert (back.indices == found.indices).all()
    assert (np.asarray(image.convert("RGBA")) == found.pixels).all()


def test_what_is_no_palette_png_is_named(photograph):
    target = io.BytesIO()
    Image.fromarray(photograph).save(target, "PNG")
    with pytest.raises(ValueError, match="mode RGB"):
        palette.read_palette_png(target.getvalue())


# Measures.


def test_measures_are_those_of_their_definitions(photograph):
    found = palette.quantise(photograph, 8, rng=rng())
    figures = palette.measure(photograph, found, blur_px=0)
    error = ((photograph.astype(float) - found.pixels[..., :3]) ** 2).mean()
    assert figures["mse"] == pytest.approx(error)
    assert figures["psnr_db"] == pytest.approx(10 * np.log10(255**2 / error))
    assert figures["psnr_afar_db"] == figures["psnr_db"]
    assert figures["bytes"] == len(palette.palette_png(found))
    original = palette.plain_png(photograph)
    assert (np.asarray(Image.open(io.BytesIO(original))) == photograph).all()
    assert figures["bytes_ratio"] == figures["bytes"] / len(original)
    assert 0 < figures["ssim"] < 1
    assert figures["delta_e_p95"] > figures["delta_e_mean"]


def test_a_small_picture_has_no_structure_to_compare():
    picture = random_picture(13, (6, 50))
    assert np.isnan(palette.measure(picture, palette.quantise(picture, 8, rng=rng()))["ssim"])


# Numbers of colours.


@pytest.mark.parametrize("seed", range(4))
def test_the_number_of_planted_colours_is_found_under_noise(seed):
    from cohortlab.synthetic.picture_log import DRAWN

    picture, planted = DRAWN["noisy_shapes"](64, 8, 4.0, rng(seed))
    found = palette.number_of_colours(palette.distinct_colours(picture), most=14, rng=rng())
    assert found.n_colours == 8
    four = np.hstack([planted, np.full((8, 1), 255)])
    assert palette.matched_palettes(four, found.palette) <= 2.0  # half a standard deviation


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["gradient", "noise", "grey", "transparent"])
def test_a_picture_of_no_few_colours_has_no_number(name, seed):
    from cohortlab.synthetic.picture_log import DRAWN

    picture, _ = DRAWN[name](48, 8, 4.0, rng(seed))
    picture = picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2)
    found = palette.number_of_colours(palette.distinct_colours(picture), most=12, rng=rng())
    assert found.n_colours is None


def test_palettes_are_matched_before_they_are_compared():
    one = np.array([[0, 0, 0, 255], [200, 10, 10, 255], [10, 200, 10, 255]])
    assert palette.matched_palettes(one, one[::-1]) == 0.0
    assert palette.matched_palettes(one, np.add(one[::-1], [3, 0, 0, 0])) == 3.0


@pytest.mark.parametrize("most", [0, 1, 2.5])
def test_one_number_of_colours_alone_is_refused(most, photograph):
    found = palette.distinct_colours(photograph)
    with pytest.raises(ValueError, match="most: expected a whole number from 2"):
        palette.number_of_colours(found, most=most, rng=rng())


# Logs.


def test_pictures_are_put_together_from_pixels_in_any_order():
    import pandas as pd

    picture = random_picture(14, (3, 5), 4)
    flat = picture.reshape(-1, 4)
    pixels = pd.DataFrame(flat, columns=["red", "green", "blue", "alpha"])
    pixels.insert(0, "pixel", range(15))
    pixels.insert(0, "picture", "p")
    sizes = pd.DataFrame({"picture": ["p"], "width": [5], "height": [3]})
    shuffled = pixels.sample(frac=1, random_state=0)
    assert (palette.pictures_of(sizes, shuffled)["p"] == picture).all()
    with pytest.raises(ValueError, match="p has 14 pixels"):
        palette.pictures_of(sizes, pixels.iloc[1:])
    with pytest.raises(ValueError, match="p has 0 pixels, expected each of 0 to"):
        palette.pictures_of(sizes, pixels.iloc[:0])


def test_all_methods_are_named_with_their_size(photograph):
    options = {"spaces": ["srgb", "oklab"], "dithered": ["oklab"], "n_starts": 1, "random_state": 0}
    options |= {"n_colours": [4, 8], "peers": ["median_cut", "libimagequant"]}
    found = list(palette.by_all_methods(photograph, **options))
    names = [name for name, asked, _ in found if asked == 4]
    assert names[:4] == ["kmeans_srgb", "kmeans_oklab", "kmeans_oklab_dithered", "median_cut"]
    assert all(len(small.palette) <= asked for _, asked, small in found)
    with pytest.raises(ValueError, match="peers: wu unknown"):
        list(palette.by_all_methods(photograph, **options | {"peers": ["wu"]}))
