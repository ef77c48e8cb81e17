"""Read and clean a log of invoices in the form of UCI Online Retail."""

from collections.abc import Collection, Mapping
from pathlib import Path

import ibis
import ibis.expr.types as ir

from cohortlab.engine import MEMORY_LIMIT, connect
from cohortlab.sources.cleaning import InvoiceCleaning, check_rules
from cohortlab.sources.errors import SourceError, shown
from cohortlab.sources.files import Place
from cohortlab.sources.log import Log, Sorted, account_for
from cohortlab.sources.mapping import column_names
from cohortlab.sources.staging import (
    Source,
    Staged,
    blank_to_null,
    id_columns,
    read_time,
    stage,
)

COLUMNS = {
    "invoice_id": "InvoiceNo",
    "stock_code": "StockCode",
    "description": "Description",
    "quantity": "Quantity",
    "invoice_date": "InvoiceDate",
    "unit_price": "UnitPrice",
    "customer_id": "CustomerID",
    "country": "Country",
}
ENCODING = "windows-1252"
IDS = ["invoice_id", "customer_id"]
_LOG_COLUMNS = [*COLUMNS, "is_anonymous"]


def read_invoices(
    path: str,
    *,
    columns: Mapping[str, str] | None = None,
    encoding: str = ENCODING,
    cleaning: Mapping | InvoiceCleaning | None = None,
    scratch: Path,
    study: str = "<study>",
    memory_limit: str = MEMORY_LIMIT,
    threads: int | None = None,
) -> Log:
    """
    Read a log of invoices, clean it, and account for every row.

    Parameters
    ----------
    path : str
        A file or a glob: ``.csv .csv.gz .csv.xz .zip .parquet .xlsx``.
    columns : mapping of str to str, optional
        Our column name to the name in the file, where it is not UCI's own (`COLUMNS`).
    encoding : str, default "windows-1252"
        Encoding of text files.
    cleaning : mapping or InvoiceCleaning, optional
        Cleaning rules that differ from the defaults of `InvoiceCleaning`.
    scratch : Path
        Folder for temporary files; it must outlive the log.
    study : str
        Name of the study, for messages.
    memory_limit : str, default "1GB"
        Memory that DuckDB may use.
    threads : int, optional
        Threads to use; no result depends on it.

    Returns
    -------
    Log
        Table `invoices`, the rejected rows and the counts. A row is rejected for the first reason
        that applies, in the order of the `InvoiceCleaning` documentation.

    Raises
    ------
    SourceError
        If the source cannot be read at all, a rule is mistyped, or no row is left.

    Notes
    -----
    Rows without a customer become one customer for each invoice, numbered from
    `anonymous_ids_from` in the order of invoice ids. All such invoices are numbered before any
    row is removed, so that no cleaning rule changes a number.
    """
    rules = check_rules(InvoiceCleaning, cleaning, study=study)
    place = Place(study, "invoices")
    names = column_names(columns, COLUMNS, place=place)
    source = Source(path, names, encoding, place)
    connection = connect(Path(scratch), memory_limit=memory_limit, threads=threads)
    staged = _stage_whole(connection, source, Path(scratch), rules)
    identified = _identify(staged, rules, place)
    divided = _divide(staged, identified, rules, place)
    rejects, counts = account_for(connection, [divided], Path(scratch))
    table = divided.kept.select(_LOG_COLUMNS).order_by(_LOG_COLUMNS)
    return Log({"invoices": table}, rejects, counts)


def _stage_whole(connection, source: Source, scratch: Path, rules: InvoiceCleaning) -> Staged:
    def parse(text: ir.Table, text_ids: Collection[str]) -> ir.Table:
        return _parse(text, text_ids, rules)

    staged = stage(connection, source, parse, scratch=scratch, ids=IDS)
    if not staged.odd_ids:
        return staged
    return stage(
        connection,
        source,
        parse,
        scratch=scratch,
        ids=IDS,
        text_ids=staged.odd_ids,
        parts=staged.parts,
    )


# `12/1/10` is the year 10 to a form that says four digits.
_YEARS = (1900, 2200)
# Of a quantity, and of quantity times price, which features count in millionths: millions of the
# first and each of the second fit into whole numbers of 64 bits.
_LARGEST = 1e12
_FORM_REASONS = {
    1: "invoice id missing",
    2: "stock code missing",
    3: "quantity is not a whole number",
    4: "quantity is zero",
    5: "date cannot be read",
    6: "unit price is not a number",
    7: "date out of range",
    8: "value out of range",
    9: "quantity out of range",
}
_CUSTOMER, _DESCRIPTION, _LETTERS, _COUNTRY, _PRICE, _REMOVED = 10, 11, 12, 13, 14, 15


