"""
Customers of a log of invoices: how much, how often and how recently they buy, and what.

Every function takes and returns Ibis expressions; nothing is computed until a table is written.
Money is summed in whole millionths of the currency, so sums are exact and do not depend on the
order of rows.
"""

import ibis
import ibis.expr.types as ir

FEATURES = (
    "gross_revenue",
    "recency_days",
    "quantity_of_products",
    "frequency",
    "returns",
)
ATTRIBUTES = (
    "country",
    "first_purchase",
    "last_purchase",
    "n_invoices",
    "n_lines",
    "n_products",
    "n_returned",
    "is_anonymous",
)
_MILLION = 1_000_000


def purchases(invoices: ir.Table) -> ir.Table:
    """
    Keep the rows of an invoice log that are purchases.

    Parameters
    ----------
    invoices : ibis.Table
        Column `quantity`.

    Returns
    -------
    ibis.Table
        Rows with a positive quantity; the others are returns.
    """
    return invoices.filter(invoices.quantity > 0)


def customer_features(invoices: ir.Table) -> ir.Table:
    """
    Compute the numeric features of each customer who bought something.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log: `invoice_id`, `stock_code`, `quantity`, `invoice_date`, `unit_price`,
        `customer_id`.

    Returns
    -------
    ibis.Table
        `customer_id` and the columns of `FEATURES`, ordered by customer. Customers who only
        returned are left out; `return_only_customers` lists them.

    Notes
    -----
    Returns count only in `returns`; the other features are about purchases. `gross_revenue` is
    the sum of quantity times unit price. `recency_days` is the number of whole days (of 24
    hours) from the customer's last purchase to the last purchase in the log.
    `quantity_of_products` is the sum of quantities. `frequency` is distinct invoices divided by
    whole days (of 24 hours) between the first and the last purchase, 0 where less than one day
    lies between them. `returns` counts distinct return invoices.
    """
    bought = _per_customer(invoices)
    end = purchases(invoices).invoice_date.max().as_scalar()
    days = whole_days(bought.first_purchase, bought.last_purchase)
    table = bought.select(
        "customer_id",
        gross_revenue=bought.revenue_millionths / _MILLION,
        recency_days=whole_days(bought.last_purchase, end),
        quantity_of_products=bought.quantity,
        frequency=(bought.n_invoices / days.nullif(0)).fill_null(0.0),
    )
    with_returns = table.left_join(_returns(invoices), "customer_id")
    features = with_returns.mutate(returns=with_returns.n_return_invoices.fill_null(0))
    return features.select("customer_id", *FEATURES).order_by("customer_id")


def customer_attributes(invoices: ir.Table) -> ir.Table:
    """
    Describe each customer by what profiles show and no clustering uses.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, as for `customer_features`, with `country` and `is_anonymous`.

    Returns
    -------
    ibis.Table
        `customer_id`, `country` (of most purchase rows; the first in the alphabet of several),
        `first_purchase`, `last_purchase`, `n_invoices`, `n_lines` (purchase rows), `n_products`
        (distinct stock codes), `n_returned` (products returned) and `is_anonymous`; the same
        customers in the same order as `customer_features`.
    """
    bought = _per_customer(invoices)
    described = bought.left_join(_countries(invoices), "customer_id").drop("customer_id_right")
    joined = described.left_join(_returns(invoices), "customer_id")
    attributes = joined.mutate(n_returned=joined.n_returned.fill_null(0))
    return attributes.select("customer_id", *ATTRIBUTES).order_by("customer_id")


def customer_totals(invoices: ir.Table) -> ir.Table:
    """
    Sum up what each customer bought, in one pass over the log.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, as for `customer_attributes`.

    Returns
    -------
    ibis.Table
        `customer_id, last_purchase, n_invoices, gross_revenue`, to the last digit as
        `customer_attributes` and `customer_features` have them, in the same order.
    """
    bought = _per_customer(invoices)
    return bought.select(
        "customer_id",
        "last_purchase",
        "n_invoices",
        gross_revenue=bought.revenue_millionths / _MILLION,
    ).order_by("customer_id")


