import copy
from itertools import product

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY
from segments.making import default_block, random_rfm

from cohortlab.segments import Segmentation, fit_scores, read_segments

GRID = pd.DataFrame(
    list(product(range(1, 6), repeat=3)), columns=["recency", "frequency", "monetary"]
)


@pytest.fixture
def block():
    return copy.deepcopy(default_block(REPOSITORY))


def test_every_cell_of_the_grid_has_exactly_one_of_the_ten_segments(block):
    found = read_segments(block).assign(GRID)
    assert len(block) == 10
    for cell, name in zip(GRID.itertuples(index=False), found, strict=True):
        inside = [
            other
            for other, box in block.items()
            if all(
                box.get(key, [1, 5])[0] <= getattr(cell, key) <= box.get(key, [1, 5])[1]
                for key in GRID
            )
        ]
        assert inside == [name]
    assert set(found) == set(block)


def test_all_three_measures_may_draw_a_border():
    found = read_segments(
        {
            "rich": {"monetary": [5, 5], "action": "a"},
            "other": {"monetary": [1, 4], "recency": [2, 5], "action": "b"},
            "gone": {"monetary": [1, 4], "recency": [1, 1], "action": "c"},
        }
    ).assign(GRID)
    expected = np.where(
        GRID["monetary"] == 5, "rich", np.where(GRID["recency"] == 1, "gone", "other")
    )
    assert found.tolist() == expected.tolist()


def test_gaps_are_named_with_their_cells(block):
    block["need attention"]["monetary"] = [1, 4]
    with pytest.raises(ValueError, match=r"no segment holds \(3, 3, 5\): widen an interval"):
        read_segments(block)


def test_overlaps_are_named_with_both_segments_and_their_cells(block):
    block["need attention"]["frequency"] = [3, 4]
    block["need attention"]["monetary"] = [1, 5]
    with pytest.raises(
        ValueError, match=r"loyal and need attention overlap in \(3, 4, 1\).* and 1 more"
    ):
        read_segments(block)


def test_gaps_and_overlaps_are_told_together(block):
    del block["new"]
    block["at risk"]["frequency"] = [3, 5]
    with pytest.raises(ValueError, match=r"no segment holds \(5, 1, 1\).*at risk and cannot lose"):
        read_segments(block)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("recency", [0, 5], r"segments.new.recency: expected \[lowest, highest\] score"),
        ("recency", [5, 4], "segments.new.recency"),
        ("frequency", [1.5, 2], "segments.new.frequency"),
        ("frequency", 1, "segments.new.frequency"),
        ("frequency", [True, 2], "segments.new.frequency"),
        ("revenue", [1, 2], "segments.new.revenue: unknown key"),
        ("action", 3, "segments.new.action: expected text"),
    ],
)
def test_a_faulty_interval_is_named(block, key, value, message):
    block["new"][key] = value
    with pytest.raises(ValueError, match=message):
        read_segments(block)


def test_segments_without_an_action_or_none_at_all_are_refused(block):
    del block["new"]["action"]
    with pytest.raises(ValueError, match=r"segments.new: expected score intervals and an action"):
        read_segments(block)
    with pytest.raises(ValueError, match="at least one named segment"):
        read_segments({})


@pytest.mark.parametrize("score", [0, 6, 2.5])
def test_scores_out_of_range_have_no_segment(block, score):
    with pytest.raises(ValueError, match="whole scores from 1 to 5"):
        read_segments(block).assign(GRID.assign(recency=score))


@pytest.fixture
def segmentation(block):
    return Segmentation(fit_scores(random_rfm(1)), block)


def test_assigning_is_the_same_after_storing_and_for_each_row_alone(segmentation, tmp_path):
    new = random_rfm(2)
    segmentation.save(tmp_path / "segmentation.json")
    loaded = Segmentation.load(tmp_path / "segmentation.json")
    together = segmentation.assign(new)
    pd.testing.assert_frame_equal(loaded.assign(new), together)
    alone = pd.concat([loaded.assign(new.iloc[[i]]) for i in range(30)])
    pd.testing.assert_frame_equal(alone, together.iloc[:30])


def test_every_customer_has_one_segment_and_three_scores(segmentation, block):
    found = segmentation.assign(random_rfm(3))
    assert found["segment"].isin(list(block)).all()
    assert found.drop(columns="segment").isin(range(1, 6)).all(axis=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected a segmentation"),
        ('{"edges": {}}', "expected a segmentation"),
        ('{"edges": {"recency": []}, "segments": {}}', "expected edges of"),
        (
            '{"edges": {"recency": [], "frequency": [], "monetary": []}, "segments": '
            '{"a": {"recency": [1, 4], "action": ""}}}',
            "no segment holds",
        ),
    ],
)
def test_a_file_that_holds_no_segmentation_is_refused(tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        Segmentation.load(tmp_path / "x.json")
