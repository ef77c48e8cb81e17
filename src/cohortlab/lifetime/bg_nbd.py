"""The BG/NBD model of repeat buying (Fader, Hardie and Lee 2005).

While alive a customer buys at random, lambda times a week; after each repeat purchase they leave
for good with probability p. Over customers lambda is gamma distributed (shape r, rate alpha) and
p is beta distributed (a, b), independently. Whoever has not bought again yet is alive by
assumption.

References
----------
Fader, Hardie and Lee (2005), "Counting your customers" the easy way: an alternative to the
Pareto/NBD model, Marketing Science 24(2), 275-284; equation numbers below are theirs.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import (
    betainc,
    betaincinv,
    betaln,
    digamma,
    expit,
    gammaln,
    log_expit,
    logit,
    xlogy,
)

from cohortlab.lifetime.fitting import Fit, maximise
from cohortlab.lifetime.history import checked_columns

#: Where to begin: r, alpha, a, b in their natural scales.
STARTS = ((1, 1, 1, 1), (0.3, 0.2, 0.8, 2.4), (3, 3, 0.3, 3), (0.5, 1, 3, 3), (1, 0.3, 0.1, 1))
#: Quadrature over the chance of leaving: points, and the shares of the distribution that both ends
#: may hold outside; there the integrand is as good as constant.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
_OUTSIDE = 1e-13
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class BgNbd:
    """A population of repeat buyers; time is in weeks.

    Attributes
    ----------
    r, alpha : float
        Shape, and rate in weeks, of the gamma distribution of purchase rates; the mean is
        r / alpha a week.
    a, b : float
        Of the beta distribution of leaving after a repeat purchase; the mean is a / (a + b).

    Examples
    --------
    >>> model = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
    >>> round(float(model.expected_purchases(39.0)), 3)
    1.197
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self):
        if not all(0 < value < np.inf for value in (self.r, self.alpha, self.a, self.b)):
            raise ValueError(f"expected four positive finite parameters, got {self}")

    def log_likelihood(self, history: pd.DataFrame) -> np.ndarray:
        """Give each customer's log-likelihood (equation 6).

        Parameters
        ----------
        history : pandas.DataFrame
            `n_repeats, last_weeks, age_weeks`, as from `purchase_history`.

        Returns
        -------
        ndarray of shape (n_customers,)
            Natural logarithms.
        """
        parameters = np.array([self.r, self.alpha, self.a, self.b])
        return _log_likelihood(parameters, *checked_columns(history))[0]

    def probability_alive(self, history: pd.DataFrame) -> np.ndarray:
        """Give the probability that each customer has not left.

        Parameters
        ----------
        history : pandas.DataFrame
            As for `log_likelihood`.

        Returns
        -------
        ndarray of shape (n_customers,)
            In (0, 1]; 1 for those without a repeat purchase, by assumption of the model.

        References
        ----------
        Fader, Hardie and Lee (2008), Computing P(alive) using the BG/NBD model, equation 1.
        """
        x, last, age = checked_columns(history)
        return self._alive(x, last, age)

    def _alive(self, x: np.ndarray, last: np.ndarray, age: np.ndarray) -> np.ndarray:
        gap = (self.r + x) * np.log((self.alpha + age) / (self.alpha + last))
        log_odds = np.log(self.b + np.maximum(x, 1) - 1) - np.log(self.a) - gap
        return np.where(x > 0, expit(log_odds), 1.0)

    def expected_purchases(self, weeks, history: pd.DataFrame | None = None) -> np.ndarray:
        """Give the expected number of purchases in the coming weeks.

        Parameters
        ----------
        weeks : float or array of float
            Length of the time to come, from 0; an array goes with the customers one by one.
        history : pandas.DataFrame, optional
            What is known of each customer (equation 10). Without it, the repeat purchases of a
            new customer in the first `weeks` (equation 9).

        Returns
        -------
        ndarray
            One number a customer, or of the shape of `weeks`.

        Notes
        -----
        The closed form in Gauss's hypergeometric function is not used: it overflows for busy
        customers, for a and b in the thousands, and divides by zero at a = 1. See
        `_purchases_while_alive`.
        """
        weeks = np.asarray(weeks, dtype=float)
        if not (weeks >= 0).all():
            raise ValueError("expected a time to come of at least 0 weeks")
        if history is None:
            return self._if_alive(weeks, 0.0, 0.0)
        x, last, age = checked_columns(history)
        return self._alive(x, last, age) * self._if_alive(weeks, x, age)

    def _if_alive(self, weeks, x, age) -> np.ndarray:
        """Expect purchases of customers known to be alive; equal ones are computed once."""
        columns = np.broadcast_arrays(weeks, x, age)
        rows = np.column_stack([c.ravel() for c in columns])
        distinct, where = np.unique(rows, axis=0, return_inverse=True)
        pieces = np.split(distinct, range(_ROWS_AT_ONCE, len(distinct), _ROWS_AT_ONCE))
        values = np.concatenate([_purchases_while_alive(self, *piece.T) for piece in pieces])
        return values[where].reshape(columns[0].shape)

    def purchase_probabilities(self, counts, weeks) -> np.ndarray:
        """Give the probability that a new customer buys again so often (equation 8).

        Parameters
        ----------
        counts : array of int
            Numbers of repeat purchases, from 0.
        weeks : float or array of float
            Time since the first purchase; broadcast with `counts`.

        Returns
        -------
        ndarray
            Probabilities; they sum to one over all counts.
        """
        n, weeks = np.broadcast_arrays(np.asarray(counts, float), np.asarray(weeks, float))
        share = weeks / (self.alpha + weeks)
        base = betaln(self.a, self.b)
        stays = gammaln(self.r + n) - gammaln(self.r) - gammaln(n + 1)
        stays += xlogy(n, share) + self.r * np.log1p(-share) + betaln(self.a, self.b + n) - base
        bought = np.maximum(n, 1)
        leaves = np.exp(betaln(self.a + 1, self.b + bought - 1) - base)
        # The chance of at least n purchases while alive is a tail of the negative binomial.
        return np.exp(stays) + np.where(n > 0, leaves * betainc(bought, self.r, share), 0.0)


