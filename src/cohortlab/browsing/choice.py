"""Which clustering of users: methods, numbers of clusters and starts tried, and one chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances
from sklearn.utils.extmath import row_norms

from cohortlab.clusters.silhouettes import silhouette_values
from cohortlab.mixture import GaussianMixture
from cohortlab.threads import one_thread

APART = -1
NOT_SEPARATED = "a cluster whose users are on the whole nearer to another one"
_BATCH_COLUMNS = 2000
# Up to here the distances of all users are fewer numbers than the columns of k-means' centres.
_FEW_USERS = 500
# Distances of equal rows come out as this share of their length at most, by rounding.
_ROUNDING = 1e-7
Labelled = Iterator[tuple[int, int, np.ndarray]]


class NothingAllowedError(ValueError):
    """No clustering has clusters that are large enough."""


@dataclass(frozen=True)
class Choice:
    """
    A chosen clustering, and what it was chosen from.

    Attributes
    ----------
    method : str
        A key of `SEARCHED`.
    k : int
        Clusters asked for; those that are small are not among the `n_clusters` that are left.
    seed : int
        Number of the start, 0 to n_seeds - 1; 0 where the method has no chance in it.
    labels : numpy.ndarray of int, shape (n_users,)
        Cluster of each user, the largest 0; -1 for users of small clusters, who are set apart.
    silhouette : float
        Of the clusters that are left.
    separated : bool
        Whether of each of these clusters the mean silhouette of its own users is at least 0. False
        only where that holds for no clustering in most of its starts.
    table : pandas.DataFrame
        One row a method and k: `silhouette` (median over the starts that are allowed), `sd`,
        `lowest` and `highest` of them, `n_clusters` (median left), `n_allowed`, `n_starts`, and
        `silhouette_any` (median over all starts, allowed or not).
    rejected : pandas.DataFrame
        One row a method and k for which a start that is not allowed has a higher silhouette, small
        clusters counted, than the chosen one: `method`, `k`, `silhouette`, `sizes` (falling) and
        `reason`. The highest first.
    candidates : pandas.DataFrame
        One row a start: `method`, `k`, `seed`, `silhouette` (of the clusters left),
        `lowest_silhouette` (mean over the users of the worst cluster left), `silhouette_all` (small
        ones counted), `n_clusters`, `n_small`, `n_apart` and `reason` (empty where allowed).
    """

    method: str
    k: int
    seed: int
    labels: np.ndarray
    silhouette: float
    separated: bool
    table: pd.DataFrame
    rejected: pd.DataFrame
    candidates: pd.DataFrame

    @property
    def n_clusters(self) -> int:
        """Clusters that are left."""
        return int(self.labels.max()) + 1

    @property
    def n_apart(self) -> int:
        """Users of small clusters."""
        return int((self.labels == APART).sum())


def choose(
    vectors: np.ndarray | sp.csr_matrix,
    *,
    methods: Sequence[str] = ("kmeans", "agglomerative", "mixture"),
    k_values: Sequence[int] = tuple(range(3, 21)),
    n_seeds: int = 20,
    min_size: int = 10,
    max_apart: float = 0.05,
    max_users: int = 10_000,
    random_state: int = 0,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Choice:
    """
    Choose a clustering of users by its silhouette, with clusters that are large enough.

    Parameters
    ----------
    vectors : numpy.ndarray or sparse matrix, shape (n_users, n_columns)
        From `user_vectors`.
    methods : sequence of str
        Keys of `SEARCHED`.
    k_values : sequence of int, default 3 to 20
        Numbers of clusters to ask for, from 2.
    n_seeds : int, default 20
        Starts for each; one for `agglomerative`, which has no chance in it.
    min_size : int, default 10
        A cluster of fewer users is small: its users are set apart.
    max_apart : float, default 0.05
        A clustering that sets a larger share of the users apart is not allowed.
    max_users : int, default 10,000
        More are refused: the distances of all pairs are held in memory.
    random_state : int, default 0
        Seed that the starts derive from.
    options : mapping of str to mapping, optional
        By method: `n_init` (kmeans), `n_components` and `model` (mixture).

    Returns
    -------
    Choice
        Of the methods and numbers with most of their starts allowed, the one with the highest
        median silhouette over these, and of it the start with the highest.

    Raises
    ------
    ValueError
        If an argument is impossible; as `NothingAllowedError`, if all users are alike, or nothing
        is allowed in most of its starts.

    Notes
    -----
    Allowed is a clustering with at least two clusters of `min_size` users and no more than
    `max_apart` of all users outside of them. Its silhouette is that of these clusters and users
    alone, by Euclidean distance; so one outlier against the rest has none. The distances are
    computed once for the silhouettes of all candidates and for the linkage.

    Each of these clusters must be one: the mean silhouette of its own users at least 0. Users whose
    rows rest on few sequences lie scattered, all others near the mean. Parting the two gives the
    many a high silhouette, and the mean over all users with it, though the scattered ones are
    nearer to the others than to each other. Only where no clustering keeps this rule in most of its
    starts is it lifted, and `separated` false.

    The silhouette says how well clusters are separated, not whether there are any: compare with
    `null_choices`.

    References
    ----------
    Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster
    analysis.
    """
    _check(vectors, methods, k_values, n_seeds, min_size, max_users)
    options = dict(options or {})
    seeds = np.random.SeedSequence(random_state).generate_state(n_seeds)
    with one_thread():
        places = _in_few_columns(vectors)
        distances = pairwise_distances(places)
        if distances.max() <= _ROUNDING * row_norms(places).max():
            raise NothingAllowedError(
                f"all {len(distances)} users have the same row: there is nothing to part them by; "
                "take another representation, or look at what the log holds"
            )
        found = [
            (method, k, seed, labels)
            for method in methods
            for k, seed, labels in SEARCHED[method](
                places, distances, k_values, seeds, **options.get(method, {})
            )
        ]
        candidates = _judged(found, distances, min_size, max_apart)
    table = _table(candidates)
    separated = bool(table["silhouette"].notna().any())
    if not separated:
        candidates["reason"] = candidates["reason"].replace(NOT_SEPARATED, "")
        table = _table(candidates)
    if table["silhouette"].isna().all():
        raise NothingAllowedError(
            "no method and number of clusters is allowed in most of its starts; reasons: "
            f"{candidates['reason'].value_counts().drop('', errors='ignore').to_dict()}. Lower "
            "min_size or k_values, or raise max_apart"
        )
    best = table.loc[table["silhouette"].idxmax()]
    in_cell = (candidates["method"] == best["method"]) & (candidates["k"] == best["k"])
    winner = candidates.loc[in_cell & (candidates["reason"] == ""), "silhouette"].idxmax()
    silhouette = float(candidates.loc[winner, "silhouette"])
    method, k, seed, labels = found[winner]
    return Choice(
        method=method, k=k, seed=seed, labels=_renumbered(labels, min_size), silhouette=silhouette,
        separated=separated, table=table, rejected=_rejected(candidates, found, silhouette),
        candidates=candidates,
    )  # fmt: skip


def _check(
    vectors: np.ndarray | sp.csr_matrix,
    methods: Sequence[str],
    k_values: Sequence[int],
    n_seeds: int,
    min_size: int,
    max_users: int,
) -> None:
    n_users = vectors.shape[0]
    unknown = [name for name in methods if name not in SEARCHED]
    if unknown or not methods:
        raise ValueError(f"methods: expected some of {[*SEARCHED]}, got {list(methods)}")
    if n_users < 3:
        raise ValueError(f"expected at least three users to look for clusters, got {n_users}")
    if not len(k_values) or min(k_values) < 2 or max(k_values) >= n_users:
        raise ValueError(
            f"k_values: expected 2 to {n_users - 1}, one less than the {n_users} users, got "
            f"{list(k_values)}: leave the others out"
        )
    if n_seeds < 1 or min_size < 1:
        raise ValueError(f"n_seeds and min_size must be at least 1, got {n_seeds} and {min_size}")
    if n_users > max_users:
        raise ValueError(
            f"{n_users} users, but at most {max_users}: draw a sample, or raise max_users (the "
            "distances take 8 bytes a pair)"
        )


def _in_few_columns(vectors: np.ndarray | sp.csr_matrix) -> np.ndarray | sp.csr_matrix:
    """
    Turn users so that they have as many columns as there are users, their distances the same.

    What k-means and mixtures find hangs on distances alone; columns by the thousand only cost time.
    """
    n_users, n_columns = vectors.shape
    if n_users >= n_columns or n_users > _FEW_USERS:
        return vectors
    products = vectors @ vectors.T
    squares, directions = np.linalg.eigh(products.toarray() if sp.issparse(products) else products)
    return directions * np.sqrt(np.maximum(squares, 0))


def _kmeans(
    vectors: np.ndarray | sp.csr_matrix,
    distances: np.ndarray,
    k_values: Sequence[int],
    seeds: np.ndarray,
    *,
    n_init: int = 1,
) -> Labelled:
    for k in k_values:
        for number, seed in enumerate(seeds):
            model = KMeans(k, n_init=n_init, random_state=int(seed))
            yield k, number, model.fit_predict(vectors)


def _agglomerative(
    vectors: np.ndarray | sp.csr_matrix,
    distances: np.ndarray,
    k_values: Sequence[int],
    seeds: np.ndarray,
) -> Labelled:
    """Join by Ward's rule; the tree is made once and cut at each k."""
    tree = hierarchy.linkage(squareform(distances, checks=False), "ward")
    for k in k_values:
        yield k, 0, hierarchy.fcluster(tree, k, "maxclust")


