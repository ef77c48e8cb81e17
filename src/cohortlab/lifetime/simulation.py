"""Purchases drawn from the models themselves, with known parameters."""

import numpy as np
import pandas as pd

from cohortlab.lifetime.bg_nbd import BgNbd
from cohortlab.lifetime.gamma_gamma import GammaGamma


def simulate_purchases(
    buying: BgNbd,
    spending: GammaGamma,
    first_weeks: np.ndarray,
    *,
    until: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw the purchases of customers who behave as the two models say.

    Parameters
    ----------
    buying : BgNbd
        How often they buy and when they leave.
    spending : GammaGamma
        What a purchase is worth.
    first_weeks : ndarray of shape (n_customers,)
        When each makes the first purchase, weeks.
    until : float
        End of the log, weeks; at or after every first purchase.
    rng : numpy.random.Generator
        Source of all chance.

    Returns
    -------
    pandas.DataFrame
        `customer_id` (0, 1, ...), `week` and `value`, one row a purchase, ordered by customer and
        time: a log as `purchase_history` takes it.

    Raises
    ------
    ValueError
        If somebody begins after the end.
    """
    first_weeks = np.asarray(first_weeks, dtype=float)
    if not (first_weeks <= until).all():
        raise ValueError(
            f"first purchases up to week {first_weeks.max():g}, but the end is {until:g}"
        )
    n_customers = len(first_weeks)
    rates = rng.gamma(buying.r, 1 / buying.alpha, n_customers)
    leaving = rng.beta(buying.a, buying.b, n_customers)
    who, week = np.arange(n_customers), first_weeks
    rounds = [(who, week)]
    while len(who):
        # A rate of exactly zero, as a small shape can give, never buys again.
        with np.errstate(divide="ignore"):
            week = week + rng.exponential(size=len(who)) / rates[who]
        who, week = who[week <= until], week[week <= until]
        rounds.append((who, week))
        stays = rng.random(len(who)) >= leaving[who]
        who, week = who[stays], week[stays]
    customers, weeks = (np.concatenate(parts) for parts in zip(*rounds, strict=True))
    means = rng.gamma(spending.q, 1 / spending.gamma, n_customers)
    values = rng.gamma(spending.p, 1 / means[customers])
    log = pd.DataFrame({"customer_id": customers, "week": weeks, "value": values})
    return log.sort_values(["customer_id", "week"], ignore_index=True)
