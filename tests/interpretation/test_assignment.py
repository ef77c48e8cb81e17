import numpy as np
import pandas as pd
import pytest
from interpretation.making import CATEGORIES, market, person, told

from cohortlab.browsing import sentences
from cohortlab.interpretation import (
    assign_by_embedding,
    assign_by_terms,
    draw_sample,
    embedder,
    sequence_terms,
)

LOG, SENTENCES, LABELS = market()
HELD = [0, 6, 12]
SHOWN = LABELS.index.drop(HELD)
SAMPLE = draw_sample(SENTENCES, LABELS[HELD], budget=10_000, seed=1)
TERMS = sequence_terms(LOG, categories=CATEGORIES)
RIGHT = told(
    ("films", "youtube.com", "In the evening."),
    ("mail", "mail", "During working hours."),
    ("papers", "", "Spiegel in the morning."),
)


def assigned(descriptions, sample=SAMPLE, terms=TERMS, shown=SHOWN):
    return assign_by_terms(sample, descriptions, terms=terms, shown=shown)


def test_sequences_go_where_their_domains_times_and_categories_are_named():
    shares = assigned(RIGHT)
    assert shares.idxmax(axis=1).tolist() == SAMPLE["cluster"].tolist()
    assert set(shares.to_numpy().ravel()) == {0.0, 1.0}


def test_the_order_of_descriptions_is_no_matter():
    back = assigned(RIGHT[::-1])
    assert list(back) == ["papers", "mail", "films"]
    pd.testing.assert_frame_equal(back[list(assigned(RIGHT))], assigned(RIGHT))


def test_a_sequence_that_no_description_speaks_of_is_divided():
    vague = told(("films", "things", "Nothing."), ("mail", "", ""), ("papers", "cats", "Dogs."))
    assert np.allclose(assigned(vague), 1 / 3)


def test_what_is_held_out_never_changes_the_weights():
    alone = assigned(RIGHT, sample=SAMPLE.iloc[:2])
    pd.testing.assert_frame_equal(alone, assigned(RIGHT).iloc[:2])
    others = pd.concat([LOG, *(person(n, "mail", extra=["new.org"]) for n in range(100, 140))])
    more = sequence_terms(others, categories=CATEGORIES)
    pd.testing.assert_frame_equal(assigned(RIGHT), assigned(RIGHT, terms=more))


def test_domains_that_nobody_shown_visits_are_unknown():
    log = pd.concat([LOG, person(100, "mail", extra=["secret.org"])], ignore_index=True)
    sample = draw_sample(sentences(log), pd.Series({100: "mail"}), budget=1000, seed=1)
    names = told(("mail", "secret.org", ""), ("films", "youtube.com", ""))
    shares = assigned(names, sample=sample, terms=sequence_terms(log))
    assert (shares == 0.5).all(axis=None)


def test_nobody_is_both_held_out_and_shown():
    with pytest.raises(ValueError, match="person 0 is both"):
        assigned(RIGHT, shown=LABELS.index)


def test_an_embedder_compares_sentences_with_texts():
    def embed(texts):
        return np.array([[t.count("youtube"), t.count("web.de"), t.count("bild")] for t in texts])

    texts = told(("films", "youtube", ""), ("mail", "", "web.de"), ("papers", "bild", ""))
    shares = assign_by_embedding(SAMPLE, texts, embed=embed)
    assert shares.idxmax(axis=1).tolist() == SAMPLE["cluster"].tolist()


def test_an_embedder_has_a_name():
    assert embedder("terms") is None
    with pytest.raises(ValueError, match="likeness is 'magic': choose terms, sentence_tr"):
        embedder("magic")


@pytest.mark.parametrize("likeness", ["sentence_transformer", "endpoint"])
def test_an_embedder_is_the_representation_of_its_name(monkeypatch, likeness):
    def represent(texts, method):
        return method, texts.tolist()

    monkeypatch.setattr("cohortlab.interpretation.assignment.represent", represent)
    assert embedder(likeness)(("one", "two")) == (likeness, ["one", "two"])
