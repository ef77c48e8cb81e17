import ibis
import pandas as pd
import pytest

from cohortlab.features import pictures as of
from cohortlab.schemas import validate

PIXELS = pd.DataFrame(
    {
        "picture": ["a", "a", "a", "a", "b", "b"],
        "pixel": [0, 1, 2, 3, 0, 1],
        "red": [255, 255, 7, 9, 255, 0],
        "green": [0, 0, 7, 9, 0, 0],
        "blue": [0, 0, 7, 9, 0, 255],
        "alpha": [255, 255, 0, 0, 255, 128],
    }
).astype(dict.fromkeys(of.CHANNELS, "uint8"))


@pytest.fixture
def counts():
    return of.colour_counts(ibis.memtable(PIXELS))


def test_pixels_of_a_colour_are_counted_and_clear_ones_are_one(counts):
    table = counts.set_index(["picture", "colour"])["n_pixels"].to_dict()
    assert table == {
        ("a", "#ff0000"): 2,
        ("a", "#00000000"): 2,
        ("b", "#ff0000"): 1,
        ("b", "#0000ff80"): 1,
    }


def test_colours_are_described_once(counts):
    features = validate("colour_features", of.colour_features(counts))
    red = features.set_index("colour").loc["#ff0000"]
    assert red["n_pixels"] == 3
    assert (red["lightness"], red["green_red"]) == pytest.approx((0.628, 0.225), abs=1e-3)
    assert features["n_pixels"].sum() == len(PIXELS)


def test_pictures_stand_in_the_place_of_people(counts):
    incidence = validate("incidence", of.incidence(counts))
    assert incidence["weight"].sum() == len(PIXELS)


def test_a_picture_is_summed_up(counts):
    spread = of.spread(counts)
    assert spread.loc["a", "colours"] == 2
    assert spread.loc["a", "pixels_per_colour"] == 2.0
    assert spread["effective_colours"].tolist() == pytest.approx([2.0, 2.0])
    assert spread["transparent_share"].tolist() == [0.5, 0.5]
