"""Detectors of anomalies under one interface: trained once, they score any flow."""

import warnings
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field

import numpy as np
from sklearn.cluster import HDBSCAN
from sklearn.ensemble import IsolationForest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KDTree, LocalOutlierFactor

from cohortlab.anomalies.calibration import threshold_for
from cohortlab.anomalies.dbscan import dbscan
from cohortlab.anomalies.distinct import Distinct, distinct_rows
from cohortlab.anomalies.reach import least_reach
from cohortlab.mixture import GaussianMixture

#: Most rows that are scored at a time.
_PIECE = 100_000
#: A value further out than so many scaled units is far, however far it is.
_FAR = 1e4
Score = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Trained:
    """
    A trained detector.

    Attributes
    ----------
    name : str
        A key of `DETECTORS`.
    score : callable
        From rows of shape (n_rows, n_features) to how strange each is, larger being stranger. It
        fits nothing.
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
    score: Score = field(repr=False)
    threshold: float
    scores: np.ndarray = field(repr=False)
    clusters: np.ndarray | None = field(repr=False, default=None)
    details: dict = field(default_factory=dict, repr=False)

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

    score: Score
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
        If the name or an option is unknown, there is no row, or a value is not finite.
    """
    if name not in DETECTORS:
        raise ValueError(f"unknown detector {name!r}: choose one of {list(DETECTORS)}")
    if not 0 < expected_share < 1:
        raise ValueError(f"expected_share should lie in (0, 1), but is {expected_share!r}")
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
    score = _in_pieces(fit.score)
    scores = score(rows.values)[rows.inverse]
    own = fit.threshold is None
    threshold = threshold_for(scores, expected_share) if own else fit.threshold
    details = {"n_distinct": len(rows.values), **fit.details}
    return Trained(name, score, float(threshold), scores, fit.clusters, details)


def _in_pieces(score: Score) -> Score:
    def scored(X: np.ndarray) -> np.ndarray:
        X = np.asarray(X, dtype=float) + 0.0
        pieces = [score(X[start : start + _PIECE]) for start in range(0, len(X), _PIECE)]
        return np.concatenate(pieces) if pieces else np.empty(0)

    return scored


def _of_one(rows: Distinct) -> _Fit:
    """Where all flows are equal, what differs is strange, and by how far."""
    only = rows.values[0]
    return _Fit(
        lambda X: np.sqrt(((X - only) ** 2).sum(axis=1)),
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
    """Score by the distance to the nearest core, in units of `eps`; noise lies above 1."""
    found = dbscan(X, eps=eps, min_samples=min_samples)
    details = {"eps": found.eps, "n_clusters": int(found.core_labels.max(initial=-1)) + 1}
    details["reach"] = found.reach
    if not len(found.cores):
        # Nothing is dense, and all are equally strange.
        return _Fit(lambda X: np.full(len(X), 2.0), 1.0, found.labels, details)
    tree = KDTree(found.cores)

    def score(X: np.ndarray) -> np.ndarray:
        return tree.query(X, k=1)[0][:, 0] / found.eps

    return _Fit(score, 1.0, found.labels, details)


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
    if labels.max() < 0:
        return _Fit(lambda X: np.full(len(X), 2.0), 1.0, np.full(len(X), -1), details)
    tree = KDTree(values)
    core = tree.query(values, k=samples)[0][:, -1]
    members = labels >= 0
    clustered, member_core, member_labels = values[members], core[members], labels[members]
    inside = [
        _limit(clustered[member_labels == k], member_core[member_labels == k])
        for k in range(labels.max() + 1)
    ]
    limits = np.array(inside)[member_labels]

    def reached(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distances = tree.query(X, k=samples)[0]
        # A new row is its own first neighbour; a row of the training is found as such.
        own_core = np.where(distances[:, 0] == 0, distances[:, -1], distances[:, -2])
        return least_reach(X, own_core, clustered, member_core, limits)

    scores, nearest = reached(rows.values)
    clusters = np.where(scores > 1, -1, member_labels[nearest])[rows.inverse]
    return _Fit(lambda X: reached(X)[0], 1.0, clusters, details)


def _limit(members: np.ndarray, core: np.ndarray) -> float:
    """Find the largest reach from a member of a cluster to its nearest other member."""
    ones = np.ones(len(members))
    reach, _ = least_reach(members, core, members, core, ones, skip_equal=True)
    return max(float(reach.max()), float(np.finfo(float).tiny))


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

    Notes
    -----
    A few strange flows that are like each other get a component of their own, in which they are
    dense. So components of less than `min_share` of the flows are fitted and then left out: what is
    dense in them alone is strange. Beyond `_FAR` scaled units a value is taken for that limit:
    squares of larger ones swamp those of all other rows, and no covariance could be told.
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
        mixture.fit(_near(rows.values), sample_weight=rows.weights.astype(float))
    clusters = mixture.predict(_near(rows.values))[rows.inverse]
    usual = _usual_part(mixture, min_share)
    details = {
        "n_components": mixture.n_components,
        "n_left_out": mixture.n_components - len(usual.weights_),
        "converged": bool(mixture.converged_),
    }
    return _Fit(lambda X: -usual.score_samples(_near(X)), clusters=clusters, details=details)


def _usual_part(mixture: GaussianMixture, min_share: float) -> GaussianMixture:
    """Keep the components that stand for enough flows, the largest at least."""
    weights = mixture.weights_
    kept = weights >= min(min_share, weights.max())
    part = copy(mixture)
    part.weights_ = weights[kept] / weights[kept].sum()
    part.means_, part.covariances_ = mixture.means_[kept], mixture.covariances_[kept]
    return part


def _near(X: np.ndarray) -> np.ndarray:
    return np.clip(X, -_FAR, _FAR)


def by_isolation_forest(
    X: np.ndarray,
    rows: Distinct,
    *,
    n_trees: int = 200,
    max_samples: int = 256,
    random_state: int = 0,
) -> _Fit:
    """Score by how few random cuts isolate a flow (scikit-learn's, 0 to 1)."""
    forest = IsolationForest(
        n_estimators=n_trees, max_samples=min(max_samples, len(X)), random_state=random_state
    )
    forest.fit(X)
    return _Fit(lambda X: -forest.score_samples(X))


def by_local_outlier_factor(
    X: np.ndarray,
    rows: Distinct,
    *,
    n_neighbors: int = 50,
    max_rows: int = 20_000,
    random_state: int = 0,
) -> _Fit:
    """Score by how much thinner a flow's neighbourhood is than those of its neighbours.

    Notes
    -----
    Of equal flows one is taken, because repetition makes a neighbourhood infinitely dense.
    """
    values = _sample(rows, max_rows, random_state)
    model = LocalOutlierFactor(n_neighbors=min(n_neighbors, len(values) - 1), novelty=True)
    model.fit(values)
    own, tree = -model.negative_outlier_factor_, KDTree(values)

    def score(X: np.ndarray) -> np.ndarray:
        distance, which = tree.query(X, k=1)
        # As a new flow, one of the training would have itself for a neighbour.
        return np.where(distance[:, 0] == 0, own[which[:, 0]], -model.score_samples(X))

    return _Fit(score, details={"n_sampled": len(values)})


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
