import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from cohortlab.rules import baskets_of


def clustered():
    baskets = pd.DataFrame(
        {
            "basket_id": [1, 1, 2, 3, 3],
            "person_id": [30, 30, 10, 20, 20],
            "item": ["a", "b", "a", "b", "c"],
        }
    )
    return baskets, pd.DataFrame({"id": [10, 20, 30], "cluster": [0, 1, 1]})


def test_baskets_follow_their_people_not_their_position_or_number():
    baskets, clusters = clustered()
    joined = baskets_of(baskets, clusters, [1])
    assert joined["basket_id"].tolist() == [1, 1, 3, 3]
    assert joined["cluster"].tolist() == [1, 1, 1, 1]
    assert_frame_equal(baskets_of(baskets, clusters.iloc[::-1], [1]), joined)
    assert len(baskets_of(baskets, clusters)) == 5
    assert len(baskets_of(baskets, clusters, [])) == 0


def test_people_without_baskets_are_no_fault():
    baskets, clusters = clustered()
    assert len(baskets_of(baskets.head(2), clusters)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b, c: (b, c.iloc[1:]), r"1 people with 1 baskets have no cluster \(first: 10\)"),
        (lambda b, c: (b, pd.concat([c, c.tail(1)])), r"1 ids stand more than once.*first: 30"),
        (lambda b, c: (b.assign(basket_id=7), c), r"1 baskets belong to more than one person"),
        (lambda b, c: (b.assign(person_id=b.person_id.astype(str)), c), "nothing would match"),
        (lambda b, c: (b.drop(columns="person_id"), c), r"lack the columns \['person_id'\]"),
    ],
)
def test_lost_or_doubled_baskets_are_an_error(change, message):
    with pytest.raises(ValueError, match=message):
        baskets_of(*change(*clustered()))


def test_unclustered_people_can_be_left_out_on_request():
    baskets, clusters = clustered()
    kept = baskets_of(baskets, clusters.iloc[1:], allow_unclustered=True)
    assert kept["basket_id"].unique().tolist() == [1, 3]
    assert kept["cluster"].dtype == clusters["cluster"].dtype
