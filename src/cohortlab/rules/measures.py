"""Measures of a rule A -> B, from whole counts of baskets.

`SHARED` and `FURTHER` hold them by name. Each takes `RuleCounts` and returns an array of floats of
shape (n_rules,), a value for every rule.

Of n baskets, ab hold both sides, a hold A, b hold B. Logarithms are to base 2 where bits are told.
These are mlxtend's, equal to its own to 1e-12:

antecedent support, consequent support
    a / n and b / n. Agrawal, Imielinski and Swami (1993).
support
    ab / n, the share of all baskets that hold both sides. Agrawal, Imielinski and Swami (1993).
confidence
    ab / a, the share of the baskets with A that hold B. Agrawal, Imielinski and Swami (1993).
lift
    n ab / (a b), confidence over the share of B; 1: chance. Brin, Motwani, Ullman and Tsur (1997),
    who call it interest.
representativity
    Share of the baskets in which it is known whether they hold A and B: always 1, as no item may be
    missing. Ragel and Cremilleux (1998).
leverage
    ab / n - a b / n^2, the share of baskets beyond chance. Piatetsky-Shapiro (1991).
conviction
    (1 - b / n) / (1 - ab / a), A without B expected over A without B found; infinite where every
    basket with A holds B. Brin, Motwani, Ullman and Tsur (1997).
zhangs_metric
    (n ab - a b) / max(ab (n - a), a (b - ab)), from -1 (never together) to 1; 0 where that maximum
    is 0. Yan, Zhang and Zhang (2009).
jaccard
    ab / (a + b - ab), both over either. Tan, Kumar and Srivastava (2004).
certainty
    (ab / a - b / n) / (1 - b / n), how much of what confidence could gain is gained; 0 where B is
    in every basket. Berzal, Blanco, Sanchez and Vila (2002), whose other case, for confidence below
    the share of B, mlxtend does not have.
kulczynski
    (ab / a + ab / b) / 2, the mean of both confidences. Wu, Chen and Han (2010).

These are further ones:

coverage
    a / n, how often the rule applies. Hahsler (2015).
chi_squared
    n (n ab - a b)^2 / (a (n - a) b (n - b)), Pearson's statistic of the table of A against B with
    one degree of freedom, uncorrected; 0 where a side is in no or in every basket. Brin, Motwani
    and Silverstein (1997).
fisher_p
    Chance of ab baskets with both or more, where a and b are as they are and A and B are
    independent: the sum over k >= ab of C(a, k) C(n - a, b - k) / C(n, b). Fisher (1935).
hyper_confidence
    1 - fisher_p, the chance of fewer than ab. Hahsler and Hornik (2007).
hyper_lift
    ab over the smallest count that chance stays at or below with a probability of 0.99; infinite
    where that is 0. Hahsler and Hornik (2007).
odds_ratio
    ab (n - a - b + ab) / ((a - ab) (b - ab)), odds of B with A over its odds without A; NaN where
    both products are 0. Tan, Kumar and Srivastava (2004).
odds_ratio_low, odds_ratio_high
    Ends of its 95 % interval, as in `odds_ratio_interval`. Woolf (1955).
lift_low, lift_high
    Ends of the 95 % interval of lift, as in `lift_interval`. Agresti (2013), section 16.1.
imbalance
    abs(a - b) / (a + b - ab), 0 where both sides are as frequent, towards 1. Wu, Chen and Han
    (2010).
mutual_information
    Bits that A and B give on one another: the sum over the four cells of the table of
    p log2(p / (p_row p_column)). Cover and Thomas (2006), equation 2.28.
improvement
    ab / a less the largest confidence of any rule with the same consequent and fewer antecedents,
    none (b / n) among them. It is no function of one rule's counts: `association_rules` adds it.
    Bayardo, Agrawal and Gunopulos (2000), section 2.2.

References
----------
Agrawal, Imielinski and Swami (1993), Mining association rules between sets of items in large
databases. Agresti (2013), Categorical data analysis, 3rd edition. Bayardo, Agrawal and Gunopulos
(2000), Constraint-based rule mining in large, dense databases. Berzal, Blanco, Sanchez and Vila
(2002), Measuring the accuracy and interest of association rules. Brin, Motwani and Silverstein
(1997), Beyond market baskets. Brin, Motwani, Ullman and Tsur (1997), Dynamic itemset counting and
implication rules for market basket data. Cover and Thomas (2006), Elements of information theory.
Fisher (1935), The logic of inductive inference. Hahsler (2015), A probabilistic comparison of
commonly used interest measures for association rules. Hahsler and Hornik (2007), New probabilistic
interest measures for association rules. Piatetsky-Shapiro (1991), Discovery, analysis and
presentation of strong rules. Ragel and Cremilleux (1998), Treatment of missing values for
association rules. Tan, Kumar and Srivastava (2004), Selecting the right objective measure for
association analysis. Woolf (1955), On estimating the relation between blood group and disease. Wu,
Chen and Han (2010), Re-examination of interestingness measures in pattern mining. Yan, Zhang and
Zhang (2009), Confidence metrics for association rule mining.
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
    margins = c.expected * (c.n - c.left) * (c.n - c.right)
    return np.where(margins == 0, 0.0, _ratio(c.excess * c.excess * c.n, margins))


def _odds_ratio(c: RuleCounts) -> np.ndarray:
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
    Woolf's (1955) standard error of the logarithm, the root of the sum of 1 / cell; half a basket
    is added to each cell of a table with an empty one (Haldane 1956, Anscombe 1956).
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
    By the delta method (Agresti 2013, section 16.1) for a multinomial sample of baskets, the
    variance of the logarithm is 1/ab - 1/a - 1/b + 2 ab/(a b) - 1/n with the counts ab, a, b of A
    and B, A, B. Without a basket of both, half a basket gives the upper end, and the lower one is
    0. Without a design effect the baskets are taken to be independent of one another.
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
    return np.abs(c.left - c.right) / (c.left + c.right - c.both)


def _hyper_lift(c: RuleCounts, *, level: float = 0.99) -> np.ndarray:
    return _ratio(c.both.astype(float), quantile(level, c.n, c.left, c.right))


def _hyper_confidence(c: RuleCounts) -> np.ndarray:
    return 1.0 - fisher_p(c)


def _mutual_information(c: RuleCounts) -> np.ndarray:
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


#: mlxtend's measures of a rule, in its order: name -> function of the counts.
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
