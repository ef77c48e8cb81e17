"""What a silhouette is worth: true users, and sequences shuffled between users."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from cohortlab.browsing.choice import Choice, NothingAllowedError, choose
from cohortlab.browsing.users import user_vectors
from cohortlab.clusters.silhouettes import silhouettes
from cohortlab.threads import one_thread


def user_silhouettes(
    people: Sequence,
    matrices: Mapping[str, np.ndarray | sp.csr_matrix],
    *,
    rng: np.random.Generator,
    n_shuffles: int = 20,
    max_rows: int = 5000,
) -> pd.DataFrame:
    """
    Ask by each representation whether sequences of one user are alike, with the users as clusters.

    Parameters
    ----------
    people : sequence, shape (n_sequences,)
        Whose sequence each row is.
    matrices : mapping of str to numpy.ndarray or sparse matrix, shape (n_sequences, n_columns)
        Representations by name.
    rng : numpy.random.Generator
        Draws users and shuffles, the same for all representations.
    n_shuffles : int, default 20
        How often the sequences are shuffled between users.
    max_rows : int, default 5000
        Of more sequences, those of users drawn at random are taken as long as they fit; at least
        two users.

    Returns
    -------
    pandas.DataFrame
        One row a representation: `representation`, `silhouette`, `null` and `null_sd` (mean and
        standard deviation over the shuffles), `n_users` and `n_sequences`.

    Notes
    -----
    A silhouette compares with the nearest of the other users, so it falls with their number, and
    is mostly below 0; what says something is its distance from the null.
    """
    people = np.asarray(people)
    rows = _sample(people, max_rows, rng)
    own = people[rows]
    labelings = [own, *(rng.permutation(own) for _ in range(n_shuffles))]
    found = []
    for name, matrix in matrices.items():
        with one_thread():
            true, *null = silhouettes(matrix[rows], labelings)
        found.append((name, true, np.mean(null), np.std(null), len(np.unique(own)), len(own)))
    columns = ["representation", "silhouette", "null", "null_sd", "n_users", "n_sequences"]
    return pd.DataFrame(found, columns=columns)


def _sample(people: np.ndarray, max_rows: int, rng: np.random.Generator) -> np.ndarray:
    users, code, sizes = np.unique(people, return_inverse=True, return_counts=True)
    if len(users) < 2:
        raise ValueError("expected sequences of at least two users to compare")
    if len(people) <= max_rows:
        return np.arange(len(people))
    drawn = rng.permutation(len(users))
    n_fitting = max(2, int((np.cumsum(sizes[drawn]) <= max_rows).sum()))
    return np.flatnonzero(np.isin(code, drawn[:n_fitting]))


def null_choices(
    people: Sequence,
    matrix: np.ndarray | sp.csr_matrix,
    *,
    rng: np.random.Generator,
    n_shuffles: int = 5,
    n_clusters: int | None = None,
    vectors: Mapping[str, Any] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """
    Choose clusterings of users who are all alike: their sequences shuffled between them.

    Parameters
    ----------
    people : sequence, shape (n_sequences,)
        Whose sequence each row is.
    matrix : numpy.ndarray or sparse matrix, shape (n_sequences, n_columns)
        From `represent`.
    rng : numpy.random.Generator
        Shuffles.
    n_shuffles : int, default 5
        How often.
    n_clusters : int, optional
        Clusters of the choice that is to be judged.
    vectors : mapping, optional
        Arguments of `user_vectors`.
    **options
        Arguments of `choose`, the same as for the choice that is to be judged.

    Returns
    -------
    pandas.DataFrame
        One row a shuffle: `method`, `k`, `n_clusters`, `silhouette` and `separated` of what was
        chosen; missing, and not separated, where nothing was allowed. `silhouette_same_number` is
        the highest of the allowed starts that leave `n_clusters` clusters; missing where none does.

    Notes
    -----
    Each user keeps the number of sequences. A silhouette that does not exceed these means nothing.
    One that does says that users differ in more than chance; whether they fall into types or lie
    between two extremes, it does not say. Users of few sequences lie far out by chance alone, and
    all others near the mean: where their numbers differ much, a shuffled choice often parts these,
    into two clusters that are not `separated`. A choice that is separated is compared with those
    that are: it is more than any shuffle gave where none of them is. The comparison at the same
    number of clusters is another view of it.
    """
    people, found = np.asarray(people), []
    for _ in range(n_shuffles):
        _, shuffled = user_vectors(rng.permutation(people), matrix, **(vectors or {}))
        try:
            chosen = choose(shuffled, **options)
        except NothingAllowedError:
            found.append((None, None, None, np.nan, False, np.nan))
        else:
            allowed = chosen.candidates[chosen.candidates["reason"] == ""]
            same = allowed.loc[allowed["n_clusters"] == n_clusters, "silhouette"].max()
            cell = (chosen.method, chosen.k, chosen.n_clusters)
            found.append((*cell, chosen.silhouette, chosen.separated, same))
    columns = ["method", "k", "n_clusters", "silhouette", "separated", "silhouette_same_number"]
    return pd.DataFrame(found, columns=columns)


def n_shuffles_reaching(chosen: Choice, null: pd.DataFrame) -> int:
    """
    Count the shuffles that give as much as a choice.

    Parameters
    ----------
    chosen : Choice
        Of the true users.
    null : pandas.DataFrame
        From `null_choices`.

    Returns
    -------
    int
        Shuffles with a silhouette at least as high, and separated clusters where the choice has
        them. With n shuffles, p = (1 + this) / (1 + n).
    """
    as_good = null["silhouette"] >= chosen.silhouette
    return int((as_good & (null["separated"] | (not chosen.separated))).sum())


def held_against_null(chosen: Choice, null: pd.DataFrame) -> str:
    """
    Say whether a choice is separated, and what shuffled users give beside it.

    Parameters
    ----------
    chosen : Choice
        Of the true users.
    null : pandas.DataFrame
        From `null_choices`.

    Returns
    -------
    str
        Sentences. Where the choice is separated, shuffles that are not do not count, and it is told
        how high each kind comes.
    """
    found = null.dropna(subset="silhouette")
    if not chosen.separated:
        highest = f" Shuffled users reach {found['silhouette'].max():.3f}." if len(found) else ""
        return (
            "The clusters are **not separated**: in at least one the mean silhouette of its own "
            "users is below 0, and no method and number does better. The silhouette of all is "
            f"{chosen.silhouette:.3f}.{highest}"
        )
    counted = found.loc[found["separated"], "silhouette"]
    others = found.loc[~found["separated"], "silhouette"]
    said = (
        "The clusters are **separated**: in each the mean silhouette of its own users is not below "
        f"0, and of all it is {chosen.silhouette:.3f}."
    )
    if len(counted):
        said += f" Separated clusters came of {len(counted)} of {len(null)} shuffles, with a"
        said += f" silhouette of up to {counted.max():.3f}."
    else:
        said += " No shuffle gave separated clusters."
    if len(others):
        said += f" A silhouette of {others.max():.3f} comes from shuffled clusters that are not"
        said += " separated, which do not count."
    return said
