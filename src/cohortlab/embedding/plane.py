"""Rows drawn in a plane by UMAP, which is loaded only when a plane is drawn."""

import warnings

import numpy as np

from cohortlab.embedding.proximity import nearest_rows

#: What UMAP says of things that are meant: no new rows are placed in a plane, nor back from it,
#: a seed leaves one core, its neural variant is not wanted, nor is a bar in the notebook.
_MEANT = (
    "gradient function is not yet implemented",
    r"precomputed_knn\[2\] \(knn_search_index\) is not an NNDescent object",
    "n_jobs value .* overridden to 1",
    "Tensorflow not installed",
    "IProgress not found",
)
METRICS = ("hamming", "euclidean")


def draw_plane(
    X: np.ndarray, *, metric: str, n_neighbours: int, n_epochs: int, random_state: int
) -> np.ndarray:
    """Place rows in a plane so that near ones stay near.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Leaves, or any numbers.
    metric : str
        `hamming`: the share of columns that differ, which is what leaves mean. `euclidean` takes
        the numbers of the leaves for quantities, as some analyses do.
    n_neighbours : int
        Nearest rows that a row is tied to, itself counted; at most the number of rows.
    n_epochs : int
        Passes of the layout.
    random_state : int
        Its seed.

    Returns
    -------
    ndarray of float32, shape (n_rows, 2)
        Places. The same on one machine; the layout is compiled for the processor at hand and may
        sum in another order, so another processor draws another plane.

    Raises
    ------
    ValueError
        If the metric is unknown, or there are fewer rows than neighbours.

    Notes
    -----
    Neighbours are found exactly rather than by UMAP's approximate search: for the thousands of
    rows at hand that takes a second, and less than compiling the search.

    References
    ----------
    McInnes, Healy and Melville (2018), UMAP: Uniform manifold approximation and projection for
    dimension reduction.
    """
    if metric not in METRICS:
        raise ValueError(f"metric: expected one of {list(METRICS)}, got {metric!r}")
    if not 2 <= n_neighbours <= len(X):
        raise ValueError(
            f"n_neighbours: expected 2 to the {len(X)} rows at hand, got {n_neighbours}: lower it"
        )
    neighbours = nearest_rows(X, n_neighbours, metric=metric)
    with warnings.catch_warnings():
        for message in _MEANT:
            warnings.filterwarnings("ignore", message=message)
        # Loading and compiling take a quarter of a minute, which no other step should wait for.
        from umap import UMAP

        model = UMAP(
            n_neighbors=n_neighbours,
            metric=metric,
            n_epochs=n_epochs,
            random_state=random_state,
            n_jobs=1,
            precomputed_knn=neighbours,
        )
        return model.fit_transform(np.asarray(X, dtype=np.float32))
