"""Settings of the synthetic invoice log: what each must be, checked before anything is written."""

from collections.abc import Mapping

from cohortlab.intervals import check_number
from cohortlab.synthetic.checks import check_blocks, check_rates, check_shares
from cohortlab.synthetic.distributions import check_counts
from cohortlab.synthetic.product_names import check_product_groups

TYPE_KEYS = (
    "share",
    "invoices",
    "lines",
    "quantity_median",
    "quantity_spread",
    "price_level",
    "active_from",
    "active_to",
    "return_probability",
)
INVOICE_FAULTS = (
    "missing_customer",
    "only_returned",
    "missing_description",
    "letter_code",
    "odd_country",
    "tiny_price",
    "repeated",
    "unreadable_date",
    "unreadable_number",
    "malformed_line",
)


def check_invoice_settings(
    *,
    n_customers: int,
    days: int,
    types: Mapping,
    groups: Mapping,
    popularity_exponent: float,
    countries: Mapping,
    faults: Mapping,
    chunk_customers: int,
) -> None:
    """Check all settings of `cohortlab.synthetic.generate_invoice_log`.

    Parameters
    ----------
    **settings
        Those of that function, by name.

    Raises
    ------
    ValueError
        At the first impossible one, with its name and value.
    """
    check_number(n_customers, where="n_customers", low=1, whole=True)
    # The shop is closed on Saturdays; two days hold one that is open.
    check_number(days, where="days", low=2, whole=True)
    check_number(popularity_exponent, where="popularity_exponent", low=0, high=10)
    check_number(chunk_customers, where="chunk_customers", low=1, high=500_000, whole=True)
    check_product_groups(groups)
    _check_types(types, groups)
    check_shares(countries, where="countries")
    for country in countries:
        _check_country(country)
    check_rates(faults, INVOICE_FAULTS)


def _check_types(types: Mapping, groups: Mapping) -> None:
    check_blocks(types, TYPE_KEYS, where="types")
    smallest = min(groups, key=lambda name: groups[name]["products"])
    for name, profile in types.items():
        where = f"types.{name}"
        check_counts(profile["invoices"], where=f"{where}.invoices")
        check_counts(profile["lines"], where=f"{where}.lines")
        # Without this a basket could need more products of its group than there are.
        if profile["lines"]["maximum"] > groups[smallest]["products"]:
            raise ValueError(
                f"{where}.lines.maximum: expected at most the products of the smallest group "
                f"({smallest}: {groups[smallest]['products']}), got {profile['lines']['maximum']}; "
                f"lower it or raise groups.{smallest}.products"
            )
        for key, low, high in (
            ("quantity_median", 1, 10_000),
            ("quantity_spread", 0, 3),
            ("price_level", 0.5, 2),
            ("active_from", 0, 1),
            ("active_to", 0, 1),
            ("return_probability", 0, 1),
        ):
            check_number(profile[key], where=f"{where}.{key}", low=low, high=high)
        if profile["active_from"] >= profile["active_to"]:
            raise ValueError(
                f"{where}.active_to: expected more than active_from ({profile['active_from']}), "
                f"got {profile['active_to']}"
            )


def _check_country(country: object) -> None:
    where = f"countries.{country}"
    if not isinstance(country, str) or any(mark in country for mark in ',"\r\n'):
        raise ValueError(f"{where}: expected a name without commas, quotes or line ends")
    try:
        country.encode("windows-1252")
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: expected letters that windows-1252 can write") from error
