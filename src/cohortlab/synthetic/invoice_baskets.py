"""Customers and their invoices: who buys what, how much, when, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cohortlab.synthetic.co_purchases import Pairs, plant_pairs
from cohortlab.synthetic.distributions import draw_counts
from cohortlab.synthetic.product_names import LOWEST_PENCE, Products
from cohortlab.synthetic.relations import draw_columns, draw_within

DAY_MINUTES = 1440
OPENS_MINUTE, BUSIEST_MINUTE, CLOSES_MINUTE = 8 * 60, 12 * 60, 18 * 60
LONGEST_RETURN_DAYS = 25
WEIGHTED_ROUNDS = 8


@dataclass(frozen=True)
class Plan:
    """Everything the chunks of one log share.

    Attributes
    ----------
    types : mapping
        Profiles, as given.
    products : Products
        What can be bought.
    relation : ndarray, shape (n_types, n_groups)
        Propensities.
    pairs : Pairs
        Planted co-purchases, as positions of products.
    country_names, country_shares : tuple
        Where customers live.
    open_days : ndarray of int
        Days on which the shop is open, since 1970.
    """

    types: Mapping
    products: Products
    relation: np.ndarray
    pairs: Pairs
    country_names: tuple[str, ...]
    country_shares: tuple[float, ...]
    open_days: np.ndarray

    def of_type(self, key: str) -> np.ndarray:
        """One number of each type."""
        return np.array([float(profile[key]) for profile in self.types.values()])


@dataclass(frozen=True)
class Customers:
    """Customers of a chunk: position of type and country; ``role`` is one of the three below."""

    kind: np.ndarray
    country: np.ndarray
    role: np.ndarray


# A named customer is part of the truth. A nameless one becomes an invoice without a customer, and
# one who only returned has no purchase in the log.
NAMED, NAMELESS, ONLY_RETURNED = 0, 1, 2


@dataclass(frozen=True)
class Invoices:
    """Invoices of a chunk; ``minute`` since 1970."""

    customer: np.ndarray
    minute: np.ndarray
    is_return: np.ndarray


@dataclass(frozen=True)
class Lines:
    """Lines of invoices, ordered by invoice; ``pence`` is the price of one piece."""

    invoice: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    pence: np.ndarray


def draw_customers(
    n_named: int,
    plan: Plan,
    *,
    nameless_rate: float,
    returned_rate: float,
    rng: np.random.Generator,
) -> tuple[Customers, np.ndarray]:
    """Draw customers with their types and numbers of invoices, and those of the two odd roles.

    Parameters
    ----------
    n_named : int
        Customers with a number.
    plan : Plan
        What was planted.
    nameless_rate : float
        Customers without a number for each invoice of the named; 0 to 1.
    returned_rate : float
        Customers who only returned, for each named one; 0 to 1.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    Customers
        The named ones first, then the nameless, then those who only returned.
    ndarray of int
        Invoices of each; one for each odd customer.
    """
    kind = _draw_kinds(n_named, plan, rng)
    n_invoices = _draw_by_kind(kind, "invoices", plan, rng)
    n_nameless = rng.binomial(n_invoices.sum(), nameless_rate)
    n_returned = rng.binomial(n_named, returned_rate)
    sizes = (n_named, n_nameless, n_returned)
    kind = np.concatenate([kind, _draw_kinds(n_nameless + n_returned, plan, rng)])
    shares = np.array([plan.country_shares], dtype=float)
    country = draw_columns(shares, np.zeros(len(kind), dtype=np.int64), rng=rng)
    role = np.repeat([NAMED, NAMELESS, ONLY_RETURNED], sizes)
    n_invoices = np.append(n_invoices, np.ones(n_nameless + n_returned, dtype=np.int64))
    return Customers(kind, country, role), n_invoices


def _draw_kinds(size: int, plan: Plan, rng: np.random.Generator) -> np.ndarray:
    shares = plan.of_type("share")[np.newaxis]
    return draw_columns(shares, np.zeros(size, dtype=np.int64), rng=rng)


def _draw_by_kind(kind: np.ndarray, key: str, plan: Plan, rng: np.random.Generator) -> np.ndarray:
    counts = np.zeros(len(kind), dtype=np.int64)
    for position, profile in enumerate(plan.types.values()):
        is_kind = kind == position
        counts[is_kind] = draw_counts(int(is_kind.sum()), profile[key], rng=rng)
    return counts


def draw_purchases(
    customers: Customers, n_invoices: np.ndarray, plan: Plan, *, rng: np.random.Generator
) -> tuple[Invoices, Lines]:
    """Draw the invoices and their lines; no product is twice on an invoice.

    Parameters
    ----------
    customers : Customers
        Who buys.
    n_invoices : numpy.ndarray of int, shape (n_customers,)
        Invoices of each.
    plan : Plan
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    invoices : Invoices
        One entry an invoice, in the order of customers.
    lines : Lines
        One entry a line, in the order of invoices.
    """
    customer = np.repeat(np.arange(len(n_invoices)), n_invoices)
    kind = customers.kind[customer]
    minute = _draw_minutes(kind, plan, rng)
    invoices = Invoices(customer, minute, np.zeros(len(customer), dtype=bool))
    invoice = np.repeat(np.arange(len(customer)), _draw_by_kind(kind, "lines", plan, rng))
    group = draw_columns(plan.relation, kind[invoice], rng=rng)
    product = draw_distinct(invoice, group, plan.products.group, plan.products.stacked, rng=rng)
    planted = plant_pairs(invoice, product, plan.pairs, rng=rng)
    invoice = np.append(invoice[planted.keep], planted.baskets)
    product = np.append(product[planted.keep], planted.items)
    order = np.argsort(invoice, kind="stable")
    return invoices, _price(invoice[order], product[order], kind, plan, rng)


def _draw_minutes(kind: np.ndarray, plan: Plan, rng: np.random.Generator) -> np.ndarray:
    low, high = plan.of_type("active_from")[kind], plan.of_type("active_to")[kind]
    place = low + (high - low) * rng.random(len(kind))
    day = plan.open_days[(place * len(plan.open_days)).astype(np.int64)]
    times = rng.triangular(OPENS_MINUTE, BUSIEST_MINUTE, CLOSES_MINUTE, len(kind))
    return day * DAY_MINUTES + times.astype(np.int64)


def draw_distinct(
    basket: np.ndarray,
    group: np.ndarray,
    item_group: np.ndarray,
    stacked: np.ndarray,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw an item of each line's group, again where the basket has it already.

    Parameters
    ----------
    basket, group : ndarray of int, shape (n_lines,)
        Basket of each line, and the group that its item is of.
    item_group : ndarray of int, shape (n_items,)
        Group of each item, ascending.
    stacked : ndarray, shape (n_items,)
        Popularity in the groups, from `stacked_cumulative`.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of int, shape (n_lines,)
        Positions of items, none twice in a basket.

    Notes
    -----
    Redrawing, where dropping would do for distinctness, keeps the shares of the groups equal in
    small and large baskets. After some rounds all items of the group get the same chance, so
    that the last gaps of a basket that takes nearly a whole group are filled too.
    """
    item = draw_within(group, stacked, rng=rng)
    sizes = np.bincount(item_group)
    first = np.cumsum(sizes) - sizes
    again = _repeats(basket, item)
    rounds = 0
    while len(again):
        wanted = group[again]
        rounds += 1
        if rounds <= WEIGHTED_ROUNDS:
            item[again] = draw_within(wanted, stacked, rng=rng)
        else:
            item[again] = first[wanted] + rng.integers(0, sizes[wanted])
        affected = np.flatnonzero(np.isin(basket, basket[again]))
        again = affected[_repeats(basket[affected], item[affected])]
    return item


