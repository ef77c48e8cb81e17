"""Measures of a rule, from whole counts of baskets.

`SHARED` and `FURTHER` hold them by name. Each takes `RuleCounts` and returns an array of floats of
shape (n_rules,), a value for every rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, xlogy

from cohortlab.rules.hypergeometric import quantile, tail


@dataclass(frozen=True)
class RuleCounts:
    """Counts behind rules A -> B.

    Attributes
    ----------
    both, left, right : ndarray of int64, shape (n_rules,)
        Baskets with A and B, with A, with B.
    n : int
        All baskets.
    """

    both: np.ndarray
    left: np.ndarray
    right: np.ndarray
    n: int

    @property
    def cells(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Baskets with A and B, A only, B only, neither; as floats."""
        only_left, only_right = self.left - self.both, self.right - self.both
        neither = self.n - self.both - only_left - only_right
        return tuple(np.asarray(v, float) for v in (self.both, only_left, only_right, neither))

    @property
    def expected(self) -> np.ndarray:
        """Product of the counts of A and B, as floats; divided by n it is what chance gives."""
        return self.left.astype(float) * self.right

    @property
    def excess(self) -> np.ndarray:
        """Count of both times n, less the product of the counts of A and B."""
        return self.both.astype(float) * self.n - self.expected


def _conviction(c: RuleCounts) -> np.ndarray:
    # One division of whole numbers: built from supports it would lose digits by cancellation.
    wrong = (c.left - c.both).astype(float) * c.n
    conviction = _ratio((c.n - c.right) * c.left.astype(float), wrong)
    return np.where(c.both == c.left, np.inf, conviction)


def _zhang(c: RuleCounts) -> np.ndarray:
    scale = np.maximum(c.both.astype(float) * (c.n - c.left), c.left * (c.right - c.both * 1.0))
    return np.where(scale == 0, 0.0, _ratio(c.excess, scale))


def _certainty(c: RuleCounts) -> np.ndarray:
    return np.where(c.right == c.n, 0.0, _ratio(c.excess, c.left.astype(float) * (c.n - c.right)))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return top / bottom


def _chi_squared(c: RuleCounts) -> np.ndarray:
    """Pearson's chi-squared of the table of A against B, one degree of freedom, uncorrected.

    n (n ab - a b)^2 / (a (n - a) b (n - b)); 0 where a side is in no or in every basket.
    """
    margins = c.expected * (c.n - c.left) * (c.n - c.right)
    return np.where(margins == 0, 0.0, _ratio(c.excess * c.excess * c.n, margins))


def _odds_ratio(c: RuleCounts) -> np.ndarray:
    """Odds of B where A is, over its odds where A is not; NaN where both products are 0."""
    both, only_left, only_right, neither = c.cells
    return _ratio(both * neither, only_left * only_right)


