"""
People of a log of baskets: how often, how much and how variously they buy, and what.

Every function takes and returns Ibis expressions; nothing is computed until a table is written.
Money is summed in whole millionths of the currency, so sums are exact and do not depend on the
order of rows. A column that the log does not have is null in every row; what would need it is left
out.
"""

import ibis
import ibis.expr.types as ir
import pandas as pd

from cohortlab.features.invoices import whole_days

FEATURES = (
    "n_baskets",
    "n_items",
    "items_per_basket",
    "distinct_share",
    "n_groups",
    "n_pieces",
    "spend",
    "spend_per_basket",
    "days_active",
    "recency_days",
)
ATTRIBUTES = ("n_different", "first_basket", "last_basket")
_MILLION = 1_000_000
_NO_PERSON = "The log names no person, so every basket is a person of its own."
_NEEDS = {
    "person_id": (("n_baskets", "items_per_basket", "distinct_share"), _NO_PERSON),
    "quantity": (("n_pieces",), "The log has no quantities."),
    "value": (("spend", "spend_per_basket"), "The log has no values."),
    "time": (("days_active", "recency_days"), "The log has no times."),
}


def with_people(baskets: ir.Table) -> ir.Table:
    """
    Give every basket a person: its own where the log names none.

    Parameters
    ----------
    baskets : ibis.Table
        Table `baskets` of the log, with `basket_id` and `person_id`.

    Returns
    -------
    ibis.Table
        The same rows, `person_id` never null.
    """
    return baskets.mutate(person_id=ibis.coalesce(baskets.person_id, baskets.basket_id))


def features_left_out(baskets: ir.Table, *, has_groups: bool) -> dict[str, str]:
    """
    Say which features cannot be computed, and why.

    Parameters
    ----------
    baskets : ibis.Table
        Table `baskets` of the log, before `with_people`.
    has_groups : bool
        Whether the groups of items are known.

    Returns
    -------
    dict of str to str
        Each feature that is left out, with the reason in a sentence.
    """
    counts = baskets.agg(**{name: baskets[name].count() for name in _NEEDS}).to_pyarrow()
    known = {name: count > 0 for name, count in counts.to_pylist()[0].items()}
    left_out = {}
    for column, (features, reason) in _NEEDS.items():
        if not known[column]:
            left_out |= dict.fromkeys(features, reason)
    if not known["person_id"]:
        left_out |= {"spend_per_basket": _NO_PERSON, "days_active": _NO_PERSON}
    if not has_groups:
        left_out["n_groups"] = "There is no table of items with levels of a hierarchy."
    return {name: left_out[name] for name in FEATURES if name in left_out}


def basket_features(baskets: ir.Table, groups: pd.Series, *, left_out: dict[str, str]) -> ir.Table:
    """
    Compute the numeric features of each person.

    Parameters
    ----------
    baskets : ibis.Table
        From `with_people`: `basket_id`, `person_id`, `item`, `time`, `quantity`, `value`.
    groups : pandas.Series
        By item: the name of its group, null where it is not known.
    left_out : dict of str to str
        From `features_left_out`.

    Returns
    -------
    ibis.Table
        `person_id` and the columns of `FEATURES` that can be computed, ordered by person.

    Notes
    -----
    `n_items` counts items, one that stands in a basket twice once. `items_per_basket` is `n_items`
    / `n_baskets`; `distinct_share` is different items / `n_items`, 1 where nothing was bought
    again. `n_groups` counts the different groups of the items, those without a group as one.
    `n_pieces` and `spend` are the sums of quantity and value. `days_active` counts the different
    days with a basket, `recency_days` the whole days (of 24 hours) from the person's last basket to
    the last one of the log.
    """
    rows = _with_groups(baskets, groups)
    value = (rows.value * _MILLION).round().cast("int64")
    pieces = (rows.quantity * _MILLION).round().cast("int64")
    sums = rows.group_by("person_id").agg(
        n_baskets=rows.basket_id.nunique(),
        n_different=rows.item.nunique(),
        n_groups=rows.group.nunique(),
        # The sums are exact in 128 bits; those of large values do not fit into 64.
        pieces=pieces.sum().cast("float64"),
        value=value.sum().cast("float64"),
        days_active=rows.time.date().nunique(),
        last=rows.time.max(),
    )
    pairs = rows.select("person_id", "basket_id", "item").distinct()
    counted = pairs.group_by("person_id").agg(n_items=pairs.count())
    table = sums.inner_join(counted, "person_id")
    end = rows.time.max().as_scalar()
    columns = {
        "n_baskets": table.n_baskets,
        "n_items": table.n_items,
        "items_per_basket": table.n_items / table.n_baskets,
        "distinct_share": table.n_different / table.n_items,
        "n_groups": table.n_groups,
        "n_pieces": table.pieces / _MILLION,
        "spend": table.value / _MILLION,
        "spend_per_basket": table.value / _MILLION / table.n_baskets,
        "days_active": table.days_active,
        "recency_days": whole_days(table["last"], end),
    }
    kept = {name: column for name, column in columns.items() if name not in left_out}
    return table.select("person_id", **kept).order_by("person_id")


