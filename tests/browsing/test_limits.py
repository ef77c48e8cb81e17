import numpy as np
import pandas as pd
import pytest

from cohortlab.browsing import (
    WEIGHTINGS,
    attention_to_rare,
    exchange_sequences,
    keep_sequences,
    null_choices,
    principal_plane,
    represent,
    sequence_weights,
    types_found,
    user_vectors,
    word_weights,
)

PEOPLE = np.repeat([1, 2, 3], [100, 50, 1])
SEARCH = {"methods": ["kmeans"], "k_values": [3, 4, 5], "n_seeds": 2, "min_size": 5}


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_traded_sequences_leave_everybody_as_many(share):
    traded = exchange_sequences(PEOPLE, share, rng=rng())
    assert np.bincount(traded).tolist() == np.bincount(PEOPLE).tolist()
    # Some of those that are dealt out anew come back to their owner: by chance those of 1 and 2.
    moved = (traded != PEOPLE).mean()
    expected = share * (1 - ((np.bincount(PEOPLE) / len(PEOPLE)) ** 2).sum())
    assert moved == pytest.approx(expected, abs=0.1)


def test_no_user_keeps_more_sequences_than_said():
    rows = keep_sequences(PEOPLE, 20, rng=rng())
    assert np.bincount(PEOPLE[rows]).tolist() == [0, 20, 20, 1]
    assert (np.diff(rows) > 0).all()
    assert rows[:20].tolist() != list(range(20))


@pytest.mark.parametrize(("call", "said"), [(exchange_sequences, 1.5), (keep_sequences, 0)])
def test_impossible_settings_are_named(call, said):
    with pytest.raises(ValueError, match="but is"):
        call(PEOPLE, said, rng=rng())


def test_types_are_found_and_lost_where_all_sequences_are_traded(users):
    types, sentences, _ = users
    people = sentences.index.get_level_values("person_id")
    rows = represent(sentences)
    found = types_found(people, rows, types, statistics=["mean", "sd"], **SEARCH)
    assert found["adjusted_rand_index"] > 0.8
    alike = exchange_sequences(people, 1.0, rng=rng())
    lost = types_found(alike, rows, types, statistics=["mean", "sd"], **SEARCH)
    assert abs(lost["adjusted_rand_index"]) < 0.15


def test_where_nothing_is_allowed_nothing_is_found(users):
    types, sentences, _ = users
    people = sentences.index.get_level_values("person_id")
    found = types_found(people, represent(sentences), types, **SEARCH | {"min_size": 60})
    assert (found["adjusted_rand_index"], found["n_clusters"]) == (0, 0)
    assert np.isnan(found["silhouette"])


def test_shuffled_users_are_compared_at_the_same_number_of_clusters(users):
    _, sentences, _ = users
    people = sentences.index.get_level_values("person_id")
    options = {"rng": rng(), "n_shuffles": 1, "vectors": {"statistics": ["mean"]}, **SEARCH}
    table = null_choices(people, represent(sentences), n_clusters=99, **options)
    assert table["silhouette_same_number"].isna().all()
    options["rng"] = rng()
    own = int(table["n_clusters"].iloc[0])
    again = null_choices(people, represent(sentences), n_clusters=own, **options)
    assert again["silhouette_same_number"].iloc[0] >= again["silhouette"].iloc[0]


def test_weightings_are_those_of_their_functions(told):
    rows = represent(told)
    assert sequence_weights(told, rows) is None
    assert np.array_equal(sequence_weights(told, rows, method="words"), word_weights(told))
    assert np.array_equal(sequence_weights(told, rows, method="rare"), attention_to_rare(rows))
    with pytest.raises(ValueError, match="choose one of"):
        sequence_weights(told, rows, method="loud")
    assert [*WEIGHTINGS] == ["none", "words", "rare"]


def test_the_plane_keeps_the_two_widest_directions():
    wide = pd.DataFrame({"a": [0.0, 10, 0, 10], "b": [0.0, 0, 3, 3], "c": [0.0, 0.1, 0.1, 0]})
    _, vectors = user_vectors(range(4), wide.to_numpy(), normalise=False)
    places = principal_plane(vectors)
    assert np.ptp(places, axis=0) == pytest.approx([10, 3], abs=0.01)
