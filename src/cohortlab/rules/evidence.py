"""A test of one rule in baskets of many sizes, by people who come more than once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from cohortlab.rules.counting import StratifiedCounter


def upper_tail(
    both: np.ndarray, left: np.ndarray, right: np.ndarray, n: np.ndarray, design_effect: float = 1.0
) -> tuple[float, float]:
    """Bound the chance of so many baskets with both sides, given the margins of every stratum.

    Parameters
    ----------
    both, left, right, n : ndarray of int, shape (n_strata,)
        Baskets with both sides, with the left, with the right, and all.
    design_effect : float
        How many baskets weigh as one independent one, at least 1.

    Returns
    -------
    expected : float
        Baskets with both that chance gives.
    p : float
        An upper bound of the one-sided p-value; 1 unless there is a basket more than expected.

    Notes
    -----
    Within a stratum the number is hypergeometric, hence a sum of min(left, right) independent
    trials of unequal probability; over all strata it is a longer sum of that kind. Among all of the
    same length m and mean mu, the binomial with probability mu / m has the heaviest tail beyond
    mu + 1 (Hoeffding 1956, theorem 4), and its tail is what is returned. Counts are divided by the
    design effect first (Rao and Scott 1992).

    References
    ----------
    Hoeffding (1956), On the distribution of the number of successes in independent trials. Rao and
    Scott (1992), A simple method for the analysis of clustered binary data.

    Examples
    --------
    >>> some = np.array([6]), np.array([10]), np.array([20]), np.array([100])
    >>> expected, p = upper_tail(*some)
    >>> expected, round(p, 4)
    (2.0, 0.0064)
    """
    known = n > 0
    expected = float((left[known] * right[known] / n[known]).sum())
    n_trials = float(np.minimum(left, right).sum())
    found = float(both.sum())
    if found - expected < design_effect:
        return expected, 1.0
    trials, successes = n_trials / design_effect, found / design_effect
    return expected, float(betainc(successes, trials - successes + 1.0, expected / n_trials))


@dataclass(frozen=True)
class People:
    """Who owns the baskets.

    Attributes
    ----------
    of_basket : ndarray of int, shape (n_baskets,)
        Code of the person of each basket.
    n : int
        Number of people.
    """

    of_basket: np.ndarray
    n: int

    @property
    def repeat(self) -> bool:
        """Whether anybody has more than one basket."""
        return self.n < len(self.of_basket)


def people_of(table: pd.DataFrame | None, ids: np.ndarray) -> People | None:
    """Find who owns each basket.

    Parameters
    ----------
    table : DataFrame
        Columns `basket_id, person_id`; no people where it lacks the second.
    ids : ndarray
        Ids of the baskets.

    Returns
    -------
    People or None
        None where the table has no people.
    """
    if not isinstance(table, pd.DataFrame) or "person_id" not in table.columns:
        return None
    owners = table[["basket_id", "person_id"]].drop_duplicates()
    shared = owners["basket_id"].duplicated()
    if shared.any():
        first = owners.loc[shared, "basket_id"].iloc[0]
        raise ValueError(
            f"{int(shared.sum())} baskets belong to more than one person, the first is {first!r}: "
            "make basket ids unique"
        )
    if owners["person_id"].isna().any():
        raise ValueError("baskets.person_id is missing in some rows: drop or name them")
    owner = owners.set_index("basket_id")["person_id"].reindex(ids)
    codes, known = pd.factorize(owner)
    return People(codes, len(known))


class DesignEffect:
    """How much people who repeat themselves inflate the evidence for a rule.

    Parameters
    ----------
    counter : StratifiedCounter
        Counts of the baskets.
    people : People
        Their owners.

    Notes
    -----
    A basket b of a stratum with shares p of the left and q of the right side contributes
    (x - p)(y - q) to the excess of a rule, x and y telling whether it holds the sides. The effect
    is the sum over people of their squared totals over the sum of squares: 1 where everybody
    comes once, and about the number of baskets where one person makes all of the excess.
    """

    def __init__(self, counter: StratifiedCounter, people: People):
        self.counter, self.people = counter, people
        baskets = counter.basket_of
        self.person_of = np.where(baskets >= 0, people.of_basket[baskets], -1)
        real = baskets >= 0
        n_strata = len(counter.sizes)
        flat = self.person_of[real] * n_strata + counter.stratum_of[real]
        counted = np.bincount(flat, minlength=people.n * n_strata)
        self.baskets_of_people = counted.reshape(people.n, n_strata).astype(float)

    def __call__(self, left: np.ndarray, right: np.ndarray) -> float:
        """Return the effect for a rule, given the bits of its sides."""
        counter = self.counter
        n = counter.sizes
        a, b, both = (counter.counts(mask) for mask in (left, right, left & right))
        p, q = a / n, b / n
        # Baskets with the left side only, then with the right one, then with both.
        at = [counter.places(mask) for mask in (left & ~right, right & ~left, left & right)]
        strata = [counter.stratum_of[places] for places in at]
        weights = np.concatenate([-q[strata[0]], -p[strata[1]], (1 - p - q)[strata[2]]])
        owners = self.person_of[np.concatenate(at)]
        sums = np.bincount(owners, weights, minlength=self.people.n)
        sums += self.baskets_of_people @ (p * q)
        squares = both * ((1 - p) * (1 - q)) ** 2 + (a - both) * ((1 - p) * q) ** 2
        squares += (b - both) * (p * (1 - q)) ** 2 + (n - a - b + both) * (p * q) ** 2
        total = float(squares.sum())
        return max(1.0, float((sums**2).sum()) / total) if total > 0 else 1.0

    def n_people(self, mask: np.ndarray) -> int:
        """Count the people behind some baskets."""
        return len(np.unique(self.person_of[self.counter.places(mask)]))
