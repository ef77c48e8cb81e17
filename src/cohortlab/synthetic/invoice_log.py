"""A synthetic invoice log in the form of UCI Online Retail, with its truth beside it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cohortlab.synthetic.checks import read_day
from cohortlab.synthetic.co_purchases import resolve_pairs
from cohortlab.synthetic.invoice_baskets import (
    DAY_MINUTES,
    NAMED,
    NAMELESS,
    ONLY_RETURNED,
    Customers,
    Invoices,
    Lines,
    Plan,
    add_returns,
    draw_customers,
    draw_purchases,
)
from cohortlab.synthetic.invoice_faults import LINE_END, fault_lines
from cohortlab.synthetic.invoice_settings import check_invoice_settings
from cohortlab.synthetic.line_faults import Fields, join_line
from cohortlab.synthetic.lines import as_text, join_fields, pick, stack, write_lines, write_table
from cohortlab.synthetic.product_names import make_products, quoted
from cohortlab.synthetic.relations import Preferences, relation_matrix, relation_table

ENCODING = "windows-1252"
INVOICE_HEADER = (
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n"
)
FIRST_INVOICE = 536_365
FIRST_CUSTOMER = 12_346
# The usual cleaning removes this customer and numbers nameless invoices from 19000 on, so that
# ids of ours must not be there.
REMOVED_CUSTOMER = 16_446
FIRST_NAMELESS = 19_000
FIRST_LARGE_CUSTOMER = 1_000_000_000
SATURDAY = 5
CUSTOMER_SCHEMA = pa.schema([("customer_id", pa.int64()), ("customer_type", pa.string())])


def generate_invoice_log(
    folder: Path,
    truth_folder: Path,
    *,
    rng: np.random.Generator,
    n_customers: int,
    days: int,
    start: str,
    types: Mapping,
    groups: Mapping,
    relation_strength: float,
    preferences: Preferences | None,
    pairs: Sequence[Mapping],
    popularity_exponent: float,
    countries: Mapping[str, float],
    faults: Mapping[str, float],
    chunk_customers: int,
) -> dict:
    """Write a synthetic invoice log and its truth, a chunk of customers at a time.

    Parameters
    ----------
    folder, truth_folder : Path
        Where ``data.csv`` and the truth go; made where they do not exist.
    rng : numpy.random.Generator
        Source of randomness. The same state and settings give the same bytes.
    n_customers : int
        Number of customers with purchases, the truth's customers.
    days : int
        Length of the log, days, at least 2; nothing is sold on Saturdays.
    start : str
        First day.
    types : mapping
        Customer types by name, each with the keys of `invoice_settings.TYPE_KEYS`.
    groups : mapping
        Groups of products by name, each with ``share``, ``products``, ``price_median`` and
        ``price_spread``.
    relation_strength : float
        0 (no customer type prefers any group) to 1 (each buys of its own only).
    preferences : mapping of str to str or mapping, or None
        For every customer type its preferred group, or relative propensities of several groups;
        None deals single groups out at random.
    pairs : sequence of mapping
        Co-purchased products: ``antecedent``, ``consequent`` (``group/number``, 1 the most
        popular) and ``probability``.
    popularity_exponent : float
        Zipf's exponent of the products in a group.
    countries : mapping of str to float
        Shares of the customers' countries.
    faults : mapping of str to float
        Rate of each fault of `invoice_settings.INVOICE_FAULTS`.
    chunk_customers : int
        Customers made at a time. Memory grows with it, the distribution does not depend on it.

    Returns
    -------
    dict
        Rows written: ``lines`` (faulty ones among them), ``invoices`` (returns among them),
        ``customers`` (those of the truth), ``returns``, and ``faults`` by name.

    Raises
    ------
    ValueError
        If a setting is impossible; the message names type and key. Nothing is written then.
    """
    check_invoice_settings(
        n_customers=n_customers, days=days, types=types, groups=groups, countries=countries,
        popularity_exponent=popularity_exponent, faults=faults, chunk_customers=chunk_customers,
    )  # fmt: skip
    open_days = _open_days(start, days)
    resolved = resolve_pairs(pairs, {name: group["products"] for name, group in groups.items()})
    products = make_products(groups, popularity_exponent=popularity_exponent, rng=rng)
    relation = relation_matrix(
        list(types), list(groups), strength=relation_strength,
        column_shares=products.group_shares, preferences=preferences, rng=rng,
    )  # fmt: skip
    plan = Plan(
        types=types, products=products, relation=relation, pairs=resolved, open_days=open_days,
        country_names=tuple(countries), country_shares=tuple(countries.values()),
    )  # fmt: skip
    folder, truth_folder = Path(folder), Path(truth_folder)
    for made in (folder, truth_folder):
        made.mkdir(parents=True, exist_ok=True)
    _write_truth(truth_folder, plan)
    counts = _write_invoices(folder, truth_folder, plan, n_customers, faults, chunk_customers, rng)
    planted = {name: counts[name] for name in (*faults, "returns")}
    (truth_folder / "faults.json").write_text(json.dumps(planted, indent=2) + "\n")
    totals = {"lines": counts["lines"], "invoices": counts["invoices"], "customers": n_customers}
    return totals | {"returns": planted.pop("returns"), "faults": planted}


def _open_days(start: object, days: int) -> np.ndarray:
    first = read_day(start).value // (DAY_MINUTES * 60 * 10**9)
    all_days = first + np.arange(days)
    # The first of January 1970 was a Thursday, day 3 of a week that starts on Monday.
    return all_days[(all_days + 3) % 7 != SATURDAY]


def _write_truth(folder: Path, plan: Plan) -> None:
    """Write what is known before any invoice is made: products, relation and pairs."""
    products = plan.products
    relation = relation_table(
        plan.relation, list(plan.types), products.group_names,
        row_label="customer_type", column_label="item_group",
    )  # fmt: skip
    write_table(folder / "relation.csv", relation)
    pairs = {
        "antecedent": [products.codes[i] for i in plan.pairs.antecedent],
        "consequent": [products.codes[i] for i in plan.pairs.consequent],
        "probability": plan.pairs.probability,
    }
    write_table(folder / "pairs.csv", pairs)
    names = pa.array(products.group_names, pa.string())
    columns = {
        "stock_code": pa.array(products.codes, pa.string()),
        "description": pa.array(products.descriptions, pa.string()),
        "item_group": names.take(pa.array(products.group)),
    }
    pq.write_table(pa.table(columns).sort_by("stock_code"), folder / "products.parquet")


def _write_invoices(
    folder: Path,
    truth_folder: Path,
    plan: Plan,
    n_customers: int,
    faults: Mapping[str, float],
    chunk_customers: int,
    rng: np.random.Generator,
) -> Counter:
    counts = Counter(dict.fromkeys(faults, 0))
    with (
        open(folder / "data.csv", "wb") as handle,
        pq.ParquetWriter(truth_folder / "customers.parquet", CUSTOMER_SCHEMA) as truth,
    ):
        handle.write(INVOICE_HEADER)
        for begin in range(0, n_customers, chunk_customers):
            n_named = min(chunk_customers, n_customers - begin)
            counts += _write_chunk(
                handle, truth, plan, n_named, faults, rng,
                first_customer=counts["ids"], first_invoice=counts["invoices"],
            )  # fmt: skip
    return counts


def _write_chunk(
    handle: BinaryIO,
    truth: pq.ParquetWriter,
    plan: Plan,
    n_named: int,
    faults: Mapping[str, float],
    rng: np.random.Generator,
    *,
    first_customer: int,
    first_invoice: int,
) -> Counter:
    """Make the invoices of some customers; write their lines by date and their truth."""
    customers, n_invoices = draw_customers(
        n_named, plan, nameless_rate=faults["missing_customer"],
        returned_rate=faults["only_returned"], rng=rng,
    )  # fmt: skip
    invoices, lines = draw_purchases(customers, n_invoices, plan, rng=rng)
    invoices, lines = add_returns(customers, invoices, lines, plan, rng=rng)
    invoices, lines = _in_order_of_date(invoices, lines)
    has_id = customers.role != NAMELESS
    ids = _customer_ids(first_customer + np.cumsum(has_id) - 1)
    _write_customers(truth, plan, ids[:n_named], customers.kind[:n_named])

    fields = _line_fields(customers, invoices, lines, ids, plan, first_invoice)
    role = customers.role[invoices.customer[lines.invoice]]
    is_return = invoices.is_return[lines.invoice]
    sources = np.flatnonzero((role == NAMED) & ~is_return)
    is_start = np.diff(lines.invoice, prepend=-1)[sources] != 0
    bad = fault_lines(fields, sources, sources[is_start], faults, rng=rng)
    written = _beside_their_sources(join_line(fields, end=LINE_END), bad)
    write_lines(handle, written, encoding=ENCODING)
    counts = Counter({name: len(added) for name, (_, added) in bad.items()})
    return counts + Counter(
        lines=len(written), invoices=len(invoices.customer), ids=int(has_id.sum()),
        missing_customer=int((role == NAMELESS).sum()),
        only_returned=int((role == ONLY_RETURNED).sum()),
        returns=int((is_return & (role == NAMED)).sum()),
    )  # fmt: skip


def _in_order_of_date(invoices: Invoices, lines: Lines) -> tuple[Invoices, Lines]:
    """Renumber invoices by date, leave out those without lines, and order lines alike."""
    used = np.unique(lines.invoice)
    order = used[np.argsort(invoices.minute[used], kind="stable")]
    rank = np.zeros(len(invoices.customer), dtype=np.int64)
    rank[order] = np.arange(len(order))
    by_rank = np.argsort(rank[lines.invoice], kind="stable")
    sorted_invoices = Invoices(
        invoices.customer[order], invoices.minute[order], invoices.is_return[order]
    )
    return sorted_invoices, Lines(
        rank[lines.invoice][by_rank],
        lines.product[by_rank],
        lines.quantity[by_rank],
        lines.pence[by_rank],
    )


def _customer_ids(positions: np.ndarray) -> np.ndarray:
    ids = FIRST_CUSTOMER + positions
    ids = ids + (ids >= REMOVED_CUSTOMER)
    return np.where(ids < FIRST_NAMELESS, ids, FIRST_LARGE_CUSTOMER + positions)


def _line_fields(
    customers: Customers,
    invoices: Invoices,
    lines: Lines,
    ids: np.ndarray,
    plan: Plan,
    first_invoice: int,
) -> Fields:
    invoice = pa.array(lines.invoice)
    of_line = invoices.customer[lines.invoice]
    number = as_text(FIRST_INVOICE + first_invoice + np.arange(len(invoices.customer)))
    prefix = pick(["", "C"], invoices.is_return.astype(np.int64))
    is_nameless = customers.role == NAMELESS
    names = stack([as_text(ids), pick([""], np.zeros(1, dtype=np.int64))])
    return [
        join_fields([prefix, number], separator="").take(invoice),
        pick(plan.products.codes, lines.product),
        pick([quoted(text) for text in plan.products.descriptions], lines.product),
        as_text(lines.quantity),
        _dates(invoices.minute).take(invoice),
        as_text(lines.pence / 100),
        names.take(pa.array(np.where(is_nameless, len(ids), np.arange(len(ids)))[of_line])),
        pick(plan.country_names, customers.country[of_line]),
    ]


def _dates(minute: np.ndarray) -> pa.Array:
    """Write minutes since 1970 as ``12/1/2010 8:26``, without zeros before month, day and hour."""
    day = (minute // DAY_MINUTES).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    year = day.astype("datetime64[Y]")
    parts = [
        as_text((month - year).astype(np.int64) + 1), "/",
        as_text((day - month).astype(np.int64) + 1), "/",
        as_text(year.astype(np.int64) + 1970), " ",
        as_text(minute % DAY_MINUTES // 60), ":",
        pick([f"{value:02d}" for value in range(60)], minute % 60),
    ]  # fmt: skip
    return join_fields(parts, separator="")


def _beside_their_sources(
    lines: pa.Array, bad: Mapping[str, tuple[np.ndarray, pa.Array]]
) -> pa.Array:
    """Put each faulty line after the line that it was copied from."""
    places = np.concatenate([np.arange(len(lines)), *(places for places, _ in bad.values())])
    order = np.argsort(places, kind="stable")
    return stack([lines, *(added for _, added in bad.values())]).take(pa.array(order))


def _write_customers(
    truth: pq.ParquetWriter, plan: Plan, ids: np.ndarray, kind: np.ndarray
) -> None:
    columns = [pa.array(ids), pick(list(plan.types), kind).cast(pa.string())]
    truth.write_table(pa.Table.from_arrays(columns, schema=CUSTOMER_SCHEMA))
