import numpy as np
import pytest

from cohortlab.features.colours import (
    colour_codes,
    from_oklab,
    hex_name,
    to_oklab,
    unpack_codes,
)
from cohortlab.palette import SPACES, delta_e, to_colours, to_points

# Ottosson (2020) gives these, to three digits: XYZ of D65 white and of three unit vectors; in sRGB
# the primaries follow, published in the CSS Color 4 draft's samples.
PUBLISHED = {
    (255, 0, 0): (0.628, 0.225, 0.126),
    (0, 255, 0): (0.866, -0.234, 0.180),
    (0, 0, 255): (0.452, -0.032, -0.312),
    (255, 255, 255): (1.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}


@pytest.mark.parametrize(("srgb", "oklab"), PUBLISHED.items())
def test_oklab_is_as_published(srgb, oklab):
    np.testing.assert_allclose(to_oklab(np.array(srgb)), oklab, atol=6e-4)


def test_every_grey_and_many_colours_come_back_from_oklab():
    rng = np.random.default_rng(1)
    colours = np.vstack(
        [np.repeat(np.arange(256), 3).reshape(-1, 3), rng.integers(0, 256, (2000, 3))]
    )
    np.testing.assert_allclose(from_oklab(to_oklab(colours)), colours, atol=1e-4)
    assert np.abs(to_oklab(colours[:256])[:, 1:]).max() < 1e-4


def test_codes_are_taken_apart_as_they_were_put_together():
    colours = np.random.default_rng(2).integers(0, 256, (50, 4), dtype=np.uint8)
    assert (unpack_codes(colour_codes(colours)) == colours).all()
    opaque = colour_codes(colours[:, :3])
    assert (unpack_codes(opaque)[:, 3] == 255).all()
    assert len({hex_name(row) for row in colours}) == len(np.unique(colours, axis=0))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("n_channels", [3, 4])
def test_colours_come_back_from_points(space, n_channels):
    colours = np.random.default_rng(3).integers(0, 256, (500, 4), dtype=np.uint8)
    colours[:, 3] = np.where(colours[:, 3] < 100, 100, colours[:, 3])
    if n_channels == 3:
        colours[:, 3] = 255
    back = to_colours(to_points(colours, space=space), space=space)
    assert (back == colours).all()


def test_the_distance_of_points_is_the_error_over_black_and_over_white():
    colours = np.random.default_rng(4).integers(0, 256, (40, 4), dtype=np.uint8)
    points = to_points(colours, space="srgb")
    opacity = colours[:, 3:] / 255.0
    over_black = colours[:, :3] * opacity
    over_white = over_black + (1 - opacity) * 255.0
    for one, other in [(0, 1), (5, 9), (20, 33)]:
        looks = [((look[one] - look[other]) ** 2).sum() for look in (over_black, over_white)]
        assert ((points[one] - points[other]) ** 2).sum() == pytest.approx(np.mean(looks))


def test_what_is_wholly_transparent_is_one_point():
    clear = np.array([[255, 0, 0, 0], [0, 9, 200, 0], [1, 2, 3, 128]], dtype=np.uint8)
    points = to_points(clear, space="oklab")
    np.testing.assert_allclose(points[0], points[1], atol=1e-12)
    assert (to_colours(points[:1], space="oklab") == 0).all()


# Sharma, Wu and Dalal (2005), The CIEDE2000 color-difference formula, table 1: pairs of CIELAB
# colours and their difference.
SHARMA = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def test_ciede2000_is_as_published():
    from skimage.color import deltaE_ciede2000

    table = np.array([line.split() for line in SHARMA.split("\n") if line], dtype=float)
    assert table.shape == (34, 7)
    found = deltaE_ciede2000(table[:, :3], table[:, 3:6])
    np.testing.assert_allclose(found, table[:, 6], atol=5e-5)


def test_the_colour_difference_of_srgb_runs_over_lightness():
    levels = np.arange(0, 255.0)[:, None, None] * np.ones(3)
    apart = delta_e(levels, levels + 1)
    assert apart.shape == (255, 1)
    assert (apart > 0).all()
    assert apart.max() < 1.0  # one level is never just noticeable
