"""Descriptions of planted types can be told apart by people nobody described, others cannot."""

import copy

import numpy as np
import pandas as pd
import pytest
from visits import PANEL

from cohortlab.browsing import make_sequences, sentences
from cohortlab.interpretation import (
    KeywordDescriber,
    assign_by_terms,
    consistency,
    describe_clusters,
    draw_sample,
    hold_out,
    identifiability,
    sequence_terms,
)
from cohortlab.sources import read_visits
from cohortlab.synthetic import generate_visit_log

SEEDS = (1, 2, 3)
RECORDS = {"median": 120, "mean": 180, "maximum": 900}


class Panel:
    """Users of planted types, and what a test of descriptions needs of them."""

    def __init__(self, folder, seed):
        settings = copy.deepcopy(PANEL) | {"n_users": 64, "records": RECORDS}
        rng = np.random.default_rng(seed)
        generate_visit_log(folder / "raw", folder / "truth", rng=rng, **settings)
        path = str(folder / "raw" / "visits.csv")
        log = read_visits(path, scratch=folder / "scratch", threads=1)
        visits = make_sequences(log.tables["visits"]).to_pandas()
        category = pd.read_parquet(folder / "truth" / "domains.parquet").set_index("domain")
        says = category[category["category"] != "other"]["category"]
        self.terms = sequence_terms(visits, categories=says.to_dict())
        self.sentences = sentences(visits, max_tokens=100)
        users = pd.read_parquet(folder / "truth" / "users.parquet").set_index("person_id")
        self.types = users["user_type"]

    def believed(self, labels, *, seed):
        """Describe clusters and try the descriptions; agreement and identifiability."""
        held = hold_out(labels, seed=seed)
        made = describe_clusters(
            KeywordDescriber(self.terms), self.sentences, labels[~held], budget=4000
        )
        tried = draw_sample(self.sentences, labels[held], budget=20_000, seed=seed)
        shares = [
            assign_by_terms(tried, one, terms=self.terms, shown=held.index[~held])
            for one in made.by_seed.values()
        ]
        return consistency(made), identifiability(shares, tried, n_shuffles=199, seed=seed)

    def shuffled(self, seed):
        """Types that mean nothing: as large as the true ones."""
        return self.types.sample(frac=1, random_state=seed).set_axis(self.types.index)


@pytest.fixture(scope="module", params=SEEDS)
def panel(request, tmp_path_factory):
    return Panel(tmp_path_factory.mktemp("panel"), request.param)


def test_descriptions_of_planted_types_agree_and_are_identified(panel):
    agreement, found = panel.believed(panel.types, seed=1)
    assert found.accuracy > 2 * found.chance
    assert found.p_descriptions == 1 / 24
    assert found.p_people <= 0.01
    for measure in ("keyword_overlap", "sentence_similarity"):
        assert (agreement[measure] > agreement[f"{measure}_others"]).all()


def test_descriptions_of_random_clusters_are_not_identified(panel):
    found = [panel.believed(panel.shuffled(seed), seed=seed)[1] for seed in range(5)]
    accuracy = np.array([one.accuracy for one in found])
    # The spread of the mean over random clusters is estimated from them.
    assert abs(accuracy.mean() - 0.25) < 4 * accuracy.std(ddof=1) / len(found) ** 0.5
    assert accuracy.max() < 0.4
    # Of 5 uniform p, 3 or more below 0.05 happen once in 860 times.
    assert sum(one.p_people <= 0.05 for one in found) < 3
    assert sum(one.p_descriptions <= 0.05 for one in found) < 3
