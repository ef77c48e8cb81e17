"""The hierarchy of items that a log names: its levels as a tree, and items raised to one."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

SEPARATOR = " > "


@dataclass(frozen=True)
class Hierarchy:
    """
    The items of a log at one level of their hierarchy, and all that stands above.

    Attributes
    ----------
    node : pandas.Series
        By item of the log: what stands for it in baskets, null where the level is not known.
    groups : pandas.Series
        By item of the log: the name of its group, null where it is not known.
    items : pandas.DataFrame
        `item`, `title`, `group`, ordered by item: every node that the log uses.
    tree : pandas.DataFrame
        `item`, `parent`, `title`, ordered by item: those of the nodes that have something above
        them, and all above; without rows where there are no levels.
    """

    node: pd.Series
    groups: pd.Series
    items: pd.DataFrame
    tree: pd.DataFrame


def hierarchy(
    used: Sequence[str],
    items: pd.DataFrame,
    *,
    level: str | None = None,
    group_level: str | None = None,
) -> Hierarchy:
    """
    Raise items to a level of their hierarchy, and list what stands above.

    Parameters
    ----------
    used : sequence of str
        The items that the log uses.
    items : pandas.DataFrame
        `item`, `name`, and then the levels, the largest groups first; perhaps without rows.
    level : str, optional
        The level whose groups stand in baskets; the items themselves where not given.
    group_level : str, optional
        The level that gives items their `group`; the largest where not given.

    Returns
    -------
    Hierarchy
        What stands for each item, and the tree above.

    Raises
    ------
    ValueError
        If a level is none of the table's.

    Notes
    -----
    Two departments may have a category of one name, and an item may be called like its category.
    So a group is known by its whole path and its level, ``bakery > bread [category]``; its title is
    ``bread [category]`` where that is clear. A level that is not known for an item is passed over:
    the next one above is its parent.

    Examples
    --------
    >>> table = pd.DataFrame({"item": ["1"], "name": ["rye"], "aisle": ["bread"]})
    >>> hierarchy(["1"], table).tree["item"].tolist()
    ['1', 'bread [aisle]']
    """
    levels = [name for name in items.columns if name not in ("item", "name")]
    for key, wanted in (("level", level), ("group_level", group_level)):
        if wanted is not None and wanted not in levels:
            raise ValueError(
                f"{key} is {wanted!r}, which is no level of the items; there are: {levels}. Name "
                "levels in columns.items.levels of the data step."
            )
    known = items.set_index("item").reindex(pd.Index(sorted(set(used)), name="item"))
    paths = _paths(known, levels)
    titles = _titles(paths)
    above = levels if level is None else levels[: levels.index(level)]
    if level is None:
        node = pd.Series(known.index, known.index, dtype="str")
        titles |= known["name"].fillna(node).to_dict()
    else:
        node = _ids(paths, level)
        titles |= {group: titles[group].removesuffix(f" [{level}]") for group in node.dropna()}
    groups = _group_names(paths, group_level or (levels[0] if levels else None), known.index)
    chain = pd.DataFrame({name: _ids(paths, name) for name in above}, index=known.index)
    listed = pd.DataFrame({"item": node.to_numpy(), "group": groups.to_numpy()})
    listed = listed.dropna(subset="item").drop_duplicates("item")
    listed = listed.sort_values("item", ignore_index=True).astype({"item": "str"})
    listed.insert(1, "title", listed["item"].map(titles).astype("str"))
    return Hierarchy(node, groups, listed.astype({"group": "str"}), _tree(node, chain, titles))


def _paths(known: pd.DataFrame, levels: Sequence[str]) -> pd.DataFrame:
    """Give each item its path down to each level, null where that level is not known."""
    path = pd.Series("", known.index, dtype="str")
    paths = {}
    for name in levels:
        here = known[name].astype("str")
        longer = (path + SEPARATOR + here).str.removeprefix(SEPARATOR)
        path = longer.where(here.notna(), path)
        paths[name] = longer.where(here.notna())
    return pd.DataFrame(paths, index=known.index)


def _ids(paths: pd.DataFrame, level: str) -> pd.Series:
    return (paths[level] + f" [{level}]").astype("str")


def _titles(paths: pd.DataFrame) -> dict[str, str]:
    titles = {}
    for level in paths:
        unique = paths[level].dropna().drop_duplicates()
        short = unique.str.rsplit(SEPARATOR, n=1).str[-1]
        clear = short.where(~short.duplicated(keep=False), unique)
        titles |= dict(zip(unique + f" [{level}]", clear + f" [{level}]", strict=True))
    return titles


def _group_names(paths: pd.DataFrame, level: str | None, items: pd.Index) -> pd.Series:
    if level is None:
        return pd.Series(None, items, dtype="str")
    names = {i: title.removesuffix(f" [{level}]") for i, title in _titles(paths[[level]]).items()}
    return _ids(paths, level).map(names).astype("str")


def _tree(node: pd.Series, chain: pd.DataFrame, titles: dict[str, str]) -> pd.DataFrame:
    """List every node with the next one above it, and those in their turn."""
    steps = pd.concat([chain, node.rename("own")], axis=1)
    parents: dict[str, str | None] = {}
    for row in steps.drop_duplicates().itertuples(index=False):
        path = [part for part in row if not pd.isna(part)]
        if not pd.isna(row[-1]) and len(path) > 1:
            parents |= dict(zip(path, [None, *path[:-1]], strict=True))
    names = sorted(parents)
    return pd.DataFrame(
        {
            "item": pd.Series(names, dtype="str"),
            "parent": pd.Series([parents[name] for name in names], dtype="str"),
            "title": pd.Series([titles[name] for name in names], dtype="str"),
        }
    )
