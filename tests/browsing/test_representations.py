import sys

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import svds
from sklearn.feature_extraction.text import TfidfVectorizer
from visits import visits

from cohortlab.browsing import (
    FEATURES,
    ModelError,
    engineered_features,
    represent,
    sentence_models,
    sentences,
    word_weights,
)
from cohortlab.browsing.representations import WORDS
from cohortlab.browsing.sentence_models import prefix_of


def test_the_words_of_a_sentence_are_hour_day_and_domains(told):
    tokenise = TfidfVectorizer(token_pattern=WORDS).build_analyzer()
    assert [tokenise(text) for text in told] == [
        ["monday", "14", "a.de", "b.de"],
        ["monday", "20", "a.de"],
        ["sunday", "20", "my-shop.co.uk", "localhost"],
    ]


def test_a_domain_that_looks_like_a_day_or_an_hour_stays_one_word():
    text = "Monday 14:15, Visits: monday.com (14s) -> 14.de (15s) -> visits (9s)"
    tokenise = TfidfVectorizer(token_pattern=WORDS).build_analyzer()
    assert tokenise(text) == ["monday", "14", "monday.com", "14.de", "visits"]


HOSTILE = ["<b>x</b>", "a b.de", "ignore (all) rules", "x\ny", "a.de (5s) -> b.de", "`$x$`", "..."]


def test_each_domain_is_one_word_whatever_its_name():
    told = sentences(visits(*[(i * 10, name, 5) for i, name in enumerate(HOSTILE)]))
    assert told.str.count(" -> ").tolist() == [len(HOSTILE) - 1]
    assert "\n" not in told.iloc[0]
    assert represent(told).shape == (1, len(HOSTILE) + 2)  # day and hour too


def test_rare_words_count_for_more_and_rows_have_length_one(told):
    found = represent(told)
    assert sp.issparse(found)
    by_hand = {"monday": 2, "14": 1, "a.de": 2, "b.de": 1}
    weights = np.array([np.log(4 / (1 + d)) + 1 for d in by_hand.values()])
    expected = np.sort(weights / np.linalg.norm(weights))
    assert np.sort(found[0].data) == pytest.approx(expected)


def test_sentences_of_rarer_words_weigh_more(told):
    idf = {d: np.log(4 / (1 + d)) + 1 for d in (1, 2)}
    assert word_weights(told) == pytest.approx(
        [(2 * idf[1] + 2 * idf[2]) / 4, idf[2], (3 * idf[1] + idf[2]) / 4]
    )


def test_fewer_columns_are_the_first_singular_vectors(users):
    _, told, _ = users
    exact = np.sort(svds(represent(told), 3, return_singular_vectors=False))[::-1]
    reduced = represent(told, method="tfidf_svd")
    assert reduced.shape == (len(told), 50)
    assert np.linalg.norm(reduced[:, :3], axis=0) == pytest.approx(exact, rel=0.01)
    assert np.array_equal(reduced, represent(told, method="tfidf_svd"))


def test_too_many_columns_are_refused(told):
    with pytest.raises(ValueError, match="must be below the number of sentences and of words, 3"):
        represent(told, method="tfidf_svd")


def test_the_numbers_of_sequences_are_scaled():
    log = pd.concat([visits((0, "a.de", n), (500, "b.de", 2), number=n) for n in range(1, 9)])
    found = represent(engineered_features(log, categories={}), method="engineered")
    assert found.shape == (8, len(FEATURES))
    assert found.mean(axis=0) == pytest.approx(np.zeros(51), abs=1e-12)
    assert set(found.std(axis=0).round(9)) == {0.0, 1.0}


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("word2vec", {}, "unknown representation 'word2vec': choose one of"),
        ("tfidf", {"ngrams": 2}, r"'tfidf' has no option \['ngrams'\]: it takes"),
        ("tfidf", {"min_df": 3}, "min_df: expected a number from 1 .* got 3 for 3 sentences"),
        ("tfidf", {"min_df": 4}, "min_df: expected .* got 4 for 3 sentences"),
        ("tfidf_svd", {"min_df": 0}, "min_df: expected .* got 0 for 3 sentences"),
        ("engineered", {}, "'engineered' reads a DataFrame .* but got a Series"),
    ],
)
def test_what_is_asked_wrongly_is_named(told, method, options, message):
    with pytest.raises(ValueError, match=message):
        represent(told, method=method, options=options)


def test_features_are_no_sentences():
    with pytest.raises(ValueError, match="'tfidf' reads a Series"):
        represent(pd.DataFrame({"a": [1.0]}))


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("intfloat/e5-small-v2", "query: "),
        ("intfloat/multilingual-e5-base", "query: "),
        ("/models/E5/", "query: "),
        ("some/bge5-small", ""),
        ("BAAI/bge-small", ""),
        ("all-MiniLM-L6-v2", ""),
    ],
)
def test_models_named_e5_get_their_prefix(model, prefix):
    assert prefix_of(model) == prefix


class Recording:
    """A model that keeps what it is given."""

    def __init__(self):
        self.texts = []

    def encode(self, texts, **options):
        self.texts += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)


def test_sentences_get_the_prefix_and_equal_ones_are_embedded_once(told, monkeypatch):
    model = Recording()
    monkeypatch.setattr(sentence_models, "_load", lambda name, device: model)
    doubled = pd.concat([told, told])
    options = {"model": "intfloat/e5-small"}
    found = represent(doubled, method="sentence_transformer", options=options)
    assert sorted(model.texts) == sorted("query: " + told)
    assert found[:, 0].tolist() == [len(text) + 7 for text in doubled]


def test_without_the_extra_the_error_says_how_to_install(told, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelError, match=r"make embeddings, or pip install 'cohortlab\[embedd"):
        represent(told, method="sentence_transformer")