def _parse(text: ir.Table, text_ids: Collection[str], rules: InvoiceCleaning) -> ir.Table:
    stock_code, date = blank_to_null(text.stock_code), blank_to_null(text.invoice_date)
    number = _finite(text.quantity)
    parsed = text.select(
        **id_columns(text, IDS, text_ids),
        stock_code=stock_code,
        description=blank_to_null(text.description),
        number=(number % 1 == 0).ifelse(number, None),
        quantity=number.try_cast("int64"),
        invoice_date=read_time(date, rules.date_format),
        unit_price=_finite(text.unit_price),
        country=blank_to_null(text.country),
    )
    return parsed.mutate(code=_form_code(parsed)).drop("number")


def _finite(text: ir.StringColumn) -> ir.FloatingColumn:
    number = blank_to_null(text).try_cast("float64")
    return (number.isnan() | number.isinf()).ifelse(None, number)


def _form_code(parsed: ir.Table) -> ir.IntegerColumn:
    return ibis.cases(
        (parsed.invoice_id.isnull(), 1),
        (parsed.stock_code.isnull(), 2),
        (parsed.number.isnull(), 3),
        (parsed.number == 0, 4),
        (parsed.number.abs() >= _LARGEST, 9),
        (parsed.invoice_date.isnull(), 5),
        (~parsed.invoice_date.year().between(*_YEARS), 7),
        (parsed.unit_price.isnull(), 6),
        ((parsed.number * parsed.unit_price).abs() >= _LARGEST, 8),
    ).cast("int8")


def _identify(staged: Staged, rules: InvoiceCleaning, place: Place) -> ir.Table:
    """Give rows without a customer one customer for each invoice."""
    rows = staged.table.mutate(is_anonymous=staged.table.customer_id.isnull())
    if rules.anonymous == "drop":
        return rows
    _require_free_ids(rows, rules, place)
    nameless = rows.filter(rows.is_anonymous & rows.invoice_id.notnull())
    invoices = nameless.select("invoice_id").distinct()
    first = rules.anonymous_ids_from
    numbered = invoices.mutate(
        own=(ibis.row_number().over(order_by=invoices.invoice_id) + first).cast(
            rows.customer_id.type()
        )
    )
    joined = rows.left_join(numbered, ["invoice_id"])
    own = joined.is_anonymous.ifelse(joined.own, joined.customer_id)
    return joined.mutate(customer_id=own).select(rows.columns)


def _require_free_ids(rows: ir.Table, rules: InvoiceCleaning, place: Place) -> None:
    numbers = rows.customer_id.try_cast("int64")
    taken = rows.filter(numbers >= rules.anonymous_ids_from).select("customer_id").distinct()
    found = taken.order_by("customer_id").limit(6).to_pyarrow()["customer_id"].to_pylist()
    if found:
        raise SourceError(
            f"Customers without an id would be numbered from {rules.anonymous_ids_from}, but "
            f"column {place.key('columns')}.customer_id has such ids already: {shown(found)}. Set "
            f"{place.key('cleaning')}.anonymous_ids_from above every id, or anonymous to drop."
        )


def _divide(staged: Staged, rows: ir.Table, rules: InvoiceCleaning, place: Place) -> Sorted:
    conditions = _removals(rows, rules)
    code = ibis.cases((rows.code.notnull(), rows.code), *conditions).cast("int8")
    coded = rows.mutate(code=code)
    return Sorted(
        name="invoices",
        staged=staged,
        kept=coded.filter(coded.code.isnull()),
        rejected=coded.filter(coded.code.notnull()).select("file_number", "row", "code"),
        reasons=_reasons(rules),
        place=place,
    )


def _removals(rows: ir.Table, rules: InvoiceCleaning) -> list[tuple[ir.BooleanValue, int]]:
    conditions = []
    if rules.anonymous == "drop":
        conditions.append((rows.is_anonymous, _CUSTOMER))
    if rules.drop_missing_description:
        conditions.append((rows.description.isnull(), _DESCRIPTION))
    if rules.drop_letter_only_codes:
        conditions.append((rows.stock_code.re_search("^[A-Za-z]+$"), _LETTERS))
    if rules.drop_countries:
        conditions.append((rows.country.isin(rules.drop_countries), _COUNTRY))
    if rules.min_unit_price is not None:
        conditions.append((rows.unit_price < rules.min_unit_price, _PRICE))
    if rules.drop_customers:
        removed = [str(customer) for customer in rules.drop_customers]
        real = ~rows.is_anonymous
        conditions.append((real & rows.customer_id.cast("string").isin(removed), _REMOVED))
    return conditions


def _reasons(rules: InvoiceCleaning) -> dict[int, str]:
    return _FORM_REASONS | {
        _CUSTOMER: "no customer",
        _DESCRIPTION: "no description",
        _LETTERS: "stock code of letters only",
        _COUNTRY: "country removed",
        _PRICE: f"unit price under {rules.min_unit_price}",
        _REMOVED: "customer removed",
    }
