"""Exact points, alone and beside other rows, counted or weighted."""

import numpy as np
import pytest

from cohortlab.mixture import search, split_mass_points
from cohortlab.mixture.collapse import collapse_rows
from cohortlab.mixture.mass_points import heaviest_points

FIVE = np.repeat(np.arange(10.0).reshape(5, 2) ** 2, 100, axis=0)


def binary(n_rows=300):
    return np.random.default_rng(0).integers(0, 2, (n_rows, 2)).astype(float)


@pytest.mark.parametrize(
    ("X", "n_points"),
    [
        (FIVE, 5),
        (binary(), 4),
        (np.ones((40, 2)), 1),
        (np.random.default_rng(0).normal(size=(40, 2)), 0),
    ],
    ids=["five points", "two columns of zeros and ones", "one point", "no point"],
)
def test_points_are_found_where_no_row_is_alone(X, n_points):
    labels, points = split_mass_points(X)
    assert len(points) == n_points
    assert points["weight"].sum() == (labels >= 0).sum() == (len(X) if n_points else 0)


@pytest.mark.parametrize("factor", [1, 3])
def test_whole_weights_count_rows(factor):
    rows, counts = np.unique(binary(), axis=0, return_counts=True)
    points = split_mass_points(rows, counts * factor)[1]
    assert points["weight"].tolist() == sorted(counts * factor, reverse=True)
    single = np.random.default_rng(0).normal(size=(40, 2))
    assert len(split_mass_points(single, np.full(40, factor))[1]) == (40 if factor > 1 else 0)


def test_weights_that_are_no_counts_make_no_point_of_a_single_row():
    X = np.random.default_rng(0).normal(size=(40, 2))
    weight = np.full(40, 0.5)
    weight[0] = 20.5
    assert heaviest_points(collapse_rows(X, weight)).size == 0
    twice = collapse_rows(np.concatenate([X, X[:1]]), np.append(weight, 0.25))
    assert twice.weights[heaviest_points(twice)].tolist() == [20.75]


@pytest.mark.parametrize("X", [FIVE, binary()], ids=["five points", "zeros and ones"])
def test_rows_that_are_all_points_are_named_and_not_taken_for_skewed_ones(X):
    certificate = search(X, range(1, 4), ["VVV"], n_init=2, n_bootstrap=0).certificate
    assert certificate["data"]["mass_share"] == 1.0
    assert certificate["verdict"] != "sound"
    text = " ".join(certificate["advice"])
    assert f"{certificate['data']['mass_points']} exact mass points hold 100% of the rows" in text
    assert "leave no rest for a mixture" in text
    assert "log1p" not in text
