import numpy as np
import pytest
from scipy.stats import chisquare

from cohortlab.synthetic.relations import (
    draw_columns,
    draw_within,
    relation_matrix,
    relation_table,
    stacked_cumulative,
)

PEOPLE = ("student", "worker", "pensioner", "robot")
ITEMS = ("book", "tool", "toy")
SHARES = (0.5, 0.3, 0.2)
LIKES = {"student": "book", "worker": "tool", "pensioner": "toy", "robot": "tool"}


@pytest.mark.parametrize("strength", [0, 0.25, 0.9, 1])
def test_rows_lie_on_the_line_from_the_shares_to_the_preferences(strength):
    matrix = relation_matrix(
        PEOPLE, ITEMS, strength=strength, column_shares=SHARES, preferences=LIKES
    )
    for row, person in enumerate(PEOPLE):
        for column, item in enumerate(ITEMS):
            wanted = (1 - strength) * SHARES[column] + strength * (LIKES[person] == item)
            assert matrix[row, column] == pytest.approx(wanted, abs=1e-12)
    assert matrix.sum(axis=1) == pytest.approx(1, abs=1e-12)


def test_relative_propensities_are_weakened_towards_the_shares():
    likes = LIKES | {"worker": {"tool": 3, "toy": 1}}
    matrix = relation_matrix(PEOPLE, ITEMS, strength=0.4, column_shares=SHARES, preferences=likes)
    np.testing.assert_allclose(matrix[1], 0.6 * np.array(SHARES) + [0, 0.4 * 0.75, 0.4 * 0.25])
    alone = relation_matrix(
        PEOPLE,
        ITEMS,
        strength=0.4,
        column_shares=SHARES,
        preferences=LIKES | {"worker": {"tool": 9}},
    )
    plain = relation_matrix(PEOPLE, ITEMS, strength=0.4, column_shares=SHARES, preferences=LIKES)
    np.testing.assert_array_equal(alone, plain)


def test_preferences_are_dealt_out_without_repetition_where_none_are_given():
    for seed in range(10):
        matrix = relation_matrix(ITEMS, ITEMS, strength=1, rng=np.random.default_rng(seed))
        assert sorted(matrix.argmax(axis=1)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 1.5, "preferences": LIKES}, "relation_strength.*from 0 to 1.*1.5"),
        ({"strength": float("nan"), "preferences": LIKES}, "relation_strength"),
        ({"strength": 0.5}, "preferences: give"),
        ({"strength": 0.5, "preferences": LIKES | {"robot": "car"}}, "preferences.robot.*'car'"),
        ({"strength": 0.5, "preferences": LIKES | {"child": "toy"}}, "preferences.child: unknown"),
        ({"strength": 0.5, "preferences": {"student": "toy"}}, "preferences.worker: missing"),
        ({"strength": 0.5, "preferences": LIKES | {"robot": ["toy"]}}, "preferences.robot: exp"),
        ({"strength": 0.5, "preferences": LIKES | {"robot": {}}}, "preferences.robot: .*above 0"),
        (
            {"strength": 0.5, "preferences": LIKES | {"robot": {"toy": 0}}},
            "preferences.robot: expected a propensity above 0",
        ),
        (
            {"strength": 0.5, "preferences": LIKES | {"robot": {"toy": -1}}},
            "preferences.robot.toy: expected a number from 0",
        ),
        (
            {"strength": 0.5, "preferences": LIKES | {"robot": {"toy": 1, "book": np.nan}}},
            "preferences.robot.book: expected a number",
        ),
        ({"strength": 0.5, "preferences": LIKES, "column_shares": (0.5, 0.3, 0.3)}, "sum to 1.1"),
    ],
)
def test_impossible_relations_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        relation_matrix(PEOPLE, ITEMS, **options)


def test_table_holds_every_cell_under_its_names():
    matrix = np.array([[0.5, 0.5, 0], [0.1, 0.2, 0.7]])
    table = relation_table(matrix, PEOPLE[:2], ITEMS, row_label="who", column_label="what")
    assert list(table.columns) == ["who", "what", "propensity"]
    pivoted = table.pivot(index="who", columns="what", values="propensity")
    np.testing.assert_array_equal(pivoted.loc[list(PEOPLE[:2]), list(ITEMS)].to_numpy(), matrix)


def test_drawn_columns_follow_their_own_row(rng):
    matrix = relation_matrix(PEOPLE, ITEMS, strength=0.4, column_shares=SHARES, preferences=LIKES)
    rows = rng.integers(0, len(PEOPLE), 40_000)
    columns = draw_columns(matrix, rows, rng=rng)
    for row in range(len(PEOPLE)):
        drawn = np.bincount(columns[rows == row], minlength=len(ITEMS))
        assert chisquare(drawn, matrix[row] * drawn.sum()).pvalue > 1e-4


def test_draws_equal_a_search_in_each_group_by_itself():
    sizes, groups = np.array([1, 5, 3]), np.repeat([0, 1, 2], [1, 5, 3])
    weights = np.random.default_rng(1).random(len(groups))
    wanted = np.random.default_rng(2).integers(0, 3, 500)
    points = np.random.default_rng(3).random(500)
    drawn = draw_within(wanted, stacked_cumulative(weights, groups), rng=np.random.default_rng(3))
    starts = np.cumsum(sizes) - sizes
    for group, point, position in zip(wanted, points, drawn, strict=True):
        own = weights[groups == group]
        reached = np.flatnonzero(np.cumsum(own) / own.sum() > point)[0]
        assert position == starts[group] + reached


def test_members_without_weight_are_never_drawn(rng):
    groups = np.repeat(np.arange(200), 4)
    weights = np.tile([0.0, 0.1, 0.7, 0.0], 200)
    stacked = stacked_cumulative(weights, groups)

    class Extreme:
        """A source that gives the lowest and the highest possible value."""

        def random(self, size):
            return np.where(np.arange(size) % 2, np.nextafter(1.0, 0), 0.0)

    wanted = np.repeat(np.arange(200), 2)
    for source in (rng, Extreme()):
        drawn = draw_within(wanted, stacked, rng=source)
        assert (drawn // 4 == wanted).all()
        assert set(drawn % 4) <= {1, 2}
