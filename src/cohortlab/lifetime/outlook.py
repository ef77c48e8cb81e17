"""What each customer is expected to do next."""

import pandas as pd

from cohortlab.lifetime.bg_nbd import BgNbd
from cohortlab.lifetime.gamma_gamma import GammaGamma


def outlook(
    history: pd.DataFrame, buying: BgNbd, spending: GammaGamma, *, weeks: float
) -> pd.DataFrame:
    """Predict purchases and value of each customer; nothing is fitted here.

    Parameters
    ----------
    history : pandas.DataFrame
        As from `purchase_history`, indexed by customer.
    buying : BgNbd
        A fitted model of repeat buying.
    spending : GammaGamma
        A fitted model of spending.
    weeks : float
        The time to come.

    Returns
    -------
    pandas.DataFrame
        By customer: `probability_alive`, `expected_purchases` (days with a purchase in the coming
        weeks), `expected_spend` (value of one of them, currency) and `expected_value`, their
        product, which is not discounted.
    """
    purchases = buying.expected_purchases(weeks, history)
    spend = spending.expected_value(history)
    return pd.DataFrame(
        {
            "probability_alive": buying.probability_alive(history),
            "expected_purchases": purchases,
            "expected_spend": spend,
            "expected_value": purchases * spend,
        },
        index=history.index,
    )
