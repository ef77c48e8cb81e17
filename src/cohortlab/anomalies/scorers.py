"""What trained detectors keep: arrays and numbers, and how these score rows."""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import KDTree, LocalOutlierFactor

from cohortlab.anomalies.reach import least_reach
from cohortlab.embedding.forest import LeafForest, as_leaf_forest
from cohortlab.mixture import GaussianMixture

#: Most rows that are scored at a time.
_PIECE = 100_000
#: A value further out than so many scaled units is far, however far it is.
_FAR = 1e4
#: Score of every row where nothing is dense: all are equally strange, and noise.
_NO_CLUSTER = 2.0


@dataclass(frozen=True)
class Scorer:
    """Scores rows by what was learnt from others, and learns nothing from them.

    Calling it gives how strange each row of an array of shape (n_rows, n_features) is, larger
    being stranger; no row's score hangs on another row.
    """

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Score rows."""
        raise NotImplementedError

    def arrays(self) -> dict[str, np.ndarray]:
        """Give all that was learnt, by name, for storage."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Scorer":
        """Make the scorer whose `arrays` these are.

        Raises
        ------
        TypeError
            If one is missing, or there is another.
        """
        return cls(**{name: a if a.ndim else a.item() for name, a in arrays.items()})

    def check(self, n_features: int) -> None:
        """Demand that what was learnt fits itself and rows of so many columns.

        Raises
        ------
        ValueError
            If it does not.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, field.type):
                raise ValueError(f"its {field.name} is no {field.type.__name__}")
            if isinstance(value, np.ndarray) and value.dtype not in (np.float64, np.int64):
                raise ValueError(f"its {field.name} are of type {value.dtype}")
            if isinstance(value, np.ndarray | float) and not np.isfinite(value).all():
                raise ValueError(f"its {field.name} should be finite")
        if not np.isfinite(self(np.zeros((1, n_features)))).all():
            raise ValueError("its scores are no numbers")


def in_pieces(scorer: Scorer, X: np.ndarray) -> np.ndarray:
    """Score rows some at a time, which bounds the memory.

    Parameters
    ----------
    scorer : Scorer
        What was learnt.
    X : ndarray of shape (n_rows, n_features)
        Rows.

    Returns
    -------
    ndarray of shape (n_rows,)
        Scores.
    """
    X = np.asarray(X, dtype=float) + 0.0
    pieces = [scorer(X[start : start + _PIECE]) for start in range(0, len(X), _PIECE)]
    return np.concatenate(pieces) if pieces else np.empty(0)


@dataclass(frozen=True)
class NearestCore(Scorer):
    """The distance to the nearest core, in units of `eps` (DBSCAN).

    Attributes
    ----------
    cores : ndarray of shape (n_cores, n_features)
        Rows that are dense.
    eps : float
        The distance within which they are.
    """

    cores: np.ndarray
    eps: float

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.cores)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Score rows."""
        if not len(self.cores):
            return np.full(len(X), _NO_CLUSTER)
        return self._tree.query(X, k=1)[0][:, 0] / self.eps

    def check(self, n_features: int) -> None:
        """Demand that what was learnt fits itself."""
        if self.cores.ndim != 2 or self.cores.shape[1] != n_features:
            raise ValueError("its cores are of another shape")
        if not isinstance(self.eps, float) or self.eps <= 0:
            raise ValueError(f"its eps should be a number above 0, but is {self.eps!r:.60}")
        super().check(n_features)


