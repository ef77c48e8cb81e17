"""People, items and purchases as tables: attributes, groups of items, baskets and incidence."""

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from cohortlab.threads import one_thread


def person_attributes(people: ir.Table, purchases: ir.Table) -> ir.Table:
    """Describe people by what they bought, and by their features that are text.

    Parameters
    ----------
    people : ibis.Table
        `person_id` and features.
    purchases : ibis.Table
        `person_id, item_id, time`.

    Returns
    -------
    ibis.Table
        `person_id, n_purchases, n_items, first_purchase, last_purchase` (times null for people
        without a purchase), then the text columns of `people`; one row a person, ordered.
    """
    per_person = purchases.group_by("person_id").agg(
        n_purchases=purchases.count(),
        n_items=purchases.item_id.nunique(),
        first_purchase=purchases.time.min(),
        last_purchase=purchases.time.max(),
    )
    joined = people.left_join(per_person, "person_id")
    return joined.select(
        "person_id",
        n_purchases=joined.n_purchases.fill_null(0),
        n_items=joined.n_items.fill_null(0),
        first_purchase=joined.first_purchase,
        last_purchase=joined.last_purchase,
        **{name: joined[name] for name in text_features(people, "person_id")},
    ).order_by("person_id")


def text_features(table: ir.Table, own: str) -> list[str]:
    """Name the features of a population that are text, in the order of the table.

    Parameters
    ----------
    table : ibis.Table
        An id and features.
    own : str
        The column of the id.

    Returns
    -------
    list of str
        Their names.
    """
    return [name for name in table.columns if name != own and table[name].type().is_string()]


def number_features(table: ir.Table, own: str) -> ir.Table:
    """Keep the id and the features that are numbers, ordered by the id.

    Parameters
    ----------
    table : ibis.Table
        An id and features.
    own : str
        The column of the id.

    Returns
    -------
    ibis.Table
        The id first.
    """
    numbers = [n for n in table.columns if n != own and n not in text_features(table, own)]
    return table.select(own, *numbers).order_by(own)


def group_items(
    items: pd.DataFrame, *, n_groups: int, scale: bool = True, random_state: int
) -> pd.Series:
    """Group items by their own features, without a look at who buys them.

    Parameters
    ----------
    items : DataFrame of shape (n_items, 1 + n_features)
        The id first, then features that are numbers.
    n_groups : int
        Number of groups, from 1 to the number of items.
    scale : bool
        Whether features are centred and divided by their deviation first.
    random_state : int
        Seed of k-means.

    Returns
    -------
    Series of shape (n_items,)
        The group of each item, named by the means of its features.

    Raises
    ------
    ValueError
        If there is no feature to group by, or an impossible number of groups.

    Examples
    --------
    >>> items = pd.DataFrame({"item_id": ["a", "b", "c"], "price": [1.0, 9.0, 11.0]})
    >>> group_items(items, n_groups=2, random_state=0).tolist()
    ['price 1', 'price 10', 'price 10']
    """
    values = items.iloc[:, 1:]
    if values.shape[1] == 0 or not 1 <= n_groups <= len(values):
        raise ValueError(
            f"{n_groups} groups of {len(values)} items by the features {list(values)}: give items "
            "a feature that is a number, and a number of groups from 1 to that of the items"
        )
    X = StandardScaler().fit_transform(values) if scale else values.to_numpy(dtype=float)
    # In one canonical order, so that the order of the items changes nothing.
    order = np.lexsort(X.T[::-1])
    labels = np.empty(len(X), dtype=int)
    with one_thread():
        labels[order] = KMeans(n_groups, n_init=10, random_state=random_state).fit_predict(X[order])
    means = values.groupby(labels).mean()
    names = {
        group: ", ".join(f"{feature} {mean:.3g}" for feature, mean in row.items())
        for group, row in means.iterrows()
    }
    return pd.Series([names[group] for group in labels], index=items.index, dtype="str")


def baskets(purchases: ir.Table) -> ir.Table:
    """Put what a person bought on one day into one basket.

    Parameters
    ----------
    purchases : ibis.Table
        `person_id, item_id, time`.

    Returns
    -------
    ibis.Table
        `basket_id` (person and day), `person_id`, `item`, each item once; ordered.
    """
    day = purchases.time.date().cast("string")
    rows = purchases.select(
        basket_id=purchases.person_id.cast("string") + " " + day,
        person_id=purchases.person_id,
        item=purchases.item_id.cast("string"),
    )
    return rows.distinct().order_by(["basket_id", "item"])


def incidence(purchases: ir.Table) -> ir.Table:
    """Count how often each person bought each item.

    Parameters
    ----------
    purchases : ibis.Table
        `person_id, item_id, time`.

    Returns
    -------
    ibis.Table
        `person_id, item, weight`, ordered.
    """
    rows = purchases.select(person_id="person_id", item=ibis._.item_id.cast("string"))
    counted = rows.group_by("person_id", "item").agg(weight=rows.count())
    return counted.order_by(["person_id", "item"])
