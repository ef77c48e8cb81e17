import pytest
from visits import MONDAY_MS, visits

from cohortlab.browsing.sentences import count_tokens, sentences

ROWS = [(i * 20, f"site{i}.de", 10 + i) for i in range(30)]


def test_a_sentence_names_day_hour_and_visits():
    rows = [(0, "google.com", 10), (30, "youtube.com", 88.6)]
    (text,) = sentences(visits(*rows, start=MONDAY_MS + 51_300_000))
    assert text == "Monday 14:15, Visits: google.com (10s) -> youtube.com (89s)"


@pytest.mark.parametrize("limit", [40, 41, 60, 100, 200])
def test_a_long_sentence_is_shortened_in_the_middle(limit):
    (text,) = sentences(visits(*ROWS), max_tokens=limit)
    (whole,) = sentences(visits(*ROWS), max_tokens=None)
    front, _, back = text.partition(" -> ... -> ")
    assert whole.startswith(front)
    assert whole.endswith(back)
    assert abs(front.count("site") - back.count("site")) <= 1
    assert limit - 8 <= count_tokens(text) <= limit
    assert count_tokens(whole) > limit


def test_the_first_and_the_last_visit_always_stay():
    (text,) = sentences(visits(*ROWS), max_tokens=1)
    assert text == "Monday 00:00, Visits: site0.de (10s) -> ... -> site29.de (39s)"
    assert sentences(visits(ROWS[0]), max_tokens=1).tolist() == [
        "Monday 00:00, Visits: site0.de (10s)"
    ]


def test_a_name_with_blanks_and_brackets_is_written_as_in_an_address():
    (text,) = sentences(visits((0, "a b.de", 1), (30, "(5s)\n", 2)))
    assert text == "Monday 00:00, Visits: a%20b.de (1s) -> %285s%29%0A (2s)"


def test_what_fits_is_not_shortened():
    (whole,) = sentences(visits(*ROWS[:3]), max_tokens=None)
    assert sentences(visits(*ROWS[:3]), max_tokens=count_tokens(whole)).tolist() == [whole]


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="max_tokens"):
        sentences(visits(*ROWS), max_tokens=0)
