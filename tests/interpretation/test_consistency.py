import numpy as np
import pandas as pd
import pytest
from interpretation.making import CATEGORIES, market, told

from cohortlab.interpretation import (
    Descriptions,
    KeywordDescriber,
    consistency,
    describe_clusters,
    sequence_terms,
)
from cohortlab.interpretation.consistency import cosines

SAME = told(("a", "x y z", "Reads news in the morning."), ("b", "u v w", "Films at night."))
LOG, SENTENCES, LABELS = market()


def compared(*by_seed, **options):
    made = Descriptions(dict(enumerate(by_seed)), overlap=0.0)
    return consistency(made, **options).set_index("cluster")


def test_descriptions_that_do_not_change_agree_fully():
    table = compared(SAME, SAME, SAME)
    assert (table[["keyword_overlap", "sentence_similarity"]] > 1 - 1e-12).all(axis=None)
    assert table.loc["a", "keyword_overlap_others"] == 0
    assert table.loc["a", "sentence_similarity_others"] == 0


def test_overlap_is_the_mean_of_jaccards_index_over_pairs_of_seeds():
    words = [("x y z", "u v w"), ("X y q", "u v w"), ("r s t", "x v w")]
    table = compared(*(told(("a", one, "A."), ("b", two, "A.")) for one, two in words))
    assert table["keyword_overlap"].tolist() == pytest.approx([0.5 / 3, (1 + 0.5 + 0.5) / 3])
    # Between clusters: x of the third b stands in the first and the second a.
    assert table["keyword_overlap_others"].tolist() == pytest.approx([2 * 0.2 / 6] * 2)


def test_words_that_all_sentences_share_show_in_the_columns_of_the_others():
    first = told(("a", "x", "More than the others: mail."), ("b", "y", "More than the others: tv."))
    again = told(("a", "x", "More than the others: web."), ("b", "y", "More than the others: art."))
    table = compared(first, again)
    assert (table["sentence_similarity"] > 0.3).all()
    np.testing.assert_allclose(table["sentence_similarity"], table["sentence_similarity_others"])


def test_an_embedder_replaces_counted_words():
    vectors = {"Mail.": [2.0, 0.0], "Letters.": [1.0, 0.0], "Films.": [0.0, 3.0]}
    first, again = (told(("a", "x", word), ("b", "y", "Films.")) for word in ("Mail.", "Letters."))
    assert compared(first, again).loc["a", "sentence_similarity"] == 0
    table = compared(first, again, embed=lambda texts: np.array([vectors[t] for t in texts]))
    assert table["sentence_similarity"].tolist() == pytest.approx([1, 1])
    assert table["sentence_similarity_others"].tolist() == pytest.approx([0, 0])


def test_cosines_know_domains_as_words():
    table = cosines(["web.de", "web.com", "WEB.DE daily"])
    assert table[0, 1] == 0
    assert table[0, 2] > 0.3


def test_one_seed_is_not_compared():
    with pytest.raises(ValueError, match="two seeds or more"):
        compared(SAME)


def test_every_seed_describes_a_sample_of_its_own():
    seen = []

    def describe(sample):
        seen.append(sample)
        return KeywordDescriber(sequence_terms(LOG, categories=CATEGORIES))(sample)

    made = describe_clusters(describe, SENTENCES, LABELS, budget=400)
    assert list(made.by_seed) == [42, 99, 1337]
    assert made.clusters == ["films", "mail", "papers"]
    sets = [set(zip(s["person_id"], s["sequence_number"], strict=True)) for s in seen]
    pairs = [(0, 1), (0, 2), (1, 2)]
    shares = [len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in pairs]
    assert made.overlap == pytest.approx(np.mean(shares))
    assert 0 < made.overlap < 0.5
    assert len(made.table()) == 9


def test_samples_of_everything_overlap_fully():
    made = describe_clusters(lambda sample: [], SENTENCES, LABELS, budget=10**6)
    assert made.overlap == 1


@pytest.mark.parametrize("seeds", [(), (1, 2, 1)])
def test_seeds_must_differ(seeds):
    with pytest.raises(ValueError, match="different seeds"):
        describe_clusters(lambda sample: [], SENTENCES, LABELS, seeds=seeds)


def test_one_seed_has_no_overlap():
    assert pd.isna(describe_clusters(lambda sample: [], SENTENCES, LABELS, seeds=(1,)).overlap)