def _mixture(
    vectors: np.ndarray | sp.csr_matrix,
    distances: np.ndarray,
    k_values: Sequence[int],
    seeds: np.ndarray,
    *,
    n_components: int = 10,
    model: str = "VVI",
) -> Labelled:
    """Fit Gaussian mixtures to the first principal components."""
    n_components = min(n_components, min(vectors.shape) - 1)
    places = PCA(n_components, svd_solver="arpack", random_state=0).fit_transform(vectors)
    places /= places.std()
    for k in k_values:
        for number, seed in enumerate(seeds):
            # Labels settle long before the likelihood does.
            fitted = GaussianMixture(k, model, n_init=1, tol=1e-3, random_state=int(seed))
            yield k, number, fitted.fit(places).predict(places)


#: Method -> function that gives k, number of the start, and labels.
SEARCHED = {"kmeans": _kmeans, "agglomerative": _agglomerative, "mixture": _mixture}


def _judged(
    found: list[tuple[str, int, int, np.ndarray]],
    distances: np.ndarray,
    min_size: int,
    max_apart: float,
) -> pd.DataFrame:
    labelings = [labels for *_, labels in found]
    sizes = [np.unique(labels, return_counts=True)[1] for labels in labelings]
    small = [size[size < min_size] for size in sizes]
    silhouette, lowest = search_silhouettes(distances, labelings, min_size=min_size)
    candidates = pd.DataFrame([row[:3] for row in found], columns=["method", "k", "seed"]).assign(
        silhouette=silhouette,
        lowest_silhouette=lowest,
        silhouette_all=search_silhouettes(distances, labelings)[0],
        n_clusters=[len(size) - len(few) for size, few in zip(sizes, small, strict=True)],
        n_small=[len(few) for few in small],
        n_apart=[int(few.sum()) for few in small],
    )
    too_many = candidates["n_apart"] > max_apart * len(distances)
    candidates["reason"] = np.select(
        [candidates["n_clusters"] < 2, too_many, candidates["lowest_silhouette"] < 0],
        [
            f"fewer than two clusters of at least {min_size}",
            f"more than {max_apart:.0%} of the users in clusters of fewer than {min_size}",
            NOT_SEPARATED,
        ],
        "",
    )
    return candidates


