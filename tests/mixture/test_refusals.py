"""What is refused, and by what words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from cohortlab.mixture import GaussianMixture, Limits, merge_components, search, split_mass_points

X = np.random.default_rng(0).normal(size=(30, 2))


@pytest.mark.parametrize("name", ["weight", "share"])
def test_a_column_that_the_table_of_points_would_overwrite_is_refused(name):
    with pytest.raises(ValueError, match=f"a column '{name}'.*rename it"):
        split_mass_points(pd.DataFrame(X, columns=["length", name]))


@pytest.mark.parametrize("share", [-1, 0, 1.5, np.nan])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="expected a share above 0 and up to 1"):
        split_mass_points(X, min_share=share)


def test_points_are_not_sought_among_missing_values():
    spoilt = X.copy()
    spoilt[3, 1] = np.nan
    with pytest.raises(ValueError, match="Column 1 holds NaN"):
        split_mass_points(spoilt)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ([[0.5, np.nan]], r"responsibilities\[0\] is"),
        ([[0.5, 0.6]], "sum to one"),
        ([0.5, 0.5], r"shape \(2,\); expected"),
        (np.zeros((0, 2)), r"shape \(0, 2\); expected"),
    ],
)
def test_what_is_no_table_of_shares_is_not_merged(shares, message):
    with pytest.raises(ValueError, match=message):
        merge_components(shares)


@pytest.mark.parametrize(
    "wrong", [{"smallest_size": -1}, {"thinness": np.nan}, {"moved_share": "1"}]
)
def test_limits_are_numbers_of_zero_or_more(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name}=.*expected a number of zero or more"):
        Limits(**wrong)


@pytest.mark.parametrize(("n", "size"), [(0, "0 rows"), (1, "1 row")])
def test_so_few_rows_are_no_mixture(n, size):
    with pytest.raises(ValueError, match=f"X has {size}; expected two or more"):
        search(X[:n], [1], ["EII"])


def test_limits_as_a_dictionary_are_refused():
    with pytest.raises(ValueError, match="expected Limits, such as"):
        search(X, [1], ["EII"], limits={"smallest_size": 3})


@pytest.mark.parametrize("place", [".", "missing/search.jsonl"])
def test_a_checkpoint_is_a_file_in_a_folder_that_exists(tmp_path, place):
    with pytest.raises(ValueError, match="expected a file in a folder that exists"):
        search(X, [1], ["EII"], checkpoint=tmp_path / place)


def test_no_step_has_converged_from_a_known_partition_alone():
    known = GaussianMixture(2, max_iter=0).fit(X, responsibilities=X[:, 0] > 0)
    assert known.converged_
    with pytest.warns(ConvergenceWarning, match="max_iter=0"):
        assert not GaussianMixture(2, max_iter=0, n_init=1).fit(X).converged_
