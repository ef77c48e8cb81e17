"""Rows drawn in a plane by UMAP, which is loaded only when a plane is drawn."""

import warnings

import numpy as np

from cohortlab.embedding.proximity import nearest_rows
from cohortlab.embedding.ties import fuzzy_ties

#: What UMAP says of things that are meant: its neural variant is not wanted, nor is a bar in the
#: notebook.
_MEANT = ("Tensorflow not installed", "IProgress not found")
#: UMAP's own defaults: how far islands spread, and how near two rows may lie.
_SPREAD, _MIN_DISTANCE = 1.0, 0.1
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
    Neighbours are found exactly rather than by UMAP's approximate search, and tied by our own
    function, which agrees with UMAP's: for the thousands of rows at hand both take less than a
    second, where UMAP's compile for ten. The layout is UMAP's.

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
    ties = fuzzy_ties(*nearest_rows(X, n_neighbours, metric=metric))
    with warnings.catch_warnings():
        for message in _MEANT:
            warnings.filterwarnings("ignore", message=message)
        # Loading takes seconds, which no other step should wait for.
        from umap.umap_ import find_ab_params, simplicial_set_embedding

        slope, power = find_ab_params(_SPREAD, _MIN_DISTANCE)
        return simplicial_set_embedding(
            data=np.asarray(X, dtype=np.float32),
            graph=ties,
            n_components=2,
            initial_alpha=1.0,
            a=slope,
            b=power,
            gamma=1.0,
            negative_sample_rate=5,
            n_epochs=n_epochs,
            init="spectral",
            random_state=np.random.RandomState(random_state),
            metric=metric,
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            tqdm_kwds={"disable": True},
        )[0]
