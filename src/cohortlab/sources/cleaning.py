"""Which cleaning rules a log takes, with their defaults; an unknown or mistyped key is an error."""

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import duckdb
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from cohortlab.sources.errors import SourceError


def _known_signs(form: str) -> str:
    try:
        # A connection of its own: the one that all share would be left with an answer unread.
        with duckdb.connect() as connection:
            connection.execute("SELECT try_strptime('', ?)", [form]).fetchall()
    except duckdb.Error as error:
        fault = str(error).splitlines()[0].removeprefix("Invalid Input Error: ")
        raise PydanticCustomError("form", "{fault}", {"fault": fault}) from None
    return form


TimeForm = Annotated[str, AfterValidator(_known_signs)]


class EventCleaning(BaseModel):
    """
    Cleaning rules of a log of events.

    Attributes
    ----------
    visitor_quantile : float or None, default 0.999
        Visitors with more events than this quantile of events per visitor (linear interpolation)
        are removed; None keeps everyone. Between 0 and 1.
    repeated_events : {"keep", "drop"}, default "keep"
        What to do with an event that repeats another in every column; they are counted either way.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    visitor_quantile: float | None = Field(default=0.999, gt=0, le=1)
    repeated_events: Literal["keep", "drop"] = "keep"


class BasketCleaning(BaseModel):
    """
    Cleaning rules of a log of baskets.

    Attributes
    ----------
    time_format : str or None, default None
        How times are written in text files, in the signs of strptime; ISO times are always
        understood.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    time_format: TimeForm | None = None


class VisitCleaning(BaseModel):
    """
    Cleaning rules of a browsing log.

    Attributes
    ----------
    time_format : str or None, default None
        How times are written in text files, in the signs of strptime; ISO times are always
        understood.
    registrable : bool, default True
        Whether hosts are reduced to the domain that was registered; not for logs of documents or
        pages.
    content_hosts : dict of str to str, default {}
        Domains that only serve parts of another's pages, to that other domain.
    repeated_visits : {"drop", "keep"}, default "drop"
        What to do with a visit that repeats another in every column.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    time_format: TimeForm | None = None
    registrable: bool = True
    content_hosts: dict[str, str] = Field(default_factory=dict)
    repeated_visits: Literal["drop", "keep"] = "drop"


class FlowCleaning(BaseModel):
    """
    Cleaning rules of a log of network flows.

    Attributes
    ----------
    time_format : str or None, default None
        How times are written in text files, in the signs of strptime; ISO times are always
        understood.
    repeated_flows : {"keep", "drop"}, default "keep"
        What to do with a flow that repeats another in every column. Where a log has no times, equal
        flows are different ones.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    time_format: TimeForm | None = None
    repeated_flows: Literal["keep", "drop"] = "keep"


class InvoiceCleaning(BaseModel):
    """
    Cleaning rules of a log of invoices.

    Attributes
    ----------
    date_format : str, default "%m/%d/%Y %H:%M"
        How dates are written in text files, in the signs of strptime; ISO dates are always
        understood.
    anonymous : {"own_customer", "drop"}, default "own_customer"
        What to do with rows without a customer: one customer for each such invoice, or no row at
        all.
    anonymous_ids_from : int, default 19000
        The number of the first of these customers; above every real one.
    drop_missing_description : bool, default True
        Whether rows without a description are removed.
    drop_letter_only_codes : bool, default True
        Whether stock codes of nothing but the letters A to Z are removed (postage, fees, manual).
    drop_countries : tuple of str, default ("European Community", "Unspecified")
        Countries whose rows are removed.
    min_unit_price : float, default 0.04
        Rows with a lower unit price are removed, in the currency of the log.
    drop_customers : tuple of int or str, default (16446,)
        Customers whose rows are removed.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    date_format: TimeForm = "%m/%d/%Y %H:%M"
    anonymous: Literal["own_customer", "drop"] = "own_customer"
    # Far below the largest whole number of 64 bits, so that all of them can be counted on.
    anonymous_ids_from: int = Field(default=19000, ge=0, le=10**18)
    drop_missing_description: bool = True
    drop_letter_only_codes: bool = True
    drop_countries: tuple[str, ...] = Field(
        default=("European Community", "Unspecified"), strict=False
    )
    min_unit_price: float | None = Field(default=0.04, allow_inf_nan=False)
    drop_customers: tuple[int | str, ...] = Field(default=(16446,), strict=False)


class PictureRules(BaseModel):
    """
    How pictures are read.

    Attributes
    ----------
    max_side : int or None, default None
        Larger pictures are made smaller until no side is longer, pixels; None keeps all.
    max_pixels : int, default 100,000,000
        A picture of more pixels is refused before it is decoded.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    max_side: int | None = Field(default=None, ge=1)
    max_pixels: int = Field(default=100_000_000, ge=1, le=170_000_000)


Rules = TypeVar("Rules", bound=BaseModel)


def check_rules(rules: type[Rules], values: Mapping | Rules | None, *, study: str) -> Rules:
    """
    Check the cleaning rules of a study.

    Parameters
    ----------
    rules : type
        `EventCleaning`, `InvoiceCleaning`, `BasketCleaning`, `VisitCleaning`, `FlowCleaning` or
        `PictureRules`.
    values : mapping, model or None
        The block ``studies.<study>.data.cleaning``; None and absent keys take the defaults.
    study : str
        Name of the study, for the message.

    Returns
    -------
    EventCleaning, InvoiceCleaning, BasketCleaning, VisitCleaning, FlowCleaning or PictureRules
        The checked rules.

    Raises
    ------
    SourceError
        If a key is unknown or its value is of another type or out of range; every such key is
        named.

    Examples
    --------
    >>> check_rules(EventCleaning, {"visitor_quantile": 0.99}, study="sessions").visitor_quantile
    0.99
    """
    if isinstance(values, rules):
        return values
    try:
        return rules.model_validate(dict(values or {}))
    except ValidationError as error:
        block = f"studies.{study}.data.cleaning"
        faults = [_fault(block, fault) for fault in error.errors()]
        known = ", ".join(rules.model_fields)
        raise SourceError(f"{'; '.join(faults)}. Keys of {block}: {known}.") from error


def _fault(block: str, fault: Mapping) -> str:
    key = ".".join(str(step) for step in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{block}.{key} is no cleaning rule"
    return f"{block}.{key} is {fault['input']!r}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
