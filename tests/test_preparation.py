import numpy as np
import pandas as pd
import pytest

from cohortlab.preparation import clustered_columns, is_apart

FEATURES = pd.DataFrame({"events": [1, 4, 1, 2], "hours": [0.5, 0.0, 2.0, 0.0]})


def test_rows_on_any_of_the_points_are_apart():
    assert is_apart(FEATURES, {"events": 2, "hours": 2}).tolist() == [False, False, True, True]
    assert is_apart(FEATURES, {"hours": 0}).tolist() == [False, True, False, True]
    assert not is_apart(FEATURES, {}).any()


def test_spread_counts_are_recovered_by_rounding_down():
    taken = clustered_columns(
        FEATURES, ["events", "hours"], spread=["events"], rng=np.random.default_rng(0)
    )
    assert np.floor(taken["events"]).tolist() == FEATURES["events"].tolist()
    assert (taken["events"] % 1 > 0).all()
    assert taken["hours"].tolist() == FEATURES["hours"].tolist()


def test_spread_counts_are_uniform_over_their_unit():
    many = pd.DataFrame({"events": np.full(20_000, 3)})
    taken = clustered_columns(many, ["events"], spread=["events"], rng=np.random.default_rng(1))
    quarters = np.histogram(taken["events"], bins=4, range=(3, 4))[0]
    # Binomial standard deviation 61; six of them either way.
    assert np.all(np.abs(quarters - 5000) < 370)


def test_without_chance_equal_rows_stay_equal():
    taken = clustered_columns(FEATURES, ["events"], spread=["events"])
    assert taken["events"].tolist() == [1.5, 4.5, 1.5, 2.5]


def test_the_given_table_is_not_changed():
    before = FEATURES.copy()
    clustered_columns(FEATURES, ["events"], spread=["events"])
    pd.testing.assert_frame_equal(FEATURES, before)


def test_columns_that_do_not_exist_are_named():
    with pytest.raises(ValueError, match=r"`apart`.*'clicks'.*'events'"):
        is_apart(FEATURES, {"clicks": 1})
    with pytest.raises(ValueError, match=r"`clustered`.*'clicks'"):
        clustered_columns(FEATURES, ["clicks"])
    with pytest.raises(ValueError, match=r"`spread`.*'clicks'"):
        clustered_columns(FEATURES, ["events"], spread=["clicks"])


def test_where_every_row_is_apart_the_key_to_change_is_named():
    single = pd.DataFrame({"total_events": [1, 1, 1]})
    with pytest.raises(ValueError, match=r"all 3 rows stand apart .*`features\.apart`.* \{\}"):
        is_apart(single, {"total_events": 1})
    assert is_apart(single.head(0), {"total_events": 1}).tolist() == []
