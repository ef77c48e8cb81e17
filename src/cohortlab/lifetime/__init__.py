"""How often customers will buy again, whether they are still customers, and what that is worth."""

from cohortlab.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from cohortlab.lifetime.fitting import Fit
from cohortlab.lifetime.gamma_gamma import GammaGamma, fit_gamma_gamma
from cohortlab.lifetime.history import in_weeks, purchase_history, purchases_between
from cohortlab.lifetime.holdout import Holdout, hold_out
from cohortlab.lifetime.outlook import outlook
from cohortlab.lifetime.simulation import simulate_purchases

__all__ = [
    "BgNbd",
    "Fit",
    "GammaGamma",
    "Holdout",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "hold_out",
    "in_weeks",
    "outlook",
    "purchase_history",
    "purchases_between",
    "simulate_purchases",
]
