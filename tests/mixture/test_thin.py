"""Components on a line are junk, and one degenerate fit leaves the others alone."""

from pathlib import Path

import numpy as np
import pytest

from cohortlab.mixture import Limits, search
from cohortlab.mixture.evidence import thinness
from cohortlab.mixture.linear import for_each
from cohortlab.mixture.orientation import common_orientation


def with_a_line(share, *, width=0.01, length=1.0, n_rows=400, seed=0):
    """Draw two round groups, and some rows that lie on a line between them."""
    rng = np.random.default_rng(seed)
    n_line = round(share * n_rows)
    round_ones = rng.normal(size=(n_rows - n_line, 2)) + [[12, 0]] * (
        rng.random((n_rows - n_line, 1)) < 0.5
    )
    line = np.column_stack([6 + width * rng.normal(size=n_line), length * rng.normal(size=n_line)])
    return np.concatenate([round_ones, line])


def best_with_three(X, **arguments):
    found = search(X, [2, 3], ["VVV"], n_init=4, n_bootstrap=0, **arguments)
    return found.table.set_index("n_components").loc[3], found


def test_few_rows_on_a_line_are_vetoed():
    row, found = best_with_three(with_a_line(0.05))
    assert "a component of 20 rows is thin" in row["verdict"]
    assert "floor" not in row["verdict"]
    assert found.certificate["raw_winner"]["n_components"] == 3
    assert found.best.n_components == 2


@pytest.mark.parametrize(
    "arguments", [{"limits": Limits(thinness=0)}, {"limits": Limits(thin_share=0.01)}]
)
def test_limits_on_thin_components_can_be_loosened(arguments):
    row, found = best_with_three(with_a_line(0.05), **arguments)
    assert row["verdict"] == "ok"
    assert found.best.n_components == 3


@pytest.mark.parametrize(
    ("share", "width", "length"),
    [(0.3, 0.01, 1.0), (0.05, 0.1, 1.0), (0.05, 0.01, 0.01)],
    ids=["many rows", "wide enough", "compact"],
)
def test_many_rows_wide_ones_and_compact_ones_are_not_thin(share, width, length):
    row, found = best_with_three(with_a_line(share, width=width, length=length), reg_covar=1e-8)
    assert "thin" not in row["verdict"]
    assert found.best.n_components == 3


def test_thinness_is_that_of_the_others_and_of_the_own_length():
    eigenvalues = np.array([[1e-4, 1.0], [0.5, 0.6], [0.1, 2.0]])
    assert thinness(eigenvalues) == pytest.approx([1e-4 / 0.3, 0.5 / 0.05005, 0.1 / 0.25005])
    assert thinness(np.array([[1e-4, 1e-4], [1.0, 1.0]]))[0] == pytest.approx(1.0)
    assert thinness(eigenvalues[:1]).tolist() == [1.0]


def scatter_of(seed, n_components=3, n_features=3):
    half = np.random.default_rng(seed).normal(size=(n_components, n_features, n_features + 2))
    return half @ np.swapaxes(half, -1, -2)


@pytest.mark.parametrize("worst", [0.0, 1e-310, 1e300, np.nan])
def test_a_degenerate_fit_leaves_the_axes_of_the_others_alone(worst):
    counts = np.full((3, 3), 5.0)
    good = np.stack([scatter_of(0), scatter_of(1), scatter_of(2)])
    bad = good.copy()
    bad[1, 2] *= worst

    def variances_of(spread):
        return spread / 5.0

    with np.errstate(all="ignore"):
        axes, variances = common_orientation(counts, bad, variances_of)
        again, _ = common_orientation(counts, bad, variances_of, axes)
    for place in (0, 2):
        alone, own = common_orientation(counts[:1], good[[place]], variances_of)
        turned = np.einsum("ij,ij->j", axes[place], alone[0])
        assert np.abs(turned) == pytest.approx(1.0, abs=1e-9)
        assert variances[place] == pytest.approx(own[0], rel=1e-6)
        assert np.isfinite(again[place]).all()


def test_best_axes_do_not_depend_on_units():
    counts, scatter = np.full((1, 3), 5.0), scatter_of(4)[None]
    axes, _ = common_orientation(counts, scatter, lambda spread: spread / 5.0)
    for unit in (1e-120, 1e120):
        other, _ = common_orientation(counts, scatter * unit, lambda spread: spread / 5.0)
        turned = np.abs(np.swapaxes(axes, -1, -2) @ other)
        assert turned.max(axis=-1) == pytest.approx(1.0, abs=1e-9)


def test_matrices_that_fail_become_nan_one_by_one():
    def fragile(matrices):
        if (matrices == 7).any():
            raise np.linalg.LinAlgError
        return (matrices.sum(axis=-1),)

    given = np.stack([np.full((2, 2), value) for value in (1.0, 7.0, np.inf, 3.0)])
    (found,) = for_each(fragile, given)
    assert np.isnan(found[[1, 2]]).all()
    assert found[[0, 3]].tolist() == [[2.0, 2.0], [6.0, 6.0]]


def test_without_regularisation_degenerate_starts_end_no_search(faithful):
    found = search(faithful, [4, 8], ["VVE", "VEE"], n_init=10, reg_covar=0.0, n_bootstrap=0)
    assert found.table["bic"].notna().all()


def test_the_table_holds_the_figures_behind_a_veto_and_the_documentation_names_each():
    row, found = best_with_three(with_a_line(0.05))
    assert row["thinness"] < Limits().thinness
    assert row["thin_size"] == pytest.approx(20, abs=0.5)
    text = (Path(__file__).parents[2] / "docs" / "mixture.md").read_text()
    assert [name for name in found.table.columns if f"`{name}`" not in text] == []
