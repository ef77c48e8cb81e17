"""Does the model foresee? Fit on the first part of a log, predict the rest, and count."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cohortlab.lifetime.bg_nbd import BgNbd, fit_bg_nbd
from cohortlab.lifetime.fitting import Fit
from cohortlab.lifetime.history import purchase_history, purchases_between


@dataclass(frozen=True)
class Holdout:
    """Predictions beside what happened.

    Attributes
    ----------
    fit : Fit
        The model, which saw the first part alone.
    customers : pandas.DataFrame
        By customer: the history up to the split, `predicted` and `actual` purchases after it, and
        `naive`: the customer's own rate of repeat purchases carried on.
    by_repeats : pandas.DataFrame
        Means by number of repeat purchases before the split, as text; `7+` gathers the rest.
    tracking : pandas.DataFrame
        By week of the log: cumulative repeat purchases, `expected` and `actual`, of the customers
        who came before the split.
    figures : dict
        Totals, mean absolute errors, and correlations, of the model and the naive rate.
    """

    fit: Fit
    customers: pd.DataFrame
    by_repeats: pd.DataFrame
    tracking: pd.DataFrame
    figures: dict[str, float]


def hold_out(log: pd.DataFrame, *, split: float, max_repeats: int = 7) -> Holdout:
    """Fit the BG/NBD model up to a week and hold its predictions against the weeks after it.

    Parameters
    ----------
    log : pandas.DataFrame
        `customer_id`, `week` and `value`, one row a purchase, as from `in_weeks`.
    split : float
        The last week that the model sees; before the end of the log.
    max_repeats : int, default 7
        Customers with at least so many repeats are shown together.

    Returns
    -------
    Holdout
        The fit, predictions and their errors.

    Raises
    ------
    ValueError
        If nothing is left to predict, or nobody came back before the split.
    """
    end = log["week"].max()
    if not split < end:
        raise ValueError(f"the split, week {split:g}, is not before the end of the log, {end:g}")
    history = purchase_history(log, until=split)
    fit = fit_bg_nbd(history)
    coming = end - split
    age = history["age_weeks"].to_numpy()
    rate = history["n_repeats"].to_numpy() / np.where(age > 0, age, np.inf)
    customers = history.assign(
        predicted=fit.model.expected_purchases(coming, history),
        naive=rate * coming,
        actual=purchases_between(log, history.index, split, end),
    )
    return Holdout(
        fit=fit,
        customers=customers,
        by_repeats=_by_repeats(customers, max_repeats),
        tracking=_tracking(fit.model, log, history, split, end),
        figures=_figures(customers),
    )


def _by_repeats(customers: pd.DataFrame, max_repeats: int) -> pd.DataFrame:
    capped = customers["n_repeats"].clip(upper=max_repeats)
    groups = customers.groupby(capped)
    means = groups[["actual", "predicted", "naive"]].mean()
    means.insert(0, "customers", groups.size())
    means.index = [f"{n}+" if n == max_repeats else str(n) for n in means.index]
    return means.rename_axis("repeats before")


def _tracking(model: BgNbd, log, history, split: float, end: float) -> pd.DataFrame:
    born = split - history["age_weeks"].to_numpy()
    starts, n_started = np.unique(born, return_counts=True)
    own = log[log["customer_id"].isin(history.index)]["week"].sort_values().to_numpy()
    weeks = np.arange(0, np.floor(end) + 1)
    ages = np.maximum(weeks[:, None] - starts, 0.0)
    first = np.searchsorted(np.sort(born), weeks, side="right")
    return pd.DataFrame(
        {
            "week": weeks,
            "expected": model.expected_purchases(ages) @ n_started,
            "actual": np.searchsorted(own, weeks, side="right") - first,
        }
    )


def _figures(customers: pd.DataFrame) -> dict[str, float]:
    actual = customers["actual"]
    figures = {"actual": float(actual.sum())}
    for name in ("predicted", "naive"):
        guess = customers[name]
        figures[name] = float(guess.sum())
        figures[f"{name}_error"] = float((guess - actual).abs().mean())
        varied = guess.std() > 0 and actual.std() > 0
        figures[f"{name}_correlation"] = float(guess.corr(actual)) if varied else np.nan
    return figures