def _repeats(invoice: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Positions of lines whose product stands on the same invoice before."""
    order = np.lexsort((product, invoice))
    same = (np.diff(invoice[order]) == 0) & (np.diff(product[order]) == 0)
    return order[1:][same]


def _price(
    invoice: np.ndarray,
    product: np.ndarray,
    kind: np.ndarray,
    plan: Plan,
    rng: np.random.Generator,
) -> Lines:
    of_line = kind[invoice]
    spread = plan.of_type("quantity_spread")[of_line] * rng.standard_normal(len(invoice))
    quantity = np.rint(plan.of_type("quantity_median")[of_line] * np.exp(spread))
    pence = np.rint(plan.products.pence[product] * plan.of_type("price_level")[of_line])
    return Lines(
        invoice,
        product,
        np.maximum(quantity, 1).astype(np.int64),
        np.maximum(pence, LOWEST_PENCE).astype(np.int64),
    )


def add_returns(
    customers: Customers, invoices: Invoices, lines: Lines, plan: Plan, *, rng: np.random.Generator
) -> tuple[Invoices, Lines]:
    """Add return invoices, each of one true line of the same customer, all or part of it.

    Parameters
    ----------
    customers : Customers
        Who buys and returns.
    invoices, lines : Invoices, Lines
        From `draw_purchases`.
    plan : Plan
        What is planted.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    invoices, lines : Invoices, Lines
        With the returns.

    Notes
    -----
    The invoice of a customer who only returned is taken away; its return is all that stays.
    """
    role = customers.role[invoices.customer]
    chance = plan.of_type("return_probability")[customers.kind[invoices.customer]]
    comes_back = (rng.random(len(role)) < chance) & (role == NAMED) | (role == ONLY_RETURNED)
    source = np.flatnonzero(comes_back)
    n_lines = np.bincount(lines.invoice, minlength=len(role))
    first = np.cumsum(n_lines) - n_lines
    returned = first[source] + rng.integers(0, n_lines[source])
    later = _later_minutes(invoices.minute[source], plan.open_days, rng)
    keep = role[lines.invoice] != ONLY_RETURNED
    all_invoices = Invoices(
        np.append(invoices.customer, invoices.customer[source]),
        np.append(invoices.minute, later),
        np.append(invoices.is_return, np.ones(len(source), dtype=bool)),
    )
    all_lines = Lines(
        np.append(lines.invoice[keep], len(role) + np.arange(len(source))),
        np.append(lines.product[keep], lines.product[returned]),
        np.append(lines.quantity[keep], -rng.integers(1, lines.quantity[returned] + 1)),
        np.append(lines.pence[keep], lines.pence[returned]),
    )
    return all_invoices, all_lines


def _later_minutes(
    minute: np.ndarray, open_days: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Move times to a later open day, at most the last, at the same time of day."""
    day = np.searchsorted(open_days, minute // DAY_MINUTES)
    later = day + rng.integers(1, LONGEST_RETURN_DAYS + 1, len(minute))
    later = np.minimum(later, len(open_days) - 1)
    return open_days[later] * DAY_MINUTES + minute % DAY_MINUTES
