"""Recency, frequency and monetary value of each customer, at the end of a log or before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: The three measures, and which way is good: recency is better where it is small.
MEASURES = {"recency": -1, "frequency": 1, "monetary": 1}
#: What each is called among the features and attributes of the features step.
FEATURES = {"recency": "recency_days", "frequency": "n_invoices", "monetary": "gross_revenue"}
_ONE_DAY = pd.Timedelta(days=1)


def rfm_table(invoices: ir.Table, *, until: datetime | None = None) -> pd.DataFrame:
    """Sum each customer up by recency, frequency and monetary value.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log: `invoice_id`, `stock_code`, `quantity`, `invoice_date`, `unit_price`,
        `customer_id`, `country`, `is_anonymous`.
    until : datetime.datetime, optional
        What was bought later is not seen; the last purchase of the log by default.

    Returns
    -------
    pandas.DataFrame
        Indexed by `customer_id`, in order: `recency` (whole days from the last purchase to the
        reference date), `frequency` (distinct invoices) and `monetary` (sum of quantity times
        unit price, currency). The reference date is `until` plus one day, so recency begins at 1.
        Customers who only returned, or had not bought by then, are not in it.
    """
    # Ibis takes half a second to import, which scoring by stored edges has no use for.
    from cohortlab.features.invoices import customer_totals

    seen = invoices if until is None else invoices.filter(invoices.invoice_date <= until)
    totals = customer_totals(seen).to_pandas()
    end = totals["last_purchase"].max() if until is None else pd.Timestamp(until)
    table = pd.DataFrame(
        {
            "recency": (end + _ONE_DAY - totals["last_purchase"]) // _ONE_DAY,
            "frequency": totals["n_invoices"],
            "monetary": totals["gross_revenue"],
        }
    )
    return table.set_index(pd.Index(totals["customer_id"]))


def measures_of_features(features: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Take the measures from the columns that the features step writes.

    Parameters
    ----------
    features : mapping of str to ndarray of shape (n_customers,)
        The columns that `FEATURES` names; a data frame will do.

    Returns
    -------
    pandas.DataFrame
        `recency`, `frequency` and `monetary`, as `rfm_table` gives them at the end of a log.
    """
    table = pd.DataFrame({measure: features[name] for measure, name in FEATURES.items()})
    # Features count from the last purchase of the log, recency from a day later.
    return table.assign(recency=table["recency"] + 1)


def checked_measures(rfm: pd.DataFrame) -> pd.DataFrame:
    """Return the three measures as numbers, or say which customer's cannot be scored.

    Parameters
    ----------
    rfm : pandas.DataFrame
        One row a customer, with the columns of `MEASURES`.

    Returns
    -------
    pandas.DataFrame
        The columns of `MEASURES` as floating-point numbers.

    Raises
    ------
    ValueError
        If a column is absent or a value is missing; the first such customer is named.
    """
    missing = [name for name in MEASURES if name not in rfm]
    if missing:
        raise ValueError(f"no column {missing}: expected {list(MEASURES)}, got {list(rfm)}")
    values = rfm[list(MEASURES)].astype(float)
    for name in MEASURES:
        bad = values.index[values[name].isna()]
        if len(bad):
            raise ValueError(
                f"{name} of customer {bad[0]} is missing ({len(bad)} in all): compute it from "
                "the purchases, or leave these customers out"
            )
    return values
