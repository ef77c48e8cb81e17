import pandas as pd
import pytest

from cohortlab import palette

COLUMNS = ["picture", "method", "asked", "distinct", "delta_e_mean", "psnr_db", "bytes_ratio"]


@pytest.fixture
def figures():
    rows = [
        ("b", "one", 8, 900, 5.0, 20.0, 0.1),
        ("b", "two", 8, 900, 4.0, 20.0, 0.2),
        ("b", "one", 16, 900, 2.9, 31.0, 0.3),
        ("b", "two", 16, 900, 3.5, 29.0, 0.4),
        ("a", "one", 8, 900, 9.0, 10.0, 0.1),
        ("a", "two", 8, 900, 8.0, 13.0, 0.1),
        ("a", "one", 16, 900, 7.0, 11.0, 0.2),
        ("a", "two", 16, 900, 6.0, 12.0, 0.3),
        ("flat", "one", 8, 3, 0.0, float("inf"), 0.9),
        ("flat", "two", 8, 3, 0.0, float("inf"), 0.9),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_the_fewest_colours_are_those_at_which_the_best_method_passes(figures):
    found = palette.enough_colours(figures.sample(frac=1, random_state=1), at_most=3)
    found = found.set_index("picture")
    assert found.loc["b", ["enough", "method", "delta_e_mean"]].tolist() == [16, "one", 2.9]
    assert found.loc["b", "bytes_ratio"] == 0.3
    assert found.loc["flat", "enough"] == 8


def test_none_is_enough_where_the_limit_is_never_reached(figures):
    found = palette.enough_colours(figures, at_most=3).set_index("picture")
    assert list(found.index) == ["b", "a", "flat"]
    assert pd.isna(found.loc["a", "enough"])
    assert found.loc["a", ["method", "delta_e_mean"]].tolist() == ["two", 6.0]  # at the largest
    assert palette.enough_colours(figures, at_most=6)["enough"].tolist() == [8, 16, 8]


def test_cases_are_counted_by_picture_and_a_tie_is_no_win(figures):
    found = palette.compare_methods(figures, ["one"], ["two"], measure="psnr_db")
    assert found.loc["b", ["cases", "better", "gain"]].tolist() == [2, 1, 1.0]
    assert found.loc["a", ["cases", "better", "gain"]].tolist() == [2, 0, -2.0]
    assert "flat" not in found.index  # nothing is lost there


def test_less_is_better_where_it_is_said_so(figures):
    low = {"measure": "delta_e_mean", "low_is_good": True}
    found = palette.compare_methods(figures, ["one"], ["two"], **low)
    assert found["better"].tolist() == [1, 0]
    assert found["gain"].tolist() == pytest.approx([-0.2, -1.0])


def test_the_best_of_each_side_counts(figures):
    third = figures[figures["method"].eq("two")].assign(method="three", psnr_db=30.0)
    both = pd.concat([figures, third])
    found = palette.compare_methods(both, ["one"], ["two", "three"], measure="psnr_db")
    assert found["better"].to_dict() == {"b": 1, "a": 0}


def test_pictures_that_lose_nothing_have_no_case(figures):
    flat = figures[figures["picture"].eq("flat")]
    assert palette.compare_methods(flat, ["one"], ["two"], measure="psnr_db").empty


def test_the_advice_is_that_of_the_cases(figures):
    said = {"always": "yes", "never": "no", "sometimes": "try"}
    found = palette.compare_methods(figures, ["one"], ["two"], measure="psnr_db")
    assert palette.wins(found) == "1 of 4 cases (b 1 of 2, a 0 of 2)"
    assert palette.advise(found, **said) == "try"
    assert palette.advise(found.assign(better=2), **said) == "yes"
    assert palette.advise(found.assign(better=0), **said) == "no"