def odds_ratio_interval(c: RuleCounts, *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the odds ratio on the scale of its logarithm.

    Parameters
    ----------
    c : RuleCounts
        Counts of the rules.
    level : float
        Probability that the interval holds, in (0, 1).

    Returns
    -------
    low, high : ndarray of float, shape (n_rules,)
        Ends of the interval.

    Notes
    -----
    Woolf's standard error, the root of the sum of 1 / cell; half a basket is added to each cell of
    a table with an empty one (Haldane 1956, Anscombe 1956).

    References
    ----------
    Woolf (1955), On estimating the relation between blood group and disease.
    """
    cells = np.array(c.cells)
    cells = cells + 0.5 * (cells == 0).any(axis=0)
    centre = np.log(cells[0]) + np.log(cells[3]) - np.log(cells[1]) - np.log(cells[2])
    reach = ndtri(0.5 + level / 2) * np.sqrt((1 / cells).sum(axis=0))
    return np.exp(centre - reach), np.exp(centre + reach)


def lift_interval(
    c: RuleCounts, *, level: float = 0.95, design_effect: np.ndarray | float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the lift on the scale of its logarithm.

    Parameters
    ----------
    c : RuleCounts
        Counts of the rules.
    level : float
        Probability that the interval holds, in (0, 1).
    design_effect : float or ndarray of float, shape (n_rules,)
        What the variance is multiplied by, where baskets of one person depend on one another.

    Returns
    -------
    low, high : ndarray of float, shape (n_rules,)
        Ends of the interval.

    Notes
    -----
    By the delta method for a multinomial sample of baskets, the variance of the logarithm is
    1/ab - 1/a - 1/b + 2 ab/(a b) - 1/n with the counts ab, a, b of A and B, A, B. Without a basket
    of both, half a basket gives the upper end, and the lower one is 0. Without a design effect
    the baskets are taken to be independent of one another.
    """
    both = np.maximum(c.both, 0.5)
    left, right = np.maximum(c.left, both), np.maximum(c.right, both)
    variance = 1 / both - 1 / left - 1 / right + 2 * both / (left * right) - 1 / max(c.n, 1)
    reach = ndtri(0.5 + level / 2) * np.sqrt(np.maximum(variance, 0.0) * design_effect)
    centre = np.log(both) + np.log(max(c.n, 1)) - np.log(left) - np.log(right)
    low = np.where(c.both == 0, 0.0, np.exp(centre - reach))
    return low, np.exp(centre + reach)


def fisher_p(c: RuleCounts) -> np.ndarray:
    """Fisher's exact test, one-sided: chance of so many baskets with both, or more.

    Parameters
    ----------
    c : RuleCounts
        Counts of the rules.

    Returns
    -------
    ndarray of float, shape (n_rules,)
        The measure of each rule.
    """
    return tail(c.both, c.n, c.left, c.right)


def _imbalance(c: RuleCounts) -> np.ndarray:
    """Imbalance ratio |a - b| / (a + b - ab): 0 where both sides are as frequent, towards 1.

    References
    ----------
    Wu, Chen and Han (2010), Re-examination of interestingness measures in pattern mining.
    """
    return np.abs(c.left - c.right) / (c.left + c.right - c.both)


def _hyper_lift(c: RuleCounts, *, level: float = 0.99) -> np.ndarray:
    """Count of both over the count that chance exceeds with probability 1 - level only.

    References
    ----------
    Hahsler and Hornik (2007), New probabilistic interest measures for association rules,
    section 3.1. Infinite where that count is 0.
    """
    return _ratio(c.both.astype(float), quantile(level, c.n, c.left, c.right))


def _hyper_confidence(c: RuleCounts) -> np.ndarray:
    """Probability that chance gives fewer baskets with both: 1 - `fisher_p`.

    References
    ----------
    Hahsler and Hornik (2007), section 3.2.
    """
    return 1.0 - fisher_p(c)


def _mutual_information(c: RuleCounts) -> np.ndarray:
    """Information that A and B give on one another, in bits.

    The sum over the four cells of p log2(p / (p_row p_column)).

    References
    ----------
    Cover and Thomas (2006), Elements of information theory, equation 2.28.
    """
    left, right = c.left.astype(float), c.right.astype(float)
    products = [
        left * right,
        left * (c.n - right),
        (c.n - left) * right,
        (c.n - left) * (c.n - right),
    ]
    terms = [
        xlogy(cell, _ratio(cell * c.n, np.where(cell > 0, product, 1.0)))
        for cell, product in zip(c.cells, products, strict=True)
    ]
    return np.maximum(sum(terms) / (c.n * np.log(2)), 0.0)


#: mlxtend's measures of a rule, in its order: name -> function of the counts. Support, confidence
#: and lift: Agrawal et al. (1993), Brin et al. (1997). Leverage: Piatetsky-Shapiro (1991).
#: Conviction: Brin et al. (1997), S. Zhang's metric: Yan et al. (2009). Certainty: Berzal et al.
#: (2002). Kulczynski: Wu, Chen and Han (2010). Representativity is 1, as no value is missing.
SHARED: dict[str, Callable[[RuleCounts], np.ndarray]] = {
    "antecedent support": lambda c: c.left / c.n,
    "consequent support": lambda c: c.right / c.n,
    "support": lambda c: c.both / c.n,
    "confidence": lambda c: c.both / c.left,
    "lift": lambda c: c.both.astype(float) * c.n / c.expected,
    "representativity": lambda c: np.ones(len(c.both)),
    "leverage": lambda c: c.excess / float(c.n) ** 2,
    "conviction": _conviction,
    "zhangs_metric": _zhang,
    "jaccard": lambda c: c.both / (c.left + c.right - c.both),
    "certainty": _certainty,
    "kulczynski": lambda c: (c.both / c.left + c.both / c.right) / 2,
}

#: Measures beside mlxtend's: name -> function of the counts. `improvement` is no function of the
#: counts of one rule; `association_rules` adds it.
FURTHER: dict[str, Callable[[RuleCounts], np.ndarray]] = {
    "chi_squared": _chi_squared,
    "fisher_p": fisher_p,
    "odds_ratio": _odds_ratio,
    "odds_ratio_low": lambda c: odds_ratio_interval(c)[0],
    "odds_ratio_high": lambda c: odds_ratio_interval(c)[1],
    "lift_low": lambda c: lift_interval(c)[0],
    "lift_high": lambda c: lift_interval(c)[1],
    "imbalance": _imbalance,
    "coverage": lambda c: c.left / c.n,
    "hyper_lift": _hyper_lift,
    "hyper_confidence": _hyper_confidence,
    "mutual_information": _mutual_information,
}
MEASURES = list(SHARED)
FURTHER_MEASURES = [*FURTHER, "improvement"]
