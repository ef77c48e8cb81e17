"""Itemsets as text and lists, for files that hold no sets."""

import json
from collections.abc import Mapping

import pandas as pd

from cohortlab.rules.checks import sorted_items
from cohortlab.titles import titled


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Itemsets as text for CSV: a sorted JSON list, the same for equal sets, and reversible.

    Parameters
    ----------
    table : DataFrame
        From `frequent_itemsets` or `association_rules`.

    Returns
    -------
    DataFrame
        A copy with texts such as `["milk", "tea"]` in place of frozensets.
    """
    texts = {
        name: table[name].map(lambda items: json.dumps(sorted_items(items), ensure_ascii=False))
        for name in _set_columns(table)
    }
    return table.assign(**texts)


def from_text(table: pd.DataFrame) -> pd.DataFrame:
    """Undo `as_text`: texts back to frozensets.

    Parameters
    ----------
    table : DataFrame
        From `as_text`, perhaps by way of a file.

    Returns
    -------
    DataFrame
        A copy with frozensets in place of texts.
    """
    sets = {
        name: pd.Series([frozenset(json.loads(t)) for t in table[name]], table.index, dtype=object)
        for name in _set_columns(table)
    }
    return table.assign(**sets)


def as_lists(table: pd.DataFrame) -> pd.DataFrame:
    """Itemsets as sorted lists, which Parquet can hold where it cannot hold sets.

    Parameters
    ----------
    table : DataFrame
        From `frequent_itemsets` or `association_rules`.

    Returns
    -------
    DataFrame
        A copy with lists in place of frozensets.
    """
    lists = {
        name: pd.Series(map(sorted_items, table[name]), table.index, dtype=object)
        for name in _set_columns(table)
    }
    return table.assign(**lists)


def with_titles(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Itemsets as plain text for reading, items shown by their titles.

    Parameters
    ----------
    table : DataFrame
        From `frequent_itemsets` or `association_rules`.
    titles : mapping of item to text
        What to call an item, as in `cohortlab.titles.titled`.

    Returns
    -------
    DataFrame
        A copy with texts such as `milk [12] + tea [7]` in place of frozensets, in the order of the
        ids.

    Examples
    --------
    >>> sets = pd.DataFrame({"itemsets": [frozenset(["12", "7"]), frozenset(["milk"])]})
    >>> with_titles(sets, {"12": "milk", "7": "category 7"})["itemsets"].tolist()
    ['milk [12] + category 7', 'milk']
    """
    texts = {
        name: table[name].map(
            lambda items: " + ".join(titled(i, titles) for i in sorted_items(items))
        )
        for name in _set_columns(table)
    }
    return table.assign(**texts)


def _set_columns(table: pd.DataFrame) -> list[str]:
    return [n for n in ["itemsets", "antecedents", "consequents"] if n in table.columns]
