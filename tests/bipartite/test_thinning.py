import numpy as np
import pandas as pd
import pytest

from cohortlab.bipartite import thin_relations


def table(z):
    z = np.asarray(z, dtype=float)
    people, items = np.indices(z.shape).reshape(2, -1)
    return pd.DataFrame({"person_cluster": people, "item_cluster": items, "z": z.ravel()})


def test_small_tables_stay_as_they_are():
    whole = table([[1, 2], [3, 4]])
    thinned, note = thin_relations(whole, max_clusters=2)
    pd.testing.assert_frame_equal(thinned, whole)
    assert note == ""


def test_clusters_with_the_largest_z_of_either_sign_stay():
    z = [[0, 0, 1, 0], [0, -9, 0, 0], [0, 0, 0, 5], [np.nan] * 4]
    thinned, note = thin_relations(table(z), max_clusters=2)
    assert thinned["z"].tolist() == [-9, 0, 0, 5]
    assert (set(thinned["person_cluster"]), set(thinned["item_cluster"])) == ({1, 2}, {1, 3})
    assert note == (
        "shown: 2 of 4 clusters of people and 2 of 4 clusters of items, those with the largest |z|"
    )


def test_clusters_without_any_z_go_first_and_equals_stay_in_order():
    thinned, _ = thin_relations(table([[np.nan], [0], [0]]), max_clusters=2)
    assert thinned["person_cluster"].tolist() == [1, 2]
    thinned, _ = thin_relations(table([[3], [3], [3]]), max_clusters=2)
    assert thinned["person_cluster"].tolist() == [0, 1]


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="max_clusters is 0"):
        thin_relations(table([[1]]), max_clusters=0)
