"""The clusters that were chosen before, fitted again to other rows by the same choices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from cohortlab.clusters import DENSITY_METHODS, cluster, with_group_apart
from cohortlab.mixture import GaussianMixture
from cohortlab.preparation import clustered_columns, is_apart
from cohortlab.scaling import Scaling


def refit_chosen(
    features: pd.DataFrame,
    seed: int,
    *,
    choice: Mapping[str, Any],
    method: str,
    n_clusters: int,
    scaling: Scaling,
    mixture: GaussianMixture,
) -> np.ndarray:
    """Fit the method of the clusters step again, with its number of clusters.

    Parameters
    ----------
    features : pandas.DataFrame
        First column the id, then the features.
    seed : int
        Of the starts.
    choice : mapping
        `clustered`, `spread` and `apart` of the features step.
    method : str
        Of the clusters step; a method that finds its number itself takes its own defaults.
    n_clusters : int
        Clusters, those that stand apart among them.
    scaling : Scaling
        As it was fitted; it is only applied.
    mixture : GaussianMixture
        The chosen one, whose covariance model and number of components are kept.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        Clusters.
    """
    apart = is_apart(features, choice["apart"])
    X = scaling.transform(_columns(features, choice))[~apart]
    fitted, told = None, None
    if method == "mixture":
        spread = _columns(features, choice, rng=np.random.default_rng(seed))
        fitted = clone(mixture).set_params(random_state=seed)
        fitted.fit(scaling.transform(spread)[~apart])
    elif method not in DENSITY_METHODS:
        told = n_clusters - int(apart.any())
    options = {"method": method, "n_clusters": told, "mixture": fitted, "random_state": seed}
    return with_group_apart(cluster(X, **options), apart).labels


def _columns(
    features: pd.DataFrame, choice: Mapping[str, Any], rng: np.random.Generator | None = None
) -> pd.DataFrame:
    return clustered_columns(features, choice["clustered"], spread=choice["spread"], rng=rng)