def basket_attributes(baskets: ir.Table, people: pd.DataFrame) -> pd.DataFrame:
    """
    Describe each person by what profiles show and no clustering uses.

    Parameters
    ----------
    baskets : ibis.Table
        From `with_people`.
    people : pandas.DataFrame
        `person_id` and what is known of people, text; perhaps without rows.

    Returns
    -------
    pandas.DataFrame
        `person_id`, `n_different` (different items), `first_basket` and `last_basket` (without
        times, null), and the columns of `people`: numbers where every known value is one, else
        text; null for people who are not in that table. Ordered by person.

    Raises
    ------
    ValueError
        If a column of `people` has the name of a feature or of another attribute.
    """
    clashing = sorted(set(people.columns) & {*FEATURES, *ATTRIBUTES})
    if clashing:
        raise ValueError(
            f"the table of people has the columns {clashing}, which are names of ours: rename them "
            "in the file, or list the others in columns.people.attributes of the data step"
        )
    summary = baskets.group_by("person_id").agg(
        n_different=baskets.item.nunique(),
        first_basket=baskets.time.min(),
        last_basket=baskets.time.max(),
    )
    own = summary.order_by("person_id").to_pandas()
    return own.merge(people.apply(_numbers), on="person_id", how="left", validate="one_to_one")


def _numbers(values: pd.Series) -> pd.Series:
    if values.name == "person_id":
        return values.astype("str")
    numbers = pd.to_numeric(values, errors="coerce")
    is_numeric = values.notna().any() and (numbers.notna() == values.notna()).all()
    return numbers if is_numeric else values.astype("str")


def baskets(rows: ir.Table, node: pd.Series) -> ir.Table:
    """
    List what was bought together: one row per basket and item.

    Parameters
    ----------
    rows : ibis.Table
        From `with_people`.
    node : pandas.Series
        By item of the log: what stands for it; null leaves it out.

    Returns
    -------
    ibis.Table
        `basket_id`, `person_id` and `item`, each row once.
    """
    named = _with_nodes(rows, node)
    return (
        named.select("basket_id", "person_id", "item")
        .distinct()
        .order_by("basket_id", "person_id", "item")
    )


def incidence(rows: ir.Table, node: pd.Series) -> ir.Table:
    """
    Count in how many baskets each person had each item.

    Parameters
    ----------
    rows : ibis.Table
        From `with_people`.
    node : pandas.Series
        As for `baskets`.

    Returns
    -------
    ibis.Table
        `person_id`, `item` and `weight`.
    """
    named = _with_nodes(rows, node)
    counted = named.group_by("person_id", "item").agg(weight=named.basket_id.nunique())
    return counted.order_by("person_id", "item")


def _with_nodes(rows: ir.Table, node: pd.Series) -> ir.Table:
    known = node.dropna()
    table = ibis.memtable(pd.DataFrame({"item": known.index, "node": known.to_numpy()}))
    joined = rows.inner_join(table, "item")
    return joined.mutate(item=joined.node)


def _with_groups(rows: ir.Table, groups: pd.Series) -> ir.Table:
    named = pd.DataFrame({"item": groups.index, "group": groups.fillna("").to_numpy()})
    table = ibis.memtable(named.astype("str"))
    return rows.left_join(table, "item")
