"""Rules at any level of a tree of categories."""

import pandas as pd

from cohortlab.rules.checks import require


def ancestor_pairs(tree: pd.DataFrame) -> pd.DataFrame:
    """List every item or category with each of its ancestors.

    Parameters
    ----------
    tree : DataFrame
        First column the item or category, second its parent, missing at a root; one row each.
        For the items of a shop, rows of items and their category stand beside those of categories.

    Returns
    -------
    DataFrame
        `item, ancestor, steps` (1 for the parent), in order of item and steps. Give its first two
        columns to `frequent_itemsets` as `apart`, and no rule holds an item and its ancestor.

    Raises
    ------
    ValueError
        If something has two parents or is its own ancestor.

    Examples
    --------
    >>> tree = pd.DataFrame({"item": ["cup", "kitchen"], "parent": ["kitchen", None]})
    >>> ancestor_pairs(tree).to_dict("records")
    [{'item': 'cup', 'ancestor': 'kitchen', 'steps': 1}]
    """
    parents = _parents(tree)
    rows = []
    for item in parents:
        seen, here = {item}, parents[item]
        while here is not None:
            if here in seen:
                raise ValueError(f"{item!r} is its own ancestor, by way of {here!r}: mend the tree")
            rows.append((item, here, len(seen)))
            seen.add(here)
            here = parents.get(here)
    return pd.DataFrame(rows, columns=["item", "ancestor", "steps"])


def _parents(tree: pd.DataFrame) -> dict:
    if tree.shape[1] < 2:
        raise ValueError(f"the tree has the columns {list(tree.columns)}: give item and parent")
    child, parent = tree.columns[:2]
    listed = tree.drop_duplicates([child, parent])
    repeated = listed.loc[listed[child].duplicated(), child]
    if len(repeated):
        raise ValueError(f"{repeated.iloc[0]!r} has two parents in the tree: keep one")
    kept = listed.sort_values(child, kind="stable")
    above = [None if pd.isna(value) else value for value in kept[parent].tolist()]
    return dict(zip(kept[child].tolist(), above, strict=True))


def with_ancestors(baskets: pd.DataFrame, tree: pd.DataFrame) -> pd.DataFrame:
    """Add to every basket all ancestors of its items: rules may then join any levels.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, perhaps others, which ancestors share with their item.
    tree : DataFrame
        As for `ancestor_pairs`; its ids of the same type as the items.

    Returns
    -------
    DataFrame
        The rows of `baskets` and then those of ancestors, none twice in a basket.

    Raises
    ------
    ValueError
        If the tree knows none of the items.

    References
    ----------
    Srikant and Agrawal (1995), Mining generalized association rules, section 3.1.
    """
    _check_known(baskets, tree)
    pairs = ancestor_pairs(tree)[["item", "ancestor"]]
    added = baskets.merge(pairs, on="item").drop(columns="item")
    added = added.rename(columns={"ancestor": "item"})[baskets.columns]
    table = pd.concat([baskets, added]).drop_duplicates(["basket_id", "item"])
    return table.reset_index(drop=True)


def at_level(baskets: pd.DataFrame, tree: pd.DataFrame, level: int) -> pd.DataFrame:
    """Replace items by their ancestors at one level of the tree.

    Parameters
    ----------
    baskets : DataFrame
        Columns `basket_id, item`, perhaps others.
    tree : DataFrame
        As for `ancestor_pairs`.
    level : int
        0 for the roots, 1 for their children, and so on. What stands at this level or above stays
        as it is, and so does what the tree does not know.

    Returns
    -------
    DataFrame
        The same columns, one row per basket and item.

    Raises
    ------
    ValueError
        If the level is negative, or the tree knows none of the items.
    """
    if level < 0:
        raise ValueError(f"level is {level}: give 0 for the roots, or more")
    _check_known(baskets, tree)
    pairs = ancestor_pairs(tree)
    depth = pairs.groupby("item")["steps"].max()
    at = pairs[pairs["steps"] == pairs["item"].map(depth) - level]
    names = dict(zip(at["item"], at["ancestor"], strict=True))
    replaced = baskets.assign(item=[names.get(item, item) for item in baskets["item"].tolist()])
    return replaced.drop_duplicates(["basket_id", "item"]).reset_index(drop=True)


def _check_known(baskets: pd.DataFrame, tree: pd.DataFrame) -> None:
    require(baskets, ["basket_id", "item"], "baskets")
    known = set(_parents(tree))
    if len(baskets) and not known & set(baskets["item"].unique().tolist()):
        raise ValueError(
            f"the tree knows none of the items: items are {baskets['item'].dtype}, the tree's ids "
            f"{tree.iloc[:, 0].dtype}; read both the same way"
        )


def rules_above(rules: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep the rules that hold something which stands above an item.

    Parameters
    ----------
    rules : DataFrame
        `antecedents, consequents`.
    pairs : DataFrame
        From `ancestor_pairs`.

    Returns
    -------
    DataFrame
        Some of the rows, in the same order.
    """
    above = set(pairs["ancestor"])
    sides = zip(rules["antecedents"], rules["consequents"], strict=True)
    kept = [not above.isdisjoint(left | right) for left, right in sides]
    return rules[pd.Series(kept, rules.index, dtype=bool)].reset_index(drop=True)
