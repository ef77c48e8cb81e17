from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from interpretation.making import market, person, told

from cohortlab.browsing import sentences
from cohortlab.interpretation import (
    Descriptions,
    KeywordDescriber,
    as_html,
    as_page,
    assign_by_terms,
    consistency,
    describe_clusters,
    description_table,
    draw_sample,
    hold_out,
    identifiability,
    sequence_terms,
)

HOSTILE = [
    "<script>alert(1)</script>.org",
    "</td></table><img src=x onerror=alert(1)>.org",
    '" onmouseover="alert(1).org',
    "&lt;b&gt;.org",
    "javascript:alert(1)",
    "$\\href{javascript:alert(1)}{x}$.org",
    "evil\u202egro.elgoog",
    "two\nlines\x00.org",
]


class Reader(HTMLParser):
    """What a browser would see: tags with their attributes, and texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.texts.append(text)


def believed(log, texts, labels, **options):
    terms = sequence_terms(log)
    held = hold_out(labels, seed=1)
    made = describe_clusters(
        KeywordDescriber(terms, **options), texts, labels[~held], budget=10**5, seeds=(1, 2)
    )
    tried = draw_sample(texts, labels[held], budget=10**5, seed=1)
    shown = held.index[~held]
    shares = [assign_by_terms(tried, d, terms=terms, shown=shown) for d in made.by_seed.values()]
    return made, consistency(made), identifiability(shares, tried, seed=1)


def test_the_table_puts_descriptions_beside_what_speaks_for_them():
    made, agreement, found = believed(*market())
    table = description_table(made, agreement, found)
    assert table["cluster"].tolist() == ["films", "mail", "papers"]
    first, second = made.by_seed.values()
    assert table["sentence"].tolist() == [one.sentence for one in first]
    assert table["keywords_again"].tolist() == [", ".join(one.keywords) for one in second]
    assert table["recognised"].tolist() == np.diag(found.table).tolist()
    assert table["keyword_overlap"].equals(agreement["keyword_overlap"])


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_domains_reach_the_table_and_do_nothing(name):
    kinds = ["mail", "mail", "films", "films"]
    log = pd.concat(
        [
            person(number, kind, extra=[name] * 5 if kind == "mail" else [])
            for number, kind in enumerate(kinds)
        ],
        ignore_index=True,
    )
    labels = pd.Series(kinds)
    table = description_table(*believed(log, sentences(log), labels))
    assert name in table.loc[1, "keywords"]
    harmless = table.replace({name: "x.org"}, regex=False)
    page, plain = Reader(as_html(table)), Reader(as_html(harmless))
    assert page.tags == plain.tags
    assert {tag for tag, _ in page.tags} == {"table", "tr", "th", "td"}
    seen = "".join(page.texts)
    assert (
        name.replace("\n", "\\u000a").replace("\x00", "\\u0000").replace("\u202e", "\\u202e")
        in seen
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_shows_the_same_table_and_loads_nothing(name):
    table = pd.DataFrame({name: [name, None], "a_number": [0.123, np.nan]})
    page = as_page(table, title=name)
    assert as_html(table, caption=name) in page
    tags = [tag for tag, _ in Reader(page).tags]
    assert sorted(set(tags)) == [
        "body", "caption", "head", "html", "meta", "style", "table", "td", "th", "title", "tr",
    ]  # fmt: skip
    assert "default-src 'none'" in page
    assert "<td>0.12</td>" in page
    assert "<td></td>" in page


def test_no_formula_is_set_in_a_table():
    (_, attributes), *_ = Reader(as_html(pd.DataFrame({"a": ["$x$"]}))).tags
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(attributes["class"].split())


def test_descriptions_by_a_model_are_escaped_too():
    made = Descriptions({1: told(("<a>", "<b>", "<c>"), ("b", "", ""))}, overlap=float("nan"))
    assert {tag for tag, _ in Reader(as_html(made.table())).tags} == {"table", "tr", "th", "td"}
