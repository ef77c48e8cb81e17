import ibis
import numpy as np
import pandas as pd
import pytest

from cohortlab.features import visits as of
from cohortlab.schemas import validate

SATURDAY_5 = pd.Timestamp("2018-10-06 05:00").value // 1_000_000
HOUR = 3_600_000
VISITS = pd.DataFrame(
    [
        (2, SATURDAY_5, "google.de", 1000),
        (2, SATURDAY_5 + HOUR, "google.de", HOUR),
        (2, SATURDAY_5 + 48 * HOUR, "a.org", 0),
        (2, SATURDAY_5 + 49 * HOUR, "google.de", 0),
        (1, SATURDAY_5 + 24 * HOUR, "spiegel.de", 5000),
    ],
    columns=["person_id", "start_ms", "domain", "active_ms"],
)
CATEGORIES = {"search": ["Google.*"], "news": ["spiegel.de", "g*"]}


def log(rows=VISITS):
    return ibis.memtable(rows)


def test_users_are_summed_up_in_their_order():
    found = validate("user_features", of.user_features(log()).to_pandas())
    assert found["person_id"].tolist() == [1, 2]
    assert found["n_records"].tolist() == [1, 4]
    assert found["n_domains"].tolist() == [1, 2]
    assert found["n_days"].tolist() == [1, 2]
    assert found["active_hours"].tolist() == pytest.approx([5 / 3600, 1 + 1 / 3600])
    assert found["repetition_share"].tolist() == [0, 0.5]
    # From 0 to 6 o'clock, and by the clock of the log, whatever the zone of the machine.
    assert found["night_share"].tolist() == [1, 0.5]
    assert found["weekend_share"].tolist() == [1, 0.5]


def test_the_order_of_the_rows_changes_nothing():
    first = of.user_features(log()).to_pandas()
    pd.testing.assert_frame_equal(of.user_features(log(VISITS[::-1])).to_pandas(), first)


def test_attributes_say_when_a_user_was_seen():
    found = validate("user_attributes", of.user_attributes(log()).to_pandas())
    assert found["first_visit"].tolist()[1] == pd.Timestamp("2018-10-06 05:00")
    assert found["last_visit"].tolist()[1] == pd.Timestamp("2018-10-08 06:00")


def test_the_domains_of_a_day_are_a_basket():
    found = validate("baskets", of.baskets(log()).to_pandas())
    assert found[["basket_id", "item"]].to_numpy().tolist() == [
        ["1 2018-10-07", "spiegel.de"],
        ["2 2018-10-06", "google.de"],
        ["2 2018-10-08", "a.org"],
        ["2 2018-10-08", "google.de"],
    ]


def test_incidence_counts_records_and_shares_of_categories_follow():
    found = validate("incidence", of.incidence(log()).to_pandas())
    assert found["weight"].tolist() == [1, 1, 3]
    categories = of.domain_categories(sorted(set(found["item"])), CATEGORIES)
    assert categories.dropna().to_dict() == {"google.de": "search", "spiegel.de": "news"}
    shares = of.category_shares(found, categories)
    assert shares.to_dict("list") == {"share_news": [1, 0], "share_search": [0, 0.75]}


def test_users_of_few_records_are_left_out_and_counted():
    rng = np.random.default_rng(1)
    kept, counts = of.select_users(log(), min_records=2, max_users=9, rng=rng)
    assert kept.to_pandas()["person_id"].unique().tolist() == [2]
    assert counts == {"users": 1, "too_few_records": 1, "not_drawn": 0}
    with pytest.raises(ValueError, match="no user has 5 records; the most is 4: lower"):
        of.select_users(log(), min_records=5, max_users=9, rng=rng)


def test_of_many_users_some_are_drawn():
    many = pd.concat([VISITS.assign(person_id=number) for number in range(40)])
    kept, counts = of.select_users(
        log(many), min_records=1, max_users=15, rng=np.random.default_rng(1)
    )
    drawn = kept.to_pandas()["person_id"].unique()
    assert counts == {"users": 15, "too_few_records": 0, "not_drawn": 25}
    assert len(drawn) == 15
    assert sorted(drawn) != list(range(15))
