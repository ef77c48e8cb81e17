import json

import pytest

from cohortlab.verify import compare_texts


def compare(before, now, name="x.json", tolerance=1e-6):
    return compare_texts(name, json.dumps(before), json.dumps(now), tolerance=tolerance)


def test_equal_files_have_no_differences():
    assert compare({"a": [1, 2.5, None, "x"]}, {"a": [1, 2.5, None, "x"]}) == []


def test_the_last_digits_of_a_number_may_differ():
    assert compare({"a": 1.0}, {"a": 1.0 + 1e-9}) == []
    assert compare({"a": 1.0}, {"a": 1.0 + 1e-3}) == ["x.json: a: committed 1.0, now 1.001"]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"rows": 1_000_000_000}, {"rows": 1_000_000_001}),
        ({"a": "x"}, {"a": "y"}),
        ({"a": 1}, {"a": None}),
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [1]}),
        ({"a": 1.5}, {"a": float("nan")}),
    ],
)
def test_counts_texts_and_shapes_are_compared_exactly(before, now):
    assert len(compare(before, now, tolerance=1e-3)) == 1


def test_the_way_to_an_optimum_is_not_compared_but_the_optimum_is():
    before = "model,n_iter,bic\nVVV,56,10.0\n"
    assert compare_texts("bic.csv", before, "model,n_iter,bic\nVVV,66,10.0\n", tolerance=1e-3) == []
    other = compare_texts("bic.csv", before, "model,n_iter,bic\nVVV,56,11.0\n", tolerance=1e-3)
    assert other == ["bic.csv: [0].bic: committed '10.0', now '11.0'"]
    assert len(compare_texts("bic.csv", before, "model,n_iter\nVVV,56\n", tolerance=1e-3)) == 1


def test_what_comes_from_a_drawn_plane_may_differ_but_must_be_there():
    before = {"plane": {"within": 1.0}, "routes": {"plane_cluster": 3, "proximity": 0.5}}
    now = {"plane": {"within": 2.0}, "routes": {"plane_cluster": 4, "proximity": 0.5}}
    assert compare(before, now) == []
    now["routes"]["proximity"] = 0.6
    assert len(compare(before, now)) == 1
    assert len(compare(before, {"routes": before["routes"]})) == 1


def test_csv_files_are_compared_cell_by_cell():
    before, now = "a,b\n1,2.50000001\n", "a,b\n1,2.5\n"
    assert compare_texts("x.csv", before, now, tolerance=1e-6) == []
    assert compare_texts("x.csv", before, "a,b\n2,2.5\n", tolerance=1e-6) == [
        "x.csv: [0].a: committed '1', now '2'"
    ]
