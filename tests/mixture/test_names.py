"""Names of models in a search, and of classes in a fit."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from cohortlab.mixture import GaussianMixture, search
from cohortlab.mixture.arguments import plan_cells
from cohortlab.mixture.models import ALIASES, MODEL_NAMES, canonical_name

rng = np.random.default_rng(0)
X = np.concatenate([rng.normal(0, 1, (80, 2)), rng.normal(5, 1, (60, 2))])
KNOWN = np.repeat(["loyal", "casual"], [80, 60])


def test_both_systems_names_of_a_model_are_one_cell():
    found = search(X, [1, 2], ["full", "VVV", "tied", "EEE"], n_init=1, n_bootstrap=0)
    assert found.table["model"].tolist() == ["VVV", "EEE"] * 2
    assert len(found.cells) == 4


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_a_cell_is_found_under_any_name(alias, name):
    found = search(X, [2], [alias], n_init=1, n_bootstrap=0)
    assert found.model(alias, 2).means_.tobytes() == found.model(name, 2).means_.tobytes()
    with pytest.raises(KeyError, match="with 3 components"):
        found.model(alias, 3)
    with pytest.raises(ValueError, match="model='EEX' is not known"):
        found.model("EEX", 2)


def test_one_feature_has_two_models_whatever_they_are_called():
    assert {canonical_name(name, 1) for name in MODEL_NAMES} == {"E", "V"}
    found = search(X[:, :1], [1, 2], [*MODEL_NAMES, "E", "V", "full"], n_init=1, n_bootstrap=0)
    assert found.table["model"].tolist() == ["E", "V"] * 2
    assert found.model("spherical", 2).model == "V"


# VEE and EVE have the same number of parameters with two components and two features.
@pytest.mark.parametrize(("fitted", "later"), [("VVV", "EII"), ("VEE", "EVE"), ("diag", "full")])
def test_parameters_set_after_a_fit_are_those_of_the_next(fitted, later, tmp_path):
    mixture = GaussianMixture(2, fitted, n_init=2, random_state=0).fit(X)
    before = mixture.score_samples(X), mixture.predict(X), mixture.bic(X)
    mixture.set_params(model=later, n_components=3, reg_covar=1.0)
    mixture.save(tmp_path / "mixture.npz")
    for same in (mixture, GaussianMixture.load(tmp_path / "mixture.npz")):
        assert same.model_ == canonical_name(fitted, 2)
        assert same.model == later
        assert same.score_samples(X).tobytes() == before[0].tobytes()
        assert same.predict(X).tobytes() == before[1].tobytes()
        assert same.bic(X) == before[2]
    assert mixture.fit(X).model_ == canonical_name(later, 2)
    assert mixture.means_.shape == (3, 2)


def test_the_model_of_a_fit_is_told_by_one_name():
    assert GaussianMixture(1, "full").fit(X[:, :1]).model_ == "V"
    found = search(X, [2], ["tied"], n_init=1, n_bootstrap=0)
    assert found.best.model_ == found.certificate["model"] == "EEE"


def test_models_keep_the_order_they_are_asked_in():
    plan = plan_cells(2, (name for name in ("full", "EII", "VVV", "diag")), 3)
    assert plan == [(2, "VVV"), (2, "EII"), (2, "VVI")]
    assert plan_cells(1, np.array(["VVV", "EEE"]), 3) == [(1, "VVV"), (1, "EEE")]


@pytest.mark.parametrize("models", [{"VVV", "EEE"}, "VVV", [], 3, iter([])])
def test_models_without_an_order_or_a_name_are_refused(models):
    with pytest.raises(ValueError, match="expected a list of model names"):
        plan_cells(2, models, 3)


@pytest.mark.parametrize("kind", [np.array, list, pd.Series, pd.Categorical])
def test_classes_may_have_names(kind):
    named = GaussianMixture(2, max_iter=0, reg_covar=0).fit(X, responsibilities=kind(KNOWN))
    numbered = GaussianMixture(2, max_iter=0, reg_covar=0)
    numbered.fit(X, responsibilities=(KNOWN == "loyal").astype(int))
    assert named.classes_.tolist() == ["casual", "loyal"]
    assert named.means_.tobytes() == numbered.means_.tobytes()
    assert not hasattr(numbered, "classes_")
    # predict gives component numbers whatever the classes are called.
    assert named.predict(X).tobytes() == numbered.predict(X).tobytes()


def test_discriminant_analysis_by_names_is_bayes_rule_on_the_class_moments():
    mixture = GaussianMixture(2, max_iter=0, reg_covar=0).fit(X, responsibilities=KNOWN)
    own = {name: X[name == KNOWN] for name in ("casual", "loyal")}
    heights = [
        len(rows) * multivariate_normal(rows.mean(0), np.cov(rows.T, bias=True)).pdf(X)
        for rows in own.values()
    ]
    expected = np.array([*own])[np.argmax(heights, axis=0)]
    assert (mixture.classes_[mixture.predict(X)] == expected).all()


@pytest.mark.parametrize(
    "names",
    [
        ["casual", "loyal"],
        ["10", "9"],
        np.array(["2024-01-01", "2025-01-01"], dtype="datetime64[D]"),
        [False, "yes"],
        ["ärger", "ö"],
    ],
    ids=str,
)
def test_names_of_any_kind_count_rows_columns_and_numbers_in_their_order(names):
    known = np.asarray(names, dtype=None if isinstance(names, np.ndarray) else object)
    known = known[np.repeat([1, 0], [80, 60])]
    mixture = GaussianMixture(2, max_iter=0).fit(X, responsibilities=known)
    assert mixture.classes_.tolist() == [str(name) for name in names]
    assert mixture.means_ == pytest.approx(np.stack([X[80:].mean(axis=0), X[:80].mean(axis=0)]))
    found = mixture.predict(X)
    assert found.dtype.kind == "i"
    assert (found == mixture.predict_proba(X).argmax(axis=1)).all()
    assert (mixture.classes_[found] == known.astype(str)).mean() > 0.97
    again = GaussianMixture(2, max_iter=0).fit_predict(X, responsibilities=known)
    assert (again == found).all()


def test_a_fit_without_names_forgets_those_of_the_fit_before():
    mixture = GaussianMixture(2, random_state=0).fit(X, responsibilities=KNOWN)
    assert not hasattr(mixture.fit(X), "classes_")


def test_whole_numbers_kept_as_objects_are_component_numbers():
    labels = pd.Series(np.repeat([1, 0], [80, 60]), dtype=object)
    mixture = GaussianMixture(2, max_iter=0).fit(X, responsibilities=labels)
    assert not hasattr(mixture, "classes_")
    assert mixture.means_[1] == pytest.approx(X[:80].mean(axis=0))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.where(np.arange(140) < 9, None, KNOWN), r"responsibilities\[0\] is missing"),
        (pd.Series(KNOWN).where(lambda s: s == "loyal"), r"responsibilities\[80\] is missing"),
        (np.repeat(["a", "b", "c"], [50, 50, 40]), "hold 3 names, a, b, c, but n_components=2"),
        (np.repeat("a", 140), "hold 1 name, a, but n_components=2"),
        (KNOWN[:-1], r"shape \(139,\)"),
        (np.repeat([1, 2], 70), r"from 0 to 1\. For classes with other numbers pass names"),
        (np.repeat([0.0, 0.5], 70), "must be component numbers or names"),
        (np.repeat([0.0, np.nan], 70), "must be component numbers or names"),
        (np.full((140, 2), "a"), r"type <U1; expected \(140,\)"),
        (np.full((140, 2), np.nan), "sum to one"),
    ],
)
def test_labels_that_are_no_classes_are_explained(labels, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(2).fit(X, responsibilities=labels)