def return_only_customers(invoices: ir.Table) -> ir.Table:
    """
    List the customers who returned but bought nothing; they have no features.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, as for `customer_features`.

    Returns
    -------
    ibis.Table
        `customer_id`, `n_return_invoices` and `n_returned` (products), ordered by customer.
    """
    returned = _returns(invoices)
    only = returned.anti_join(purchases(invoices), "customer_id")
    return only.order_by("customer_id")


def baskets(invoices: ir.Table) -> ir.Table:
    """
    List what was bought together: one row per invoice and stock code.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, as for `customer_features`.

    Returns
    -------
    ibis.Table
        `basket_id` (the invoice, as text), `person_id` (the customer) and `item` (the stock code),
        each row once. Returns are no baskets.
    """
    bought = purchases(invoices)
    named = bought.select(
        basket_id=bought.invoice_id.cast("string"),
        person_id=bought.customer_id,
        item=bought.stock_code.cast("string"),
    )
    return named.distinct().order_by("basket_id", "person_id", "item")


def incidence(invoices: ir.Table) -> ir.Table:
    """
    Count how often each customer bought each product.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, as for `customer_features`.

    Returns
    -------
    ibis.Table
        `person_id` (the customer), `item` (the stock code) and `weight` (invoices that have it).
    """
    bought = purchases(invoices)
    named = bought.select(
        "invoice_id", person_id=bought.customer_id, item=bought.stock_code.cast("string")
    )
    counted = named.group_by("person_id", "item").agg(weight=named.invoice_id.nunique())
    return counted.order_by("person_id", "item")


def customer_days(invoices: ir.Table) -> ir.Table:
    """
    List the days on which each customer bought, and for how much.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, as for `customer_features`.

    Returns
    -------
    ibis.Table
        `customer_id`, `day` (a date) and `value` (sum of quantity times unit price, currency),
        one row a customer and day, ordered by both. Invoices of one day are one purchase.
    """
    bought = purchases(invoices)
    daily = bought.group_by("customer_id", day=bought.invoice_date.date()).agg(
        millionths=_revenue_millionths(bought)
    )
    table = daily.select("customer_id", "day", value=daily.millionths / _MILLION)
    return table.order_by("customer_id", "day")


def _revenue_millionths(bought: ir.Table) -> ir.FloatingScalar:
    price = (bought.unit_price * _MILLION).round().cast("int64")
    # The sum itself is exact in 128 bits; that of large values does not fit into 64.
    return (bought.quantity * price).sum().cast("float64")


def _per_customer(invoices: ir.Table) -> ir.Table:
    bought = purchases(invoices)
    return bought.group_by("customer_id").agg(
        revenue_millionths=_revenue_millionths(bought),
        quantity=bought.quantity.sum().cast("int64"),
        first_purchase=bought.invoice_date.min(),
        last_purchase=bought.invoice_date.max(),
        n_invoices=bought.invoice_id.nunique(),
        n_lines=bought.count(),
        n_products=bought.stock_code.nunique(),
        is_anonymous=bought.is_anonymous.any(),
    )


def _returns(invoices: ir.Table) -> ir.Table:
    returned = invoices.filter(invoices.quantity < 0)
    return returned.group_by("customer_id").agg(
        n_return_invoices=returned.invoice_id.nunique(),
        n_returned=(-returned.quantity.sum()).cast("int64"),
    )


def _countries(invoices: ir.Table) -> ir.Table:
    bought = purchases(invoices)
    counted = bought.group_by("customer_id", "country").agg(n=bought.count())
    best = ibis.window(
        group_by="customer_id", order_by=[ibis.desc("n"), ibis.asc("country", nulls_first=False)]
    )
    ranked = counted.mutate(rank=ibis.row_number().over(best))
    return ranked.filter(ranked["rank"] == 0).select("customer_id", "country")


def whole_days(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.IntegerValue:
    """
    Count whole days of 24 hours from one time to a later one.

    Parameters
    ----------
    start, end : ibis.TimestampValue
        The two times.

    Returns
    -------
    ibis.IntegerValue
        The number of days, rounded down.
    """
    seconds = end.epoch_seconds() - start.epoch_seconds()
    return (seconds // 86_400).cast("int64")
