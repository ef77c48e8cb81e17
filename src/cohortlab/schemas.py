"""Every table that one step hands to another: its columns, what they mean, and a check of both.

This is the one place where a column is described; the data dictionary is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pa
from pandas.api import types

if TYPE_CHECKING:
    import ibis.expr.types as ir


class TableError(ValueError):
    """A table that is not what its schema says."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Its name.
    kind : str
        What it holds: one of `KINDS`.
    description : str
        What it means, with its unit.
    nullable : bool
        Whether a value may be missing.
    unique : bool
        Whether no value comes twice.
    optional : bool
        Whether the column may be absent, where the log does not say what it needs.
    low, high : float, optional
        Bounds of numbers, both included.
    """

    name: str
    kind: str
    description: str
    nullable: bool = False
    unique: bool = False
    optional: bool = False
    low: float | None = None
    high: float | None = None


def _is_text(values: pd.Series) -> bool:
    return types.is_string_dtype(values) or (values.dtype == object and not len(values.dropna()))


KINDS: dict[str, Callable[[pd.Series], bool]] = {
    "integer": types.is_integer_dtype,
    "number": lambda v: types.is_numeric_dtype(v) and not types.is_bool_dtype(v),
    "boolean": types.is_bool_dtype,
    "text": _is_text,
    "time": types.is_datetime64_any_dtype,
    # Whole numbers where every id of the log is one, text otherwise.
    "id": lambda v: types.is_integer_dtype(v) or _is_text(v),
    "list": lambda v: v.dtype == object,
}


def _count(name: str, description: str, **options: object) -> Column:
    return Column(name, "integer", description, low=0, **options)


def _share(name: str, description: str, **options: object) -> Column:
    return Column(name, "number", description, low=0, high=1, **options)


def _score(name: str, description: str) -> Column:
    return Column(name, "integer", description, low=1, high=5)


def _amount(name: str, description: str) -> Column:
    return Column(name, "number", description, low=0, nullable=True)


def _channels() -> tuple[Column, ...]:
    return (
        *(Column(name, "integer", f"{name} of sRGB", low=0, high=255) for name in _PRIMARIES),
        Column(
            "alpha", "integer", "opacity; 0 nothing is seen, 255 nothing behind it", low=0, high=255
        ),
    )


def _person(kind: str) -> Column:
    return Column(
        "person_id", kind, "whom the row is about: a session, a customer, a person or a picture"
    )


_PRIMARIES = ("red", "green", "blue")
_SESSION = Column("session_id", "text", "visitor and session number, `visitor_n`", unique=True)
_CUSTOMER = Column("customer_id", "id", "the customer", unique=True)
_MODELLED = "null for invoices that name nobody, and where too few came back"
_WHICH_ITEM = (
    "category (sessions), stock code (customers), item or level (baskets), domain (browsing), "
    "colour (palette)"
)
_ITEM = Column("item", "text", _WHICH_ITEM)
_FLOW = Column("flow_id", "integer", "the flow, numbered from 0 as in the log", low=0, unique=True)
_ONE_PERSON = Column("person_id", "id", "the person", unique=True)

#: Tables whose further columns are the features of a population, whatever they are.
OPEN = {"people", "goods", "person_features", "person_attributes", "user_features"}

TABLES: dict[str, tuple[Column, ...]] = {
    "events": (
        Column("timestamp_ms", "integer", "when, milliseconds since 1970, UTC"),
        Column("visitor_id", "id", "who"),
        Column("event", "text", "what: view, addtocart or transaction"),
        Column("item_id", "id", "on which item"),
        Column("transaction_id", "id", "purchase that the row belongs to", nullable=True),
    ),
    "item_properties": (
        Column("timestamp_ms", "integer", "since when, milliseconds since 1970, UTC"),
        Column("item_id", "id", "which item"),
        Column("property", "text", "categoryid or available"),
        Column("value", "text", "the category, or 1 where available"),
    ),
    "category_tree": (
        Column("category_id", "id", "the category", unique=True),
        Column("parent_id", "id", "the category above it; null for a top one", nullable=True),
    ),
    "invoices": (
        Column("invoice_id", "id", "the invoice"),
        Column("stock_code", "text", "the product"),
        Column("description", "text", "the product in words", nullable=True),
        Column("quantity", "integer", "pieces; negative for a return"),
        Column("invoice_date", "time", "when"),
        Column("unit_price", "number", "price of a piece, in the log's currency"),
        Column("customer_id", "id", "who; a number of its own for an invoice that names nobody"),
        Column("country", "text", "where the customer lives", nullable=True),
        Column("is_anonymous", "boolean", "whether the invoice names nobody"),
    ),
    "basket_rows": (
        Column("basket_id", "text", "the basket; the number of its line where each line is one"),
        Column("item", "text", "the item"),
        Column("person_id", "text", "whose basket; null where the log does not say", nullable=True),
        Column("time", "time", "when; null where the log does not say", nullable=True),
        Column("quantity", "number", "how much; null where the log does not say", nullable=True),
        Column("value", "number", "paid, in the log's currency; null likewise", nullable=True),
    ),
    "item_levels": (
        Column("item", "text", "the item", unique=True),
        Column("name", "text", "the item in words, and after it a column a level", nullable=True),
    ),
    "people": (_ONE_PERSON,),
    "goods": (Column("item_id", "id", "the item", unique=True),),
    "purchases": (
        Column("person_id", "id", "who"),
        Column("item_id", "id", "what"),
        Column("time", "time", "when"),
    ),
    "visits": (
        Column("person_id", "id", "who"),
        _count("start_ms", "when, milliseconds since 1970 by the clock of the log"),
        Column("domain", "text", "registrable domain"),
        _count("active_ms", "how long it was in use, milliseconds"),
    ),
    "flows": (
        _FLOW,
        Column("time", "time", "when; null where the log does not say", nullable=True),
        Column("address", "text", "whose flow; null likewise", nullable=True),
        *(
            Column(name, "number", f"{what}; may be infinite; null where unknown", nullable=True)
            for name, what in (
                ("bytes_sent", "bytes sent"),
                ("bytes_received", "bytes received"),
                ("packets_sent", "packets sent"),
                ("packets_received", "packets received"),
                ("duration", "how long it lasted, seconds"),
            )
        ),
        Column("label", "text", "what it was, for scoring alone; null if unknown", nullable=True),
    ),
    "pictures": (
        Column("picture", "text", "the picture: its file's name without the ending", unique=True),
        Column("file", "text", "its file"),
        Column("form", "text", "PNG, JPEG or WEBP"),
        Column(
            "mode", "text", "how the file holds colours, as Pillow calls it: RGB, P, CMYK, I;16"
        ),
        Column("file_width", "integer", "pixels across, as in the file", low=1),
        Column("file_height", "integer", "pixels down, likewise", low=1),
        Column("width", "integer", "pixels across, turned upright and perhaps made smaller", low=1),
        Column("height", "integer", "pixels down, likewise", low=1),
    ),
    "pixels": (
        Column("picture", "text", "the picture"),
        _count("pixel", "row by row from the top, each from the left, from 0"),
        *_channels(),
    ),
    "rejects": (
        Column("table", "text", "table that the row was meant for"),
        Column("file", "text", "file that it stands in"),
        Column("line", "integer", "line of the file, the header being 1", low=1),
        Column("reason", "text", "why it is not used"),
        Column("record", "text", "the row as it stands in the file", nullable=True),
    ),
    "session_features": (
        _SESSION,
        Column("session_duration_sec", "number", "first to last event, seconds", low=0),
        _count("total_events", "events"),
        _count("unique_items_viewed", "distinct items of all events"),
        _count("unique_categories_viewed", "distinct categories of those items", optional=True),
        _share("avg_item_availability", "share of events on an available item", optional=True),
        Column("session_hour_of_day", "integer", "hour of the first event, UTC", low=0, high=23),
        _count("view_count", "views"),
        _count("addtocart_count", "additions to the cart"),
        Column("event_rate_per_sec", "number", "events / (duration + 1)", low=0),
        Column("view_to_cart_ratio", "number", "carts / views, 0 where no view", low=0),
        Column("category_spread_ratio", "number", "categories / items", low=0, optional=True),
        Column("is_weekend", "integer", "1 for a first event on Saturday or Sunday", low=0, high=1),
    ),
    "session_attributes": (
        _SESSION,
        Column("session_start_time", "time", "first event, UTC"),
        Column("session_day_of_week", "integer", "of the first event, 0 Monday", low=0, high=6),
        _count("transaction_count", "transaction events"),
        Column("is_buyer", "boolean", "whether there is a transaction"),
    ),
    "customer_features": (
        _CUSTOMER,
        Column("gross_revenue", "number", "sum of quantity x price of purchases, currency", low=0),
        _count("recency_days", "whole days from the last purchase to the last one of the log"),
        _count("quantity_of_products", "pieces bought"),
        Column("frequency", "number", "invoices / days from first to last, 0 on one day", low=0),
        _count("returns", "distinct return invoices"),
    ),
    "customer_attributes": (
        _CUSTOMER,
        Column("country", "text", "country of most purchase lines", nullable=True),
        Column("first_purchase", "time", "first purchase"),
        Column("last_purchase", "time", "last purchase"),
        _count("n_invoices", "distinct purchase invoices"),
        _count("n_lines", "purchase lines"),
        _count("n_products", "distinct products bought"),
        _count("n_returned", "pieces returned"),
        Column("is_anonymous", "boolean", "whether the invoice named nobody"),
    ),
    "basket_features": (
        _ONE_PERSON,
        _count("n_baskets", "baskets", optional=True),
        _count("n_items", "items, each once a basket"),
        Column("items_per_basket", "number", "items / baskets", low=1, optional=True),
        _share("distinct_share", "different items / items, 1: nothing bought again", optional=True),
        _count("n_groups", "different groups of the items", optional=True),
        Column("n_pieces", "number", "sum of the quantities", low=0, optional=True),
        Column("spend", "number", "sum of the values, currency", low=0, optional=True),
        Column("spend_per_basket", "number", "spend / baskets, currency", low=0, optional=True),
        _count("days_active", "different days with a basket", optional=True),
        _count("recency_days", "whole days from the last basket to that of the log", optional=True),
    ),
    "basket_attributes": (
        _ONE_PERSON,
        _count("n_different", "different items"),
        Column("first_basket", "time", "first basket; null without times", nullable=True),
        Column("last_basket", "time", "last one; after it what is known of people", nullable=True),
    ),
    "baskets": (
        Column("basket_id", "text", "transaction, invoice, basket, or person and day"),
        _person("id"),
        _ITEM,
    ),
    "incidence": (
        _person("id"),
        _ITEM,
        Column(
            "weight", "integer", "events, invoices, baskets, purchases, visits or pixels", low=1
        ),
    ),
    "person_features": (_ONE_PERSON,),
    "person_attributes": (
        _ONE_PERSON,
        _count("n_purchases", "purchases"),
        _count("n_items", "distinct items bought"),
        Column("first_purchase", "time", "first purchase", nullable=True),
        Column("last_purchase", "time", "last purchase", nullable=True),
    ),
    "user_features": (
        _ONE_PERSON,
        Column("n_records", "integer", "rows of the log", low=1),
        Column("n_domains", "integer", "distinct domains", low=1),
        Column("n_days", "integer", "different days with a record", low=1),
        Column("active_hours", "number", "how long domains were in use, hours", low=0),
        _share("repetition_share", "share of the records that go to a domain visited before"),
        _share("night_share", "share of the records from 0 to 6 o'clock"),
        _share("weekend_share", "share of the records on Saturday or Sunday"),
    ),
    "user_attributes": (
        _ONE_PERSON,
        Column("first_visit", "time", "first record, by the clock of the log"),
        Column("last_visit", "time", "last record, likewise"),
    ),
    "flow_features": (
        _FLOW,
        Column("total_bytes", "number", "bytes sent and received", low=0),
        Column("total_packets", "number", "packets, sent and received", low=0, optional=True),
        Column("bytes_per_packet", "number", "total bytes / packets", low=0, optional=True),
        Column("send_receive_ratio", "number", "(bytes sent + 1) / (bytes received + 1)", low=0),
        Column("duration_sec", "number", "how long it lasted, seconds", low=0, optional=True),
    ),
    "flow_attributes": (
        _FLOW,
        Column("time", "time", "when; null where the log does not say", nullable=True),
        Column("address", "text", "whose flow; null likewise", nullable=True),
        Column("label", "text", "what the flow was; null likewise", nullable=True),
    ),
    "flow_scores": (
        _FLOW,
        Column("score", "number", "by the chosen detector; larger is stranger"),
        _share("tail_share", "share of the training flows at least as strange, never 0"),
        Column("is_flagged", "boolean", "whether the detector calls it an anomaly"),
        Column("alert", "integer", "rank of its alert; null where not flagged", nullable=True),
    ),
    "alerts": (
        Column("rank", "integer", "1 the strangest", low=1, unique=True),
        Column("severity", "text", "critical, high, medium or low, by the tail share"),
        _share("tail_share", "of its strangest flow: share of training flows at least as strange"),
        Column("score", "number", "of its strangest flow, by the chosen detector"),
        Column("n_flows", "integer", "flows that are one alert", low=1),
        Column("flow_id", "integer", "the strangest of them", low=0),
        Column("address", "text", "whose flows; null where the log does not say", nullable=True),
        Column("first_time", "time", "of the first of them; null likewise", nullable=True),
        Column("last_time", "time", "of the last; null likewise", nullable=True),
        Column("reason", "text", "which features, by how much, against the nearest usual flow"),
        Column("main_reasons", "text", "the main reason of each flow, with the share that has it"),
    ),
    "colour_features": (
        Column("colour", "text", "`#rrggbb`, two more digits where not opaque", unique=True),
        *_channels(),
        _share("lightness", "of OKLab, 0 black to 1 white"),
        Column("green_red", "number", "of OKLab, below 0 green, above 0 red", low=-0.5, high=0.5),
        Column(
            "blue_yellow", "number", "of OKLab, below 0 blue, above 0 yellow", low=-0.5, high=0.5
        ),
        Column("n_pixels", "integer", "pixels of all pictures that have it", low=1),
    ),
    "colour_attributes": (
        Column("colour", "text", "the colour", unique=True),
        Column("n_pictures", "integer", "pictures that have it", low=1),
    ),
    "palettes": (
        Column("picture", "text", "the picture"),
        Column("method", "text", "how the palette was made"),
        Column("asked", "integer", "colours that were asked for", low=2, high=256),
        _count("position", "place in the palette, from the colour of most pixels on"),
        *_channels(),
        _share("share", "of the pixels"),
    ),
    "items": (
        Column("item", "text", _WHICH_ITEM, unique=True),
        Column("title", "text", "what to call it"),
        Column("group", "text", "group that the log puts it in", nullable=True),
    ),
    "tree": (
        Column("item", "text", "item that the log's tree of categories knows", unique=True),
        Column("parent", "text", "the category above it, listed too", nullable=True),
        Column("title", "text", "what to call it"),
    ),
    "clusters": (
        Column("id", "id", "session, customer or person", unique=True),
        _count("cluster", "number by profile, 0 the lowest"),
        _share("probability", "of the row's own cluster; 1 where the method gives none"),
        _share("uncertainty", "1 - probability"),
    ),
    "sequences": (
        Column("person_id", "id", "who"),
        Column("sequence_number", "integer", "from 1 for each user, in the order of time", low=1),
        Column("position", "integer", "of the visit in its sequence, from 1", low=1),
        _count("start_ms", "when it begins, milliseconds since 1970 by the clock of the log"),
        _count("end_ms", "when it ends, likewise"),
        Column("domain", "text", "registrable domain"),
        _count("active_ms", "how long it was in use, milliseconds"),
        Column("n_records", "integer", "rows of the log that were joined to it", low=1),
    ),
    "sentences": (
        Column("person_id", "id", "who"),
        Column("sequence_number", "integer", "number of the sequence", low=1),
        Column("sentence", "text", "the sequence as a sentence"),
    ),
    "user_clusters": (
        Column("id", "id", "user", unique=True),
        Column("cluster", "integer", "number by size, 0 the largest; -1 set apart", low=-1),
    ),
    "descriptions": (
        Column("cluster", "integer", "the cluster", unique=True, low=0),
        Column("keywords", "text", "keywords by the first sample, parted by commas"),
        Column("sentence", "text", "sentence by the first sample"),
        Column("keywords_again", "text", "keywords by the other samples, parted by bars"),
        _share("keyword_overlap", "shared share of keywords, mean over pairs of samples"),
        Column("sentence_similarity", "number", "cosine of sentences, mean over the same pairs"),
        _share("keyword_overlap_others", "overlap with other clusters", nullable=True),
        Column("sentence_similarity_others", "number", "cosine with other clusters", nullable=True),
        _share("recognised", "share of held-out sequences given to the right description"),
    ),
    "itemsets": (
        Column("scope", "text", "all baskets, or those of the chosen clusters"),
        _share("support", "share of the baskets"),
        Column("itemsets", "list", "the items, sorted"),
        Column("count", "integer", "baskets that hold them all", low=1),
    ),
    "item_clusters": (
        Column("item", "text", _WHICH_ITEM, unique=True),
        _count("item_cluster", "number by falling weight, 0 the most used"),
        Column("name", "text", "what to call the cluster"),
    ),
    "embedding": (
        Column("id", "id", "customer", unique=True),
        Column("plane_x", "number", "place in the drawn plane; no unit, another on other machines"),
        Column("plane_y", "number", "likewise, the other axis"),
        _count("plane_cluster", "cluster of the plane by ascending revenue"),
        _count("proximity", "cluster by shared leaves, numbered likewise"),
        _count("kmeans_robust", "cluster by robustly scaled recency, frequency and money"),
        _count("kmeans_scaled", "cluster by all features, scaled as the features step says"),
    ),
    "segments": (
        Column("id", "id", "customer", unique=True),
        Column("segment", "text", "name of the segment"),
        _score("recency_score", "of how lately they bought; 1 long ago to 5 lately"),
        _score("frequency_score", "of how many invoices; 1 few to 5 many"),
        _score("monetary_score", "of how much money; 1 little to 5 much"),
        Column("is_outlier", "boolean", "whether left out when the scores' edges were taken"),
        _share("probability_alive", f"still a customer; {_MODELLED}", nullable=True),
        _amount("expected_purchases", f"days with a purchase in the coming weeks; {_MODELLED}"),
        _amount("expected_spend", f"value of such a day, currency; {_MODELLED}"),
        _amount("expected_value", f"their product, not discounted; {_MODELLED}"),
    ),
    "relations": (
        Column("person_cluster", "id", "cluster of people"),
        Column("item_cluster", "id", "cluster of items"),
        Column("observed", "number", "edges between them", low=0),
        Column("expected", "number", "edges that the margins explain", low=0),
        Column("lift", "number", "observed / expected", nullable=True, low=0),
        Column("z", "number", "difference in standard errors, by people", nullable=True),
        _share("p", "two-sided p-value; null where not tested", nullable=True),
        _share("q", "p corrected over all pairs (Benjamini-Hochberg)", nullable=True),
        Column("z_permutation", "number", "z by shuffled clusters of people", nullable=True),
        _share("p_permutation", "two-sided p-value by shuffles; never 0", nullable=True),
        _share("q_permutation", "that p corrected over all pairs", nullable=True),
    ),
    "trials": (
        _share("overlap", "mean misclassification of two clusters by the best classifier"),
        _share("strength", "of the relation, 0 none"),
        Column("density", "number", "mean purchases of a person", low=0),
        _count("n_people", "people"),
        Column("is_null", "boolean", "whether there is nothing to find"),
        _count("replicate", "number of the trial under its condition"),
        Column("algorithm", "text", "what searched"),
        Column("looks_at", "text", "features or edges"),
        *(
            Column(f"{side}_{score}", "number", f"{what} of {many}; null in a null", nullable=True)
            for side, many in (("person", "people"), ("item", "items"))
            for score, what in (
                ("ari", "adjusted Rand index"),
                ("ami", "adjusted mutual information"),
                ("v", "V-measure"),
                ("hamming", "share in a wrong cluster"),
            )
        ),
        _count("n_person_clusters", "clusters of people found"),
        _count("n_item_clusters", "clusters of items found"),
        Column("relation_error", "number", "relative error of the matrix", nullable=True, low=0),
        Column("relation_error_ratio", "number", "over that of no relation", nullable=True, low=0),
        Column("relation_correlation", "number", "with the planted matrix", nullable=True),
        _count("n_planted", "planted relations"),
        _count("n_missed", "planted relations that are not significant"),
        _count("n_false", "significant relations above chance that were not planted"),
        _count("n_significant", "pairs of clusters that differ from chance at 5 %"),
    ),
}

# What is published of a customer; ids are text in a database, since logs differ in what an id is.
TABLES["published_customers"] = (
    Column("customer_id", "text", "the customer", unique=True),
    _count("cluster", "id of the cluster, as scoring gives it; another fit may number otherwise"),
    Column("cluster_name", "text", "what to call the cluster"),
    Column("segment", "text", "named segment", nullable=True),
    *TABLES["customer_features"][1:],
)


def schema(name: str) -> pa.DataFrameSchema:
    """Make the pandera schema of a table.

    Parameters
    ----------
    name : str
        A key of `TABLES`.

    Returns
    -------
    pandera.DataFrameSchema
        Columns in order, each with its description.
    """
    return pa.DataFrameSchema(
        {column.name: _pandera_column(column) for column in TABLES[name]},
        name=name,
        strict=name not in OPEN,
        ordered=True,
    )


def _pandera_column(column: Column) -> pa.Column:
    checks = [pa.Check(KINDS[column.kind], name=f"is {column.kind}")]
    if column.low is not None or column.high is not None:
        low = float("-inf") if column.low is None else column.low
        high = float("inf") if column.high is None else column.high
        bounds = f"in [{low:g}, {high:g}]"
        checks.append(pa.Check(lambda v: v.between(low, high), name=bounds))
    return pa.Column(
        checks=checks,
        nullable=column.nullable,
        unique=column.unique,
        required=not column.optional,
        description=column.description,
    )


def validate(name: str, table: pd.DataFrame | ir.Table) -> pd.DataFrame | ir.Table:
    """Check that a table is what its schema says.

    Parameters
    ----------
    name : str
        A key of `TABLES`.
    table : pandas.DataFrame or ibis.Table
        The table. Of an Ibis table, which may be larger than memory, only the names and order of
        the columns and missing values are checked, by one query.

    Returns
    -------
    pandas.DataFrame or ibis.Table
        The table itself, so that a write can wrap the check.

    Raises
    ------
    TableError
        With table, column and the first bad values of everything that is wrong.
    """
    _check_names(name, table.columns)
    if not isinstance(table, pd.DataFrame):
        _check_missing(name, table)
        return table
    try:
        schema(name).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise TableError(_describe(name, error.failure_cases)) from error
    return table


def _check_names(name: str, columns: Iterable[str]) -> None:
    columns = list(columns)
    expected = [c.name for c in TABLES[name] if not c.optional or c.name in columns]
    if (columns[: len(expected)] if name in OPEN else columns) != expected:
        raise TableError(f"table {name}: columns are {columns}, expected {expected}")


def _check_missing(name: str, table: ir.Table) -> None:
    required = [c.name for c in TABLES[name] if c.name in table.columns and not c.nullable]
    holes = {c: table.count() - table[c].count() for c in required}
    counts = table.agg(**holes).to_pandas().iloc[0]
    missing = {c: int(n) for c, n in counts.items() if n and not pd.isna(n)}
    if missing:
        raise TableError(f"table {name}: missing values, which may not be: {missing}")


def _describe(name: str, failures: pd.DataFrame) -> str:
    faults = []
    for (column, check), rows in failures.groupby(["column", "check"], dropna=False, sort=False):
        values = list(dict.fromkeys(rows["failure_case"]))[:3]
        faults.append(f"column {column}: not {check}, first values {values}")
    return f"table {name}: " + "; ".join(faults)
