"""A scikit-learn estimator for all covariance models, with weights."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from cohortlab.mixture.assignment import assess
from cohortlab.mixture.checks import (
    check_distinct,
    check_responsibilities,
    check_size,
    check_weights,
    explain_failure,
    held_rows,
    seed_from,
    warn_if_labels,
    warn_if_scaled,
    warn_if_swamped,
)
from cohortlab.mixture.collapse import Rows, collapse_rows
from cohortlab.mixture.density import expand
from cohortlab.mixture.em import maximise, moments_of
from cohortlab.mixture.fitting import Fit, fit_partitions, make_partitions
from cohortlab.mixture.initial import METHODS, draw_samples
from cohortlab.mixture.iterate import Settings, run_em
from cohortlab.mixture.models import Family, canonical_name, count_parameters, resolve_model
from cohortlab.mixture.parallel import OrderedMap, workers
from cohortlab.mixture.scoring import Scoring
from cohortlab.mixture.storage import load_arrays, save_arrays


class GaussianMixture(Scoring, DensityMixin, BaseEstimator):
    """Gaussian mixture with any of the fourteen parsimonious covariance models.

    Parameters
    ----------
    n_components : int, default 1
        Number of components.
    model : str, default "VVV"
        Covariance model: volume, shape and orientation, each Equal, Variable or (for shape and
        orientation) Identity. `E` and `V` for one feature. scikit-learn's names work: `spherical`
        is VII, `diag` VVI, `tied` EEE, `full` VVV.
    n_init : int, default 10
        Number of starts; the best log-likelihood is kept. On more than 2,000 distinct rows four
        times as many are begun on a sample, and only the best are finished.
    init : {"kmeans++", "random", "hierarchical", "mixed"}, default "kmeans++"
        Where starts come from. `hierarchical` has no randomness and is one start; `mixed` takes it
        first and `kmeans++` for the rest.
    reg_covar : float, default 1e-6
        Added to the diagonal of every covariance, as in scikit-learn; in squared units of the data.
        0 is allowed.
    tol : float, default 1e-6
        EM stops once the log-likelihood per unit of weight is estimated to lie within this of its
        limit.
    max_iter : int, default 1000
        Most iterations a start takes. 0 with `responsibilities` estimates the parameters from them
        once and stops: discriminant analysis with this covariance model (EDDA).
    random_state : int, numpy.random.Generator, numpy.random.RandomState or None, default None
        Seed of the starts.

    Attributes
    ----------
    weights_ : ndarray of shape (n_components,)
        Mixing proportions.
    means_ : ndarray of shape (n_components, n_features)
        Means.
    covariances_ : ndarray of shape (n_components, n_features, n_features)
        Covariances.
    loglik_ : float
        Total weighted log-likelihood of the training rows.
    loglik_path_ : ndarray of shape (n_iterations + 1,)
        Log-likelihood at every iteration. With `reg_covar` above zero it may fall by the little
        that regularisation costs; without, it never falls.
    model_ : str
        Covariance model of the fit, by mclust's name. `set_params(model=...)` changes the next fit,
        not this one.
    n_parameters_ : int
        Free parameters.
    converged_ : bool
        Whether the stopping rule was met.
    n_iter_ : int
        Iterations of the best start.
    n_starts_agreeing_ : int
        Starts that led to the optimum that was kept.
    total_weight_ : float
        Sum of the training weights, the n of BIC.
    classes_ : ndarray of shape (n_components,)
        Class of each component, sorted, as text, where `responsibilities` named classes. `predict`
        gives component numbers all the same, as a mixture is a clustering and no classifier, and
        they are what weights, means and columns of `predict_proba` are counted by:
        `classes_[predict(X)]` are names.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Column names, where the input had them.

    Notes
    -----
    Weights count rows: a weight of three is three equal rows, in BIC too. Equal rows are collapsed
    first, so neither the order of the rows nor the number of threads changes a result.

    References
    ----------
    Scrucca, Fop, Murphy and Raftery (2016), mclust 5. Celeux and Govaert (1995), Gaussian
    parsimonious clustering models.

    Examples
    --------
    >>> X = np.array([[0.0], [0.1], [0.2], [9.0], [9.1], [9.2]])
    >>> fitted = GaussianMixture(2, "E", random_state=0).fit(X)
    >>> sorted(fitted.means_.ravel().round(6).tolist())
    [0.1, 9.1]

    Known classes may have names:

    >>> known = ["low", "low", "low", "high", "high", "high"]
    >>> fitted = GaussianMixture(2, "E", max_iter=0).fit(X, responsibilities=known)
    >>> fitted.classes_[fitted.predict([[0.3], [8.0]])].tolist()
    ['low', 'high']
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "model": [str],
        "n_init": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions({*METHODS, "mixed"})],
        "reg_covar": [Interval(Real, 0.0, None, closed="left")],
        "tol": [Interval(Real, 0.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state", np.random.Generator],
    }

    def __init__(
        self,
        n_components: int = 1,
        model: str = "VVV",
        *,
        n_init: int = 10,
        init: str = "kmeans++",
        reg_covar: float = 1e-6,
        tol: float = 1e-6,
        max_iter: int = 1000,
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
    ):
        self.n_components = n_components
        self.model = model
        self.n_init = n_init
        self.init = init
        self.reg_covar = reg_covar
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, sample_weight=None, responsibilities=None) -> "GaussianMixture":
        """Fit the mixture, from starts of its own or from a known partition.

        A known partition is `responsibilities`, not `y`: `fit(X, responsibilities=labels)`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, finite where a row has weight.
        y : ignored
            Present for pipelines. A warning comes where it has as many different values as there
            are components, and so may be a partition meant for `responsibilities`, or where it is
            of fractions that may be weights.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative weights; zero is as good as absent.
        responsibilities : array-like of shape (n_samples,) or (n_samples, n_components), optional
            Component numbers, names of as many classes as components, or shares that sum to one in
            each row. They replace `init`.

        Returns
        -------
        GaussianMixture
            The fitted estimator.

        Raises
        ------
        ValueError
            Where no fit is possible; the message says what to try.
        """
        # Values are checked once rows without weight are out: those may hold anything.
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2, ensure_all_finite=False)
        if responsibilities is None:
            warn_if_labels(y, self.n_components)
        family = resolve_model(self.model, X.shape[1])
        weight = check_weights(sample_weight, X)
        held = held_rows(weight, len(X))
        check_size(X[held], self.n_components)
        warn_if_scaled(weight)
        shares = self._shares_from(responsibilities, held)
        rows = collapse_rows(X, weight)
        warn_if_swamped(rows, self.reg_covar)
        with workers() as run:
            if shares is None:
                fit = self._search_starts(rows, family, run)
            else:
                fit = self._run_once(rows, _collapse(shares, rows, weight), family, run)
            explain_failure(fit, self.n_components, family.name)
            self._keep(fit, rows, family, run, known=shares is not None)
        return self

    def _shares_from(self, responsibilities, held: np.ndarray) -> np.ndarray | None:
        """Read responsibilities of rows with weight; `classes_` is there after names alone."""
        vars(self).pop("classes_", None)
        if responsibilities is None:
            return None
        given = np.asarray(responsibilities)
        if given.shape[:1] != held.shape:
            held = np.ones(len(held), dtype=bool)
        else:
            given = given[held]
        shares, classes = check_responsibilities(given, int(held.sum()), self.n_components)
        if classes is not None:
            self.classes_ = classes
        # Rows without weight belong nowhere.
        whole = np.zeros((len(held), self.n_components))
        whole[held] = shares
        return whole

    def _settings(self) -> Settings:
        return Settings(float(self.reg_covar), float(self.tol), int(self.max_iter))

    def _search_starts(self, rows: Rows, family: Family, run: OrderedMap) -> Fit:
        check_distinct(rows, self.n_components)
        seed = seed_from(self.random_state)
        samples = draw_samples(rows, self.n_init, seed)
        partitions = make_partitions(samples, self.n_components, self.init, self.n_init, seed)
        settings = self._settings()
        return fit_partitions(samples, partitions, self.n_components, family, run, settings)

    def _run_once(self, rows: Rows, shares: np.ndarray, family: Family, run: OrderedMap) -> Fit:
        moments = moments_of(rows, shares[None], family)
        start, alive = maximise(moments, family, reg_covar=self.reg_covar)
        if not alive.all():
            empty = int(np.argmin(moments.counts[0]))
            raise ValueError(
                f"responsibilities give component {empty} no weight; expected every component from "
                f"0 to {self.n_components - 1} to have some. Try a smaller n_components."
            )
        one = run_em(rows, start, family, run, self._settings())[0]
        return Fit(one, 1, (1,), (one.failure,) if one.failure else ())

    def _keep(self, fit: Fit, rows: Rows, family: Family, run: OrderedMap, *, known: bool) -> None:
        """Set the fitted attributes; without a step only a known partition has settled."""
        parameters = fit.run.parameters
        found = assess(rows, parameters, family, run)
        self.weights_ = parameters.weights[0].copy()
        self.means_ = parameters.means[0] + rows.centre
        self.covariances_ = expand(parameters, family)
        self.loglik_ = found.loglik
        self.loglik_path_ = np.array(fit.run.path)
        self.model_ = canonical_name(family.name, rows.n_features)
        self.n_parameters_ = count_parameters(family.name, self.n_components, rows.n_features)
        self.n_iter_ = fit.run.n_iter
        self.converged_ = fit.run.converged or (self.max_iter == 0 and known)
        self.n_starts_agreeing_ = fit.n_agreeing
        self.total_weight_ = rows.total_weight
        if not self.converged_:
            warnings.warn(
                f"EM stopped after max_iter={self.max_iter} iterations before its log-likelihood "
                "settled; increase max_iter or tol, or decrease n_components.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def fit_predict(self, X, y=None, *, sample_weight=None, responsibilities=None) -> np.ndarray:
        """Fit, then name the most probable component of each row.

        Parameters
        ----------
        X, y, sample_weight, responsibilities
            As for `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Component numbers.
        """
        self.fit(X, y, sample_weight=sample_weight, responsibilities=responsibilities)
        return self.predict(X)

    def save(self, path) -> None:
        """Write the fitted mixture to one file of plain arrays, without pickle.

        Parameters
        ----------
        path : str or Path
            File to write.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the mixture is not fitted.
        """
        check_is_fitted(self)
        save_arrays(self, path)

    @classmethod
    def load(cls, path) -> "GaussianMixture":
        """Read a mixture that `save` wrote; it scores identically.

        Parameters
        ----------
        path : str or Path
            File to read.

        Returns
        -------
        GaussianMixture
            Fitted.

        Raises
        ------
        ValueError
            If the file is not such a mixture.
        """
        return load_arrays(cls, path)


def _collapse(shares: np.ndarray, rows: Rows, weight: np.ndarray | None) -> np.ndarray:
    """Average the shares of equal rows by weight: the M-step sees the same sums."""
    weight = np.ones(len(shares)) if weight is None else weight
    kept = rows.inverse >= 0
    columns = [
        np.bincount(rows.inverse[kept], (weight * column)[kept], rows.n_distinct)
        for column in shares.T
    ]
    return np.stack(columns) / rows.weights