def _purchases_while_alive(model: BgNbd, weeks, x, age) -> np.ndarray:
    """Expect the purchases of customers who are alive, by quadrature.

    Given x purchases in the time T and that a customer is alive, p is beta (a, b + x) and lambda is
    gamma (r + x, alpha + T). With both known the expectation is (1 - exp(-lambda p t)) / p, and
    over lambda it is (1 - (1 + p s)^-(r + x)) / p, s = t / (alpha + T). What is left is a mean over
    p of a positive function, by Gauss and Legendre on the logit of p.
    """
    weeks, x, age = (column[:, None] for column in (weeks, x, age))
    a, b, shape = model.a, model.b + x, model.r + x
    scaled = weeks / (model.alpha + age)

    def purchases(p: np.ndarray) -> np.ndarray:
        return -np.expm1(-shape * np.log1p(p * scaled)) / p

    low = np.maximum(betaincinv(a, b, _OUTSIDE), 1e-10 / (1 + shape * scaled))
    high = np.maximum(betaincinv(b, a, _OUTSIDE), 1e-12)  # 1 - p
    below, above = betainc(a, b, low), betainc(b, a, high)
    left, right = logit(low), -logit(high)
    y = left + (right - left) * (_NODES + 1) / 2
    log_weight = a * log_expit(y) + b * log_expit(-y)
    weight = _WEIGHTS * np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
    inside = (weight * purchases(expit(y))).sum(axis=1) / weight.sum(axis=1)
    ends = below * purchases(low) + above * purchases(1 - high)
    return inside * (1 - below - above)[:, 0] + ends[:, 0]


def fit_bg_nbd(history: pd.DataFrame) -> Fit:
    """Fit the BG/NBD model by maximum likelihood.

    Parameters
    ----------
    history : pandas.DataFrame
        `n_repeats, last_weeks, age_weeks`, one row a customer, as from `purchase_history`.

    Returns
    -------
    Fit
        With the `BgNbd` model, standard errors, and what speaks against it.

    Raises
    ------
    ValueError
        If nobody came back, so that there is nothing to learn a rate from.
    """
    columns = np.column_stack(checked_columns(history))
    if not (columns[:, 0] > 0).any():
        raise ValueError(
            f"none of {len(columns)} customers bought on a second day: there is no repeat "
            "purchase to learn from; take a longer log, or leave the model out"
        )
    rows, weights = np.unique(columns, axis=0, return_counts=True)

    def likelihood(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        values, gradient = _log_likelihood(parameters, *rows.T)
        return float((weights * values).sum()), (weights * gradient).sum(axis=1)

    scales = {"r": 1.0, "alpha": float(rows[:, 2].max()), "a": 1.0, "b": 1.0}
    return maximise(likelihood, BgNbd, scales, STARTS, n_customers=len(columns))


def _log_likelihood(parameters, x, last, age) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-likelihood of each row and its gradient by r, alpha, a and b."""
    r, alpha, a, b = parameters
    repeated = x > 0
    still = -(r + x) * np.log(alpha + age)
    bought = np.maximum(x, 1)
    gone = np.log(a) - np.log(b + bought - 1) - (r + x) * np.log(alpha + last)
    gone = np.where(repeated, gone, -np.inf)
    either = np.logaddexp(still, gone)
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    left = np.exp(gone - either)
    stayed = np.exp(still - either)
    logs = stayed * np.log(alpha + age) + left * np.log(alpha + last)
    rates = stayed / (alpha + age) + left / (alpha + last)
    both = digamma(a + b) - digamma(a + b + x)
    gradient = [
        digamma(r + x) - digamma(r) + np.log(alpha) - logs,
        r / alpha - (r + x) * rates,
        both + left / a,
        both + digamma(b + x) - digamma(b) - left / (b + bought - 1),
    ]
    return value + either, np.array(gradient)
