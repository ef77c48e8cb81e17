"""What a fitted mixture says of rows: densities, components, criteria, and new rows."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from cohortlab.mixture.assignment import criteria, score_rows
from cohortlab.mixture.checks import check_values, check_weights, seed_from
from cohortlab.mixture.density import Parameters, compact, shift
from cohortlab.mixture.models import Family, resolve_model
from cohortlab.mixture.parallel import workers


class Scoring:
    """The part of an estimator that never fits anything."""

    def _parameters(self) -> tuple[Parameters, Family]:
        check_is_fitted(self)
        family = resolve_model(self.model_, self.means_.shape[1])
        return compact(self.weights_, self.means_, self.covariances_, family), family

    def _score_rows(self, X) -> tuple[np.ndarray, np.ndarray]:
        parameters, family = self._parameters()
        X = validate_data(self, X, dtype=np.float64, reset=False, ensure_all_finite=False)
        check_values(X)
        # Differences to one mean first: values near 1e8 keep their digits in the products after.
        origin = parameters.means[0, 0]
        with workers() as run:
            return score_rows(X - origin, shift(parameters, -origin), family, run)

    def score_samples(self, X) -> np.ndarray:
        """Compute the log-density of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Log-densities.
        """
        return self._score_rows(X)[0]

    def score(self, X, y=None, *, sample_weight=None) -> float:
        """Compute the mean log-density of the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : ignored
            Present for pipelines.
        sample_weight : array-like of shape (n_samples,), optional
            Weights.

        Returns
        -------
        float
            Mean, weighted where weights are given.
        """
        row_log = self.score_samples(X)
        return float(np.average(row_log, weights=check_weights(sample_weight, row_log)))

    def predict_proba(self, X) -> np.ndarray:
        """Compute the responsibilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples, n_components)
            Shares that sum to one in each row.
        """
        return np.exp(self._score_rows(X)[1])

    def predict(self, X) -> np.ndarray:
        """Name the most probable component of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Component numbers.
        """
        return self._score_rows(X)[1].argmax(axis=1)

    def uncertainty(self, X) -> np.ndarray:
        """Compute one less the largest responsibility of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            From 0, certain, to 1 - 1 / n_components.
        """
        log_shares = np.sort(self._score_rows(X)[1], axis=1)
        # Summing the other shares keeps digits that 1 - max would lose.
        return np.exp(log_shares[:, :-1]).sum(axis=1)

    def sample(self, n_samples: int = 1, random_state=None) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from the fitted mixture.

        Parameters
        ----------
        n_samples : int, default 1
            Number of rows.
        random_state : int, Generator, RandomState or None, optional
            Seed; by default that of the estimator.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows.
        labels : ndarray of shape (n_samples,)
            Components they came from.
        """
        check_is_fitted(self)
        if not isinstance(n_samples, Integral) or n_samples < 0:
            raise ValueError(f"n_samples={n_samples!r}; expected a whole number of 0 or more.")
        seed = self.random_state if random_state is None else random_state
        rng = np.random.default_rng(seed_from(seed))
        labels = rng.choice(len(self.weights_), n_samples, p=self.weights_ / self.weights_.sum())
        return draw_rows(self.means_, self.covariances_, labels, rng), labels

    def _criteria(self, X, sample_weight) -> dict[str, float]:
        row_log, log_shares = self._score_rows(X)
        weight = check_weights(sample_weight, row_log)
        weight = np.ones(len(row_log)) if weight is None else weight
        loglik, hard_log = float(weight @ row_log), float(weight @ log_shares.max(axis=1))
        return criteria(loglik, hard_log, self.n_parameters_, float(weight.sum()))

    def bic(self, X, sample_weight=None) -> float:
        """Compute the Bayesian information criterion.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights.

        Returns
        -------
        float
            Smaller is better; minus mclust's figure.
        """
        return self._criteria(X, sample_weight)["bic"]

    def icl(self, X, sample_weight=None) -> float:
        """Compute the integrated completed likelihood criterion.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights.

        Returns
        -------
        float
            Smaller is better; minus mclust's figure.
        """
        return self._criteria(X, sample_weight)["icl"]

    def aic(self, X, sample_weight=None) -> float:
        """Compute the Akaike information criterion.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        sample_weight : array-like of shape (n_samples,), optional
            Weights.

        Returns
        -------
        float
            Smaller is better.
        """
        return self._criteria(X, sample_weight)["aic"]


def draw_rows(
    means: np.ndarray, covariances: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw one row from the component that each label names.

    Parameters
    ----------
    means : ndarray of shape (n_components, n_features)
    covariances : ndarray of shape (n_components, n_features, n_features)
    labels : ndarray of shape (n_samples,)
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        Rows.
    """
    noise = rng.standard_normal((len(labels), means.shape[1]))
    lower = np.linalg.cholesky(covariances)
    drawn = np.empty_like(noise)
    for component, (mean, factor) in enumerate(zip(means, lower, strict=True)):
        own = labels == component
        drawn[own] = mean + noise[own] @ factor.T
    return drawn
