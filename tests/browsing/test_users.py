import numpy as np
import pytest
import scipy.sparse as sp

from cohortlab.browsing import STATISTICS, attention_to_rare, user_vectors

RNG = np.random.default_rng(0)
PEOPLE = RNG.permutation(np.repeat(["c", "a", "b"], [7, 4, 1]))
SPARSE = sp.random_array((12, 6), density=0.4, rng=RNG, format="csr")
DENSE = SPARSE.toarray()
WEIGHTS = RNG.uniform(0.5, 3, 12)

PLAIN = {
    "mean": lambda rows: rows.mean(axis=0),
    "sd": lambda rows: rows.std(axis=0),
    "median": lambda rows: np.median(rows, axis=0),
    "lower_quartile": lambda rows: np.percentile(rows, 25, axis=0),
    "upper_quartile": lambda rows: np.percentile(rows, 75, axis=0),
}


@pytest.mark.parametrize(
    "matrix", [DENSE, SPARSE, sp.coo_matrix(SPARSE)], ids=["dense", "csr", "coo"]
)
@pytest.mark.parametrize("name", STATISTICS)
def test_each_statistic_is_that_of_the_users_own_sequences(name, matrix):
    users, found = user_vectors(PEOPLE, matrix, statistics=[name], normalise=False)
    assert users.tolist() == ["a", "b", "c"]
    expected = np.array([PLAIN[name](DENSE[user == PEOPLE]) for user in users])
    found = found.toarray() if sp.issparse(found) else found
    assert found == pytest.approx(expected, abs=1e-12)


def test_statistics_stand_side_by_side_each_of_length_one():
    _, both = user_vectors(PEOPLE, DENSE, statistics=["sd", "mean"])
    _, mean = user_vectors(PEOPLE, DENSE)
    assert both[:, 6:] == pytest.approx(mean)
    # User b has one sequence, which varies in nothing.
    assert np.linalg.norm(both[:, :6], axis=1) == pytest.approx([1, 0, 1])


def test_sparse_stays_sparse_and_gives_what_dense_does():
    for weights in (None, WEIGHTS):
        _, dense = user_vectors(PEOPLE, DENSE, statistics=[*STATISTICS], weights=weights)
        _, sparse = user_vectors(PEOPLE, SPARSE, statistics=[*STATISTICS], weights=weights)
        assert sp.issparse(sparse)
        assert sparse.toarray() == pytest.approx(dense, abs=1e-12)
        assert sparse.nnz == np.count_nonzero(sparse.toarray())


@pytest.mark.parametrize("name", STATISTICS)
def test_a_weight_of_three_is_three_equal_sequences(name):
    times = RNG.integers(1, 4, 12)
    options = {"statistics": [name], "normalise": False}
    _, weighted = user_vectors(PEOPLE, DENSE, weights=times.astype(float), **options)
    repeated = np.repeat(np.arange(12), times)
    ones = np.ones(len(repeated))
    _, found = user_vectors(PEOPLE[repeated], DENSE[repeated], weights=ones, **options)
    assert weighted == pytest.approx(found, abs=1e-12)


def test_rare_sequences_get_more_attention():
    rows = np.array([[1.0, 0.1]] * 8 + [[0.1, 1.0], [0.0, 0.0]])
    weights = attention_to_rare(rows)
    assert weights[8] > 2 * weights[0]
    assert weights[9] > weights[0]
    assert attention_to_rare(sp.csr_matrix(rows)) == pytest.approx(weights)
    assert attention_to_rare(rows, sharpness=0).tolist() == [1] * 10
    assert attention_to_rare(np.ones((3, 2))).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"statistics": ["mode"]}, "statistics: expected some of"),
        ({"statistics": "mean"}, "statistics: expected some of"),
        ({"statistics": []}, "statistics: expected some of"),
        ({"weights": np.ones(3)}, "weights: expected 12 numbers above 0"),
        ({"weights": np.zeros(12)}, "weights: expected 12 numbers above 0"),
        ({"people": ["a"]}, "1 people for 12 rows"),
        ({"people": [], "matrix": DENSE[:0]}, "there is no sequence"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        user_vectors(**({"people": PEOPLE, "matrix": DENSE} | options))