@dataclass(frozen=True)
class NearestCluster(Scorer):
    """The reach to the nearest cluster, in units of that cluster's own (HDBSCAN).

    Attributes
    ----------
    values : ndarray of shape (n_sampled, n_features)
        Rows that were learnt from.
    members : ndarray of int64, shape (n_members,)
        Which of them belong to a cluster.
    core : ndarray of shape (n_members,)
        Distance of each member to its `samples`-th row.
    limits : ndarray of shape (n_members,)
        Largest reach within its cluster.
    samples : int
        Rows that make a neighbourhood.
    """

    values: np.ndarray
    members: np.ndarray
    core: np.ndarray
    limits: np.ndarray
    samples: int

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.values)

    def reach(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find the score of each row, and the number of the member that it reaches first."""
        distances = self._tree.query(X, k=self.samples)[0]
        # A new row is its own first neighbour; a row of the training is found as such.
        own = np.where(distances[:, 0] == 0, distances[:, -1], distances[:, -2])
        return least_reach(X, own, self.values[self.members], self.core, self.limits)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Score rows."""
        return self.reach(X)[0] if len(self.members) else np.full(len(X), _NO_CLUSTER)

    def check(self, n_features: int) -> None:
        """Demand that what was learnt fits itself; compiled code checks nothing."""
        if self.values.ndim != 2 or self.values.shape[1] != n_features or self.samples < 2:
            raise ValueError("its rows are of another shape")
        known = np.isin(self.members, np.arange(len(self.values))).all()
        if not known or {self.members.shape} != {self.core.shape, self.limits.shape}:
            raise ValueError("its members do not fit each other")
        super().check(n_features)


@dataclass(frozen=True)
class LowDensity(Scorer):
    """Minus the logarithm of the density of a Gaussian mixture.

    Beyond `_FAR` scaled units a value is taken for that limit: squares of larger ones swamp those
    of all other rows, and no covariance could be told.

    Attributes
    ----------
    weights : ndarray of shape (n_components,)
        Shares of the components.
    means : ndarray of shape (n_components, n_features)
        Their means.
    covariances : ndarray of shape (n_components, n_features, n_features)
        Their covariances.
    model : str
        Their covariance model.
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    model: str

    @cached_property
    def _mixture(self) -> GaussianMixture:
        mixture = GaussianMixture(len(self.weights), self.model)
        mixture.weights_, mixture.means_ = self.weights, self.means
        mixture.covariances_, mixture.model_ = self.covariances, self.model
        mixture.n_features_in_ = self.means.shape[1]
        return mixture

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Score rows."""
        return -self._mixture.score_samples(within_reach(X))

    def check(self, n_features: int) -> None:
        """Demand that what was learnt fits itself."""
        shape = (len(self.weights), n_features)
        if self.means.shape != shape or self.covariances.shape != (*shape, n_features):
            raise ValueError("its components do not fit each other")
        super().check(n_features)


def within_reach(X: np.ndarray) -> np.ndarray:
    """Take the limit `_FAR` for values beyond it, as mixtures learn and score them.

    Parameters
    ----------
    X : ndarray of float, shape (n_flows, n_features)
        Scaled features.

    Returns
    -------
    ndarray of float, shape (n_flows, n_features)
        The same, cut on both sides.
    """
    return np.clip(X, -_FAR, _FAR)


@dataclass(frozen=True)
class FewCuts(Scorer):
    """How few random cuts isolate a row, 0 to 1 (isolation forest).

    Attributes
    ----------
    forest : LeafForest
        The trees.
    cuts : ndarray of shape (n_nodes,)
        Cuts down to a node, and those that would part its rows, on average.
    usual : float
        Cuts that would part all rows of a tree, on average.
    """

    forest: LeafForest
    cuts: np.ndarray
    usual: float

    @classmethod
    def of(cls, model: IsolationForest) -> "FewCuts":
        """Keep what scikit-learn's forest has learnt."""
        trees = [tree.tree_ for tree in model.estimators_]
        # Depths begin with 1 at the root.
        parts = [t.compute_node_depths() - 1.0 + _usual_cuts(t.n_node_samples) for t in trees]
        usual = float(_usual_cuts(np.array([model.max_samples_]))[0])
        return cls(as_leaf_forest(model.estimators_), np.concatenate(parts), usual)

    def arrays(self) -> dict[str, np.ndarray]:
        """Give all that was learnt, by name, for storage."""
        return self.forest.arrays() | {"cuts": self.cuts, "usual": np.asarray(self.usual)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "FewCuts":
        """Make the scorer whose `arrays` these are."""
        trees = {name: a for name, a in arrays.items() if name not in ("cuts", "usual")}
        return cls(LeafForest(**trees), arrays["cuts"], float(arrays["usual"]))

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Score rows."""
        total = np.zeros(len(X))
        for leaves in self.forest.apply(X).T:
            total += self.cuts[leaves]
        return 2 ** (-total / (self.forest.n_trees * self.usual))

    def check(self, n_features: int) -> None:
        """Demand that walks through the trees end."""
        self.forest.check(n_features)
        if self.cuts.shape != self.forest.feature.shape:
            raise ValueError("its cuts do not fit the nodes")
        if self.usual <= 0:
            raise ValueError(f"its usual number of cuts should be above 0, but is {self.usual}")
        super().check(n_features)


def _usual_cuts(n_rows: np.ndarray) -> np.ndarray:
    """Count the cuts that part so many rows on average (Liu, Ting and Zhou 2008, equation 1)."""
    n = np.maximum(n_rows, 3).astype(float)
    many = 2 * (np.log(n - 1) + np.euler_gamma) - 2 * (n - 1) / n
    return np.select([n_rows <= 1, n_rows == 2], [0.0, 1.0], many)


@dataclass(frozen=True)
class ThinNeighbourhood(Scorer):
    """How much thinner a row's neighbourhood is than those of its neighbours (LOF).

    Attributes
    ----------
    values : ndarray of shape (n_sampled, n_features)
        Rows that were learnt from, all different.
    n_neighbors : int
        Rows that make a neighbourhood.
    """

    values: np.ndarray
    n_neighbors: int

    @cached_property
    def _model(self) -> LocalOutlierFactor:
        return LocalOutlierFactor(n_neighbors=self.n_neighbors, novelty=True).fit(self.values)

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.values)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Score rows."""
        distance, which = self._tree.query(X, k=1)
        own = -self._model.negative_outlier_factor_[which[:, 0]]
        # As a new row, one of the training would have itself for a neighbour.
        return np.where(distance[:, 0] == 0, own, -self._model.score_samples(X))


#: Scorers by the names of their classes, by which they are stored.
SCORERS: dict[str, type[Scorer]] = {
    kind.__name__: kind
    for kind in (NearestCore, NearestCluster, LowDensity, FewCuts, ThinNeighbourhood)
}
