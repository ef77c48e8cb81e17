import pytest
from interpretation.making import HOUR_MS
from visits import MONDAY_MS, visits

from cohortlab.interpretation import HABITS, find_terms, sequence_terms
from cohortlab.interpretation.terms import KINDS


def weights(log, **options):
    table = sequence_terms(log, **options)
    return {(row.kind, row.term): row.weight for row in table.itertuples()}


def test_domains_and_categories_weigh_their_share_of_the_visits():
    log = visits((0, "a.de", 5), (10, "b.de", 5), (20, "a.de", 5), (30, "c.de", 5))
    found = weights(log, categories={"a.de": "news", "b.de": "news"})
    assert {key: w for key, w in found.items() if key[0] in ("domain", "category")} == {
        ("domain", "a.de"): 0.5,
        ("domain", "b.de"): 0.25,
        ("domain", "c.de"): 0.25,
        ("category", "news"): 0.75,
    }


@pytest.mark.parametrize(
    ("hour", "times"),
    [
        (3, {"night"}),
        (10, {"morning", "working hours"}),
        (14, {"afternoon", "working hours"}),
        (20, {"evening"}),
        (5 * 24 + 10, {"morning", "weekend"}),
    ],
)
def test_the_time_is_that_of_the_start(hour, times):
    found = weights(visits((0, "a.de", 30), start=MONDAY_MS + hour * HOUR_MS))
    assert {term for kind, term in found if kind == "time"} == times


@pytest.mark.parametrize(
    ("rows", "habits"),
    [
        ([(0, "a.de", 30)], {"short sittings", "single domain"}),
        ([(0, "a.de", 5), (700, "b.de", 5)], {"brief visits"}),
        ([(0, "a.de", 100), (3600, "b.de", 100)], {"long visits", "long sittings"}),
        ([(i, f"{i}.de", 30) for i in range(10)], {"short sittings", "many domains"}),
        (
            [(0, "a.de", 30), (40, "b.de", 30), (80, "a.de", 30)],
            {"short sittings", "back and forth"},
        ),
    ],
)  # fmt: skip
def test_habits_are_what_the_table_says(rows, habits):
    assert {term for kind, term in weights(visits(*rows)) if kind == "habit"} == habits


def test_every_habit_has_a_kind_that_is_known():
    assert {kind for kind, *_ in HABITS.values()} <= set(KINDS)


VOCABULARY = ["facebook.com", "mail.de", "web.de", "web.com", "evening", "working hours", "x.org"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Facebook and MAIL.DE in the evenings.", {"facebook.com", "mail.de", "evening"}),
        ("During working hours; at work for hours", {"working hours"}),
        ("facebookcom, emails, xevening, notfacebook.com", set()),
        ("web and x", set()),
        ("web.de.", {"web.de"}),
        ("", set()),
    ],
)
def test_terms_are_found_as_whole_words(text, found):
    assert find_terms(text, VOCABULARY) == found
