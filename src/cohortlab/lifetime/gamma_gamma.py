"""The gamma-gamma model of spending: what one purchase of a customer is worth.

The value of a purchase is gamma distributed (shape p) around a customer's own mean, and that mean
differs between customers: its rate is gamma distributed (shape q, rate gamma). What a customer
spends is taken as independent of how often they come.

References
----------
Fader and Hardie (2013), The gamma-gamma model of monetary value.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import digamma, gammaln

from cohortlab.lifetime.fitting import Fit, maximise

#: Where to begin: p, q, gamma in their natural scales.
STARTS = ((1, 2, 1), (6, 4, 0.4), (2, 10, 5), (20, 1.5, 0.1))


@dataclass(frozen=True)
class GammaGamma:
    """A population of spenders; money is in the log's currency.

    Attributes
    ----------
    p : float
        Shape of the values of one customer's purchases.
    q, gamma : float
        Shape and rate of the distribution between customers.

    Examples
    --------
    >>> round(GammaGamma(p=6.25, q=3.74, gamma=15.44).mean_value, 2)
    35.22
    """

    p: float
    q: float
    gamma: float

    def __post_init__(self):
        if not all(0 < value < np.inf for value in (self.p, self.q, self.gamma)):
            raise ValueError(f"expected three positive finite parameters, got {self}")

    @property
    def mean_value(self) -> float:
        """Mean value of a purchase over all customers; infinite where q is at most 1."""
        return self.p * self.gamma / (self.q - 1) if self.q > 1 else np.inf

    def expected_value(self, history: pd.DataFrame) -> np.ndarray:
        """Give the expected value of one purchase of each customer.

        Parameters
        ----------
        history : pandas.DataFrame
            `n_repeats` and `mean_value`, as from `purchase_history`; customers without a repeat
            get the mean over all.

        Returns
        -------
        ndarray of shape (n_customers,)
            Currency. A mean of the customer's own and of all; the more purchases, the more the
            own one counts. NaN where the expectation is infinite (no repeat and q up to 1).
        """
        x = history["n_repeats"].to_numpy(dtype=float)
        spent = np.where(x > 0, x * history["mean_value"].to_numpy(dtype=float), 0.0)
        weight = self.p * x + self.q - 1
        known = weight > 0
        value = self.p * (self.gamma + spent) / np.where(known, weight, 1.0)
        return np.where(known, value, np.nan)

    def log_likelihood(self, history: pd.DataFrame) -> np.ndarray:
        """Give the log-density of each customer's mean value.

        Parameters
        ----------
        history : pandas.DataFrame
            `n_repeats` and `mean_value`; every customer with repeats, and with values above 0.

        Returns
        -------
        ndarray of shape (n_customers,)
            Natural logarithms.
        """
        x, mean = _spending(history)
        return _log_likelihood(np.array([self.p, self.q, self.gamma]), x, mean)[0]


def fit_gamma_gamma(history: pd.DataFrame) -> Fit:
    """Fit the gamma-gamma model by maximum likelihood to those who came back.

    Parameters
    ----------
    history : pandas.DataFrame
        `n_repeats` and `mean_value`, as from `purchase_history`. Customers without a repeat
        purchase say nothing and are left out; so are those whose repeats were for nothing.

    Returns
    -------
    Fit
        With the `GammaGamma` model, standard errors, and what speaks against it.

    Raises
    ------
    ValueError
        If fewer than two customers are left.
    """
    paid = history[(history["n_repeats"] > 0) & (history["mean_value"] > 0)]
    if len(paid) < 2:
        raise ValueError(
            f"{len(paid)} of {len(history)} customers have a repeat purchase with a value above "
            "0: at least two are needed to learn how spending differs"
        )
    x, mean = _spending(paid)

    def likelihood(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        values, gradient = _log_likelihood(parameters, x, mean)
        return float(values.sum()), gradient.sum(axis=1)

    scales = {"p": 1.0, "q": 1.0, "gamma": float(np.median(mean))}
    return maximise(likelihood, GammaGamma, scales, STARTS, n_customers=len(paid))


def _spending(history: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    x = history["n_repeats"].to_numpy(dtype=float)
    mean = history["mean_value"].to_numpy(dtype=float)
    if not ((x >= 1) & (mean > 0)).all():
        row = int(np.flatnonzero(~((x >= 1) & (mean > 0)))[0])
        raise ValueError(
            f"customer {history.index[row]}: n_repeats {x[row]:g}, mean_value {mean[row]:g}; "
            "expected at least one repeat purchase and a mean value above 0"
        )
    return x, mean


def _log_likelihood(parameters, x, mean) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-density of each row and its gradient by p, q and gamma."""
    p, q, gamma = parameters
    spent = x * mean
    log_spent, log_all = np.log(spent), np.log(gamma + spent)
    value = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) - np.log(mean)
    value += q * np.log(gamma) + p * x * log_spent - (p * x + q) * log_all
    shared = digamma(p * x + q) - log_all
    gradient = [
        x * (shared - digamma(p * x) + log_spent),
        shared - digamma(q) + np.log(gamma),
        q / gamma - (p * x + q) / (gamma + spent),
    ]
    return value, np.array(gradient)