def search_silhouettes(
    distances: np.ndarray, labelings: Sequence[np.ndarray], *, min_size: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """
    Take the silhouettes of many clusterings, of equal ones once, in parts that need little memory.

    Parameters
    ----------
    distances : numpy.ndarray, shape (n_users, n_users)
        Between users.
    labelings, min_size
        As for `cohortlab.clusters.silhouettes.silhouettes`.

    Returns
    -------
    silhouette : numpy.ndarray, shape (n_labelings,)
        As of `cohortlab.clusters.silhouettes.silhouettes`.
    lowest : numpy.ndarray, shape (n_labelings,)
        The lowest of the means over the users of each cluster; NaN where `silhouette` is.
    """
    coded = [np.unique(labels, return_inverse=True)[1].astype(np.int32) for labels in labelings]
    places: dict[bytes, int] = {}
    which = [places.setdefault(labels.tobytes(), len(places)) for labels in coded]
    distinct = [np.frombuffer(content, np.int32) for content in places]
    part = np.cumsum([labels.max() + 1 for labels in distinct]) // _BATCH_COLUMNS
    batches = np.split(np.arange(len(distinct)), np.flatnonzero(np.diff(part)) + 1)
    found = []
    for batch in batches:
        labels = [distinct[i] for i in batch]
        values, sizes = silhouette_values(
            distances, labels, metric="precomputed", min_size=min_size
        )
        found += map(_mean_and_lowest, values.T, labels, sizes, [min_size] * len(batch))
    silhouette, lowest = np.array(found)[which].T
    return silhouette, lowest


def _mean_and_lowest(
    values: np.ndarray, labels: np.ndarray, sizes: np.ndarray, min_size: int
) -> tuple[float, float]:
    """Average over all users who count, and over those of the cluster that comes out worst."""
    left = sizes >= min_size
    if not 1 < left.sum() < sizes[left].sum():
        return np.nan, np.nan
    totals = np.bincount(labels, values)[left]
    return totals.sum() / sizes[left].sum(), (totals / sizes[left]).min()


def _table(candidates: pd.DataFrame) -> pd.DataFrame:
    allowed = candidates.assign(
        silhouette=candidates["silhouette"].where(candidates["reason"] == ""),
        n_clusters=candidates["n_clusters"].where(candidates["reason"] == ""),
    )
    groups = allowed.groupby(["method", "k"], sort=False)
    values = groups["silhouette"]
    table = pd.DataFrame(
        {
            "silhouette": values.median(),
            "sd": values.std(ddof=0),
            "lowest": values.min(),
            "highest": values.max(),
            "n_clusters": groups["n_clusters"].median(),
            "n_allowed": values.count(),
            "n_starts": groups.size(),
            "silhouette_any": candidates.groupby(["method", "k"], sort=False)[
                "silhouette"
            ].median(),
        }
    ).reset_index()
    rarely = table["n_allowed"] * 2 <= table["n_starts"]
    return table.assign(silhouette=table["silhouette"].mask(rarely))


def _rejected(
    candidates: pd.DataFrame, found: list[tuple[str, int, int, np.ndarray]], silhouette: float
) -> pd.DataFrame:
    better = candidates[(candidates["reason"] != "") & (candidates["silhouette_all"] > silhouette)]
    falling = better.sort_values("silhouette_all", ascending=False, kind="stable")
    first = falling.drop_duplicates(["method", "k"])
    sizes = [np.sort(np.unique(found[i][3], return_counts=True)[1])[::-1] for i in first.index]
    columns = {"silhouette_all": "silhouette"}
    return (
        first[["method", "k", "silhouette_all", "reason"]]
        .rename(columns=columns)
        .assign(sizes=[size.tolist() for size in sizes])
        .reset_index(drop=True)[["method", "k", "silhouette", "sizes", "reason"]]
    )


def _renumbered(labels: np.ndarray, min_size: int) -> np.ndarray:
    """Give clusters numbers from the largest on, and users of small ones -1."""
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    number = np.full(len(sizes), APART)
    falling = np.argsort(-sizes, kind="stable")
    kept = falling[sizes[falling] >= min_size]
    number[kept] = np.arange(len(kept))
    return number[labels]
