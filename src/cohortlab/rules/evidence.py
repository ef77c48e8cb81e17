"""A test of one rule in baskets of many sizes, by people who come more than once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from cohortlab.compiled import compiled
from cohortlab.rules.checks import plain_value
from cohortlab.rules.counting import StratifiedCounter
from cohortlab.rules.kernels import ones


def upper_tail(
    both: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    n: np.ndarray,
    design_effect: float | np.ndarray = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Bound the chance of so many baskets with both sides, given the margins of every stratum.

    Parameters
    ----------
    both, left, right, n : ndarray of int, shape (..., n_strata)
        Baskets with both sides, with the left, with the right, and all; of one rule, or of many.
    design_effect : float or ndarray of shape (...)
        How many baskets weigh as one independent one, at least 1.

    Returns
    -------
    expected : ndarray of shape (...)
        Baskets with both that chance gives.
    p : ndarray of shape (...)
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
    >>> float(expected), round(float(p), 4)
    (2.0, 0.0064)
    """
    expected = (left * right / np.maximum(n, 1)).sum(axis=-1)
    n_trials = np.minimum(left, right).sum(axis=-1)
    found = both.sum(axis=-1)
    trials, successes = n_trials / design_effect, found / design_effect
    tail = betainc(successes, trials - successes + 1.0, expected / np.maximum(n_trials, 1))
    return expected, np.where(found - expected < design_effect, 1.0, tail)


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
    unknown = table["person_id"].isna()
    if unknown.any():
        first = plain_value(table.loc[unknown, "basket_id"].iloc[0])
        raise ValueError(
            f"baskets.person_id is missing in {int(unknown.sum())} rows, the first of basket "
            f"{first!r}: drop or name them"
        )
    owners = table[["basket_id", "person_id"]].drop_duplicates()
    shared = owners["basket_id"].duplicated()
    if shared.any():
        first = plain_value(owners.loc[shared, "basket_id"].iloc[0])
        raise ValueError(
            f"{int(shared.sum())} baskets belong to more than one person, the first is {first!r}: "
            "make basket ids unique"
        )
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
        self.n_baskets = self.baskets_of_people.sum(axis=1)

    def __call__(self, left: np.ndarray, right: np.ndarray) -> float:
        """Return the effect for a rule, given the bits of its sides."""
        counter = self.counter
        n = counter.sizes
        a, b, both = (counter.counts(mask) for mask in (left, right, left & right))
        p, q = a / n, b / n
        more = np.stack([-q, -p, 1 - p - q])
        sums = self._by_person(left, right, self.baskets_of_people @ (p * q), more)
        squares = both * ((1 - p) * (1 - q)) ** 2 + (a - both) * ((1 - p) * q) ** 2
        squares += (b - both) * (p * (1 - q)) ** 2 + (n - a - b + both) * (p * q) ** 2
        return _inflation(sums, float(squares.sum()))

    def of_lift(self, left: np.ndarray, right: np.ndarray) -> float:
        """Return how much people inflate the variance of the logarithm of a rule's lift.

        By the delta method a basket moves it by 1 - x n/a - y n/b + xy n/ab over n, x and y telling
        whether it holds the sides and ab, a, b, n counting baskets with both, with each, and all.
        Totals of people in place of baskets give the variance of a sample of clusters (Liang and
        Zeger 1986, Longitudinal data analysis using generalized linear models). Without a basket of
        both sides it is the effect of the excess.
        """
        counts = [float(self.counter.counts(mask).sum()) for mask in (left, right, left & right)]
        a, b, both = counts
        if both == 0:
            return self(left, right)
        n = float(self.counter.sizes.sum())
        moves = np.array([-n / a, -n / b, n / both - n / a - n / b])
        more = np.repeat(moves[:, None], len(self.counter.sizes), axis=1)
        sums = self._by_person(left, right, self.n_baskets.copy(), more)
        numbers = np.array([a - both, b - both, both])
        return _inflation(sums, float(numbers @ (1 + moves) ** 2 + n - numbers.sum()))

    def n_people(self, left: np.ndarray, right: np.ndarray) -> int:
        """Count the people who have a basket with both sides."""
        once = np.zeros((3, len(self.counter.sizes)))
        once[2] = 1.0
        sums = self._by_person(left, right, np.zeros(self.people.n), once)
        return int(np.count_nonzero(sums))

    def _by_person(
        self, left: np.ndarray, right: np.ndarray, sums: np.ndarray, more: np.ndarray
    ) -> np.ndarray:
        """Add to a sum for every person what `_add_by_person` says."""
        _add_by_person(left, right, self.person_of, self.counter.stratum_of, more, sums)
        return sums


@compiled()
def _add_by_person(left, right, person_of, stratum_of, more, sums):
    """Add to each person's sum: rows of `more` are with the left side only, the right one, both."""
    for word in range(len(left)):
        rest = left[word] | right[word]
        while rest:
            lowest = rest & (~rest + np.uint64(1))
            rest ^= lowest
            place = 64 * word + np.int64(ones(lowest - np.uint64(1)))
            held = np.int64(left[word] & lowest != 0) + 2 * np.int64(right[word] & lowest != 0)
            sums[person_of[place]] += more[held - 1, stratum_of[place]]


def _inflation(sums_of_people: np.ndarray, squares_of_baskets: float) -> float:
    if squares_of_baskets <= 0:
        return 1.0
    return max(1.0, float(sums_of_people @ sums_of_people) / squares_of_baskets)
