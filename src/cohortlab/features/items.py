"""The items of a log: what to call each, and the group it belongs to."""

from collections.abc import Iterable, Mapping

import ibis.expr.types as ir
import pandas as pd


def category_items(items: Iterable[str], tree: ir.Table | None) -> pd.DataFrame:
    """List categories with their top category as group, or items, which have none.

    Parameters
    ----------
    items : iterable of str
        The categories (or items) in use.
    tree : ibis.Table or None
        `category_id, parent_id`, without rows where there is no tree; None where these are items,
        whose ids may be those of categories that have nothing to do with them.

    Returns
    -------
    pandas.DataFrame
        `item`, `title`, `group` (null where the tree does not know the item), ordered by item.
    """
    what = _kind(tree)
    roots = {} if tree is None else root_groups(_parents(tree))
    names = sorted(set(items))
    return pd.DataFrame(
        {
            "item": pd.Series(names, dtype="str"),
            "title": pd.Series([f"{what} {name}" for name in names], dtype="str"),
            "group": pd.Series(
                [f"{what} {roots[n]}" if n in roots else None for n in names], dtype="str"
            ),
        }
    )


def item_tree(items: Iterable[str], tree: ir.Table | None) -> pd.DataFrame:
    """List the categories that a tree knows, with everything above them.

    Parameters
    ----------
    items : iterable of str
        The categories (or items) in use.
    tree : ibis.Table or None
        As for `category_items`.

    Returns
    -------
    pandas.DataFrame
        `item`, `parent` (null at a root), `title`, ordered by item.
    """
    known = {} if tree is None else _parents(tree)
    listed, todo = set(), set(items) & set(known)
    while todo:
        listed |= todo
        todo = {known[item] for item in todo} & set(known) - listed
    names = sorted(listed)
    above = [known[name] if known[name] in known else None for name in names]
    return pd.DataFrame(
        {
            "item": pd.Series(names, dtype="str"),
            "parent": pd.Series(above, dtype="str"),
            "title": pd.Series([f"{_kind(tree)} {name}" for name in names], dtype="str"),
        }
    )


def _kind(tree: ir.Table | None) -> str:
    return "item" if tree is None else "category"


def _parents(tree: ir.Table) -> dict[str, str | None]:
    texts = tree.select(tree.category_id.cast("string"), tree.parent_id.cast("string"))
    pairs = texts.to_pandas().itertuples(index=False)
    return {child: None if pd.isna(parent) else parent for child, parent in pairs}


def product_items(invoices: ir.Table) -> ir.Table:
    """List products with the description that most of their lines carry.

    Parameters
    ----------
    invoices : ibis.Table
        The cleaned log, with `stock_code`, `description` and `quantity`.

    Returns
    -------
    ibis.Table
        `item` (the stock code, as text), `title` (of several as frequent, the first in the
        alphabet) and `group` (null: an invoice log groups no products), ordered by item.
    """
    bought = invoices.filter(invoices.quantity > 0)
    named = bought.select(item=bought.stock_code.cast("string"), title=bought.description)
    counted = named.group_by("item", "title").agg(n=named.count())
    first = counted.group_by("item").agg(
        title=counted.title.first(order_by=[counted.n.desc(), counted.title.asc()])
    )
    group = first.title.nullif(first.title)  # no group: null, as text
    return first.mutate(title=first.title.fill_null(first.item), group=group).order_by("item")


def root_groups(parents: Mapping) -> dict[str, str]:
    """Find the top category of every category of a tree.

    Parameters
    ----------
    parents : mapping of category to parent
        A root has the parent None, NaN or one that is not listed itself.

    Returns
    -------
    dict
        Category to its root, both as text.

    Raises
    ------
    ValueError
        If categories are each other's ancestors.

    Examples
    --------
    >>> root_groups({"shoes": None, "boots": "shoes"})
    {'shoes': 'shoes', 'boots': 'shoes'}
    """
    known = {str(c): None if pd.isna(p) else str(p) for c, p in parents.items()}
    roots: dict[str, str] = {}
    for category in known:
        path = [category]
        while (parent := known.get(path[-1])) is not None and path[-1] not in roots:
            if parent in path:
                raise ValueError(
                    f"the categories {[*path, parent]} are each other's ancestors: break the loop"
                )
            path.append(parent)
        roots |= dict.fromkeys(path, roots.get(path[-1], path[-1]))
    return {category: roots[category] for category in known}
