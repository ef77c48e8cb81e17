import numpy as np
import pandas as pd
import pytest
from interpretation.making import market

from cohortlab.interpretation import draw_sample, hold_out

_, SENTENCES, LABELS = market()
TOKENS = 30  # of each of these sentences


def drawn(budget=20 * TOKENS, seed=1, sentences=SENTENCES, labels=LABELS):
    return draw_sample(sentences, labels, budget=budget, seed=seed)


def test_a_sample_keeps_to_the_budget_and_hears_each_cluster_alike():
    sample = drawn(budget=400)
    assert sample["n_tokens"].sum() <= 400
    assert sample["n_tokens"].sum() > 400 - 3 * sample["n_tokens"].max()
    assert np.ptp(sample.groupby("cluster").size()) == 0
    assert list(sample["cluster"].unique()) == sorted(LABELS.unique())


@pytest.mark.parametrize("seed", [42, 99, 1337])
def test_everybody_is_heard_once_before_anybody_twice(seed):
    times = drawn(seed=seed).groupby(["cluster", "person_id"]).size()
    for cluster, counts in times.groupby("cluster"):
        n_people = LABELS.eq(cluster).sum()
        silent = n_people - len(counts)
        assert counts.max() - (0 if silent else counts.min()) <= 1
        assert len(counts) > 3


def test_a_seed_draws_the_same_in_any_order_of_rows_and_another_seed_something_else():
    shuffled = SENTENCES.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(drawn(), drawn(sentences=shuffled))
    pd.testing.assert_frame_equal(drawn(), drawn(labels=LABELS.iloc[::-1]))
    assert not drawn()["sentence"].equals(drawn(seed=2)["sentence"])


def test_what_a_small_cluster_leaves_goes_to_the_others():
    few = LABELS[(LABELS != "mail") | (LABELS.index == 0)]
    sample = drawn(budget=1000, labels=few)
    tokens = sample.groupby("cluster")["n_tokens"].sum()
    assert (sample["cluster"] == "mail").sum() == 4
    assert tokens["films"] > 400
    assert tokens.sum() > 1000 - 2 * sample["n_tokens"].max()


def test_all_is_drawn_where_the_budget_allows():
    assert len(drawn(budget=10**6)) == len(SENTENCES)


def test_whole_numbers_stay_whole_where_people_have_no_label():
    numbers = LABELS.map({"mail": 0, "films": 1, "papers": 2}).iloc[1:]
    assert drawn(labels=numbers)["cluster"].dtype == numbers.dtype


def test_a_budget_that_may_leave_a_cluster_unheard_is_refused():
    longest = drawn()["n_tokens"].max()
    assert len(drawn(budget=3 * longest)) >= 3
    with pytest.raises(ValueError, match=f"give {3 * longest} at least"):
        drawn(budget=3 * longest - 1)


def test_a_cluster_without_sentences_is_named():
    with pytest.raises(ValueError, match="cluster ghosts"):
        drawn(labels=pd.concat([LABELS, pd.Series({999: "ghosts"})]))


@pytest.mark.parametrize(("share", "n_held"), [(0.01, 1), (0.3, 2), (0.5, 3), (0.99, 5)])
def test_people_of_every_cluster_are_held_out_and_shown(share, n_held):
    held = hold_out(LABELS, share=share, seed=3)
    assert held.index.equals(LABELS.index)
    assert held.groupby(LABELS).sum().eq(n_held).all()


def test_who_is_held_out_hangs_on_the_seed_and_not_on_the_order():
    held = hold_out(LABELS, seed=3)
    assert held.equals(hold_out(LABELS.iloc[::-1], seed=3).sort_index())
    assert not held.equals(hold_out(LABELS, seed=4))


@pytest.mark.parametrize(
    ("labels", "share", "message"),
    [
        (LABELS, 1.0, "share"),
        (LABELS[LABELS == "mail"], 0.3, "two clusters or more"),
        (LABELS.iloc[:7], 0.3, "cluster films has one person"),
        (pd.concat([LABELS, LABELS.iloc[:1]]), 0.3, "0 has several"),
    ],
)
def test_people_who_cannot_be_held_out_are_refused(labels, share, message):
    with pytest.raises(ValueError, match=message):
        hold_out(labels, share=share, seed=0)
