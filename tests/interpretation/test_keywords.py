import numpy as np
import pandas as pd
import pytest
from interpretation.making import CATEGORIES, market, person

from cohortlab.browsing import sentences
from cohortlab.interpretation import KeywordDescriber, contrast, draw_sample, sequence_terms

LOG, SENTENCES, LABELS = market()
TERMS = sequence_terms(LOG, categories=CATEGORIES)
SAMPLE = draw_sample(SENTENCES, LABELS, budget=10_000, seed=1)


def test_each_cluster_is_described_by_what_it_alone_does():
    films, mail, papers = KeywordDescriber(TERMS)(SAMPLE)
    assert [d.cluster for d in (films, mail, papers)] == ["films", "mail", "papers"]
    assert set(films.keywords) <= {"evening", "films", "youtube.com", "netflix.com"}
    assert set(mail.keywords) <= {"working hours", "mail", "web.de", "gmx.net"}
    assert papers.sentence == (
        "More than the others: papers sites; bild.de and spiegel.de; in the morning."
    )


def test_what_everybody_does_is_no_keyword():
    descriptions = KeywordDescriber(TERMS, min_lift=0.0)(SAMPLE)
    assert "google.com" not in " ".join(d.text for d in descriptions)
    table = contrast(TERMS, SAMPLE)
    assert table.loc[table["term"] == "google.com", "score"].eq(0).all()


def test_scores_are_those_of_the_formula_term_by_term():
    rng = np.random.default_rng(5)
    terms = TERMS.assign(weight=rng.uniform(0.1, 1, len(TERMS)))
    sample = SAMPLE.sample(40, random_state=2)
    clusters = sorted(sample["cluster"].unique())

    def tf(kind, term, cluster):
        members = sample[sample["cluster"] == cluster]
        means = []
        for _, own in members.groupby("person_id"):
            rows = terms.merge(own[["person_id", "sequence_number"]])
            mine = rows[(rows["kind"] == kind) & (rows["term"] == term)]
            means.append(mine["weight"].sum() / len(own))
        return np.mean(means)

    for kind in ("time", "domain"):
        names = sorted(terms.loc[terms["kind"] == kind, "term"].unique())
        tfs = np.array([[tf(kind, term, c) for c in clusters] for term in names])
        idf = np.log(1 + tfs.sum() / len(clusters) / tfs.sum(axis=1))
        expected = idf[:, None] * (tfs - (tfs.sum(axis=1, keepdims=True) - tfs) / 2)
        found = contrast(terms, sample)
        found = found[found["kind"] == kind].pivot(index="term", columns="cluster", values="score")
        np.testing.assert_allclose(found.loc[names, clusters], expected, atol=1e-11)


def test_the_same_sample_gives_the_same_words_in_any_order_of_rows():
    other = SAMPLE.sample(frac=1, random_state=3)
    shuffled = TERMS.sample(frac=1, random_state=4)
    assert KeywordDescriber(shuffled)(other) == KeywordDescriber(TERMS)(SAMPLE)


def test_nobodys_favourite_stands_for_a_cluster():
    favourite = pd.concat(
        [LOG, person(100, "mail", n_sequences=40, extra=["mine.org"] * 40)], ignore_index=True
    )
    labels = pd.concat([LABELS, pd.Series({100: "mail"})])
    sample = draw_sample(sentences(favourite), labels, budget=10**6, seed=1)
    terms = sequence_terms(favourite)
    mail = KeywordDescriber(terms)(sample)[1]
    assert "mine.org" not in mail.text
    assert "mine.org" in KeywordDescriber(terms, min_people=0)(sample)[1].text


def test_clusters_that_do_the_same_are_said_to():
    log = pd.concat([person(number, "mail") for number in range(4)])
    labels = pd.Series({0: 0, 1: 0, 2: 1, 3: 1})
    sample = draw_sample(sentences(log), labels, budget=10**5, seed=1)
    for described in KeywordDescriber(sequence_terms(log))(sample):
        assert described.keywords == ()
        assert described.sentence == "Nothing sets it apart from the others."


def test_a_contrast_needs_two_clusters():
    with pytest.raises(ValueError, match="two clusters or more"):
        contrast(TERMS, SAMPLE[SAMPLE["cluster"] == "mail"])


def test_a_sequence_without_terms_is_refused():
    with pytest.raises(ValueError, match="no terms"):
        contrast(TERMS[TERMS["person_id"] > 0], SAMPLE)
