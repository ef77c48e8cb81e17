"""Detectors of anomalies under one interface: trained once, they score any flow."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KDTree

from cohortlab.anomalies.calibration import threshold_for
from cohortlab.anomalies.dbscan import LEAST_REACH, dbscan
from cohortlab.anomalies.distinct import Distinct, distinct_rows
from cohortlab.anomalies.options import check_options
from cohortlab.anomalies.reach import least_reach
from cohortlab.anomalies.scorers import (
    FewCuts,
    LowDensity,
    NearestCluster,
    NearestCore,
    Scorer,
    ThinNeighbourhood,
    in_pieces,
    within_reach,
)
from cohortlab.mixture import GaussianMixture


@dataclass(frozen=True)
class Trained:
    """
    A trained detector.

    Attributes
    ----------
    name : str
        A key of `DETECTORS`.
    scorer : Scorer
        What was learnt, as plain arrays.
    threshold : float
        A flow is flagged where its score is above this.
    scores : ndarray of shape (n_training,)
        What `score` gives for the rows of the training.
    clusters : ndarray of int64, shape (n_training,), optional
        Cluster of each, -1 for none, by detectors that make clusters.
    details : dict
        What was chosen and counted on the way.
    """

    name: str
    scorer: Scorer = field(repr=False)
    threshold: float
    scores: np.ndarray = field(repr=False)
    clusters: np.ndarray | None = field(repr=False, default=None)
    details: dict = field(default_factory=dict, repr=False)

    def score(self, X: np.ndarray) -> np.ndarray:
        """Say how strange rows are; nothing is fitted.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows, prepared as those of the training were.

        Returns
        -------
        ndarray of shape (n_rows,)
            Scores, larger being stranger.
        """
        return in_pieces(self.scorer, X)

    def flags(self, scores: np.ndarray) -> np.ndarray:
        """Say which scores are those of anomalies.

        Parameters
        ----------
        scores : ndarray of shape (n_rows,)
            From `score`.

        Returns
        -------
        ndarray of bool, shape (n_rows,)
            Whether the flow is flagged.
        """
        return scores > self.threshold


@dataclass(frozen=True)
class _Fit:
    """What a way of detecting hands back; without a threshold the expected share sets it."""

    scorer: Scorer
    threshold: float | None = None
    clusters: np.ndarray | None = None
    details: dict = field(default_factory=dict)


def train(
    name: str,
    X: np.ndarray,
    *,
    expected_share: float = 0.01,
    options: Mapping | None = None,
    random_state: int = 0,
) -> Trained:
    """Train a detector.

    Parameters
    ----------
    name : str
        A key of `DETECTORS`.
    X : ndarray of shape (n_rows, n_features)
        Rows to learn from, prepared: finite, and of one scale.
    expected_share : float, default 0.01
        Share of flows expected to be strange, in (0, 1): it sets the threshold of those detectors
        that have none of their own.
    options : mapping, optional
        What the way of detecting takes: the keywords of its function.
    random_state : int
        Seed of what is drawn.

    Returns
    -------
    Trained
        The detector. Equal rows have equal scores.

    Raises
    ------
    ValueError
        If the name or an option is unknown, an option is out of range, there is no row, or a value
        is not finite.
    """
    if name not in DETECTORS:
        raise ValueError(f"unknown detector {name!r}: choose one of {list(DETECTORS)}")
    if not (isinstance(expected_share, Real) and 0 < expected_share < 1):
        raise ValueError(f"expected_share should lie in (0, 1), but is {expected_share!r}")
    check_options(options or {})
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or not X.size:
        raise ValueError(f"no flow to learn from: the rows have shape {X.shape}")
    if not np.isfinite(X).all():
        raise ValueError("values are missing or infinite: fill them before detection")
    rows = distinct_rows(X)
    try:
        fit = _of_one(rows) if len(rows.values) == 1 else DETECTORS[name](
            X, rows, random_state=random_state, **(options or {})
        )  # fmt: skip
    except TypeError as error:
        if "keyword argument" not in str(error):
            raise
        raise ValueError(f"options of {name}: {str(error).split('() ')[-1]}") from error
    scores = in_pieces(fit.scorer, rows.values)[rows.inverse]
    own = fit.threshold is None
    threshold = threshold_for(scores, expected_share) if own else fit.threshold
    details = {"n_distinct": len(rows.values), **fit.details}
    return Trained(name, fit.scorer, float(threshold), scores, fit.clusters, details)


def _of_one(rows: Distinct) -> _Fit:
    """Where all flows are equal, what differs is strange, and by how far."""
    return _Fit(
        NearestCore(rows.values, 1.0),
        threshold=0.0,
        clusters=np.zeros(len(rows.inverse), dtype=np.int64),
    )


def by_dbscan(
    X: np.ndarray,
    rows: Distinct,
    *,
    eps: float | None = None,
    min_samples: int = 10,
    random_state: int = 0,
) -> _Fit:
    """Score by the distance to the nearest core, in units of `eps`; noise lies above 1.

    Parameters
    ----------
    X : ndarray of float, shape (n_flows, n_features)
        Scaled features, finite.
    rows : Distinct
        Its different rows.
    eps : float, optional
        Distance within which a row is a neighbour, in units of `X`; chosen by the data by default.
    min_samples : int, default 10
        Rows within `eps` that make a core, itself among them.
    random_state : int
        Not used: DBSCAN draws nothing.

    Returns
    -------
    _Fit
        The scorer, the threshold 1, the clusters (-1: noise), and `eps`, `n_clusters` and `reach`.

    References
    ----------
    Ester, Kriegel, Sander and Xu (1996), A density-based algorithm for discovering clusters.
    """
    found = dbscan(X, eps=eps, min_samples=min_samples)
    details = {"eps": found.eps, "n_clusters": int(found.core_labels.max(initial=-1)) + 1}
    details["reach"] = found.reach
    return _Fit(NearestCore(found.cores, found.eps), 1.0, found.labels, details)


def by_hdbscan(
    X: np.ndarray,
    rows: Distinct,
    *,
    min_cluster_size: int = 100,
    min_samples: int = 10,
    max_rows: int = 6000,
    random_state: int = 0,
) -> _Fit:
    """Score by the reach to the nearest cluster, in units of that cluster's own; noise is above 1.

    Parameters
    ----------
    X : ndarray of float, shape (n_flows, n_features)
        Scaled features, finite.
    rows : Distinct
        Its different rows.
    min_cluster_size : int, default 100
        Rows that make a cluster.
    min_samples : int, default 10
        The neighbour up to which a row's own neighbourhood reaches.
    max_rows : int, default 6000
        Different rows that are seen; a sample of them where there are more.
    random_state : int
        Seed of that sample.

    Returns
    -------
    _Fit
        The scorer, the threshold 1, and what was found.

    Notes
    -----
    Two rows reach each other at the largest of their distance and their two distances to the
    `min_samples`-th row. Members of a cluster reach another member within a limit; a row of noise
    reaches none, or it would be a member. So the rule that parts them also judges new rows.
    """
    values = _sample(rows, max_rows, random_state)
    samples = max(2, min(min_samples, len(values) - 1))
    size = max(2, min(min_cluster_size, len(values) - 1))
    model = HDBSCAN(min_cluster_size=size, min_samples=samples, copy=True)
    labels = model.fit_predict(values) if len(values) > 2 else np.full(len(values), -1)
    details = {"n_clusters": int(labels.max()) + 1, "n_sampled": len(values)}
    members = np.flatnonzero(labels >= 0)
    tree = KDTree(values)
    core = tree.query(values[members], k=samples)[0][:, -1] if len(members) else np.empty(0)
    of = labels[members]
    inside = [_limit(values[members[of == k]], core[of == k]) for k in range(labels.max() + 1)]
    scorer = NearestCluster(values, members, core, np.array(inside)[of], samples)
    if not len(members):
        return _Fit(scorer, 1.0, np.full(len(X), -1), details)
    scores, nearest = scorer.reach(rows.values)
    return _Fit(scorer, 1.0, np.where(scores > 1, -1, of[nearest])[rows.inverse], details)


def _limit(members: np.ndarray, core: np.ndarray) -> float:
    """Find the largest reach from a member of a cluster to its nearest other member."""
    ones = np.ones(len(members))
    reach, _ = least_reach(members, core, members, core, ones, skip_equal=True)
    return max(float(reach.max()), LEAST_REACH)


def by_mixture(
    X: np.ndarray,
    rows: Distinct,
    *,
    n_components: int = 8,
    model: str = "VVV",
    n_init: int = 5,
    reg_covar: float = 1e-3,
    min_share: float = 0.01,
    random_state: int = 0,
) -> _Fit:
    """Score by how low the density of a Gaussian mixture is: minus its logarithm.

    Parameters
    ----------
    X : ndarray of float, shape (n_flows, n_features)
        Scaled features, finite.
    rows : Distinct
        Its different rows.
    n_components : int, default 8
        Of the mixture.
    model : str, default "VVV"
        Its covariance model, by mclust's name.
    n_init : int, default 5
        Starts, of which the best is kept.
    reg_covar : float, default 1e-3
        Added to every variance, in squared units of `X`.
    min_share : float, default 0.01
        Components of a smaller share of the flows are left out; 0 to 1.
    random_state : int
        Seed of the starts.

    Returns
    -------
    _Fit
        The scorer, and what was fitted; the expected share sets the threshold.

    Notes
    -----
    A few strange flows that are like each other get a component of their own, in which they are
    dense. So components of less than `min_share` of the flows are fitted and then left out: what is
    dense in them alone is strange.
    """
    mixture = GaussianMixture(
        max(1, min(n_components, len(rows.values) // 2)),
        model,
        n_init=n_init,
        reg_covar=reg_covar,
        tol=1e-4,
        random_state=random_state,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(within_reach(rows.values), sample_weight=rows.weights.astype(float))
    clusters = mixture.predict(within_reach(rows.values))[rows.inverse]
    usual = _usual_part(mixture, min_share)
    details = {
        "n_components": mixture.n_components,
        "n_left_out": mixture.n_components - len(usual.weights),
        "converged": bool(mixture.converged_),
    }
    return _Fit(usual, clusters=clusters, details=details)


def _usual_part(mixture: GaussianMixture, min_share: float) -> LowDensity:
    """Keep the components that stand for enough flows, the largest at least."""
    weights = mixture.weights_
    kept = weights >= min(min_share, weights.max())
    parts = (mixture.means_[kept], mixture.covariances_[kept], mixture.model_)
    return LowDensity(weights[kept] / weights[kept].sum(), *parts)


def by_isolation_forest(
    X: np.ndarray,
    rows: Distinct,
    *,
    n_trees: int = 200,
    max_samples: int = 256,
    random_state: int = 0,
) -> _Fit:
    """Score by how few random cuts isolate a flow (scikit-learn's forest and score, 0 to 1).

    Parameters
    ----------
    X : ndarray of float, shape (n_flows, n_features)
        Scaled features, finite.
    rows : Distinct
        Its different rows.
    n_trees : int, default 200
        Of the forest.
    max_samples : int, default 256
        Flows that a tree sees.
    random_state : int
        Seed of the forest.

    Returns
    -------
    _Fit
        The scorer; the expected share sets the threshold.

    References
    ----------
    Liu, Ting and Zhou (2008), Isolation forest.
    """
    forest = IsolationForest(
        n_estimators=n_trees, max_samples=min(max_samples, len(X)), random_state=random_state
    )
    forest.fit(X)
    return _Fit(FewCuts.of(forest))


def by_local_outlier_factor(
    X: np.ndarray,
    rows: Distinct,
    *,
    n_neighbors: int = 50,
    max_rows: int = 20_000,
    random_state: int = 0,
) -> _Fit:
    """Score by how much thinner a flow's neighbourhood is than those of its neighbours.

    Parameters
    ----------
    X : ndarray of float, shape (n_flows, n_features)
        Scaled features, finite.
    rows : Distinct
        Its different rows.
    n_neighbors : int, default 50
        Of the neighbourhood, at most all others.
    max_rows : int, default 20,000
        Different rows that are seen; a sample of them where there are more.
    random_state : int
        Seed of that sample.

    Returns
    -------
    _Fit
        The scorer, and how many rows were seen; the expected share sets the threshold.

    Notes
    -----
    Of equal flows one is taken, because repetition makes a neighbourhood infinitely dense.

    References
    ----------
    Breunig, Kriegel, Ng and Sander (2000), LOF: identifying density-based local outliers.
    """
    values = _sample(rows, max_rows, random_state)
    scorer = ThinNeighbourhood(values, min(n_neighbors, len(values) - 1))
    return _Fit(scorer, details={"n_sampled": len(values)})


def _sample(rows: Distinct, max_rows: int, random_state: int) -> np.ndarray:
    """Draw some of the different rows where there are more than can be compared."""
    if len(rows.values) <= max_rows:
        return rows.values
    chosen = np.random.default_rng(random_state).choice(len(rows.values), max_rows, replace=False)
    return rows.values[np.sort(chosen)]


#: Ways of detecting by name: functions of rows, their different ones, and options.
DETECTORS: dict[str, Callable[..., _Fit]] = {
    "dbscan": by_dbscan,
    "hdbscan": by_hdbscan,
    "mixture": by_mixture,
    "isolation_forest": by_isolation_forest,
    "local_outlier_factor": by_local_outlier_factor,
}
