"""Ways from a table of customers to clusters, each whole, so that it can be refitted."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans

from cohortlab.embedding.forest import LeafForest, fit_leaf_forest
from cohortlab.embedding.plane import draw_plane
from cohortlab.embedding.proximity import cluster_by_proximity
from cohortlab.scaling import Scaling
from cohortlab.threads import one_thread


@dataclass(frozen=True)
class Recipe:
    """All choices of the routes.

    Attributes
    ----------
    target : str
        Column that the forest learns.
    columns : tuple of str
        Columns that it learns from.
    n_trees, min_leaf : int
        Trees, and rows a leaf holds at least.
    metric : str
        Distance of leaves in the plane: `hamming` or `euclidean`.
    n_neighbours, n_epochs : int
        Of the plane.
    n_clusters : int
        Clusters of every route.
    n_init : int
        Random starts of k-means.
    max_rows : int
        Rows of which all pairs are held in memory.
    rfm : tuple of str
        Columns of `kmeans_robust`.
    scaling : str
        Scaling of `kmeans_scaled`, one of `cohortlab.scaling.SCALINGS`.
    """

    target: str
    columns: tuple[str, ...]
    n_trees: int
    min_leaf: int
    metric: str
    n_neighbours: int
    n_epochs: int
    n_clusters: int
    n_init: int
    max_rows: int
    rfm: tuple[str, ...]
    scaling: str

    def for_part(self, share: float, *, n_init: int) -> "Recipe":
        """Adapt the recipe to a part of the rows.

        Parameters
        ----------
        share : float
            Of the rows, (0, 1]; neighbours and leaves stay the same shares of them.
        n_init : int
            Starts of k-means in the part.

        Returns
        -------
        Recipe
            The adapted one.
        """
        n_neighbours = max(2, round(self.n_neighbours * share))
        min_leaf = max(1, round(self.min_leaf * share))
        return replace(self, n_neighbours=n_neighbours, min_leaf=min_leaf, n_init=n_init)


def scaled_leaves(
    table: pd.DataFrame, recipe: Recipe, seed: int
) -> tuple[Scaling, LeafForest, np.ndarray]:
    """Scale the columns to 0..1, fit the forest, and find the leaves of every row.

    Parameters
    ----------
    table : pandas.DataFrame
        Features.
    recipe : Recipe
        The choices.
    seed : int
        Of the forest.

    Returns
    -------
    scaling : Scaling
        Of the forest's columns.
    forest : LeafForest
        Fitted.
    leaves : ndarray of int32, shape (n_rows, n_trees)
        Of the rows at hand.
    """
    scaling = Scaling("minmax").fit(table[list(recipe.columns)])
    target = Scaling("minmax").fit_transform(table[[recipe.target]]).ravel()
    X = scaling.transform(table)
    options = {"n_trees": recipe.n_trees, "min_leaf": recipe.min_leaf, "random_state": seed}
    forest = fit_leaf_forest(X, target, **options)
    return scaling, forest, forest.apply(X)


def k_means(X: np.ndarray, recipe: Recipe, seed: int) -> KMeans:
    """Fit k-means by the recipe's numbers of clusters and starts.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Places or scaled features.
    recipe : Recipe
        The choices.
    seed : int
        Of the starts.

    Returns
    -------
    sklearn.cluster.KMeans
        Fitted on one thread, so that sums have one order.
    """
    with one_thread():
        model = KMeans(recipe.n_clusters, n_init=recipe.n_init, random_state=seed)
        return model.fit(np.asarray(X, dtype=float))


@dataclass(frozen=True)
class Found:
    """What a route found.

    Attributes
    ----------
    labels : ndarray of int, shape (n_rows,)
        Clusters.
    places : ndarray of shape (n_rows, n_columns)
        The rows as the route clustered them: in the plane, by leaves, or scaled.
    metric : str
        Distance between them: `hamming` or `euclidean`.
    """

    labels: np.ndarray
    places: np.ndarray
    metric: str = "euclidean"


def _by_plane(table: pd.DataFrame, leaves: np.ndarray, recipe: Recipe, seed: int) -> Found:
    options = {"metric": recipe.metric, "n_neighbours": recipe.n_neighbours}
    places = draw_plane(leaves, n_epochs=recipe.n_epochs, random_state=seed, **options)
    return Found(k_means(places, recipe, seed).labels_, places)


def _by_proximity(table: pd.DataFrame, leaves: np.ndarray, recipe: Recipe, seed: int) -> Found:
    options = {"n_clusters": recipe.n_clusters, "max_rows": recipe.max_rows}
    labels = cluster_by_proximity(leaves, random_state=seed, **options)
    return Found(labels, leaves, "hamming")


def _by_robust_kmeans(table: pd.DataFrame, leaves: None, recipe: Recipe, seed: int) -> Found:
    X = Scaling("robust").fit_transform(table[list(recipe.rfm)])
    return Found(k_means(X, recipe, seed).labels_, X)


def _by_scaled_kmeans(table: pd.DataFrame, leaves: None, recipe: Recipe, seed: int) -> Found:
    X = Scaling(recipe.scaling).fit_transform(table[[recipe.target, *recipe.columns]])
    return Found(k_means(X, recipe, seed).labels_, X)


#: Route by name: forest, plane, k-means; forest and average linkage; k-means without a forest.
ROUTES = {
    "plane": _by_plane,
    "proximity": _by_proximity,
    "kmeans_robust": _by_robust_kmeans,
    "kmeans_scaled": _by_scaled_kmeans,
}
#: Those that begin with a forest.
_THROUGH_LEAVES = ("plane", "proximity")


def take_route(
    route: str,
    table: pd.DataFrame,
    recipe: Recipe,
    *,
    seed: int,
    leaves: np.ndarray | None = None,
) -> Found:
    """Take one route from the table to clusters; everything is fitted on this table alone.

    Parameters
    ----------
    route : str
        A key of `ROUTES`.
    table : pandas.DataFrame
        Features.
    recipe : Recipe
        The choices.
    seed : int
        Of all that is random.
    leaves : ndarray of int32, shape (n_rows, n_trees), optional
        From `scaled_leaves` of this table and seed, where they are at hand.

    Returns
    -------
    Found
        Clusters, and what they were made of.

    Raises
    ------
    ValueError
        If the route is unknown.
    """
    if route not in ROUTES:
        raise ValueError(f"route: expected one of {list(ROUTES)}, got {route!r}")
    if leaves is None and route in _THROUGH_LEAVES:
        leaves = scaled_leaves(table, recipe, seed)[2]
    return ROUTES[route](table, leaves, recipe, seed)


def take_routes(
    table: pd.DataFrame, recipe: Recipe, *, seed: int, leaves: np.ndarray | None = None
) -> dict[str, Found]:
    """Take every route of `ROUTES`; those that begin with a forest share one.

    Parameters
    ----------
    table, recipe, seed, leaves
        As for `take_route`.

    Returns
    -------
    dict of str to Found
        By route.
    """
    if leaves is None:
        leaves = scaled_leaves(table, recipe, seed)[2]
    return {route: take_route(route, table, recipe, seed=seed, leaves=leaves) for route in ROUTES}


def permuted_columns(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Shuffle every column by itself: the same values, and no tie between them.

    Parameters
    ----------
    table : pandas.DataFrame
        Features.
    rng : numpy.random.Generator
        Shuffles.

    Returns
    -------
    pandas.DataFrame
        A null: no group of customers stands out in more than one column.
    """
    return pd.DataFrame({name: rng.permutation(table[name].to_numpy()) for name in table})
