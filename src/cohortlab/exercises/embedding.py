"""Checks of the exercise on embeddings by a forest."""

from collections.abc import Iterator

import numpy as np

from cohortlab.exercises.feedback import question
from cohortlab.recovery import label_scores


@question
def proximity(leaves: np.ndarray, proximity: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect an array with a row and a column for each customer."""
    found = np.asarray(proximity)
    n, n_trees = leaves.shape
    yield found.shape == (n, n), f"expected the shape {(n, n)}, got {found.shape}"
    yield np.allclose(np.diag(found), 1), "everybody shares all leaves with themselves"
    yield np.allclose(found, found.T), "who is like whom goes both ways"
    yield found[0, 4] == 0, "the first and the last share no leaf: are names taken for numbers?"
    for i in range(n):
        shared = [sum(leaves[i, t] == leaves[j, t] for t in range(n_trees)) for j in range(n)]
        yield np.allclose(found[i] * n_trees, shared), "it is not the share of all trees"


@question
def assigned(
    leaves: np.ndarray, clusters: np.ndarray, new: np.ndarray, assigned: int
) -> Iterator[tuple[bool, str]]:
    """Expect the number of a cluster."""
    yield np.ndim(assigned) == 0, "expected one number, for one customer"
    yield assigned in clusters, "there is no such cluster"
    shared = [len([1 for a, b in zip(row, new, strict=True) if a == b]) for row in leaves]
    most = {int(c) for c, s in zip(clusters, shared, strict=True) if s == max(shared)}
    yield int(assigned) in most, "an old customer of another cluster shares more leaves"


@question
def stability(one: np.ndarray, other: np.ndarray, stability: float) -> Iterator[tuple[bool, str]]:
    """Expect a number up to 1."""
    yield (
        not np.isclose(stability, np.mean(one == other)),
        ("ids of two runs are compared, and ids mean nothing"),
    )
    yield stability < 1, "one customer has changed sides, so the two do not agree in full"
    renamed = np.array([5, 7, 6])[other]
    expected = label_scores(renamed, one)["adjusted_rand_index"]
    yield np.isclose(stability, expected), "that is another score than the adjusted Rand index"


@question
def copy(rows: np.ndarray, copy: np.ndarray) -> Iterator[tuple[bool, str]]:
    """Expect an array like `rows`."""
    found = np.asarray(copy)
    yield found.shape == rows.shape, f"expected the shape {rows.shape}, got {found.shape}"
    yield (
        np.array_equal(np.sort(found, axis=0), np.sort(rows, axis=0)),
        ("every column should keep its own values"),
    )
    yield not np.array_equal(found, rows), "nothing is shuffled yet"
    tie = np.abs(np.corrcoef(found.T)[np.triu_indices(rows.shape[1], 1)]).max()
    yield tie < 0.5, "the columns still go together: whole rows have changed places"
