"""Mixtures on disk: the same after, and refused where they are not what was written."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest

from cohortlab.mixture import GaussianMixture
from cohortlab.mixture.storage import _digest

X = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)), columns=["a", "b", "c"])


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "stored.npz"
    GaussianMixture(2, random_state=3).fit(X).save(path)
    return path


@pytest.mark.parametrize("model", ["VVV", "EEI", "VEE"])
def test_a_stored_mixture_scores_identically(model, tmp_path):
    mixture = GaussianMixture(2, model, random_state=3).fit(X)
    for name in ("one.npz", "two.npz"):
        mixture.save(tmp_path / name)
    loaded = GaussianMixture.load(tmp_path / "one.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert loaded.score_samples(X).tobytes() == mixture.score_samples(X).tobytes()
    assert loaded.get_params() == mixture.get_params()
    assert loaded.bic(X) == mixture.bic(X)
    assert loaded.feature_names_in_.tolist() == ["a", "b", "c"]
    assert not hasattr(loaded, "classes_")


def test_a_stored_mixture_keeps_the_names_of_its_classes(tmp_path):
    known = np.where(X["a"] > 0, "right", "left")
    mixture = GaussianMixture(2, max_iter=0).fit(X, responsibilities=known)
    mixture.save(tmp_path / "one.npz")
    assert GaussianMixture.load(tmp_path / "one.npz").classes_.tolist() == ["left", "right"]


@pytest.mark.parametrize("state", [np.random.default_rng(0), np.random.RandomState(0), None])
def test_a_generator_is_not_stored(state, tmp_path):
    GaussianMixture(2, random_state=state).fit(X).save(tmp_path / "one.npz")
    assert GaussianMixture.load(tmp_path / "one.npz").random_state is None


FOREIGN = {
    "text": b"no mixture",
    "nothing": b"",
    "pickle": pickle.dumps({"means_": [1.0]}),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_is_no_archive_is_refused(name, tmp_path):
    path = tmp_path / "other.npz"
    path.write_bytes(FOREIGN[name])
    with pytest.raises(ValueError, match="is not a stored mixture"):
        GaussianMixture.load(path)


def test_archives_of_others_are_refused_and_nothing_in_them_is_run(tmp_path):
    path = tmp_path / "other.npz"
    with path.open("wb") as file:
        np.save(file, np.ones(2))
    with pytest.raises(ValueError, match="is not a stored mixture"):
        GaussianMixture.load(path)
    np.savez(path, a=np.ones(2))
    with pytest.raises(ValueError, match=r"is not a stored mixture.*'header'"):
        GaussianMixture.load(path)
    np.savez(path, header=np.array([{"format": "any"}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        GaussianMixture.load(path)
    np.savez(path, header=np.array("[1, 2]"))
    with pytest.raises(ValueError, match="the header is no mapping"):
        GaussianMixture.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        GaussianMixture.load(tmp_path / "none.npz")


def rewrite(path, **changes):
    """Write the archive again with other arrays; None takes one out."""
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


def test_a_file_without_the_model_of_the_fit_has_the_one_it_was_asked_for(stored):
    before = GaussianMixture.load(stored)
    with np.load(stored) as archive:
        arrays = {name: archive[name] for name in archive.files if name != "header"}
        header = json.loads(str(archive["header"]))
    del header["digest"], header["scalars"]["model_"]
    header["digest"] = _digest(header, arrays)
    np.savez(stored, **arrays, header=np.array(json.dumps(header)))
    after = GaussianMixture.load(stored)
    assert after.model_ == before.model
    assert after.score_samples(X).tobytes() == before.score_samples(X).tobytes()


def header_with(path, **changes):
    with np.load(path) as archive:
        return np.array(json.dumps(json.loads(str(archive["header"])) | changes))


def test_a_mixture_written_again_by_numpy_is_still_the_same(stored):
    before = GaussianMixture.load(stored).score_samples(X)
    rewrite(stored)
    assert GaussianMixture.load(stored).score_samples(X).tobytes() == before.tobytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"means_": np.zeros((2, 3))},
        {"means_": None},
        {"weights_": np.array([0.5, 0.5])},
        {"covariances_": -np.ones((2, 3, 3))},
        {"predict": np.ones(3)},
        {"classes_": np.array(["x", "y"])},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_a_mixture_changed_after_it_was_written_is_refused(stored, changes):
    rewrite(stored, **changes)
    with pytest.raises(ValueError, match=r"changed after GaussianMixture\.save wrote it"):
        GaussianMixture.load(stored)


def test_changed_settings_and_other_formats_are_refused(stored):
    original = stored.read_bytes()
    for changes in ({"params": {"n_components": 3}}, {"digest": "0"}, {"scalars": {"fit": 1}}):
        stored.write_bytes(original)
        rewrite(stored, header=header_with(stored, **changes))
        with pytest.raises(ValueError, match="changed after"):
            GaussianMixture.load(stored)
    rewrite(stored, header=header_with(stored, format="cohortlab mixture 99"))
    with pytest.raises(ValueError, match="expected 'cohortlab mixture 2'"):
        GaussianMixture.load(stored)


def test_a_file_cut_off_or_with_a_broken_byte_is_refused(stored):
    weight = GaussianMixture.load(stored).weights_[0].tobytes()
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-30])
    with pytest.raises(ValueError, match="not a stored mixture, or is damaged"):
        GaussianMixture.load(stored)
    broken = bytearray(whole)
    broken[whole.index(weight)] ^= 1
    stored.write_bytes(bytes(broken))
    with pytest.raises(ValueError, match=r"damaged .*CRC"):
        GaussianMixture.load(stored)
