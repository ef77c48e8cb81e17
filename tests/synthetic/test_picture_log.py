import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cohortlab.synthetic import generate_pictures
from cohortlab.synthetic.picture_log import DRAWN

SETTINGS = {"photographs": ["flower"], "drawn": list(DRAWN), "side": 24, "n_flat": 6, "noise": 4.0}


def generate(folder, seed=0, **changes):
    raw, truth = folder / "raw", folder / "truth"
    for path in (raw, truth):
        path.mkdir(parents=True)
    told = generate_pictures(raw, truth, rng=np.random.default_rng(seed), **SETTINGS | changes)
    pictures = {path.stem: np.asarray(Image.open(path)) for path in raw.iterdir()}
    return told, pictures, pd.read_parquet(truth / "palettes.parquet")


def test_every_picture_is_there_with_its_shape(tmp_path):
    told, pictures, _ = generate(tmp_path)
    assert told == {"photographs": 1, "drawn": len(DRAWN)}
    assert pictures.keys() == {"flower", *DRAWN}
    assert pictures["grey"].ndim == 2
    assert pictures["transparent"].shape == (24, 24, 4)
    assert pictures["single_pixel"].shape == (1, 1, 3)


@pytest.mark.parametrize("name", ["shapes", "one_colour", "single_pixel"])
def test_planted_palettes_are_the_colours_of_their_pictures(tmp_path, name):
    _, pictures, planted = generate(tmp_path)
    own = planted.loc[planted["picture"].eq(name), ["red", "green", "blue"]]
    found = np.unique(pictures[name].reshape(-1, 3), axis=0)
    assert {tuple(row) for row in own.to_numpy()} == {tuple(row) for row in found}


def test_noise_lies_around_the_planted_colours(tmp_path):
    _, pictures, planted = generate(tmp_path, side=64)
    own = planted.loc[planted["picture"].eq("noisy_shapes"), ["red", "green", "blue"]].to_numpy()
    pixels = pictures["noisy_shapes"].reshape(-1, 1, 3).astype(float)
    away = (pixels - own[None]) ** 2
    nearest = away.sum(axis=2).argmin(axis=1)
    assert np.unique(nearest).size == len(own)
    spread = np.sqrt(away[np.arange(len(nearest)), nearest].mean())
    assert spread == pytest.approx(4.0, rel=0.05)  # 12,288 draws: five standard errors are 3 %


def test_transparent_pictures_have_all_degrees(tmp_path):
    _, pictures, _ = generate(tmp_path, side=64)
    alpha = pictures["transparent"][..., 3]
    assert (alpha == 0).any()
    assert (alpha == 255).any()
    assert len(np.unique(alpha)) > 20


def test_one_picture_less_changes_no_other(tmp_path):
    _, one, _ = generate(tmp_path / "a")
    _, other, planted = generate(tmp_path / "b", drawn=["noise", "shapes"], photographs=[])
    assert set(planted["picture"]) == {"shapes"}
    for name in ("noise", "shapes"):
        assert (one[name] == other[name]).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drawn": ["circle"]}, "drawn.circle: unknown key"),
        ({"photographs": "china"}, "photographs: expected a list"),
        ({"side": 4}, "side: expected a whole number"),
        ({"n_flat": 1}, "n_flat"),
        ({"noise": -1}, "noise"),
        ({"drawn": [], "photographs": []}, "both empty"),
    ],
)
def test_impossible_settings_are_named(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        generate(tmp_path, **changes)
