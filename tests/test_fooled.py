"""The material of the notebook on mistakes: what is planted in it is there."""

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans

from cohortlab import fooled
from cohortlab.synthetic.populations import make_population


@pytest.fixture
def people():
    rows = make_population(200, **fooled.TWO_KINDS, random_state=1)
    return rows.rename(columns={"cluster": "kind"}).assign(id=np.arange(200))


def test_copies_are_equal_and_away_from_all_others(people):
    rows = people[["visits", "spending"]]
    longer = fooled.with_copies(rows, 3)
    assert len(longer) == 203
    assert len(longer.tail(3).drop_duplicates()) == 1
    nearest = ((rows - longer.iloc[-1]) / rows.std()).pow(2).sum(axis=1).min()
    assert nearest > 0.25


@pytest.mark.parametrize("share", [0.5, 0.8, 2 / 3])
def test_every_pair_has_exactly_the_confidence_that_was_asked_for(share):
    made = fooled.pairs_at(share, 5, 60, rng=np.random.default_rng(0))
    baskets = made.groupby("item")["basket_id"].agg(set)
    for j in range(1, 6):
        first, second = baskets[f"if {j:02d}"], baskets[f"then {j:02d}"]
        assert second < first
        assert len(second) == round(share * len(first))
        assert len(second) / len(first) == pytest.approx(share, abs=1e-12)


def test_too_few_baskets_for_the_pairs_are_named():
    with pytest.raises(ValueError, match="12 pairs need 60 baskets, got 50"):
        fooled.pairs_at(0.8, 12, 50, rng=np.random.default_rng(0))


def test_only_planted_rules_are_kept():
    sets = [("if 01", "then 01"), ("if 01", "then 02"), ("then 01", "if 01"), ("bag", "then 01")]
    table = pd.DataFrame(
        [(frozenset([a]), frozenset([b])) for a, b in sets], columns=["antecedents", "consequents"]
    )
    assert len(fooled.planted_rules(table)) == 1


def test_people_buy_what_their_kind_prefers_and_basket_ids_are_no_ids_of_people(people):
    bought = fooled.purchases_of(people, 0.9, rng=np.random.default_rng(0))
    assert bought["basket_id"].is_unique
    assert set(bought["person_id"]) == set(people["id"])
    kinds = bought["person_id"].map(people.set_index("id")["kind"])
    tea = (bought["item"] == "tea").groupby(kinds).mean()
    assert tea["guests"] == pytest.approx(0.9, abs=0.06)
    assert tea["regulars"] == pytest.approx(0.1, abs=0.06)


def test_two_seeds_give_the_same_clusters_the_other_way_round(people):
    rows = people[["visits", "spending"]].to_numpy()
    one, other = (
        KMeans(2, n_init=1, random_state=seed).fit_predict(rows)
        for seed in fooled.seeds_that_permute(rows)
    )
    assert (one == 1 - other).mean() > 0.95


def test_without_a_seed_that_permutes_the_search_says_so(people):
    with pytest.raises(ValueError, match="no seed below 1 permutes"):
        fooled.seeds_that_permute(people[["visits", "spending"]].to_numpy(), n_tried=1)


def test_papermill_runs_on_with_a_misspelt_parameter_and_only_its_log_tells(tmp_path):
    path = tmp_path / "toy.ipynb"
    fooled.write_notebook(path)
    assert fooled.run_with_papermill(path, {"n_clusters": 5}) == ("5", [])
    printed, said = fooled.run_with_papermill(path, {"n_cluster": 5})
    assert printed == "3"
    assert ["n_cluster" in line for line in said] == [True]
